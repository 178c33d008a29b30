"""Rows that need not become objects: those that are written and not looked at again in their transaction, and columns that are read."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session, make_transient_to_detached

from labels.record.schema import Base

_Row = TypeVar("_Row", bound=Base)


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


def enter(session: Session, row: _Row) -> _Row:
    """Inserts an object's row now; the object is the session's from then on, as if it had been read.

    A flush that inserts it takes three times as long. A column that has a default is named by the caller.
    """
    if session.new:
        session.flush()  # what it refers to
    kind = type(row)
    for name in _columns(kind):
        if name not in row.__dict__:
            setattr(row, name, None)
    write(session, kind, {name: row.__dict__[name] for name in _columns(kind)})
    make_transient_to_detached(row)
    session.add(row)
    return row


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


@functools.cache
def _columns(kind: type[Base]) -> tuple[str, ...]:
    return tuple(
        column.key for column in sa.inspect(kind).column_attrs if isinstance(column.columns[0], sa.Column)
    )
