"""Passkeys: keys in a person's device or password manager, with which staff sign in without a code, or after one (WebAuthn).

A passkey is found by its id alone, so that the page which asks for one says nothing of any address.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import NotAllowed, NotFound
from labels.mail import messages, outbox
from labels.mail.message import PasskeyNews
from labels.mail.outbox import Envelope
from labels.people.named import Recipient
from labels.people.persons import person, reads
from labels.record.journal import Event, note
from labels.record.schema import Passkey, PasskeyChallenge, Person
from labels.sessions import session as sessions
from labels.sessions.accounts import account_of
from labels.sessions.codes import token_hash
from labels.sessions.second import PASSKEY, PasskeyPolicy
from labels.sessions.session import Half, Visitor
from labels.sessions.signing_in import organisation_of
from labels.turn import Turn
from labels.words.sentences import say

LASTS = timedelta(minutes=5)
"""How long a browser may take to answer a challenge."""
FRESH = timedelta(minutes=15)
"""How long ago somebody may have signed in who adds or removes a passkey: a session that was left open does not do."""
MOST = 10
"""Passkeys of one person."""
LONGEST_ID = 1400
"""Letters of a credential's id: 1023 bytes, as the standard has it, in base64url."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where passkeys count: at one origin, under the name of its host."""

    origin: str
    host: str


def site_at(address: str) -> Site | None:
    """The site at a public address; None where browsers make no passkeys: at a number, or without TLS."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if not host or _is_number(host) or (parts.scheme != "https" and host != "localhost"):
        return None
    return Site(f"{parts.scheme}://{parts.netloc}", host)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class NewKey:
    """What an authenticator says of a passkey that it has made; its answer was checked."""

    id: str
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Signed:
    """What an authenticator says with a signature that was checked."""

    handle: bytes
    """Empty where it was asked for the passkeys of somebody known, and leaves it out."""
    sign_count: int
    """How often it has signed; 0 where it does not count."""


def fresh(who: Visitor | Half, now: datetime) -> bool:
    """Whether somebody has signed in so lately that they may add and remove passkeys."""
    return now - who.signed_in_at < FRESH


# Challenges ---------------------------------------------------------------------------------------


def challenge(turn: Turn, token: str, session: str | None = None) -> bytes:
    """What the browser that has this token is to have signed; `session` is that of whoever adds a passkey."""
    turn.session.execute(sa.delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= turn.now))
    made = secrets.token_bytes(32)
    turn.session.add(
        PasskeyChallenge(id=token_hash(token), session=session, challenge=made, expires_at=turn.now + LASTS)
    )
    return made


def take(turn: Turn, token: str, session: str | None = None) -> bytes | None:
    """The challenge of the browser that has this token, which is spent with that; None where there is none.

    One for signing in does not add a passkey, nor the other way round.
    """
    spent = turn.session.execute(
        sa.delete(PasskeyChallenge)
        .where(PasskeyChallenge.id == token_hash(token))
        .returning(PasskeyChallenge.session, PasskeyChallenge.challenge, PasskeyChallenge.expires_at)
    ).first()
    if spent is None or spent.session != session or turn.now >= spent.expires_at:
        return None
    return bytes(spent.challenge)


# A person's passkeys ------------------------------------------------------------------------------


def passkeys_of(session: Session, person_id: str) -> Sequence[Passkey]:
    """Those of a person, the oldest first."""
    return session.scalars(
        sa.select(Passkey).where(Passkey.person == person_id).order_by(Passkey.added_at, Passkey.id)
    ).all()


def handle_of(turn: Turn, person_id: str) -> bytes:
    """By which authenticators tell the accounts of a site apart; it says nothing of the person."""
    return hmac.digest(turn.key, f"passkey\x1f{person_id}".encode(), "sha256")


def add(turn: Turn, who: Visitor | Half, key: NewKey, name: str, policy: PasskeyPolicy) -> str:
    """Enters a new passkey of somebody who has signed in; the reason of the mail that tells them.

    Whoever needs one besides their code adds their first right after it; whoever has had one does not add another
    with a code alone.

    Raises:
        NotAllowed: they may have none, signed in too long ago, have too many, or it is somebody's already.
    """
    _allowed(turn, who, policy)
    mine = passkeys_of(turn.session, who.account.person)
    if mine and isinstance(who, Half):
        raise NotAllowed(say("You have a passkey already: use that one."))
    if len(mine) >= MOST:
        raise NotAllowed(say("You have {most} passkeys, and nobody has more. Remove one first.", most=MOST))
    if len(key.id) > LONGEST_ID or turn.session.get(Passkey, key.id) is not None:
        raise NotAllowed(say("This passkey is here already."))
    added = Passkey(
        id=key.id,
        person=who.account.person,
        handle=handle_of(turn, who.account.person),
        public_key=key.public_key,
        sign_count=key.sign_count,
        name=name or f"Passkey {len(mine) + 1}",
        added_at=turn.now,
        used_at=None,
        blocked_at=None,
    )
    turn.session.add(added)
    return _tell(turn, added, PasskeyNews.ADDED)


def remove(turn: Turn, who: Visitor, passkey_id: str, policy: PasskeyPolicy) -> str:
    """Removes a passkey of somebody who has signed in; the reason of the mail that tells them.

    Raises:
        NotAllowed: they signed in too long ago, or need one and would have none left.
        NotFound: they have no such passkey.
    """
    _allowed(turn, who, policy)
    mine = passkeys_of(turn.session, who.account.person)
    found = turn.session.get(Passkey, passkey_id, with_for_update=True)
    if found is None or found.person != who.account.person:
        raise NotFound("There is no such passkey.")
    left = [one for one in mine if one.id != passkey_id and one.blocked_at is None]
    if not left and policy.is_needed(who.account, turn.now):
        raise NotAllowed(say("You need a passkey to sign in: add another one before you remove this one."))
    reason = _tell(turn, found, PasskeyNews.REMOVED)
    turn.session.delete(found)
    return reason


def _allowed(turn: Turn, who: Visitor | Half, policy: PasskeyPolicy) -> None:
    if not policy.is_offered(who.account):
        raise NotAllowed(say("Passkeys are for those who work for an organisation."))
    if not fresh(who, turn.now):
        raise NotAllowed(say("Sign in again first: you signed in too long ago to change this."))


_EVENTS = {
    PasskeyNews.ADDED: Event.ADDED_A_PASSKEY,
    PasskeyNews.REMOVED: Event.REMOVED_A_PASSKEY,
    PasskeyNews.BLOCKED: Event.BLOCKED_A_PASSKEY,
}


def _tell(turn: Turn, key: Passkey, news: PasskeyNews) -> str:
    """The journal's entry and the mail about what became of a passkey; the reason of the mail."""
    whom = person(turn.session, key.person)
    note(turn, None, whom.address, _EVENTS[news], person=whom.id, passkey=_mark(key.id))
    account = account_of(turn.session, whom.address, whom.id)
    message = messages.PasskeyChanged(
        person=whom.id,
        passkey=_mark(key.id),
        news=news,
        name=key.name,
        at=turn.now,
        organisation_name=organisation_of(turn, account) if account else "eTwinning",
    )
    outbox.queue(turn, message, Envelope(Recipient.of(whom)))
    return message.reason_for()


def _mark(passkey_id: str) -> str:
    """What tells passkeys apart, and leads to no authenticator."""
    return token_hash(passkey_id)[:16]


# Signing in ---------------------------------------------------------------------------------------


def named(turn: Turn, passkey_id: str) -> Passkey | None:
    """The passkey of that id, with which somebody may sign in now; locked until the transaction ends."""
    found = turn.session.get(Passkey, passkey_id[:LONGEST_ID], with_for_update=True)
    return found if found and found.blocked_at is None else None


@dataclass(frozen=True, slots=True)
class Copied:
    """A signature that counts no further than one before: there are two of what should be one."""

    mail: str
    """The reason of the mail that tells its owner."""


def sign_in(
    turn: Turn, key: Passkey, signed: Signed, policy: PasskeyPolicy, address: str = ""
) -> str | Copied | None:
    """A session's token for whom a passkey has proved; None where it proves nobody who may sign in so.

    Args:
        key: the passkey, with whose public key the signature was checked.
        signed: what was signed.
        policy: who may have passkeys.
        address: what was typed in as one's address, which must be the person's then.
    """
    if not hmac.compare_digest(key.handle, signed.handle):
        return None
    whose = _used(turn, key, signed, policy)
    if not isinstance(whose, Person):
        return whose
    if address and not reads(turn.session, whose.id, address):
        return None
    return sessions.begin(turn, whose.address, PASSKEY, whose.id)


def use_besides(
    turn: Turn, who: Half, key: Passkey, signed: Signed, policy: PasskeyPolicy
) -> str | Copied | None:
    """A new token for somebody who has signed in and used their passkey besides; None where it is not theirs."""
    other = signed.handle and not hmac.compare_digest(key.handle, signed.handle)
    if other or key.person != who.account.person:
        return None
    whose = _used(turn, key, signed, policy)
    return sessions.strengthen(turn, who.session) if isinstance(whose, Person) else whose


def _used(turn: Turn, key: Passkey, signed: Signed, policy: PasskeyPolicy) -> Person | Copied | None:
    """Whose passkey it is, which was used now."""
    if (key.sign_count or signed.sign_count) and signed.sign_count <= key.sign_count:
        key.blocked_at = turn.now
        sessions.end_all(turn, key.person)
        return Copied(_tell(turn, key, PasskeyNews.BLOCKED))
    whose = person(turn.session, key.person)
    account = account_of(turn.session, whose.address, whose.id)
    if account is None or not policy.is_offered(account):
        return None
    key.sign_count, key.used_at = signed.sign_count, turn.now
    return whose
