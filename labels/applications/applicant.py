"""Who applies: a teacher, or whoever handed in for a school."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.kinds import KINDS, Applicant
from labels.people.persons import person
from labels.record.schema import Application, Person, Step, StepKind, StepState, Teacher


def spokesperson(session: Session, application: Application) -> str | None:
    """The id of the person who handed the self-assessment in; None before."""
    return session.scalar(
        sa.select(Step.person)
        .where(
            Step.application == application.id,
            Step.kind == StepKind.SELF_ASSESSMENT,
            Step.state == StepState.ANSWERED,
        )
        .order_by(Step.closed_at.desc())
        .limit(1)
    )


def applicant(session: Session, application: Application) -> Person | None:
    """The teacher who applies, or handed in for their school; None where an organisation does."""
    whom: str | None
    match KINDS[application.label].applicant:
        case Applicant.SCHOOL:
            whom = spokesperson(session, application)
        case Applicant.TEACHER:
            whom = session.get_one(Teacher, application.teacher).person
        case Applicant.ORGANISATION:
            whom = None
    return None if whom is None else person(session, whom)


def numbers_of(teacher: sa.BindParameter[str]) -> sa.Select[tuple[str]]:
    """SQL for every number of the person who a teacher is: a second one is no second applicant."""
    whose = sa.select(Teacher.person).where(Teacher.id == teacher).scalar_subquery()
    return sa.select(Teacher.id).where(Teacher.person == whose)
