"""Reads from the record who may judge an application, and what might stand between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people import Candidate, Judged, Role
from labels.record.schema import (
    Application,
    Conflict,
    Member,
    Organisation,
    Staff,
    Step,
    StepKind,
    StepState,
    Teacher,
)


def judged(session: Session, application: Application) -> Judged:
    """Whom and what `application` is about."""
    applicant = session.get_one(Teacher, application.teacher)
    members = session.execute(
        sa.select(Teacher.id, Teacher.name, Teacher.email, Teacher.school)
        .join(Member, Member.teacher == Teacher.id)
        .where(Member.project == application.project)
    ).all()
    shared = session.scalars(sa.select(Member.project).where(Member.teacher == application.teacher))
    return Judged(
        applicant_email=applicant.email,
        applicant_name=applicant.name,
        school=application.school,
        project=application.project or "",
        project_schools=frozenset(member.school for member in members),
        member_names=frozenset(member.name for member in members),
        member_emails=frozenset(member.email for member in members),
        shared_projects=frozenset(shared),
        teachers=frozenset(member.id for member in members) | {application.teacher},
    )


def candidates(session: Session, application: Application) -> list[Candidate]:
    """The reviewers of the application's organisation, with what they are close to and their load.

    On PostgreSQL the organisation's row is held until the end of the transaction, so that two
    applications that are assigned at once see each other's choice; on SQLite the transaction is
    alone anyhow.
    """
    session.get_one(Organisation, application.organisation, with_for_update=True)
    staff = session.scalars(
        sa.select(Staff).where(Staff.organisation == application.organisation, Staff.role == Role.REVIEWER)
    ).all()
    return _close_to(session, staff, application.school_year)


def as_candidates(session: Session, emails: set[str], application: Application) -> list[Candidate]:
    """The same for certain people, whatever their role is now: to look again at reviews given."""
    staff = session.scalars(sa.select(Staff).where(Staff.email.in_(emails))).all()
    one_each = {member.email: member for member in staff}
    return _close_to(session, list(one_each.values()), application.school_year)


def _close_to(session: Session, staff: Sequence[Staff], year: int) -> list[Candidate]:
    emails = {member.email for member in staff}
    schools: dict[str, set[str]] = defaultdict(set)
    projects: dict[str, set[str]] = defaultdict(set)
    declared: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for member in staff:
        if member.school:
            schools[member.email].add(member.school)
    for email, school, project in session.execute(
        sa.select(Teacher.email, Teacher.school, Member.project)
        .outerjoin(Member, Member.teacher == Teacher.id)
        .where(Teacher.email.in_(emails))
    ):
        schools[email].add(school)
        if project:
            projects[email].add(project)
    for conflict in session.scalars(sa.select(Conflict).where(Conflict.email.in_(emails))):
        declared[conflict.email].add((conflict.kind, conflict.target))
    counted = session.execute(
        sa.select(Step.assignee, sa.func.count())
        .join(Application, Application.id == Step.application)
        .where(
            Step.assignee.in_(emails),
            Step.kind == StepKind.REVIEW,
            Step.state.in_([StepState.OPEN, StepState.ASKED, StepState.ANSWERED]),
            Application.school_year == year,
        )
        .group_by(Step.assignee)
    )
    loads = dict(counted.tuples().all())
    return [
        Candidate(
            email=member.email,
            name=member.name,
            schools=frozenset(schools[member.email]),
            projects=frozenset(projects[member.email]),
            declared=frozenset(declared[member.email]),
            load=loads.get(member.email, 0),
        )
        for member in staff
    ]


def declare(
    session: Session, *, email: str, kind: str, target: str, reason: str, by: str, now: datetime
) -> bool:
    """Keeps a declared conflict of interest; returns whether it is new."""
    known = session.scalar(
        sa.select(Conflict.id).where(
            Conflict.email == email, Conflict.kind == kind, Conflict.target == target
        )
    )
    if known is None:
        session.add(
            Conflict(email=email, kind=kind, target=target, reason=reason, declared_by=by, declared_at=now)
        )
    return known is None
