"""The command line, `labels COMMAND`: every command registers on `app`."""

from __future__ import annotations

from cli import (  # noqa: F401 -- commands register themselves, in the order in which `labels --help` lists them
    answering,
    applying,
    certificates,
    coordinating,
    cycle,
    operating,
    papers,
    pupils,
    schools,
    upkeep,
)
from cli.words import app

__all__ = ["app"]
