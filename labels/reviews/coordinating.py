"""What a coordinator changes in who reviews: another reviewer, a review once more, a conflict of interest."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import NotAllowed
from labels.mail import messages
from labels.people.doubles import told_apart
from labels.people.persons import behind, surviving
from labels.record.digests import TAKEN_BACK, happened
from labels.record.journal import Event, note
from labels.record.schema import Application, Outcome, Person, Review, Staff, Step, StepKind, StepState
from labels.reviews import conflicts, drafting
from labels.reviews.asking import new_review, seated_reviews, take_question_over, void_review, warn_of_names
from labels.reviews.choosing import Candidate, conflicts_of_interest, may_be_one
from labels.reviews.instances import counted_from
from labels.rules.calendars import add_working_days
from labels.rules.kept import rules_of
from labels.steps.mailing import about_step, mail_step
from labels.steps.step import close_step, every_step, locked, locked_by_step, steps_of
from labels.turn import Turn
from labels.words.sentences import Sentence, listed, one_after_another, say


def reassign(turn: Turn, step_id: str, to: str, reason: str) -> Step:
    """Gives a reviewer's seat to somebody else, or to the coordinator who takes it over.

    `step_id` is an open review, or the coordinator's own assignment step for an empty seat. The
    former step keeps its history.

    Raises:
        NotAllowed: the person is not on the organisation's staff, has a conflict of interest or
            judges this application already.
    """
    application, step = locked_by_step(turn.session, step_id)
    if application.outcome is not None:
        raise NotAllowed(_decided(application))
    if step.kind is StepKind.REVIEW and step.state not in (StepState.OPEN, StepState.ASKED):
        raise NotAllowed(say("{step} is over: there is nothing to reassign.", step=step.id))
    if step.kind not in (StepKind.REVIEW, StepKind.ASSIGNMENT):
        raise NotAllowed(say("{step} is no review.", step=step.id))
    if step.kind is StepKind.ASSIGNMENT and not _is_free(turn.session, application, step):
        raise NotAllowed(
            say("{step} is done: somebody reviews in that seat, or nobody is needed there.", step=step.id)
        )
    person = _of_staff(turn.session, application.organisation, to)
    to = person.email
    judged = conflicts.judged(turn.session, application)
    if why := conflicts_of_interest(person, judged):
        raise NotAllowed(_in_conflict(to, why))
    busy = {
        s.assignee
        for s in turn.session.scalars(
            sa.select(Step).where(Step.application == application.id, Step.kind == StepKind.REVIEW)
        )
        if s.state in (StepState.OPEN, StepState.ASKED, StepState.ANSWERED)
    }
    if to in busy:
        raise NotAllowed(say("{reviewer} judges or judged this application already.", reviewer=to))
    seated = seated_reviews(turn.session, application, every_step(turn.session, application))
    others = {one.person for one in seated}
    for other in conflicts.near(turn.session, others - {step.person}).values():
        if may_be_one(person, other) and not told_apart(turn.session, person.person, other.person):
            raise NotAllowed(
                say(
                    "{reviewer} may be {other}, who judges this application already.",
                    reviewer=to,
                    other=other.email,
                )
            )
    if step.kind is StepKind.REVIEW:
        void_review(turn, application, step, f"reassigned: {reason}", turn.by)
    elif step.state is StepState.OPEN:
        close_step(step, StepState.ANSWERED, turn.now)
    days = rules_of(turn.session, application).national.review.due_days.value
    due = add_working_days(turn.now, days, application.country)
    new = new_review(turn, application, person.person, step.seat, max(due, step.due_at or due))
    turn.session.flush()
    if not take_question_over(turn, new, steps_of(turn.session, application, StepKind.INFORMATION)):
        mail_step(turn, new, messages.ReviewAsked(about=about_step(turn.session, application, new)))
    note(turn, application, turn.by, Event.REASSIGNED, step=new.id, former=step.id, to=to, because=reason)
    warn_of_names(turn, application, new, person, judged)
    return new


def send_back(turn: Turn, step_id: str, reason: str) -> Step:
    """Gives a review back to whoever gave it, as the draft of a new step; what was given counts no longer.

    Raises:
        NotFound: there is no such step.
        NotAllowed: there is no review that counts, the application is decided, or its reviewer could not
            answer again.
    """
    application, step = locked_by_step(turn.session, step_id)
    if application.outcome is not None:
        raise NotAllowed(_decided(application))
    review = turn.session.get(Review, step.id)
    since = counted_from(turn.session, application.id, application.instance)
    if review is None or review.void_at is not None or step.instance < since:
        raise NotAllowed(say("{step} has no review that could be sent back.", step=step.id))
    person = conflicts.staff(turn.session, step.person)
    if person is None or application.organisation not in person.organisations:
        raise NotAllowed(
            say(
                "{address} is no longer on the staff of {organisation}.",
                address=step.assignee,
                organisation=application.organisation,
            )
        )
    if why := conflicts_of_interest(person, conflicts.judged(turn.session, application)):
        raise NotAllowed(_in_conflict(step.assignee, why))
    because = f"sent back: {reason}"
    review.void_at, review.void_because = turn.now, because
    close_step(step, StepState.VOID, turn.now, because)
    rules = rules_of(turn.session, application).national.review
    due = add_working_days(turn.now, rules.due_days.value, application.country)
    new = new_review(turn, application, step.person, step.seat, due)
    turn.session.flush()
    drafting.begin_again(turn, new, review)
    message = messages.ReviewSentBack(about=about_step(turn.session, application, new), reason=reason)
    mail_step(turn, new, message)
    note(
        turn,
        application,
        turn.by,
        Event.SENT_BACK_A_REVIEW,
        step=new.id,
        former=step.id,
        reviewer=step.assignee,
        because=reason,
        digests=happened(TAKEN_BACK, {"step": step.id, "void_at": turn.now}),
    )
    return new


def _of_staff(session: Session, organisation: str, named: str) -> Candidate:
    """Whom of an organisation's staff a coordinator names by an address, or by `PER-…` where two share one.

    Raises:
        NotAllowed: nobody, or more than one.
    """
    named = named.strip()
    ids = {one.id for one in behind(session, named)} | {surviving(session, named)}
    people = [one for one in conflicts.near(session, ids).values() if organisation in one.organisations]
    if not people:
        raise NotAllowed(_no_staff(named.lower(), organisation))
    if len(people) > 1:
        who = tuple(f"{one.name} ({one.person})" for one in people)
        raise NotAllowed(
            say(
                "Several people read {address}: {people}. Name one of them by that id.",
                address=named.lower(),
                people=who,
            )
        )
    return people[0]


def _decided(application: Application) -> Sentence:
    return say(
        "{application} has an outcome already: {outcome}.",
        application=application.id,
        outcome=_OUTCOMES.get(application.outcome, application.outcome.value) if application.outcome else "",
    )


_OUTCOMES = {
    Outcome.AWARDED: say("awarded"),
    Outcome.REFUSED: say("not awarded"),
    Outcome.INELIGIBLE: say("conditions not met"),
    Outcome.WITHDRAWN: say("withdrawn"),
}


def _in_conflict(reviewer: str, why: Sequence[Sentence]) -> Sentence:
    return say("{reviewer} has a conflict of interest: {reasons}.", reviewer=reviewer, reasons=listed(why))


def _no_staff(reviewer: str, organisation: str) -> Sentence:
    return say(
        "{reviewer} is not on the staff of {organisation}.", reviewer=reviewer, organisation=organisation
    )


def _is_free(session: Session, application: Application, assignment: Step) -> bool:
    """Whether a reviewer is missing where this coordinator was asked for one; by now they may have said whom."""
    asked = assignment.state in (StepState.OPEN, StepState.ANSWERED)
    taken = {step.seat for step in seated_reviews(session, application, every_step(session, application))}
    return asked and assignment.instance == application.instance and assignment.seat not in taken


def declare_conflict(turn: Turn, application_id: str, reviewer: str, reason: str) -> list[str]:
    """Keeps that a reviewer has a conflict of interest with an applicant; a review that is not decided on yet is taken
    back by the run. Returns the ids of those who are meant.

    Raises:
        NotAllowed: the address is of nobody who could judge the application, or judged it; names who
            could be meant.
    """
    application = locked(turn.session, application_id)
    people = _meant(turn.session, application, reviewer)
    for one in sorted(people):
        conflicts.declare(turn, application, one, reason=reason)
    note(turn, application, turn.by, Event.DECLARED_A_CONFLICT, reviewer=reviewer.lower(), because=reason)
    return sorted(people)


def lift_conflict(turn: Turn, application_id: str, reviewer: str, reason: str) -> None:
    """Takes back a conflict of interest that was declared by mistake: the reviewer may be asked again.

    What was taken back because of it stays so. A namesake is told apart by saying that the two are different.

    Raises:
        NotAllowed: the address is of nobody who could judge the application, or judged it; nothing is declared;
            it is one's own.
    """
    application = locked(turn.session, application_id)
    people = _meant(turn.session, application, reviewer)
    if people & {one.id for one in behind(turn.session, turn.by)}:
        raise NotAllowed(say("A conflict of interest of your own is lifted by another coordinator."))
    lifted = [one for one in sorted(people) if conflicts.lift(turn, application, one)]
    if not lifted:
        raise NotAllowed(
            say(
                "{reviewer} has no declared conflict of interest with {application}. Where it is a name, say that "
                "the two are different people.",
                reviewer=reviewer,
                application=application.id,
            )
        )
    note(turn, application, turn.by, Event.LIFTED_A_CONFLICT, reviewer=reviewer.lower(), because=reason)


def _meant(session: Session, application: Application, reviewer: str) -> set[str]:
    """Who of an organisation's staff, or of those who were asked to judge, has an address: the persons' ids."""
    reviewer = reviewer.lower()
    own = {row.id: row.address for row in session.execute(_STAFF, {"organisation": application.organisation})}
    steps = every_step(session, application)  # who left the staff may still have judged
    asked = {step.person: step.assignee for step in steps if step.kind is StepKind.REVIEW}
    people = {one.id for one in behind(session, reviewer)} & (own | asked).keys()
    if not people:
        known = sorted({*own.values(), *asked.values()})
        meant = difflib.get_close_matches(reviewer, known, n=3, cutoff=0.8) or known[:NAMED]
        why = _no_staff(reviewer, application.organisation)
        if meant == known[:NAMED] != known:
            could = say(
                "Who could be meant: {people} and {number} more.",
                people=tuple(meant),
                number=len(known) - NAMED,
            )
            raise NotAllowed(one_after_another(why, could))
        if meant:
            could = say("Who could be meant: {people}.", people=tuple(meant))
            raise NotAllowed(one_after_another(why, could))
        raise NotAllowed(why)
    return set(people)


NAMED = 10
"""How many of an organisation's staff are named where none has an address like the one that was given."""


_STAFF = (
    sa.select(Person.id, Person.address)
    .where(sa.exists().where(Staff.person == Person.id, Staff.organisation == sa.bindparam("organisation")))
    .order_by(Person.address)
)
