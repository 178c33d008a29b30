"""Keeps what people filled into forms from everybody else who reaches Prefect's server, and out of its files.

What comes back with a form holds a review and its one-time code, and Prefect gives it to whoever asks. It is deleted
once the record has it. Until then, which is about a second, the server that `labels up` starts gives it to our own
processes alone. What is deleted SQLite leaves in its file until something else is written there, so it is told to
overwrite it, in the log that it writes ahead as well.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OURS = "x-labels-answers"
"""The header by which the server knows our own processes."""
RESPONSE = "-response"
"""How the key ends under which Prefect keeps what came back with a form."""
PAUSE = 1.0
"""Seconds between two times that the log is emptied, and before another try where somebody reads in it."""

_INPUTS = re.compile(r".*/flow_runs/[^/]+/input/(?P<key>[^/]+)/?")


def ours(key: bytes) -> str:
    """What our own processes send in the header `OURS`; `key` is our secret."""
    return hmac.digest(key, b"the answers in Prefect", "sha256").hex()


class KeepsAnswers:
    """Gives what was filled in, and lets it be deleted, to whoever has our secret alone."""

    def __init__(
        self, app: ASGIApp, keys: Callable[[], Iterable[bytes]], deleted: Callable[[], None]
    ) -> None:
        """`keys` are our secrets as they are now, and `deleted` is called when an answer was deleted."""
        self.app, self.keys, self.deleted = app, keys, deleted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _INPUTS.fullmatch(scope["path"]) if scope["type"] == "http" else None
        # Its list of all that a run was sent is not used by Prefect's pages, nor by ours.
        if found is None or not (found["key"].endswith(RESPONSE) or found["key"] == "filter"):
            await self.app(scope, receive, send)
            return
        sent = dict(scope["headers"]).get(OURS.encode(), b"")
        if not any(hmac.compare_digest(sent, ours(key).encode()) for key in self.keys()):
            why = "What people fill into forms is read by the labels' own processes alone."
            await JSONResponse({"detail": why}, status_code=403)(scope, receive, send)
            return
        await self.app(scope, receive, send)
        if scope["method"] == "DELETE":
            self.deleted()


def overwrite_what_is_deleted(connection: Any, _: Any) -> None:
    """Has SQLite write zeros over what is deleted."""
    if isinstance(connection, AsyncAdapt_aiosqlite_connection):
        cursor = connection.cursor()
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.close()


class LogEmptier:
    """Empties SQLite's write-ahead log after an answer was deleted, from a thread of its own.

    Until then the log holds the page on which the answer once stood.
    """

    def __init__(self, url: str) -> None:
        """`url` is that of Prefect's database; there is nothing to do where it is not SQLite."""
        parsed = sa.make_url(url)
        self._file = parsed.database if parsed.get_backend_name() == "sqlite" else None
        self._due = threading.Event()

    def start(self) -> None:
        """From now on it looks after the log; whatever a former server left in it goes too."""
        if self._file and self._file != ":memory:":
            self._due.set()
            threading.Thread(target=self._run, args=(self._file,), name="log emptier", daemon=True).start()

    def soon(self) -> None:
        """Has the log emptied soon, once for all that are deleted in the meantime."""
        self._due.set()

    def _run(self, file: str) -> None:
        pause = threading.Event()
        while self._due.wait():
            pause.wait(PAUSE)
            self._due.clear()
            if not _emptied(file):
                self._due.set()


def _emptied(file: str) -> bool:
    """Whether the log is empty now; somebody may be reading in it, or the file is not there yet."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"file:{file}?mode=rw", uri=True, timeout=PAUSE)
        ) as connection:
            [busy, *_] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        logging.getLogger(__name__).debug("The log can't be emptied yet: %s", error)
        return False
    return not busy
