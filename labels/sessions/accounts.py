"""Who somebody is to the desk: what the registry says of an address at this moment."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.persons import behind
from labels.people.roles import Role
from labels.record.schema import Organisation, School, Staff, Step, Teacher
from labels.words.addresses import meant


@dataclass(frozen=True, slots=True)
class Account:
    """A person who can sign in, and what they may do now."""

    address: str
    name: str
    language: str
    teachers: tuple[str, ...] = ()
    """The teachers of the registry with this address: one, save where two share an address."""
    school: str = ""
    """The name of the school where they teach."""
    reviews_for: tuple[str, ...] = ()
    """The organisations that they review for."""
    coordinates: tuple[str, ...] = ()
    """The organisations that they coordinate, or whose own mail they read."""
    central: bool = False
    """Whether one of those is the Central Support Service."""
    several: tuple[tuple[str, str], ...] = ()
    """Where several people read the mail at this address and none of them was chosen yet: their ids and names."""
    persons: tuple[str, ...] = ()
    """The ids of the person that it is."""

    @property
    def staff(self) -> bool:
        """Whether they work for an organisation."""
        return bool(self.reviews_for or self.coordinates)

    @property
    def roles(self) -> str:
        """All that they may do, in one line, by which a change is noticed."""
        parts = {"teacher": self.teachers, "reviewer": self.reviews_for, "coordinator": self.coordinates}
        return ";".join(f"{name}={','.join(who)}" for name, who in parts.items() if who)


def account_of(session: Session, address: str, person: str = "") -> Account | None:
    """Who has an address in the registry, or is asked for something at it; None where nobody does.

    Where several people read the mail there, `person` is the one that they chose to be: nobody is guessed, and
    until then they are nobody in particular.
    """
    address = meant(address)
    people = {one.id: one for one in behind(session, address)}
    if len(people) > 1 and person not in people:
        several = tuple((one.id, one.name) for one in people.values())
        return Account(address, address, "en", several=several)
    whom = {"persons": [person] if len(people) > 1 else list(people)}
    teachers = session.execute(_TEACHERS, whom).all()
    staff = session.execute(_STAFF, whom).all()
    own = session.execute(_ORGANISATIONS, whom).all()
    known: list[str] = [one.person for rows in (staff, teachers, own) for one in rows]
    known = known or list(session.scalars(_ASKED, whom))
    if not known:
        return None
    name, language = people[known[0]].name, people[known[0]].language
    coordinated = [one for one in staff if one.role == Role.COORDINATOR] + list(own)
    return Account(
        address,
        name,
        language,
        teachers=tuple(one.id for one in teachers),
        school=teachers[0].school if teachers else "",
        reviews_for=tuple(sorted(one.organisation for one in staff if one.role == Role.REVIEWER)),
        coordinates=tuple(sorted({one.organisation for one in coordinated})),
        central=any(one.kind == "CSS" for one in coordinated),
        persons=tuple(whom["persons"]),
    )


_PERSONS: sa.BindParameter[str] = sa.bindparam("persons", expanding=True)
_TEACHERS = (
    sa.select(Teacher.id, Teacher.person, School.name.label("school"))
    .join(School, School.id == Teacher.school)
    .where(Teacher.person.in_(_PERSONS))
    .order_by(Teacher.id)
)
_STAFF = (
    sa.select(Staff.person, Staff.role, Staff.organisation, Organisation.kind)
    .join(Organisation, Organisation.id == Staff.organisation)
    .where(Staff.person.in_(_PERSONS))
    .order_by(Staff.role)
)
_ORGANISATIONS = sa.select(
    Organisation.person, Organisation.id.label("organisation"), Organisation.kind
).where(Organisation.person.in_(_PERSONS))
_ASKED = sa.select(Step.person).where(Step.person.in_(_PERSONS)).limit(1)
"""A principal is in no list of people, but is asked to declare."""
