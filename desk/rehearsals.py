"""Rehearsals of an organisation's year: what is to be played, how far it is, and what it came to."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from datetime import date, timedelta
from urllib.parse import quote

import sqlalchemy as sa
from starlette.responses import Response
from starlette.routing import Route

from adapters.documents.store import as_attachment
from adapters.languages.desk import DeskTexts
from adapters.papers.rehearsals import waiting_plot
from desk.coordinators import coordinates
from desk.frame import Visit, page
from desk.parts import Mistake, why
from labels.clock import brussels_day
from labels.errors import LabelsError, NotFound
from labels.people.roles import Role
from labels.record.schema import Organisation, Staff
from labels.views.rehearsal import Rehearsal
from labels.views.rehearsal_tables import Cell, tables
from labels.words.sentences import Sentence, say
from usecases.rehearsing import keeping
from usecases.rehearsing.copying import applied_since
from usecases.rehearsing.keeping import Kept
from usecases.rehearsing.rehearsal import MOST_REVIEWERS, Wishes

PATH = "/rehearsals"
ONE = "/rehearsals/{organisation}/{name}"
REMOVED = "/rehearsals/{organisation}/{name}/remove"
FILE = "/rehearsals/{organisation}/{name}/files/{file:path}"

LIST_PAGE = "coordinating/rehearsals.html.j2"
ONE_PAGE = "coordinating/rehearsal.html.j2"

MOST_YEARS = 4
"""Side by side; the command plays more."""
MOST_APPLICATIONS = 6_000
"""Of all years together: half an hour of one processor."""
SHARES: Mapping[str, Sentence] = {
    "1": say("all applications of a year"),
    "0.5": say("half of them"),
    "0.25": say("a quarter of them"),
    "0.1": say("a tenth of them"),
}
_EACH = 4.0
_YEAR = timedelta(days=365)


def _own(visit: Visit) -> list[tuple[str, str]]:
    """The organisations whose year somebody may have played, with their names; all for the CSS."""
    query = (
        sa.select(Organisation.id, Organisation.name)
        .where(Organisation.kind != "CSS")
        .order_by(Organisation.id)
    )
    if not visit.account.central:
        query = query.where(Organisation.id.in_(visit.account.coordinates))
    with visit.here.record.reading() as session:
        return [(row.id, row.name) for row in session.execute(query)]


def _organisation(visit: Visit, named: str) -> tuple[str, str]:
    """One of these, by its id.

    Raises:
        NotFound: it is not theirs, or there is none.
    """
    found = next((one for one in _own(visit) if one[0] == named), None)
    if found is None:
        raise NotFound("There is nothing here.")
    return found


def shown(visit: Visit) -> Response:
    """What is kept, and the form."""
    own = _own(visit)
    if not own:
        raise NotFound("There is nothing here.")
    return _shown(visit, _organisation(visit, visit.request.query_params.get("organisation", own[0][0])), own)


def _shown(
    visit: Visit,
    one: tuple[str, str],
    own: list[tuple[str, str]],
    mistake: Mistake | None = None,
    status: int = 200,
) -> Response:
    organisation, name = one
    applied, reviewers = _numbers(visit, organisation)
    return visit.shows(
        LIST_PAGE,
        status,
        organisation=organisation,
        name=name,
        own=own,
        kept=keeping.kept(visit.here, organisation),
        applied=applied,
        reviewers=reviewers,
        shares=SHARES,
        most=MOST_YEARS,
        days=keeping.KEPT.days,
        typed=lambda field: visit.sent.line(field, 200) if visit.form else "",
        mistakes=[mistake] if mistake else [],
        at={mistake.field: mistake.text} if mistake else {},
    )


def _numbers(visit: Visit, organisation: str) -> tuple[int, int]:
    """How many applied in the last twelve months, and how many reviewers there are."""
    with visit.here.record.reading() as session:
        applied = applied_since(session, visit.here.now() - _YEAR, [organisation]).get(organisation, 0)
        judges = sa.select(sa.func.count(sa.distinct(Staff.person))).where(
            Staff.organisation == organisation, Staff.role == Role.REVIEWER
        )
        return applied, session.scalar(judges) or 0


def begin(visit: Visit) -> Response:
    """Has it played, and leads to where one sees how far it is."""
    one = _organisation(visit, visit.sent.line("organisation", 40))
    texts = visit.texts(LIST_PAGE)
    try:
        wishes = _wishes(visit, one[0], texts)
        name = keeping.start(visit.here, one[0], wishes, visit.account.name)
    except _Wrong as error:
        return _shown(visit, one, _own(visit), error.mistake, 422)
    except LabelsError as error:
        return _shown(visit, one, _own(visit), Mistake(why(texts, error), "reviewers"), 409)
    return visit.goes_to(ONE.format(organisation=one[0], name=name))


class _Wrong(Exception):
    def __init__(self, text: str, field: str) -> None:
        self.mistake = Mistake(text, field)
        super().__init__(text)


def _wishes(visit: Visit, organisation: str, texts: DeskTexts) -> Wishes:
    sent = visit.sent
    reviewers = [part.strip() for part in sent.line("reviewers", 80).split(",") if part.strip()]
    if not all(one.isascii() and one.isdigit() and 1 <= int(one[:9]) <= MOST_REVIEWERS for one in reviewers):
        raise _Wrong(texts.say("Write whole numbers with commas between: 10, 20, 40"), "reviewers")
    try:
        days = [
            date.fromisoformat(part.strip()) for part in sent.line("deadline", 80).split(",") if part.strip()
        ]
    except ValueError:
        raise _Wrong(
            texts.say("Write days with commas between: 2027-05-31, 2027-06-30"), "deadline"
        ) from None
    today = brussels_day(visit.here.now())
    if not all(today < day <= today + _YEAR for day in days):
        raise _Wrong(texts.say("Name days within the next twelve months"), "deadline")
    if max(len(reviewers), 1) * max(len(days), 1) > MOST_YEARS:
        raise _Wrong(texts.say("At most {most} years stand side by side", most=MOST_YEARS), "reviewers")
    typed = sent.line("applications", 12)
    if typed and not (typed.isascii() and typed.isdigit() and 1 <= int(typed) <= 100_000):
        raise _Wrong(texts.say("Write a whole number"), "applications")
    whole = int(typed) if typed else _numbers(visit, organisation)[0]
    if not whole:
        raise _Wrong(
            texts.say("Nobody applied in the last twelve months: write how many shall"), "applications"
        )
    share = sent.line("share", 6)
    factor = float(share) if share in SHARES else 1.0
    years = max(len(reviewers), 1) * max(len(days), 1)
    if whole * factor * years > MOST_APPLICATIONS:
        problem = texts.say(
            "That would be more than {most} applications in all: play a smaller share, or fewer years",
            most=MOST_APPLICATIONS,
        )
        raise _Wrong(problem, "share")
    return Wishes(
        organisation=organisation,
        reviewers=tuple(dict.fromkeys(map(int, reviewers))),
        last_days=tuple(dict.fromkeys(days)),
        factor=factor,
        applications=int(typed) if typed else None,
        a_week=_EACH,
    )


# One of them --------------------------------------------------------------------------------------


def _one(visit: Visit) -> Kept:
    organisation, _ = _organisation(visit, visit.named("organisation"))
    return keeping.one_of(visit.here, organisation, visit.named("name"))


def show(visit: Visit) -> Response:
    """How far it is, or what it came to."""
    return _show(visit, _one(visit))


def _show(visit: Visit, kept: Kept, refused: str = "", status: int = 200) -> Response:
    texts = visit.texts(ONE_PAGE)
    organisation, name = _organisation(visit, visit.named("organisation"))
    here = ONE.format(organisation=organisation, name=kept.name)
    if kept.under_way:
        visit.headers["Refresh"] = "15"
    return visit.shows(
        ONE_PAGE,
        status,
        kept=kept,
        organisation=organisation,
        name=name,
        here=here,
        tables=_tables(kept.report, texts) if kept.report else [],
        plot=_plot(kept.report, texts) if kept.report else "",
        files=_files(kept, here),
        refused=refused,
    )


def _tables(found: Rehearsal, texts: DeskTexts) -> list[tuple[str, list[str], list[list[str]]]]:
    def said(cell: Cell) -> str:
        match cell:
            case None:
                return "–"
            case Sentence():
                return texts.told(cell)
            case float():
                return texts.decimal(cell)
            case date():
                return texts.day(cell)
        return str(cell)

    return [
        (
            said(one.title),
            [said(head) for head in one.heads],
            [[said(cell) for cell in row] for row in one.rows],
        )
        for one in tables(found)
    ]


def _plot(found: Rehearsal, texts: DeskTexts) -> str:
    return waiting_plot(
        found,
        texts.say("Days to the decision"),
        texts.say("The median of each year, and within how many days nine in ten were decided."),
        mirrored=texts.direction == "rtl",
    )


def _files(kept: Kept, here: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The files of each year: what each is called, and its address."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in kept.files() if kept.report else []:
        year, _, rest = one.partition("/")
        found.setdefault(year, []).append((rest.rpartition("/")[2], f"{here}/files/{quote(one)}"))
    return list(found.items())


def file(visit: Visit) -> Response:
    """A mail, a paper or a list of cases, to be saved."""
    name = visit.named("file")
    content = _one(visit).read(name)
    media = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {"Content-Disposition": as_attachment(name.rpartition("/")[2])}
    return Response(content, media_type=media, headers=headers)


def remove(visit: Visit) -> Response:
    """Removes it."""
    kept = _one(visit)
    organisation, _ = _organisation(visit, visit.named("organisation"))
    try:
        keeping.remove(visit.here, organisation, kept.name)
    except NotFound:
        raise
    except LabelsError as error:
        return _show(visit, kept, why(visit.texts(ONE_PAGE), error), 409)
    return visit.goes_to(PATH, organisation=organisation)


def routes() -> list[Route]:
    """The pages."""
    return [
        page(PATH, shown, begin, allowed=coordinates),
        page(ONE, show, allowed=coordinates),
        page(REMOVED, post=remove, allowed=coordinates),
        page(FILE, file, allowed=coordinates),
    ]
