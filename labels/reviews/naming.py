"""Whether a comment names somebody who reviews: the applicant reads it, and does not learn who judged."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.roles import Role
from labels.record.schema import Application, Staff

SHORTEST = 4
"""Letters of a family name that is taken for one where it stands alone: shorter ones are words too often."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the staff, by whom a comment could be recognised."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Named:
    """A place of a text that seems to name somebody."""

    name: str
    """Whose name it is."""
    words: str
    """How the text has it."""


def named_in(session: Session, application: Application, text: str) -> tuple[Named, ...]:
    """Who of the organisation's reviewers a text names.

    All of them are looked for, not only those who review this application: a warning must not tell who they are.
    """
    if not text.strip():
        return ()
    staff = session.execute(_REVIEWERS, {"organisation": application.organisation}).all()
    return named(text, [Person(one.name, one.email) for one in staff])


_REVIEWERS = (
    sa.select(Staff.name, Staff.email)
    .where(Staff.organisation == sa.bindparam("organisation"), Staff.role == Role.REVIEWER)
    .order_by(Staff.email)
)


def named(text: str, people: Iterable[Person]) -> tuple[Named, ...]:
    """Who of these people a text names: by first name and any of the other names in either order, by initial and
    family name, by address, or by the last name alone that is written with a capital. Accents make no difference.

    Of several family names people write the first as often as all (“Rocío Domínguez” is Rocío Domínguez Vega).
    """
    written = _WORD.findall(text)
    plain = [_plain(word) for word in written]
    addresses = text.casefold()
    found = []
    for person in people:
        if person.address.casefold() in addresses:
            found.append(Named(person.name, person.address))
        elif (place := _place(written, plain, person.name)) is not None:
            found.append(Named(person.name, " ".join(written[place])))
    return tuple(found)


_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")


def _plain(word: str) -> str:
    bare = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in bare if not unicodedata.combining(letter))


def _place(written: Sequence[str], plain: Sequence[str], name: str) -> slice | None:
    """Where a text has a name; None where it has not."""
    parts = [_plain(part) for part in _WORD.findall(name)]
    if len(parts) < 2:
        return None  # one word alone, such as “Rose”, is a word
    first, *others = parts
    for at, word in enumerate(plain):
        if word not in others:
            continue
        before, after = plain[at - 1] if at else "", plain[at + 1] if at + 1 < len(plain) else ""
        if before == first or (before == first[0] and len(word) >= SHORTEST):
            return slice(at - 1, at + 1)
        if after == first:
            return slice(at, at + 2)
        if word == others[-1] and len(word) >= SHORTEST and written[at][0] != written[at][0].lower():
            return slice(at, at + 1)
    return None
