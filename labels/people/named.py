"""Whom a mail goes to: the person behind an address."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Staff, Teacher


class Recipient(NamedTuple):
    """Whom a mail goes to."""

    name: str
    address: str
    language: str


def person_named(session: Session, email: str) -> Recipient:
    """The person with that address; one whom nobody knows is called by the address, and spoken to in English."""
    for register in _NAMES:
        if found := session.execute(register, {"email": email}).first():
            return Recipient(found.name, email, found.language)
    return Recipient(email, email, "en")


_NAMES = [
    sa.select(who.name, who.language).where(who.email == sa.bindparam("email")).limit(1)
    for who in (Staff, Teacher)
]
