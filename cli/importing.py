"""`labels import`: the registry, read from files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.workspace import workspace
from cli.output import emit, err, say, table
from cli.persons import tell_doubtful
from cli.printed_people import ShownImport
from cli.staffing import tell_departures
from cli.words import AsJson
from labels.registry.staff_file import Named
from usecases.importing import Imported, import_files


def import_(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of the registry's files: CSV, XLSX or ODS.")
    ],
    as_json: AsJson = False,
) -> None:
    """Load or update the registry from files.

    All of it, or nothing.
    """
    here = workspace()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=as_json) as bar:
        jobs: dict[str, Any] = {}

        def progress(file: str, rows: int) -> None:
            if file not in jobs:
                jobs[file] = bar.add_task(file, total=None)
            bar.update(jobs[file], completed=rows)

        imported = import_files(here, folder, progress)
    if as_json:
        emit(ShownImport.of(imported))
    else:
        _tell(imported)


def _tell(imported: Imported) -> None:
    report = imported.report
    table("Imported", ["file", "rows"], report.files.items())
    if report.corrections:
        rows = [(one.name, one.former, one.address, one.because) for one in report.corrections]
        table("\nCorrected addresses", ["name", "former", "present", "by"], rows)
    if imported.departures:
        tell_departures(imported.departures)
    _tell_staff("Back on the staff", report.returned)
    _tell_staff("In the record and no longer in the file", report.no_longer_named)
    if report.no_longer_named:
        say(
            "They stay on the staff until staff.csv says in left_on when they left, or: labels staff leave ADDRESS"
        )
    _tell_staff("Left, and still in the file", report.still_named)
    if report.still_named:
        say("They were not brought in. If they are back: labels staff rejoin ADDRESS")
    if report.moved:
        who = "1 teacher is" if report.moved == 1 else f"{report.moved:,} teachers are"
        say(f"{who} in another school than before; what they did before stays with the former one.")
    if imported.doubtful.groups:
        tell_doubtful(imported.doubtful)
        say("Nobody was made one of it. Who is one person, and who is not: labels persons")
    for remark in report.remarks:
        say(str(remark), "yellow")


def _tell_staff(title: str, people: Sequence[Named]) -> None:
    if people:
        rows = [(one.name, one.email, one.role, one.organisation) for one in people]
        table(f"\n{title}", ["name", "address", "role", "organisation"], rows)
