"""The applicant's own rights: to withdraw and to appeal."""

from __future__ import annotations

import sqlalchemy as sa

from labels.answering.proving import prove
from labels.applications.applicant import numbers_of
from labels.applications.ending import end, tell_applicant
from labels.kinds import LabelKind
from labels.mail import messages
from labels.mending import Withdraw
from labels.record.journal import Event, note
from labels.record.schema import Application, Outcome, Stage, Step, StepKind, StepState, Teacher
from labels.steps.mailing import about
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Proof
from labels.steps.step import close_step, locked, open_step
from labels.turn import Turn
from labels.words.sentences import say

# The applicant ----------------------------------------------------------------------------------


def withdraw(turn: Turn, application_id: str, proof: Proof) -> Accepted | Refusal:
    """Ends the application by its applicant's wish."""
    application = locked(turn.session, application_id)
    right = _right(turn, application, StepKind.WITHDRAWAL, proof)
    if isinstance(right, Refusal):
        return right
    close_step(right, StepState.ANSWERED, turn.now)
    end(turn, application, Outcome.WITHDRAWN, right.assignee, verdict={}, inputs=application.content_digest)
    tell_applicant(turn, application, messages.Withdrawn(about=about(turn.session, application)))
    return Accepted(application.id, "Withdrawn; a confirmation is on its way.")


def appeal(turn: Turn, application_id: str, proof: Proof, grounds: str) -> Accepted | Refusal:
    """Reopens a refused application for other reviewers; the old decision stays in the record."""
    application = locked(turn.session, application_id)
    right = _right(turn, application, StepKind.APPEAL, proof)
    if isinstance(right, Refusal):
        return right
    if right.due_at and turn.now > right.due_at:
        return Refusal(say("An appeal could be lodged until {until}.", until=right.due_at))
    if application.stage is not Stage.CLOSED:
        return Refusal(say("The decision is still being sent; please try again in a minute."))
    turn.session.get_one(Teacher, application.teacher, with_for_update=True)  # as whoever submits does
    if again := turn.session.scalar(
        _OPEN_AGAIN, {"teacher": application.teacher, "project": application.project}
    ):
        applied = say(
            "You have applied again for this project ({again}). To appeal instead, withdraw that first.",
            again=again,
        )
        return Refusal(applied, mend=Withdraw(again))
    close_step(right, StepState.ANSWERED, turn.now)
    right.answer = {"grounds": grounds}
    application.instance += 1
    application.outcome = None
    application.run = None
    application.runs += 1
    application.stage, application.stage_since = Stage.SUBMITTED, turn.now
    note(turn, application, right.assignee, Event.APPEALED, step=right.id, grounds=grounds)
    way_out = open_step(turn, application, StepKind.WITHDRAWAL, right.person)
    message = messages.AppealReceived(about=about(turn.session, application))
    tell_applicant(turn, application, message, step=way_out.id)
    return Accepted(application.id, "Your appeal is lodged; other people will judge your application.")


_OPEN_AGAIN = sa.select(Application.id).where(
    Application.label == LabelKind.NATIONAL,
    Application.teacher.in_(numbers_of(sa.bindparam("teacher"))),
    Application.project == sa.bindparam("project"),
    Application.outcome.is_(None),
)


def _right(turn: Turn, application: Application, kind: StepKind, proof: Proof) -> Step | Refusal:
    for step in turn.session.scalars(
        sa.select(Step)
        .where(Step.application == application.id, Step.kind == kind)
        .order_by(Step.number.desc())
    ):
        refusal = prove(turn, step, proof)
        return refusal or step
    if application.outcome is not None:
        return Refusal(say("The decision on {application} has been made.", application=application.id))
    if kind is StepKind.APPEAL:
        return Refusal(
            say("The rules of {organisation} know no appeal here.", organisation=application.organisation)
        )
    return Refusal(say("{application} can’t be withdrawn.", application=application.id))
