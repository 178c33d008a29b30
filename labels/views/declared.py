"""Conflicts of interest that were declared and stand in the way of judging a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.kinds import KINDS, Applicant
from labels.record.schema import Application, Conflict, Person, Staff, Step, StepKind
from labels.reviews import conflicts


@dataclass(frozen=True, slots=True)
class Declared:
    """One of them."""

    person: str
    name: str
    reason: str
    declared_at: datetime


def declared(session: Session, application_id: str) -> tuple[Declared, ...]:
    """Those of the organisation's staff, and of whoever was asked to judge, the oldest first; for its coordinators."""
    application = session.get_one(Application, application_id)
    if KINDS[application.label].applicant not in (Applicant.TEACHER, Applicant.SCHOOL):
        return ()
    targets = conflicts.judged(session, application).declared
    here = sa.or_(
        Conflict.person.in_(sa.select(Staff.person).where(Staff.organisation == application.organisation)),
        Conflict.person.in_(
            sa.select(Step.person).where(Step.application == application_id, Step.kind == StepKind.REVIEW)
        ),
    )
    rows = session.execute(
        sa.select(Conflict, Person.name)
        .join(Person, Person.id == Conflict.person)
        .where(here, Conflict.target.in_({target for _, target in targets}))
        .order_by(Conflict.declared_at, Conflict.id)
    )
    return tuple(
        Declared(one.person, name, one.reason, one.declared_at)
        for one, name in rows
        if (one.kind, one.target) in targets
    )
