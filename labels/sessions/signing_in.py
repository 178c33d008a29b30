"""Signing in by a code that is mailed and typed in: the same to see for an address that nobody knows."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from labels.errors import NotAllowed, NotFound
from labels.mail import messages, outbox
from labels.mail.outbox import Envelope
from labels.people.named import Recipient
from labels.people.persons import behind
from labels.people.roles import Role
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Organisation, School, SignInCode, Staff, Teacher
from labels.sessions.accounts import Account, account_of
from labels.sessions.codes import sign_in_code, sign_in_code_hash, token_hash
from labels.turn import Turn
from labels.words.addresses import meant

LASTS = timedelta(minutes=10)
TRIES = 5
MAILS_AN_HOUR = 5
"""To one address."""
_KEPT = timedelta(days=1)
"""After so long nobody needs to know any more who asked for a code."""

MAIL_CODE = "mail code"
"""`SignedIn.how` of whoever typed in a code from their mail."""
BREAK_GLASS = "break-glass code"
"""The same of a code that was printed on the machine itself."""


@dataclass(frozen=True, slots=True)
class Proven:
    """An address that a code has proved, and by which means."""

    address: str
    how: str


@dataclass(frozen=True, slots=True)
class WrongCode:
    """A code that was not the one; its tries are counted alike whether there is one or not."""

    left: int
    """How many more tries there are."""


def ask(turn: Turn, token: str, address: str) -> datetime:
    """Notes that somebody wants to sign in with an address, whoever that is; until when the code works.

    Whether the address is known is looked up by `mail`, after the answer has gone out, so that the answer
    can tell nobody.
    """
    turn.session.execute(sa.delete(SignInCode).where(SignInCode.asked_at < turn.now - _KEPT))
    until = turn.now + LASTS
    turn.session.add(
        SignInCode(
            id=token_hash(token),
            address=meant(address),
            code_hash="",
            how=MAIL_CODE,
            mailed_at=None,
            asked_at=turn.now,
            expires_at=until,
            failures=0,
            spent_at=None,
        )
    )
    return until


def mail(turn: Turn, token: str) -> str | None:
    """Queues the mail with the code, if somebody has the address and has not had too many; its reason."""
    asked = turn.session.get(SignInCode, token_hash(token), with_for_update=True)
    if asked is None or asked.mailed_at or asked.spent_at:
        return None
    account = account_of(turn.session, asked.address)
    if account is None or _mailed(turn, asked.address) >= MAILS_AN_HOUR:
        return None
    asked.code_hash = sign_in_code_hash(sign_in_code(turn.key, asked.id))
    asked.mailed_at = turn.now
    turn.session.flush()
    message = messages.SignInCode(
        attempt=asked.id, organisation_name=organisation_of(turn, account), until=asked.expires_at
    )
    to = Recipient(account.name, account.address, account.language)
    outbox.queue(turn, message, Envelope(to))
    return message.reason_for()


def _mailed(turn: Turn, address: str) -> int:
    """How many codes went to an address within the last hour."""
    since = turn.now - timedelta(hours=1)
    statement = sa.select(sa.func.count()).where(
        SignInCode.address == address, SignInCode.asked_at >= since, SignInCode.mailed_at.is_not(None)
    )
    return turn.session.scalar(statement) or 0


def organisation_of(turn: Turn, account: Account) -> str:
    """Who writes: the organisation that the person belongs to."""
    people = [one.id for one in behind(turn.session, account.address)]
    of_teacher = sa.select(School.organisation).join(Teacher, Teacher.school == School.id)
    found = turn.session.scalar(
        sa.select(Organisation.name)
        .where(
            sa.or_(
                Organisation.id.in_(sa.select(Staff.organisation).where(Staff.person.in_(people)).limit(1)),
                Organisation.id.in_(of_teacher.where(Teacher.person.in_(people)).limit(1)),
            )
        )
        .order_by(Organisation.id)
        .limit(1)
    )
    return found or "eTwinning"


def break_glass(turn: Turn, address: str) -> tuple[str, datetime]:
    """A code by which somebody can sign in whom no mail reaches, and until when: the journal keeps that it was
    made, and every coordinator is told.

    It is typed in like one from a mail, in any browser in which a code was asked for with the address.

    Raises:
        NotFound: nobody has the address.
    """
    account = account_of(turn.session, address)
    if account is None:
        raise NotFound(f"Nobody in the registry has the address {address}.")
    attempt = token_hash(secrets.token_urlsafe(32))
    code, until = sign_in_code(turn.key, attempt), turn.now + LASTS
    turn.session.add(
        SignInCode(
            id=attempt,
            address=account.address,
            code_hash=sign_in_code_hash(code),
            how=BREAK_GLASS,
            mailed_at=None,
            asked_at=turn.now,
            expires_at=until,
            failures=0,
            spent_at=None,
        )
    )
    note(turn, None, SYSTEM, Event.BROKE_GLASS, address=account.address, until=until.isoformat())
    message = messages.GlassBroken(
        attempt=attempt,
        organisation_name=organisation_of(turn, account),
        who=account.address,
        at=turn.now,
        until=until,
    )
    for one in turn.session.execute(_COORDINATORS):
        to = Recipient(one.name, one.email, one.language)
        outbox.queue(turn, message, Envelope(to, (one.email,)))
    return code, until


_COORDINATORS = (
    sa.select(Staff.email, Staff.name, Staff.language)
    .where(Staff.role == Role.COORDINATOR)
    .order_by(Staff.email)
)


def check(turn: Turn, token: str, typed: str) -> Proven | WrongCode:
    """Whom a code proves, which is spent with that; or that it was the wrong one.

    Either the code that was mailed for this attempt, or one that was printed on the machine for its address.

    Raises:
        NotAllowed: no code can be typed in any more; a new one is to be asked for.
    """
    asked = turn.session.get(SignInCode, token_hash(token), with_for_update=True)
    if asked is None or asked.spent_at or asked.failures >= TRIES or turn.now >= asked.expires_at:
        raise NotAllowed("This code does not work any more.")
    printed = turn.session.scalars(
        sa.select(SignInCode)
        .where(
            SignInCode.address == asked.address,
            SignInCode.how == BREAK_GLASS,
            SignInCode.spent_at.is_(None),
            SignInCode.expires_at > turn.now,
        )
        .with_for_update()
    ).all()
    given = sign_in_code_hash(typed)
    for one in (asked, *printed):
        if hmac.compare_digest(given, one.code_hash):
            asked.spent_at = one.spent_at = turn.now
            return Proven(asked.address, one.how)
    asked.failures += 1
    return WrongCode(TRIES - asked.failures)


def waits(turn: Turn, token: str) -> SignInCode | None:
    """What was asked for with a token, while its code can still be typed in."""
    asked = turn.session.get(SignInCode, token_hash(token))
    if asked is None or asked.spent_at or asked.failures >= TRIES or turn.now >= asked.expires_at:
        return None
    return asked
