"""Reads from the record who may judge an application, and what might stand between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import Session

from labels.kinds import KINDS, Applicant
from labels.people.persons import person
from labels.people.roles import Role
from labels.record.schema import (
    Application,
    Conflict,
    Instant,
    Member,
    Organisation,
    Person,
    School,
    Staff,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.reviews.choosing import Candidate, Judged
from labels.turn import Turn

# Built once: they are asked at every turn, and building a query takes longer than running it.
_AROUND = (
    sa.select(Teacher.id, Teacher.name, Person.address, Teacher.school, Member.project)
    .join(Member, Member.teacher == Teacher.id)
    .join(Person, Person.id == Teacher.person)
    .where(sa.or_(Member.project == sa.bindparam("project"), Member.teacher == sa.bindparam("teacher")))
)


def _close_to(condition: sa.ColumnElement[bool]) -> sa.CompoundSelect[Any]:
    """The staff under a condition, with their projects and declared conflicts, as rows below one another.

    Joined side by side, each project would come with each conflict: rows by multiplication. Who shares an
    address with a teacher may be that teacher, so what is close to either counts.
    """
    people = sa.select(Staff).where(condition).cte("people")
    who, no = people.c, sa.null()
    own, sharing = orm.aliased(Person), orm.aliased(Person)
    return sa.union_all(
        sa.select(
            who.person,
            own.address,
            who.name,
            who.language,
            who.organisation,
            who.school,
            no.label("project"),
            no.label("kind"),
            no.label("target"),
        ).join(own, own.id == who.person),
        sa.select(who.person, no, no, no, no, Teacher.school, Member.project, no, no)
        .join(own, own.id == who.person)
        .join(sharing, sharing.address == own.address)
        .join(Teacher, Teacher.person == sharing.id)
        .outerjoin(Member, Member.teacher == Teacher.id),
        sa.select(who.person, no, no, no, no, no, no, Conflict.kind, Conflict.target)
        .join(own, own.id == who.person)
        .join(sharing, sharing.address == own.address)
        .join(Conflict, Conflict.person == sharing.id),
    )


_REVIEWERS = _close_to(
    sa.and_(Staff.organisation == sa.bindparam("organisation"), Staff.role == Role.REVIEWER)
)
_PEOPLE = _close_to(Staff.person.in_(sa.bindparam("persons", expanding=True)))
_LOADS = (
    sa.select(Step.person, sa.func.count().label("asked"))
    .join(Application, Application.id == Step.application)
    .where(
        Step.person.in_(sa.bindparam("persons", expanding=True)),
        Step.kind == StepKind.REVIEW,
        Step.state.in_([StepState.OPEN, StepState.ASKED, StepState.ANSWERED]),
        Application.school_year == sa.bindparam("year"),
    )
    .group_by(Step.person)
)


def judged(session: Session, application: Application) -> Judged:
    """Whom and what an application is about.

    Raises:
        ValueError: an organisation's is reviewed by nobody.
    """
    match KINDS[application.label].applicant:
        case Applicant.TEACHER:
            return _judged_teacher(session, application)
        case Applicant.SCHOOL:
            return _judged_school(session, application)
    raise ValueError(f"{application.id}: a {application.label} is not reviewed")


def _judged_teacher(session: Session, application: Application) -> Judged:
    applicant = session.get_one(Teacher, application.teacher)
    rows = session.execute(_AROUND, {"project": application.project, "teacher": application.teacher}).all()
    members = [row for row in rows if row.project == application.project]
    return Judged(
        applicant_email=person(session, applicant.person).address,
        applicant_name=applicant.name,
        school=application.school,
        project=application.project or "",
        project_schools=frozenset(member.school for member in members),
        member_names=frozenset(member.name for member in members),
        member_emails=frozenset(member.address for member in members),
        shared_projects=frozenset(row.project for row in rows if row.id == applicant.id),
        teachers=frozenset(member.id for member in members) | {applicant.id},
    )


def _judged_school(session: Session, application: Application) -> Judged:
    """A school's application is about all who teach there, and about its principal."""
    school = session.get_one(School, application.school)
    teachers = session.execute(
        sa.select(Teacher.id, Teacher.name, Person.address)
        .join(Person, Person.id == Teacher.person)
        .where(Teacher.school == school.id)
    ).all()
    return Judged(
        applicant_email=person(session, school.principal).address,
        applicant_name=school.principal_name,
        school=school.id,
        project="",
        project_schools=frozenset({school.id}),
        member_names=frozenset(one.name for one in teachers),
        member_emails=frozenset(one.address for one in teachers),
        shared_projects=frozenset(),
        teachers=frozenset(one.id for one in teachers),
    )


def candidates(session: Session, application: Application) -> list[Candidate]:
    """The reviewers of the application's organisation, with what they are close to and their load.

    On PostgreSQL the organisation's row is locked until the end of the transaction, so that two
    applications that are assigned at once see each other's choice; on SQLite the transaction is
    alone anyhow.
    """
    if session.get_bind().dialect.name != "sqlite":
        session.get_one(Organisation, application.organisation, with_for_update=True)
    reviewers = _read(session, _REVIEWERS, organisation=application.organisation)
    counted = session.execute(_LOADS, {"persons": list(reviewers), "year": application.school_year})
    loads = {row.person: row.asked for row in counted}
    return [replace(one, load=loads.get(one.person, 0)) for one in reviewers.values()]


def staff(session: Session, person_id: str) -> Candidate | None:
    """A person who is on the staff of any organisation; None where they are on none (any more)."""
    return _read(session, _PEOPLE, persons=[person_id]).get(person_id)


def near(session: Session, persons: Collection[str]) -> dict[str, Candidate]:
    """These people with what they are close to, whatever their role is now; who is on no staff is left out."""
    return _read(session, _PEOPLE, persons=list(persons)) if persons else {}


def _read(session: Session, query: sa.Executable, **whom: Any) -> dict[str, Candidate]:
    people: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in session.execute(query, whom):
        people[row.person].append(row)
    return {person_id: _candidate(person_id, rows) for person_id, rows in people.items()}


def _candidate(person_id: str, rows: Sequence[sa.Row[Any]]) -> Candidate:
    entries = [row for row in rows if row.organisation]
    return Candidate(
        person=person_id,
        email=entries[0].address,
        name=entries[0].name,
        schools=frozenset(row.school for row in rows if row.school),
        projects=frozenset(row.project for row in rows if row.project),
        declared=frozenset((row.kind, row.target) for row in rows if row.kind),
        load=0,
        language=entries[0].language,
        organisations=frozenset(row.organisation for row in entries),
    )


def declare(turn: Turn, application: Application, person_id: str, *, reason: str) -> bool:
    """Keeps a declared conflict of interest with who applies; returns whether it is new."""
    target = application.teacher or application.school
    if target is None:
        raise ValueError(f"nobody applies in {application.id}")
    kind = "teacher" if application.teacher else "school"
    declared = {
        "person": person_id, "kind": kind, "target": target, "reason": reason, "declared_by": turn.by, "declared_at": turn.now,
    }  # fmt: skip
    return turn.session.execute(_DECLARE_ONCE, declared).first() is not None


_DECLARE_ONCE = sa.text(
    "INSERT INTO conflict (person, kind, target, reason, declared_by, declared_at)"
    " VALUES (:person, :kind, :target, :reason, :declared_by, :declared_at)"
    " ON CONFLICT (person, kind, target) DO NOTHING RETURNING id"
).bindparams(sa.bindparam("declared_at", type_=Instant()))
