"""What the rules let a passed deadline of a review do: reminders with pauses, and coordinators who are told again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from labels.answering import reminders
from labels.clock import end_of_day
from labels.mail import messages
from labels.record import Record
from labels.record.schema import Application, Mail, Step, StepKind
from tests.labels.answering.test_reminders import at
from tests.support.case import COORDINATOR, Case, reviewed_by
from tests.support.mails import told_by
from tests.support.people import populate

DUE = date(2026, 4, 9)
MONTHS = [date(2026, 4, 10) + timedelta(days=n) for n in range(60)]


class Late:
    """An application under rules of its own that two reviewers were to judge by 9 April."""

    def __init__(self, record: Record, **rules: Any) -> None:
        with record.writing() as session:
            populate(session)
        self.record = record
        self.case = Case(record, edition=reviewed_by(**rules))
        assert self.case.conditions()
        self.steps = self.case.ask()
        with record.writing() as session:
            session.execute(
                sa.update(Step).where(Step.kind == StepKind.REVIEW).values(due_at=end_of_day(DUE))
            )
            session.execute(sa.update(Application).values(decide_by=end_of_day(date(2026, 12, 18))))
        self.reviewers = sorted(step.assignee for step in self.steps)

    def told_on(self, days: Sequence[date]) -> dict[date, list[str]]:
        """Who was told something on which of the days."""
        told = {day: reminders.remind(self.record, now=at(day.month, day.day)) for day in days}
        return {day: people for day, people in told.items() if people}

    def digests(self, whose: str) -> list[Mail]:
        with self.record.reading() as session:
            found = sa.select(Mail).where(Mail.reason.startswith("digest/"), Mail.to_address == whose)
            return list(session.scalars(found.order_by(Mail.reason)))


def days_of(told: dict[date, list[str]], who: str) -> list[int]:
    """How many days after the deadline somebody was told."""
    return [(day - DUE).days for day, people in told.items() if who in people]


def test_a_late_reviewer_is_reminded_again_and_again_with_pauses_until_they_answer(record: Record) -> None:
    late = Late(record, late={"pauses": [2, 5, 10], "tell_every": 0})
    first, second = late.steps
    told = late.told_on(MONTHS[:30])
    assert days_of(told, first.assignee) == [2, 7, 17, 27]
    late.case.now = at(5, 9, 12)
    assert "recorded" in late.case.review(first).remark, "a late answer counts"
    told = late.told_on(MONTHS[30:])
    assert days_of(told, first.assignee) == []
    assert days_of(told, second.assignee) == [37, 47, 57]
    reminder = told_by(late.digests(second.assignee)[0], messages.Reminder)
    assert reminder.passed
    assert "was due 2026-04-09 23:59 (Brussels)" in reminder.items[0]


def test_a_coordinator_is_told_weekly_of_a_review_that_stays_late(record: Record) -> None:
    late = Late(record, late={"pauses": [], "tell_every": 7})
    told = late.told_on(MONTHS[:30])
    assert days_of(told, COORDINATOR) == [1, 8, 15, 22, 29]
    assert set(told[DUE + timedelta(days=8)]) == {COORDINATOR}, "nobody reminds the reviewers"
    for digest in late.digests(COORDINATOR):
        overdue = told_by(digest, messages.Overdue)
        assert (overdue.number, overdue.again) == (2, True)


def test_upkeep_that_stood_still_tells_once_of_all_that_it_missed(record: Record) -> None:
    late = Late(record, late={"pauses": [1], "tell_every": 7})
    after = DUE + timedelta(days=25)
    told = late.told_on([after, after + timedelta(days=1)])
    assert told == {
        after: sorted([COORDINATOR, *late.reviewers]),
        after + timedelta(days=1): late.reviewers,
    }
    assert len(late.digests(COORDINATOR)) == 1


def test_a_deadline_that_is_moved_is_reminded_of_anew(record: Record) -> None:
    late = Late(record, late={"pauses": [3], "tell_every": 7})
    assert days_of(late.told_on(MONTHS[:7]), COORDINATOR) == [1]
    with record.writing() as session:
        session.execute(
            sa.update(Step).where(Step.kind == StepKind.REVIEW).values(due_at=end_of_day(date(2026, 4, 20)))
        )
    told = late.told_on(MONTHS[7:20])
    assert days_of(told, COORDINATOR) == [12, 19]
    assert days_of(told, late.reviewers[0]) == [8, 14, 17, 20], (
        "three days before the new date, then after it"
    )


@pytest.mark.parametrize("rules", [{}, {"late": {"pauses": [], "tell_every": 0}}])
def test_by_default_a_coordinator_is_told_once_and_a_late_reviewer_of_nothing(
    record: Record, rules: dict[str, Any]
) -> None:
    late = Late(record, **rules)
    told = late.told_on(MONTHS)
    assert days_of(told, COORDINATOR) == [1]
    assert all(days_of(told, one) == [] for one in late.reviewers)


def test_rules_that_say_nothing_of_late_reviews_have_the_digest_that_they_had() -> None:
    assert "late" not in reviewed_by().to_json()["national"]["review"]
    assert reviewed_by(late={"pauses": [2], "tell_every": 7}).digest != reviewed_by().digest
