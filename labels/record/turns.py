"""One transaction at a time, of all hosts, for what must not be done by two at once."""

from __future__ import annotations

from enum import IntEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session


class Alone(IntEnum):
    """What is done by one at a time, with the number of PostgreSQL's lock; that of migrations is 724001."""

    SEALING = 724002
    LOOKING_FOR_LIKENESS = 724003
    TELLING_KEYS = 724004
    MAKING_THE_INDEX = 724005


def wait_until_alone(session: Session, what: Alone) -> None:
    """Waits for whoever does the same, and has nobody else begin it until the transaction ends.

    What another did meanwhile is there afterwards. On SQLite the write lock sees to that.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(int(what))))
