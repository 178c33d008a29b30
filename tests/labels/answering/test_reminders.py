"""Who is reminded of what and when, each time once, whatever stood still in between."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from labels.answering import reminders
from labels.clock import BRUSSELS, end_of_day
from labels.mail import messages
from labels.people.persons import behind
from labels.record import Record
from labels.record.schema import Application, Mail, Notice, Outcome, Person, RuleText, Staff, Step, StepKind
from labels.rules.kept import _KNOWN
from labels.rules.loading import load_rules
from labels.steps.answers import Question
from tests.support.case import Case, open_case
from tests.support.mails import told_by
from tests.support.patience import PATIENCE
from tests.support.people import TODAY

DUE = date(2026, 4, 9)
"""Not the day that the rules would say: 7 and 3 days before it are the 2nd and the 6th."""
COORDINATOR = "coordinator@nss.example"


def at(month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
    """A time in Brussels, as the record knows it."""
    return datetime(2026, month, day, hour, minute, tzinfo=BRUSSELS).astimezone(UTC)


class Waiting:
    """An application that two reviewers were asked to judge by the same day."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.case: Case = open_case(record)
        self.steps = self.case.ask()
        self.due(end_of_day(DUE))
        self.reviewers = sorted(step.assignee for step in self.steps)

    def due(self, when: datetime) -> None:
        with self.record.writing() as session:
            session.execute(sa.update(Step).where(Step.kind == StepKind.REVIEW).values(due_at=when))

    def told(self, when: datetime) -> list[str]:
        return reminders.remind(self.record, now=when)

    def digests(self) -> list[Mail]:
        with self.record.reading() as session:
            return list(
                session.scalars(
                    sa.select(Mail).where(Mail.reason.startswith("digest/")).order_by(Mail.reason)
                )
            )

    def kinds(self, email: str) -> list[str]:
        with self.record.reading() as session:
            return sorted(session.scalars(_OF_ADDRESS, {"address": email}))

    def step_of(self, email: str) -> Step:
        return next(step for step in self.steps if step.assignee == email)


_OF_ADDRESS = (
    sa.select(Notice.kind)
    .join(Person, Person.id == Notice.person)
    .where(Person.address == sa.bindparam("address"))
)


@pytest.fixture
def waiting(record: Record) -> Waiting:
    return Waiting(record)


@pytest.mark.slow
def test_a_reviewer_is_reminded_seven_and_three_days_before_and_never_twice_of_one(waiting: Waiting) -> None:
    told = {}
    day = at(3, 20)
    while day < at(4, 9):
        for hour in range(0, 24, 3):
            if people := waiting.told(day + timedelta(hours=hour)):
                told[(day + timedelta(hours=hour)).astimezone(BRUSSELS).date()] = people
        day += timedelta(days=1)
    assert told == {date(2026, 4, 2): waiting.reviewers, date(2026, 4, 6): waiting.reviewers}
    assert waiting.kinds(waiting.reviewers[0]) == ["3 days before", "7 days before"]


def test_a_reminder_waits_for_the_morning_also_on_the_night_when_the_clocks_change(waiting: Waiting) -> None:
    waiting.due(end_of_day(date(2026, 4, 1)))  # three days before it, on 29 March, 02:00 becomes 03:00
    assert waiting.told(at(3, 25)) == waiting.reviewers
    assert waiting.told(datetime(2026, 3, 29, 4, 59, 59, tzinfo=UTC)) == []
    assert waiting.told(datetime(2026, 3, 29, 5, 0, 0, tzinfo=UTC)) == waiting.reviewers


def test_after_days_of_standing_still_everything_missed_is_one_message(waiting: Waiting) -> None:
    assert waiting.told(at(4, 7)) == waiting.reviewers
    assert len(waiting.digests()) == len(waiting.reviewers)
    assert waiting.kinds(waiting.reviewers[0]) == ["3 days before", "7 days before"]
    assert waiting.told(at(4, 8)) == []


def test_a_coordinator_is_told_once_from_the_day_after_and_the_review_stays_open(waiting: Waiting) -> None:
    waiting.told(at(4, 7))
    assert waiting.told(at(4, 9, 23, 59)) == []
    assert waiting.told(at(4, 10, 6, 59)) == []
    assert waiting.told(at(4, 10, 7, 0)) == [COORDINATOR]
    assert waiting.told(at(4, 10, 12)) == []
    assert waiting.told(at(4, 25)) == []
    [digest] = [one for one in waiting.digests() if one.to_address == COORDINATOR]
    assert digest.template == "overdue"
    overdue = told_by(digest, messages.Digest).overdue
    assert len(overdue) == 2
    assert "was due 2026-04-09 23:59 (Brussels)" in overdue[0]
    waiting.case.now = at(4, 25)
    assert "recorded" in waiting.case.review(waiting.steps[0]).remark


def test_upkeep_that_stood_still_past_the_deadline_reminds_nobody_of_it_any_more(waiting: Waiting) -> None:
    assert waiting.told(at(4, 13)) == [COORDINATOR]
    assert waiting.kinds(waiting.reviewers[0]) == []


def test_nobody_is_reminded_of_what_is_answered_asked_or_withdrawn(waiting: Waiting) -> None:
    first, second = waiting.steps
    waiting.case.review(first)
    waiting.case.answer(second, Question(question="How were the teams formed?"))
    with waiting.record.writing() as session:
        session.execute(
            sa.update(Step)
            .where(Step.kind == StepKind.INFORMATION)
            .values(due_at=end_of_day(date(2026, 4, 20)))
        )
    assert waiting.told(at(4, 7)) == []
    assert waiting.told(at(4, 13)) == ["t-1@school.example"], "the clock of the review stands still"
    assert waiting.told(at(4, 19)) == ["t-1@school.example"]
    with waiting.record.writing() as session:
        session.get_one(Application, waiting.case.id).outcome = Outcome.WITHDRAWN
    assert waiting.told(at(4, 25)) == []


def test_who_was_asked_only_after_a_reminders_day_gets_the_later_ones_alone(waiting: Waiting) -> None:
    with waiting.record.writing() as session:
        session.execute(sa.update(Step).where(Step.kind == StepKind.REVIEW).values(opened_at=at(4, 2, 8)))
    assert waiting.told(at(4, 3)) == []
    assert waiting.told(at(4, 6)) == waiting.reviewers
    assert waiting.kinds(waiting.reviewers[0]) == ["3 days before"]


def test_a_moved_deadline_is_reminded_of_anew(waiting: Waiting) -> None:
    assert waiting.told(at(4, 6)) == waiting.reviewers
    waiting.due(end_of_day(date(2026, 4, 20)))
    assert waiting.told(at(4, 7)) == []
    assert waiting.told(at(4, 17)) == waiting.reviewers


def test_forty_applications_make_one_message_that_lists_them_all(waiting: Waiting) -> None:
    email = waiting.reviewers[0]
    copy_step(waiting, email, 40)
    assert email in waiting.told(at(4, 6))
    [digest] = [one for one in waiting.digests() if one.to_address == email]
    reminder = told_by(digest, messages.Reminder)
    assert (reminder.number, len(reminder.items)) == (41, 41)
    copy_step(waiting, email, 1, begin=100)
    assert waiting.told(at(4, 6, 15)) == [], "today's message is out"
    assert waiting.told(at(4, 7)) == [email]


def test_a_coordinator_who_reviews_too_has_both_in_one_message(waiting: Waiting) -> None:
    copy_step(waiting, COORDINATOR, 1)
    with waiting.record.writing() as session:
        session.execute(
            sa.update(Step).where(Step.assignee == COORDINATOR).values(due_at=end_of_day(date(2026, 4, 13)))
        )
    assert waiting.told(at(4, 10)) == [COORDINATOR]
    [digest] = waiting.digests()
    reminder = told_by(digest, messages.Reminder)
    assert (reminder.number, len(reminder.overdue)) == (1, 2)


def test_a_decision_that_is_overdue_is_told_once(waiting: Waiting) -> None:
    for step in waiting.steps:
        waiting.case.review(step)
    with waiting.record.writing() as session:
        session.get_one(Application, waiting.case.id).decide_by = end_of_day(date(2026, 5, 4))
    assert waiting.told(at(5, 4, 23, 59)) == []
    assert waiting.told(at(5, 5)) == [COORDINATOR]
    assert waiting.told(at(5, 6)) == []
    [digest] = waiting.digests()
    assert "decision" in told_by(digest, messages.Digest).overdue[0]


def test_where_nobody_coordinates_the_organisation_itself_is_told(waiting: Waiting) -> None:
    with waiting.record.writing() as session:
        session.execute(sa.delete(Staff).where(Staff.role == "coordinator"))
    assert waiting.told(at(4, 10)) == ["nss@nss.example"]


def test_an_organisation_can_have_days_and_hours_of_its_own(waiting: Waiting) -> None:
    body = load_rules("NSS-PL", TODAY).to_json()
    body["reminders"] = {
        "days_before": {"value": [1], "source": "assumption"},
        "overdue_days": {"value": 3, "source": "assumption"},
        "from_hour": {"value": 12, "source": "assumption"},
    }
    with waiting.record.writing() as session:
        session.execute(sa.update(RuleText).values(body=body))
    _KNOWN.clear()
    try:
        assert waiting.told(at(4, 7)) == []
        assert waiting.told(at(4, 8, 11)) == []
        assert waiting.told(at(4, 8, 12)) == waiting.reviewers
        assert waiting.told(at(4, 11, 12)) == []
        assert waiting.told(at(4, 12, 12)) == [COORDINATOR]
    finally:
        _KNOWN.clear()


def test_of_reminders_at_the_same_moment_everybody_gets_one(waiting: Waiting) -> None:
    gate = threading.Barrier(4)

    def go(_: int) -> list[str]:
        gate.wait(PATIENCE)
        return waiting.told(at(4, 6))

    with ThreadPoolExecutor(4) as threads:
        told = [email for people in threads.map(go, range(4)) for email in people]
    assert sorted(told) == waiting.reviewers
    assert len(waiting.digests()) == 2


def test_a_message_that_could_not_be_written_whole_is_told_again(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reminders, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        waiting.told(at(4, 6))
    monkeypatch.undo()
    assert waiting.digests() == []
    assert waiting.told(at(4, 6)) == waiting.reviewers


def copy_step(waiting: Waiting, email: str, times: int, begin: int = 50) -> None:
    """More reviews of the same application, as if they were of others."""
    table: Any = Step.__table__
    with waiting.record.writing() as session:
        [person] = [one.id for one in behind(session, email)]
        row = session.execute(sa.select(table).where(Step.id == waiting.steps[0].id)).one()._mapping
        copies = [
            dict(row) | {"id": f"STEP-{begin + n}", "number": begin + n, "person": person}
            for n in range(times)
        ]
        session.execute(sa.insert(Step), copies)
