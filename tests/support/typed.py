"""Commands run in this process, as a person types them."""

from __future__ import annotations

from typing import Any
from unittest import mock

import typer.main
import typer.testing

from cli.app import app

_COMMANDS = typer.main.get_command(app)


def typed(*words: str, **options: Any) -> typer.testing.Result:
    """What comes of `labels WORDS…`; options are those of `CliRunner.invoke`.

    Typer's runner makes all commands anew for every one that is run, which takes longer than most do.
    """
    with mock.patch.object(typer.testing, "_get_command", return_value=_COMMANDS):
        return typer.testing.CliRunner().invoke(app, list(words), prog_name="labels", **options)
