"""What awaits a person, and what closes each."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from labels.record import Record
from labels.record.schema import Step, StepKind
from labels.steps.kinds import AWAITED, Act
from labels.views.inbox import InboxItem, inbox
from tests.support.case import open_case

pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


def awaits(record: Record, email: str) -> list[InboxItem]:
    with record.reading() as session:
        return inbox(session, email)


def test_whoever_is_asked_sees_the_step_and_how_it_is_closed(record: Record) -> None:
    [first, _] = open_case(record).ask()
    [item] = awaits(record, first.assignee.upper())
    assert (item.step, item.what, item.by, item.act) == (first.id, "review", first.due_at, Act.ANSWER)
    assert item.run is None


@pytest.mark.parametrize("kind", AWAITED)
def test_every_kind_of_step_that_is_awaited_says_how_it_is_closed(record: Record, kind: StepKind) -> None:
    """An assignment above all, to which no answer is ever accepted."""
    [first, _] = open_case(record).ask()
    with record.writing() as session:
        session.execute(sa.update(Step).where(Step.id == first.id).values(kind=kind))
    [item] = awaits(record, first.assignee)
    assert item.act is {
        StepKind.ASSIGNMENT: Act.REASSIGN,
        StepKind.DECISION: Act.DECIDE,
        StepKind.DECLARATION: Act.DECLARE,
        StepKind.SELF_ASSESSMENT: Act.HAND_IN,
    }.get(kind, Act.ANSWER)
