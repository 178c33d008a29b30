"""A decision is made again from the record alone, byte for byte, and whatever was changed behind it is named."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from labels.record import Record
from labels.record.schema import Application, Decision, Outcome, Review
from labels.reviews.repeating import DecidedAgain, decided_again
from tests.support.case import Case, decided, open_case


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
