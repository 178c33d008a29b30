"""Puts very many rows into a table in one go, as fast as the database behind the record takes them."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import sqlalchemy as sa

from labels.errors import NOTHING_CHANGED, OutOfReach

_AT_ONCE = 400
"""Rows that are turned into columns together."""

TOGETHER = 40
"""Rows of one statement of SQLite: each statement opens and closes the table, which costs as much as half a row."""


def insert_rows(
    connection: sa.Connection, table: str, kept: Mapping[str, str], rows: Iterable[Sequence[object]]
) -> None:
    """Puts rows into a table of SQLite; like `insert_columns`."""
    every = iter(rows)
    parts = iter(lambda: [*itertools.islice(every, _AT_ONCE)], [])
    insert_columns(connection, table, kept, ([*zip(*part, strict=True)] for part in parts))


def insert_columns(
    connection: sa.Connection,
    table: str,
    kept: Mapping[str, str],
    chunks: Iterable[Sequence[Sequence[object]]],
) -> None:
    """Puts the rows of which these are the columns, chunk by chunk, into a table of SQLite; they are asked for while it
    is done.

    `kept` has for each column the SQL of what goes into it, in which `{0}` stands for a row's first value, and so on.
    Where it fails, some rows may be in the table: whoever goes on takes a savepoint back. SQLAlchemy takes lists
    alone: making them would cost as much as a third of the inserts.

    Raises:
        sqlalchemy.exc.DBAPIError: as SQLAlchemy would say it.
    """
    every = iter(chunks)
    first = next(every, None)
    if first is None:
        return
    width = len(first)
    rest: list[object] = []

    def many() -> Iterator[list[object]]:
        nonlocal rest
        for columns in itertools.chain([first], every):
            values = rest + _row_by_row(columns)
            whole = len(values) - len(values) % (TOGETHER * width)
            for start in range(0, whole, TOGETHER * width):
                yield values[start : start + TOGETHER * width]
            rest = values[whole:]

    failed = connection.dialect.loaded_dbapi.Error
    statement = _insert(table, kept, width, TOGETHER)
    try:
        cursor: Any = connection.connection.cursor()
        with closing(cursor):
            cursor.executemany(statement, many())
            if rest:
                cursor.execute(_insert(table, kept, width, len(rest) // width), rest)
    except failed as error:
        raise sa.exc.DBAPIError.instance(statement, None, error, failed) from error


def _row_by_row(columns: Sequence[Sequence[object]]) -> list[object]:
    """The values of one row after those of another."""
    values: list[object] = [None] * (len(columns[0]) * len(columns))
    for place, column in enumerate(columns):
        values[place :: len(columns)] = column
    return values


def _insert(table: str, kept: Mapping[str, str], width: int, count: int) -> str:
    into = ", ".join(f'"{column}"' for column in kept)
    row = f"({', '.join(kept.values())})"
    places = [
        [f"?{number}" for number in range(first, first + width)] for first in range(1, count * width, width)
    ]
    # Without OR FAIL, SQLite would copy each page so as to take one statement back by itself.
    return f"INSERT OR FAIL INTO {table} ({into}) VALUES {', '.join(row.format(*marks) for marks in places)}"


def copy_rows(connection: sa.Connection, table: str, rows: Iterable[Sequence[object]]) -> None:
    """Puts the rows at the end of a table of PostgreSQL.

    Raises:
        OutOfReach: the database does not answer; nothing was changed.
    """
    driver: Any = connection.connection.driver_connection
    operational = connection.dialect.loaded_dbapi.OperationalError
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except operational as error:
        reason = str(error).strip().splitlines()[0]
        raise OutOfReach("The record", f"{reason}.", NOTHING_CHANGED) from error


@contextmanager
def cycles_left_alone() -> Iterator[None]:
    """Lets Python not look for objects that refer to each other in a circle, while very many are made that don't.

    It would look each time at all that is gathered, and at the whole program.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
