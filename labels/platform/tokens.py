"""Tokens by which an organisation's platform calls the HTTP API: shown once, and kept as a digest."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import brussels_day
from labels.errors import Fault, InvalidInput, NotAllowed, NotFound
from labels.people.staff import known_organisation
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Organisation, PlatformToken
from labels.turn import Turn
from labels.words.text import has_words, one_line

MARK = "labels_"
"""What every token begins with, so that searches for secrets find one that was published by mistake."""
LONGEST_LIFE = 2
"""Years; then a new one is made, and whoever had the old one has nothing."""
LONGEST_PURPOSE = 100
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_NUMBER = 8
_SECRET = 43
"""Letters of 256 random bits."""
LENGTH = len(MARK) + _NUMBER + 1 + _SECRET
_NOBODYS = hashlib.sha256(b"nobody's").hexdigest()
"""Compared with where there is no such token, so that a refusal takes as long."""


class TokenScope(StrEnum):
    """What a token allows."""

    REGISTRY_WRITE = "registry:write"
    """To bring rows of the organisation into the registry."""
    CASES_READ = "cases:read"
    """To read where the organisation's applications stand."""
    CHANGES_READ = "changes:read"
    """To read what happened to them."""
    WEBHOOKS_WRITE = "webhooks:write"
    """To say where the platform is told of it."""


@dataclass(frozen=True, slots=True)
class Made:
    """A new token; `text` is nowhere else."""

    text: str
    row: PlatformToken


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever has a token that counts: a program of an organisation."""

    token: str
    """The token's number, never the token."""
    organisation: str
    central: bool
    """Whether that is the Central Support Service, which sees the cases of all."""
    scopes: frozenset[TokenScope]
    used_on: date | None

    @property
    def organisations(self) -> frozenset[str] | None:
        """Whose cases it sees; None for those of all."""
        return None if self.central else frozenset((self.organisation,))


def make(turn: Turn, organisation: str, scopes: Collection[TokenScope], purpose: str, until: date) -> Made:
    """A new token of an organisation, good to the end of a day.

    Raises:
        NotFound: there is no such organisation.
        InvalidInput: it has no scope or no purpose, or that day is past or too far ahead.
    """
    known_organisation(turn.session, organisation)
    today = brussels_day(turn.now)
    faults = []
    if not scopes:
        expected = f"is needed; expected one or more of {', '.join(TokenScope)}."
        faults.append(Fault("scope", expected))
    if not has_words(purpose):
        faults.append(Fault("purpose", "is needed: which program has it, and what for."))
    if not today <= until <= _latest(today):
        wrong = "is past" if until < today else f"is more than {LONGEST_LIFE} years ahead"
        faults.append(Fault("until", f"{until} {wrong}; expected {today} to {_latest(today)}."))
    if faults:
        raise InvalidInput("token", faults)
    number = "".join(secrets.choice(_ALPHABET) for _ in range(_NUMBER))
    text = f"{MARK}{number}_{secrets.token_urlsafe(32)}"
    row = PlatformToken(
        id=number,
        token_hash=digest_of(text),
        organisation=organisation,
        scopes=" ".join(sorted(set(scopes))),
        purpose=one_line(purpose, LONGEST_PURPOSE),
        made_at=turn.now,
        expires_on=until,
        used_on=None,
        ended_at=None,
    )
    turn.session.add(row)
    note(
        turn, None, SYSTEM, Event.MADE_A_TOKEN,
        token=number, organisation=organisation, scopes=row.scopes, until=until.isoformat(),
    )  # fmt: skip
    return Made(text, row)


def _latest(today: date) -> date:
    """The same day two years ahead, or 28 February."""
    is_leap_day = (today.month, today.day) == (2, 29)
    return today.replace(year=today.year + LONGEST_LIFE, day=28 if is_leap_day else today.day)


def listed(session: Session, organisation: str = "") -> Sequence[PlatformToken]:
    """All tokens, or those of an organisation, the newest first; those that have ended too."""
    query = sa.select(PlatformToken).order_by(PlatformToken.made_at.desc(), PlatformToken.id)
    if organisation:
        known_organisation(session, organisation)
        query = query.where(PlatformToken.organisation == organisation)
    return session.scalars(query).all()


def end(turn: Turn, number: str) -> PlatformToken:
    """Ends a token at once; whoever has only the token itself may give that for its number.

    Raises:
        NotFound: there is none of that number.
        NotAllowed: it has ended already.
    """
    number = number[len(MARK) : len(MARK) + _NUMBER] if number.startswith(MARK) else number
    row = turn.session.get(PlatformToken, number, with_for_update=True)
    if row is None:
        # What is longer than a number may be secret.
        raise NotFound(f"There is no token {number if len(number) <= _NUMBER else 'of that number'}.")
    if row.ended_at:
        raise NotAllowed(f"The token {number} was ended already.")
    row.ended_at = turn.now
    note(turn, None, SYSTEM, Event.ENDED_A_TOKEN, token=number, organisation=row.organisation)
    return row


def counts(row: PlatformToken, now: datetime) -> bool:
    """Whether a token still allows anything."""
    return row.ended_at is None and brussels_day(now) <= row.expires_on


def caller_with(session: Session, text: str, now: datetime) -> Caller | None:
    """Who has a token; None where it is none, has run out or was ended.

    It is found by its number, which is no secret; its digest is compared in a time that does not depend on it.
    """
    number = (
        text[len(MARK) : len(MARK) + _NUMBER]
        if len(text) == LENGTH and text.isascii() and text.isprintable()
        else ""
    )
    found = session.execute(_FOUND, {"number": number}).first()
    row, kind = (found.PlatformToken, found.kind) if found else (None, "")
    same = hmac.compare_digest(row.token_hash if row else _NOBODYS, digest_of(text))
    if row is None or not same or not counts(row, now):
        return None
    scopes = frozenset(TokenScope(one) for one in row.scopes.split())
    return Caller(row.id, row.organisation, kind == "CSS", scopes, row.used_on)


_FOUND = (
    sa.select(PlatformToken, Organisation.kind)
    .join(Organisation, Organisation.id == PlatformToken.organisation)
    .where(PlatformToken.id == sa.bindparam("number"))
)


def note_used(turn: Turn, number: str) -> None:
    """Keeps the day on which a token was used last."""
    today = brussels_day(turn.now)
    turn.session.execute(
        sa.update(PlatformToken)
        .where(
            PlatformToken.id == number,
            sa.or_(PlatformToken.used_on.is_(None), PlatformToken.used_on < today),
        )
        .values(used_on=today)
        .execution_options(synchronize_session=False)
    )


def digest_of(text: str) -> str:
    """What the record keeps of a token: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
