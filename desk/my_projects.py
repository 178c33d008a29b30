"""The teacher's first page: which of their projects may apply, what is on its way, which labels they have."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.responses import Response
from starlette.routing import Route

from adapters.documents.store import as_attachment
from desk.frame import Visit, page
from desk.standing import STAGES, place_in_chain, standing_line, tag_of
from labels.clock import brussels_day
from labels.errors import NotFound
from labels.record.schema import School, Teacher
from labels.rules.loading import load_rules
from labels.sessions.accounts import Account
from labels.views import applicant
from labels.words.sentences import Sentence, say

PATH = "/projects"


def is_teacher(account: Account) -> bool:
    """Whether somebody teaches."""
    return bool(account.teachers)


def greeting(now: datetime) -> Sentence:
    """By the hour in Brussels."""
    hour = now.astimezone(ZoneInfo("Europe/Brussels")).hour
    if hour < 12:
        return say("Good morning, {name}", name="")
    return say("Good evening, {name}", name="") if hour >= 18 else say("Good day, {name}", name="")


def projects(visit: Visit) -> Response:
    """All projects, applications and labels of whoever teaches."""
    here, now = visit.here, visit.here.now()
    homes = []
    with here.record.reading() as session:
        for teacher in visit.account.teachers:
            row = session.get_one(Teacher, teacher)
            school = session.get_one(School, row.school)
            edition = load_rules(school.organisation, brussels_day(now), here.settings.rules)
            homes.append(applicant.home(session, teacher, school.country, edition, now))
    every = [one for home in homes for one in home.projects]
    under_way = [one.application for one in every if one.open and one.application]
    return visit.shows(
        "projects.html.j2",
        greeting=greeting(now).pattern,
        name=visit.account.name,
        placements=[home.placement for home in homes],
        may=[one for one in every if one.may_apply],
        under_way=under_way,
        not_now=[one for one in every if one.unmet and not one.open],
        labels=[one for home in homes for one in home.labels],
        asked=[one for one in under_way if one.asked],
        stages=STAGES,
        place_in_chain=place_in_chain,
        standing_line=standing_line,
        tag_of=tag_of,
    )


def document(visit: Visit) -> Response:
    """A document of one's own, to be saved: evidence, receipt, certificate or letter."""
    number = visit.named("document")
    if not number.isdecimal() or len(number) > 12:
        raise NotFound("There is nothing here.")
    with visit.here.record.reading() as session:
        row = applicant.document_for(session, visit.account.teachers, int(number))
    content = visit.here.documents.get(row.key)
    headers = {
        "Content-Disposition": as_attachment(row.name),
        "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    }
    return Response(content, media_type=row.media_type, headers=headers)


def routes() -> list[Route]:
    """The addresses of these pages."""
    return [
        page(PATH, projects, allowed=is_teacher),
        page("/my-documents/{document}", document, allowed=is_teacher),
    ]
