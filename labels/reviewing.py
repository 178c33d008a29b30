"""Who is asked to judge an application, and what their answers do."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels import conflicts, outbox
from labels.answers import (
    Answer,
    Declaration,
    Decline,
    Information,
    Question,
    ReviewAnswer,
    Screening,
    SelfAssessment,
)
from labels.applications import digest
from labels.asking import Accepted as Accepted
from labels.asking import Refusal as Refusal
from labels.asking import coordinates, coordinator, mail_step
from labels.calendars import add_working_days
from labels.clock import in_words
from labels.errors import Fault, InvalidInput, NotAllowed, NotFound
from labels.european_label import awarding, screening
from labels.journal import RULES, SYSTEM, note
from labels.people import Candidate, Judged, choose_reviewer, code_matches, conflicts_of_interest
from labels.record.rows import write
from labels.record.schema import (
    Application,
    Document,
    Review,
    Staff,
    Stage,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.rules import RuleEdition
from labels.school_label import drafting, receiving
from labels.school_label.people import spokesperson
from labels.scoring import Assessment, another_needed, check_points
from labels.sentences import say
from labels.steps import (
    awaited_of,
    close_step,
    common_context,
    every_step,
    held,
    held_by_step,
    open_step,
    person_named,
    renew_code,
    steps_of,
)
from labels.submitting import StoredDocument, rules_of

# Asking -----------------------------------------------------------------------------------------


def ask(session: Session, application_id: str, *, now: datetime, key: bytes) -> list[Step]:
    """Asks whom the rules call next, and returns the steps that the application now waits for.

    An empty list means that nobody is awaited: the reviews are in, or there is an outcome. It may
    be called at any time and as often as one likes: whoever was asked is not asked again.
    """
    application = held(session, application_id)
    if application.outcome is not None:
        return []
    edition = rules_of(session, application)
    judged = conflicts.judged(session, application)
    steps = every_step(session, application)
    seated = _seated(application, steps)
    if _took_back(session, application, seated, judged, now=now):
        seated = _seated(application, steps)
    called = edition.national.review.reviewers.value
    reason = "the rules ask for it"
    if len(seated) >= called and all(step.state is StepState.ANSWERED for step in seated):
        more = another_needed(assessments(session, application), edition)
        if more is not None:
            called, reason = len(seated) + 1, more
    free_seats = sorted(set(range(1, called + 1)) - {step.seat for step in seated})
    if free_seats:
        steps += _fill(session, application, edition, judged, steps, free_seats, reason, now=now, key=key)
    else:
        _take_back_assignments(session, application, steps, (), now)
    awaited = awaited_of(application, steps)
    _settle_stage(application, awaited, now)
    return awaited


def _seated(application: Application, steps: Sequence[Step]) -> list[Step]:
    """The reviews that were asked for or given, and not taken back."""
    return [
        step
        for step in steps
        if step.kind is StepKind.REVIEW
        and step.instance == application.instance
        and step.state in (StepState.OPEN, StepState.ASKED, StepState.ANSWERED)
    ]


def assessments(session: Session, application: Application) -> list[Assessment]:
    """The reviews that count, of the present instance."""
    return [
        Assessment(reviewer=review.reviewer, scores=review.scores, comment=review.comment)
        for review in session.scalars(
            _REVIEWS, {"application": application.id, "instance": application.instance}
        )
    ]


_REVIEWS = (
    sa.select(Review)
    .where(
        Review.application == sa.bindparam("application"),
        Review.instance == sa.bindparam("instance"),
        Review.void_at.is_(None),
    )
    .order_by(Review.given_at, Review.step)
)


def _settle_stage(application: Application, awaited: Sequence[Step], now: datetime) -> None:
    kinds = {step.kind for step in awaited}
    if StepKind.ASSIGNMENT in kinds:
        stage = Stage.ASSIGNMENT
    elif StepKind.REVIEW in kinds:
        stage = Stage.REVIEW
    elif StepKind.INFORMATION in kinds:
        stage = Stage.INFORMATION
    else:
        return
    if application.stage is not stage:
        application.stage, application.stage_since = stage, now


def _fill(
    session: Session,
    application: Application,
    edition: RuleEdition,
    judged: Judged,
    steps: Sequence[Step],
    seats: Sequence[int],
    reason: str,
    *,
    now: datetime,
    key: bytes,
) -> list[Step]:
    """Asks a reviewer for each of the seats, and the coordinator for the first that nobody can take."""
    candidates = conflicts.candidates(session, application)
    reviews = [step for step in steps if step.kind is StepKind.REVIEW]
    asked = _asked_before(reviews)
    due = add_working_days(now, edition.national.review.due_days.value, application.country)
    chosen: list[tuple[Candidate, Step]] = []
    for seat in seats:
        candidate = choose_reviewer(candidates, judged, asked, application.id)
        if candidate is None:
            break
        asked.add(candidate.email)
        number = len(reviews) + len(chosen) + 1
        step = _new_review(session, application, candidate.email, seat, due, number, now=now, key=key)
        chosen.append((candidate, step))
    session.flush()
    for candidate, step in chosen:
        to = candidate.name, candidate.language
        mail_step(session, application, step, outbox.Template.REVIEW_ASKED, now, to=to)
        note(
            session, application, RULES, "assigned a reviewer", now,
            reviewer=candidate.email, seat=step.seat, because=reason, load=candidate.load,
        )  # fmt: skip
    opened = [step for _, step in chosen]
    _take_back_assignments(session, application, steps, seats[len(chosen) :], now)
    if len(chosen) < len(seats) and not any(
        step.kind is StepKind.ASSIGNMENT for step in awaited_of(application, steps)
    ):
        seat = seats[len(chosen)]
        opened.append(
            _ask_coordinator(session, application, candidates, judged, asked, seat, now=now, key=key)
        )
    return opened


def _take_back_assignments(
    session: Session, application: Application, steps: Sequence[Step], free: Collection[int], now: datetime
) -> None:
    """No coordinator is asked any more to fill a seat that is free no longer."""
    for step in awaited_of(application, steps):
        if step.kind is StepKind.ASSIGNMENT and step.seat not in free:
            _void(session, application, step, "the seat is filled or no longer needed", SYSTEM, now)


def _asked_before(reviews: Sequence[Step]) -> set[str]:
    """Nobody is asked twice, and an appeal is heard by other people than those before."""
    return {step.assignee for step in reviews}


def _new_review(
    session: Session,
    application: Application,
    email: str,
    seat: int,
    due: datetime | None,
    number: int | None = None,
    *,
    now: datetime,
    key: bytes,
) -> Step:
    return open_step(
        session, application, StepKind.REVIEW, email,
        now=now, key=key, due=due, seat=seat, organisation=application.organisation, number=number,
    )  # fmt: skip


def _ask_coordinator(
    session: Session,
    application: Application,
    candidates: Sequence[Candidate],
    judged: Judged,
    asked: Collection[str],
    seat: int,
    *,
    now: datetime,
    key: bytes,
) -> Step:
    email = coordinator(session, application.organisation, other_than=_applicant(session, application))
    reasons = [
        f"{candidate.name}: {', '.join(found) if found else 'was asked before'}"
        for candidate in candidates
        if (found := conflicts_of_interest(candidate, judged)) or candidate.email in asked
    ]
    step = open_step(
        session, application, StepKind.ASSIGNMENT, email,
        now=now, key=key, seat=seat, organisation=application.organisation,
    )  # fmt: skip
    mail_step(session, application, step, outbox.Template.ASSIGNMENT_ASKED, now, reasons=reasons)
    note(session, application, SYSTEM, "asked the coordinator for a reviewer", now, step=step.id)
    return step


def _took_back(
    session: Session, application: Application, steps: Sequence[Step], judged: Judged, *, now: datetime
) -> bool:
    """Takes back what people gave who turn out to have a conflict of interest, and what people are asked for
    who left the staff meanwhile; what these gave before counts."""
    people = conflicts.near(session, {step.assignee for step in steps})
    because = {}
    for step in steps:
        person = people.get(step.assignee)
        if person and (why := conflicts_of_interest(person, judged)):
            because[step.id] = f"conflict of interest: {'; '.join(why)}"
        elif step.state is not StepState.ANSWERED and not (
            person and application.organisation in person.organisations
        ):
            because[step.id] = f"no longer on the staff of {application.organisation}"
    for step in steps:
        if step.id in because:
            _void(session, application, step, because[step.id], SYSTEM, now)
    return bool(because)


def _void(
    session: Session, application: Application, step: Step, because: str, who: str, now: datetime
) -> None:
    was_open = step.state in (StepState.OPEN, StepState.ASKED)
    review = session.get(Review, step.id)
    if review is not None and review.void_at is None:
        review.void_at, review.void_because = now, because
    close_step(step, StepState.VOID, now, because)
    for asked in steps_of(session, application, StepKind.INFORMATION):
        if asked.asked_by == step.id and asked.state is StepState.OPEN:
            close_step(asked, StepState.VOID, now, "the reviewer who asked no longer reviews")
    if was_open:
        mail_step(session, application, step, outbox.Template.REVIEW_VOID, now, reason=because)
    asked_for: dict[str, Any] = {
        "coordinator" if step.kind is StepKind.ASSIGNMENT else "reviewer": step.assignee
    }
    note(
        session, application, who, "took back a review" if review else "took back a request", now,
        step=step.id, because=because, **asked_for,
    )  # fmt: skip


# Answering --------------------------------------------------------------------------------------


def find_step(session: Session, step_id: str) -> Step:
    """The step of that id; raises NotFound."""
    step = session.get(Step, step_id)
    if step is None:
        raise NotFound(f"There is no step {step_id}.")
    return step


# Built once: building a query takes longer than running it.
_KEYS = (
    sa.select(Document.key)
    .where(
        Document.application == sa.bindparam("application"), Document.kind.in_(["application", "evidence"])
    )
    .order_by(Document.key)
)


def prove(
    session: Session, step: Step, email: str | None, code: str, *, now: datetime, key: bytes
) -> Refusal | None:
    """Why this person may not act on this step, or None if they proved that they may.

    A wrong code is counted; after as many as the rules say, it is void and a new one is mailed.
    With no e-mail address (Prefect's form), the code alone tells who it is. Until the code is
    right, every refusal reads the same, so that nobody learns from it whom a step is for.
    """
    application = session.get_one(Application, step.application)
    if not code_matches(code, step.code_hash) or (email is not None and email.lower() != step.assignee):
        if step.state is StepState.OPEN:
            return wrong_code(session, application, [step], claimed=email, now=now, key=key)
        return Refusal("This code is not valid for this step.")
    if step.state is not StepState.OPEN:
        when = f" at {in_words(step.closed_at)}" if step.closed_at else ""
        what = {
            StepState.ASKED: "You asked the applicant a question and have not been answered yet.",
            StepState.ANSWERED: f"This step was already answered by {step.assignee}{when}.",
            StepState.DECLINED: f"This step was declined by {step.assignee}{when}.",
            StepState.EXPIRED: f"The deadline of this step has passed{when}.",
        }.get(step.state, f"This step was taken back{when}: {step.closed_because}.")
        return Refusal(what)
    if step.kind in _ENDS_WITH_ITS_DEADLINE and step.due_at and now > step.due_at:
        return Refusal(f"The deadline for this answer was {in_words(step.due_at)}.")
    if step.kind is StepKind.REVIEW:
        reviewer = conflicts.staff(session, step.assignee)
        if reviewer is None or application.organisation not in reviewer.organisations:
            return Refusal(
                f"{step.assignee} is no longer on the staff of {application.organisation}.", replace=True
            )
        if why := conflicts_of_interest(reviewer, conflicts.judged(session, application)):
            return Refusal(
                f"You have a conflict of interest with this application: {'; '.join(why)}.", replace=True
            )
    if step.kind in (StepKind.SCREENING, StepKind.AWARDING) and not coordinates(
        session, step.assignee, application.organisation
    ):
        return Refusal(f"{step.assignee} no longer coordinates {application.organisation}.")
    if step.kind in (StepKind.ASSIGNMENT, StepKind.COORDINATION):
        return _no_coordinator(session, application, step.assignee)
    return None


_ENDS_WITH_ITS_DEADLINE = (
    StepKind.INFORMATION,
    StepKind.SCREENING,
    StepKind.SELF_ASSESSMENT,
    StepKind.DECLARATION,
)


def _no_coordinator(session: Session, application: Application, email: str) -> Refusal | None:
    """Why somebody may not act as a coordinator upon an application, or None if they may."""
    if not coordinates(session, email, application.organisation):
        return Refusal(f"{email} is no coordinator of {application.organisation}.")
    if email == _applicant(session, application):
        return Refusal(f"{email} applies here; somebody else of {application.organisation} coordinates it.")
    return None


def _applicant(session: Session, application: Application) -> str | None:
    """The address of the teacher who applies, or handed in for their school; None where an organisation does."""
    if application.label == "school":
        return spokesperson(session, application)
    return session.get_one(Teacher, application.teacher).email if application.teacher else None


def wrong_code(
    session: Session,
    application: Application,
    steps: Sequence[Step],
    *,
    claimed: str | None,
    now: datetime,
    key: bytes,
) -> Refusal:
    """Counts a wrong code against the open steps that it may have been meant for, in one journal entry.

    `claimed` is who somebody said to be: it proves nothing, so nobody's name goes before the entry.
    """
    allowed = rules_of(session, application).national.review.code_attempts.value
    for step in steps:
        step.code_failures += 1
    left = {step.id: max(allowed - step.code_failures, 0) for step in steps}
    fewest = min((tries for tries in left.values() if tries), default=0)
    details: dict[str, Any] = {"claimed": claimed} if claimed else {}
    if len(steps) > 1:
        details["steps"] = list(left)
    one = steps[0].id if len(steps) == 1 else None
    note(
        session,
        application,
        SYSTEM,
        "refused a wrong code",
        now,
        step=one,
        news=False,
        left=fewest,
        **details,
    )
    for step in steps:
        if not left[step.id]:
            renew_code(step, key)
            mail_step(
                session, application, step, outbox.Template.CODE, now,
                purpose=say("The former code was tried too often and is void."),
            )  # fmt: skip
    mailed = not all(left.values())
    if not fewest:
        why = "The code was tried too often and is void. A new one has been mailed."
    else:
        tries = "one more try" if fewest == 1 else f"{fewest} more tries"
        why = f"The code is not valid for this step ({tries} before a new one is sent)."
    return Refusal(why, noted=True, mailed=mailed)


def answer(
    session: Session,
    step_id: str,
    email: str | None,
    code: str,
    given: Answer,
    *,
    now: datetime,
    key: bytes,
    door: str,
    documents: Sequence[StoredDocument] = (),
) -> Accepted | Refusal:
    """A person's answer to a step, whichever door it came through; it counts once or not at all.

    `documents` are in the store already and go with a school's self-assessment.

    Raises:
        NotFound: there is no such step.
    """
    application, step = held_by_step(session, step_id)
    refusal = prove(session, step, email, code, now=now, key=key)
    if refusal is None:
        refusal = _fits(session, application, step, given, documents)
    if refusal is not None:
        if email is not None and email.lower() != step.assignee:
            return refusal  # what they typed is nobody else's to see
        return _not_accepted(session, application, step, given, refusal, now=now, door=door)
    step.refused = step.draft = None
    match given:
        case ReviewAnswer():
            return _take_review(session, application, step, given, now=now, door=door)
        case Question():
            return _take_question(session, application, step, given, now=now, key=key, door=door)
        case SelfAssessment():
            received = receiving.take(
                session, application, step, given, documents, now=now, key=key, door=door
            )
            if isinstance(received, Refusal):
                return _not_accepted(session, application, step, given, received, now=now, door=door)
            return received
        case Declaration() | Decline() if step.kind is StepKind.DECLARATION:
            return receiving.declare(session, application, step, given, now=now, key=key, door=door)
        case Decline():
            return _take_decline(session, application, step, given, now=now, door=door)
        case Information():
            return _take_information(session, application, step, given, now=now, key=key, door=door)
        case Screening():
            take = screening.take if step.kind is StepKind.SCREENING else awarding.take
            result = take(session, application, step, given, now=now, door=door)
            if isinstance(result, Refusal):
                return _not_accepted(session, application, step, given, result, now=now, door=door)
            return result
    raise TypeError(f"{type(given).__name__} answers no step of the kind {step.kind.value}")


def save_draft(
    session: Session, step_id: str, email: str, code: str, given: Answer, *, now: datetime, key: bytes
) -> int | Refusal:
    """Keeps a draft of a school's self-assessment for all of its teachers; its number. The code stays valid.

    Raises:
        NotFound: there is no such step.
    """
    application, step = held_by_step(session, step_id)
    refusal = prove(session, step, email, code, now=now, key=key)
    if refusal is not None:
        return refusal
    if step.kind is not StepKind.SELF_ASSESSMENT or not isinstance(given, SelfAssessment):
        return Refusal("Only a school's self-assessment is drafted.")
    return drafting.save(session, application, step, given, now=now)


def _not_accepted(
    session: Session,
    application: Application,
    step: Step,
    given: Answer,
    refusal: Refusal,
    *,
    now: datetime,
    door: str,
) -> Refusal:
    """Keeps why an answer was not accepted, and what was typed, for the next try."""
    if step.state is StepState.OPEN:
        step.refused, step.draft = refusal.why, given.model_dump(mode="json")
        if not refusal.noted:  # so the code was right, and tells whose answer it was
            note(
                session, application, step.assignee, NOT_ACCEPTED, now,
                step=step.id, news=refusal.replace, door=door, because=_for_all_to_read(refusal),
            )  # fmt: skip
    return refusal


def _for_all_to_read(refusal: Refusal) -> str:
    """Why an answer was not accepted, without what it said: points are nobody's to see before the decision."""
    if isinstance(refusal.error, InvalidInput):
        return f"faults in {', '.join(fault.where for fault in refusal.error.faults)}"
    return refusal.why


NOT_ACCEPTED = "gave an answer that was not accepted"


def _fits(
    session: Session,
    application: Application,
    step: Step,
    given: Answer,
    documents: Sequence[StoredDocument],
) -> Refusal | None:
    if documents and step.kind is not StepKind.SELF_ASSESSMENT:
        why = "Documents go only with a school's self-assessment."
        return Refusal(why, InvalidInput(step.id, [Fault("--evidence", why, "Leave them out.")]))
    expected = {
        StepKind.SELF_ASSESSMENT: (SelfAssessment,),
        StepKind.DECLARATION: (Declaration, Decline),
        StepKind.REVIEW: (ReviewAnswer, Question, Decline),
        StepKind.INFORMATION: (Information,),
        StepKind.SCREENING: (Screening,),
        StepKind.AWARDING: (Screening,),
    }.get(step.kind, ())
    if not isinstance(given, expected):
        why = f"This is no answer to a step of the kind {step.kind.value}."
        return Refusal(why, InvalidInput(step.id, [Fault("(whole file)", why)]))
    if isinstance(given, ReviewAnswer):
        faults = check_points(given.scores, rules_of(session, application).criteria_set)
        if faults:
            return Refusal("; ".join(map(str, faults)), InvalidInput(step.id, faults))
    return None


def documents_digest(session: Session, application: Application) -> str:
    """A digest of the documents that lie before the reviewers: which version a review is about."""
    return digest(list(session.scalars(_KEYS, {"application": application.id})))


def _take_review(
    session: Session, application: Application, step: Step, given: ReviewAnswer, *, now: datetime, door: str
) -> Accepted:
    version = documents_digest(session, application)
    review = {
        "step": step.id,
        "application": application.id,
        "instance": application.instance,
        "reviewer": step.assignee,
        "scores": dict(given.scores),
        "comment": given.comment,
        "note": given.note,
        "given_at": now,
        "documents_digest": version,
    }
    write(session, Review, review)
    close_step(step, StepState.ANSWERED, now)
    note(
        session, application, step.assignee, "reviewed", now,
        step=step.id, documents=version, rules=application.rules, door=door,
    )  # fmt: skip
    return Accepted(application.id, "Thank you: your review is recorded.")


def _take_question(
    session: Session,
    application: Application,
    step: Step,
    given: Question,
    *,
    now: datetime,
    key: bytes,
    door: str,
) -> Accepted:
    edition = rules_of(session, application)
    applicant = _applicant(session, application)
    if applicant is None:
        raise ValueError(f"nobody applies in {application.id}")
    step.state, step.stopped_at = StepState.ASKED, now
    due = add_working_days(now, edition.national.review.information_days.value, application.country)
    asked = open_step(
        session, application, StepKind.INFORMATION, applicant,
        now=now, key=key, due=due, seat=step.seat, asked_by=step.id, question=given.question,
    )  # fmt: skip
    mail_step(session, application, asked, outbox.Template.INFORMATION_ASKED, now, question=given.question)
    note(session, application, step.assignee, "asked the applicant", now, step=step.id, door=door)
    return Accepted(
        application.id,
        f"Your question is on its way to the applicant, who has until {in_words(due)}. "
        "Your own deadline moves by the time that the answer takes.",
    )


def _take_information(
    session: Session,
    application: Application,
    step: Step,
    given: Information,
    *,
    now: datetime,
    key: bytes,
    door: str,
) -> Accepted:
    step.answer = given.model_dump(mode="json")
    close_step(step, StepState.ANSWERED, now)
    note(session, application, step.assignee, "answered the question", now, step=step.id, door=door)
    if step.asked_by is not None:
        _return_to_reviewer(
            session, application, session.get_one(Step, step.asked_by), step, given.text, now=now, key=key
        )
    return Accepted(application.id, "Thank you: your answer is with the reviewer.")


def pass_information(
    session: Session, application: Application, step: Step, *, now: datetime, key: bytes
) -> str:
    """Gives a question back to the reviewer that the applicant did not answer in time; tells both."""
    close_step(step, StepState.EXPIRED, now, "the deadline has passed")
    note(session, application, RULES, "the applicant did not answer in time", now, step=step.id)
    name, language = person_named(session, step.assignee)
    outbox.queue(
        session,
        reason=f"{application.id}/{outbox.Template.INFORMATION_LAPSED.value}/{step.id}",
        template=outbox.Template.INFORMATION_LAPSED,
        language=language, to_name=name, to_address=step.assignee,
        context=common_context(session, application)
        | {"question": step.question or "", "due": in_words(step.due_at) if step.due_at else ""},
        now=now, application=application.id,
    )  # fmt: skip
    if step.asked_by is not None:
        _return_to_reviewer(
            session, application, session.get_one(Step, step.asked_by), step, "", now=now, key=key
        )
    return "the applicant did not answer in time; the review goes on"


def _return_to_reviewer(
    session: Session,
    application: Application,
    step: Step,
    asked: Step,
    text: str,
    *,
    now: datetime,
    key: bytes,
) -> None:
    if step.state is not StepState.ASKED:
        return
    if step.due_at and step.stopped_at:
        step.due_at += now - step.stopped_at
    step.state, step.stopped_at = StepState.OPEN, None
    renew_code(step, key)
    mail_step(
        session, application, step, outbox.Template.REVIEW_RETURNED, now,
        question=asked.question or "", answer=text,
    )  # fmt: skip


def _take_decline(
    session: Session, application: Application, step: Step, given: Decline, *, now: datetime, door: str
) -> Accepted:
    close_step(step, StepState.DECLINED, now, given.decline)
    if given.conflict:
        conflicts.declare(
            session, application, step.assignee, reason=given.decline, by=step.assignee, now=now
        )
    note(
        session, application, step.assignee, "declined to review", now,
        step=step.id, because=given.decline, conflict=given.conflict, door=door,
    )  # fmt: skip
    return Accepted(application.id, "Thank you for saying so: somebody else will be asked.")


# Coordinating -----------------------------------------------------------------------------------


def send_code(session: Session, subject_id: str, email: str, *, now: datetime, key: bytes) -> str:
    """Mails a fresh one-time code to a person for what they may do: a step of theirs, or, for a
    coordinator, one action upon an application of their organisation. Returns the step's id.

    Raises:
        NotFound: there is no such application or step.
        NotAllowed: nothing there is for this person.
    """
    email = email.lower()
    named = session.get(Step, subject_id)
    application = held(session, named.application if named else subject_id)
    own = [
        step
        for step in ([named] if named else steps_of(session, application))
        if step.assignee == email and step.state is StepState.OPEN
    ]
    coordinating = _no_coordinator(session, application, email) is None
    if coordinating and not named:  # one who also reviews it asks for that code by its step
        own = [step for step in own if step.kind in (StepKind.COORDINATION, StepKind.ASSIGNMENT)]
    if own:
        step = own[-1]
        renew_code(step, key)
        purpose = say("You asked for a new code; the former one is void.")
    elif coordinating:
        step = open_step(
            session, application, StepKind.COORDINATION, email,
            now=now, key=key, organisation=application.organisation,
        )  # fmt: skip
        purpose = say("It proves one action of yours as a coordinator upon this application.")
    else:
        raise NotAllowed(f"Nothing of {application.id} awaits {email} or is theirs to do.")
    mail_step(session, application, step, outbox.Template.CODE, now, purpose=purpose)
    note(session, application, email, "asked for a code", now, step=step.id, news=False)
    return step.id


def act_as_coordinator(
    session: Session, application: Application, email: str, code: str, *, now: datetime, key: bytes
) -> Refusal | None:
    """Spends the one-time code of a coordinator's action; None means that it was right.

    A wrong code is counted, like one for any step; the caller keeps that.
    """
    email = email.lower()
    if refusal := _no_coordinator(session, application, email):
        return refusal
    own = [
        step
        for step in steps_of(session, application, StepKind.COORDINATION, StepKind.ASSIGNMENT)
        if step.assignee == email and step.state is StepState.OPEN
    ]
    for step in own:
        if code_matches(code, step.code_hash):
            close_step(step, StepState.ANSWERED, now)
            return None
    if own:
        return wrong_code(session, application, own[-1:], claimed=email, now=now, key=key)
    return Refusal(f"The code is not valid. Ask for one with: labels code {application.id} --as {email}")


def reassign(
    session: Session,
    step_id: str,
    to: str,
    reason: str,
    by: str,
    *,
    now: datetime,
    key: bytes,
) -> Step:
    """Gives a reviewer's seat to somebody else, or to the coordinator who takes it over.

    `step_id` is an open review, or the coordinator's own assignment step for an empty seat. The
    former step keeps its history.

    Raises:
        NotAllowed: the person is not on the organisation's staff, has a conflict of interest or
            judges this application already.
    """
    to = to.lower()
    application, step = held_by_step(session, step_id)
    if application.outcome is not None:
        raise NotAllowed(f"{application.id} has an outcome already: {application.outcome.value}.")
    if step.kind is StepKind.REVIEW and step.state not in (StepState.OPEN, StepState.ASKED):
        raise NotAllowed(f"{step.id} is {step.state.value}: there is nothing to reassign.")
    if step.kind not in (StepKind.REVIEW, StepKind.ASSIGNMENT):
        raise NotAllowed(f"{step.id} is no review.")
    if step.kind is StepKind.ASSIGNMENT and not _is_free(session, application, step):
        raise NotAllowed(f"{step.id} is done: somebody reviews in that seat, or nobody is needed there.")
    person = conflicts.staff(session, to)
    if person is None or application.organisation not in person.organisations:
        raise NotAllowed(f"{to} is not on the staff of {application.organisation}.")
    if why := conflicts_of_interest(person, conflicts.judged(session, application)):
        raise NotAllowed(f"{to} has a conflict of interest: {'; '.join(why)}.")
    busy = {
        s.assignee
        for s in session.scalars(
            sa.select(Step).where(Step.application == application.id, Step.kind == StepKind.REVIEW)
        )
        if s.state in (StepState.OPEN, StepState.ASKED, StepState.ANSWERED)
    }
    if to in busy:
        raise NotAllowed(f"{to} judges or judged this application already.")
    if step.kind is StepKind.REVIEW:
        _void(session, application, step, f"reassigned: {reason}", by, now)
    elif step.state is StepState.OPEN:
        close_step(step, StepState.ANSWERED, now)
    due = step.due_at or add_working_days(
        now, rules_of(session, application).national.review.due_days.value, application.country
    )
    new = _new_review(session, application, to, step.seat, due, now=now, key=key)
    mail_step(session, application, new, outbox.Template.REVIEW_ASKED, now)
    note(session, application, by, "reassigned", now, step=new.id, former=step.id, to=to, because=reason)
    return new


def _is_free(session: Session, application: Application, assignment: Step) -> bool:
    """Whether a reviewer is missing where this coordinator was asked for one; by now they may have said whom."""
    asked = assignment.state in (StepState.OPEN, StepState.ANSWERED)
    taken = {step.seat for step in _seated(application, every_step(session, application))}
    return asked and assignment.instance == application.instance and assignment.seat not in taken


def move_deadline(
    session: Session, step_id: str, until: datetime, reason: str, by: str, *, now: datetime
) -> str:
    """Gives one person more (or less) time for an open step, with a reason that they are told.

    Returns what was done, with a warning where the application is to be decided before that.

    Raises:
        NotAllowed: the step is closed, has no deadline, or the new one is past.
    """
    application, step = held_by_step(session, step_id)
    if step.state not in (StepState.OPEN, StepState.ASKED) or step.due_at is None:
        raise NotAllowed(f"{step.id} has no deadline that could be moved.")
    if until <= now:
        raise NotAllowed(f"{in_words(until)} is past; a deadline moves to a time still to come.")
    former, step.due_at = step.due_at, until
    if step.stopped_at:
        step.stopped_at = now  # what the new date leaves stands still from now on, not from the question on
    if step.kind is StepKind.SCREENING:
        screening.move_deadline(session, application, until)
    decided = application.decide_by
    late: dict[str, Any] = {"after_decision_due": decided.isoformat()} if decided and until > decided else {}
    name, language = person_named(session, step.assignee)
    outbox.queue(
        session,
        reason=f"{application.id}/{outbox.Template.DEADLINE_MOVED.value}/{step.id}/{application.revision}",
        template=outbox.Template.DEADLINE_MOVED,
        language=language,
        to_name=name,
        to_address=step.assignee,
        context=common_context(session, application)
        | {"what": step.kind.value, "due": in_words(until), "reason": reason},
        now=now,
        application=application.id,
    )
    note(
        session, application, by, "moved a deadline", now,
        step=step.id, former=former.isoformat(), until=until.isoformat(), because=reason, **late,
    )  # fmt: skip
    moved = f"The deadline of {step.id} is now {in_words(until)}."
    if late and application.decide_by:
        moved += f" Warning: that is after the decision is due, {in_words(application.decide_by)}."
    return moved


def declare_conflict(
    session: Session, application_id: str, reviewer: str, reason: str, by: str, *, now: datetime
) -> None:
    """Keeps that a reviewer has a conflict of interest with an applicant; their review is taken back.

    Raises:
        NotAllowed: the address is of nobody who could judge the application, or judged it; names who
            could be meant.
    """
    reviewer = reviewer.lower()
    application = held(session, application_id)
    own = session.scalars(_STAFF, {"organisation": application.organisation}).all()
    asked = {step.assignee for step in every_step(session, application) if step.kind is StepKind.REVIEW}
    if reviewer not in asked.union(own):  # who left the staff may still have judged
        known = sorted(asked.union(own))
        meant = difflib.get_close_matches(reviewer, known, n=3, cutoff=0.8) or known[:NAMED]
        more = f" and {len(known) - NAMED} more" if meant == known[:NAMED] != known else ""
        could = f" Who could be meant: {', '.join(meant)}{more}." if meant else ""
        raise NotAllowed(f"{reviewer} is not on the staff of {application.organisation}.{could}")
    conflicts.declare(session, application, reviewer, reason=reason, by=by, now=now)
    note(session, application, by, "declared a conflict of interest", now, reviewer=reviewer, because=reason)


NAMED = 10
"""How many of an organisation's staff are named where none has an address like the one that was given."""

_STAFF = (
    sa.select(Staff.email)
    .where(Staff.organisation == sa.bindparam("organisation"))
    .distinct()
    .order_by(Staff.email)
)
