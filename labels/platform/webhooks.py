"""Webhooks: where an organisation's platform is told that something happened, and what waits to be told there.

The journal is the outbox: an entry is written in the transaction of the change. What is to be told is made from it
(`enter`), claimed by one process at a time, and tried again until it was taken, or for three days.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import Fault, InvalidInput, NotAllowed, NotFound
from labels.people.staff import known_organisation
from labels.platform.signing import secret_of
from labels.record.journal import SYSTEM, Event, note
from labels.record.rows import write
from labels.record.schema import Instant, Organisation, PlatformDelivery, PlatformWebhook
from labels.turn import Turn
from labels.words.text import one_line

LONGEST_ADDRESS = 500
MOST = 5
"""Webhooks of one organisation."""
FORMER_FOR = timedelta(days=7)
"""How long the former secret signs, too, after another one was made."""
LEASE = timedelta(minutes=2)
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=12)
UNTIL = timedelta(days=3)
"""After this nothing is tried any more, and the operator is told."""
KEPT_FOR = timedelta(days=30)
"""How long it is known what was told, so that it can be told again."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Added:
    """A new webhook, or one with a new secret; the secret is shown now and not again."""

    row: PlatformWebhook
    secret: bytes


def checked(address: str, *, plain: bool) -> str:
    """An address that may be told; `plain` allows http, too.

    Raises:
        InvalidInput: it is none.
    """
    allowed = ("https", "http") if plain else ("https",)
    try:
        parts = urlsplit(address)
        sound = parts.scheme in allowed and bool(parts.hostname) and parts.port != 0
        sound = sound and parts.username is None and not parts.fragment
    except ValueError:
        sound = False
    if not sound or not 0 < len(address) <= LONGEST_ADDRESS:
        problem = f"expected {' or '.join(f'{one}://' for one in allowed)}host/…, without a name, a password or a #."
        raise InvalidInput("webhook", [Fault("address", problem)])
    if not address.isascii() or any(one <= " " for one in address):
        raise InvalidInput("webhook", [Fault("address", "has characters that no address has.")])
    return address


def add(turn: Turn, organisation: str, address: str, position: int) -> Added:
    """A webhook of an organisation, which is told what comes after an entry of the journal.

    Raises:
        NotFound: there is no such organisation.
        NotAllowed: it has as many as one can have.
    """
    known_organisation(turn.session, organisation)
    present = [one for one in listed(turn.session, organisation) if one.ended_at is None]
    if len(present) >= MOST:
        raise NotAllowed(f"{organisation} has {MOST} webhooks: end one first.")
    row = PlatformWebhook(
        id="WH-" + "".join(secrets.choice(_ALPHABET) for _ in range(10)),
        organisation=organisation,
        address=address,
        made_at=turn.now,
        secret_number=1,
        former_until=None,
        position=position,
        ended_at=None,
        ended_because=None,
    )
    turn.session.add(row)
    host = urlsplit(address).hostname
    note(turn, None, SYSTEM, Event.ADDED_A_WEBHOOK, webhook=row.id, organisation=organisation, host=host)
    return Added(row, secret_of(turn.key, row.id, 1))


def listed(session: Session, organisation: str = "") -> Sequence[PlatformWebhook]:
    """All webhooks, or those of an organisation; those that have ended too."""
    query = sa.select(PlatformWebhook).order_by(PlatformWebhook.organisation, PlatformWebhook.made_at)
    if organisation:
        known_organisation(session, organisation)
        query = query.where(PlatformWebhook.organisation == organisation)
    return session.scalars(query).all()


def _locked(turn: Turn, identifier: str) -> PlatformWebhook:
    row = turn.session.get(PlatformWebhook, identifier, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no webhook {identifier}.")
    return row


def rotate(turn: Turn, identifier: str) -> Added:
    """Gives a webhook another secret; for a week, the former one signs, too.

    Raises:
        NotFound: there is none of that id.
        NotAllowed: it has ended.
    """
    row = _locked(turn, identifier)
    if row.ended_at:
        raise NotAllowed(f"{identifier} has ended.")
    row.secret_number += 1
    row.former_until = turn.now + FORMER_FOR
    note(turn, None, SYSTEM, Event.ROTATED_A_WEBHOOK, webhook=row.id, organisation=row.organisation)
    return Added(row, secret_of(turn.key, row.id, row.secret_number))


def end(turn: Turn, identifier: str, because: str = "") -> PlatformWebhook:
    """Ends a webhook: nothing is told there any more. `because` is empty where the operator does.

    Raises:
        NotFound: there is none of that id.
    """
    row = _locked(turn, identifier)
    if row.ended_at is None:
        row.ended_at = turn.now
        note(
            turn,
            None,
            SYSTEM,
            Event.ENDED_A_WEBHOOK,
            webhook=row.id,
            organisation=row.organisation,
            because=because,
        )
    row.ended_because = because or None
    if not because:  # whoever ends it knows of it: nothing of it waits or is told of
        turn.session.execute(_WITHOUT_DELIVERIES, {"which": identifier})
    return row


@dataclass(frozen=True, slots=True)
class Replayed:
    """A webhook that is told again."""

    row: PlatformWebhook
    given_up: int
    """How many changes had been given up that are tried again."""


def replay(turn: Turn, identifier: str, since: datetime | None, position: int) -> Replayed:
    """Has everything told again that happened since an instant; without one, what was given up.

    `position` is the last entry of the journal before that instant.

    Raises:
        NotFound: there is none of that id.
        NotAllowed: it has ended.
    """
    row = _locked(turn, identifier)
    if row.ended_at:
        raise NotAllowed(f"{identifier} has ended: add it anew.")
    given_up = 0
    if since is None:
        tried = turn.session.execute(_AGAIN, {"which": identifier, "now": turn.now})
        given_up = cast("sa.CursorResult[Any]", tried).rowcount
    else:
        turn.session.execute(_FORGOTTEN, {"which": identifier, "after": position})
        row.position = min(row.position, position)
    return Replayed(row, given_up)


# What waits ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Happened:
    """What a webhook is told of: an entry of the journal, as numbers."""

    entry: int
    at: datetime
    what: str
    application: str
    organisation: str
    label: str


def behind(session: Session, until: int) -> list[tuple[str, str, bool, int]]:
    """The webhooks that were not told up to an entry: id, organisation, whether that is central, and up to where they were."""
    rows = session.execute(
        sa.select(
            PlatformWebhook.id, PlatformWebhook.organisation, Organisation.kind, PlatformWebhook.position
        )
        .join(Organisation, Organisation.id == PlatformWebhook.organisation)
        .where(PlatformWebhook.ended_at.is_(None), PlatformWebhook.position < until)
    )
    return [(row.id, row.organisation, row.kind == "CSS", row.position) for row in rows]


def enter(turn: Turn, webhook: str, former: int, position: int, events: Sequence[Happened]) -> bool:
    """Enters what a webhook is to be told, after one entry of the journal and up to another; false where somebody else did."""
    moved = turn.session.execute(
        sa.update(PlatformWebhook)
        .where(
            PlatformWebhook.id == webhook,
            PlatformWebhook.position == former,
            PlatformWebhook.ended_at.is_(None),
        )
        .values(position=position)
        .execution_options(synchronize_session=False)
    )
    if cast("sa.CursorResult[Any]", moved).rowcount != 1:
        return False
    rows = [
        {
            "webhook": webhook, "entry": one.entry, "what": one.what, "application": one.application,
            "organisation": one.organisation, "label": one.label, "at": one.at, "queued_at": turn.now,
            "next_attempt_at": turn.now, "attempts": 0, "claimed_until": None, "sent_at": None,
            "given_up_at": None, "last_error": None,
        }
        for one in events
    ]  # fmt: skip
    write(turn.session, PlatformDelivery, *rows)
    return True


_D = PlatformDelivery
_NOW: sa.BindParameter[datetime] = sa.bindparam("now", type_=Instant())
_OPEN = (_D.sent_at.is_(None), _D.given_up_at.is_(None))
_DUE = (
    *_OPEN,
    _D.next_attempt_at <= _NOW,
    sa.or_(_D.claimed_until.is_(None), _D.claimed_until <= _NOW),
)
_WITHOUT_DELIVERIES = sa.delete(_D).where(_D.webhook == sa.bindparam("which"), _D.sent_at.is_(None))
_FORGOTTEN = sa.delete(_D).where(_D.webhook == sa.bindparam("which"), _D.entry > sa.bindparam("after"))
_AGAIN = (
    sa.update(_D)
    .where(_D.webhook == sa.bindparam("which"), _D.given_up_at.is_not(None))
    .values(given_up_at=None, attempts=0, queued_at=_NOW, next_attempt_at=_NOW, claimed_until=None)
)


def due(session: Session, now: datetime, each: int = 50) -> list[tuple[str, int]]:
    """What is to be told now, webhook and entry: so many of each webhook, its longest waiting first.

    One of each webhook after the other; those that took everything so far come before those that did not.
    """
    place = sa.func.row_number().over(partition_by=_D.webhook, order_by=(_D.next_attempt_at, _D.entry))
    found = (
        sa.select(_D.webhook, _D.entry, _D.next_attempt_at, place.label("place"))
        .join(PlatformWebhook, PlatformWebhook.id == _D.webhook)
        .where(*_DUE, PlatformWebhook.ended_at.is_(None))
        .subquery()
    )
    failing = found.c.webhook.in_(sa.select(_D.webhook).where(*_OPEN, _D.last_error.is_not(None)))
    rows = session.execute(
        sa.select(found.c.webhook, found.c.entry)
        .where(found.c.place <= each)
        .order_by(sa.case((failing, 1), else_=0), found.c.place, found.c.next_attempt_at, found.c.entry),
        {"now": now},
    )
    return [(row.webhook, row.entry) for row in rows]


@dataclass(frozen=True, slots=True)
class Claimed:
    """One thing to tell, which is ours for one attempt."""

    webhook: str
    address: str
    secrets: tuple[bytes, ...]
    event: Happened
    whose: str
    """The organisation of the webhook."""
    attempt: int


def claim(turn: Turn, webhook: str, entry: int) -> Claimed | None:
    """Takes one thing to tell for an attempt; None where another process has it, or it was told."""
    claimed = turn.session.execute(
        sa.update(_D)
        .where(_D.webhook == webhook, _D.entry == entry, *_DUE)
        .values(claimed_until=turn.now + LEASE, attempts=_D.attempts + 1)
        .execution_options(synchronize_session=False),
        {"now": turn.now},
    )
    if cast("sa.CursorResult[Any]", claimed).rowcount != 1:
        return None
    row = turn.session.get_one(_D, (webhook, entry), populate_existing=True)
    of = turn.session.get_one(PlatformWebhook, webhook, populate_existing=True)
    if of.ended_at:
        return None
    numbers = [of.secret_number]
    if of.former_until and turn.now < of.former_until:
        numbers.append(of.secret_number - 1)
    event = Happened(row.entry, row.at, row.what, row.application, row.organisation, row.label)
    # With the former secret key's, too, until that ends: by then the platform has been given the new one.
    keys = tuple(secret_of(key, webhook, number) for key in turn.keys for number in numbers)
    return Claimed(webhook, of.address, keys, event, of.organisation, row.attempts)


def mark_told(turn: Turn, claimed: Claimed) -> None:
    """It was taken."""
    row = turn.session.get(_D, (claimed.webhook, claimed.event.entry), populate_existing=True)
    if row is not None and row.sent_at is None:
        row.sent_at, row.claimed_until, row.last_error = turn.now, None, None


def mark_failed(turn: Turn, claimed: Claimed, why: str) -> None:
    """Puts it off, longer each time; after three days it is given up."""
    row = turn.session.get(_D, (claimed.webhook, claimed.event.entry), populate_existing=True)
    if row is None or row.sent_at or row.attempts != claimed.attempt:
        return
    row.claimed_until, row.last_error = None, one_line(why, 200)
    row.next_attempt_at = turn.now + pause(row.attempts)
    if turn.now - row.queued_at >= UNTIL:
        row.given_up_at = turn.now


def pause(attempts: int) -> timedelta:
    """How long to wait after that many failed attempts: four times as long each time, up to half a day."""
    return min(FIRST_PAUSE * (1 << 2 * min(attempts - 1, 10)), LONGEST_PAUSE)


def forget_told(turn: Turn) -> None:
    """Deletes what was told, or given up, so long ago that nobody has it told again."""
    before = turn.now - KEPT_FOR
    turn.session.execute(
        sa.delete(_D)
        .where(sa.or_(_D.sent_at < before, _D.given_up_at < before))
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """How a webhook is."""

    webhook: str
    organisation: str
    address: str
    waiting: int
    """What is still to be told there."""
    failing: int
    """Of these, what was tried in vain."""
    given_up: int
    since: datetime | None
    """Since when the oldest of what failed or was given up waits."""
    last_error: str | None
    ended_because: str | None
    """Why it was ended, where the receiver had it ended."""

    @property
    def well(self) -> bool:
        """Whether nobody need look at it."""
        return not self.given_up and not self.ended_because

    @property
    def host(self) -> str:
        """Where it is, without what may be secret in its address."""
        return urlsplit(self.address).hostname or ""


def waiting(session: Session) -> list[Waiting]:
    """How each webhook is that has not ended, or that its receiver had ended."""
    counts = {
        row.webhook: row
        for row in session.execute(
            sa.select(
                _D.webhook,
                sa.func.count().filter(_D.given_up_at.is_(None)).label("waiting"),
                sa.func.count().filter(_D.given_up_at.is_(None), _D.last_error.is_not(None)).label("failing"),
                sa.func.count().filter(_D.given_up_at.is_not(None)).label("given_up"),
                sa.func.min(_D.queued_at).filter(_D.last_error.is_not(None)).label("since"),
                sa.func.max(_D.last_error).label("last_error"),
            )
            .where(_D.sent_at.is_(None))
            .group_by(_D.webhook)
        )
    }
    rows = session.scalars(
        sa.select(PlatformWebhook)
        .where(sa.or_(PlatformWebhook.ended_at.is_(None), PlatformWebhook.ended_because.is_not(None)))
        .order_by(PlatformWebhook.organisation, PlatformWebhook.id)
    )
    return [
        Waiting(
            row.id,
            row.organisation,
            row.address,
            found.waiting if (found := counts.get(row.id)) else 0,
            found.failing if found else 0,
            found.given_up if found else 0,
            found.since if found else None,
            found.last_error if found else None,
            row.ended_because,
        )
        for row in rows
    ]
