"""People who leave a staff: their rows become former ones on the day that was named, and come back with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import sqlalchemy as sa

from labels.record.schema import FormerStaff, Staff


@dataclass(frozen=True, slots=True)
class Left:
    """A role in an organisation that somebody has no longer, or has again."""

    person: str
    name: str
    email: str
    role: str
    organisation: str
    left_on: date
    known: bool = True
    """Whether the record had them on the staff before; who never was there is told nothing."""


_STAFF, _FORMER = cast("sa.Table", Staff.__table__), cast("sa.Table", FormerStaff.__table__)
_KEPT = tuple(column.name for column in _STAFF.columns)
"""What a former row has of the row that it was: all of it."""


def take_effect(
    connection: sa.Connection, today: date, *, organisation: str = "", person: str = ""
) -> list[Left]:
    """Moves the rows of those whose day has come to the former ones; who they are, by organisation and person.

    Of one organisation, or of one person, where these are named: whoever acts for one organisation neither learns who
    leaves another one, nor does what follows there.
    """
    whose = [_STAFF.c.left_on <= today]
    if organisation:
        whose.append(_STAFF.c.organisation == organisation)
    if person:
        whose.append(_STAFF.c.person == person)
    due = connection.execute(
        sa.select(*(_STAFF.c[name] for name in _KEPT))
        .where(*whose)
        .order_by(_STAFF.c.organisation, _STAFF.c.person, _STAFF.c.role)
    ).all()
    if not due:
        return []
    forget_former(connection, due)
    connection.execute(sa.insert(_FORMER), [dict(row._mapping) for row in due])
    connection.execute(sa.delete(_STAFF).where(*whose))
    return [Left(row.person, row.name, row.email, row.role, row.organisation, row.left_on) for row in due]


def forget_former(connection: sa.Connection, rows: Iterable[Any]) -> None:
    """Removes former rows, if they are there."""
    rows = list(rows)
    if not rows:
        return
    connection.execute(
        sa.delete(_FORMER).where(
            _FORMER.c.person == sa.bindparam("whom"),
            _FORMER.c.organisation == sa.bindparam("where"),
            _FORMER.c.role == sa.bindparam("what"),
            _FORMER.c.email == sa.bindparam("at"),
        ),
        [{"whom": row.person, "where": row.organisation, "what": row.role, "at": row.email} for row in rows],
    )


def come_back(connection: sa.Connection, rows: Iterable[FormerStaff]) -> None:
    """Puts former rows back on the staff as they were."""
    rows = list(rows)
    names = [name for name in _KEPT if name not in ("left_on", "left_by")]
    if rows:
        connection.execute(sa.insert(_STAFF), [{name: getattr(row, name) for name in names} for row in rows])
        forget_former(connection, rows)
