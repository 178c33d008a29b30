"""How the processes of `labels up` are: written by the one that supervises them, read by commands and metrics."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

FILE = "parts.json"


@dataclass(frozen=True, slots=True)
class Part:
    """One process, as its supervisor sees it."""

    pid: int
    since: datetime
    """When it was started for the last time."""
    running: bool
    restarts: int = 0
    """How often it was started again because it had ended by itself, since `labels up`."""
    in_a_row: int = 0
    """Of these, how often lately: it counts anew once the process has stayed for a minute."""
    ended: str = ""
    """How it ended the last time; empty where it never did."""


def write_parts(home: Path, parts: Mapping[str, Part]) -> None:
    """Notes how the processes are, whole or not at all.

    Raises:
        OSError: the home can't be written to.
    """
    text = json.dumps({name: asdict(one) | {"since": one.since.isoformat()} for name, one in parts.items()})
    draft = home / f".{FILE}-{os.getpid()}"
    draft.write_text(text, encoding="utf-8")
    draft.replace(home / FILE)


def read_parts(home: Path) -> dict[str, Part]:
    """How the processes were when that changed last; empty where nothing is noted."""
    try:
        noted = json.loads((home / FILE).read_text(encoding="utf-8"))
        return {
            name: Part(**one | {"since": datetime.fromisoformat(one["since"])}) for name, one in noted.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def forget_parts(home: Path) -> None:
    """Forgets how the processes were: all of them have ended."""
    (home / FILE).unlink(missing_ok=True)
