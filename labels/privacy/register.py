"""The register of erasures: what is kept beside the record, so that a restore of an earlier copy brings nobody back.

It has ids alone: of an erasure, of the person, of those who were made one with them, and of the installation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.persons import batches
from labels.privacy.subject import Subject, subject_of
from labels.record.chain import ERASED, ERASURE
from labels.record.installation import installation
from labels.record.journal import Event
from labels.record.schema import Journal, Person, PersonMerge

AGAIN = "again"
"""The detail of an entry that names the former erasures which were done again."""
_UNKNOWN = "-"
"""Stands for the installation of a record that was never started."""


class NotedErasure(NamedTuple):
    """That a person's data was erased."""

    erasure: str
    """Its name in the journal: `erasure/…`."""
    person: str
    installation: str
    at: datetime

    def __str__(self) -> str:
        """As it is written down, on one line."""
        return f"{self.erasure} {self.person} {self.installation} {self.at.astimezone(UTC).isoformat()}"


def read(line: str) -> NotedErasure:
    """What a line of the register says.

    Raises:
        ValueError: it says nothing of an erasure.
    """
    erasure, person, of, at = line.split()
    if not erasure.startswith(ERASURE):
        raise ValueError(erasure)
    return NotedErasure(erasure, person, of, datetime.fromisoformat(at))


def noted(session: Session) -> list[NotedErasure]:
    """What the journal tells of erasures: each person, and whoever was made one with them."""
    of = _installation(session)
    gone = _made_one(session)
    return [
        NotedErasure(erasure, person, of, at)
        for at, erasures, told in _told(session)
        for erasure in erasures
        for person in (told, *gone.get(told, ()))
    ]


def to_do_again(
    session: Session, register: Iterable[NotedErasure]
) -> list[tuple[list[NotedErasure], Subject]]:
    """Who was erased, and whose data is here again, since this record knows nothing of that erasure; of several, all.

    Whom the registry's files brought back after an erasure that the record knows is not among them.
    """
    of = _installation(session)
    ours = [one for one in register if _UNKNOWN in (of, one.installation) or of == one.installation]
    here = _not_erased(session, {one.person for one in ours})
    if not here:
        return []
    known = {(one.erasure, one.person) for one in noted(session)}
    found: dict[str, list[NotedErasure]] = defaultdict(list)
    for one in ours:
        if one.person in here and (one.erasure, one.person) not in known:
            found[here[one.person]].append(one)
    return [(found[person], subject_of(session, person)) for person in sorted(found)]


def _not_erased(session: Session, ids: Collection[str]) -> dict[str, str]:
    """Of these ids, those of somebody whose data is there, with the id that they have by now."""
    now = {gone: kept for kept, several in _made_one(session).items() for gone in several if gone in ids}
    now = {one: now.get(one, one) for one in ids}
    there = {
        person
        for some in batches(sorted(set(now.values())))
        for person in session.scalars(sa.select(Person.id).where(Person.id.in_(some), Person.name != ERASED))
    }
    return {one: person for one, person in now.items() if person in there}


def _installation(session: Session) -> str:
    found = installation(session)
    return found.name if found else _UNKNOWN


def _told(session: Session) -> Iterator[tuple[datetime, list[str], str]]:
    """When, which erasures, and of whom, by the journal."""
    rows = session.execute(
        sa.select(Journal.at, Journal.details)
        .where(Journal.what == Event.ERASED_A_PERSON)
        .order_by(Journal.id)
    )
    for at, details in rows:
        [own] = (name for name in details["digests"] if name.startswith(ERASURE))
        yield at, details.get(AGAIN, [own]), details["person"]


def _made_one(session: Session) -> dict[str, list[str]]:
    """Who was made one with whom."""
    found: dict[str, list[str]] = defaultdict(list)
    for gone, kept in session.execute(
        sa.select(PersonMerge.gone, PersonMerge.kept).where(PersonMerge.confirmed_at.is_not(None))
    ):
        found[kept].append(gone)
    return found
