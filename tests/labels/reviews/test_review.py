"""A review, a question to the applicant, or a refusal to review: what each leaves behind."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from labels.answering import deadlines
from labels.clock import end_of_day
from labels.mail import messages
from labels.mail.message import Template
from labels.record import Record
from labels.record.schema import Application, Mail, Staff, Step, StepKind, StepState
from labels.reviews import coordinating
from labels.rules.calendars import add_working_days, end_of_working_day
from labels.steps.answers import Decline, Information, Question, ReviewAnswer
from labels.steps.outcome import Accepted, Refusal
from tests.support.case import COORDINATOR, Case, open_case
from tests.support.mails import told_by
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
    assert back.due_at - due == timedelta(days=3)  # from a Tuesday to a Friday
    assert isinstance(case.answer(back, ReviewAnswer(scores=points()), code=old_code), Refusal)
    assert isinstance(case.review(back), Accepted)


def test_a_reviewer_who_declines_is_replaced_and_a_conflict_is_kept(case: Case) -> None:
    first, second = case.ask()
    declined = case.answer(first, Decline(decline="She is my cousin.", conflict=True))
    assert isinstance(declined, Accepted)
    replacement = next(s for s in case.ask() if s.id != second.id)
    assert replacement.seat == first.seat
    assert replacement.assignee != first.assignee


# Time -------------------------------------------------------------------------------------------


def test_a_clock_that_stood_still_ends_with_a_working_day_of_the_country_and_so_does_the_decisions(
    record: Record,
) -> None:
    """Good Friday and Easter Monday, which Germany keeps; the decision's date moves as long as the question took."""
    case = open_case(record, "NSS-DE", "DE")
    first, _ = case.ask()
    with record.writing() as session:
        session.get_one(Step, first.id).due_at = end_of_day(date(2026, 4, 2))
        session.get_one(Application, case.id).decide_by = end_of_day(date(2026, 5, 29))
    case.answer(first, Question(question="Which tasks were shared?"))
    case.now += timedelta(hours=5)
    case.answer(case.right(StepKind.INFORMATION), Information(text="All of them."))
    back = next(step for step in case.all(Step) if step.id == first.id)
    assert back.due_at == end_of_day(date(2026, 4, 7))
    assert case.row().decide_by == end_of_day(date(2026, 6, 1))


def test_two_questions_at_once_move_the_decision_by_the_time_that_they_took_together(case: Case) -> None:
    first, second = case.ask()
    before = case.row().decide_by
    assert before
    case.answer(first, Question(question="Which tasks were shared?"))
    case.now += timedelta(days=1)
    case.answer(second, Question(question="Who led the teams?"))
    asked = {step.asked_by: step for step in case.all(Step) if step.kind is StepKind.INFORMATION}
    case.now += timedelta(days=1)
    case.answer(asked[second.id], Information(text="Pupils."))
    case.now += timedelta(days=1)
    case.answer(asked[first.id], Information(text="All."))
    assert case.row().decide_by == end_of_working_day(before + timedelta(days=3), "PL")


# A reviewer who changes while the applicant is asked -----------------------------------------------


def _replaced_while_asked(case: Case, how: str) -> tuple[Step, Step]:
    """The step of the question, and that of the reviewer who has the seat now."""
    first, second = case.ask()
    case.answer(first, Question(question="Which tasks were shared?"))
    case.now += timedelta(days=2)
    if how == "reassigned":
        free = ({f"r{n}@nss.example" for n in range(1, 6)} - {first.assignee, second.assignee}).pop()
        new: Step = case.do_as(COORDINATOR, coordinating.reassign, first.id, free, "illness")
    else:
        with case.record.writing() as session:
            session.execute(sa.delete(Staff).where(Staff.email == first.assignee))
        case.ask()
        [new] = [
            step
            for step in case.all(Step)
            if step.kind is StepKind.REVIEW and step.seat == first.seat and step.id != first.id
        ]
    return case.right(StepKind.INFORMATION), new


@pytest.mark.parametrize("how", ["reassigned", "left the staff"])
def test_a_question_that_is_open_when_its_reviewer_changes_stays_open_for_the_next_one(
    case: Case, how: str
) -> None:
    asked, new = _replaced_while_asked(case, how)
    assert asked.state is StepState.OPEN
    assert {step.id for step in case.ask()} >= {asked.id}
    assert isinstance(case.answer(asked, Information(text="All of them.")), Accepted)
    [mail] = [mail for mail in case.all(Mail) if mail.step == new.id]
    assert mail.to_address == new.assignee
    told = told_by(mail, messages.ReviewAsked)
    assert (told.question, told.answer) == ("Which tasks were shared?", "All of them.")
    back = next(step for step in case.ask() if step.id == new.id)
    assert isinstance(case.review(back), Accepted)


def test_a_question_that_lapses_after_its_reviewer_changed_goes_to_the_next_one_too(case: Case) -> None:
    asked, new = _replaced_while_asked(case, "reassigned")
    assert asked.due_at
    case.now = asked.due_at + timedelta(minutes=1)
    case.do(deadlines.pass_deadline, asked.id)
    [mail] = [mail for mail in case.all(Mail) if mail.step == new.id]
    assert told_by(mail, messages.ReviewAsked).answer == ""
    assert new.id in {step.id for step in case.ask()}


def test_who_takes_over_an_overdue_seat_gets_a_fresh_date(case: Case) -> None:
    first, second = case.ask()
    assert first.due_at
    case.now = first.due_at + timedelta(days=3)
    free = ({f"r{n}@nss.example" for n in range(1, 6)} - {first.assignee, second.assignee}).pop()
    new = case.do_as(COORDINATOR, coordinating.reassign, first.id, free, "silence")
    assert new.due_at == add_working_days(case.now, 15, "PL")


def test_who_takes_over_a_seat_has_never_less_time_than_whoever_had_it(case: Case) -> None:
    first, second = case.ask()
    assert first.due_at
    with case.record.writing() as session:
        session.get_one(Step, first.id).due_at = until = first.due_at + timedelta(days=50)
    free = ({f"r{n}@nss.example" for n in range(1, 6)} - {first.assignee, second.assignee}).pop()
    assert case.do_as(COORDINATOR, coordinating.reassign, first.id, free, "illness").due_at == until
