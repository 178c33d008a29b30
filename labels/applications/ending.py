"""How an application ends, and what follows for its steps and its people."""

from __future__ import annotations

from typing import Any

from labels.errors import NotAllowed
from labels.mail import messages, outbox
from labels.mail.message import OfApplication
from labels.mail.outbox import Envelope
from labels.people.named import recipient
from labels.record.digests import salted
from labels.record.journal import SYSTEM, Event, note
from labels.record.rows import write
from labels.record.schema import Application, Decision, Outcome, Stage, Step, StepKind, StepState, Teacher
from labels.steps.mailing import about_step
from labels.steps.step import close_step, locked_alone, steps_of
from labels.turn import Turn


def end(
    turn: Turn,
    application: Application,
    outcome: Outcome,
    who: str,
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
        "decided_at": turn.now,
    }
    decision, digests = salted(Decision, decision)
    write(turn.session, Decision, decision)
    steps = steps_of(turn.session, application)
    application.outcome = outcome
    application.stage, application.stage_since = Stage.DECIDED, turn.now
    for step in steps:
        if step.state in (StepState.OPEN, StepState.ASKED):
            _end_step(turn, application, step, outcome)
    note(
        turn,
        application,
        who,
        Event.ending(outcome),
        inputs=inputs,
        rules=application.rules,
        score=score,
        digests=digests,
    )


def _end_step(turn: Turn, application: Application, step: Step, outcome: Outcome) -> None:
    because = f"the application is {outcome.value}"
    close_step(step, StepState.VOID, turn.now, because)
    if step.kind not in (StepKind.REVIEW, StepKind.ASSIGNMENT):
        return
    message = messages.ReviewVoid(about=about_step(turn.session, application, step), reason=because)
    to = recipient(turn.session, step.person)
    outbox.queue(turn, message, Envelope(to, (step.id,), application.id, step.id))


def tell_applicant(
    turn: Turn,
    application: Application,
    message: OfApplication,
    *,
    attachments: tuple[str, ...] = (),
    step: str | None = None,
) -> None:
    """Mails a message to the teacher who applies, once for each instance; `step` is the one whose code goes along."""
    applicant = turn.session.get_one(Teacher, application.teacher)
    to = recipient(turn.session, applicant.person)
    outbox.queue(turn, message, Envelope(to, (application.instance,), application.id, step, attachments))


def close(turn: Turn, application_id: str) -> Outcome:
    """Closes an application whose papers are stored and whose mail is in the outbox.

    Raises:
        NotAllowed: it has no outcome yet.
    """
    application = locked_alone(turn.session, application_id)
    if application.outcome is None:
        raise NotAllowed(f"{application.id} has no outcome yet.")
    if application.stage is not Stage.CLOSED:
        application.stage, application.stage_since = Stage.CLOSED, turn.now
        note(turn, application, SYSTEM, Event.CLOSED)
    return application.outcome
