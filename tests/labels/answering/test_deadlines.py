"""What happens when a deadline passes, to the second, and once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from labels.answering import deadlines, proving
from labels.answering.deadlines import Passed
from labels.clock import end_of_day
from labels.errors import NotAllowed
from labels.mail import messages
from labels.mail.message import Template
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import Bounce, Journal, Mail, Stage, Step, StepKind, StepState
from labels.rules.calendars import end_of_working_day
from labels.steps.answers import Information, Question
from labels.steps.outcome import Accepted, Refusal
from labels.views import stuck
from tests.support.case import Case, open_case
from tests.support.mails import told_by
from tests.support.people import KEY, NOW


def passed(case: Case, now: datetime) -> list[Passed]:
    return deadlines.pass_deadlines(case.record, now=now, key=KEY)


def mailed(case: Case, template: str) -> list[Mail]:
    return [mail for mail in case.all(Mail) if mail.template == template]


@pytest.fixture
def alone(record: Record) -> Case:
    """An application with a single reviewer."""
    return open_case(record, "PSA-MD", "MD")


@pytest.fixture
def question(alone: Case) -> Step:
    """The only reviewer asked something, to be answered by the night on which the clocks change."""
    [review] = alone.ask()
    alone.answer(review, Question(question="How were the teams formed?"))
    with alone.record.writing() as session:
        [step] = session.scalars(sa.select(Step).where(Step.kind == StepKind.INFORMATION))
        step.due_at = end_of_day(date(2026, 3, 29))
    alone.ask()
    return step


LAST_SECOND = datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC)


def test_a_question_that_is_not_answered_goes_back_to_the_reviewer_and_both_are_told(
    alone: Case, question: Step
) -> None:
    before = alone.row()
    assert before.stage is Stage.INFORMATION
    assert passed(alone, LAST_SECOND) == []
    [done] = passed(alone, LAST_SECOND + timedelta(seconds=1))
    assert (done.application, done.step) == (alone.id, question.id)
    steps = {step.kind: step for step in alone.all(Step)}
    assert steps[StepKind.INFORMATION].state is StepState.EXPIRED
    assert steps[StepKind.REVIEW].state is StepState.OPEN
    [applicant] = mailed(alone, "information_lapsed")
    assert applicant.to_address == "t-1@school.example"
    [reviewer] = mailed(alone, "review_returned")
    assert (reviewer.to_address, told_by(reviewer, messages.ReviewReturned).answer) == (
        steps[StepKind.REVIEW].assignee,
        "",
    )
    assert alone.row().revision > before.revision, "its run is woken"
    assert [step.kind for step in alone.ask()] == [StepKind.REVIEW]
    assert alone.row().stage is Stage.REVIEW


def test_the_reviewers_time_is_longer_by_what_the_question_took(alone: Case, question: Step) -> None:
    [before] = [step.due_at for step in alone.all(Step) if step.kind is StepKind.REVIEW]
    now = LAST_SECOND + timedelta(minutes=10)
    passed(alone, now)
    [after] = [step.due_at for step in alone.all(Step) if step.kind is StepKind.REVIEW]
    assert after == end_of_working_day(before + (now - alone.now), alone.row().country)


def test_it_happens_once_and_a_late_answer_is_told_so(alone: Case, question: Step) -> None:
    later = LAST_SECOND + timedelta(days=3)
    assert len(passed(alone, later)) == 1
    assert passed(alone, later) == []
    alone.now = later
    refused = alone.answer(question, Information(text="By drawing lots."))
    assert isinstance(refused, Refusal)
    assert "deadline" in refused.why
    assert len(mailed(alone, "information_lapsed")) == len(mailed(alone, "review_returned")) == 1


def test_an_answer_in_the_last_second_counts(alone: Case, question: Step) -> None:
    alone.now = LAST_SECOND
    assert isinstance(alone.answer(question, Information(text="By drawing lots.")), Accepted)
    assert passed(alone, LAST_SECOND + timedelta(seconds=1)) == []


def test_a_review_stays_open_however_late(alone: Case) -> None:
    [review] = alone.ask()
    assert review.due_at
    alone.now = review.due_at + timedelta(days=30)
    assert passed(alone, alone.now) == []
    assert isinstance(alone.review(review), Accepted)


def test_one_that_fails_keeps_no_other_waiting(
    alone: Case, question: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    with alone.record.writing() as session:
        row = session.execute(sa.select(Step.__table__).where(Step.id == question.id)).one()._mapping
        session.execute(sa.insert(Step), [dict(row) | {"id": "STEP-A", "number": 9, "asked_by": "nobody"}])
    did = {one.step: one.did for one in passed(alone, LAST_SECOND + timedelta(seconds=1))}
    assert did["STEP-A"].startswith("could not be ended")
    assert did[question.id].startswith("the applicant did not answer")


def test_a_deadline_moves_with_a_reason_that_the_person_is_told(case: Case) -> None:
    step, _ = case.ask()
    until = datetime(2026, 4, 20, 21, 59, 59, tzinfo=UTC)
    told = case.do_as("coordinator@nss.example", deadlines.move_deadline, step.id, until, "fair week")
    assert told == f"The deadline of {step.id} is now 2026-04-20 23:59 (Brussels)."
    [mail] = [m for m in case.all(Mail) if m.template == "deadline_moved"]
    message = told_by(mail, messages.DeadlineMoved)
    assert (mail.to_address, message.due, message.reason) == (step.assignee, until, "fair week")
    with pytest.raises(NotAllowed, match="past"):
        case.do_as("coordinator@nss.example", deadlines.move_deadline, step.id, NOW, "no")
    for day in (27, 20):  # there and back again: each time they are told
        until = datetime(2026, 4, day, 21, 59, 59, tzinfo=UTC)
        case.do_as("coordinator@nss.example", deadlines.move_deadline, step.id, until, "fair week")
    assert len([m for m in case.all(Mail) if m.template == "deadline_moved"]) == 3


def test_a_deadline_that_moves_while_the_applicant_is_asked_leaves_the_time_until_it(case: Case) -> None:
    step, _ = case.ask()
    case.answer(step, Question(question="Which of the pupils' texts are theirs?"))
    until = NOW + timedelta(days=30)
    case.now += timedelta(days=3)
    case.do_as("coordinator@nss.example", deadlines.move_deadline, step.id, until, "fair week")
    case.now += timedelta(days=2)
    [asked] = [s for s in case.all(Step) if s.kind is StepKind.INFORMATION]
    case.answer(asked, Information(text="All of chapter two.", links=[]))
    later = end_of_working_day(until + timedelta(days=2), "PL")
    assert next(s for s in case.all(Step) if s.id == step.id).due_at == later


def test_a_deadline_does_not_move_to_a_year_that_nobody_means(case: Case) -> None:
    step, _ = case.ask()
    for year in (2029, 9999):
        with pytest.raises(NotAllowed, match="more than two years ahead: is the year right"):
            case.do_as(
                "coordinator@nss.example",
                deadlines.move_deadline,
                step.id,
                datetime(year, 4, 20, tzinfo=UTC),
                "a slip",
            )
    assert next(s for s in case.all(Step) if s.id == step.id).due_at == step.due_at


def test_a_deadline_after_the_decision_is_due_is_taken_with_a_warning_that_the_journal_keeps(
    case: Case,
) -> None:
    step, _ = case.ask()
    decided = case.row().decide_by
    assert decided is not None
    told = case.do_as("coordinator@nss.example", deadlines.move_deadline, step.id, decided, "just fits")
    assert "Warning" not in told
    later = decided + timedelta(days=1)
    told = case.do_as("coordinator@nss.example", deadlines.move_deadline, step.id, later, "too long")
    assert "Warning: that is after the decision is due, 2026-" in told
    moved = [entry.details for entry in case.all(Journal) if entry.what == Event.MOVED_A_DEADLINE]
    assert [entry.get("after_decision_due") for entry in moved] == [None, decided.isoformat()]


def refused_by_the_server(case: Case, step: str, *, sent_at: datetime | None = None) -> None:
    with case.record.writing() as session:
        session.execute(
            sa.update(Mail)
            .where(Mail.step == step)
            .values(attempts=3, last_error="550 no such mailbox", sent_at=sent_at)
        )


def test_a_deadline_whose_mail_never_left_does_not_lapse(alone: Case, question: Step) -> None:
    refused_by_the_server(alone, question.id)
    passed(alone, LAST_SECOND + timedelta(days=3))
    [asked] = [step for step in alone.all(Step) if step.kind is StepKind.INFORMATION]
    assert asked.state is StepState.OPEN
    with alone.record.reading() as session:
        told = [
            one
            for one in stuck.stuck(session, LAST_SECOND + timedelta(days=3))
            if one.awaits == asked.assignee
        ]
    assert any("waits: its message never left" in one.reason for one in told)


@pytest.mark.parametrize("sent_at", [None, LAST_SECOND + timedelta(days=3)])
def test_who_was_asked_late_or_not_at_all_may_answer_before_upkeep_comes_by(
    alone: Case, question: Step, sent_at: datetime | None
) -> None:
    refused_by_the_server(alone, question.id, sent_at=sent_at)
    alone.now = LAST_SECOND + timedelta(days=3, minutes=1)
    answered = alone.answer(question, Information(text="They voted in mixed teams."))
    assert isinstance(answered, Accepted), answered


def test_who_was_asked_in_time_is_late_after_the_deadline(alone: Case, question: Step) -> None:
    refused_by_the_server(alone, question.id, sent_at=LAST_SECOND)
    alone.now = LAST_SECOND + timedelta(seconds=1)
    assert isinstance(alone.answer(question, Information(text="They voted.")), Refusal)


@pytest.mark.parametrize("in_the_days_message", [False, True])
@pytest.mark.parametrize("left", [None, LAST_SECOND + timedelta(minutes=2)])
def test_who_was_asked_in_time_gains_none_by_having_the_code_sent_once_more(
    alone: Case, question: Step, in_the_days_message: bool, left: datetime | None
) -> None:
    refused_by_the_server(alone, question.id, sent_at=NOW)
    if in_the_days_message:  # which goes out, and not the message itself
        with alone.record.writing() as session:
            session.execute(sa.update(Mail).where(Mail.step == question.id).values(attempts=0, daily=True))
    alone.now = LAST_SECOND + timedelta(minutes=1)
    alone.do(proving.send_code, question.id, question.assignee)
    with alone.record.writing() as session:
        session.execute(
            sa.update(Mail)
            .where(Mail.step == question.id, Mail.template == Template.CODE)
            .values(attempts=1, last_error="451 come back later", sent_at=left)
        )
    alone.now = LAST_SECOND + timedelta(minutes=3)
    assert isinstance(alone.answer(question, Information(text="They voted.")), Refusal)
    [done] = passed(alone, alone.now)
    assert done.step == question.id
    assert {one.id: one.state for one in alone.all(Step)}[question.id] is StepState.EXPIRED


def test_a_question_that_came_back_counts_as_not_asked(alone: Case, question: Step) -> None:
    refused_by_the_server(alone, question.id, sent_at=NOW)
    with alone.record.writing() as session:
        [asked] = session.scalars(sa.select(Mail).where(Mail.step == question.id))
        session.add(
            Bounce(
                id="1",
                address=asked.to_address,
                status="5.1.1",
                said="",
                mail=asked.reason,
                read_at=NOW,
                hard=True,
            )
        )
    alone.now = LAST_SECOND - timedelta(minutes=1)
    alone.do(proving.send_code, question.id, question.assignee)
    with alone.record.writing() as session:
        again = (Mail.step == question.id, Mail.template == Template.CODE)
        session.execute(sa.update(Mail).where(*again).values(attempts=1, last_error="451 come back later"))
    assert passed(alone, LAST_SECOND + timedelta(minutes=3)) == []


def test_who_was_asked_only_after_the_deadline_gets_the_time_that_they_were_to_have(
    alone: Case, question: Step
) -> None:
    assert question.due_at
    sent = LAST_SECOND + timedelta(days=3)
    refused_by_the_server(alone, question.id, sent_at=sent)
    passed(alone, sent + timedelta(minutes=10))
    [asked] = [step for step in alone.all(Step) if step.kind is StepKind.INFORMATION]
    assert asked.state is StepState.OPEN
    length = LAST_SECOND - question.opened_at
    assert asked.due_at == end_of_working_day(sent + length, alone.row().country)
    [told] = [one for one in alone.all(Mail) if one.template == "deadline_moved"]
    assert told.to_address == asked.assignee
    passed(alone, asked.due_at + timedelta(minutes=1))
    [asked] = [step for step in alone.all(Step) if step.kind is StepKind.INFORMATION]
    assert asked.state is StepState.EXPIRED
