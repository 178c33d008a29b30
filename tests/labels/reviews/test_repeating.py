"""A decision is made again from the record alone, byte for byte, and whatever was changed behind it is named."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from labels.record import Record
from labels.record.schema import Application, Decision, Member, Outcome, Project, Review
from labels.reviews.repeating import DecidedAgain, decided_again
from labels.school_label import deciding as school_deciding
from tests.support.case import Case, decided, open_case
from tests.support.people import populate
from tests.support.school import School


def again(case: Case) -> list[DecidedAgain]:
    with case.record.reading() as session:
        return list(decided_again(session, applications=sa.select(Application.id)))


@pytest.mark.parametrize("each", [1, 5])
def test_a_decision_is_made_again_byte_for_byte(record: Record, each: int) -> None:
    case = open_case(record)
    assert decided(case, each) is (Outcome.AWARDED if each == 5 else Outcome.REFUSED)
    assert again(case) == [DecidedAgain(case.id, 1, ())]


def test_a_review_that_was_void_by_then_never_counted_and_one_that_fell_later_did(record: Record) -> None:
    case = open_case(record)
    decided(case, 5)
    with record.writing() as session:
        session.execute(sa.update(Review).values(void_at=case.now + timedelta(days=1), void_because="later"))
    assert again(case) == [DecidedAgain(case.id, 1, ())]


def test_points_that_were_changed_behind_a_decision_are_named(record: Record) -> None:
    case = open_case(record)
    decided(case, 5)
    with record.writing() as session:
        review = session.scalars(sa.select(Review)).first()
        assert review
        review.scores = review.scores | {"results": 4}
    [one] = again(case)
    assert {"total", "lines", "inputs_digest", "score"} <= set(one.differing)
    assert "decided" not in one.differing


def test_an_outcome_that_was_changed_is_named(record: Record) -> None:
    case = open_case(record)
    decided(case, 1)
    with record.writing() as session:
        session.execute(sa.update(Decision).values(outcome=Outcome.AWARDED))
    assert again(case) == [DecidedAgain(case.id, 1, ("decided",))]


@pytest.mark.parametrize("each", [1, 4])
def test_a_schools_decision_is_made_again_byte_for_byte(record: Record, each: int) -> None:
    school = School(record)
    school.hand_in()
    school.declare()
    school.review(each)
    school.do(school_deciding.decide, school.id)
    with record.reading() as session:
        found = list(decided_again(session, applications=sa.select(Application.id)))
    assert found == [DecidedAgain(school.id, 1, ())]
    with record.writing() as session:
        session.execute(sa.update(Decision).values(outcome=Outcome.INELIGIBLE))
    with record.reading() as session:
        [one] = decided_again(session, applications=sa.select(Application.id))
    assert one.differing == ("decided",)


@pytest.fixture
def ineligible(record: Record) -> Case:
    """An application for a project that its teacher is no member of, and which is of one country."""
    with record.writing() as session:
        populate(session)
    case = Case(record, project="P-2", description="")
    assert not case.conditions()
    return case


def test_a_decision_for_conditions_is_made_again_whatever_the_registry_says_by_now(ineligible: Case) -> None:
    assert again(ineligible) == [DecidedAgain(ineligible.id, 1, ())]
    with ineligible.record.writing() as session:
        session.add(Member(project="P-2", teacher="T-1", role="founder", joined_on=ineligible.now.date()))
        session.get_one(Project, "P-2").ended_on = None
    assert again(ineligible) == [DecidedAgain(ineligible.id, 1, ())]


def test_conditions_or_facts_that_were_changed_behind_a_decision_are_named(ineligible: Case) -> None:
    [decision] = ineligible.all(Decision)
    verdict = decision.verdict
    changes = [
        {"verdict": verdict | {"conditions": verdict["conditions"][1:]}},
        {"verdict": verdict | {"facts": verdict["facts"] | {"is_member": True}}},
    ]
    for values in changes:
        with ineligible.record.writing() as session:
            session.execute(sa.update(Decision).values(**values))
        [one] = again(ineligible)
        assert "conditions" in one.differing
    with ineligible.record.writing() as session:
        session.execute(sa.update(Decision).values(verdict=verdict, outcome=Outcome.REFUSED))
    assert again(ineligible) == [DecidedAgain(ineligible.id, 1, ("decided",))]


def test_conditions_of_before_the_registrys_facts_were_kept_are_left_out(ineligible: Case) -> None:
    [decision] = ineligible.all(Decision)
    former = {name: value for name, value in decision.verdict.items() if name != "facts"}
    with ineligible.record.writing() as session:
        session.execute(sa.update(Decision).values(verdict=former))
    assert again(ineligible) == []
