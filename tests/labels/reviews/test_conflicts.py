"""What the record tells of the people who may judge: their schools, projects, declared conflicts and load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from labels.kinds import LabelKind
from labels.record import Record
from labels.record.schema import (
    Application,
    Conflict,
    Member,
    Organisation,
    Person,
    Project,
    School,
    Staff,
    Teacher,
)
from labels.reviews import conflicts
from labels.reviews.choosing import Candidate
from tests.support.people import NOW

SCHOOLS, PROJECTS, EMAILS = ["S-1", "S-2", "S-3"], ["P-1", "P-2", "P-3"], ["ada@x.example", "bo@x.example"]
HOUSES = ["NSS-PL", "NSS-PT"]


@dataclass(frozen=True)
class World:
    """Who is on the staff, who of them teaches, with whom, and what they declared; no two things alike."""

    staff: dict[tuple[str, str], tuple[str, str | None]]
    """(address, role): organisation and school."""
    teachers: dict[str, tuple[str, str]]
    """Their address and school; an address may be that of several."""
    members: set[tuple[str, str]]
    """(project, teacher)."""
    declared: set[tuple[str, str, str]]
    """(address, kind, target)."""

    def enter(self, session: Session) -> None:
        session.add_all(_organisation(house) for house in HOUSES)
        session.flush()
        session.add_all(_school(school) for school in SCHOOLS)
        session.add_all(_project(project) for project in PROJECTS)
        session.flush()
        session.add_all(_teacher(teacher, *at) for teacher, at in self.teachers.items())
        session.flush()
        session.add_all(
            Member(project=project, teacher=teacher, role="partner", joined_on=date(2025, 9, 1))
            for project, teacher in self.members
        )
        session.add_all(_staff(*who, *where) for who, where in self.staff.items())
        session.flush()
        at = {address: _person(session, address) for address in EMAILS}
        session.add_all(_conflict(at[who], *what) for who, *what in self.declared)
        session.flush()

    def read(self, session: Session, entries: list[tuple[str, str]]) -> dict[str, Candidate]:
        """The same as the record is asked for, by going through everything; `entries` are keys of `staff`."""
        found = {}
        for email in {email for email, _ in entries}:
            own = [self.staff[entry] for entry in entries if entry[0] == email]
            taught = {teacher: school for teacher, (of, school) in self.teachers.items() if of == email}
            person = _person(session, email)
            found[person] = Candidate(
                person=person,
                email=email,
                name=f"The one of {email}",
                language="pl",
                schools=frozenset(school for _, school in own if school) | frozenset(taught.values()),
                projects=frozenset(project for project, teacher in self.members if teacher in taught),
                declared=frozenset((kind, target) for of, kind, target in self.declared if of == email),
                load=0,
                organisations=frozenset(house for house, _ in own),
            )
        return found


@st.composite
def worlds(draw: st.DrawFn) -> World:
    emails = st.sampled_from(EMAILS)
    teachers = draw(
        st.dictionaries(
            st.sampled_from(["T-1", "T-2", "T-3"]),
            st.tuples(emails | st.just("nobody@x.example"), st.sampled_from(SCHOOLS)),
        )
    )
    members: st.SearchStrategy[set[tuple[str, str]]] = st.just(set())
    if teachers:
        members = st.sets(st.tuples(st.sampled_from(PROJECTS), st.sampled_from(sorted(teachers))))
    return World(
        staff=draw(
            st.dictionaries(
                st.tuples(emails, st.sampled_from(["coordinator", "reviewer"])),
                st.tuples(st.sampled_from(HOUSES), st.none() | st.sampled_from(SCHOOLS)),
            )
        ),
        teachers=teachers,
        members=draw(members),
        declared=draw(
            st.sets(
                st.tuples(emails, st.sampled_from(["project", "school"]), st.sampled_from(PROJECTS + SCHOOLS))
            )
        ),
    )


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds())
def test_the_record_tells_of_people_what_going_through_everything_tells(record: Record, world: World) -> None:
    with record.reading() as session:
        world.enter(session)
        everybody = list(world.staff)
        reviewers = [who for who in everybody if who[1] == "reviewer" and world.staff[who][0] == "NSS-PL"]
        people = [_person(session, email) for email in EMAILS]
        assert conflicts.near(session, people) == world.read(session, everybody)
        for email, person in zip(EMAILS, people, strict=True):
            own = world.read(session, [who for who in everybody if who[0] == email])
            assert conflicts.staff(session, person) == own.get(person)
        found = conflicts.candidates(session, Application(organisation="NSS-PL", school_year=2025))
        assert {one.person: one for one in found} == world.read(session, reviewers)
        assert len(found) == len({email for email, _ in reviewers})


@pytest.mark.slow
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_projects_are_not_multiplied_by_conflicts(record: Record) -> None:
    """Twenty reviewers with eighty of both cost what eighty of each cost, and not eighty times that."""
    cost = {of: _cost(record, *of) for of in ((0, 0), (80, 0), (0, 80), (80, 80))}
    alone = cost[80, 0] + cost[0, 80] - cost[0, 0]
    assert cost[80, 80] <= 1.2 * alone


def _cost(record: Record, projects: int, declared: int) -> int:
    """How many instructions of its own SQLite takes to tell of twenty reviewers with so many of each."""
    with record.reading() as session:
        session.add(_organisation("NSS-PL"))
        session.flush()
        session.add(_school("S-1"))
        session.add_all(_project(f"P-{n}") for n in range(projects))
        session.flush()
        for who in (f"r{n}@x.example" for n in range(20)):
            session.add_all([_staff(who, "reviewer", "NSS-PL", None), _teacher(who, who, "S-1")])
            session.flush()
            session.add_all(
                Member(project=f"P-{n}", teacher=who, role="partner", joined_on=date(2025, 9, 1))
                for n in range(projects)
            )
            session.add_all(_conflict(_person(session, who), "project", f"P-{n}") for n in range(declared))
        session.flush()
        application = Application(organisation="NSS-PL", school_year=2025)
        taken, found = _instructions(session, lambda: conflicts.candidates(session, application))
    assert [(len(one.projects), len(one.declared)) for one in found] == [(projects, declared)] * 20
    return taken


def _instructions(session: Session, act: Callable[[], Any]) -> tuple[int, Any]:
    connection: Any = session.connection().connection.driver_connection
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    connection.set_progress_handler(count, 1)
    try:
        result = act()
    finally:
        connection.set_progress_handler(None, 0)
    return taken, result


def _organisation(house: str) -> Organisation:
    return Organisation(
        id=house, country=house[-2:], kind="NSS", name=house, email="nss@x.example", language="en"
    )


def _school(school: str) -> School:
    return School(
        id=school, name=school, country="PL", organisation="NSS-PL", city="Łódź",
        registered_on=date(2015, 1, 1), principal_name="Dyrektor", principal_email="dyrektor@s.example",
    )  # fmt: skip


def _project(project: str) -> Project:
    return Project(id=project, title=project, started_on=date(2025, 9, 1), ended_on=None)


def _teacher(teacher: str, email: str, school: str) -> Teacher:
    return Teacher(
        id=teacher, name=teacher, email=email, school=school, registered_on=date(2015, 1, 1), language="pl"
    )


def _staff(email: str, role: str, house: str, school: str | None) -> Staff:
    return Staff(
        email=email, role=role, name=f"The one of {email}", organisation=house, language="pl", school=school
    )


def _person(session: Session, address: str) -> str:
    """Who of a staff has the address; where nobody has, somebody who left."""
    of_staff = sa.select(Staff.person).where(Staff.email == address)
    if found := session.scalar(of_staff.limit(1)):
        return found
    session.merge(Person(id=f"PER-{address}", name=address, address=address, language="en"))
    session.flush()
    return f"PER-{address}"


def _conflict(person: str, kind: str, target: str) -> Conflict:
    return Conflict(
        person=person, kind=kind, target=target, reason="It is so.", declared_by=person, declared_at=NOW
    )


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_what_an_organisation_puts_forward_is_reviewed_by_nobody(record: Record) -> None:
    nomination = Application(id="NOM-1", label=LabelKind.NOMINATION)
    with record.reading() as session, pytest.raises(ValueError, match="a nomination is not reviewed"):
        conflicts.judged(session, nomination)
