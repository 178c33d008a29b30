"""A review, a question to the applicant, or a refusal to review: what each leaves behind."""

from __future__ import annotations

from datetime import timedelta

from labels.mail.message import Template
from labels.record.schema import Mail, StepKind
from labels.steps.answers import Decline, Information, Question, ReviewAnswer
from labels.steps.outcome import Accepted, Refusal
from tests.support.case import Case
from tests.support.people import code_of, points


def test_a_question_stops_the_clock_and_comes_back_to_the_same_reviewer(case: Case) -> None:
    first, second = case.ask()
    old_code, due = code_of(first), first.due_at
    assert isinstance(case.answer(first, Question(question="Which tasks were shared?")), Accepted)
    awaited = {step.kind: step for step in case.ask()}
    assert awaited[StepKind.REVIEW].id == second.id
    asked = awaited[StepKind.INFORMATION]
    assert asked.assignee == "t-1@school.example"
    case.now += timedelta(days=3)
    assert isinstance(case.answer(asked, Information(text="All of them.")), Accepted)
    [receipt] = [mail for mail in case.all(Mail) if mail.template == Template.INFORMATION_RECEIVED]
    assert (receipt.to_address, receipt.step) == ("t-1@school.example", None)
    back = next(step for step in case.ask() if step.id == first.id)
    assert back.due_at is not None
    assert due is not None
    assert back.due_at - due == timedelta(days=3)
    assert isinstance(case.answer(back, ReviewAnswer(scores=points()), code=old_code), Refusal)
    assert isinstance(case.review(back), Accepted)


def test_a_reviewer_who_declines_is_replaced_and_a_conflict_is_kept(case: Case) -> None:
    first, second = case.ask()
    declined = case.answer(first, Decline(decline="She is my cousin.", conflict=True))
    assert isinstance(declined, Accepted)
    replacement = next(s for s in case.ask() if s.id != second.id)
    assert replacement.seat == first.seat
    assert replacement.assignee != first.assignee
