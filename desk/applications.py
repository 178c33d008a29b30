"""The list of applications for coordinators, and its export; which part is shown stands in the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qsl

from babel import Locale
from babel.numbers import get_decimal_symbol
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from adapters.documents.store import as_attachment
from adapters.languages.desk import DeskTexts
from desk.coordinators import coordinates
from desk.frame import Visit, page
from desk.lists import AFTER, address_of, one_of, place, place_in
from desk.parts import Mistake, why
from labels.answering.many import What
from labels.clock import brussels_day
from labels.errors import NotAllowed
from labels.kinds import CHOSEN_FROM, LabelKind, called_alike
from labels.people.saved_lists import LONGEST
from labels.record.schema import Outcome, Stage
from labels.views.application_sheet import VALUES, Column, Value, columns_named
from labels.views.applications import (
    Filters,
    Key,
    Order,
    Part,
    Row,
    Urgent,
    applications,
    every_application,
    scope_of,
)
from labels.views.sheet import Cell, Sheet, as_csv, as_xlsx
from labels.words.sentences import Sentence, english, say
from usecases.lists import forget, lists_of, save

PATH = "/cases"
TEMPLATE = "coordinating/applications.html.j2"

PARTS: Mapping[Part, Sentence] = {Part.OPEN: say("open"), Part.ENDED: say("closed")}
URGENT: Mapping[Urgent, Sentence] = {
    Urgent.UNASSIGNED: say("needs a reviewer"),
    Urgent.LATE: say("somebody is late"),
    Urgent.DISAGREEMENT: say("reviews disagree"),
    Urgent.QUESTION: say("a question is open"),
    Urgent.DECISION: say("the decision is overdue"),
}
ORDERS: Mapping[Order, Sentence] = {
    Order.NEWEST: say("newest first"),
    Order.OLDEST: say("oldest first"),
    Order.DUE: say("by the day of the decision"),
}
STAGES: Mapping[Stage, Sentence] = {
    Stage.SUBMITTED: say("received"),
    Stage.REVIEW: say("in review"),
    Stage.INFORMATION: say("waits for an answer"),
    Stage.ASSIGNMENT: say("needs a reviewer"),
    Stage.SELF_ASSESSMENT: say("self-assessment"),
    Stage.SCREENING: say("screening"),
    Stage.AWARDING: say("award"),
    Stage.DECIDED: say("papers are being made"),
    Stage.CLOSED: say("closed"),
}
OUTCOMES: Mapping[Outcome, Sentence] = {
    Outcome.AWARDED: say("awarded"),
    Outcome.REFUSED: say("not awarded"),
    Outcome.INELIGIBLE: say("conditions not met"),
    Outcome.WITHDRAWN: say("withdrawn"),
    Outcome.EXPIRED: say("ran out"),
    Outcome.NOMINATED: say("nominated"),
}
COLUMNS: Mapping[Column, Sentence] = {
    Column.NUMBER: say("Number"),
    Column.TITLE: say("Project or school"),
    Column.APPLICANT: say("Applicant"),
    Column.SCHOOL: say("School"),
    Column.CITY: say("Town"),
    Column.COUNTRY: say("Country"),
    Column.ORGANISATION: say("Organisation"),
    Column.LABEL: say("Label"),
    Column.YEAR: say("School year"),
    Column.ATTEMPT: say("Attempt"),
    Column.LANGUAGE: say("Language"),
    Column.SUBMITTED: say("Received"),
    Column.STAGE: say("State"),
    Column.SINCE: say("Since"),
    Column.WAITS: say("Waits for"),
    Column.DUE: say("Due"),
    Column.DECIDE_BY: say("Decide by"),
    Column.OUTCOME: say("Outcome"),
    Column.DECIDED: say("Decided"),
    Column.POINTS: say("Points"),
    Column.MAXIMUM: say("of"),
    Column.DAYS: say("Days"),
}
ACTS: Mapping[What, Sentence] = {
    What.ASSIGN: say("Find reviewers"),
    What.REASSIGN: say("Give reviews to others"),
    What.REMIND: say("Remind"),
    What.DEADLINE: say("Move deadlines"),
    What.DECISION: say("Move decision dates"),
}
"""What can be done with many at once."""
AT_FIRST = (Column.APPLICANT, Column.LABEL, Column.STAGE, Column.WAITS, Column.DUE, Column.DAYS)
"""The columns beside the first, unless others are chosen."""

_NUMBERS = frozenset((Column.POINTS, Column.MAXIMUM, Column.DAYS, Column.ATTEMPT))
_ALWAYS = frozenset((Column.TITLE, Column.NUMBER))
"""In the first column of the page, with the link to the case."""


def filters_in(query: Mapping[str, str]) -> Filters:
    """The filters in an address; what is none is left out."""
    year = query.get("year", "")
    label = one_of(LabelKind, query.get("label"))
    return Filters(
        part=one_of(Part, query.get("part")),
        urgent=one_of(Urgent, query.get("urgent")),
        labels=called_alike(label) if label else (),
        stage=one_of(Stage, query.get("stage")),
        outcome=one_of(Outcome, query.get("outcome")),
        organisation=query.get("organisation", "")[:40],
        year=int(year) if len(year) == 4 and year.isascii() and year.isdigit() else None,
        about=query.get("about", "")[:60],
        reviewer=query.get("reviewer", "")[:40],
        order=one_of(Order, query.get("order")) or Order.NEWEST,
    )


def query_of(filters: Filters, columns: Sequence[Column] = (), after: Key | None = None) -> str:
    """The filters as the end of an address; empty where there are none."""
    chosen = {
        "part": filters.part.value if filters.part else "",
        "urgent": filters.urgent.value if filters.urgent else "",
        "label": filters.labels[0].value if filters.labels else "",
        "stage": filters.stage.value if filters.stage else "",
        "outcome": filters.outcome.value if filters.outcome else "",
        "organisation": filters.organisation,
        "year": str(filters.year or ""),
        "about": filters.about,
        "reviewer": filters.reviewer,
        "order": filters.order.value if filters.order is not Order.NEWEST else "",
        "columns": ",".join(columns),
        AFTER: place(after.at, after.application) if after else "",
    }
    return address_of(chosen)


def fields_of(filters: Filters) -> list[tuple[str, str]]:
    """The filters as fields of a form, but for the part: what is done to many is done to open ones."""
    query = query_of(replace(filters, part=None)).removeprefix("?")
    return parse_qsl(query)


def key_in(query: Mapping[str, str]) -> Key | None:
    """After which row the page begins; None at the beginning, and where an address says nothing of ours."""
    return Key(*found) if (found := place_in(query)) else None


def columns_in(visit: Visit) -> tuple[Column, ...]:
    """The columns that were chosen, in the address; none where they are those of the beginning."""
    names = visit.request.query_params.getlist("columns")
    return columns_named(",".join(names)[:400]) if any(names) else ()


def listed(visit: Visit) -> Response:
    """A page of the list."""
    return _listed(visit)


def _listed(visit: Visit, mistake: str = "", status: int = 200) -> Response:
    query, now = visit.request.query_params, visit.here.now()
    filters, after, chosen = filters_in(query), key_in(query), columns_in(visit)
    with visit.here.record.reading() as session:
        found = applications(session, scope_of(visit.account), now, filters, after=after)
    template = TEMPLATE
    texts = visit.texts(template)
    columns = [one for one in chosen or AT_FIRST if one not in _ALWAYS]
    return visit.shows(
        template,
        status,
        found=found,
        filters=filters,
        columns=[(one, COLUMNS[one], one in _NUMBERS) for one in columns],
        cell=_shown(texts),
        choices=_choices(texts, filters),
        every_column=[(one, words, one in columns) for one, words in COLUMNS.items() if one not in _ALWAYS],
        chosen=_taken_away(texts, filters, chosen),
        clear=PATH + query_of(Filters(), chosen),
        query=query_of(filters, chosen),
        further=PATH + query_of(filters, chosen, found.next) if found.next else "",
        first_page=after is None,
        outcome_of=OUTCOMES,
        stage_of=STAGES,
        acts=list(ACTS.items()) if filters.part is not Part.ENDED else [],
        own=visit.account.coordinates,
        hidden=fields_of(filters),
        kept=[(one.name, f"{PATH}?{one.query}") for one in lists_of(visit.here, visit.account.person)],
        mistakes=[Mistake(mistake, "name")] if mistake else [],
        name=visit.sent.line("name", LONGEST) if visit.form else "",
    )


def keep(visit: Visit) -> Response:
    """Keeps the list under a name, or keeps one no longer."""
    person = visit.account.person
    if visit.sent.has("forget"):
        forget(visit.here, person, visit.sent.line("forget", LONGEST))
        return visit.goes_to(PATH)
    query = query_of(filters_in(visit.request.query_params), columns_in(visit))
    try:
        save(visit.here, person, visit.sent.line("name", LONGEST), query.removeprefix("?"))
    except NotAllowed as error:
        return _listed(visit, why(visit.texts(TEMPLATE), error), 422)
    return RedirectResponse(PATH + query, 303)


def _shown(texts: DeskTexts) -> Callable[[Row, Column], object]:
    """A cell of the page."""

    def cell(row: Row, column: Column) -> object:
        value = VALUES[column](row)
        if isinstance(value, datetime):
            return texts.day_of(value)
        if column is Column.COUNTRY:
            return texts.country(row.country)
        return "–" if value in (None, "") else worded(value, texts)

    return cell


def worded(value: Value, texts: DeskTexts) -> Cell:
    """A value as words, where it has some; sentences are still to be said in the reader's language."""
    if isinstance(value, LabelKind):
        return texts.label(value)
    if isinstance(value, Stage):
        return STAGES[value]
    if isinstance(value, Outcome):
        return OUTCOMES[value]
    return round(value, 2) if isinstance(value, float) else value


def _choices(texts: DeskTexts, filters: Filters) -> list[tuple[str, Sentence, str, list[tuple[str, object]]]]:
    """The filters: name, label, what is chosen, and what there is to choose from."""
    all_of = ("", say("all"))
    return [
        ("part", say("Which"), filters.part or "", [all_of, *((one.value, words) for one, words in PARTS.items())]),
        ("urgent", say("Urgent"), filters.urgent or "", [("", say("any")), *((one.value, words) for one, words in URGENT.items())]),
        ("label", say("Label"), filters.labels[0] if filters.labels else "", [all_of, *((one.value, texts.label(one)) for one in CHOSEN_FROM)]),
        ("outcome", say("Outcome"), filters.outcome or "", [("", say("any")), *((one.value, words) for one, words in OUTCOMES.items())]),
        ("order", say("Sorted"), filters.order.value, [(one.value, words) for one, words in ORDERS.items()]),
    ]  # fmt: skip


def _taken_away(texts: DeskTexts, filters: Filters, columns: Sequence[Column]) -> list[tuple[object, str]]:
    """Each filter that is set, with the address at which it is not."""
    found: list[tuple[object, Filters]] = []
    if filters.part:
        found.append((PARTS[filters.part], replace(filters, part=None)))
    if filters.urgent:
        found.append((URGENT[filters.urgent], replace(filters, urgent=None)))
    if filters.labels:
        found.append((texts.label(filters.labels[0]), replace(filters, labels=())))
    if filters.stage:
        found.append((STAGES[filters.stage], replace(filters, stage=None)))
    if filters.outcome:
        found.append((OUTCOMES[filters.outcome], replace(filters, outcome=None)))
    if filters.year:
        found.append((f"{filters.year}/{filters.year + 1}", replace(filters, year=None)))
    if filters.organisation:
        found.append((filters.organisation, replace(filters, organisation="")))
    if filters.about:
        found.append((filters.about, replace(filters, about="")))
    if filters.reviewer:
        found.append((say("one reviewer"), replace(filters, reviewer="")))
    return [(words, PATH + query_of(without, columns)) for words, without in found]


# To take away -------------------------------------------------------------------------------------


def exported(visit: Visit) -> Response:
    """The whole list as a file, with the filters and columns of the address."""
    kind, now = visit.path.rpartition(".")[2], visit.here.now()
    texts = visit.texts(TEMPLATE)
    columns = columns_in(visit) or tuple(Column)

    def plain(value: Cell) -> Cell:
        if isinstance(value, Sentence):
            return texts.said(value) if texts.can_say([value]) else english(value)
        return value

    with visit.here.record.reading() as session:
        rows = every_application(
            session, scope_of(visit.account), now, filters_in(visit.request.query_params)
        )
        of = ", ".join(visit.account.coordinates)
        sheet = Sheet(
            opening=f"{texts.say('eTwinning labels')} · {of} · {texts.moment(now)}",
            headings=[str(plain(COLUMNS[one])) for one in columns],
            rows=([plain(worded(VALUES[one](row), texts)) for one in columns] for row in rows),
        )
        decimal = get_decimal_symbol(Locale.parse(texts.language))
        content = as_csv(sheet, decimal) if kind == "csv" else as_xlsx(sheet)
    name = f"applications-{brussels_day(now)}.{kind}"
    return Response(content, media_type=_MEDIA[kind], headers={"Content-Disposition": as_attachment(name)})


_MEDIA = {
    "csv": "text/csv; charset=utf-16le",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def routes() -> list[Route]:
    """The list and its files."""
    return [
        page(PATH, listed, keep, allowed=coordinates),
        page(f"{PATH}.csv", exported, allowed=coordinates),
        page(f"{PATH}.xlsx", exported, allowed=coordinates),
    ]
