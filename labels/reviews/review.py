"""A reviewer's answers: a review, a question and its answer, a decline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.applicant import applicant
from labels.applications.documents import StoredDocument
from labels.applications.evidence import add_evidence
from labels.applications.file import digest
from labels.clock import in_words
from labels.mail import messages
from labels.mail.message import OfStep
from labels.record.digests import salted
from labels.record.journal import RULES, Event, note
from labels.record.rows import read, write
from labels.record.schema import Application, Document, Review, Step, StepKind, StepState
from labels.reviews import conflicts
from labels.rules.calendars import add_working_days, end_of_working_day
from labels.rules.kept import rules_of
from labels.steps.answers import Decline, Information, Question, ReviewAnswer
from labels.steps.mailing import about, about_step, mail_step, tell
from labels.steps.outcome import Accepted as Accepted
from labels.steps.step import close_step, open_step, renew_code, steps_of
from labels.turn import Turn

# Built once: building a query takes longer than running it.
_KEYS = (
    sa.select(Document.key)
    .where(
        Document.application == sa.bindparam("application"), Document.kind.in_(["application", "evidence"])
    )
    .order_by(Document.key)
)


def documents_digest(session: Session, application: Application) -> str:
    """A digest of the documents that lie before the reviewers: which version a review is about."""
    return digest(read(session, _KEYS, {"application": application.id}).scalars().all())


def take_review(turn: Turn, application: Application, step: Step, given: ReviewAnswer) -> Accepted:
    version = documents_digest(turn.session, application)
    review = {
        "step": step.id,
        "application": application.id,
        "instance": application.instance,
        "reviewer": step.assignee,
        "scores": dict(given.scores),
        "comment": given.comment,
        "note": given.note,
        "given_at": turn.now,
        "documents_digest": version,
    }
    review, digests = salted(Review, review)
    write(turn.session, Review, review)
    close_step(step, StepState.ANSWERED, turn.now)
    note(
        turn,
        application,
        step.assignee,
        Event.REVIEWED,
        step=step.id,
        documents=version,
        rules=application.rules,
        digests=digests,
    )
    return Accepted(application.id, "Thank you: your review is recorded.")


def take_question(turn: Turn, application: Application, step: Step, given: Question) -> Accepted:
    edition = rules_of(turn.session, application)
    whom = applicant(turn.session, application)
    if whom is None:
        raise ValueError(f"nobody applies in {application.id}")
    step.state, step.stopped_at = StepState.ASKED, turn.now
    due = add_working_days(turn.now, edition.national.review.information_days.value, application.country)
    asked = open_step(
        turn,
        application,
        StepKind.INFORMATION,
        whom.id,
        due=due,
        seat=step.seat,
        asked_by=step.id,
        question=given.question,
    )
    common = about_step(turn.session, application, asked)
    mail_step(turn, asked, messages.InformationAsked(about=common, question=given.question))
    note(turn, application, step.assignee, Event.ASKED_THE_APPLICANT, step=step.id)
    return Accepted(
        application.id,
        f"Your question is on its way to the applicant, who has until {in_words(due)}. "
        "Your own deadline moves by the time that the answer takes.",
    )


def take_information(
    turn: Turn,
    application: Application,
    step: Step,
    given: Information,
    documents: Sequence[StoredDocument] = (),
) -> Accepted:
    """Takes the answer to a question, with the files that show it: evidence like that which was handed in."""
    add_evidence(turn, application, documents)
    step.answer = given.model_dump(mode="json")
    close_step(step, StepState.ANSWERED, turn.now)
    note(turn, application, step.assignee, Event.ANSWERED_THE_QUESTION, step=step.id)
    message = messages.InformationReceived(about=about(turn.session, application))
    tell(turn, application, step.person, message, step.id)
    _go_on(turn, application, step, given.text)
    return Accepted(application.id, "Thank you: your answer is with the reviewer.")


def pass_information(turn: Turn, application: Application, step: Step) -> str:
    """Gives a question back to the reviewer that the applicant did not answer in time; tells both."""
    close_step(step, StepState.EXPIRED, turn.now, "the deadline has passed")
    note(turn, application, RULES, Event.QUESTION_NOT_ANSWERED, step=step.id)
    message = messages.InformationLapsed(
        about=about(turn.session, application), question=step.question or "", due=step.due_at
    )
    tell(turn, application, step.person, message, step.id)
    _go_on(turn, application, step, "")
    return "the applicant did not answer in time; the review goes on"


def _go_on(turn: Turn, application: Application, asked: Step, text: str) -> None:
    """The clock goes on that stood still while a question was with the applicant; `text` is the answer, if any."""
    if application.decide_by is not None:
        later = application.decide_by + _stood_still(turn, application, asked)
        application.decide_by = end_of_working_day(later, application.country)
    if asked.asked_by is None:
        return
    step = turn.session.get_one(Step, asked.asked_by)
    if step.state is not StepState.ASKED:
        return
    if step.due_at and step.stopped_at:
        step.due_at = end_of_working_day(step.due_at + (turn.now - step.stopped_at), application.country)
    step.state, step.stopped_at = StepState.OPEN, None
    renew_code(step, turn.key)
    common = about_step(turn.session, application, step)
    message: OfStep
    if step.opened_at > asked.opened_at:
        message = messages.ReviewAsked(about=common, question=asked.question or "", answer=text)
    else:
        message = messages.ReviewReturned(about=common, question=asked.question or "", answer=text)
    mail_step(turn, step, message)


def _stood_still(turn: Turn, application: Application, asked: Step) -> timedelta:
    """For how long this question alone held the decision up: what others that were open meanwhile account for is
    theirs."""
    others = sorted(
        (max(one.opened_at, asked.opened_at), one.closed_at)
        for one in steps_of(turn.session, application, StepKind.INFORMATION)
        if one.id != asked.id and one.closed_at and one.closed_at > asked.opened_at and one.state in _COUNTED
    )
    alone, since = timedelta(0), asked.opened_at
    for begins, ends in others:
        alone += max(begins - since, timedelta(0))
        since = max(since, ends)
    return alone + max(turn.now - since, timedelta(0))


_COUNTED = (StepState.ANSWERED, StepState.EXPIRED)


def take_decline(turn: Turn, application: Application, step: Step, given: Decline) -> Accepted:
    close_step(step, StepState.DECLINED, turn.now, given.decline)
    if given.conflict:
        conflicts.declare(turn, application, step.person, reason=given.decline)
    listed: dict[str, Any] = {"reason": given.reason} if given.reason else {}
    note(
        turn,
        application,
        step.assignee,
        Event.DECLINED_TO_REVIEW,
        step=step.id,
        because=given.decline,
        conflict=given.conflict,
        **listed,
    )
    return Accepted(application.id, "Thank you for saying so: somebody else will be asked.")
