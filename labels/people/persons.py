"""Persons: who is behind an address, how they are written to, and what they are.

A person has an id of their own. What the registry's rows, steps, mail and the journal know of them is that
id; names, languages and addresses are in the tables `person` and `address` alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import NotAllowed, NotFound
from labels.record.rows import read
from labels.record.schema import Address, Organisation, Person, PersonMerge, School, Staff, Teacher
from labels.words.addresses import meant

T = TypeVar("T")


def behind(session: Session, address: str) -> list[Person]:
    """The people who read the mail at an address, by their ids; several where they share a mailbox.

    An address that somebody had formerly is theirs no longer.
    """
    return list(session.scalars(_BEHIND, {"address": meant(address)}))


def who_reads(session: Session, address: str) -> Sequence[sa.Row[Any]]:
    """The same people with their names and languages alone."""
    return read(session, _WHO_READS, {"address": meant(address)}).all()


def reads(session: Session, person_id: str, address: str) -> bool:
    """Whether a person is among those who read the mail at an address."""
    return person_id in {one.id for one in behind(session, address)}


def named(session: Session, typed: str) -> Person | None:
    """The person whom somebody names by an address, or by `PER-…` where several read it; None for nobody.

    Raises:
        NotAllowed: several people read the mail there; names them.
    """
    people = {one.id: one for one in behind(session, typed)}
    if len(people) > 1:
        who = ", ".join(f"{one.name} ({one.id})" for one in people.values())
        raise NotAllowed(f"Several people read {meant(typed)}: {who}. Name one of them by that id.")
    return next(iter(people.values()), None) or session.get(Person, surviving(session, typed.strip()))


def readers_of(address: sa.ColumnElement[str]) -> sa.Subquery:
    """The ids of those who read the mail at an address, for a query; each half of it is found by an index."""
    now = sa.select(Person.id).where(Person.address == address)
    still = sa.select(Address.person).where(Address.address == address, Address.until.is_(None))
    return now.union(still).subquery()


_READERS = readers_of(sa.bindparam("address", type_=sa.Text()))
_BEHIND = sa.select(Person).join(_READERS, _READERS.c.id == Person.id).order_by(Person.id)
_WHO_READS = (
    sa.select(Person.id, Person.name, Person.language)
    .join(_READERS, _READERS.c.id == Person.id)
    .order_by(Person.id)
)


def person(session: Session, person_id: str) -> Person:
    """The person of that id, with their name, present address and language.

    Raises:
        NotFound: there is none.
    """
    found = session.get(Person, person_id) or session.get(Person, surviving(session, person_id))
    if found is None:
        raise NotFound(f"There is no person {person_id}.")
    return found


def surviving(session: Session, person_id: str) -> str:
    """The id of the person that somebody of that id is by now: of two who were made one, the one that stayed."""
    kept = session.scalar(
        sa.select(PersonMerge.kept).where(
            PersonMerge.gone == person_id, PersonMerge.confirmed_at.is_not(None)
        )
    )
    return kept or person_id


def addresses(session: Session, person_id: str) -> list[str]:
    """Every address that is a person's: the present one first, then others that they still read."""
    others = session.scalars(
        sa.select(Address.address)
        .where(Address.person == person_id, Address.until.is_(None))
        .order_by(Address.address)
    )
    return [person(session, person_id).address, *others]


def former_addresses(session: Session, person_id: str) -> list[str]:
    """The addresses that a person had once, the latest first."""
    return list(
        session.scalars(
            sa.select(Address.address)
            .where(Address.person == person_id, Address.until.is_not(None))
            .order_by(Address.until.desc(), Address.address)
        )
    )


class Capacity(StrEnum):
    """In which capacity the registry knows a person."""

    REVIEWER = "reviewer"
    COORDINATOR = "coordinator"
    ORGANISATION = "organisation"
    """Reads the mail at an organisation's own address, and coordinates it so."""
    TEACHER = "teacher"
    PRINCIPAL = "principal"


class Held(NamedTuple):
    """A capacity, and where it is held."""

    capacity: Capacity
    at: str
    """The organisation of its staff, the school of a teacher or principal."""
    teacher: str | None = None
    """The teacher's id in the registry."""


def roles(session: Session, person_id: str) -> list[Held]:
    """What a person is by the registry: staff of organisations, a teacher, a principal; nothing for somebody
    whom it no longer names."""
    return roles_of(session, [person_id])[person_id]


def roles_of(session: Session, persons: Collection[str]) -> dict[str, list[Held]]:
    """The same of several people, a few hundred at a time, each with at least an empty list."""
    held: dict[str, list[Held]] = {one: [] for one in persons}
    for some in batches(list(held)):
        whom = {"persons": some}
        for person_id, role, at in session.execute(_STAFF, whom):
            held[person_id].append(Held(Capacity(role), at))
        for person_id, at in session.execute(_ORGANISATIONS, whom):
            held[person_id].append(Held(Capacity.ORGANISATION, at))
        for person_id, at, teacher in session.execute(_TEACHERS, whom):
            held[person_id].append(Held(Capacity.TEACHER, at, teacher))
        for person_id, at in session.execute(_SCHOOLS, whom):
            held[person_id].append(Held(Capacity.PRINCIPAL, at))
    return held


def batches(values: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """The values by the few hundred, as many as a question to the record may name."""
    return (values[first : first + size] for first in range(0, len(values), size))


_WHOM: sa.BindParameter[list[str]] = sa.bindparam("persons", expanding=True)
_STAFF = (
    sa.select(Staff.person, Staff.role, Staff.organisation)
    .where(Staff.person.in_(_WHOM))
    .order_by(Staff.organisation, Staff.role)
)
_ORGANISATIONS = (
    sa.select(Organisation.person, Organisation.id)
    .where(Organisation.person.in_(_WHOM))
    .order_by(Organisation.id)
)
_TEACHERS = (
    sa.select(Teacher.person, Teacher.school, Teacher.id)
    .where(Teacher.person.in_(_WHOM))
    .order_by(Teacher.id)
)
_SCHOOLS = sa.select(School.principal, School.id).where(School.principal.in_(_WHOM)).order_by(School.id)
