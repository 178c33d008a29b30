"""Who is asked to review: as many as the rules call, nobody twice, nobody with a conflict of interest."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from labels.errors import NotAllowed
from labels.record import Record
from labels.record.journal import Event
from labels.record.schema import (
    DifferentPersons,
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
from labels.reviews import conflicts, coordinating, deciding
from labels.steps.answers import Question
from labels.steps.outcome import Refusal
from labels.turn import Turn
from tests.support.case import COORDINATOR, Case, open_case, staff
from tests.support.people import KEY, NOW, TODAY, populate


def test_asking_again_asks_nobody_else(case: Case) -> None:
    asked = {step.id for step in case.ask()}
    assert {step.id for step in case.ask()} == asked
    assert len([m for m in case.all(Mail) if m.template == "review_asked"]) == 2


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


def test_disagreeing_reviewers_call_one_more(case: Case) -> None:
    first, second = case.ask()
    case.review(first, 5)
    case.review(second, 2)
    [third] = case.ask()
    assert third.seat == 3
    assert third.assignee not in {first.assignee, second.assignee}
    entry = [j for j in case.all(Journal) if j.what == Event.ASSIGNED_A_REVIEWER][-1]
    assert "18 points apart" in entry.details["because"]
    case.review(third, 4)
    assert case.ask() == []


def test_a_score_on_the_border_calls_one_more(case: Case) -> None:
    first, second = case.ask()
    case.review(first, 3)
    case.review(second, 3)
    assert [step.seat for step in case.ask()] == [3]


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
        turn = Turn(session, NOW, KEY).acting(first.assignee)
        conflicts.declare(turn, case.row(), first.person, reason="Cousins.")
    refusal = case.review(first)
    assert isinstance(refusal, Refusal)
    assert "declared conflict" in refusal.why
    assert case.row().revision > seen, "the run is to look at it"
    replacement = next(step for step in case.ask() if step.id != second.id)
    assert replacement.seat == first.seat
    assert replacement.assignee != first.assignee


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
        case.do_as("coordinator@nss.example", coordinating.reassign, step.id, "r1@nss.example", "why not")
    case.do_as(
        "coordinator@nss.example", coordinating.reassign, step.id, "coordinator@nss.example", "takes over"
    )
    assert {s.kind for s in case.ask()} >= {StepKind.REVIEW}


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


def test_the_coordinator_is_told_where_a_reviewer_may_be_a_member_of_the_project_by_name(case: Case) -> None:
    with case.record.writing() as session:
        session.execute(sa.update(Staff).where(Staff.email != "r1@nss.example").values(name="Zoja Lis"))
        session.execute(sa.delete(Staff).where(Staff.email.in_(["r3@nss.example", "r4@nss.example"])))
        session.execute(sa.delete(Staff).where(Staff.email == "r5@nss.example"))
        reviewer = session.get_one(Staff, ("r1@nss.example", "reviewer"))
        reviewer.name = "Lucja Zdzblo-Nowak"
    case.ask()
    case.ask()
    [told] = [mail for mail in case.all(Mail) if mail.template == "names_alike"]
    assert told.to_address == "nss@nss.example"
    assert told.context["message"]["reviewer"] == "Lucja Zdzblo-Nowak"
    assert told.context["message"]["names"] == ["Łucja Źdźbło"]
    [entry] = [one for one in case.all(Journal) if one.what == Event.NAMES_ALIKE]
    assert entry.details["reviewer"] == "r1@nss.example"


def test_a_reviewer_whose_name_is_a_member_s_in_other_letters_is_not_asked(case: Case) -> None:
    with case.record.writing() as session:
        session.get_one(Staff, ("r1@nss.example", "reviewer")).name = "ZDZBLO, Lucja"
    for _ in range(4):
        assert "r1@nss.example" not in {step.assignee for step in case.ask()}


@pytest.mark.parametrize(
    ("name", "email"),
    [("RECENZENT 1", "another@nss.example"), ("Ktoś Inny", "r1+labels@nss.example")],
    ids=["the same name", "the same mailbox"],
)
def test_two_seats_never_go_to_people_who_may_be_one(record: Record, name: str, email: str) -> None:
    case = open_case(record)
    with record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.email.in_([f"r{n}@nss.example" for n in range(2, 6)])))
        session.add(
            Staff(
                email=email, role="reviewer", name=name, organisation="NSS-PL", language="pl", school=None
            )
        )  # fmt: skip
    asked = case.ask()
    assert sorted(step.kind for step in asked) == [StepKind.ASSIGNMENT, StepKind.REVIEW]
    [seat] = [step for step in asked if step.kind is StepKind.ASSIGNMENT]
    [review] = [step for step in asked if step.kind is StepKind.REVIEW]
    other = email if review.assignee == "r1@nss.example" else "r1@nss.example"
    with pytest.raises(NotAllowed, match="may be"):
        case.do_as("coordinator@nss.example", coordinating.reassign, seat.id, other, "nobody else")
    with record.writing() as session:
        whose = session.scalars(sa.select(Staff.person).where(Staff.email.in_([email, "r1@nss.example"])))
        first, second = sorted(whose)
        session.add(
            DifferentPersons(one=first, other=second, said_by=first, said_at=case.now, reason="Two sisters.")
        )
    case.do_as("coordinator@nss.example", coordinating.reassign, seat.id, other, "they are two")


def test_an_applicant_need_not_answer_the_question_of_a_seat_that_nobody_needs_any_more(case: Case) -> None:
    first, second = case.ask()
    case.review(first, 5)
    case.review(second, 1)
    [third] = case.ask()  # the two are far apart
    case.answer(third, Question(question="Who led the teams?"))
    case.do_as(COORDINATOR, coordinating.send_back, first.id, "It is about another project.")
    case.do_as(COORDINATOR, coordinating.declare_conflict, case.id, third.assignee, "cousins")
    assert [step.kind for step in case.ask()] == [StepKind.REVIEW]
    [question] = [one for one in case.all(Step) if one.kind is StepKind.INFORMATION]
    assert question.state is StepState.VOID
    [told] = [mail for mail in case.all(Mail) if mail.template == "information_not_needed"]
    assert told.to_address == "t-1@school.example"


def test_the_question_of_a_seat_that_somebody_else_gets_stays_with_the_applicant(case: Case) -> None:
    first, _second = case.ask()
    case.answer(first, Question(question="Who led the teams?"))
    case.do_as(COORDINATOR, coordinating.declare_conflict, case.id, first.assignee, "cousins")
    assert [step.kind for step in case.ask()] == [StepKind.INFORMATION, StepKind.REVIEW]
    assert not [mail for mail in case.all(Mail) if mail.template == "information_not_needed"]
