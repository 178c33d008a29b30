"""How much each reviewer of some organisations has to do, before more is given to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.roles import Role
from labels.record.schema import Application, Person, Staff, Step, StepKind, StepState
from labels.views.applications import Scope


@dataclass(frozen=True, slots=True)
class Load:
    """What one reviewer has."""

    person: str
    name: str
    organisation: str
    language: str
    open: int
    """Reviews that await them."""
    waiting: int
    """Reviews that wait for an applicant's answer meanwhile."""
    late: int
    """Of the open ones, those past their deadline."""
    given: int
    """Reviews that they have given, ever."""


def load(session: Session, scope: Scope, now: datetime) -> tuple[Load, ...]:
    """Every reviewer of the organisations whose staff somebody sees the names of, the busiest first."""
    state = Step.state
    late = sa.and_(state == StepState.OPEN, Step.due_at < now)
    counts = (
        sa.select(
            Step.person,
            Application.organisation,
            *(
                sa.func.sum(sa.case((condition, 1), else_=0)).label(name)
                for name, condition in (
                    ("open", state == StepState.OPEN),
                    ("waiting", state == StepState.ASKED),
                    ("late", late),
                    ("given", state == StepState.ANSWERED),
                )
            ),
        )
        .join(Application, Application.id == Step.application)
        .where(Step.kind == StepKind.REVIEW)
        .group_by(Step.person, Application.organisation)
    )
    staff = (
        sa.select(Staff.person, Staff.organisation, Person.name, Staff.language)
        .join(Person, Person.id == Staff.person)
        .where(Staff.role == Role.REVIEWER)
    )
    if scope.named is not None:
        counts = counts.where(Application.organisation.in_(scope.named))
        staff = staff.where(Staff.organisation.in_(scope.named))
    have = {(row.person, row.organisation): row for row in session.execute(counts)}
    found = []
    for person, organisation, name, language in session.execute(staff):
        row = have.get((person, organisation))
        numbers = (row.open, row.waiting, row.late, row.given) if row is not None else (0, 0, 0, 0)
        found.append(Load(person, name, organisation, language, *numbers))
    return tuple(sorted(found, key=lambda one: (-one.open, -one.late, one.name, one.person)))
