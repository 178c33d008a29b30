"""How an application ends, and what follows for its steps and its people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from labels.errors import NotAllowed
from labels.mail import outbox
from labels.people.named import person_named
from labels.record.journal import SYSTEM, note
from labels.record.rows import write
from labels.record.schema import Application, Decision, Outcome, Stage, Step, StepKind, StepState, Teacher
from labels.steps.step import close_step, common_context, held, steps_of


def end(
    session: Session,
    application: Application,
    outcome: Outcome,
    who: str,
    now: datetime,
    *,
    verdict: dict[str, Any],
    inputs: str,
    score: float | None = None,
) -> None:
    """Puts an outcome into the record: the decision, the journal, and the end of every step that is open."""
    decision = {
        "application": application.id,
        "instance": application.instance,
        "outcome": outcome,
        "score": score,
        "verdict": verdict,
        "inputs_digest": inputs,
        "rules": application.rules,
        "decided_at": now,
    }
    write(session, Decision, decision)
    application.outcome = outcome
    application.stage, application.stage_since = Stage.DECIDED, now
    for step in steps_of(session, application):
        if step.state in (StepState.OPEN, StepState.ASKED):
            _end_step(session, application, step, outcome, now)
    note(session, application, who, outcome.value, now, inputs=inputs, rules=application.rules, score=score)


def _end_step(
    session: Session, application: Application, step: Step, outcome: Outcome, now: datetime
) -> None:
    close_step(step, StepState.VOID, now, f"the application is {outcome.value}")
    if step.kind not in (StepKind.REVIEW, StepKind.ASSIGNMENT):
        return
    name, language = person_named(session, step.assignee)
    outbox.queue(
        session,
        reason=f"{application.id}/{outbox.Template.REVIEW_VOID.value}/{step.id}",
        template=outbox.Template.REVIEW_VOID,
        language=language,
        to_name=name,
        to_address=step.assignee,
        context=common_context(session, application)
        | {"step": step.id, "due": "", "reason": step.closed_because},
        now=now,
        application=application.id,
        step=step.id,
    )


def tell_applicant(
    session: Session,
    application: Application,
    template: outbox.Template,
    now: datetime,
    *,
    attachment: str | None = None,
    second_attachment: str | None = None,
    step: str | None = None,
    **context: Any,
) -> None:
    applicant = session.get_one(Teacher, application.teacher)
    outbox.queue(
        session,
        reason=f"{application.id}/{template.value}/{application.instance}",
        template=template,
        language=applicant.language,
        to_name=applicant.name,
        to_address=applicant.email,
        context=common_context(session, application) | context,
        now=now,
        application=application.id,
        step=step,
        attachment=attachment,
        second_attachment=second_attachment,
    )


def close(session: Session, application_id: str, *, now: datetime) -> Outcome:
    """Closes an application whose papers are stored and whose mail is in the outbox.

    Raises:
        NotAllowed: it has no outcome yet.
    """
    application = held(session, application_id)
    if application.outcome is None:
        raise NotAllowed(f"{application.id} has no outcome yet.")
    if application.stage is not Stage.CLOSED:
        application.stage, application.stage_since = Stage.CLOSED, now
        note(session, application, SYSTEM, "closed", now)
    return application.outcome
