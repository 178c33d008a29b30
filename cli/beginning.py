"""The commands that begin a year now, as its schedule would: begin-cycle, preselect."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.prefect.client import prefect_client
from adapters.prefect.pages import run_page
from adapters.prefect.runs import ask_for
from adapters.workspace import existing_workspace
from cli.output import emit, say, say_plainly
from cli.words import AsJson, day_given
from labels.clock import in_words
from usecases import beginning
from usecases.inviting import DEPLOYMENT, begin


def begin_cycle(
    year: Annotated[
        int | None, typer.Argument(metavar="[YEAR]", help="By default the latest that is over.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Begin a year of the European Quality Label now.

    As its schedule would; twice is as once.
    """
    here = existing_workspace()
    application = beginning.begin_cycle(here, year)
    if as_json:
        emit({"application": application})
    else:
        say(f"The cycle is under way: {application}", "green")


def preselect(
    on: Annotated[str, typer.Option(help="The day of the check, YYYY-MM-DD; by default today.")] = "",
    as_json: AsJson = False,
) -> None:
    """Check every school and invite the eligible ones.

    Once a year. Again, it goes on where it was interrupted: nobody is invited twice.
    """
    here = existing_workspace()
    one = begin(here, day_given("preselect", "--on", on, "2026-09-01"))
    with prefect_client() as client:
        run = ask_for(client, DEPLOYMENT, {"on": one.on.isoformat()})
    if as_json:
        emit({"round": one.year, "on": one.on, "due_at": one.due_at, "run": run})
        return
    say_plainly(
        f"The round of {one.year} looks at {one.on}; self-assessments are awaited by {in_words(one.due_at)}."
    )
    say(f"Its run checks and invites: {run_page(here.settings, str(run))}", "green")
    say(f"What it found, and why: labels school-check --round {one.year}")
