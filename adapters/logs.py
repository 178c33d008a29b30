"""Logs that one can use: lines for people or one JSON object a line, without what errors were about, and in bounds.

An error's own text may repeat what somebody typed, a row of the registry or a link. So a log has the kind of an error and the
places in the code that it came by, which hold no values.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, TextIO, TypeAlias

LARGEST = 20 * 1024 * 1024
"""Bytes of a log that is written to; then a new one is begun."""
KEPT = 5
"""Former logs of a process that stay."""

_Error: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Lines(logging.Formatter):
    """For people: when, how grave, who says it, what."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatException(self, ei: _Error) -> str:  # logging's own name
        """Of an error its kind and where it was raised, and the same of those that it came from."""
        return "\n".join(_told(ei[1])) if ei[1] else ""


class JsonLines(Lines):
    """For programs: one object a line."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def format(self, record: logging.LogRecord) -> str:
        """At (UTC), level, logger, part, message, and of an error its places."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "part": self._part,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1]:
            line |= {"error": type(record.exc_info[1]).__name__, "places": _told(record.exc_info[1])}
        return json.dumps(line, ensure_ascii=False)


def _told(error: BaseException) -> list[str]:
    return [line for one in _chain(error) for line in (*_places(one), type(one).__name__)]


def _chain(error: BaseException) -> list[BaseException]:
    """An error and those that it came from, the first of them first."""
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found:
        found.insert(0, one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return found


def _places(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} {frame.name}"


def write_logs(form: Literal["text", "json"], part: str, to: TextIO | None = None) -> None:
    """Has everything that this process logs written so; also what its libraries log."""
    handler = logging.StreamHandler(to or sys.stdout)
    handler.setFormatter(JsonLines(part) if form == "json" else Lines())
    logging.basicConfig(handlers=[handler], force=True)


def keep_in_bounds(log: Path, largest: int = LARGEST, kept: int = KEPT) -> bool:
    """Begins a log anew that has grown too large, and keeps the former ones as `NAME.1`, `NAME.2` …; whether it did.

    The process goes on writing into the same file, which is emptied: it must append. What it writes between the copy and that is lost.
    """
    with contextlib.suppress(OSError):
        if log.stat().st_size <= largest:
            return False
        for number in range(kept - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                log.with_name(f"{log.name}.{number}").replace(log.with_name(f"{log.name}.{number + 1}"))
        shutil.copy2(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)
        return True
    return False
