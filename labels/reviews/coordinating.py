"""What a coordinator changes in who reviews: another reviewer, a review once more, a conflict of interest."""

from __future__ import annotations

import difflib

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import NotAllowed
from labels.mail import messages
from labels.people.persons import behind, person, surviving
from labels.people.staff import has_role
from labels.record.digests import TAKEN_BACK, happened
from labels.record.journal import Event, by_plan, note
from labels.record.schema import (
    Application,
    Organisation,
    Person,
    Review,
    Staff,
    Step,
    StepKind,
    StepState,
)
from labels.reviews import conflicts, drafting
from labels.reviews.asking import new_review, take_back, take_question_over, warn_of_names
from labels.reviews.choosing import Candidate, conflicts_of_interest
from labels.reviews.instances import counted_from
from labels.reviews.seats import UNDER_WAY, Seat, decided, in_conflict, not_on_staff, seats_of
from labels.rules.calendars import add_working_days
from labels.rules.kept import rules_of
from labels.steps.mailing import about, about_step, mail_step, tell
from labels.steps.step import close_step, every_step, locked, locked_by_step
from labels.turn import Turn
from labels.words.sentences import one_after_another, say


def reassign(turn: Turn, step_id: str, to: str, reason: str) -> Step:
    """Gives a reviewer's seat to somebody else, or to the coordinator who takes it over.

    `step_id` is an open review, or the coordinator's own assignment step for an empty seat. The
    former step keeps its history.

    Raises:
        NotAllowed: the person is not on the organisation's staff, has a conflict of interest or
            judges this application already.
    """
    application, step = locked_by_step(turn.session, step_id)
    seat = seats_of(turn.session, [step.id], whole=True).get(step.id)
    if seat is None:
        raise NotAllowed(say("{step} is no review.", step=step.id))
    if closed := seat.open:
        raise NotAllowed(closed)
    whom = of_staff(turn.session, application.organisation, to)
    if why := seat.unfit(whom):
        raise NotAllowed(why)
    if step.kind is StepKind.REVIEW and step.state in UNDER_WAY:
        common = about_step(turn.session, application, step)
        mail_step(turn, step, messages.ReviewVoid(about=common, reason=f"reassigned: {reason}"))
    new = hand_over(turn, seat, whom, reason)
    if new.state is StepState.OPEN:
        mail_step(turn, new, messages.ReviewAsked(about=about_step(turn.session, application, new)))
    warn_of_names(turn, application, new, whom, seat.judged)
    return new


def hand_over(turn: Turn, seat: Seat, to: Candidate, reason: str, plan: str = "") -> Step:
    """Gives a seat to somebody who may have it, by a plan for many where one is named, and writes to nobody."""
    application, step = seat.application, seat.step
    if step.kind is StepKind.REVIEW:
        take_back(turn, application, step, f"reassigned: {reason}", turn.by)
    elif step.state is StepState.OPEN:
        close_step(step, StepState.ANSWERED, turn.now)
    days = rules_of(turn.session, application).national.review.due_days.value
    due = add_working_days(turn.now, days, application.country)
    number = 1 + sum(one.kind is StepKind.REVIEW for one in seat.steps)
    new = new_review(turn, application, to.person, step.seat, max(due, step.due_at or due), number)
    turn.session.flush()
    take_question_over(turn, new, [one for one in seat.steps if one.instance == application.instance])
    note(
        turn,
        application,
        turn.by,
        Event.REASSIGNED,
        step=new.id,
        former=step.id,
        to=to.email,
        because=reason,
        **by_plan(plan),
    )
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
        raise NotAllowed(decided(application))
    review = turn.session.get(Review, step.id)
    since = counted_from(turn.session, application.id, application.instance)
    if review is None or review.void_at is not None or step.instance < since:
        raise NotAllowed(say("{step} has no review that could be sent back.", step=step.id))
    giver = conflicts.staff(turn.session, step.person)
    if giver is None or application.organisation not in giver.organisations:
        raise NotAllowed(
            say(
                "{address} is no longer on the staff of {organisation}.",
                address=step.assignee,
                organisation=application.organisation,
            )
        )
    if why := conflicts_of_interest(giver, conflicts.judged(turn.session, application)):
        raise NotAllowed(in_conflict(step.assignee, why))
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


def of_staff(session: Session, organisation: str, named: str) -> Candidate:
    """Whom of an organisation's staff a coordinator names by an address, or by `PER-…` where two share one.

    Raises:
        NotAllowed: nobody, or more than one.
    """
    named = named.strip()
    ids = {one.id for one in behind(session, named)} | {surviving(session, named)}
    people = [one for one in conflicts.near(session, ids).values() if organisation in one.organisations]
    if not people:
        raise NotAllowed(not_on_staff(named.lower(), organisation))
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


def declare_conflict(turn: Turn, application_id: str, reviewer: str, reason: str) -> list[str]:
    """Keeps that a reviewer has a conflict of interest with an applicant; a review that is not decided on yet is taken
    back by the run. Returns the ids of those who are meant.

    Raises:
        NotAllowed: the address is of nobody who could judge the application, or judged it, or awards the European
            Quality Label; names who could be meant. Nobody applies there.
    """
    application = _applied_in(turn, application_id)
    people = _meant(turn.session, application, reviewer)
    for one in sorted(people):
        conflicts.declare(turn, application, one, reason=reason)
    named = _addresses(turn.session, people)
    note(turn, application, turn.by, Event.DECLARED_A_CONFLICT, reviewer=named, because=reason)
    return sorted(people)


def lift_conflict(turn: Turn, application_id: str, reviewer: str, reason: str) -> bool:
    """Takes back a conflict of interest that was declared by mistake: the reviewer may be asked again. Returns whether
    they are told, as whoever is still on the staff is.

    What was taken back because of it stays so. A namesake is told apart by saying that the two are different.

    Raises:
        NotAllowed: the address is of nobody who could judge the application, or judged it; nothing is declared;
            it is one's own; nobody applies there.
    """
    application = _applied_in(turn, application_id)
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
    named = _addresses(turn.session, people)
    note(turn, application, turn.by, Event.LIFTED_A_CONFLICT, reviewer=named, because=reason)
    message = messages.ConflictLifted(about=about(turn.session, application), reason=reason)
    still = [one for one in lifted if has_role(turn.session, one, application.organisation)]
    for one in still:
        tell(turn, application, one, message, one, turn.now.isoformat())
    return bool(still)


def _applied_in(turn: Turn, application_id: str) -> Application:
    """An application of a teacher or school, locked.

    Raises:
        NotAllowed: it is an organisation's: a conflict of interest is one with people.
    """
    application = locked(turn.session, application_id)
    if application.teacher is None and application.school is None:
        raise NotAllowed(
            say(
                "No teacher or school applies in {application}. Name the application of the label that they are near to.",
                application=application.id,
            )
        )
    return application


def _meant(session: Session, application: Application, reviewer: str) -> set[str]:
    """Who of an organisation's staff, of those who were asked to judge, or of the Central Support Service, which may
    award the European Quality Label for it, has an address or an id: the persons' ids."""
    reviewer = reviewer.strip()
    own = {row.id: row.address for row in session.execute(_STAFF, {"organisation": application.organisation})}
    steps = every_step(session, application)  # who left the staff may still have judged
    asked = {step.person: step.assignee for step in steps if step.kind is StepKind.REVIEW}
    known = {one.id for one in behind(session, reviewer)} | {surviving(session, reviewer)}
    people = known & (own | asked).keys()
    people |= {one for one in known if session.scalar(_CENTRAL, {"person": one})}
    if not people:
        reviewer, all_of = reviewer.lower(), sorted({*own.values(), *asked.values()})
        meant = difflib.get_close_matches(reviewer, all_of, n=3, cutoff=0.8) or all_of[:NAMED]
        why = not_on_staff(reviewer, application.organisation)
        if meant == all_of[:NAMED] != all_of:
            could = say(
                "Who could be meant: {people} and {number} more.",
                people=tuple(meant),
                number=len(all_of) - NAMED,
            )
            raise NotAllowed(one_after_another(why, could))
        if meant:
            could = say("Who could be meant: {people}.", people=tuple(meant))
            raise NotAllowed(one_after_another(why, could))
        raise NotAllowed(why)
    return set(people)


def _addresses(session: Session, people: set[str]) -> str:
    """Who is meant, as the journal says it."""
    return ", ".join(sorted({person(session, one).address for one in people}))


_CENTRAL = (
    sa.select(Staff.email)
    .join(Organisation, Organisation.id == Staff.organisation)
    .where(Staff.person == sa.bindparam("person"), Organisation.kind == "CSS")
    .limit(1)
)

NAMED = 10
"""How many of an organisation's staff are named where none has an address like the one that was given."""


_STAFF = (
    sa.select(Person.id, Person.address)
    .where(sa.exists().where(Staff.person == Person.id, Staff.organisation == sa.bindparam("organisation")))
    .order_by(Person.address)
)
