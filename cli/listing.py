"""The command that lists applications, list: the same rows, filters and columns as the desk's page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapters.files import place
from adapters.workspace import existing_workspace
from cli.output import emit, say, table
from cli.words import AsJson, SeenAs, plain
from labels.clock import in_words
from labels.errors import Fault, InvalidInput
from labels.kinds import LabelKind
from labels.people.staff import known_organisation
from labels.record.schema import Outcome, Stage
from labels.views.application_sheet import VALUES, columns_named
from labels.views.applications import (
    EVERYTHING,
    Filters,
    Order,
    Part,
    Urgent,
    every_application,
    scope_at,
)
from labels.views.sheet import Cell, Sheet, as_csv, as_xlsx

AT_FIRST = "number,title,applicant,label,stage,waits for,due,days"
"""The columns that a terminal has room for."""


def list_(
    part: Annotated[Part | None, typer.Option(help="Those that are open, or have ended.")] = None,
    urgent: Annotated[Urgent | None, typer.Option(help="What a coordinator looks after first.")] = None,
    label: Annotated[LabelKind | None, typer.Option(help="Of one label.")] = None,
    stage: Annotated[Stage | None, typer.Option(help="At one stage.")] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="With one outcome.")] = None,
    organisation: Annotated[
        str, typer.Option(metavar="ID", help="Of one organisation.", callback=plain)
    ] = "",
    year: Annotated[int | None, typer.Option(help="The year in which its school year began.")] = None,
    about: Annotated[
        str, typer.Option(metavar="ID", help="Of one teacher, school or project.", callback=plain)
    ] = "",
    order: Annotated[Order, typer.Option(help="What comes first.")] = Order.NEWEST,
    columns: Annotated[
        str,
        typer.Option(help="Names of columns, with commas between; a file has all of them.", callback=plain),
    ] = "",
    file: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Write them to a .csv or .xlsx file that Excel opens anywhere."),
    ] = None,
    email: SeenAs = "",
    as_json: AsJson = False,
) -> None:
    """List applications: names, titles, states, days.

    With the filters and columns of the desk's page Applications.
    """
    filters = Filters(
        part, urgent, (label,) if label else (), stage, outcome, organisation, year, about, order=order
    )
    here = existing_workspace()
    now = here.now()
    with here.record.reading() as session:
        if organisation:
            known_organisation(session, organisation)
        scope, whose = EVERYTHING, organisation or "all organisations"
        if email:
            scope = scope_at(session, email)
            whose = ", ".join(sorted(scope.named or ()))
        rows = every_application(session, scope, now, filters)
        chosen = columns_named(columns or ("" if file or as_json else AT_FIRST))
        cells = [[_cell(VALUES[one](row)) for one in chosen] for row in rows]
    if as_json:
        emit([dict(zip(chosen, row, strict=True)) for row in cells])
    elif file:
        sheet = Sheet(f"eTwinning labels · {whose} · {in_words(now)}", chosen, cells)
        place(file, _WRITTEN[_kind_of(file)](sheet))
        say(f"{len(cells)} applications are in {file}.")
    else:
        table("", list(chosen), cells)


def _cell(value: object) -> Cell:
    return value.value if isinstance(value, LabelKind | Stage | Outcome) else value  # type: ignore[return-value]  # the others are cells


def _kind_of(file: Path) -> str:
    kind = file.suffix.lower()
    if kind not in _WRITTEN:
        raise InvalidInput(
            "list", [Fault(str(file), f"is neither of {' and '.join(_WRITTEN)}.", "Name it so.")]
        )
    return kind


_WRITTEN = {".csv": as_csv, ".xlsx": as_xlsx}
