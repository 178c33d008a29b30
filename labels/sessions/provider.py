"""Signing in with an account at an identity provider, as OpenID Connect has it.

The provider's word is taken for who somebody is only once: at the first sign-in of an account, where it has verified
a mail address that one person of the registry has. From then on the account is that person's, whatever mail
address the provider says, since addresses are given to others.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

import sqlalchemy as sa

from labels.errors import NotAllowed
from labels.people.persons import behind, person
from labels.record.schema import Person, ProviderAccount, ProviderAttempt
from labels.sessions.codes import token_hash
from labels.turn import Turn

LASTS = timedelta(minutes=15)
"""How long somebody may take at the provider."""
_KEPT = timedelta(days=1)

PROVIDER = "identity provider"
"""What `SignedIn.how` of whoever signs in so begins with; the issuer follows."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an attempt sends to the provider, and what the answer is held against."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom the provider says that somebody is, from a token whose signature was checked."""

    issuer: str
    subject: str
    address: str = ""
    address_verified: bool = False


def ask(turn: Turn, token: str, then: str) -> Asked:
    """Notes that a browser, which has this token, is sent to the provider."""
    turn.session.execute(sa.delete(ProviderAttempt).where(ProviderAttempt.asked_at < turn.now - _KEPT))
    asked = Asked(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
    turn.session.add(
        ProviderAttempt(
            id=token_hash(token),
            state_hash=token_hash(asked.state),
            nonce=asked.nonce,
            verifier=asked.verifier,
            then=then,
            asked_at=turn.now,
            expires_at=turn.now + LASTS,
            spent_at=None,
        )
    )
    return asked


def answered(turn: Turn, token: str, state: str) -> ProviderAttempt:
    """The attempt that an answer of the provider belongs to, which is spent with that.

    Raises:
        NotAllowed: this browser asked for none, or one that is over or answered already.
    """
    attempt = turn.session.get(ProviderAttempt, token_hash(token), with_for_update=True)
    if (
        attempt is None
        or attempt.spent_at is not None
        or turn.now >= attempt.expires_at
        or not hmac.compare_digest(attempt.state_hash, token_hash(state))
    ):
        raise NotAllowed("This attempt to sign in is over. Begin again.")
    attempt.spent_at = turn.now
    return attempt


class NotKnown(StrEnum):
    """Why nobody is signed in by an account that the provider vouches for."""

    NOT_VERIFIED = "its mail address is not verified"
    NOBODY = "nobody in the registry has its mail address"
    SEVERAL = "several people in the registry have its mail address"


def whose(turn: Turn, claims: Claims) -> Person | NotKnown:
    """The person whose account it is; a new account is bound where that is certain."""
    bound = turn.session.get(ProviderAccount, (claims.issuer, claims.subject), with_for_update=True)
    if bound is not None:
        return person(turn.session, bound.person)
    if not claims.address_verified or not claims.address:
        return NotKnown.NOT_VERIFIED
    people = behind(turn.session, claims.address)
    if len(people) != 1:
        return NotKnown.SEVERAL if people else NotKnown.NOBODY
    [owner] = people
    turn.session.add(
        ProviderAccount(issuer=claims.issuer, subject=claims.subject, person=owner.id, bound_at=turn.now)
    )
    return owner
