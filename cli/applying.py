"""The commands of applicants: import, submit, withdraw, appeal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.mail.post import send_due
from adapters.prefect.client import prefect_client
from adapters.prefect.runs import start
from adapters.workspace import existing_workspace, workspace
from cli.acting import act
from cli.mending import advice
from cli.output import emit, err, fail, out, say, table
from cli.words import As, AsJson, Code, OneApplication, read_json
from labels.clock import BRUSSELS
from labels.errors import Fault, InvalidInput, OutOfReach
from labels.record.schema import Stage
from labels.views.case import case_of
from labels.words.text import clean
from usecases import applying
from usecases.applying import submit_file
from usecases.recovering import recover

GROUNDS = 20_000
"""Characters in the grounds of an appeal: eight printed pages, and a bound on abuse."""


# Applying ---------------------------------------------------------------------------------------


def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the registry's CSV files.")],
    as_json: AsJson = False,
) -> None:
    """Load or update the registry from CSV files.

    All of it, or nothing.
    """
    from labels.registry.importing import import_registry

    here = workspace()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=as_json) as bar:
        jobs: dict[str, Any] = {}

        def progress(file: str, rows: int) -> None:
            if file not in jobs:
                jobs[file] = bar.add_task(file, total=None)
            bar.update(jobs[file], completed=rows)

        report = import_registry(here.record, folder, here.now().astimezone(BRUSSELS).date(), progress)
    if as_json:
        emit({"files": report.files})
    else:
        table("Imported", ["file", "rows"], report.files.items())


def submit(
    file: Annotated[Path, typer.Argument(help="The application, as JSON.")],
    evidence: Annotated[list[Path] | None, typer.Option(help="A file of evidence; may be repeated.")] = None,
    again: Annotated[
        bool, typer.Option(help="The same file anew, where it did not meet the conditions before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Register an application and its documents; start its run.

    The same again is the same one, unless that was withdrawn.
    """
    here = existing_workspace()
    done = submit_file(here, read_json(file), file.name, evidence or [], again=again)
    send_due(here, done.application)
    outage = None
    with here.record.reading() as session:
        view = case_of(session, done.application)
    if view.stage != Stage.CLOSED:
        try:
            with prefect_client() as client:
                if done.created:
                    start(here, client, done.application)
                else:
                    recover(here, client, application_id=done.application)
        except OutOfReach as error:
            outage = error
        with here.record.reading() as session:
            view = case_of(session, done.application)
    remark = done.remark + advice(done.mend)
    if as_json:
        emit(
            {
                "application": done.application, "run": view.run, "created": done.created,
                "stage": view.stage, "outcome": view.outcome, "remark": remark,
            }
        )  # fmt: skip
    else:
        out.print(done.application)
        say(remark)
        say(f"See where it stands: labels show {done.application}")
    if outage:
        fail(outage)


def withdraw(application: OneApplication, email: As, code: Code, as_json: AsJson = False) -> None:
    """Take an application back, at any time before the decision."""
    act(applying.withdraw(application), email, code, as_json)


def appeal(
    application: OneApplication,
    email: As,
    code: Code,
    grounds: Annotated[Path, typer.Option(help="A text file that says what was wrong.")],
    as_json: AsJson = False,
) -> None:
    """Appeal against a refusal, where the rules have it.

    Other people judge the application anew.
    """
    try:
        with grounds.open(encoding="utf-8-sig") as file:
            text = clean(file.read(4 * GROUNDS)).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            str(grounds), [Fault("(whole file)", f"can't be read as text: {error}.")]
        ) from None
    if not text:
        raise InvalidInput(str(grounds), [Fault("(whole file)", "is empty; say what was wrong.")])
    if len(text) > GROUNDS:
        too_long = Fault("(whole file)", f"has more than {GROUNDS} characters.", "Say it in fewer.")
        raise InvalidInput(str(grounds), [too_long])
    act(applying.appeal(application, text), email, code, as_json)
