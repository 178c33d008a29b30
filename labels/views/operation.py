"""What whoever operates the system looks at: how many applications there are of each kind, what is late and what waits.

Numbers alone, of nobody in particular: they may go to a monitor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering.deadlines import STILL_OPEN
from labels.kinds import LabelKind
from labels.platform import webhooks
from labels.record.schema import OPEN_STAGES, Application, Mail, Outcome, Stage, Step, StepKind
from labels.steps.kinds import AWAITED
from labels.views.stuck import A_WHILE, TRIES


@dataclass(frozen=True, slots=True)
class Outbox:
    """Mail that has not left."""

    waiting: int
    """Messages that are to go out by themselves."""
    failed: int
    """Of these, those that several attempts could not deliver."""
    daily: int
    """What the next message of the day to its recipient will tell of."""
    oldest: datetime | None
    """Since when the oldest of those waits that were due already; None where none is."""

    def stands_still(self, now: datetime) -> bool:
        """Whether something was due for longer than upkeep needs to send it."""
        return self.oldest is not None and self.oldest < now - A_WHILE


def outbox(session: Session, now: datetime) -> Outbox:
    """The mail that has not left, from an index of that alone."""
    own = Mail.daily.is_(False)
    waiting, failed, daily, oldest = session.execute(
        sa.select(
            sa.func.count().filter(own),
            sa.func.count().filter(own, Mail.attempts >= TRIES),
            sa.func.count().filter(Mail.daily.is_(True)),
            sa.func.min(Mail.queued_at).filter(own, Mail.attempts == 0, Mail.next_attempt_at <= now),
        ).where(Mail.sent_at.is_(None))
    ).one()
    return Outbox(waiting, failed, daily, oldest)


_AWAITED = (
    STILL_OPEN,
    Step.kind.in_(AWAITED),
    Step.application == Application.id,
    Step.instance == Application.instance,
    Application.stage.in_(OPEN_STAGES),
    Application.outcome.is_(None),
)


def late(session: Session, now: datetime) -> int:
    """How many open applications await somebody whose deadline has passed."""
    return (
        session.scalar(
            sa.select(sa.func.count(sa.distinct(Application.id)))
            .join(Step, Step.application == Application.id)
            .where(*_AWAITED, Step.due_at < now)
        )
        or 0
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What platforms are still to be told of."""

    waiting: int
    """Changes that are told as soon as a receiver takes them."""
    failing: int
    """Of these, those that were tried in vain."""
    given_up: int
    """Changes that no receiver took for days; nobody tries any more."""


def told(session: Session) -> Told:
    """What platforms are still to be told of, all webhooks together."""
    each = webhooks.waiting(session)
    return Told(
        sum(one.waiting for one in each), sum(one.failing for one in each), sum(one.given_up for one in each)
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers of the whole record."""

    cases: Mapping[tuple[LabelKind, Stage], int]
    """Applications by label and stage, those that are closed too."""
    outcomes: Mapping[tuple[LabelKind, Outcome], int]
    late: int
    steps: Mapping[StepKind, int]
    """Open steps by what they ask for."""
    outbox: Outbox
    webhooks: Told


def figures(session: Session, now: datetime) -> Figures:
    """Counts the record; each a query that an index or one pass over the applications answers."""
    cases = session.execute(
        sa.select(Application.label, Application.stage, sa.func.count()).group_by(
            Application.label, Application.stage
        )
    )
    outcomes = session.execute(
        sa.select(Application.label, Application.outcome, sa.func.count())
        .where(Application.outcome.is_not(None))
        .group_by(Application.label, Application.outcome)
    )
    steps = session.execute(
        sa.select(Step.kind, sa.func.count())
        .join(Application, Application.id == Step.application)
        .where(*_AWAITED)
        .group_by(Step.kind)
    )
    return Figures(
        {(label, stage): number for label, stage, number in cases},
        {(label, outcome): number for label, outcome, number in outcomes if outcome is not None},
        late(session, now),
        dict(steps.tuples().all()),
        outbox(session, now),
        told(session),
    )
