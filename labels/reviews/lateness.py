"""What becomes of a review that is late: it ends where the rules say so, and its seat is another's or stays empty."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from labels.mail import messages
from labels.record.journal import RULES, Event, note
from labels.record.schema import Application, Step, StepKind, StepState
from labels.rules.calendars import add_working_days
from labels.rules.model import ReviewRules
from labels.steps.mailing import about_step, mail_step
from labels.steps.step import close_step
from labels.turn import Turn

NOT_IN_TIME = "the deadline has passed"


def ends_at(due: datetime, rules: ReviewRules, country: str) -> datetime | None:
    """When a review that is due at an instant ends unanswered; None where it stays open."""
    if rules.late is None or rules.late.ends_after is None:
        return None
    days = rules.late.ends_after.value
    return add_working_days(due, days, country) if days else due


def pass_deadline(turn: Turn, application: Application, step: Step) -> str:
    """Ends a review that was not given in time, and tells its reviewer; the run then asks whom the rules call."""
    assert step.due_at is not None
    message = messages.ReviewVoid(about=about_step(turn.session, application, step), reason=NOT_IN_TIME)
    mail_step(turn, step, message)
    close_step(step, StepState.EXPIRED, turn.now, NOT_IN_TIME)
    note(
        turn,
        application,
        RULES,
        Event.REVIEW_NOT_GIVEN,
        step=step.id,
        reviewer=step.assignee,
        due=step.due_at.isoformat(),
    )
    return "the review was not given in time, and goes on without its reviewer"


def given_up(seats: Iterable[int], steps: Iterable[Step], rules: ReviewRules) -> set[int]:
    """Those of some seats for which as many reviewers did not answer as the rules ask one after another."""
    if rules.late is None or rules.late.ends_after is None:
        return set()
    lapsed = [step.seat for step in steps if step.kind is StepKind.REVIEW and step.state is StepState.EXPIRED]
    return {seat for seat in seats if lapsed.count(seat) > rules.late.most_others}


def goes_without(rules: ReviewRules, expected: int, called: int) -> bool:
    """Whether seats that were given up stay empty: as many reviews as are enough are in, awaited or about to be asked for,
    or a person decides who may call one more; `called` were called by a coordinator's choice so far."""
    if expected >= rules.fewest:
        return rules.by_a_person or (rules.late is not None and rules.late.enough is not None)
    return rules.by_a_person and rules.additional is not None and called < rules.additional.most.value
