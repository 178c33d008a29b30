"""A date that is the same for many, moved for all: whom it concerns is shown first, and then all of it is done or nothing."""

from __future__ import annotations

from datetime import datetime

from starlette.responses import Response
from starlette.routing import Route

from desk.coordinators import coordinates
from desk.frame import Visit, later, page
from desk.parts import Mistake, why
from labels.answering.dates import Plan, Subject, movable
from labels.clock import read_deadline
from labels.errors import LabelsError, NotFound, OutOfReach
from labels.record.schema import StepKind
from labels.turn import Door
from labels.views.year import names
from labels.words.sentences import Sentence, say
from labels.words.text import has_words
from usecases import dates as usecases

PATH = "/dates"
TEMPLATE = "coordinating/dates.html.j2"
LONGEST = 2_000
"""Characters of a reason."""


def _called(subject: Subject) -> Sentence:
    """What a date is called."""
    year = str(subject.year)
    match subject.kind:
        case StepKind.SELF_ASSESSMENT:
            return say("School Label {year}: until when schools hand in", year=year)
        case StepKind.SCREENING:
            return say("European Quality Label {year}: until when organisations screen", year=year)
    return say("European Quality Label {year}: until when it is awarded", year=year)


def show(visit: Visit) -> Response:
    """Which dates can be moved."""
    return _shown(visit)


def _shown(
    visit: Visit, found: Plan | None = None, mistakes: list[Mistake] | None = None, status: int = 200
) -> Response:
    own, central = visit.account.coordinates, visit.account.central
    with visit.here.record.reading() as session:
        there = movable(session, own, visit.here.now())
        called = names(session)
    texts = visit.texts(TEMPLATE)
    theirs = sorted(called if central else own, key=lambda one: called.get(one, one))
    everybody = [("", texts.say("all organisations"))] if central else []
    return visit.shows(
        TEMPLATE,
        status,
        dates=[(_written(one), texts.told(_called(one))) for one in there],
        organisations=everybody + [(one, called.get(one, one)) for one in theirs],
        names=called,
        found=found,
        typed=lambda name: visit.sent.line(name, 80) if visit.form else "",
        reason=visit.sent.text("reason", LONGEST) if visit.form else "",
        sent=visit.request.query_params.get("sent", ""),
        mistakes=mistakes or [],
        at={one.field: one.text for one in mistakes or []},
    )


def _written(subject: Subject) -> str:
    return f"{subject.kind.value}-{subject.year}"


def _chosen(visit: Visit) -> Subject:
    """The date that a form names, of all or of one organisation.

    Raises:
        NotFound: it is none that they may move: nobody learns which there are.
    """
    account = visit.account
    organisation = visit.sent.line("organisation", 40)
    with visit.here.record.reading() as session:
        there = {_written(one): one for one in movable(session, account.coordinates, visit.here.now())}
        known = names(session)
    named = there.get(visit.sent.line("date", 40))
    if named is None or not (account.central or organisation in account.coordinates):
        raise NotFound("There is nothing here.")
    if organisation and organisation not in known:
        raise NotFound("There is nothing here.")
    return Subject(named.kind, named.year, organisation)


def move(visit: Visit) -> Response:
    """Shows whom it concerns, or moves it for all of them."""
    subject, texts = _chosen(visit), visit.texts(TEMPLATE)
    until = _until(visit)
    if until is None:
        wrong = Mistake(texts.say("This is no day: write it as 2026-04-20"), "until")
        return _shown(visit, mistakes=[wrong], status=422)
    reason = visit.sent.text("reason", LONGEST).strip()
    if not has_words(reason):
        return _shown(visit, mistakes=[Mistake(texts.say("Say why"), "reason")], status=422)
    seen = visit.sent.line("plan", 40)
    try:
        if not seen:
            return _shown(visit, usecases.plan(visit.here, subject, until))
        _, done = usecases.move(visit.here, subject, until, seen, reason, by=visit.proof, door=Door.DESK)
    except (OutOfReach, NotFound):
        raise
    except LabelsError as error:
        return _shown(visit, mistakes=[Mistake(why(texts, error), "until")], status=409)
    return visit.goes_to(PATH, sent="1", **later(done.outage))


def _until(visit: Visit) -> datetime | None:
    try:
        return read_deadline(visit.sent.line("until", 30))
    except ValueError:
        return None


def routes() -> list[Route]:
    """The page."""
    return [page(PATH, show, move, allowed=coordinates)]
