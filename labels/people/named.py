"""The name and language of the person behind an address."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Staff, Teacher


def person_named(session: Session, email: str) -> tuple[str, str]:
    """Name and language of the person with that address; the address itself if unknown."""
    for register in _NAMES:
        if found := session.execute(register, {"email": email}).first():
            return found.name, found.language
    return email, "en"


_NAMES = [
    sa.select(who.name, who.language).where(who.email == sa.bindparam("email")).limit(1)
    for who in (Staff, Teacher)
]
