"""One application through the domain, from submission to decision, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering import accepting, deadlines, proving, rights
from labels.applications import conditions as conditions_applications
from labels.applications import ending
from labels.applications.documents import StoredDocument
from labels.applications.file import read_application
from labels.applications.submitting import Submitted, submit
from labels.errors import InvalidInput, NotAllowed
from labels.mail import outbox
from labels.papers.due import due_papers, due_receipt
from labels.papers.facts import CertificateFacts, LetterFacts
from labels.papers.issued import MadePaper, enter
from labels.record import Record
from labels.record.journal import SYSTEM
from labels.record.schema import (
    Application,
    Award,
    Conflict,
    Decision,
    Document,
    Journal,
    Mail,
    Member,
    Outcome,
    Review,
    Staff,
    Stage,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.reviews import asking, conflicts, coordinating, deciding
from labels.rules import load_rules
from labels.steps.answers import Decline, Information, Question, ReviewAnswer
from labels.steps.outcome import Accepted, Refusal
from labels.steps.step import steps_of
from labels.turn import Turn
from labels.views import inquiry
from tests.support.people import KEY, NOW, STAMP, TODAY, application_file, code_of, points, populate


class Case:
    """One application and the people around it, each change in a transaction of its own."""

    def __init__(self, record: Record, organisation: str = "NSS-PL", **changes: Any) -> None:
        self.record = record
        self.now = NOW
        self.organisation = organisation
        self.id = self.submit(**changes)

    def submit(self, **changes: Any) -> str:
        return self.handed_in(**changes).application

    def handed_in(self, again: bool = False, **changes: Any) -> Submitted:
        file = read_application(application_file(**changes), "application.json")
        edition = load_rules(self.organisation, TODAY)
        documents = [StoredDocument("application", "application.json", "sha256/aa/aa", "application/json", 2)]
        with self.record.writing() as session:
            return submit(Turn(session, self.now, KEY), file, documents, edition, again=again)

    def do(self, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self.record.writing() as session:
            return act(Turn(session, self.now, KEY, "test"), *args, **kwargs)

    def conditions(self) -> bool:
        return bool(self.do(conditions_applications.check_conditions, self.id))

    def ask(self) -> list[Step]:
        return list(self.do(asking.ask, self.id))

    def answer(self, step: Step, given: Any, code: str | None = None, email: str | None = "") -> Any:
        with self.record.reading() as session:
            right = code_of(session.get_one(Step, step.id))
        who = step.assignee if email == "" else email
        return self.do(accepting.answer, step.id, who, code or right, given)

    def review(self, step: Step, each: int = 4, **changes: int) -> Any:
        return self.answer(step, ReviewAnswer(scores=points(each, **changes), comment=f"by {step.seat}"))

    def row(self) -> Application:
        with self.record.reading() as session:
            return session.get_one(Application, self.id)

    def all(self, table: Any) -> list[Any]:
        with self.record.reading() as session:
            return list(session.scalars(sa.select(table)))

    def right(self, kind: StepKind) -> Step:
        with self.record.reading() as session:
            return steps_of(session, session.get_one(Application, self.id), kind)[-1]


def open_case(record: Record, organisation: str = "NSS-PL", country: str = "PL", **changes: Any) -> Case:
    with record.writing() as session:
        populate(session, organisation, country)
    case = Case(record, organisation, **changes)
    assert case.conditions()
    return case


@pytest.fixture
def case(record: Record) -> Case:
    return open_case(record)


def test_a_good_application_is_awarded_with_one_award_and_one_mail_of_each_kind(case: Case) -> None:
    first, second = case.ask()
    assert {first.assignee, second.assignee} <= {f"r{n}@nss.example" for n in range(1, 6)}
    assert isinstance(case.review(first), Accepted)
    assert [step.id for step in case.ask()] == [second.id]
    assert isinstance(case.review(second), Accepted)
    assert case.ask() == []
    assert case.do(deciding.decide, case.id) is Outcome.AWARDED
    assert case.do(deciding.decide, case.id) is Outcome.AWARDED
    [award] = case.all(Award)
    assert (award.teacher, award.project, award.score) == ("T-1", "P-1", 24.0)
    kinds = sorted(mail.template for mail in case.all(Mail))
    assert kinds == ["awarded", "receipt", "review_asked", "review_asked"]
    assert case.row().stage is Stage.DECIDED


@pytest.mark.parametrize("language", ["pl", "pt-PT", "sr-Latn"])
def test_an_application_is_in_any_language_that_the_registry_knows(language: str) -> None:
    assert read_application(application_file(language=language), "application.json").language == language
    with pytest.raises(InvalidInput, match="language"):
        read_application(application_file(language="Polish"), "application.json")


def test_the_same_submission_again_is_the_same_application(case: Case) -> None:
    assert case.submit() == case.id
    assert len(case.all(Application)) == 1
    with pytest.raises(NotAllowed, match="still open"):
        case.submit(description="Another text.")


def test_every_failed_condition_is_reported_at_once_and_ends_the_application(record: Record) -> None:
    with record.writing() as session:
        populate(session)
    case = Case(
        record,
        project="P-2",
        description="",
        preconditions={
            "shared_plan": False,
            "finished": True,
            "contributed": True,
            "collaborative": True,
            "safe": True,
        },
    )
    assert not case.conditions()
    [decision] = case.all(Decision)
    codes = {condition["code"] for condition in decision.verdict["conditions"]}
    assert {"member", "european", "precondition.shared_plan", "description"} <= codes
    assert all(condition["remedy"] for condition in decision.verdict["conditions"])
    assert not case.conditions()
    assert case.ask() == []


def test_conditions_that_are_met_are_noted_once_however_often_they_are_checked(case: Case) -> None:
    assert case.row().stage is Stage.REVIEW
    assert case.conditions()
    assert [entry.what for entry in case.all(Journal)] == ["submitted", "met all conditions"]


def test_asking_again_asks_nobody_else(case: Case) -> None:
    asked = {step.id for step in case.ask()}
    assert {step.id for step in case.ask()} == asked
    assert len([m for m in case.all(Mail) if m.template == "review_asked"]) == 2


def test_a_wrong_code_leaves_the_step_open_and_says_why(case: Case) -> None:
    step, _ = case.ask()
    refusal = case.answer(step, ReviewAnswer(scores=points()), code="2222-2222-22")
    assert isinstance(refusal, Refusal)
    assert "4 more tries" in refusal.why
    with case.record.reading() as session:
        kept = session.get_one(Step, step.id)
        assert kept.state is StepState.OPEN
        assert kept.draft == {"scores": points(), "comment": "", "note": ""}
    assert not case.all(Review)


def test_every_answer_that_is_refused_is_one_entry_of_the_journal_with_who_gave_it(case: Case) -> None:
    step, _ = case.ask()
    before = len(case.all(Journal))
    case.answer(step, ReviewAnswer(scores=points()), code="2222-2222-22")
    case.answer(step, ReviewAnswer(scores={"results": 9}))
    case.answer(step, ReviewAnswer(scores={"results": 9}), email=None)
    wrong, faulty, in_prefect = case.all(Journal)[before:]
    assert (wrong.who, wrong.what, wrong.step) == (SYSTEM, "refused a wrong code", step.id)
    assert wrong.details == {"left": 4, "claimed": step.assignee}
    assert (faulty.who, faulty.what) == (step.assignee, "gave an answer that was not accepted")
    assert "scores.results" in faulty.details["because"]
    assert "9" not in faulty.details["because"], "points are hidden until the decision"
    assert in_prefect.who == step.assignee


def test_what_changes_nothing_for_a_run_is_no_news_to_it(case: Case) -> None:
    step, _ = case.ask()
    seen = case.row().revision
    case.answer(step, ReviewAnswer(scores=points()), code="2222-2222-22")
    case.answer(step, ReviewAnswer(scores={"results": 9}))
    case.do(proving.send_code, step.id, step.assignee)
    case.do(proving.send_code, case.id, "coordinator@nss.example")
    assert case.row().revision == seen
    case.review(step)
    assert case.row().revision > seen


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


def test_points_out_of_range_are_all_named(case: Case) -> None:
    step, _ = case.ask()
    refusal = case.answer(step, ReviewAnswer(scores={"results": 9, "fun": 1}))
    assert isinstance(refusal, Refusal)
    assert "scores.results" in refusal.why
    assert "scores.fun" in refusal.why
    assert "scores.technology" in refusal.why


def test_the_same_answer_twice_counts_once_and_says_who_and_when(case: Case) -> None:
    step, _ = case.ask()
    assert isinstance(case.review(step), Accepted)
    again = case.review(step)
    assert isinstance(again, Refusal)
    assert f"already answered by {step.assignee} at 2026-03-16 10:00" in again.why
    assert len(case.all(Review)) == 1


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
    back = next(step for step in case.ask() if step.id == first.id)
    assert back.due_at is not None
    assert due is not None
    assert back.due_at - due == timedelta(days=3)
    assert isinstance(case.answer(back, ReviewAnswer(scores=points()), code=old_code), Refusal)
    assert isinstance(case.review(back), Accepted)


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


def test_disagreeing_reviewers_call_one_more(case: Case) -> None:
    first, second = case.ask()
    case.review(first, 5)
    case.review(second, 2)
    [third] = case.ask()
    assert third.seat == 3
    assert third.assignee not in {first.assignee, second.assignee}
    entry = [j for j in case.all(Journal) if j.what == "assigned a reviewer"][-1]
    assert "18 points apart" in entry.details["because"]
    case.review(third, 4)
    assert case.ask() == []


def test_a_score_on_the_border_calls_one_more(case: Case) -> None:
    first, second = case.ask()
    case.review(first, 3)
    case.review(second, 3)
    assert [step.seat for step in case.ask()] == [3]


def test_a_reviewer_who_declines_is_replaced_and_a_conflict_is_kept(case: Case) -> None:
    first, second = case.ask()
    declined = case.answer(first, Decline(decline="She is my cousin.", conflict=True))
    assert isinstance(declined, Accepted)
    replacement = next(s for s in case.ask() if s.id != second.id)
    assert replacement.seat == first.seat
    assert replacement.assignee != first.assignee


def test_a_conflict_found_later_voids_the_review_and_asks_somebody_else(case: Case) -> None:
    first, second = case.ask()
    case.review(first)
    with case.record.writing() as session:
        session.add(
            Teacher(
                id="T-9", name="Recenzent", email=first.assignee, school="S-1",
                registered_on=TODAY, language="pl",
            )
        )  # fmt: skip
    awaited = case.ask()
    assert first.assignee not in {step.assignee for step in awaited}
    [review] = [r for r in case.all(Review) if r.step == first.id]
    assert "applicant's school" in review.void_because
    assert len(awaited) == 2
    assert second.id in {step.id for step in awaited}


def test_a_reviewer_who_turns_out_to_have_a_conflict_is_replaced_when_they_try_to_answer(case: Case) -> None:
    """It was declared with another application of the same teacher, of which this one's run knows nothing."""
    first, second = case.ask()
    seen = case.row().revision
    with case.record.writing() as session:
        conflicts.declare(
            Turn(session, NOW, KEY), case.row(), first.assignee, reason="Cousins.", by=first.assignee
        )
    refusal = case.review(first)
    assert isinstance(refusal, Refusal)
    assert "declared conflict" in refusal.why
    assert case.row().revision > seen, "the run is to look at it"
    replacement = next(step for step in case.ask() if step.id != second.id)
    assert replacement.seat == first.seat
    assert replacement.assignee != first.assignee


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("r1@nss.exmaple", "r1@nss.example"),
        ("t-1@school.example", "coordinator@nss.example, r1@nss.example"),
        ("nobody@a.example", "r5@nss.example"),
    ],
)
def test_a_conflict_is_declared_of_staff_alone_and_who_could_be_meant_is_named(
    case: Case, address: str, meant: str
) -> None:
    with pytest.raises(NotAllowed, match=f"{address} is not on the staff of NSS-PL.*{meant}"):
        case.do(coordinating.declare_conflict, case.id, address, "friends", "coordinator@nss.example")
    assert not case.all(Conflict)


def test_a_conflict_of_a_reviewer_who_left_the_staff_is_still_declared(case: Case) -> None:
    first, _ = case.ask()
    case.review(first)
    with case.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.email == first.assignee))
    case.do(
        coordinating.declare_conflict, case.id, first.assignee.upper(), "friends", "coordinator@nss.example"
    )
    assert [one.email for one in case.all(Conflict)] == [first.assignee]


def test_without_a_free_reviewer_the_coordinator_is_asked(record: Record) -> None:
    with record.writing() as session:
        populate(session, reviewers=1)
        session.get_one(Staff, ("r1@nss.example", "reviewer")).school = "S-1"
    case = Case(record)
    assert case.conditions()
    [step] = case.ask()
    assert (step.kind, step.assignee) == (StepKind.ASSIGNMENT, "coordinator@nss.example")
    assert case.row().stage is Stage.ASSIGNMENT
    with pytest.raises(NotAllowed, match="applicant's school"):
        case.do(coordinating.reassign, step.id, "r1@nss.example", "why not", "coordinator@nss.example")
    case.do(
        coordinating.reassign,
        step.id,
        "coordinator@nss.example",
        "takes over",
        "coordinator@nss.example",
    )
    assert {s.kind for s in case.ask()} >= {StepKind.REVIEW}


def test_reassigning_keeps_the_former_steps_history(case: Case) -> None:
    first, second = case.ask()
    free = ({f"r{n}@nss.example" for n in range(1, 6)} - {first.assignee, second.assignee}).pop()
    new = case.do(coordinating.reassign, first.id, free, "illness", "coordinator@nss.example")
    assert new.seat == first.seat
    with case.record.reading() as session:
        former = session.get_one(Step, first.id)
        assert former.state is StepState.VOID
        assert former.closed_because == "reassigned: illness"
    assert {s.id for s in case.ask()} == {new.id, second.id}


def test_the_applicant_withdraws_before_the_decision_and_not_after(case: Case) -> None:
    case.ask()
    right = case.right(StepKind.WITHDRAWAL)
    with case.record.writing() as session:
        wrong = rights.withdraw(Turn(session, NOW, KEY), case.id, right.assignee, "2222-2222-22")
    assert isinstance(wrong, Refusal)
    with case.record.writing() as session:
        assert rights.withdraw(Turn(session, NOW, KEY), case.id, right.assignee, code_of(right)) is None
    assert case.row().outcome is Outcome.WITHDRAWN
    assert case.ask() == []
    assert case.do(deciding.decide, case.id) is Outcome.WITHDRAWN
    assert not case.all(Award)
    with case.record.writing() as session:
        again = rights.withdraw(Turn(session, NOW, KEY), case.id, right.assignee, code_of(right))
    assert isinstance(again, Refusal)


def decided(case: Case, each: int) -> Outcome:
    while steps := case.ask():
        for step in steps:
            case.review(step, each)
    outcome: Outcome = case.do(deciding.decide, case.id)
    case.do(ending.close, case.id)
    return outcome


def withdrawn(case: Case) -> None:
    right = case.right(StepKind.WITHDRAWAL)
    assert case.do(rights.withdraw, case.id, right.assignee, code_of(right)) is None


def test_what_was_withdrawn_can_be_handed_in_again_as_it_is_and_counts_for_nothing(record: Record) -> None:
    case = open_case(record)
    for _ in range(5):  # more often than a teacher may apply in a school year
        withdrawn(case)
        former, case.id = case.id, case.submit()
        assert case.id != former
        assert case.submit() == case.id
        assert case.conditions()
    assert decided(case, 1) is Outcome.REFUSED
    [decision] = [one for one in case.all(Decision) if one.application == case.id]
    assert "You may apply again" in decision.verdict["routes"][0]


def told(case: Case, again: bool = False, **changes: Any) -> str:
    return case.handed_in(again=again, **changes).remark


def test_who_hands_in_the_same_again_is_told_how_it_stands_and_what_to_do(record: Record) -> None:
    case = open_case(record)
    assert "under way (stage review, since 2026-03-16" in told(case)
    assert decided(case, 1) is Outcome.REFUSED
    assert "was refused on 2026-03-16. You may apply again" in told(case)
    assert "has what the comments propose" in told(case)
    case.id = case.submit(description="Better.")
    assert case.conditions()
    assert decided(case, 1) is Outcome.REFUSED
    assert "allow one re-application" in told(case, description="Better.")


def test_a_refused_teacher_is_told_to_name_the_criteria_in_spain(record: Record) -> None:
    case = open_case(record, "NSS-ES", "ES")
    assert decided(case, 1) is Outcome.REFUSED
    assert 'names under "reapplication" the criteria' in told(case)


def test_an_appeal_that_is_withdrawn_leaves_the_refusal(record: Record) -> None:
    case = open_case(record, "NSS-RS", "RS")
    assert decided(case, 0) is Outcome.REFUSED
    right = case.right(StepKind.APPEAL)
    assert case.do(rights.appeal, case.id, right.assignee, code_of(right), "Not read.") is None
    withdrawn(case)
    assert case.row().outcome is Outcome.WITHDRAWN
    same = case.handed_in()
    assert not same.created
    assert "was refused; its appeal was withdrawn on 2026-03-16. You may apply again" in same.remark
    case.id = case.submit(description="Better.")
    assert case.conditions()
    assert decided(case, 0) is Outcome.REFUSED
    assert "The rules allow one re-application" in case.handed_in(description="Better.").remark


def test_what_met_no_conditions_is_handed_in_again_by_express_wish_alone(record: Record) -> None:
    with record.writing() as session:
        populate(session)
    case = Case(record, project="P-2")
    assert not case.conditions()
    remark = told(case, project="P-2")
    assert "did not meet the conditions on 2026-03-16. Ask a founder of the project to add you" in remark
    assert "--again" in remark
    assert case.handed_in(project="P-2", again=True).created


def test_a_late_application_is_judged_at_once_but_belongs_to_the_year_of_its_round(record: Record) -> None:
    case = open_case(record, "NSS-CZ", "CZ")
    [receipt] = case.all(Mail)
    assert "round Annual round 2027, which opens on 2026-10-01 00:00" in receipt.context["warnings"][0]
    assert "school year 2026/2027" in receipt.context["warnings"][0]
    with record.reading() as session:
        shown = inquiry.show(session, case.id)
    assert (shown.round, shown.school_year) == ("Annual round 2027", 2026)
    assert shown.round_opens == datetime(2026, 9, 30, 22, 0, tzinfo=UTC)
    assert len(case.ask()) == 3
    assert decided(case, 4) is Outcome.AWARDED
    with record.reading() as session:
        certificate = due_papers(session, case.id, STAMP)[0].facts
    assert isinstance(certificate, CertificateFacts)
    assert (certificate.school_year, certificate.awarded_on) == ("2026/27", TODAY)


def test_the_receipt_says_what_arrived_when_and_goes_with_its_mail(record: Record) -> None:
    case = open_case(record)
    with record.reading() as session:
        [paper] = due_receipt(session, case.id)
        facts = paper.facts
        assert isinstance(facts, LetterFacts)
        stored = session.scalars(sa.select(Document).where(Document.application == case.id)).all()
        assert sorted((one.name, one.size, one.digest) for one in facts.files) == sorted(
            (one.name, one.size, one.key.rpartition("/")[2]) for one in stored
        )
        assert facts.arrived_at == session.get_one(Application, case.id).submitted_at
        assert "The decision is due by: " in facts.route_forward[2]
        assert outbox.due(session, NOW, case.id) == [], "the mail waits for it"
    made = MadePaper("sha256/00/00", 3, "00", None)
    for new in (True, False):
        with record.writing() as session:
            assert enter(Turn(session, NOW, KEY), paper, made) is new
    with record.reading() as session:
        assert due_receipt(session, case.id) == []
        [mail] = outbox.due(session, NOW, case.id)
        assert (mail.template, [one.name for one in outbox.attached(session, mail)]) == (
            "receipt",
            [paper.name],
        )


def test_an_appeal_is_heard_by_other_people_and_the_old_decision_stays(record: Record) -> None:
    case = open_case(record, "NSS-RS", "RS")
    before = {step.assignee for step in case.ask()}
    assert decided(case, 0) is Outcome.REFUSED
    right = case.right(StepKind.APPEAL)
    with record.writing() as session:
        assert (
            rights.appeal(Turn(session, NOW, KEY), case.id, right.assignee, code_of(right), "Not read.")
            is None
        )
    assert case.row().outcome is None
    assert case.right(StepKind.WITHDRAWAL).state is StepState.OPEN, (
        "it may be withdrawn until it is decided anew"
    )
    after = {step.assignee for step in case.ask()}
    assert not before & after
    assert decided(case, 3) is Outcome.AWARDED
    assert [d.outcome for d in case.all(Decision)] == [Outcome.REFUSED, Outcome.AWARDED]


def test_the_way_to_appeal_is_told_without_a_command_that_the_mail_would_repeat(record: Record) -> None:
    case = open_case(record, "NSS-RS", "RS")
    assert decided(case, 0) is Outcome.REFUSED
    [refused] = [mail for mail in case.all(Mail) if mail.template == "refused"]
    [way] = [route for route in refused.context["routes"] if "appeal" in route]
    assert refused.step == case.right(StepKind.APPEAL).id
    assert "labels appeal" not in way


def test_an_appeal_is_refused_after_its_deadline_and_where_the_rules_know_none(record: Record) -> None:
    case = open_case(record, "NSS-RS", "RS")
    decided(case, 0)
    right = case.right(StepKind.APPEAL)
    late = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
    with record.writing() as session:
        result = rights.appeal(Turn(session, late, KEY), case.id, right.assignee, code_of(right), "Late.")
    assert isinstance(result, Refusal)
    assert "until 2026-03-31 23:59" in result.why


def test_a_refused_teacher_applies_again_once_naming_the_criteria_in_spain(record: Record) -> None:
    case = open_case(record, "NSS-ES", "ES")
    assert decided(case, 1) is Outcome.REFUSED
    first, case.id = case.id, case.submit(description="Now better.")
    assert case.id != first
    assert not case.conditions()
    again = case.submit(
        description="Better still.", reapplication={"criteria": {"technology": "See pages 3 to 5."}}
    )
    case.id = again
    assert case.conditions()


def test_two_applications_of_one_project_that_read_alike_are_pointed_out(case: Case) -> None:
    other = Case(case.record, teacher="T-3")
    assert other.conditions()
    [warning] = [mail for mail in case.all(Mail) if mail.template == "similarity_warning"]
    assert warning.context["other"] == case.id


def test_four_applications_a_year_count_whichever_is_checked_first(record: Record) -> None:
    with record.writing() as session:
        populate(session)
        from labels.record.schema import Project

        for n in range(10, 15):
            session.add(Project(id=f"P-{n}", title=f"Project {n}", started_on=TODAY, ended_on=None))
            session.flush()
            for teacher in ("T-1", "T-2"):
                session.add(Member(project=f"P-{n}", teacher=teacher, role="founder", joined_on=TODAY))
    cases = []
    for n in range(10, 15):
        case = Case.__new__(Case)
        case.record, case.organisation = record, "NSS-PL"
        case.now = NOW + timedelta(seconds=n)
        case.id = case.submit(project=f"P-{n}")
        cases.append(case)
    met = [case.conditions() for case in reversed(cases)]
    assert met == [False, True, True, True, True]


def test_a_deadline_moves_with_a_reason_that_the_person_is_told(case: Case) -> None:
    step, _ = case.ask()
    until = datetime(2026, 4, 20, 21, 59, 59, tzinfo=UTC)
    told = case.do(deadlines.move_deadline, step.id, until, "fair week", "coordinator@nss.example")
    assert told == f"The deadline of {step.id} is now 2026-04-20 23:59 (Brussels)."
    [mail] = [m for m in case.all(Mail) if m.template == "deadline_moved"]
    assert (mail.to_address, mail.context["reason"]) == (step.assignee, "fair week")
    with pytest.raises(NotAllowed, match="past"):
        case.do(deadlines.move_deadline, step.id, NOW, "no", "coordinator@nss.example")
    for day in (27, 20):  # there and back again: each time they are told
        until = datetime(2026, 4, day, 21, 59, 59, tzinfo=UTC)
        case.do(deadlines.move_deadline, step.id, until, "fair week", "coordinator@nss.example")
    assert len([m for m in case.all(Mail) if m.template == "deadline_moved"]) == 3


def test_a_deadline_that_moves_while_the_applicant_is_asked_leaves_the_time_until_it(case: Case) -> None:
    step, _ = case.ask()
    case.answer(step, Question(question="Which of the pupils' texts are theirs?"))
    until = NOW + timedelta(days=30)
    case.do(deadlines.move_deadline, step.id, until, "fair week", "coordinator@nss.example")
    [asked] = [s for s in case.all(Step) if s.kind is StepKind.INFORMATION]
    case.answer(asked, Information(text="All of chapter two.", links=[]))
    assert next(s for s in case.all(Step) if s.id == step.id).due_at == until


def test_who_left_the_staff_is_asked_no_more_and_somebody_else_is(case: Case) -> None:
    first, second = case.ask()
    case.review(first)
    with case.record.writing() as session:
        for step in (first, second):
            session.execute(sa.delete(Staff).where(Staff.email == step.assignee))
    [awaited] = case.ask()
    assert awaited.assignee not in {first.assignee, second.assignee}
    [review] = case.all(Review)
    assert review.void_because is None, "what was given by somebody who was on the staff then counts"
    assert "review_void" in {m.template for m in case.all(Mail) if m.to_address == second.assignee}


def test_a_deadline_after_the_decision_is_due_is_taken_with_a_warning_that_the_journal_keeps(
    case: Case,
) -> None:
    step, _ = case.ask()
    decided = case.row().decide_by
    assert decided is not None
    told = case.do(deadlines.move_deadline, step.id, decided, "just fits", "coordinator@nss.example")
    assert "Warning" not in told
    later = decided + timedelta(days=1)
    told = case.do(deadlines.move_deadline, step.id, later, "too long", "coordinator@nss.example")
    assert "Warning: that is after the decision is due, 2026-" in told
    moved = [entry.details for entry in case.all(Journal) if entry.what == "moved a deadline"]
    assert [entry.get("after_decision_due") for entry in moved] == [None, decided.isoformat()]


def test_a_coordinator_acts_with_a_code_of_their_own_that_works_once(case: Case) -> None:
    case.ask()
    email = "coordinator@nss.example"
    identifier = case.do(proving.send_code, case.id, email)
    with case.record.writing() as session:
        application = session.get_one(Application, case.id)
        code = code_of(session.get_one(Step, identifier))
        assert proving.act_as_coordinator(Turn(session, NOW, KEY), application, email, code) is None
        again = proving.act_as_coordinator(Turn(session, NOW, KEY), application, email, code)
        assert isinstance(again, Refusal)
        nobody = proving.act_as_coordinator(Turn(session, NOW, KEY), application, "r1@nss.example", code)
        assert isinstance(nobody, Refusal)
    with pytest.raises(NotAllowed):
        case.do(proving.send_code, case.id, "stranger@nowhere.example")


def test_even_load_keeps_reviewers_within_one_of_each_other(record: Record) -> None:
    from labels.record.schema import Project

    with record.writing() as session:
        populate(session)
        for n in range(10, 20):
            session.add(Project(id=f"P-{n}", title="Project", started_on=TODAY, ended_on=None))
            session.flush()
            for teacher in ("T-1", "T-2"):
                session.add(Member(project=f"P-{n}", teacher=teacher, role="founder", joined_on=TODAY))
    for n in range(10, 20):
        case = Case(record, project=f"P-{n}")
        case.ask()
    with record.reading() as session:
        loads = session.execute(
            sa.select(sa.func.count()).where(Step.kind == StepKind.REVIEW).group_by(Step.assignee)
        ).scalars()
        counts = list(loads)
    assert sum(counts) == 20
    assert max(counts) - min(counts) <= 1


def test_the_decision_can_be_repeated_from_the_record_alone(case: Case) -> None:
    from labels.reviews.scoring import decide
    from labels.rules.kept import rules_of

    decided(case, 5)
    with case.record.reading() as session:
        application: Application = session.get_one(Application, case.id)
        verdict = decide(asking.assessments(session, application), rules_of(session, application))
        kept = session.get_one(Decision, (case.id, 1))
    assert verdict.inputs_digest == kept.inputs_digest
    assert kept.verdict["reasons"] == list(verdict.reasons)


def test_no_code_is_in_the_record(case: Case) -> None:
    steps = case.ask()
    with case.record.reading() as session:
        everything = str([tuple(row) for table in (Mail, Step, Journal) for row in _rows(session, table)])
    for step in steps:
        assert code_of(step) not in everything


def _rows(session: Session, table: Any) -> Any:
    return session.execute(sa.select(*table.__table__.columns)).all()


# Who may do what ----------------------------------------------------------------------------------

COORDINATOR = "coordinator@nss.example"


def staff(record: Record, email: str, role: str) -> None:
    with record.writing() as session:
        session.add(
            Staff(email=email, role=role, name=email, organisation="NSS-PL", language="pl", school=None)
        )


@pytest.fixture
def lonely(record: Record) -> Case:
    """An application that nobody is free to review."""
    with record.writing() as session:
        populate(session, reviewers=1)
        session.get_one(Staff, ("r1@nss.example", "reviewer")).school = "S-1"
    case = Case(record)
    assert case.conditions()
    return case


def test_a_seat_is_given_once_however_often_its_coordinator_names_somebody(lonely: Case) -> None:
    staff(lonely.record, "c2@nss.example", "coordinator")
    [asked] = lonely.ask()
    lonely.do(coordinating.reassign, asked.id, COORDINATOR, "takes over", COORDINATOR)
    with pytest.raises(NotAllowed, match="in that seat"):
        lonely.do(coordinating.reassign, asked.id, "c2@nss.example", "again", COORDINATOR)
    assert len([step for step in lonely.all(Step) if step.kind is StepKind.REVIEW]) == 1


def test_a_coordinator_is_told_that_the_seats_were_filled_without_them(lonely: Case) -> None:
    [asked] = lonely.ask()
    for email in ("r2@nss.example", "r3@nss.example"):
        staff(lonely.record, email, "reviewer")
    awaited = lonely.ask()
    assert [step.kind for step in awaited] == [StepKind.REVIEW, StepKind.REVIEW]
    assert asked.id in {mail.step for mail in lonely.all(Mail) if mail.template == "review_void"}
    for step in awaited:
        lonely.review(step)
    assert lonely.ask() == []
    assert lonely.do(deciding.decide, lonely.id) is Outcome.AWARDED


def test_a_coordinator_stays_asked_for_the_seat_that_is_still_free(lonely: Case) -> None:
    [asked] = lonely.ask()
    staff(lonely.record, "r2@nss.example", "reviewer")
    kinds = {step.kind: step for step in lonely.ask()}
    assert (kinds[StepKind.REVIEW].seat, kinds[StepKind.ASSIGNMENT].seat) == (1, 2)
    assert kinds[StepKind.ASSIGNMENT].id != asked.id
    assert {step.id for step in lonely.ask()} == {step.id for step in kinds.values()}


def test_who_coordinates_no_longer_fills_no_seat(lonely: Case) -> None:
    [asked] = lonely.ask()
    with lonely.record.writing() as session:
        session.delete(session.get_one(Staff, (COORDINATOR, "coordinator")))
        step = session.get_one(Step, asked.id)
        refusal = proving.prove(Turn(session, NOW, KEY), step, None, code_of(step))
    assert refusal is not None
    assert "no coordinator" in refusal.why


def test_a_coordinator_who_applies_has_no_power_over_their_own_application(lonely: Case) -> None:
    with lonely.record.writing() as session:
        session.get_one(Staff, (COORDINATOR, "coordinator")).email = "t-1@school.example"
    [asked] = lonely.ask()
    assert asked.assignee == "nss@nss.example"
    sent = lonely.do(proving.send_code, lonely.id, "t-1@school.example")
    assert sent == lonely.right(StepKind.WITHDRAWAL).id
    with lonely.record.writing() as session:
        right = session.get_one(Step, sent)
        application = session.get_one(Application, lonely.id)
        refusal = proving.act_as_coordinator(
            Turn(session, NOW, KEY), application, right.assignee, code_of(right)
        )
    assert refusal is not None
    assert "applies here" in refusal.why


def test_what_a_reviewer_sends_to_a_colleagues_step_is_not_shown_to_the_colleague(case: Case) -> None:
    first, second = case.ask()
    case.answer(first, ReviewAnswer(scores=points(1), note="weak"), email=second.assignee)
    with case.record.reading() as session:
        kept = session.get_one(Step, first.id)
    assert (kept.draft, kept.refused, kept.code_failures) == (None, None, 1)


def test_an_appeal_waits_until_a_second_application_for_the_project_is_withdrawn(record: Record) -> None:
    case = open_case(record, "NSS-RS", "RS")
    for step in case.ask():
        case.review(step, 1)
    assert case.do(deciding.decide, case.id) is Outcome.REFUSED
    case.do(ending.close, case.id)
    right = case.right(StepKind.APPEAL)
    again = case.submit(description="Anew.")

    def appeal() -> Refusal | None:
        with record.writing() as session:
            return rights.appeal(
                Turn(session, NOW, KEY), case.id, right.assignee, code_of(right), "No hearing."
            )

    refusal = appeal()
    assert refusal is not None
    assert again in refusal.why
    with record.writing() as session:
        withdrawal = steps_of(session, session.get_one(Application, again), StepKind.WITHDRAWAL)[0]
        rights.withdraw(Turn(session, NOW, KEY), again, withdrawal.assignee, code_of(withdrawal))
    assert appeal() is None
    assert case.row().instance == 2


def test_a_coordinators_wrong_codes_are_counted_too_until_a_new_one_is_mailed(case: Case) -> None:
    sent = case.do(proving.send_code, case.id, COORDINATOR)

    def act(code: str) -> Refusal | None:
        with case.record.writing() as session:
            application = session.get_one(Application, case.id)
            return proving.act_as_coordinator(Turn(session, NOW, KEY), application, COORDINATOR, code)

    with case.record.reading() as session:
        old = code_of(session.get_one(Step, sent))
    refusals = [act("2222-2222-22") for _ in range(5)]
    assert refusals[0] is not None
    assert "4 more tries" in refusals[0].why
    assert act(old) is not None
    with case.record.reading() as session:
        new = code_of(session.get_one(Step, sent))
    assert act(new) is None
