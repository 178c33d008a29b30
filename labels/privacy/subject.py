"""A person as one who asks about their data: by what the record knows them, and what in it is theirs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import NotAllowed, NotFound
from labels.kinds import LabelKind
from labels.people.persons import behind, surviving
from labels.record.chain import ERASED
from labels.record.schema import (
    Address,
    Application,
    Award,
    FormerSchool,
    FormerStaff,
    FormerStaffSchool,
    Member,
    Person,
    School,
    Staff,
    Step,
    Teacher,
)
from labels.registry.history import all_numbers


@dataclass(frozen=True, slots=True)
class Subject:
    """A person, with all that the record finds them by."""

    person: str
    """`PER-…`."""
    name: str
    names: frozenset[str]
    """As they are written anywhere in the registry."""
    addresses: frozenset[str]
    """Present and former ones that are theirs alone."""
    shared: frozenset[str]
    """Those that somebody else reads, too: what is known by such an address may be the other's."""
    teachers: frozenset[str]
    applications: frozenset[str]
    """Theirs, as a teacher's."""
    awards: frozenset[str]
    is_staff: bool
    leads: tuple[str, ...]
    """The schools that they are the principal of."""

    @property
    def is_erased(self) -> bool:
        """Whether their data was erased already."""
        return self.name == ERASED

    def is_behind(self, address: str | None) -> bool:
        """Whether an address is theirs alone."""
        return address is not None and address.lower() in self.addresses


def find(session: Session, typed: str) -> Subject:
    """The person whom somebody names by their id, an address of theirs, or a teacher's number.

    Raises:
        NotFound: nobody is known by it.
        NotAllowed: several people are; says who, by their ids.
    """
    found = _ids(session, typed.strip())
    if not found:
        raise NotFound(f"Nobody is known as {typed}.")
    if len(found) > 1:
        raise NotAllowed(f"{typed} is read by several people: {', '.join(sorted(found))}. Say which.")
    return subject_of(session, found.pop())


def _ids(session: Session, typed: str) -> set[str]:
    if session.get(Person, known := surviving(session, typed)) is not None:
        return {known}
    if "@" in typed:
        former = sa.select(Address.person).where(Address.address == typed.lower())
        return {one.id for one in behind(session, typed)} or set(session.scalars(former))
    teacher = session.get(Teacher, typed)
    return {teacher.person} if teacher else set()


def subject_of(session: Session, person_id: str) -> Subject:
    """The person of that id, with all that is theirs."""
    person = session.get_one(Person, person_id)
    teachers = session.scalars(sa.select(Teacher).where(Teacher.person == person_id)).all()
    staff = [
        *session.scalars(sa.select(Staff).where(Staff.person == person_id)),
        *session.scalars(sa.select(FormerStaff).where(FormerStaff.person == person_id)),
    ]
    schools = session.scalars(
        sa.select(School).where(School.principal == person_id).order_by(School.id)
    ).all()
    others = session.scalars(sa.select(Address.address).where(Address.person == person_id))
    addresses = {person.address, *others, *(one.email for one in teachers), *(one.email for one in staff)}
    addresses |= {one.principal_email for one in schools}
    addresses = {one.lower() for one in addresses} - {"", ERASED}
    shared = {one for one in addresses if _is_read_by_others(session, one, person_id)}
    numbers = frozenset(one.id for one in teachers)
    names = {
        person.name,
        *(one.name for one in teachers),
        *(one.name for one in staff),
        *(one.principal_name for one in schools),
    }
    return Subject(
        person=person_id,
        name=person.name,
        names=frozenset(names - {"", ERASED}),
        addresses=frozenset(addresses - shared),
        shared=frozenset(shared),
        teachers=numbers,
        applications=frozenset(
            session.scalars(
                sa.select(Application.id).where(
                    Application.teacher.in_(numbers), Application.label == LabelKind.NATIONAL
                )
            )
        ),
        awards=frozenset(session.scalars(sa.select(Award.id).where(Award.teacher.in_(numbers)))),
        is_staff=bool(staff),
        leads=tuple(one.id for one in schools),
    )


def schools_of(session: Session, people: Collection[str]) -> frozenset[str]:
    """The schools in which some people teach or taught, and those that they lead, each under all of its numbers."""
    teachers = sa.select(Teacher.id).where(Teacher.person.in_(people))
    schools: sa.CompoundSelect[Any] = sa.union(
        sa.select(Teacher.school).where(Teacher.person.in_(people)),
        sa.select(FormerSchool.school).where(FormerSchool.teacher.in_(teachers)),
        sa.select(Member.school).where(Member.teacher.in_(teachers), Member.school.is_not(None)),
        sa.select(School.id).where(School.principal.in_(people)),
        sa.select(Staff.school).where(Staff.person.in_(people), Staff.school.is_not(None)),
        sa.select(FormerStaffSchool.school).where(FormerStaffSchool.person.in_(people)),
    )
    [numbers] = all_numbers(session, set(session.scalars(schools)))
    return numbers


def schools_applications(session: Session, people: Collection[str]) -> sa.Select[tuple[str]]:
    """SQL for the schools' applications in which some people may be named: those of `schools_of`, and those in which
    they were asked for something."""
    asked = sa.select(Step.application).where(Step.person.in_(people))
    return sa.select(Application.id).where(
        Application.label == LabelKind.SCHOOL,
        sa.or_(Application.school.in_(schools_of(session, people)), Application.id.in_(asked)),
    )


def _is_read_by_others(session: Session, address: str, person_id: str) -> bool:
    present = sa.select(Person.id).where(Person.address == address, Person.id != person_id).limit(1)
    another = (
        sa.select(Address.person).where(Address.address == address, Address.person != person_id).limit(1)
    )
    return session.scalar(present) is not None or session.scalar(another) is not None
