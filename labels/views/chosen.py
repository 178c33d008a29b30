"""Why the rules chose the reviewers of a case: for its coordinators and whoever runs this installation, and nobody else."""

from __future__ import annotations

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session, aliased

from labels.record.schema import Person, ReviewerChoice, Step


class ChoiceView(BaseModel):
    """Why somebody was asked to review."""

    model_config = ConfigDict(frozen=True)
    step: str
    seat: int
    reviewer: str
    """Their address."""
    costs: dict[str, int]
    """What spoke against them, by the rules' weights."""
    reviews: int
    """How many of the year they had with this one."""
    next: str | None
    """Who was next; none where nobody else could, or they were erased."""
    next_reviews: int | None
    extra: int | None
    """What it would have cost more to ask that one; of a plan, what the whole of it would."""
    plan: str | None
    """The word of the plan that it was part of; none where one application was assigned by itself."""


_FOLLOWING = aliased(Person)
_CHOICES = (
    sa.select(ReviewerChoice, Step.seat, Step.assignee, _FOLLOWING.address)
    .join(Step, Step.id == ReviewerChoice.step)
    .outerjoin(_FOLLOWING, _FOLLOWING.id == ReviewerChoice.following)
    .where(Step.application == sa.bindparam("application"))
    .order_by(ReviewerChoice.chosen_at, Step.number)
)


def choices_of(session: Session, application: str) -> list[ChoiceView]:
    """Why each reviewer of an application was chosen, in the order in which they were asked."""
    return [
        ChoiceView(
            step=row.step,
            seat=seat,
            reviewer=reviewer,
            costs=row.costs,
            reviews=row.load,
            next=following,
            next_reviews=row.following_load,
            extra=row.extra,
            plan=row.plan,
        )
        for row, seat, reviewer, following in session.execute(_CHOICES, {"application": application})
    ]
