"""How a person proves who they are: with a one-time code, or by being signed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from labels.people.persons import reads
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
    """The address that they signed in with: whoever reads it is meant, one person or several who share it."""
    how: str
    """By which means, e.g. `mail code`, `oidc`, `passkey`."""
    at: datetime
    """When they signed in."""

    @property
    def claimed(self) -> str:
        """The person's address, as the record writes it."""
        return self.person.lower()

    @property
    def known_by(self) -> str:
        """How the person is known, for the journal."""
        return self.how


Proof = Code | SignedIn
"""What comes with every act of a person. Another way to sign in makes a `SignedIn`, and nothing else changes."""


def proves(session: Session, proof: Proof, step: Step) -> bool:
    """Whether the proof is that of the person whom the step awaits."""
    if isinstance(proof, Code) and not code_matches(proof.code, step.code_hash):
        return False
    return claims(session, proof.claimed, step)


def claims(session: Session, claimed: str | None, step: Step) -> bool:
    """Whether a claimed address is one of the person's whom the step awaits; it is where none is claimed."""
    if claimed in (None, step.assignee):
        return True
    return reads(session, step.person, claimed or "")
