"""The journal, its seals and what its entries tell of, as the lines that the chain's verifier reads."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.chain import FORMAT, Finding, Head, Verifier, canonical
from labels.record.digests import TOLD_OF, ToldOf, plain_of, spelled
from labels.record.schema import Journal, Seal, SealedEntry
from labels.record.sealing import BATCH, ENTRY, values_of

_STREAMED = {"yield_per": BATCH}


def verify(session: Session, heads: list[Head]) -> tuple[Verifier, list[Finding]]:
    """Looks at all of the journal and at what it tells of; the findings, the first first.

    `heads` are those that were given out or are kept elsewhere.
    """
    verifier = Verifier(heads)
    for line in lines(session):
        verifier.take(line)
    verifier.found += _cut_off(session, verifier.sealed)
    return verifier, verifier.findings()


def export(session: Session, now: datetime) -> Iterator[bytes]:
    """The lines of a file that `labels/record/chain.py` verifies on its own, each with its end."""
    yield _line({"format": FORMAT, "exported_at": spelled(now)})
    number = 2
    for line in lines(session):
        yield _line(line)
        number += 1
    yield _line({"end": number})


def _line(line: dict[str, Any]) -> bytes:
    return canonical(line) + b"\n"


def lines(session: Session) -> Iterator[dict[str, Any]]:
    """The lines between the first of an export and its last, all of one moment."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    yield from _sealed(session)
    yield from _unsealed(session)
    has_seals = session.scalar(sa.select(Seal.number).limit(1)) is not None
    for kind in TOLD_OF:
        yield from _told(session, kind, with_former=has_seals)
    for row in session.execute(sa.select(*Seal.__table__.c).order_by(Seal.number)):
        line = {"seal": row.number, "last": row.last, "head": row.head, "at": spelled(row.at)}
        yield line | ({"token": base64.b64encode(row.token).decode()} if row.token else {})


def _sealed(session: Session) -> Iterator[dict[str, Any]]:
    chain = (
        sa.select(*SealedEntry.__table__.c, *ENTRY)
        .join_from(SealedEntry, Journal, Journal.id == SealedEntry.entry, isouter=True)
        .order_by(SealedEntry.position)
    )
    for row in session.execute(chain, execution_options=_STREAMED):
        line = {"position": row.position, "entry": row.entry, "head": row.link.hex()}
        if row.id is not None:
            line |= _entry(row) | {"salts": row.salts.hex()}
            line |= {"erased": row.erased} if row.erased else {}
        yield line


def _unsealed(session: Session) -> Iterator[dict[str, Any]]:
    last = session.scalar(sa.select(sa.func.max(SealedEntry.entry))) or 0
    unsealed = (
        sa.select(*ENTRY).where(~sa.exists().where(SealedEntry.entry == Journal.id)).order_by(Journal.id)
    )
    for row in session.execute(unsealed, execution_options=_STREAMED):
        yield _entry(row) | ({"late": True} if row.id <= last else {})


def _entry(row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": spelled(row.at),
        "what": row.what,
        "application": row.application,
        "step": row.step,
        "values": values_of(row.who, row.details),
    }


def _told(session: Session, kind: ToldOf, *, with_former: bool) -> Iterator[dict[str, Any]]:
    """The facts of one kind. Those that were there before the first seal are told of by it, and not before."""
    table = cast("sa.Table", kind.table.__table__)
    statement = sa.select(table).order_by(*table.primary_key.columns)
    if kind.once != "salts":
        statement = statement.where(table.c[kind.once].is_not(None))
    if not with_former:
        statement = statement.where(table.c.salts.is_not(None))
    for row in session.execute(statement, execution_options=_STREAMED):
        fact = dict(row._mapping)
        values = kind.values(fact)
        salts = (fact["salts"] or b"").hex() if values else ""
        line = {
            "subject": kind.subject(fact),
            "plain": plain_of(kind, fact),
            "values": values,
            "salts": salts,
        }
        yield line | ({"erased": fact["erased"]} if values and fact["erased"] else {})


def _cut_off(session: Session, sealed: int) -> list[Finding]:
    """What SQLite's own count tells of entries that were there after the last: it numbers them without a gap."""
    if session.get_bind().dialect.name != "sqlite":
        return []
    counted = session.scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'journal'")) or 0
    last = session.scalar(sa.select(sa.func.max(Journal.id))) or 0
    if counted <= last:
        return []
    problem = f"it was removed, and every entry after it: the database has numbered up to {counted}."
    return [Finding(sealed + 1, f"entry {last + 1}", problem)]
