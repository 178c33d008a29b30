"""A one-time code proves who answers: whose it is, until when, and how often it may be wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering import proving
from labels.errors import NotAllowed
from labels.record.schema import Application, Journal, Mail, Review, Staff, Step, StepKind, StepState, Teacher
from labels.steps.answers import Information, Question, ReviewAnswer
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Code
from labels.turn import Turn
from tests.support.case import COORDINATOR, Case
from tests.support.people import KEY, NOW, code_of, points


def test_a_wrong_code_leaves_the_step_open_and_says_why(case: Case) -> None:
    step, _ = case.ask()
    refusal = case.answer(step, ReviewAnswer(scores=points()), code="2222-2222-22")
    assert isinstance(refusal, Refusal)
    assert "4 more tries" in refusal.why
    with case.record.reading() as session:
        kept = session.get_one(Step, step.id)
        assert kept.state is StepState.OPEN
        assert kept.draft is None, "whoever typed it has not proved to be the reviewer"
    assert not case.all(Review)


def test_what_a_reviewer_handed_in_with_faults_is_kept_for_them(case: Case) -> None:
    step, _ = case.ask()
    faulty = ReviewAnswer(scores={"results": 9}, comment="Good.")
    assert isinstance(case.answer(step, faulty), Refusal)
    case.answer(step, ReviewAnswer(scores=points(), comment="Planted."), code="2222-2222-22")
    with case.record.reading() as session:
        kept = session.get_one(Step, step.id)
    assert kept.draft == {"scores": {"results": 9}, "comment": "Good.", "note": ""}
    assert "results" not in (kept.refused or "")


def test_a_wrong_code_that_may_have_been_meant_for_several_steps_is_one_entry(case: Case) -> None:
    steps = case.ask()
    before = len(case.all(Journal))
    with case.record.writing() as session:
        application = session.get_one(Application, case.id)
        open_ = [session.get_one(Step, step.id) for step in steps]
        refusal = proving.wrong_code(Turn(session, NOW, KEY), application, open_, claimed=None)
    assert "4 more tries" in refusal.why
    [entry] = case.all(Journal)[before:]
    assert entry.details == {"left": 4, "steps": [step.id for step in steps]}
    assert [step.code_failures for step in case.all(Step) if step.kind is StepKind.REVIEW] == [1, 1]


def test_after_too_many_wrong_codes_a_new_one_is_mailed_and_the_old_is_void(case: Case) -> None:
    step, _ = case.ask()
    old = code_of(step)
    for _ in range(5):
        case.answer(step, ReviewAnswer(scores=points()), code="2222-2222-22")
    assert isinstance(case.answer(step, ReviewAnswer(scores=points()), code=old), Refusal)
    assert [mail.step for mail in case.all(Mail) if mail.template == "code"] == [step.id]
    assert isinstance(case.review(step), Accepted)


def test_a_code_is_worth_nothing_in_another_persons_hands(case: Case) -> None:
    first, second = case.ask()
    stolen = case.answer(first, ReviewAnswer(scores=points()), email=second.assignee)
    assert isinstance(stolen, Refusal)
    assert "not valid" in stolen.why


def test_the_applicants_answer_comes_too_late_after_its_deadline(case: Case) -> None:
    first, _ = case.ask()
    case.answer(first, Question(question="Which?"))
    asked = next(s for s in case.ask() if s.kind is StepKind.INFORMATION)
    assert asked.due_at is not None
    case.now = asked.due_at + timedelta(seconds=1)
    late = case.answer(asked, Information(text="Here."))
    assert isinstance(late, Refusal)
    assert "deadline" in late.why
    case.now = asked.due_at
    assert isinstance(case.answer(asked, Information(text="Here.")), Accepted)


def test_a_coordinator_acts_with_a_code_of_their_own_that_works_once(case: Case) -> None:
    case.ask()
    email = "coordinator@nss.example"
    identifier = case.do(proving.send_code, case.id, email)
    with case.record.writing() as session:
        application = session.get_one(Application, case.id)
        code = code_of(session.get_one(Step, identifier))
        proven = proving.prove_coordinator(Turn(session, NOW, KEY), application, Code(code, email))
        assert isinstance(proven, proving.Coordinator)
        proven.spend(Turn(session, NOW, KEY))
        again = proving.prove_coordinator(Turn(session, NOW, KEY), application, Code(code, email))
        assert isinstance(again, Refusal)
        nobody = proving.prove_coordinator(Turn(session, NOW, KEY), application, Code(code, "r1@nss.example"))
        assert isinstance(nobody, Refusal)
    with pytest.raises(NotAllowed):
        case.do(proving.send_code, case.id, "stranger@nowhere.example")


def test_a_coordinators_wrong_codes_are_counted_too_until_a_new_one_is_mailed(case: Case) -> None:
    sent = case.do(proving.send_code, case.id, COORDINATOR)

    def act(code: str) -> proving.Coordinator | Refusal:
        with case.record.writing() as session:
            application = session.get_one(Application, case.id)
            return proving.prove_coordinator(Turn(session, NOW, KEY), application, Code(code, COORDINATOR))

    with case.record.reading() as session:
        old = code_of(session.get_one(Step, sent))
    refusals = [act("2222-2222-22") for _ in range(5)]
    assert isinstance(refusals[0], Refusal)
    assert "4 more tries" in refusals[0].why
    assert isinstance(act(old), Refusal)
    with case.record.reading() as session:
        new = code_of(session.get_one(Step, sent))
    assert isinstance(act(new), proving.Coordinator)


@pytest.mark.parametrize("now_of", ["NSS-PT", None], ids=["elsewhere", "nowhere"])
def test_who_reviews_for_the_organisation_no_longer_is_refused_and_the_run_looks_for_somebody_else(
    case: Case, now_of: str | None
) -> None:
    step, _ = case.ask()
    with case.record.writing() as session:
        person = session.get_one(Staff, (step.assignee, "reviewer"))
        if now_of is None:
            session.delete(person)
        else:
            person.organisation = now_of
    seen = case.row().revision
    refusal = case.review(step)
    assert isinstance(refusal, Refusal)
    assert refusal.why == f"{step.assignee} is no longer on the staff of NSS-PL."
    assert case.row().revision > seen
    assert not case.all(Review)


def test_who_coordinates_no_longer_fills_no_seat(lonely: Case) -> None:
    [asked] = lonely.ask()
    with lonely.record.writing() as session:
        session.delete(session.get_one(Staff, (COORDINATOR, "coordinator")))
        step = session.get_one(Step, asked.id)
        refusal = proving.prove(Turn(session, NOW, KEY), step, Code(code_of(step), None))
    assert refusal is not None
    assert "no coordinator" in refusal.why


def test_a_coordinator_who_applies_has_no_power_over_their_own_application(lonely: Case) -> None:
    with lonely.record.writing() as session:
        applicant = session.get_one(Teacher, "T-1").person
        session.get_one(Staff, (COORDINATOR, "coordinator")).person = applicant
    [asked] = lonely.ask()
    assert asked.assignee == "nss@nss.example"
    sent = lonely.do(proving.send_code, lonely.id, "t-1@school.example")
    assert sent == lonely.right(StepKind.WITHDRAWAL).id
    with lonely.record.writing() as session:
        right = session.get_one(Step, sent)
        application = session.get_one(Application, lonely.id)
        refusal = proving.prove_coordinator(
            Turn(session, NOW, KEY), application, Code(code_of(right), right.assignee)
        )
    assert isinstance(refusal, Refusal)
    assert "applies here" in refusal.why


def test_no_code_is_in_the_record(case: Case) -> None:
    steps = case.ask()
    with case.record.reading() as session:
        everything = str([tuple(row) for table in (Mail, Step, Journal) for row in _rows(session, table)])
    for step in steps:
        assert code_of(step) not in everything


def _rows(session: Session, table: Any) -> Any:
    return session.execute(sa.select(*table.__table__.columns)).all()
