"""Sealing the journal: its entries are put into the chain in batches, by upkeep, so that nobody who writes waits for it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.chain import SHORTEST, START, Head, commitments, digest, head_in_words, link
from labels.record.digests import TOLD_OF, new_salts, random_salts, spelled, told_of
from labels.record.engine import Record
from labels.record.journal import SYSTEM, Event, entry
from labels.record.rows import read, write, write_many
from labels.record.schema import Base, Journal, Seal, SealedEntry
from labels.record.turns import Alone, wait_until_alone
from labels.turn import Turn

BATCH = 2_000
"""Entries sealed in one transaction: on SQLite, others wait no longer for the record than these take."""
_TOGETHER = 200
"""Rows from before that one entry tells of."""
_PATIENCE = 5.0
"""Seconds to wait for the transactions that are writing; whatever they write is sealed the next time."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Where the chain stands."""

    entries: int
    """Sealed by this call."""
    position: int
    head: bytes

    def __str__(self) -> str:
        return head_in_words(self.position, self.head)

    @property
    def given_out(self) -> Head:
        """As it is compared later."""
        return Head(self.position, self.head.hex())


def seal(record: Record, *, now: datetime) -> Sealed:
    """Seals every entry that is in the journal; safe to call at any time and twice at once.

    Raises:
        OutOfReach: the database does not answer.
    """
    _tell_of_former_rows(record, now)
    until = settled(record) or 0
    sealed = 0
    while True:
        with record.writing() as session:
            batch = _seal_batch(session, until, now)
        sealed += batch
        if batch < BATCH:
            break
    with record.reading() as session:
        position, head = head_of(session)
    return Sealed(sealed, position, head)


def head_of(session: Session) -> tuple[int, bytes]:
    """The position and the link of the last entry that is sealed."""
    last = session.execute(_LAST).first()
    return (last.position, last.link) if last else (0, START)


def to_be_stamped(session: Session, since: datetime) -> Seal | None:
    """The last seal, where it has no time stamp and none that was made since has one."""
    last = session.scalars(sa.select(Seal).order_by(Seal.number.desc()).limit(1)).first()
    if last is None or last.token is not None:
        return None
    recently = sa.select(Seal.number).where(Seal.token.is_not(None), Seal.at > since).limit(1)
    return None if session.scalar(recently) is not None else last


def add_stamp(session: Session, number: int, token: bytes) -> None:
    """Keeps a time stamp of a seal's head, where it has none."""
    session.execute(sa.update(Seal).where(Seal.number == number, Seal.token.is_(None)).values(token=token))


def stamped(session: Session) -> Sequence[Seal]:
    """The seals whose head has a time stamp, in order."""
    return session.scalars(sa.select(Seal).where(Seal.token.is_not(None)).order_by(Seal.number)).all()


def head_on_paper(session: Session, instant: datetime) -> str | None:
    """The head of the last batch that was sealed before an instant, as long as people compare and type it.

    It is the same whenever it is asked for, so a paper that is made again is the same. None before the first seal.
    """
    row = read(session, _LAST_BEFORE, {"instant": instant}).first()
    return f"{row.last}-{row.head[:SHORTEST]}" if row else None


def last_head(session: Session) -> str | None:
    """The head of the last batch, as long as people compare and type it; None before the first seal."""
    position, head = head_of(session)
    return head_in_words(position, head, SHORTEST) if position else None


_LAST = (
    sa.select(SealedEntry.position, SealedEntry.entry, SealedEntry.link)
    .order_by(SealedEntry.position.desc())
    .limit(1)
)
_LAST_BEFORE = (
    sa.select(Seal.last, Seal.head)
    .where(Seal.at < sa.bindparam("instant"))
    .order_by(Seal.number.desc())
    .limit(1)
)
ENTRY = (
    Journal.id,
    Journal.at,
    Journal.who,
    Journal.what,
    Journal.application,
    Journal.step,
    Journal.details,
)
"""An entry's columns."""
_UNSEALED = (
    sa.select(*ENTRY)
    .where(Journal.id > sa.bindparam("after"), Journal.id <= sa.bindparam("until"))
    .order_by(Journal.id)
    .limit(BATCH)
)


def _seal_batch(session: Session, until: int, now: datetime) -> int:
    """Seals the next entries up to one; how many."""
    wait_until_alone(session, Alone.SEALING)
    last = session.execute(_LAST).first()
    position, after, head = (last.position, last.entry, last.link) if last else (0, 0, START)
    rows = session.execute(_UNSEALED, {"after": after, "until": until}).all()
    if not rows:
        return 0
    first = position + 1
    sealed = []
    for row in rows:
        position += 1
        values = values_of(row.who, row.details)
        salts = random_salts(len(values))
        committed = commitments(values, salts)
        assert committed is not None
        plain = [row.id, spelled(row.at), row.what, row.application, row.step]
        head = link(head, digest(plain, committed))
        sealed.append((position, row.id, head, salts))
    write_many(session, SealedEntry, ("position", "entry", "link", "salts"), sealed)
    number = (session.scalar(sa.select(sa.func.max(Seal.number))) or 0) + 1
    write(
        session,
        Seal,
        {"number": number, "first": first, "last": position, "head": head.hex(), "at": now, "token": None},
    )
    return len(rows)


def values_of(who: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an entry, by the names that the chain has for them."""
    return {"who": who} | {f"details.{name}": one for name, one in details.items()}


# What may be sealed -----------------------------------------------------------------------------


def settled(record: Record, patience: float = _PATIENCE) -> int | None:
    """The number of an entry up to which no other can appear any more: every transaction is over that could
    still bring one. None where they are not over within so many seconds.

    SQLite lets one transaction write at a time. PostgreSQL numbers entries before they are committed, so
    those that are writing now are waited for; nobody waits for us.
    """
    with record.reading() as session:
        until = session.scalar(sa.select(sa.func.max(Journal.id))) or 0
        if session.get_bind().dialect.name != "postgresql":
            return until
        writing = set(session.scalars(_WRITING))
    patient_until = time.monotonic() + patience
    while writing:
        if time.monotonic() > patient_until:
            return None
        time.sleep(0.02)
        with record.reading() as session:
            writing &= set(session.scalars(_WRITING))
    return until


_WRITING = sa.text(
    "SELECT virtualtransaction FROM pg_locks WHERE relation = 'journal'::regclass "
    "AND mode = 'RowExclusiveLock' AND pid IS DISTINCT FROM pg_backend_pid()"
)


# What was there before the chain --------------------------------------------------------------------


def _tell_of_former_rows(record: Record, now: datetime) -> None:
    """Enters the digests of rows that were written before entries had them; before the first seal alone."""
    with record.reading() as session:
        if session.scalar(sa.select(Seal.number).limit(1)) is not None:
            return
    for table in {kind.table: None for kind in TOLD_OF}:
        while True:
            with record.writing() as session:
                if not _tell_of_some(Turn(session, now), table):
                    break


def _tell_of_some(turn: Turn, of: type[Base]) -> bool:
    """Gives some rows of a table that have none their salts, and enters their digests; false where all have."""
    table = cast("sa.Table", of.__table__)
    keys = list(table.primary_key.columns)
    without = sa.select(table).where(table.c.salts.is_(None)).order_by(*keys).limit(BATCH)
    rows = [dict(row._mapping) for row in turn.session.execute(without)]
    if not rows:
        return False
    told: dict[str, str] = {}
    for row in rows:
        row["salts"] = new_salts(of, row)
        told |= told_of(of, row)
    to_row = (key == sa.bindparam(f"of_{key.name}") for key in keys)
    turn.session.connection().execute(
        table.update().where(*to_row),
        [{f"of_{key.name}": row[key.name] for key in keys} | {"salts": row["salts"]} for row in rows],
    )
    items = list(told.items())
    parts = (dict(items[first : first + _TOGETHER]) for first in range(0, len(items), _TOGETHER))
    entries = [entry(turn, None, SYSTEM, Event.TOLD_OF_FORMER_ROWS, digests=digests) for digests in parts]
    write(turn.session, Journal, *entries)
    return True
