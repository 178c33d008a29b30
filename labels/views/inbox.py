"""What awaits one person, and what they can do about each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from labels.record.schema import Application, Step, StepKind, StepState
from labels.steps.step import AWAITED


class Act(StrEnum):
    """What somebody does about a step that awaits them."""

    ANSWER = "answer"
    """A review, what an applicant was asked, a screening, an award: fits into a form."""
    HAND_IN = "hand in"
    """A school's self-assessment with its documents: more than a form takes."""
    DECLARE = "declare"
    """The principal's word on it."""
    REASSIGN = "reassign"
    """Name somebody who reviews: nothing else closes an assignment."""


_ACTS: Mapping[StepKind, Act] = {
    StepKind.REVIEW: Act.ANSWER,
    StepKind.INFORMATION: Act.ANSWER,
    StepKind.ASSIGNMENT: Act.REASSIGN,
    StepKind.SELF_ASSESSMENT: Act.HAND_IN,
    StepKind.DECLARATION: Act.DECLARE,
    StepKind.SCREENING: Act.ANSWER,
    StepKind.AWARDING: Act.ANSWER,
}


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
    """The steps that await this person, the most urgent first."""
    rows = session.execute(
        sa.select(Step, Application.run)
        .join(Application, Application.id == Step.application)
        .where(Step.assignee == email.lower(), Step.state == StepState.OPEN, Step.kind.in_(AWAITED))
        .order_by(Step.due_at, Step.id)
    )
    return [
        InboxItem(
            step=step.id,
            application=step.application,
            what=step.kind.value,
            by=step.due_at,
            act=_ACTS[step.kind],
            run=run,
        )
        for step, run in rows
    ]
