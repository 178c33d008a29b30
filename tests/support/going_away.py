"""A database that goes away for a test: at a COMMIT, before it did anything or with its answer, and stays away."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest
import sqlalchemy as sa

from labels.record.engine import Record


class Lost(StrEnum):
    """What of a COMMIT is lost."""

    COMMIT = "the COMMIT itself"
    ANSWER = "the answer to it"


@dataclass
class Away:
    """How often a transaction was to be committed, and whether the database has gone away."""

    commits: int = 0
    gone: bool = False


class _ServerClosedTheConnection(sqlite3.OperationalError):
    """What a driver says then."""


@contextlib.contextmanager
def goes_away(record: Record, number: int, lost: Lost) -> Iterator[Away]:
    """The record's database goes away at its COMMIT of that number, for as long as the block lasts."""
    dialect: Any = record.engine.dialect
    away = Away()
    commit = dialect.do_commit

    def gone(*_: Any, **__: Any) -> None:
        raise _ServerClosedTheConnection("server closed the connection unexpectedly")

    def do_commit(connection: Any) -> None:
        away.commits += 1
        if away.commits != number:
            commit(connection)
            return
        if lost is Lost.ANSWER:
            commit(connection)
        away.gone = True
        for name in ("do_execute", "do_executemany", "do_execute_no_params"):
            patch.setattr(dialect, name, gone)
        gone()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect, "do_commit", do_commit)
        yield away
    with record.engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
