"""The applicant's rights: to withdraw before the decision, and to appeal where the rules let them."""

from __future__ import annotations

from datetime import UTC, datetime

from labels.answering import rights
from labels.applications import ending
from labels.mail import messages
from labels.record import Record
from labels.record.schema import Application, Award, Decision, Mail, Outcome, StepKind, StepState, Teacher
from labels.reviews import deciding
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Code
from labels.steps.step import steps_of
from labels.turn import Turn
from tests.support.case import Case, decided, open_case, withdrawn
from tests.support.mails import told_by
from tests.support.people import KEY, NOW, code_of


def test_the_applicant_withdraws_before_the_decision_and_not_after(case: Case) -> None:
    case.ask()
    right = case.right(StepKind.WITHDRAWAL)
    with case.record.writing() as session:
        wrong = rights.withdraw(Turn(session, NOW, KEY), case.id, Code("2222-2222-22", right.assignee))
    assert isinstance(wrong, Refusal)
    with case.record.writing() as session:
        code = Code(code_of(right), right.assignee)
        assert isinstance(rights.withdraw(Turn(session, NOW, KEY), case.id, code), Accepted)
    assert case.row().outcome is Outcome.WITHDRAWN
    assert case.ask() == []
    assert case.do(deciding.decide, case.id) is Outcome.WITHDRAWN
    assert not case.all(Award)
    with case.record.writing() as session:
        again = rights.withdraw(Turn(session, NOW, KEY), case.id, Code(code_of(right), right.assignee))
    assert isinstance(again, Refusal)


def test_an_appeal_is_heard_by_other_people_and_the_old_decision_stays(record: Record) -> None:
    case = open_case(record, "NSS-RS", "RS")
    before = {step.assignee for step in case.ask()}
    assert decided(case, 0) is Outcome.REFUSED
    right = case.right(StepKind.APPEAL)
    with record.writing() as session:
        turn, code = Turn(session, NOW, KEY), Code(code_of(right), right.assignee)
        assert isinstance(rights.appeal(turn, case.id, code, "Not read."), Accepted)
    assert case.row().outcome is None
    assert case.right(StepKind.WITHDRAWAL).state is StepState.OPEN, (
        "it may be withdrawn until it is decided anew"
    )
    after = {step.assignee for step in case.ask()}
    assert not before & after
    assert decided(case, 3) is Outcome.AWARDED
    assert [d.outcome for d in case.all(Decision)] == [Outcome.REFUSED, Outcome.AWARDED]


def test_an_appeal_that_is_withdrawn_leaves_the_refusal(record: Record) -> None:
    case = open_case(record, "NSS-RS", "RS")
    assert decided(case, 0) is Outcome.REFUSED
    right = case.right(StepKind.APPEAL)
    done = case.do(rights.appeal, case.id, Code(code_of(right), right.assignee), "Not read.")
    assert isinstance(done, Accepted)
    withdrawn(case)
    assert case.row().outcome is Outcome.WITHDRAWN
    same = case.handed_in()
    assert not same.created
    assert "was refused; its appeal was withdrawn on 2026-03-16. You may apply again" in same.remark
    case.id = case.submit(description="Better.")
    assert case.conditions()
    assert decided(case, 0) is Outcome.REFUSED
    assert "The rules allow one re-application" in case.handed_in(description="Better.").remark


def test_the_way_to_appeal_is_told_without_a_command_that_the_mail_would_repeat(record: Record) -> None:
    case = open_case(record, "NSS-RS", "RS")
    assert decided(case, 0) is Outcome.REFUSED
    [refused] = [mail for mail in case.all(Mail) if mail.template == "refused"]
    [way] = [route for route in told_by(refused, messages.Refused).routes if "appeal" in route]
    assert refused.step == case.right(StepKind.APPEAL).id
    assert "labels appeal" not in way


def test_an_appeal_is_refused_after_its_deadline_and_where_the_rules_know_none(record: Record) -> None:
    case = open_case(record, "NSS-RS", "RS")
    decided(case, 0)
    right = case.right(StepKind.APPEAL)
    late = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
    with record.writing() as session:
        result = rights.appeal(
            Turn(session, late, KEY), case.id, Code(code_of(right), right.assignee), "Late."
        )
    assert isinstance(result, Refusal)
    assert "until 2026-03-31 23:59" in result.why


def test_an_appeal_waits_until_a_second_application_for_the_project_is_withdrawn(record: Record) -> None:
    case = open_case(record, "NSS-RS", "RS")
    for step in case.ask():
        case.review(step, 1)
    assert case.do(deciding.decide, case.id) is Outcome.REFUSED
    case.do(ending.close, case.id)
    right = case.right(StepKind.APPEAL)
    again = case.submit(description="Anew.")

    def appeal() -> Accepted | Refusal:
        with record.writing() as session:
            return rights.appeal(
                Turn(session, NOW, KEY), case.id, Code(code_of(right), right.assignee), "No hearing."
            )

    refusal = appeal()
    assert isinstance(refusal, Refusal)
    assert again in refusal.why
    with record.writing() as session:
        withdrawal = steps_of(session, session.get_one(Application, again), StepKind.WITHDRAWAL)[0]
        rights.withdraw(Turn(session, NOW, KEY), again, Code(code_of(withdrawal), withdrawal.assignee))
    assert isinstance(appeal(), Accepted)
    assert case.row().instance == 2


def test_an_appeal_waits_too_for_what_was_handed_in_under_another_number_of_the_teacher(
    record: Record,
) -> None:
    case = open_case(record, "NSS-RS", "RS")
    assert decided(case, 0) is Outcome.REFUSED
    right = case.right(StepKind.APPEAL)
    again = case.submit(description="Anew.")
    with record.writing() as session:
        own = session.get_one(Teacher, "T-1")
        columns = {c.name: getattr(own, c.name) for c in Teacher.__table__.columns}
        session.add(Teacher(**columns | {"id": "T-9"}))
        session.flush()
        session.get_one(Application, again).teacher = "T-9"
    refusal = case.do(rights.appeal, case.id, Code(code_of(right), right.assignee), "No hearing.")
    assert isinstance(refusal, Refusal)
    assert again in refusal.why
