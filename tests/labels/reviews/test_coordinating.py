"""What coordinators do about reviewers: reassign a seat, send a review back, and declare a conflict of interest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from labels.errors import NotAllowed
from labels.mail import messages
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    Conflict,
    DifferentPersons,
    Journal,
    Mail,
    Organisation,
    Outcome,
    Review,
    ReviewDraft,
    Staff,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.reviews import conflicts, coordinating, deciding
from tests.support.case import COORDINATOR, Case, staff
from tests.support.mails import told_by
from tests.support.people import points


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
        case.do_as("coordinator@nss.example", coordinating.declare_conflict, case.id, address, "friends")
    assert not case.all(Conflict)


def test_a_conflict_of_the_central_support_service_is_declared_too_since_it_awards(case: Case) -> None:
    with case.record.writing() as session:
        session.add(
            Organisation(
                id="CSS", country="EU", kind="CSS", name="CSS", email="css@css.example", language="en"
            )
        )
        session.flush()
        session.add(
            Staff(email="ada@css.example", role="coordinator", name="Ada", organisation="CSS", language="en", school=None)
        )  # fmt: skip
    case.do_as(COORDINATOR, coordinating.declare_conflict, case.id, "ada@css.example", "cousins")
    [one] = case.all(Conflict)
    assert (one.kind, one.target) == ("teacher", "T-1")
    case.do_as(COORDINATOR, coordinating.lift_conflict, case.id, "ada@css.example", "another Ada")
    assert not case.all(Conflict)


@pytest.mark.parametrize("act", [coordinating.declare_conflict, coordinating.lift_conflict])
def test_where_nobody_applies_it_is_said_what_a_conflict_is_declared_with(
    case: Case, act: Callable[..., object]
) -> None:
    with case.record.writing() as session:
        application = session.get_one(Application, case.id)
        application.teacher = application.school = None
    with pytest.raises(
        NotAllowed, match=r"No teacher or school applies in .*\. Name the application of the label"
    ):
        case.do_as(COORDINATOR, act, case.id, "r1@nss.example", "cousins")


def test_a_conflict_of_a_reviewer_who_left_the_staff_is_still_declared(case: Case) -> None:
    first, _ = case.ask()
    case.review(first)
    with case.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.email == first.assignee))
    case.do_as(
        "coordinator@nss.example", coordinating.declare_conflict, case.id, first.assignee.upper(), "friends"
    )
    assert [one.person for one in case.all(Conflict)] == [first.person]


def test_a_conflict_that_was_declared_by_mistake_is_lifted_and_the_reviewer_may_be_asked_again(
    case: Case,
) -> None:
    first, _ = case.ask()
    case.do_as(COORDINATOR, coordinating.declare_conflict, case.id, first.assignee, "cousins")
    [refilled] = [one for one in case.ask() if one.seat == first.seat]
    with pytest.raises(NotAllowed, match="has a declared conflict of interest"):
        case.do_as(COORDINATOR, coordinating.reassign, refilled.id, first.assignee, "back")
    case.do_as(COORDINATOR, coordinating.lift_conflict, case.id, first.assignee, "another Anna")
    assert not case.all(Conflict)
    again = case.do_as(COORDINATOR, coordinating.reassign, refilled.id, first.assignee, "back")
    assert again.person == first.person
    told = [one for one in case.all(Journal) if one.what == Event.LIFTED_A_CONFLICT]
    assert [(one.who, one.details["reviewer"], one.details["because"]) for one in told] == [
        (COORDINATOR, first.assignee, "another Anna")
    ]


def test_whose_conflict_was_lifted_is_told_with_the_reason_each_time(case: Case) -> None:
    first, _ = case.ask()
    for minutes in (0, 1):
        case.now += timedelta(minutes=minutes)
        case.do_as(COORDINATOR, coordinating.declare_conflict, case.id, first.assignee, "cousins")
        case.do_as(COORDINATOR, coordinating.lift_conflict, case.id, first.assignee, "another Anna")
    mails = [one for one in case.all(Mail) if one.template == "conflict_lifted"]
    assert [(one.person, one.to_address, one.step) for one in mails] == [
        (first.person, first.assignee, None)
    ] * 2
    assert {told_by(one, messages.ConflictLifted).reason for one in mails} == {"another Anna"}


def test_who_left_the_staff_is_not_written_to_where_their_conflict_is_lifted(case: Case) -> None:
    first, _ = case.ask()
    case.do_as(COORDINATOR, coordinating.declare_conflict, case.id, first.assignee, "cousins")
    with case.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.email == first.assignee))
    assert (
        case.do_as(COORDINATOR, coordinating.lift_conflict, case.id, first.assignee, "another Anna") is False
    )
    assert not [one for one in case.all(Mail) if one.template == "conflict_lifted"]


def test_what_was_not_declared_is_not_lifted(case: Case) -> None:
    first, _ = case.ask()
    with pytest.raises(NotAllowed, match="no declared conflict of interest"):
        case.do_as(COORDINATOR, coordinating.lift_conflict, case.id, first.assignee, "a mistake")


def test_nobody_lifts_a_conflict_of_their_own(case: Case) -> None:
    case.do_as("c2@nss.example", coordinating.declare_conflict, case.id, COORDINATOR, "cousins")
    with pytest.raises(NotAllowed, match="another coordinator"):
        case.do_as(COORDINATOR, coordinating.lift_conflict, case.id, COORDINATOR, "no cousins")
    assert case.all(Conflict)


def test_a_namesake_of_the_applicant_judges_once_the_two_are_said_to_be_different(case: Case) -> None:
    with case.record.writing() as session:
        application = session.get_one(Application, case.id)
        applicant = session.get_one(Teacher, application.teacher)
        reviewer = session.scalars(sa.select(Staff).where(Staff.role == "reviewer")).first()
        assert reviewer is not None
        reviewer.name = applicant.name
        first, other = sorted((reviewer.person, applicant.person))
        session.flush()
        assert "has the name of a member of the project" in conflicts.own_conflicts(
            session, application, reviewer.person
        )
        session.add(
            DifferentPersons(
                one=first, other=other, said_by=applicant.person, said_at=case.now, reason="namesakes"
            )
        )
        session.flush()
        assert conflicts.own_conflicts(session, application, reviewer.person) == []


def test_reassigning_keeps_the_former_steps_history(case: Case) -> None:
    first, second = case.ask()
    free = ({f"r{n}@nss.example" for n in range(1, 6)} - {first.assignee, second.assignee}).pop()
    new = case.do_as("coordinator@nss.example", coordinating.reassign, first.id, free, "illness")
    assert new.seat == first.seat
    with case.record.reading() as session:
        former = session.get_one(Step, first.id)
        assert former.state is StepState.VOID
        assert former.closed_because == "reassigned: illness"
    assert {s.id for s in case.ask()} == {new.id, second.id}


def test_a_seat_is_given_once_however_often_its_coordinator_names_somebody(lonely: Case) -> None:
    staff(lonely.record, "c2@nss.example", "coordinator")
    [asked] = lonely.ask()
    lonely.do_as(COORDINATOR, coordinating.reassign, asked.id, COORDINATOR, "takes over")
    with pytest.raises(NotAllowed, match="in that seat"):
        lonely.do_as(COORDINATOR, coordinating.reassign, asked.id, "c2@nss.example", "again")
    assert len([step for step in lonely.all(Step) if step.kind is StepKind.REVIEW]) == 1


def test_a_review_that_is_sent_back_is_the_draft_of_whoever_gave_it(case: Case) -> None:
    first, second = case.ask()
    case.review(first, 3)
    new = case.do_as(COORDINATOR, coordinating.send_back, first.id, "points without a comment")
    assert (new.assignee, new.seat, new.state) == (first.assignee, first.seat, StepState.OPEN)
    [draft] = case.all(ReviewDraft)
    assert draft.body == {"scores": points(3), "comment": "by 1", "note": ""}
    assert draft.no_conflict_at == case.now, "that question is answered"
    [review] = case.all(Review)
    assert review.void_because == "sent back: points without a comment"
    [entry] = [one for one in case.all(Journal) if one.what == Event.SENT_BACK_A_REVIEW]
    assert (entry.who, entry.step, entry.details["former"], entry.details["because"]) == (
        COORDINATOR,
        new.id,
        first.id,
        "points without a comment",
    )
    assert {(mail.template, mail.to_address) for mail in case.all(Mail) if mail.step == new.id} == {
        ("review_sent_back", first.assignee)
    }
    assert {step.id for step in case.ask()} == {new.id, second.id}


def test_a_review_that_was_sent_back_counts_as_it_is_sent_again(case: Case) -> None:
    first, second = case.ask()
    case.review(first, 0)
    new = case.do_as(COORDINATOR, coordinating.send_back, first.id, "look at the maps")
    case.review(new, 4)
    case.review(second, 4)
    assert case.ask() == []
    assert case.do(deciding.decide, case.id) is Outcome.AWARDED


def test_only_a_review_that_counts_and_before_the_decision_is_sent_back(case: Case) -> None:
    first, second = case.ask()
    with pytest.raises(NotAllowed, match="no review that could be sent back"):
        case.do_as(COORDINATOR, coordinating.send_back, first.id, "late")
    case.review(first, 4)
    new = case.do_as(COORDINATOR, coordinating.send_back, first.id, "once")
    with pytest.raises(NotAllowed, match="no review that could be sent back"):
        case.do_as(COORDINATOR, coordinating.send_back, first.id, "twice")
    case.review(new, 4)
    case.review(second, 4)
    case.do(deciding.decide, case.id)
    with pytest.raises(NotAllowed, match="has an outcome already: awarded"):
        case.do_as(COORDINATOR, coordinating.send_back, second.id, "after all")


def test_a_review_is_not_sent_back_to_whom_the_staff_has_lost(case: Case) -> None:
    first, _ = case.ask()
    case.review(first, 4)
    with case.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.email == first.assignee))
    with pytest.raises(NotAllowed, match="is no longer on the staff of NSS-PL"):
        case.do_as(COORDINATOR, coordinating.send_back, first.id, "points")
    assert not [review for review in case.all(Review) if review.void_at]


def test_who_gives_a_seat_to_somebody_that_may_be_a_member_by_name_is_told(case: Case) -> None:
    first, second = case.ask()
    free = ({f"r{n}@nss.example" for n in range(1, 6)} - {first.assignee, second.assignee}).pop()
    with case.record.writing() as session:
        session.get_one(Staff, (free, "reviewer")).name = "J. Conceição"
    case.do_as(COORDINATOR, coordinating.reassign, first.id, free, "illness")
    [told] = [mail for mail in case.all(Mail) if mail.template == "names_alike"]
    assert told.context["message"]["names"] == ["João Conceição"]
