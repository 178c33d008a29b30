"""How much each reviewer of some organisations has to do, before more is given to them."""

from __future__ import annotations

from collections import defaultdict
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
    late = sa.and_(Step.state == StepState.OPEN, Step.due_at < now)
    counts = (
        sa.select(
            Step.person,
            Step.organisation,
            Step.state,
            sa.func.count().label("number"),
            sa.func.sum(sa.case((late, 1), else_=0)).label("late"),
        )
        .where(Step.kind == StepKind.REVIEW)
        .group_by(Step.person, Step.state, Step.organisation)
    )
    staff = (
        sa.select(Staff.person, Staff.organisation, Person.name, Staff.language)
        .join(Person, Person.id == Staff.person)
        .where(Staff.role == Role.REVIEWER)
    )
    if scope.named is not None:
        counts = counts.where(Step.organisation.in_(scope.named))
        staff = staff.where(Staff.organisation.in_(scope.named))
    counts = counts.where(Step.person.in_(staff.with_only_columns(Staff.person)))
    have: dict[tuple[str, str | None], dict[StepState, tuple[int, int]]] = defaultdict(dict)
    for row in session.execute(counts):
        have[row.person, row.organisation][row.state] = row.number, row.late
    found = []
    for person, organisation, name, language in session.execute(staff):
        of = have[person, organisation]
        open_, late_ = of.get(StepState.OPEN, (0, 0))
        waiting, given = of.get(StepState.ASKED, (0, 0))[0], of.get(StepState.ANSWERED, (0, 0))[0]
        found.append(Load(person, name, organisation, language, open_, waiting, late_, given))
    return tuple(sorted(found, key=lambda one: (-one.open, -one.late, one.name, one.person)))
