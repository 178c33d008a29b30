"""What was decided on an application: the points, the reasons, the papers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Application, Decision, Outcome, Review, Step
from labels.reviews.instances import counted_from
from labels.rules.kept import rules_of
from labels.views.about import About, Documents, about, documents


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """What every reviewer gave for one criterion."""

    criterion: str
    """Its name."""
    points: tuple[int | None, ...]
    """A reviewer each, in the order of their seats; None where they gave none."""
    maximum: int


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """The points of every reviewer for every criterion."""

    lines: tuple[ScoreLine, ...]
    totals: tuple[int, ...]
    """A reviewer each: the sum of what counts in a total."""
    maximum: int


@dataclass(frozen=True, slots=True)
class UnmetCondition:
    """A condition that was not met, and what the applicant can do about it."""

    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class DecisionShown:
    """A decision with everything that explains it."""

    about: About
    outcome: Outcome
    decided_at: datetime
    scores: ScoreTable | None
    """None where nobody reviewed it."""
    reasons: tuple[str, ...]
    comments: tuple[str, ...]
    """The reviewers', for the applicant."""
    conditions: tuple[UnmetCondition, ...]
    papers: Documents


def decision_of(session: Session, application: Application) -> DecisionShown | None:
    """The decision on the application's present instance; None before."""
    row = session.get(Decision, (application.id, application.instance))
    if row is None:
        return None
    verdict, reviewed = row.verdict, "lines" in row.verdict
    return DecisionShown(
        about=about(session, application),
        outcome=row.outcome,
        decided_at=row.decided_at,
        scores=_scores(session, application) if reviewed else None,
        reasons=tuple(verdict["reasons"]) if reviewed else (),
        comments=tuple(verdict["comments"]) if reviewed else (),
        conditions=tuple(
            UnmetCondition(one["problem"], one["remedy"]) for one in verdict.get("conditions", ())
        ),
        papers=documents(session, application, "certificate", "letter"),
    )


def _scores(session: Session, application: Application) -> ScoreTable:
    since = counted_from(session, application.id, application.instance)
    reviews = session.scalars(
        sa.select(Review)
        .join(Step, Step.id == Review.step)
        .where(
            Review.application == application.id,
            Review.instance.between(since, application.instance),
            Review.void_at.is_(None),
        )
        .order_by(Step.seat)
    ).all()
    criteria = rules_of(session, application).criteria_set
    return ScoreTable(
        lines=tuple(
            ScoreLine(one.name, tuple(review.scores.get(one.id) for review in reviews), one.maximum)
            for one in criteria.criteria
        ),
        totals=tuple(sum(review.scores.get(one.id, 0) for one in criteria.counted) for review in reviews),
        maximum=criteria.maximum,
    )
