"""Whom a mail goes to."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy.orm import Session

from labels.people.persons import person
from labels.record.schema import Person


class Recipient(NamedTuple):
    """Whom a mail goes to."""

    name: str
    address: str
    language: str
    person: str | None = None
    """Who that is; none where the address itself is meant, whoever reads it."""

    @classmethod
    def of(cls, one: Person) -> Recipient:
        """A person at their present address, in their own name and language."""
        return cls(one.name, one.address, one.language, one.id)


def recipient(session: Session, person_id: str) -> Recipient:
    """The person of that id, as mail reaches them now."""
    return Recipient.of(person(session, person_id))
