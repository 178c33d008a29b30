"""The register of erasures: what is kept beside the record, so that a restore of an earlier copy brings nobody back.

It has ids alone: of an erasure, of the person, of those who were made one with them, and of the installation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from labels.errors import NotAllowed
from labels.people.persons import batches
from labels.privacy.subject import Subject, subject_of
from labels.record.chain import ERASED, ERASURE
from labels.record.installation import installation
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import (
    FormerErasure,
    FormerErasureState,
    Journal,
    Person,
    PersonMerge,
)
from labels.turn import Turn

AGAIN = "again"
"""The detail of an entry that names the former erasures which were done again."""


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
    of = installation(session).name
    gone = _made_one(session)
    return [
        NotedErasure(erasure, person, of, at)
        for at, erasures, told in _told(session)
        for erasure in erasures
        for person in (told, *gone.get(told, ()))
    ]


@dataclass(frozen=True, slots=True)
class Back:
    """Somebody who was erased, and whose data is here again."""

    former: tuple[NotedErasure, ...]
    """All erasures of theirs that this record does not know."""
    subject: Subject
    deferred: bool
    """Whether an operator lets the services run until it can be done again."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What a register tells that the journal of this record does not know."""

    back: tuple[Back, ...]
    """Who is to be erased again."""
    absent: tuple[NotedErasure, ...]
    """Erasures of people whose data is not here: to be noted, so that whoever gets the id later is not erased."""


def compare(session: Session, register: Iterable[NotedErasure]) -> Compared:
    """Holds a register against this record; of another installation's erasures nothing is taken.

    Whom the registry's files brought back after an erasure that the record knows, or after it was first compared
    with the register, is not among those who are back.
    """
    of = installation(session).name
    ours = [one for one in register if one.installation == of]
    if not ours:
        return Compared((), ())
    known = {(one.erasure, one.person) for one in noted(session)}
    states = {(one.erasure, one.person): one.state for one in session.scalars(sa.select(FormerErasure))}
    known |= {key for key, state in states.items() if state is FormerErasureState.ABSENT}
    fresh = [one for one in ours if (one.erasure, one.person) not in known]
    here = _not_erased(session, {one.person for one in fresh})
    found: dict[str, list[NotedErasure]] = defaultdict(list)
    for one in fresh:
        if one.person in here:
            found[here[one.person]].append(one)
    back = [
        Back(
            tuple(former),
            subject_of(session, person),
            all((one.erasure, one.person) in states for one in former),
        )
        for person, former in sorted(found.items())
    ]
    return Compared(tuple(back), tuple(one for one in fresh if one.person not in here))


def note_absent(turn: Turn, erasures: Iterable[NotedErasure]) -> None:
    """Notes for good that these people were not here when the record first heard that they were erased."""
    _note(turn, erasures, FormerErasureState.ABSENT)


def defer(turn: Turn, back: Back, reason: str) -> None:
    """Lets the services run although somebody's data is here again; it is erased once it can be.

    Raises:
        NotAllowed: that was said already.
    """
    if back.deferred:
        raise NotAllowed(f"The erasure of {back.subject.person} is deferred already.")
    _note(turn, back.former, FormerErasureState.DEFERRED)
    note(turn, None, SYSTEM, Event.DEFERRED_AN_ERASURE, person=back.subject.person, because=reason)


def _note(turn: Turn, erasures: Iterable[NotedErasure], state: FormerErasureState) -> None:
    rows: list[dict[str, Any]] = [
        {"erasure": one.erasure, "person": one.person, "state": state, "noted_at": turn.now}
        for one in erasures
    ]
    dialect = postgresql if turn.session.get_bind().dialect.name == "postgresql" else sqlite
    # Another process may have noted the same.
    turn.session.execute(dialect.insert(FormerErasure).on_conflict_do_nothing(), rows)


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
