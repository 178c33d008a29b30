"""Commands run in this process, as a person types them."""

from __future__ import annotations

from typing import Any

import typer.testing

from cli.app import app


def typed(*words: str, **options: Any) -> typer.testing.Result:
    """What comes of `labels WORDS…`; options are those of `CliRunner.invoke`."""
    return typer.testing.CliRunner().invoke(app, list(words), prog_name="labels", **options)
