"""How a person proves who they are: with a one-time code, or by being signed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from labels.people.persons import behind, reads
from labels.record.schema import Step
from labels.steps.codes import code_matches
from labels.words.addresses import meant


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code from a mail."""

    code: str = field(repr=False)
    email: str | None = None
    """Who the person says to be; None where the code alone tells (Prefect's Resume form)."""

    @property
    def claimed(self) -> str | None:
        """The address that the person claims, as the record writes it; it proves nothing."""
        return meant(self.email) if self.email is not None else None

    @property
    def known_by(self) -> str:
        """How the person is known, for the journal."""
        return "code"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session in which a person has signed in; whoever makes one has checked it."""

    person: str
    """The id of the person: one of several who share a mailbox is nobody else of them."""
    how: str
    """By which means, e.g. `mail code`, `oidc`, `passkey`."""
    at: datetime
    """When they signed in."""

    @property
    def known_by(self) -> str:
        """How the person is known, for the journal."""
        return self.how


Proof = Code | SignedIn
"""What comes with every act of a person. Another way to sign in makes a `SignedIn`, and nothing else changes."""


def proves(session: Session, proof: Proof, step: Step) -> bool:
    """Whether the proof is that of the person whom the step awaits."""
    if isinstance(proof, SignedIn):
        return proof.person == step.person
    if not code_matches(proof.code, step.code_hash):
        return False
    address = proof.claimed
    return address is None or address == step.assignee or reads(session, step.person, address)


def who_may_be_meant(session: Session, proof: Proof) -> list[str]:
    """The ids of the people whose proof it may be: the one who is signed in, or all who read the address that is
    claimed with a code; nobody where none is claimed."""
    if isinstance(proof, SignedIn):
        return [proof.person]
    return [one.id for one in behind(session, proof.claimed)] if proof.claimed else []
