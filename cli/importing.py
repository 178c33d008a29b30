"""`labels import`: the registry, read from files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.workspace import workspace
from cli.output import emit, err, say, table
from cli.words import AsJson
from usecases.importing import import_files


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

        report = import_files(here, folder, progress)
    if as_json:
        emit(
            {
                "files": report.files,
                "corrections": [asdict(one) for one in report.corrections],
                "no_longer_named": [asdict(one) for one in report.no_longer_named],
                "moved": report.moved,
                "remarks": [
                    {"where": one.where, "problem": one.problem, "remedy": one.remedy}
                    for one in report.remarks
                ],
            }
        )
        return
    table("Imported", ["file", "rows"], report.files.items())
    if report.corrections:
        rows = [(one.name, one.former, one.address, one.because) for one in report.corrections]
        table("Corrected addresses", ["name", "former", "present", "by"], rows)
    if report.no_longer_named:
        gone = [(one.name, one.email, one.role, one.organisation) for one in report.no_longer_named]
        table("In the record and no longer in the file", ["name", "address", "role", "organisation"], gone)
    if report.moved:
        who = "1 teacher is" if report.moved == 1 else f"{report.moved:,} teachers are"
        say(f"{who} in another school than before; what they did before stays with the former one.")
    for remark in report.remarks:
        say(str(remark), "yellow")
