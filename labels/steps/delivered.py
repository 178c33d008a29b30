"""Whether the message that asked somebody reached them before their deadline: who was not asked can't be late."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Bounce, Mail, Step

_REACHED = (
    Mail.sent_at.is_not(None),
    ~sa.exists().where(Bounce.mail == Mail.reason, Bounce.hard),
)
"""A message that left, by itself or told in that of the day, and did not come back."""

UNDELIVERED = sa.and_(
    sa.exists().where(Mail.step == Step.id, Mail.sent_at.is_(None), Mail.attempts > 0),
    ~sa.exists().where(Mail.step == Step.id, *_REACHED),
)
"""Whether the message that asked was tried and never left: whoever was not asked has no deadline that could pass.

A later one, such as a code that is sent once more, moves no deadline: whoever is late could ask for it."""

FIRST_SENT = sa.select(sa.func.min(Mail.sent_at, type_=Mail.sent_at.type)).where(
    Mail.step == sa.bindparam("step"), *_REACHED
)
"""When the first message about a step left."""


def has_more_time(session: Session, step: Step) -> bool:
    """Whether a deadline that has passed does not count: who is awaited was asked after it, or not at all.

    Upkeep gives them the time that they were to have; they may answer before it comes to that.
    """
    if session.scalar(sa.select(Step.id).where(Step.id == step.id, UNDELIVERED)) is not None:
        return True
    asked = session.scalar(FIRST_SENT, {"step": step.id})
    return asked is not None and step.due_at is not None and asked > step.due_at
