"""Which documents of the store the record names: one that no row names any more is deleted from the store."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.chain import ERASED
from labels.record.schema import Base, Deletion, DeletionKind
from labels.turn import Turn

TAKEN_OUT = "taken-out"
"""In the place of an erasure's name: somebody took a file out of what they had not handed in yet."""


def tables_with_documents() -> list[sa.Table]:
    """The tables of the record whose rows each name a document of the store."""
    return [table for table in Base.metadata.sorted_tables if {"key", "media_type"} <= set(table.c.keys())]


def named_documents() -> sa.Subquery:
    """SQL for the documents that the record names, a column `key`; not those that were erased."""
    there = (
        sa.select(one.c.key).where(one.c.name.not_like(f"{ERASED}-%")) for one in tables_with_documents()
    )
    return sa.union(*there).subquery()


def unnamed(session: Session, keys: Collection[str]) -> set[str]:
    """Those of some documents, by key, that no row of the record names any more."""
    if not keys:
        return set()
    named: set[str] = set()
    for table in tables_with_documents():
        there = sa.select(table.c.key).where(table.c.key.in_(keys), table.c.name.not_like(f"{ERASED}-%"))
        named |= set(session.scalars(there))
    return set(keys) - named


def delete_unnamed(turn: Turn, keys: Collection[str]) -> None:
    """Notes as to be deleted what no row names any more, in the transaction in which its row went."""
    turn.session.flush()
    for key in sorted(unnamed(turn.session, keys)):
        turn.session.add(Deletion(kind=DeletionKind.DOCUMENT, key=key, erasure=TAKEN_OUT, noted_at=turn.now))
