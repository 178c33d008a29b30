"""Rows that need not become objects: those that are written and not looked at again in their transaction, and columns that are read."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Base


def read(
    session: Session, query: sa.Executable, values: Mapping[str, Any] | None = None
) -> sa.CursorResult[Any]:
    """What a query for columns finds, in the session's transaction and with what the session has changed.

    `session.execute` finds the same and takes twice as long: it looks for objects in every row. A query for objects
    is for the session alone, which knows those that it has.
    """
    session.flush()
    return session.connection().execute(query, values)


def write(session: Session, kind: type[Base], *rows: dict[str, Any]) -> None:
    """Inserts the rows now, in the session's transaction; what they refer to must be in the database."""
    if rows:  # an INSERT without any would make a row of defaults
        session.connection().execute(_insert(kind), rows[0] if len(rows) == 1 else rows)


def write_many(
    session: Session, kind: type[Base], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Inserts tens of thousands of rows of plain values (text, numbers, yes and no, nothing) at half the cost.

    The values go to the database's driver as they are, without a look at the columns' types.
    """
    if not rows:
        return
    connection = session.connection()
    statement = str(_insert(kind).compile(dialect=connection.dialect, column_keys=list(columns)))
    if connection.dialect.paramstyle == "qmark":
        connection.exec_driver_sql(statement, list(rows))
    else:
        connection.exec_driver_sql(statement, [dict(zip(columns, row, strict=True)) for row in rows])


@functools.cache
def _insert(kind: type[Base]) -> sa.Insert:
    # "inline": nobody asks for the number that the database gives a row.
    return sa.insert(cast("sa.Table", kind.__table__)).inline()
