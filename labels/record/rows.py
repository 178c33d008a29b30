"""Rows that need not become objects: those that are written and not looked at again in their transaction, and columns that are read."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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


def write(session: Session, kind: type[Base], *rows: Mapping[str, Any]) -> None:
    """Inserts the rows now, in the session's transaction; what they refer to must be in the database.

    All have values for the same columns; what none has a value for is nothing, or the column's default.
    """
    if not rows:
        return  # an INSERT without any would make a row of defaults
    connection = session.connection()
    inserting = _inserting(kind, tuple(rows[0]), connection.dialect)
    values = [inserting.values(row) for row in rows]
    if connection.dialect.paramstyle == "qmark":
        in_order = [tuple(one[name] for name in inserting.columns) for one in values]
        connection.exec_driver_sql(inserting.statement, in_order[0] if len(in_order) == 1 else in_order)
    else:
        connection.exec_driver_sql(inserting.statement, values[0] if len(values) == 1 else values)


@dataclass(frozen=True, slots=True)
class _Inserting:
    """How rows of a table are inserted: SQLAlchemy finds it out anew for each statement, which takes as long as the database."""

    statement: str
    columns: tuple[str, ...]
    defaults: Mapping[str, Any]
    made: Mapping[str, Callable[[Any], Any]]
    """What makes of a value what the database's driver takes, by column, where it does not take the value itself."""

    def values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row as the driver takes it."""
        values = {**self.defaults, **row}
        for name, make in self.made.items():
            values[name] = make(values[name])
        return values


@functools.lru_cache(512)
def _inserting(kind: type[Base], names: tuple[str, ...], dialect: sa.Dialect) -> _Inserting:
    table = cast("sa.Table", kind.__table__)
    defaults = {
        column.key: column.default.arg
        for column in table.columns
        if isinstance(column.default, sa.ColumnDefault) and column.key not in names
    }
    columns = (*defaults, *names)
    compiled = _insert(kind).compile(dialect=dialect, column_keys=list(columns))
    makers = {name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in columns}
    order = tuple(compiled.positiontup or columns)
    return _Inserting(str(compiled), order, defaults, {name: one for name, one in makers.items() if one})


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
