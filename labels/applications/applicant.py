"""Who applies: a teacher, or whoever handed in for a school."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.kinds import KINDS, Applicant
from labels.record.schema import Application, Step, StepKind, StepState, Teacher


def spokesperson(session: Session, application: Application) -> str | None:
    """The address of the teacher who handed the self-assessment in; None before."""
    return session.scalar(
        sa.select(Step.assignee)
        .where(
            Step.application == application.id,
            Step.kind == StepKind.SELF_ASSESSMENT,
            Step.state == StepState.ANSWERED,
        )
        .order_by(Step.closed_at.desc())
        .limit(1)
    )


def applicant_address(session: Session, application: Application) -> str | None:
    """The address of the teacher who applies, or handed in for their school; None where an organisation does."""
    match KINDS[application.label].applicant:
        case Applicant.SCHOOL:
            return spokesperson(session, application)
        case Applicant.TEACHER:
            return session.get_one(Teacher, application.teacher).email
        case Applicant.ORGANISATION | None:
            return None
