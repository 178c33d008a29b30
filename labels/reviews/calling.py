"""One more reviewer by a coordinator's choice, and the decision of a coordinator where the rules leave it to a person."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from labels.errors import NotAllowed
from labels.mail import messages
from labels.people.doubles import apart
from labels.record.journal import Event, note
from labels.record.rows import write
from labels.record.schema import (
    AdditionalReview,
    Application,
    Stage,
    Step,
    StepKind,
    StepState,
)
from labels.reviews import conflicts
from labels.reviews.asking import assessments, called_besides, new_review, warn_of_names
from labels.reviews.coordinating import of_staff
from labels.reviews.instances import counted_from
from labels.reviews.ruling import Ruling
from labels.reviews.seats import Seat, decided, seats_of
from labels.rules.calendars import add_working_days
from labels.rules.kept import rules_of
from labels.steps.mailing import about_step, mail_step
from labels.steps.step import close_step, every_step, locked, locked_by_step, open_steps
from labels.turn import Turn
from labels.words.sentences import Sentence, say

IN_REVIEW = (Stage.REVIEW, Stage.INFORMATION, Stage.ASSIGNMENT)
"""Stages in which reviews are awaited, or what follows from them."""


def may_call(session: Session, application: Application) -> bool:
    """Whether a coordinator may call one more reviewer for an application now."""
    return _no_more(session, application) is None


def who_may_be_called(session: Session, application: Application, persons: Collection[str]) -> frozenset[str]:
    """Those of some persons of a staff who may be called as one more reviewer of an application in review."""
    reviews = (step for step in every_step(session, application) if step.kind is StepKind.REVIEW)
    review = next(reviews, None)
    if review is None:
        return frozenset()
    seat = _beside(session, review.id)
    people = conflicts.near(session, set(persons))
    return frozenset(one for one, candidate in people.items() if seat.unfit(candidate) is None)


def call_one_more(turn: Turn, application_id: str, to: str, reason: str) -> Step | None:
    """Calls one more reviewer for an application: whoever is named, or whom the rules choose where nobody is. Returns the
    review of whoever is named.

    Raises:
        NotFound: there is no such application.
        NotAllowed: the rules allow no more, it is not in review, or the person may not judge it.
    """
    application = locked(turn.session, application_id)
    if why := _no_more(turn.session, application):
        raise NotAllowed(why)
    for step in open_steps(turn.session, application):
        if step.kind is StepKind.DECISION:
            close_step(step, StepState.VOID, turn.now, "one more reviewer is called")
    return _call(turn, application, to, reason)


def decide(turn: Turn, step_id: str, ruling: Ruling, reason: str, to: str = "") -> Step | None:
    """Takes the decision of a coordinator; the run then does what follows. Returns the review of whoever is named as one
    more reviewer.

    Raises:
        NotFound: there is no such step.
        NotAllowed: nothing is to be decided there, too few reviews are in, or no more reviewer may be called.
    """
    application, step = locked_by_step(turn.session, step_id)
    if application.outcome is not None:
        raise NotAllowed(decided(application))
    if step.kind is not StepKind.DECISION or step.state is not StepState.OPEN:
        raise NotAllowed(say("{step} awaits no decision.", step=step.id))
    rules = rules_of(turn.session, application).national.review
    given = len(assessments(turn.session, application))
    if ruling is not Ruling.ANOTHER and given < rules.fewest:
        raise NotAllowed(
            say(
                "{given} of at least {needed} reviews are in: too few to decide. Call one more reviewer.",
                given=given,
                needed=rules.fewest,
            )
        )
    if ruling is Ruling.ANOTHER and (why := _no_more(turn.session, application)):
        raise NotAllowed(why)
    step.answer = {"decide": ruling.value, "reason": reason}
    step.refused = None
    close_step(step, StepState.ANSWERED, turn.now)
    if ruling is Ruling.ANOTHER:
        return _call(turn, application, to, reason)
    note(turn, application, turn.by, Event.RULED, step=step.id, decided=ruling.value, because=reason)
    return None


def _no_more(session: Session, application: Application) -> Sentence | None:
    """Why no more reviewer can be called; None where one can."""
    if application.outcome is not None:
        return decided(application)
    rules = rules_of(session, application).national.review
    if rules.additional is None:
        return say(
            "The rules of {organisation} let nobody call more reviewers than they do.",
            organisation=application.organisation,
        )
    since = counted_from(session, application.id, application.instance)
    reviews = (StepKind.REVIEW, StepKind.DECISION)
    if application.stage not in IN_REVIEW or not any(
        step.kind in reviews and step.instance >= since for step in every_step(session, application)
    ):
        return say("{application} is not in review.", application=application.id)
    called = len(called_besides(session, application, since, rules))
    if called >= rules.additional.most.value:
        return say(
            "{number} more were called for {application} already, as many as its rules allow.",
            number=called,
            application=application.id,
        )
    return None


def _call(turn: Turn, application: Application, to: str, reason: str) -> Step | None:
    since = counted_from(turn.session, application.id, application.instance)
    rules = rules_of(turn.session, application).national.review
    steps = every_step(turn.session, application)
    reviews = [step for step in steps if step.kind is StepKind.REVIEW]
    taken = {step.seat for step in steps if step.kind in SEATED and step.instance >= since}
    besides = called_besides(turn.session, application, since, rules)
    number = 1 + max({rules.reviewers.value} | taken | besides)
    whom = of_staff(turn.session, application.organisation, to) if to else None
    seat = _beside(turn.session, reviews[-1].id) if whom else None
    if whom and seat and (why := seat.unfit(whom)):
        raise NotAllowed(why)
    new = {
        "application": application.id,
        "instance": application.instance,
        "seat": number,
        "called_at": turn.now,
    }
    write(turn.session, AdditionalReview, new)
    named: dict[str, Any] = {"to": whom.email} if whom else {}
    note(turn, application, turn.by, Event.CALLED_ONE_MORE, seat=number, because=reason, **named)
    if whom is None or seat is None:
        return None
    due = add_working_days(turn.now, rules.due_days.value, application.country)
    step = new_review(turn, application, whom.person, number, due)
    turn.session.flush()
    mail_step(turn, step, messages.ReviewAsked(about=about_step(turn.session, application, step)))
    warn_of_names(turn, application, step, whom, seat.judged)
    return step


SEATED = (StepKind.REVIEW, StepKind.ASSIGNMENT)
"""Kinds of step that are about a reviewer's seat."""


def _beside(session: Session, review: str) -> Seat:
    """A seat beside all that are taken, of the application of a review."""
    seat = seats_of(session, [review])[review]
    near = conflicts.near(session, {step.person for step in seat.seated})
    return replace(seat, neighbours=tuple(near.values()), different=apart(session, near))
