"""Reviews of people who have a conflict of interest: what comes to light once two persons are known to be one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Application, Outcome, Step, StepKind, StepState
from labels.reviews import conflicts
from labels.reviews.asking import seated_reviews
from labels.reviews.choosing import conflicts_of_interest
from labels.steps.step import every_step


@dataclass(frozen=True, slots=True)
class InConflict:
    """A review, asked for or given, of somebody who has a conflict of interest."""

    application: str
    step: str
    outcome: Outcome | None
    """What was decided; nothing where the case is open."""
    why: str

    @property
    def worded(self) -> str:
        """What becomes of it, as a sentence for coordinators."""
        if self.outcome is None:
            return f"{self.application} is open: the review {self.step} is taken back ({self.why})."
        return (
            f"{self.application} is {self.outcome.value}, and stays so until it is reopened: it rests on the review"
            f" {self.step} ({self.why})."
        )


def in_conflict(session: Session, persons: Collection[str]) -> list[InConflict]:
    """The reviews of these people that count, in open cases and under decisions, and should not have been theirs."""
    reviewed = sa.select(Step.application).where(Step.person.in_(persons), Step.kind == StepKind.REVIEW)
    applications = session.scalars(
        sa.select(Application)
        .where(
            Application.id.in_(reviewed),
            sa.or_(
                Application.outcome.is_(None),
                Application.outcome.in_([Outcome.AWARDED, Outcome.REFUSED]),
            ),
        )
        .order_by(Application.id)
    ).all()
    people = conflicts.anybody(session, persons) if applications else {}
    found = []
    for one in applications:
        judged = conflicts.judged(session, one)
        for step in seated_reviews(session, one, every_step(session, one)):
            counts = one.outcome is None or step.state is StepState.ANSWERED
            if not counts or step.person not in people:
                continue
            if why := conflicts_of_interest(people[step.person], judged):
                found.append(InConflict(one.id, step.id, one.outcome, "; ".join(why)))
    return found
