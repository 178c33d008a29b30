"""`labels doctor`: what is wrong with a configuration, and what to do."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.output import emit, say, table
from cli.words import AsJson, plain
from labels.settings import load_settings
from usecases.diagnosis.examining import examine
from usecases.diagnosis.finding import Level


def doctor(
    dkim: Annotated[
        str,
        typer.Option(metavar="SELECTOR", help="Of your mail server's key, to look it up.", callback=plain),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Check the configuration: addresses, TLS, mail, files, secrets, clock, fonts, databases.

    Each fault with what to do; exit code 2 where there is one. It connects to what the settings name, and changes nothing.
    """
    file = os.environ.get("LABELS_ENV_FILE", ".env")
    found = list(examine(load_settings(), selector=dkim, env_file=Path(file) if file else None))
    if as_json:
        emit([asdict(one) for one in found])
    else:
        table(
            "",
            ["check", "", "", "what to do"],
            [(one.check, one.level.value, one.what, one.remedy) for one in found],
        )
    if faults := [one for one in found if one.level is Level.FAULT]:
        say("One fault." if len(faults) == 1 else f"{len(faults)} faults.", "bold red")
        raise typer.Exit(2)
    say("No fault was found.", "green")
