"""Who is asked to judge an application."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.applicant import applicant
from labels.mail import messages, outbox
from labels.mail.outbox import Envelope
from labels.people.doubles import told_apart
from labels.people.named import Recipient
from labels.people.staff import coordinator, itself, those_who_coordinate
from labels.record.digests import TAKEN_BACK, digest_of_words, happened
from labels.record.journal import RULES, SYSTEM, Event, note
from labels.record.schema import Application, Review, Step, StepKind, StepState
from labels.reviews import conflicts
from labels.reviews.choosing import (
    Candidate,
    Judged,
    choose_reviewer,
    conflicts_of_interest,
    may_be_one,
    names_alike,
)
from labels.reviews.instances import counted_from
from labels.reviews.scoring import Assessment, another_needed
from labels.rules.calendars import add_working_days
from labels.rules.kept import rules_of
from labels.rules.model import RuleEdition
from labels.steps.kinds import STEPS
from labels.steps.mailing import about_step, mail_step
from labels.steps.step import awaited_of, close_step, every_step, locked, open_step
from labels.turn import Turn
from labels.words.sentences import say

# Asking -----------------------------------------------------------------------------------------


def ask(turn: Turn, application_id: str) -> list[Step]:
    """Asks whom the rules call next, and returns the steps that the application now waits for.

    An empty list means that nobody is awaited: the reviews are in, or there is an outcome. It may
    be called at any time and as often as one likes: whoever was asked is not asked again.
    """
    application = locked(turn.session, application_id)
    if application.outcome is not None:
        return []
    edition = rules_of(turn.session, application)
    judged = conflicts.judged(turn.session, application)
    steps = every_step(turn.session, application)
    seated = seated_reviews(turn.session, application, steps)
    if _took_back(turn, application, seated, judged):
        seated = seated_reviews(turn.session, application, steps)
    called = edition.national.review.reviewers.value
    reason = "the rules ask for it"
    if len(seated) >= called and all(step.state is StepState.ANSWERED for step in seated):
        more = another_needed(assessments(turn.session, application), edition)
        if more is not None:
            called, reason = len(seated) + 1, more
    free_seats = sorted(set(range(1, called + 1)) - {step.seat for step in seated})
    if free_seats:
        steps += _fill(turn, application, edition, judged, steps, free_seats, reason)
    else:
        _take_back_assignments(turn, application, steps, ())
    awaited = awaited_of(application, steps)
    _settle_stage(application, awaited, turn.now)
    return awaited


def seated_reviews(session: Session, application: Application, steps: Sequence[Step]) -> list[Step]:
    """The reviews that were asked for or given, and not taken back, of those that count in the present instance."""
    since = counted_from(session, application.id, application.instance)
    return [
        step
        for step in steps
        if step.kind is StepKind.REVIEW
        and since <= step.instance <= application.instance
        and step.state in (StepState.OPEN, StepState.ASKED, StepState.ANSWERED)
    ]


def assessments(session: Session, application: Application) -> list[Assessment]:
    """The reviews that count in the present instance."""
    since = counted_from(session, application.id, application.instance)
    counted = {"application": application.id, "since": since, "instance": application.instance}
    return [assessment(review, seat) for review, seat in session.execute(_REVIEWS, counted)]


def assessment(review: Review, seat: int) -> Assessment:
    """A review as it is judged by."""
    return Assessment(
        reviewer=review.reviewer,
        scores=review.scores,
        comment=review.comment,
        seat=seat,
        digest=digest_of_words(review),
    )


_REVIEWS = (
    sa.select(Review, Step.seat)
    .join(Step, Step.id == Review.step)
    .where(
        Review.application == sa.bindparam("application"),
        Review.instance.between(sa.bindparam("since"), sa.bindparam("instance")),
        Review.void_at.is_(None),
    )
    .order_by(Review.given_at, Review.step)
)


def _settle_stage(application: Application, awaited: Sequence[Step], now: datetime) -> None:
    kinds = {step.kind for step in awaited}
    stage = next((row.stage for kind, row in STEPS.items() if row.stage and kind in kinds), None)
    if stage is None:
        return
    if application.stage is not stage:
        application.stage, application.stage_since = stage, now


def _fill(
    turn: Turn,
    application: Application,
    edition: RuleEdition,
    judged: Judged,
    steps: Sequence[Step],
    seats: Sequence[int],
    reason: str,
) -> list[Step]:
    """Asks a reviewer for each of the seats, and the coordinator for the first that nobody can take."""
    candidates = conflicts.candidates(turn.session, application)
    reviews = [step for step in steps if step.kind is StepKind.REVIEW]
    asked = _asked_before(reviews)
    due = add_working_days(turn.now, edition.national.review.due_days.value, application.country)
    chosen: list[tuple[Candidate, Step]] = []
    for seat in seats:
        candidate = choose_reviewer(
            candidates, judged, _with_doubles(turn.session, asked, candidates), application.id
        )
        if candidate is None:
            break
        asked.add(candidate.email)
        number = len(reviews) + len(chosen) + 1
        step = new_review(turn, application, candidate.person, seat, due, number, candidate.email)
        chosen.append((candidate, step))
    turn.session.flush()
    for candidate, step in chosen:
        to = Recipient(candidate.name, candidate.email, candidate.language, candidate.person)
        if not take_question_over(turn, step, steps):
            mail_step(turn, step, messages.ReviewAsked(about=about_step(turn.session, application, step)), to)
        note(
            turn,
            application,
            RULES,
            Event.ASSIGNED_A_REVIEWER,
            reviewer=candidate.email,
            seat=step.seat,
            because=reason,
            load=candidate.load,
        )
        warn_of_names(turn, application, step, candidate, judged)
    opened = [step for _, step in chosen if step.state is StepState.OPEN]
    _take_back_assignments(turn, application, steps, seats[len(chosen) :])
    if len(chosen) < len(seats) and not any(
        step.kind is StepKind.ASSIGNMENT for step in awaited_of(application, steps)
    ):
        seat = seats[len(chosen)]
        opened.append(_ask_coordinator(turn, application, candidates, judged, asked, seat))
    return opened


def warn_of_names(
    turn: Turn, application: Application, step: Step, candidate: Candidate, judged: Judged
) -> None:
    """Tells the coordinators where whoever is asked may be the applicant or a member by name: a warning, no verdict."""
    if not (names := names_alike(candidate, judged)):
        return
    message = messages.NamesAlike(
        about=about_step(turn.session, application, step),
        reviewer=candidate.name,
        reviewer_email=candidate.email,
        names=names,
    )
    to = Recipient.of(itself(turn.session, application.organisation))
    outbox.queue(turn, message, Envelope(to, (step.id,), application.id))
    note(turn, application, SYSTEM, Event.NAMES_ALIKE, step=step.id, reviewer=candidate.email)


def _take_back_assignments(
    turn: Turn, application: Application, steps: Sequence[Step], free: Collection[int]
) -> None:
    """No coordinator is asked any more to fill a seat that is free no longer."""
    for step in awaited_of(application, steps):
        if step.kind is StepKind.ASSIGNMENT and step.seat not in free:
            void_review(turn, application, step, "the seat is filled or no longer needed", SYSTEM)


def _with_doubles(session: Session, asked: Collection[str], candidates: Sequence[Candidate]) -> set[str]:
    """Those who were asked, and who may be one of them under another address: two seats are two people's.

    Not who was said to be somebody else.
    """
    known = [one for one in candidates if one.email in asked]
    doubles = {
        other.email
        for other in candidates
        for one in known
        if other is not one and may_be_one(one, other) and not told_apart(session, one.person, other.person)
    }
    return {*asked, *doubles}


def _asked_before(reviews: Sequence[Step]) -> set[str]:
    """Nobody is asked twice, and an appeal is heard by other people than those before."""
    return {step.assignee for step in reviews}


def new_review(
    turn: Turn,
    application: Application,
    person: str,
    seat: int,
    due: datetime | None,
    number: int | None = None,
    address: str | None = None,
) -> Step:
    return open_step(
        turn,
        application,
        StepKind.REVIEW,
        person,
        due=due,
        seat=seat,
        organisation=application.organisation,
        number=number,
        address=address,
    )


def take_question_over(turn: Turn, review: Step, steps: Sequence[Step]) -> bool:
    """Has a new reviewer wait for the answer to what the former one of the seat asked; whether there is such a question.

    The applicant notices nothing: the question stays open. The new reviewer is written to once it is answered.
    """
    for asked in steps:
        if (
            asked.kind is StepKind.INFORMATION
            and asked.state is StepState.OPEN
            and (asked.instance, asked.seat) == (review.instance, review.seat)
        ):
            asked.asked_by = review.id
            review.state, review.stopped_at = StepState.ASKED, turn.now
            return True
    return False


def _ask_coordinator(
    turn: Turn,
    application: Application,
    candidates: Sequence[Candidate],
    judged: Judged,
    asked: Collection[str],
    seat: int,
) -> Step:
    own = turn.session, application.organisation
    applies = applicant(turn.session, application)
    able = (
        one
        for one in those_who_coordinate(*own)
        if not (applies and one.address == applies.address)
        and not conflicts.own_conflicts(turn.session, application, one.id)
    )
    whom = next(able, None) or coordinator(*own, other_than=applies)
    reasons = tuple(
        say("{name}: {why}", name=candidate.name, why=tuple(found) or say("was asked before"))
        for candidate in candidates
        if (found := conflicts_of_interest(candidate, judged)) or candidate.email in asked
    )
    step = open_step(
        turn, application, StepKind.ASSIGNMENT, whom.id, seat=seat, organisation=application.organisation
    )
    common = about_step(turn.session, application, step)
    mail_step(turn, step, messages.AssignmentAsked(about=common, reasons=reasons))
    note(turn, application, SYSTEM, Event.ASKED_FOR_A_REVIEWER, step=step.id)
    return step


def _took_back(turn: Turn, application: Application, steps: Sequence[Step], judged: Judged) -> bool:
    """Takes back what people gave who turn out to have a conflict of interest, and what people are asked for
    who left the staff meanwhile; what these gave before counts."""
    people = conflicts.anybody(turn.session, {step.person for step in steps})
    because = {}
    for step in steps:
        person = people.get(step.person)
        if person and (why := conflicts_of_interest(person, judged)):
            because[step.id] = f"conflict of interest: {'; '.join(why)}"
        elif step.state is not StepState.ANSWERED and not (
            person and application.organisation in person.organisations
        ):
            because[step.id] = f"no longer on the staff of {application.organisation}"
    for step in steps:
        if step.id in because:
            void_review(turn, application, step, because[step.id], SYSTEM)
    return bool(because)


def void_review(turn: Turn, application: Application, step: Step, because: str, who: str) -> None:
    """Takes a review back, or the request for one, and tells whom it was asked of."""
    if step.state in (StepState.OPEN, StepState.ASKED):
        common = about_step(turn.session, application, step)
        mail_step(turn, step, messages.ReviewVoid(about=common, reason=because))
    take_back(turn, application, step, because, who)


def take_back(turn: Turn, application: Application, step: Step, because: str, who: str) -> None:
    """Takes a review back, or what was asked of somebody, and tells nobody."""
    review = turn.session.get(Review, step.id)
    told: dict[str, Any] = {"because": because}
    if review is not None and review.void_at is None:
        review.void_at, review.void_because = turn.now, because
        told["digests"] = happened(TAKEN_BACK, {"step": step.id, "void_at": turn.now})
    close_step(step, StepState.VOID, turn.now, because)
    told["reviewer" if step.kind is StepKind.REVIEW else "coordinator"] = step.assignee
    note(
        turn,
        application,
        who,
        Event.TOOK_BACK_A_REVIEW if review else Event.TOOK_BACK_A_REQUEST,
        step=step.id,
        **told,
    )
