"""The applicant's own rights: to withdraw and to appeal."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering.proving import prove
from labels.applications.ending import end, tell_applicant
from labels.clock import in_words
from labels.mail import outbox
from labels.record.journal import note
from labels.record.schema import Application, Outcome, Stage, Step, StepKind, StepState, Teacher
from labels.steps.outcome import Refusal
from labels.steps.step import close_step, held, open_step

# The applicant ----------------------------------------------------------------------------------


def withdraw(
    session: Session, application_id: str, email: str, code: str, *, now: datetime, key: bytes
) -> Refusal | None:
    """Ends the application by its applicant's wish; None means that it is done."""
    application = held(session, application_id)
    right = _right(session, application, StepKind.WITHDRAWAL, email, code, now=now, key=key)
    if isinstance(right, Refusal):
        return right
    close_step(right, StepState.ANSWERED, now)
    end(
        session, application, Outcome.WITHDRAWN, right.assignee, now,
        verdict={}, inputs=application.content_digest,
    )  # fmt: skip
    tell_applicant(session, application, outbox.Template.WITHDRAWN, now)
    return None


def appeal(
    session: Session,
    application_id: str,
    email: str,
    code: str,
    grounds: str,
    *,
    now: datetime,
    key: bytes,
) -> Refusal | None:
    """Reopens a refused application for other reviewers; the old decision stays in the record."""
    application = held(session, application_id)
    right = _right(session, application, StepKind.APPEAL, email, code, now=now, key=key)
    if isinstance(right, Refusal):
        return right
    if right.due_at and now > right.due_at:
        return Refusal(f"An appeal could be lodged until {in_words(right.due_at)}.")
    if application.stage is not Stage.CLOSED:
        return Refusal("The decision is still being sent; please try again in a minute.")
    session.get_one(Teacher, application.teacher, with_for_update=True)  # as whoever submits does
    if again := session.scalar(_OPEN_AGAIN, {"teacher": application.teacher, "project": application.project}):
        return Refusal(
            f"You have applied again for this project ({again}). To appeal instead, withdraw that first: "
            f"labels withdraw {again} --as EMAIL --code CODE"
        )
    close_step(right, StepState.ANSWERED, now)
    right.answer = {"grounds": grounds}
    application.instance += 1
    application.outcome = None
    application.run = None
    application.runs += 1
    application.stage, application.stage_since = Stage.SUBMITTED, now
    note(session, application, right.assignee, "appealed", now, step=right.id, grounds=grounds)
    way_out = open_step(session, application, StepKind.WITHDRAWAL, right.assignee, now=now, key=key)
    tell_applicant(session, application, outbox.Template.APPEAL_RECEIVED, now, step=way_out.id)
    return None


_OPEN_AGAIN = sa.select(Application.id).where(
    Application.label == "national",
    Application.teacher == sa.bindparam("teacher"),
    Application.project == sa.bindparam("project"),
    Application.outcome.is_(None),
)


def _right(
    session: Session,
    application: Application,
    kind: StepKind,
    email: str,
    code: str,
    *,
    now: datetime,
    key: bytes,
) -> Step | Refusal:
    for step in session.scalars(
        sa.select(Step)
        .where(Step.application == application.id, Step.kind == kind)
        .order_by(Step.number.desc())
    ):
        refusal = prove(session, step, email, code, now=now, key=key)
        return refusal or step
    if application.outcome is not None:
        return Refusal(f"{application.id} is {application.outcome.value}.")
    return Refusal(f"The rules of {application.organisation} know no {kind.value} here.")
