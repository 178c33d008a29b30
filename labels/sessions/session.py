"""Sessions: rows with the hash of a random token, which end by themselves or are ended."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.persons import addresses, readers_of
from labels.record.rows import read
from labels.record.schema import KeptForm, Person, SignIn
from labels.sessions.accounts import Account, account_among, account_of
from labels.sessions.codes import token_hash
from labels.sessions.second import AND_PASSKEY, PasskeyPolicy, used_passkey
from labels.turn import Turn

LASTS = timedelta(days=7)
"""However busy it is."""
STAFF_IDLE = timedelta(hours=2)
IDLE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
"""How exactly the last request is kept."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who has signed in, as the registry knows them at this request."""

    account: Account
    session: str
    """The session's key in the record."""
    how: str
    signed_in_at: datetime
    seen_at: datetime
    changed: bool
    """Their roles are others than when the token was given: they are due a new one."""


@dataclass(frozen=True, slots=True)
class Half:
    """Somebody who has signed in and needs a passkey besides, which they have not used yet: they see nothing until then."""

    account: Account
    session: str
    """The session's key in the record."""
    how: str
    signed_in_at: datetime


@dataclass(frozen=True, slots=True)
class Lapsed:
    """A session that has run out by itself: whose it was."""

    address: str
    person: str
    """Empty where several people share the mailbox and they had not said who they are."""
    signed_in_at: datetime


def new_token() -> str:
    """A random token for a browser, 256 bits."""
    return secrets.token_urlsafe(32)


def begin(turn: Turn, address: str, how: str, person: str = "") -> str | None:
    """A new session; its token, or None where nobody has the address any more.

    `person` is who it is, where more is known of them than their address.
    """
    account = account_of(turn.session, address, person)
    if account is None:
        return None
    return _give(turn, account, how, turn.now, turn.now + LASTS)


def _give(turn: Turn, account: Account, how: str, since: datetime, until: datetime) -> str:
    token = new_token()
    turn.session.add(
        SignIn(
            id=token_hash(token),
            address=account.address,
            person=account.person or None,
            how=how,
            roles=account.roles,
            signed_in_at=since,
            seen_at=turn.now,
            ends_at=until,
            ended_at=None,
            ended_because=None,
        )
    )
    return token


def visitor(
    session: Session, token: str, now: datetime, passkeys: PasskeyPolicy
) -> Visitor | Half | Lapsed | None:
    """Who has a token: with the roles of this moment; who still needs a passkey; whose time is over; or nobody."""
    return visitor_in(session, token_hash(token), now, passkeys)


def visitor_in(
    session: Session, key: str, now: datetime, passkeys: PasskeyPolicy
) -> Visitor | Half | Lapsed | None:
    """The same of a session's key in the record."""
    found = read(session, _BEGUN, {"key": key}).all()
    if not found or found[0].ended_at:
        return None
    row = found[0]
    readers = [one for one in found if one.id is not None]
    account = account_among(session, row.address, readers, row.person or "")
    if account is None:
        return None
    idle = STAFF_IDLE if account.staff else IDLE
    if now >= row.ends_at or now - row.seen_at >= idle:
        return Lapsed(row.address, account.person, row.signed_in_at)
    if passkeys.is_missing(account, row.how, now):
        return Half(account, row.session, row.how, row.signed_in_at)
    changed = account.roles != row.roles
    return Visitor(account, row.session, row.how, row.signed_in_at, row.seen_at, changed)


_KEY = sa.bindparam("key", type_=sa.Text())
_READERS = readers_of(sa.select(SignIn.address).where(SignIn.id == _KEY).scalar_subquery())
_BEGUN = (
    sa.select(
        SignIn.id.label("session"),
        SignIn.address,
        SignIn.person,
        SignIn.how,
        SignIn.roles,
        SignIn.signed_in_at,
        SignIn.seen_at,
        SignIn.ends_at,
        SignIn.ended_at,
        Person.id,
        Person.name,
        Person.language,
    )
    .select_from(SignIn)
    .outerjoin(_READERS, sa.true())
    .outerjoin(Person, Person.id == _READERS.c.id)
    .where(SignIn.id == _KEY)
    .order_by(Person.id)
)
"""A session with everybody who reads the mail at its address, a row for each: it is asked at each request."""


def seen(turn: Turn, key: str) -> None:
    """Notes that a session was used."""
    turn.session.execute(
        sa.update(SignIn).where(SignIn.id == key, SignIn.ended_at.is_(None)).values(seen_at=turn.now)
    )


def renew(turn: Turn, key: str) -> str | None:
    """Another token for the same session, since the person's roles have changed; the former one ends."""
    row = turn.session.get(SignIn, key, with_for_update=True)
    account = account_of(turn.session, row.address, row.person or "") if row else None
    if row is None or account is None or row.ended_at:
        return None
    _end(turn, row, "the roles changed")
    return _give(turn, account, row.how, row.signed_in_at, row.ends_at)


def strengthen(turn: Turn, key: str) -> str | None:
    """Another token for a session whose owner has used a passkey besides; the former one ends."""
    row = turn.session.get(SignIn, key, with_for_update=True)
    account = account_of(turn.session, row.address, row.person or "") if row else None
    if row is None or account is None or row.ended_at:
        return None
    _end(turn, row, "a passkey was used besides")
    return _give(turn, account, f"{row.how}{AND_PASSKEY}", row.signed_in_at, row.ends_at)


def choose(turn: Turn, key: str, person: str) -> str | None:
    """A new token for the one of several people that somebody is; None where it is none of them, or was said before.

    A passkey is one person's and proves nothing of another: where one was used, it is known who it is.
    """
    row = turn.session.get(SignIn, key, with_for_update=True)
    if row is None or row.ended_at or row.person or used_passkey(row.how):
        return None
    account = account_of(turn.session, row.address, person)
    if account is None or account.several:
        return None
    _end(turn, row, "chose who they are")
    return _give(turn, account, row.how, row.signed_in_at, row.ends_at)


def end(turn: Turn, token: str) -> None:
    """Signs out."""
    if row := turn.session.get(SignIn, token_hash(token), with_for_update=True):
        _end(turn, row, "signed out")


def end_all(turn: Turn, person: str, because: str = "signed out everywhere") -> int:
    """Signs somebody out everywhere, and ends what somebody began at an address of theirs without saying who they
    are; how many sessions that were."""
    nobodys = sa.and_(SignIn.person.is_(None), SignIn.address.in_(addresses(turn.session, person)))
    rows = turn.session.scalars(
        sa.select(SignIn).where(sa.or_(SignIn.person == person, nobodys), SignIn.ended_at.is_(None))
    ).all()
    for row in rows:
        _end(turn, row, because)
    return len(rows)


def _end(turn: Turn, row: SignIn, because: str) -> None:
    if row.ended_at is None:
        row.ended_at, row.ended_because = turn.now, because


def form_token(key: bytes, address: str, signed_in_at: datetime) -> str:
    """What every form of a session carries: it lasts as long as the session, and outlives a change of roles."""
    said = f"form\x1f{address}\x1f{signed_in_at.isoformat()}"
    return hmac.digest(key, said.encode(), "sha256").hex()[:40]


# What was sent when the session had run out -------------------------------------------------------


def keep_form(turn: Turn, person: str, page: str, fields: Mapping[str, Any]) -> None:
    """Keeps what somebody sent; a later one of the same page takes its place."""
    turn.session.merge(KeptForm(person=person, page=page, fields=dict(fields), kept_at=turn.now))


def kept_form(session: Session, person: str, page: str) -> KeptForm | None:
    """What somebody sent to a page when their session had run out, if they did."""
    return session.get(KeptForm, (person, page))


def forget_form(turn: Turn, person: str, page: str) -> None:
    """Drops it, once it was sent in or saved elsewhere."""
    turn.session.execute(sa.delete(KeptForm).where(KeptForm.person == person, KeptForm.page == page))
