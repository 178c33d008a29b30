"""What coordinators do about reviewers: reassign a seat, and declare a conflict of interest."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from labels.errors import NotAllowed
from labels.record.schema import Conflict, Staff, Step, StepKind, StepState
from labels.reviews import coordinating
from tests.support.case import COORDINATOR, Case, staff


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


def test_a_conflict_of_a_reviewer_who_left_the_staff_is_still_declared(case: Case) -> None:
    first, _ = case.ask()
    case.review(first)
    with case.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.email == first.assignee))
    case.do_as(
        "coordinator@nss.example", coordinating.declare_conflict, case.id, first.assignee.upper(), "friends"
    )
    assert [one.email for one in case.all(Conflict)] == [first.assignee]


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
