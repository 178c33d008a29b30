"""Who may act on a step: one-time codes, and a coordinator's right to act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.applicant import applicant
from labels.errors import NotAllowed, NotFound
from labels.mail import messages
from labels.mail.message import OfStep
from labels.mending import AskForCode
from labels.people.persons import behind, person
from labels.people.staff import coordinates
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Application, School, Step, StepKind, StepState, Teacher
from labels.registry.history import all_numbers
from labels.reviews import conflicts
from labels.reviews.choosing import conflicts_of_interest
from labels.rules.kept import rules_of
from labels.school_label.inviting import invitation_of
from labels.steps.codes import code_hash, code_matches, made_with, nearly, review_code
from labels.steps.delivered import has_more_time
from labels.steps.kinds import COORDINATING, STEPS, Power
from labels.steps.limit import CODES_AN_HOUR, may_be_mailed
from labels.steps.mailing import about_step, mail_step
from labels.steps.outcome import Accepted
from labels.steps.outcome import Refusal as Refusal
from labels.steps.proof import Code, Proof, SignedIn, proves, who_may_be_meant
from labels.steps.step import close_step, locked, locked_by_step, open_step, renew_code, steps_of
from labels.turn import Turn
from labels.words.addresses import meant
from labels.words.sentences import Sentence, listed, say

# Answering --------------------------------------------------------------------------------------


def find_step(session: Session, step_id: str) -> Step:
    """The step of that id; raises NotFound."""
    step = session.get(Step, step_id)
    if step is None:
        raise NotFound(f"There is no step {step_id}.")
    return step


def prove(turn: Turn, step: Step, proof: Proof) -> Refusal | None:
    """Why this person may not act on this step, or None if they proved that they may.

    A wrong code is counted; after as many as the rules say, it is void and a new one is mailed. Until
    the proof is right, every refusal reads the same, so that nobody learns from it whom a step is for.
    """
    application = turn.session.get_one(Application, step.application)
    if not proves(turn.session, proof, step):
        if isinstance(proof, Code) and step.state is StepState.OPEN:
            return wrong_code(turn, application, [step], claimed=proof.email)
        wrong = say("This code is not valid for this step.")
        return Refusal(wrong if isinstance(proof, Code) else NOT_YOURS)
    return _closed(step) or standing(turn.session, application, step, turn.now)


def standing(session: Session, application: Application, step: Step, now: datetime) -> Refusal | None:
    """Why the person whom an open step awaits may not answer it now, or None if they may."""
    row = STEPS[step.kind]
    if row.ends_when_late and step.due_at and now > step.due_at and not has_more_time(session, step):
        return Refusal(say("The deadline for this answer was {due}.", due=step.due_at))
    if row.power is Power.REVIEWER:
        reviewer = conflicts.staff(session, step.person)
        if reviewer is None or application.organisation not in reviewer.organisations:
            gone = say(
                "{address} is no longer on the staff of {organisation}.",
                address=step.assignee,
                organisation=application.organisation,
            )
            return Refusal(gone, replace=True)
        if why := conflicts_of_interest(reviewer, conflicts.judged(session, application)):
            close = say(
                "You have a conflict of interest with this application: {reasons}.", reasons=listed(why)
            )
            return Refusal(close, replace=True)
    if row.power is Power.COORDINATOR and not coordinates(session, step.person, application.organisation):
        gone = say(
            "{address} no longer coordinates {organisation}.",
            address=step.assignee,
            organisation=application.organisation,
        )
        return Refusal(gone)
    if row.power is Power.OTHER_COORDINATOR:
        return _no_coordinator(session, application, step.person)
    return None


NOT_YOURS = say("This step is not yours.")
"""Said to whoever is signed in as somebody else, or to nobody's step."""


def _closed(step: Step) -> Refusal | None:
    """Why a step takes no answer any more, or not now."""
    if step.state is StepState.OPEN:
        return None
    if step.state is StepState.ASKED:
        return Refusal(say("You asked the applicant a question and have not been answered yet."))
    if step.closed_at is None:
        return Refusal(say("This step takes no answer any more."))
    who, at = step.assignee, step.closed_at
    match step.state:
        case StepState.ANSWERED:
            return Refusal(say("This step was already answered by {who} at {at}.", who=who, at=at))
        case StepState.DECLINED:
            return Refusal(say("This step was declined by {who} at {at}.", who=who, at=at))
        case StepState.EXPIRED:
            return Refusal(say("The deadline of this step has passed at {at}.", at=at))
    because = step.closed_because or ""
    return Refusal(say("This step was taken back at {at}: {because}.", at=at, because=because))


def _no_coordinator(session: Session, application: Application, person_id: str) -> Refusal | None:
    """Why somebody may not act as a coordinator upon an application, or None if they may."""
    email = person(session, person_id).address
    if not coordinates(session, person_id, application.organisation):
        return Refusal(no_coordinator(email, application.organisation))
    applies = applicant(session, application)
    if applies and (applies.id == person_id or applies.address == email):
        applied = say(
            "{address} applies here; somebody else of {organisation} coordinates it.",
            address=email,
            organisation=application.organisation,
        )
        return Refusal(applied)
    if why := conflicts.own_conflicts(session, application, person_id):
        close = say(
            "{address} has a conflict of interest with this application: {reasons}. Somebody else of {organisation} "
            "coordinates it.",
            address=email,
            reasons=listed(why),
            organisation=application.organisation,
        )
        return Refusal(close)
    return None


def no_coordinator(who: str, organisation: str) -> Sentence:
    """That somebody does not coordinate an organisation."""
    return say("{who} is no coordinator of {organisation}.", who=who, organisation=organisation)


def wrong_code(
    turn: Turn, application: Application, steps: Sequence[Step], *, claimed: str | None
) -> Refusal:
    """Counts a wrong code against the open steps that it may have been meant for, in one journal entry.

    `claimed` is who somebody said to be: it proves nothing, so nobody's name goes before the entry.
    """
    allowed = rules_of(turn.session, application).national.review.code_attempts.value
    for step in steps:
        step.code_failures += 1
    left = {step.id: max(allowed - step.code_failures, 0) for step in steps}
    fewest = min((tries for tries in left.values() if tries), default=0)
    details: dict[str, Any] = {"claimed": claimed} if claimed else {}
    if len(steps) > 1:
        details["steps"] = list(left)
    one = steps[0].id if len(steps) == 1 else None
    note(turn, application, SYSTEM, Event.REFUSED_A_CODE, step=one, news=False, left=fewest, **details)
    for step in steps:
        if not left[step.id]:
            renew_code(step, turn.key)
            _mail_code(turn, application, step, say("The former code was tried too often and is void."))
    mailed = not all(left.values())
    if not fewest:
        why = "The code was tried too often and is void. A new one has been mailed."
    else:
        tries = "one more try" if fewest == 1 else f"{fewest} more tries"
        why = f"The code is not valid for this step ({tries} before a new one is sent)."
    for step in steps:
        if claimed is None or claimed.lower() == step.assignee:
            step.refused = why
    return Refusal(why, noted=True, mailed=application.id if mailed else None)


def mistyped(turn: Turn, steps: Sequence[Step], code: str) -> Step | None:
    """The step of which somebody typed a code with a slip in it, its present one or the one before."""
    for step in steps:
        for number in range(max(1, step.code_number - 1), step.code_number + 1):
            for mailed in (review_code(key, step.id, number) for key in turn.keys):
                if nearly(code, mailed) or (
                    number < step.code_number and code_matches(code, code_hash(mailed))
                ):
                    return step
    return None


def step_of_code(session: Session, code: str) -> Step | None:
    """The step of any application whose present code this is, open or not."""
    return session.scalars(sa.select(Step).where(Step.code_hash == code_hash(code))).first()


def replace_code(turn: Turn, step: Step, why: str) -> None:
    """Makes the code of a step void that came with an answer which was not accepted, and mails its owner another one.

    They alone are told `why`: it may tell what they answered.
    """
    application = turn.session.get_one(Application, step.application)
    renew_code(step, turn.key)
    common = about_step(turn.session, application, step)
    mail_step(turn, step, messages.Code(about=common, purpose=_NOT_ACCEPTED, why=why))


_NOT_ACCEPTED = say(
    "Your answer was not accepted, and its code is void. What you filled in is kept: enter this code into the form, and "
    "only what you change."
)


def _mail_code(
    turn: Turn, application: Application, step: Step, purpose: Sentence, *, once_more: bool = False
) -> None:
    message: OfStep
    if once_more and step.kind is StepKind.SELF_ASSESSMENT:
        message = invitation_of(turn.session, application, step)  # it has the code, and says what it is for
    else:
        message = messages.Code(about=about_step(turn.session, application, step), purpose=purpose)
    mail_step(turn, step, message, once_more=once_more)


# Coordinating -----------------------------------------------------------------------------------


def send_code(turn: Turn, subject_id: str, email: str, at_most: int = CODES_AN_HOUR) -> str:
    """Mails a one-time code to a person for what they may do: a step of theirs, or, for a
    coordinator, one action upon an application of their organisation. Returns the step's id.

    Anybody can ask for it, so it is the code that the step has: nobody makes another's void, or has it tried
    anew, by asking.

    Raises:
        NotFound: there is no such application or step.
        NotAllowed: nothing there is for this person, or it was asked for `at_most` times within the hour.
    """
    email = meant(email)
    people = [one.id for one in behind(turn.session, email)]
    named = turn.session.get(Step, subject_id)
    application = locked(turn.session, named.application if named else subject_id)
    own = [
        step
        for step in ([named] if named else steps_of(turn.session, application))
        if step.person in people and step.state is StepState.OPEN
    ]
    coordinating = [one for one in people if _no_coordinator(turn.session, application, one) is None]
    if coordinating and not named:  # one who also reviews it asks for that code by its step
        own = [step for step in own if step.kind in COORDINATING]
    if own:
        may_be_mailed(turn, own[-1].person, at_most)
        step = own[-1]
        _renew_with_the_key(turn, step)
        purpose = _ONCE_MORE
    elif coordinating:
        may_be_mailed(turn, coordinating[0], at_most)
        step = open_step(
            turn, application, StepKind.COORDINATION, coordinating[0], organisation=application.organisation
        )
        purpose = say("With this code you can confirm one action as coordinator of this application.")
    else:
        raise NotAllowed(f"Nothing of {application.id} awaits {email} or is theirs to do.")
    _mail_code(turn, application, step, purpose, once_more=bool(own))
    acting = turn.acting(email, step.person)
    note(acting, application, email, Event.ASKED_FOR_A_CODE, step=step.id, news=False)
    return step.id


_ONCE_MORE = say("You asked for it once more: it is the code that you have.")


def _renew_with_the_key(turn: Turn, step: Step) -> None:
    """Makes a code new that can't be made again, since the secret key is another one by now."""
    if made_with(turn.keys, step.id, step.code_number, step.code_hash) is None:
        renew_code(step, turn.key)


def send_again(turn: Turn, step_id: str, proof: Proof, at_most: int = CODES_AN_HOUR) -> Accepted | Refusal:
    """Mails an invitation of a school once more to the teacher whose it is, or what the principal is asked to confirm.

    The teacher may ask for it, whoever else was invited or teaches at the school, and its principal.

    Raises:
        NotFound: there is no such step.
        NotAllowed: it was asked for `at_most` times within the hour.
    """
    application, step = locked_by_step(turn.session, step_id)
    asking = who_may_be_meant(turn.session, proof) if isinstance(proof, SignedIn) else []
    if step.kind not in OF_A_SCHOOL or not any(
        _of_the_school(turn.session, application, one) for one in asking
    ):
        return Refusal(NOT_YOURS, NotFound(NOT_YOURS))
    if refusal := _closed(step):
        return refusal
    who = person(turn.session, asking[0])
    for one in {step.person, who.id}:
        may_be_mailed(turn, one, at_most)
    _renew_with_the_key(turn, step)
    _mail_code(turn, application, step, _ONCE_MORE, once_more=True)
    acting = turn.acting(who.address, who.id)
    note(acting, application, who.address, Event.ASKED_FOR_A_CODE, step=step.id, news=False)
    return Accepted(application.id, f"It is on its way to {step.assignee} once more.", concerned=())


OF_A_SCHOOL = (StepKind.SELF_ASSESSMENT, StepKind.DECLARATION)
"""What a school's own people are asked for."""


def _of_the_school(session: Session, application: Application, person_id: str) -> bool:
    """Whether somebody was invited, teaches at the school now, or is its principal, whichever of its numbers it has."""
    invited = sa.exists().where(
        Step.application == application.id, Step.person == person_id, Step.kind.in_(OF_A_SCHOOL)
    )
    [numbers] = all_numbers(session, [application.school or ""])
    teaches = sa.exists().where(Teacher.school.in_(numbers), Teacher.person == person_id)
    leads = sa.exists().where(School.id.in_(numbers), School.principal == person_id)
    return bool(session.scalar(sa.select(sa.or_(invited, teaches, leads))))


@dataclass(frozen=True, slots=True)
class Coordinator:
    """A person who proved to be a coordinator, for one action."""

    email: str
    """Their present address."""
    person: str
    """Their id."""
    spends: Step | None
    """The step whose code is spent with the action; none where they are signed in."""

    def spend(self, turn: Turn) -> None:
        """Ends the code, in the transaction of the action that it was for."""
        if self.spends is not None and self.spends.state is StepState.OPEN:
            close_step(self.spends, StepState.ANSWERED, turn.now)


_NOT_VALID = say("The code is not valid here.")


def prove_coordinator(turn: Turn, application: Application, proof: Proof) -> Coordinator | Refusal:
    """A coordinator who may act upon the application, or why this person may not.

    A wrong code is counted, like one for any step; the caller keeps that.
    """
    steps = steps_of(turn.session, application, *COORDINATING)
    email = proof.claimed if isinstance(proof, Code) else None
    people = who_may_be_meant(turn.session, proof)
    if isinstance(proof, Code) and email is None:
        meant = [step for step in steps if code_matches(proof.code, step.code_hash)]
        people = [step.person for step in meant]
    if not people:
        return Refusal(no_coordinator(email, application.organisation) if email else _NOT_VALID)
    refusals = {one: _no_coordinator(turn.session, application, one) for one in people}
    able = [one for one, refusal in refusals.items() if refusal is None]
    if not able:
        return refusals[people[0]] or Refusal(_NOT_VALID)
    address = person(turn.session, able[0]).address
    if isinstance(proof, SignedIn):
        return Coordinator(address, able[0], None)
    own = [step for step in steps if step.person in able]
    for step in own:
        if code_matches(proof.code, step.code_hash):
            return _closed(step) or Coordinator(step.assignee, step.person, step)
    if still_open := [step for step in own if step.state is StepState.OPEN]:
        return wrong_code(turn, application, still_open[-1:], claimed=email)
    return Refusal("The code is not valid.", mend=AskForCode(application.id, email or address))
