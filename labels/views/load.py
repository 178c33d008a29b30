"""How much each reviewer of some organisations has to do, before more is given to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.roles import Role
from labels.record.schema import Person, Staff, Step, StepKind, StepState
from labels.views.applications import Scope


@dataclass(frozen=True, slots=True)
class Load:
    """What one reviewer has."""

    person: str
    name: str
    address: str
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
    late = Step.due_at < now
    staff = (
        sa.select(
            Staff.person,
            Person.name,
            Staff.email,
            Staff.organisation,
            Staff.language,
            _reviews(StepState.OPEN),
            _reviews(StepState.ASKED),
            _reviews(StepState.OPEN, late),
            _reviews(StepState.ANSWERED),
        )
        .join(Person, Person.id == Staff.person)
        .where(Staff.role == Role.REVIEWER)
    )
    if scope.named is not None:
        staff = staff.where(Staff.organisation.in_(scope.named))
    found = [Load(*row) for row in session.execute(staff)]
    return tuple(sorted(found, key=lambda one: (-one.open, -one.late, one.name, one.person)))


def _reviews(state: StepState, *more: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    """How many reviews a person has in a state: a range of an index, which is counted in half the time of grouping all."""
    return (
        sa.select(sa.func.count())
        .where(
            Step.person == Staff.person,
            Step.state == state,
            Step.kind == StepKind.REVIEW,
            Step.organisation == Staff.organisation,
            *more,
        )
        .correlate(Staff)
        .scalar_subquery()
    )
