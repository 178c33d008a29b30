"""What awaits one person, and what they can do about each."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from labels.people.persons import behind
from labels.record.schema import Application, Step, StepState
from labels.steps.kinds import AWAITED, STEPS, Act


class InboxItem(BaseModel):
    """One step that awaits a person."""

    model_config = ConfigDict(frozen=True)

    step: str
    application: str
    what: str
    by: datetime | None
    act: Act
    """How it is closed."""
    run: str | None
    """The run in Prefect that waits for it."""


def inbox(session: Session, email: str) -> list[InboxItem]:
    """The steps that await whoever reads an address, the most urgent first."""
    rows = session.execute(
        sa.select(Step, Application.run)
        .join(Application, Application.id == Step.application)
        .where(
            Step.person.in_([one.id for one in behind(session, email)]),
            Step.state == StepState.OPEN,
            Step.kind.in_(AWAITED),
        )
        .order_by(Step.due_at, Step.id)
    )
    return [
        InboxItem(
            step=step.id,
            application=step.application,
            what=step.kind.value,
            by=step.due_at,
            act=act,
            run=run,
        )
        for step, run in rows
        if (act := STEPS[step.kind].act)
    ]
