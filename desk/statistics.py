"""The statistics of a coordinator's organisations, of all for the Central Support Service: a page, a report, and files."""

from __future__ import annotations

from collections.abc import Mapping

from babel import Locale
from babel.numbers import get_decimal_symbol
from starlette.responses import Response
from starlette.routing import Route

from adapters.documents.store import as_attachment
from adapters.languages.desk import DeskTexts
from adapters.papers.figures import Figures
from adapters.papers.reports import render_report
from desk.coordinators import coordinates
from desk.frame import Visit, page
from desk.lists import address_of, one_of
from labels.clock import brussels_day
from labels.kinds import LabelKind
from labels.record.schema import Organisation
from labels.rules.calendars import in_writing, school_year
from labels.views import statistic_words as words
from labels.views.applications import scope_of
from labels.views.counts import COUNTED
from labels.views.sheet import Cell, Sheet, as_csv, as_xlsx
from labels.views.statistic_sheet import HEADINGS, rows
from labels.views.statistics import YEARS, Filters, Statistics, choices, of_whom, statistics
from labels.words.sentences import Sentence, english

PATH = "/statistics"
_PAGE = "coordinating/statistics.html.j2"


def filters_in(query: Mapping[str, str]) -> Filters:
    """The filters in an address; what is none is left out."""
    year = query.get("year", "")
    return Filters(
        year=int(year) if len(year) == 4 and year.isascii() and year.isdigit() else None,
        label=one_of(LabelKind, query.get("label")),
    )


def _found(visit: Visit) -> tuple[Statistics, list[Organisation]]:
    """The statistics, and the organisations of which there are some to choose from."""
    query, account = visit.request.query_params, visit.account
    scope = scope_of(account)
    with visit.here.record.reading() as session:
        whose = of_whom(session, scope, query.get("organisation", "")[:40])
        found = statistics(session, scope, whose, visit.here.now(), filters_in(query), person=account.person)
        return found, choices(session, scope)


def shown(visit: Visit) -> Response:
    """The page."""
    found, there = _found(visit)
    texts = visit.texts(_PAGE)
    return visit.shows(
        _PAGE,
        found=found,
        figures=Figures(found, texts, mirrored=texts.direction == "rtl"),
        words=words,
        filters=_choices(found, there, texts),
        query=_query(found),
        day=brussels_day(found.at),
    )


def _query(found: Statistics) -> str:
    """What is shown, as the end of an address."""
    return address_of(
        {"organisation": found.organisation.id, "year": str(found.year), "label": found.label or ""}
    )


def _choices(found: Statistics, there: list[Organisation], texts: DeskTexts) -> list[dict[str, object]]:
    """The filters: name, label, what is chosen, and what there is to choose from."""
    this = school_year(brussels_day(found.at))
    years = range(this, min(this - YEARS, found.year - 1), -1)
    filters: list[dict[str, object]] = [
        {
            "name": "year",
            "label": words.SCHOOL_YEAR,
            "value": str(found.year),
            "options": [(str(year), in_writing(year)) for year in years],
        },
        {
            "name": "label",
            "label": words.LABEL,
            "value": found.label or "",
            "options": [("", words.ALL_LABELS), *((one.value, texts.label(one)) for one in COUNTED)],
        },
    ]
    if len(there) > 1:
        filters.append(
            {
                "name": "organisation",
                "label": words.ORGANISATION,
                "value": found.organisation.id,
                "options": [
                    (one.id, words.ALL_ORGANISATIONS if one.kind == "CSS" else one.id) for one in there
                ],
            }
        )
    return filters


# To take away -------------------------------------------------------------------------------------


def exported(visit: Visit) -> Response:
    """The same numbers as a file, with the filters of the address."""
    (found, _), kind, texts = _found(visit), visit.path.rpartition(".")[2], visit.texts(_PAGE)
    if kind == "pdf":
        content = render_report(found, texts.language, visit.here.settings.branding)
    else:
        sheet = _sheet(found, texts)
        decimal = get_decimal_symbol(Locale.parse(texts.language))
        content = as_csv(sheet, decimal) if kind == "csv" else as_xlsx(sheet)
    name = f"statistics-{found.organisation.id}-{found.year}.{kind}"
    return Response(content, media_type=_MEDIA[kind], headers={"Content-Disposition": as_attachment(name)})


def _sheet(found: Statistics, texts: DeskTexts) -> Sheet:
    def plain(value: Cell | LabelKind) -> Cell:
        if isinstance(value, LabelKind):
            return str(texts.label(value))
        if isinstance(value, Sentence):
            return _text(texts, value)
        return value

    opening = [
        _text(texts, words.PROGRAMME),
        found.organisation.name,
        in_writing(found.year),
        str(texts.moment(found.at)),
        *([_text(texts, words.SMALL)] if found.hides else []),
        *([_text(texts, words.left_out(found.left_out))] if found.left_out else []),
    ]
    return Sheet(" · ".join(opening), HEADINGS, ([plain(one) for one in row] for row in rows(found)))


def _text(texts: DeskTexts, sentence: Sentence) -> str:
    return str(texts.said(sentence)) if texts.can_say([sentence]) else english(sentence)


_MEDIA = {
    "csv": "text/csv; charset=utf-16le",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


def routes() -> list[Route]:
    """The page, the report and the files."""
    return [
        page(PATH, shown, allowed=coordinates),
        *(page(f"{PATH}.{kind}", exported, allowed=coordinates) for kind in _MEDIA),
    ]
