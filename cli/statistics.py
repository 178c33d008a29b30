"""The command that shows an organisation's statistics, statistics: the same numbers and filters as the desk's page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapters.files import place
from adapters.workspace import Workspace, existing_workspace
from cli.output import emit, say, say_plainly, table
from cli.words import AsJson, SeenAs, plain
from labels.clock import in_words
from labels.errors import Fault, InvalidInput
from labels.kinds import LabelKind
from labels.people.persons import named
from labels.rules.calendars import in_writing
from labels.views.applications import EVERYTHING, scope_at
from labels.views.counts import Count
from labels.views.sheet import Cell, Sheet, as_csv, as_xlsx
from labels.views.statistic_sheet import HEADINGS, as_json, label_name, rows
from labels.views.statistic_words import (
    AWARDED,
    DECIDED,
    DECISION_MEDIAN,
    FIRST_REVIEW_MEDIAN,
    HIDDEN,
    NONE,
    NUMBERS,
    RECEIVED,
    SHARE_AWARDED,
    SMALL,
    WITHDRAWN,
    Number,
    Unit,
)
from labels.views.statistics import Filters, Line, Reviewing, Statistics, statistics
from labels.words.sentences import english

_ACROSS = (RECEIVED, DECIDED, AWARDED, SHARE_AWARDED, WITHDRAWN, FIRST_REVIEW_MEDIAN, DECISION_MEDIAN)
"""What a terminal has room for beside each other."""


def statistics_(
    organisation: Annotated[
        str, typer.Argument(metavar="ORGANISATION", help="Its id; the CSS's for all.", callback=plain)
    ],
    year: Annotated[
        int | None,
        typer.Option(
            help="The year in which the school year began; the present one unless another is named."
        ),
    ] = None,
    label: Annotated[LabelKind | None, typer.Option(help="Of one label: national or school.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Write them to a .csv or .xlsx file that Excel opens anywhere, or the yearly report as .pdf.",
        ),
    ] = None,
    language: Annotated[
        str, typer.Option(help="Of the report; the organisation's unless another is named.", callback=plain)
    ] = "",
    email: SeenAs = "",
    as_json: AsJson = False,
) -> None:
    """An organisation's statistics of ten years; its yearly report.

    The numbers of the desk's page Statistics, with its filters; of all organisations for the CSS.
    """
    if file is not None:
        _kind_of(file)
    here = existing_workspace()
    with here.record.reading() as session:
        scope, person = EVERYTHING, ""
        if email:
            scope = scope_at(session, email)
            somebody = named(session, email)
            person = somebody.id if somebody else ""
        found = statistics(session, scope, organisation, here.now(), Filters(year, label), person=person)
    if as_json:
        emit(_json(found))
    elif file:
        place(file, _written(here, found, file, language))
        say(f"The statistics of {found.organisation.id} are in {file}.")
    else:
        _show(found)


_json = as_json


def _written(here: Workspace, found: Statistics, file: Path, language: str) -> bytes:
    kind = _kind_of(file)
    if kind == ".pdf":
        from adapters.papers.reports import render_report

        return render_report(found, language or found.organisation.language, here.settings.branding)
    sheet = Sheet(
        f"eTwinning labels · {_title(found)} · {in_words(found.at)}"
        + (f" · {english(SMALL)}" if found.hides else ""),
        HEADINGS,
        ([_cell(one) for one in row] for row in rows(found)),
    )
    return as_csv(sheet) if kind == ".csv" else as_xlsx(sheet)


def _cell(value: Cell | LabelKind) -> Cell:
    return label_name(value) if isinstance(value, LabelKind) else value


def _kind_of(file: Path) -> str:
    kind = file.suffix.lower()
    if kind not in (".csv", ".xlsx", ".pdf"):
        raise InvalidInput(
            "statistics", [Fault(str(file), "is none of .csv, .xlsx and .pdf.", "Name it so.")]
        )
    return kind


def _title(found: Statistics) -> str:
    return f"{found.organisation.name} · {in_writing(found.year)} · {label_name(found.label)}"


# For people ---------------------------------------------------------------------------------------


def _show(found: Statistics) -> None:
    say_plainly(f"{_title(found)} · {in_words(found.at)}")
    this, last = found.reviewing[found.year], found.reviewing[found.year - 1]
    table(
        "",
        ["", in_writing(found.year), in_writing(found.year - 1)],
        [
            [number.name, _value(number, found.line, this), _value(number, found.before, last)]
            for number in NUMBERS
            if _told(number, found)
        ],
    )
    years = [(in_writing(year), line) for year, line in found.years.items()]
    _lines("\nTen years", "School year", years)
    if found.labels:
        _lines("\nBy label", "Label", [(label_name(one), lines[0]) for one, lines in found.labels.items()])
    if found.organisations:
        _lines("\nBy organisation", "Organisation", [(one.id, line) for one, line in found.organisations])
    if found.hides:
        say(SMALL)
    if found.left_out:
        are = "1 application is" if found.left_out == 1 else f"{found.left_out} applications are"
        say(f"{are} left out: you have a conflict of interest there.")


def _told(number: Number, found: Statistics) -> bool:
    """Whether it is worth a row: what ran out is told of where there is any."""
    return number.count is not Count.EXPIRED or any(
        line.counts[Count.EXPIRED] != 0 for line in (found.line, found.before)
    )


def _lines(title: str, first: str, lines: list[tuple[str, Line]]) -> None:
    table(
        title,
        [first, *(one.name for one in _ACROSS)],
        [[name, *(_value(one, line, _NOBODY) for one in _ACROSS)] for name, line in lines],
    )


_NOBODY = Reviewing()


def _value(number: Number, line: Line, reviewing: Reviewing) -> str:
    value = number.of(line, reviewing)
    if value is None:
        return HIDDEN if number.count else NONE
    if number.unit is Unit.COUNT:
        return f"{value:.0f}"
    return f"{value:.1f} %" if number.unit is Unit.PERCENT else f"{value:.1f}"
