"""Whom a mail goes to: the person behind an address."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy.orm import Session

from labels.people.persons import behind


class Recipient(NamedTuple):
    """Whom a mail goes to."""

    name: str
    address: str
    language: str


def person_named(session: Session, email: str) -> Recipient:
    """The person with that address; one whom nobody knows is called by the address, and spoken to in English."""
    for one in behind(session, email):
        return Recipient(one.name, email, one.language)
    return Recipient(email, email, "en")
