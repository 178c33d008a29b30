"""How a school's self-assessment comes in: asked for, handed in whole, declared by the principal, or not in time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.documents import StoredDocument
from labels.clock import in_words
from labels.errors import InvalidInput
from labels.identifiers import paper_id
from labels.mail import messages
from labels.record.documents import delete_unnamed
from labels.record.journal import Event, note
from labels.record.schema import Application, Document, PaperKind, School, Stage, Step, StepKind, StepState
from labels.rules.calendars import add_working_days
from labels.rules.kept import rules_of
from labels.rules.model import SchoolDocument, SelfAssessmentRules
from labels.school_label.drafting import keep_what_was_handed_in, unseen
from labels.school_label.handing_in import somebody_else_was_chosen
from labels.school_label.people import principal, tell_everyone
from labels.school_label.prefilling import prefill
from labels.school_label.self_assessment import document_kind, missing, share
from labels.steps.answers import Declaration, Decline, SelfAssessment
from labels.steps.mailing import about, about_step, mail_step
from labels.steps.outcome import Accepted, Refusal
from labels.steps.step import (
    awaited_of,
    close_step,
    every_step,
    locked,
    open_step,
    renew_code,
    void_open,
)
from labels.turn import Turn
from labels.words.sentences import say_counted

ASKED = (StepKind.SELF_ASSESSMENT, StepKind.DECLARATION)
"""What a school is asked for before its application counts as received."""


def ask(turn: Turn, application_id: str) -> list[Step]:
    """The steps by which the school is still to hand in or declare; none once its application is received."""
    application = locked(turn.session, application_id)
    if application.outcome is not None:
        return []
    return [
        step for step in awaited_of(application, every_step(turn.session, application)) if step.kind in ASKED
    ]


def questions_of(session: Session, application: Application) -> SelfAssessmentRules:
    """The questions that this application's school answers."""
    questions = rules_of(session, application).self_assessment
    if questions is None:
        raise ValueError(f"{application.id} is no school's application")
    return questions


def documents_of(session: Session, application: Application) -> set[SchoolDocument]:
    """The kinds of document that the school has handed in."""
    met = session.scalars(
        sa.select(Document.meets).where(Document.application == application.id, Document.kind == "evidence")
    )
    return {SchoolDocument(one) for one in met if one}


def preview(session: Session, application: Application, given: SelfAssessment) -> InvalidInput | None:
    """What is missing before a self-assessment could be handed in, and where it is found; None if nothing is."""
    faults = missing(
        questions_of(session, application),
        application.content["prefilled"],
        given,
        documents_of(session, application),
    )
    return InvalidInput(f"self-assessment of {application.id}", faults) if faults else None


def keep_documents(turn: Turn, application: Application, documents: Sequence[StoredDocument]) -> None:
    """Keeps what was uploaded, also where something else is missing still; a newer file replaces one of its name."""
    replaced: list[str] = []
    for one in documents:
        former = sa.delete(Document).where(
            Document.application == application.id,
            Document.kind == one.kind,
            Document.name == one.name,
        )
        replaced += turn.session.scalars(former.returning(Document.key))
        turn.session.add(Document(**one.of(application.id, turn.now), meets=document_kind(one.name)))
    delete_unnamed(turn, replaced)


def take_out(turn: Turn, application: Application, names: Collection[str]) -> None:
    """Takes files out of a self-assessment that is not handed in, and out of the store where nothing else names them."""
    theirs = sa.delete(Document).where(
        Document.application == application.id, Document.kind == "evidence", Document.name.in_(names)
    )
    delete_unnamed(turn, turn.session.scalars(theirs.returning(Document.key)).all())


def take(
    turn: Turn,
    application: Application,
    step: Step,
    given: SelfAssessment,
    documents: Sequence[StoredDocument],
) -> Accepted | Refusal:
    """Takes a whole self-assessment for all of the school's teachers, and asks the principal to declare it.

    What is missing is a refusal with everything that is; the step stays open, and what was typed and
    uploaded stays.
    """
    keep_documents(turn, application, documents)
    prefill(turn, application.id)  # whoever is faster than the run of their application
    if refusal := somebody_else_was_chosen(turn.session, application, step):
        return refusal
    if refusal := unseen(turn.session, application, step, given):
        return refusal
    if error := preview(turn.session, application, given):
        missing = say_counted(
            "One thing is missing; nothing was handed in.",
            "{count} things are missing; nothing was handed in.",
            len(error.faults),
        )
        return Refusal(missing, error)
    keep_what_was_handed_in(turn, application, step, given)
    reached = share(questions_of(turn.session, application), given)
    step.answer = given.model_dump(mode="json") | {"share": reached}
    close_step(step, StepState.ANSWERED, turn.now)
    void_open(turn, application, step.kind, f"{step.assignee} handed in for your school")
    head = principal(turn.session, application)
    asked = open_step(
        turn,
        application,
        StepKind.DECLARATION,
        turn.session.get_one(School, application.school).principal,
        due=step.due_at,
        asked_by=step.id,
    )
    turn.session.flush()
    message = messages.SchoolDeclaration(
        about=about_step(turn.session, application, asked),
        by=step.assignee,
        summary=tuple(summary(questions_of(turn.session, application), step.answer)),
    )
    mail_step(turn, asked, message, head)
    note(turn, application, step.assignee, Event.HANDED_IN, step=step.id)
    return Accepted(
        application.id,
        f"Thank you. It is complete; {head.name} ({head.address}) is asked to confirm it"
        + (f" by {in_words(step.due_at)}." if step.due_at else "."),
    )


def summary(questions: SelfAssessmentRules, answer: dict[str, Any]) -> list[str]:
    """What a school says of itself, a line a question, and what it plans, a line a pillar."""
    said_of_each = [
        f"{one.text} {questions.levels[said['level']].capitalize()}: {said['text']}"
        for one in questions.questions
        if (said := answer["answers"].get(one.pillar, {}).get(one.id))
    ]
    planned = answer.get("plan") or {}
    return said_of_each + [
        f"{pillar.name}. {questions.plan} {planned[pillar.id]}"
        for pillar in questions.pillars
        if planned.get(pillar.id)
    ]


def declare(turn: Turn, application: Application, step: Step, given: Declaration | Decline) -> Accepted:
    """The principal's word: with it the application is received; without it, it goes back to who handed it in."""
    if isinstance(given, Decline):
        return _send_back(turn, application, step, given.decline)
    step.answer = given.model_dump(mode="json")
    close_step(step, StepState.ANSWERED, turn.now)
    rules = rules_of(turn.session, application).school
    application.submitted_at = turn.now
    application.decide_by = add_working_days(turn.now, rules.decision_days.value, application.country)
    application.stage, application.stage_since = Stage.SUBMITTED, turn.now
    note(turn, application, step.assignee, Event.DECLARED, step=step.id)
    documents = turn.session.scalars(
        sa.select(Document.name)
        .where(Document.application == application.id, Document.kind == "evidence")
        .order_by(Document.name)
    ).all()
    message = messages.SchoolReceived(
        about=about(turn.session, application),
        decide_by=application.decide_by,
        documents=tuple(documents),
    )
    tell_everyone(turn, application, message, paper_id(PaperKind.RECEIPT, application.id))
    return Accepted(application.id, "Thank you: your school’s application is received.")


def _send_back(turn: Turn, application: Application, step: Step, why: str) -> Accepted:
    close_step(step, StepState.DECLINED, turn.now, why)
    note(
        turn,
        application,
        step.assignee,
        Event.NOT_DECLARED,
        step=step.id,
        because=why,
    )
    handed_in = turn.session.get_one(Step, step.asked_by)
    answer = dict(handed_in.answer or {})
    answer.pop("share", None)
    handed_in.state, handed_in.closed_at, handed_in.closed_because = StepState.OPEN, None, None
    handed_in.draft, handed_in.answer, handed_in.refused = answer, None, why
    renew_code(handed_in, turn.key)
    common = about_step(turn.session, application, handed_in)
    mail_step(turn, handed_in, messages.SchoolReturned(about=common, reason=why))
    return Accepted(application.id, f"It is back with {handed_in.assignee}, with your reason.")
