"""Who somebody is to the desk: what the registry says of an address at this moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.persons import who_reads
from labels.people.roles import Role
from labels.record.rows import read
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
    schools: tuple[str, ...] = ()
    """The schools where they teach, and those that they lead."""
    leads: tuple[str, ...] = ()
    """The schools that they are the principal of."""
    reviews_for: tuple[str, ...] = ()
    """The organisations that they review for."""
    coordinates: tuple[str, ...] = ()
    """The organisations that they coordinate, or whose own mail they read."""
    central: bool = False
    """Whether one of those is the Central Support Service."""
    several: tuple[tuple[str, str], ...] = ()
    """Where several people read the mail at this address and none of them was chosen yet: their ids and names."""
    person: str = ""
    """The id of the person; empty while nobody was chosen of several."""

    @property
    def staff(self) -> bool:
        """Whether they work for an organisation."""
        return bool(self.reviews_for or self.coordinates)

    @property
    def roles(self) -> str:
        """All that they may do, in one line, by which a change is noticed."""
        parts = {
            "teacher": self.teachers,
            "reviewer": self.reviews_for,
            "coordinator": self.coordinates,
            "principal": self.leads,
        }
        return ";".join(f"{name}={','.join(who)}" for name, who in parts.items() if who)


def account_of(session: Session, address: str, person: str = "") -> Account | None:
    """Who has an address in the registry, or is asked for something at it; None where nobody does.

    Where several people read the mail there, they say who of them they are, which is `person` from then on: nobody is
    guessed, and until then they are nobody in particular. A person who reads no mail there any more has no account
    at that address.
    """
    return account_among(session, meant(address), who_reads(session, address), person)


def account_among(
    session: Session, address: str, readers: Sequence[sa.Row[Any]], person: str = ""
) -> Account | None:
    """The same, where it is known who reads the mail at an address: their ids, names and languages."""
    people = {one.id: one for one in readers}
    if person not in people:
        if person or not people:
            return None
        if len(people) > 1:
            # Whoever has nothing to do here any more could not be chosen.
            several = tuple(
                (one.id, one.name)
                for one in people.values()
                if account_among(session, address, readers, one.id)
            )
            return Account(address, address, "en", several=several) if several else None
        [person] = people
    whom = {"person": person}
    found: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in read(session, _ROLES, whom):
        found[row.what].append(row)
    if not found and not read(session, _ASKED, whom).first():
        return None
    teachers, staff, own = found["teacher"], found["staff"], found["organisation"]
    leads = tuple(one.id for one in found["school"])
    name, language = people[person].name, people[person].language
    coordinated = [one for one in staff if one.role == Role.COORDINATOR] + own
    return Account(
        address,
        name,
        language,
        teachers=tuple(one.id for one in teachers),
        school=teachers[0].name if teachers else "",
        schools=tuple(dict.fromkeys((*(one.school for one in teachers), *leads))),
        leads=leads,
        reviews_for=tuple(sorted(one.id for one in staff if one.role == Role.REVIEWER)),
        coordinates=tuple(sorted({one.id for one in coordinated})),
        central=any(one.kind == "CSS" for one in coordinated),
        person=person,
    )


_WHOM: sa.BindParameter[str] = sa.bindparam("person")
_NONE = sa.literal_column("NULL", sa.String)


def _role(what: str, *columns: Any) -> sa.Select[Any]:
    """Rows of one table, as the query for all of somebody's roles has them."""
    names = ("id", "school", "name", "role", "kind")
    return sa.select(
        sa.literal_column(f"'{what}'", sa.String).label("what"),
        *(column.label(name) for column, name in zip(columns, names, strict=True)),
    )


_ROLES = sa.union_all(
    _role("teacher", Teacher.id, Teacher.school, School.name, _NONE, _NONE)
    .join(School, School.id == Teacher.school)
    .where(Teacher.person == _WHOM),
    _role("staff", Staff.organisation, _NONE, _NONE, Staff.role, Organisation.kind)
    .join(Organisation, Organisation.id == Staff.organisation)
    .where(Staff.person == _WHOM),
    _role("organisation", Organisation.id, _NONE, _NONE, _NONE, Organisation.kind).where(
        Organisation.person == _WHOM
    ),
    _role("school", School.id, _NONE, _NONE, _NONE, _NONE).where(School.principal == _WHOM),
).order_by("what", "id", "role")
"""All that somebody is, in one query: it is asked at each request."""
_ASKED = sa.select(Step.person).where(Step.person == _WHOM).limit(1)
"""Whoever was a principal is asked to declare still, also where the registry names another one by now."""
