"""Rows that are written and not looked at again in their transaction: they need not become objects first."""

from __future__ import annotations

import functools
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Base


def write(session: Session, kind: type[Base], *rows: dict[str, Any]) -> None:
    """Inserts the rows now, in the session's transaction; what they refer to must be in the database."""
    session.execute(_insert(kind), list(rows))


@functools.cache
def _insert(kind: type[Base]) -> sa.Insert:
    return sa.insert(cast("sa.Table", kind.__table__))
