"""What a passed deadline does to a step, by the step's kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import in_words
from labels.errors import NotAllowed, OutOfReach
from labels.european_label import screening
from labels.mail import messages
from labels.record.engine import Record
from labels.record.journal import RULES, Event, by_plan, note
from labels.record.schema import Application, Step, StepKind, StepState
from labels.reviews import lateness, review
from labels.reviews.lateness import ends_at
from labels.rules.calendars import end_of_working_day
from labels.rules.kept import kept_rules, rules_of
from labels.school_label import deciding as school_deciding
from labels.steps.delivered import FIRST_SENT, UNDELIVERED
from labels.steps.mailing import about, tell
from labels.steps.step import locked_by_step
from labels.turn import Turn
from labels.words.sentences import Sentence, say


@dataclass(frozen=True, slots=True)
class Passed:
    """A step whose deadline has passed, and what came of it."""

    step: str
    did: str
    application: str = ""
    """Whose step it is; nothing where it could not be found out."""


Passing = Callable[[Turn, Application, Step], str]
"""Called with the application and the step, both locked; says in words what it did."""

PASSING: dict[StepKind, Passing] = {
    StepKind.INFORMATION: review.pass_information,
    StepKind.SCREENING: screening.pass_deadline,
    StepKind.SELF_ASSESSMENT: school_deciding.pass_deadline,
    StepKind.DECLARATION: school_deciding.pass_deadline,
}
"""What ends with its deadline. Every other kind stays open, since a late answer still counts: of those that
have a deadline, a coordinator is informed (`labels/answering/reminders.py`). A review ends later, where the rules say so."""

FURTHEST = timedelta(days=2 * 366)
"""How far ahead a deadline can be moved: further is a slip of the hand, and nobody would be told for years."""

STILL_OPEN = Step.state == sa.literal_column(f"'{StepState.OPEN.value}'")
"""Written out, since an index over open steps alone is not used where their state is a parameter."""


def over(session: Session, now: datetime) -> list[str]:
    """The open steps that end with their deadline, or as long after it as the rules say, and whose time is over, the
    longest due first; not those whose message never left."""
    late = (STILL_OPEN, Step.due_at < now, Step.kind.in_((*PASSING, StepKind.REVIEW)), ~UNDELIVERED)
    rows = session.execute(
        sa.select(Step.id, Step.kind, Step.due_at, Application.rules, Application.country)
        .join(Application, Application.id == Step.application)
        .where(*late)
        .order_by(Step.due_at, Step.id)
    )
    return [
        row.id
        for row in rows
        if row.kind in PASSING
        or (
            (ends := ends_at(row.due_at, kept_rules(row.rules, session).national.review, row.country))
            and ends < now
        )
    ]


def pass_deadline(turn: Turn, step_id: str) -> Passed | None:
    """Does what the passed deadline of one step does; None where it was answered or moved meanwhile."""
    application, step = locked_by_step(turn.session, step_id)
    ends = end_of(turn.session, application, step)
    if ends is None or step.due_at is None or step.state is not StepState.OPEN or turn.now <= ends:
        return None
    if turn.session.scalar(sa.select(Step.id).where(Step.id == step.id, UNDELIVERED)) is not None:
        return None
    if (asked := turn.session.scalar(FIRST_SENT, {"step": step.id})) is not None and asked > step.due_at:
        return _begin_late(turn, application, step, asked)
    passing = PASSING.get(step.kind, lateness.pass_deadline)
    return Passed(step.id, passing(turn, application, step), application.id)


def end_of(session: Session, application: Application, step: Step) -> datetime | None:
    """When a step ends by itself unless it is answered; None where it stays open."""
    if step.due_at is None or step.kind in PASSING:
        return step.due_at
    if step.kind is not StepKind.REVIEW:
        return None
    return ends_at(step.due_at, rules_of(session, application).national.review, application.country)


def _begin_late(turn: Turn, application: Application, step: Step, asked: datetime) -> Passed:
    """Gives whoever was asked only after their deadline the time that they were to have."""
    assert step.due_at is not None
    former, step.due_at = (
        step.due_at,
        end_of_working_day(asked + (step.due_at - step.opened_at), application.country),
    )
    if step.kind is StepKind.SCREENING:
        screening.move_deadline(turn.session, application, step.due_at)
    why = "The message that asked you left only after the deadline that it names."
    message = messages.DeadlineMoved(
        about=about(turn.session, application), what=step.kind, due=step.due_at, reason=why
    )
    tell(turn, application, step.person, message, step.id, application.revision)
    note(
        turn,
        application,
        RULES,
        Event.MOVED_A_DEADLINE,
        step=step.id,
        former=former.isoformat(),
        until=step.due_at.isoformat(),
        because=why,
    )
    return Passed(step.id, "the message that asked left late; the deadline begins anew", application.id)


def pass_deadlines(record: Record, *, now: datetime, key: bytes) -> list[Passed]:
    """Does what every passed deadline does, each in a transaction of its own; what was done.

    Safe to run at any time and twice at once. One that fails keeps none of the others waiting.

    Raises:
        OutOfReach: the database does not answer.
    """
    with record.reading() as session:
        steps = over(session, now)
    done = []
    for step in steps:
        try:
            with record.writing() as session:
                passed = pass_deadline(Turn(session, now, key), step)
        except OutOfReach:
            raise
        except Exception as error:
            passed = Passed(step, f"could not be ended: {error}")
        if passed is not None:
            done.append(passed)
    return done


def move_deadline(turn: Turn, step_id: str, until: datetime, reason: str) -> str:
    """Gives one person more (or less) time for an open step, with a reason that they are given.

    Returns what was done, with a warning where the application is to be decided before that.

    Raises:
        NotAllowed: the step is closed, has no deadline, or the new one is past or more than two years ahead.
    """
    application, step = locked_by_step(turn.session, step_id)
    if step.state not in (StepState.OPEN, StepState.ASKED) or step.due_at is None:
        raise NotAllowed(say("{step} has no deadline that could be moved.", step=step.id))
    if why := no_deadline_to_be(until, turn.now):
        raise NotAllowed(why)
    message = messages.DeadlineMoved(
        about=about(turn.session, application), what=step.kind, due=until, reason=reason
    )
    revision = application.revision
    put_off(turn, application, step, until, reason)
    tell(turn, application, step.person, message, step.id, revision)
    moved = f"The deadline of {step.id} is now {in_words(until)}."
    if application.decide_by and until > application.decide_by:
        moved += f" Warning: that is after the decision is due, {in_words(application.decide_by)}."
    return moved


def no_deadline_to_be(until: datetime, now: datetime) -> Sentence | None:
    """Why nothing can be due at an instant; None where it can."""
    if until <= now:
        return say("{until} is past; a deadline moves to a time still to come.", until=until)
    if until > now + FURTHEST:
        return say("{until} is more than two years ahead: is the year right?", until=until)
    return None


def put_off(
    turn: Turn, application: Application, step: Step, until: datetime, reason: str, plan: str = ""
) -> None:
    """Gives an open step, which is locked, another deadline, by a plan for many where one is named, and writes to nobody."""
    assert step.due_at is not None
    former, step.due_at = step.due_at, until
    if step.stopped_at:
        step.stopped_at = (
            turn.now
        )  # what the new date leaves stands still from now on, not from the question on
    if step.kind is StepKind.SCREENING:
        screening.move_deadline(turn.session, application, until)
    if step.kind is StepKind.DECLARATION and step.asked_by:  # what the principal sends back is due then, too
        turn.session.get_one(Step, step.asked_by).due_at = until
    decided = application.decide_by
    late: dict[str, Any] = {"after_decision_due": decided.isoformat()} if decided and until > decided else {}
    note(
        turn,
        application,
        turn.by,
        Event.MOVED_A_DEADLINE,
        step=step.id,
        former=former.isoformat(),
        until=until.isoformat(),
        because=reason,
        **by_plan(plan),
        **late,
    )
