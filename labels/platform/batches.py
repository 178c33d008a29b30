"""Batches of rows that a platform brought in: each once, known by the key that the platform gave it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import PlatformBatch
from labels.turn import Turn

KNOWN_FOR = timedelta(days=90)
"""How long a batch's key is remembered; the newest one of an organisation always."""
LONGEST_KEY = 200
NOT_IN_KEYS = "/?#%"
"""What a key has none of: it stands in the path of an address when its batch is asked for."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it came."""

    organisation: str
    key: str
    digest: str
    """Of what came, so that another one with the same key is known."""
    resource: str
    rows: int
    position: str
    """How far the platform is, as it says; empty where it does not."""


def is_key(text: str) -> bool:
    """Whether a text may be the key of a batch."""
    return (
        0 < len(text) <= LONGEST_KEY
        and text.isascii()
        and text.isprintable()
        and not set(text) & set(NOT_IN_KEYS)
        and text not in (".", "..")
    )


def begin(turn: Turn, batch: Batch) -> PlatformBatch | None:
    """Enters a batch that is being taken; the one that has its key already, if any does.

    Of two at once, one waits for the other.
    """
    values = {
        "organisation": batch.organisation, "key": batch.key, "digest": batch.digest, "resource": batch.resource,
        "rows": batch.rows, "position": batch.position, "taken_at": turn.now, "answer": {},
    }  # fmt: skip
    if turn.session.execute(_ENTERED, values).first() is not None:
        return None
    return taken(turn.session, batch.organisation, batch.key)


def end(turn: Turn, batch: Batch, answer: dict[str, Any]) -> None:
    """Keeps what a batch was answered, and forgets those that are long past."""
    row = taken(turn.session, batch.organisation, batch.key)
    assert row is not None
    row.answer = answer
    turn.session.execute(
        sa.delete(PlatformBatch)
        .where(
            PlatformBatch.organisation == batch.organisation,
            PlatformBatch.taken_at < turn.now - KNOWN_FOR,
        )
        .execution_options(synchronize_session=False)
    )


def taken(session: Session, organisation: str, key: str) -> PlatformBatch | None:
    """The batch of an organisation with that key, if it was taken."""
    return session.scalar(
        sa.select(PlatformBatch)
        .where(PlatformBatch.organisation == organisation, PlatformBatch.key == key)
        .execution_options(populate_existing=True)
    )


def newest(session: Session, organisation: str) -> PlatformBatch | None:
    """The batch of an organisation that was taken last."""
    return session.scalar(
        sa.select(PlatformBatch)
        .where(PlatformBatch.organisation == organisation)
        .order_by(PlatformBatch.id.desc())
        .limit(1)
    )


_INSERT = (
    "INSERT INTO platform_batch (organisation, key, digest, resource, rows, position, taken_at, answer)"
    " VALUES (:organisation, :key, :digest, :resource, :rows, :position, :taken_at, :answer)"
    " ON CONFLICT (organisation, key) DO NOTHING RETURNING id"
)
_TABLE: Any = PlatformBatch.__table__
_ENTERED = sa.text(_INSERT).bindparams(
    sa.bindparam("taken_at", type_=_TABLE.c.taken_at.type), sa.bindparam("answer", type_=_TABLE.c.answer.type)
)
