"""One message a day for whoever of a staff wants that: what it tells, what never waits, and what goes out at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from labels.answering import reminders
from labels.answering.reminders import _rules
from labels.clock import BRUSSELS
from labels.mail import messages, outbox
from labels.mail.message import Template
from labels.mail.outbox import Envelope
from labels.people.named import recipient
from labels.record import Record
from labels.record.schema import Mail, Staff, Step, StepKind, StepState
from labels.rules.loading import load_rules
from labels.turn import Turn
from labels.views import stuck
from tests.support.case import Case, open_case
from tests.support.mails import EXAMPLES, told, told_by
from tests.support.people import TODAY


def at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=BRUSSELS).astimezone(UTC)


ASKED = at(TODAY, 12)
NEXT_MORNING = at(TODAY + timedelta(days=1), 7)


class Daily:
    """An application for which two reviewers are asked who want one message a day."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.case: Case = open_case(record)
        with record.reading() as session:
            self.staff = list(session.scalars(sa.select(Staff.person).order_by(Staff.email)))
        for person in self.staff:
            self.choose(person, True)
        self.steps = self.case.ask()

    def choose(self, person: str, daily: bool) -> None:
        with self.record.writing() as session:
            outbox.choose_daily(Turn(session, ASKED), person, daily)

    def told(self, when: datetime) -> list[str]:
        return reminders.remind(self.record, now=when)

    def mails(self, template: Template) -> list[Mail]:
        with self.record.reading() as session:
            return list(
                session.scalars(sa.select(Mail).where(Mail.template == template.value).order_by(Mail.reason))
            )

    def goes_out(self, when: datetime) -> list[str]:
        with self.record.reading() as session:
            return [one.template for one in outbox.due(session, when)]


@pytest.fixture
def daily(record: Record) -> Daily:
    return Daily(record)


def test_what_is_new_waits_for_the_morning_and_comes_in_one_message(daily: Daily) -> None:
    assert Template.REVIEW_ASKED not in daily.goes_out(ASKED)
    assert daily.told(NEXT_MORNING - timedelta(minutes=1)) == []
    assert daily.told(NEXT_MORNING) == sorted(step.assignee for step in daily.steps)
    assert daily.goes_out(NEXT_MORNING).count(Template.NEWS) == len(daily.steps)
    assert Template.REVIEW_ASKED not in daily.goes_out(NEXT_MORNING)
    for row in daily.mails(Template.NEWS):
        [line] = told_by(row, messages.News).news
        assert line.startswith(f"{daily.case.id} · An application for you to review · ")
    assert daily.told(NEXT_MORNING + timedelta(hours=1)) == []


@pytest.mark.parametrize(("days", "waits"), [(2, False), (4, True)])
def test_what_is_due_soon_comes_at_once(daily: Daily, days: int, waits: bool) -> None:
    message = told(Template.REVIEW_SENT_BACK, due=ASKED + timedelta(days=days))
    with daily.record.writing() as session:
        to = recipient(session, daily.staff[0])
        outbox.queue(Turn(session, ASKED), message, Envelope(to))
    assert (Template.REVIEW_SENT_BACK in daily.goes_out(ASKED)) is not waits


def test_what_is_over_by_the_morning_is_not_told(daily: Daily) -> None:
    with daily.record.writing() as session:
        session.execute(sa.update(Step).where(Step.kind == StepKind.REVIEW).values(state=StepState.VOID))
    assert daily.told(NEXT_MORNING) == []
    assert [one.last_error for one in daily.mails(Template.REVIEW_ASKED)] == [
        "Not sent: its step is closed"
    ] * len(daily.steps)


def test_a_reminder_of_the_same_morning_brings_the_news_too(daily: Daily) -> None:
    due = at(TODAY + timedelta(days=8), 23)
    with daily.record.writing() as session:
        session.execute(sa.update(Step).where(Step.kind == StepKind.REVIEW).values(due_at=due))
    morning = at(TODAY + timedelta(days=1), 9)
    assert daily.told(morning) == sorted(step.assignee for step in daily.steps)
    assert not daily.mails(Template.NEWS)
    for row in daily.mails(Template.REMINDER):
        assert len(told_by(row, messages.Reminder).news) == 1


@pytest.mark.parametrize(("reminded", "news"), [(9, 7), (6, 8)])
def test_neither_reminders_nor_news_take_the_days_message_from_the_other(
    daily: Daily, monkeypatch: pytest.MonkeyPatch, reminded: int, news: int
) -> None:
    monkeypatch.setattr(reminders, "NEWS_FROM", news)
    edition = load_rules("NSS-PL", TODAY)
    from_hour = edition.reminders.from_hour.model_copy(update={"value": reminded})
    hour = edition.reminders.model_copy(update={"from_hour": from_hour})
    at_that_hour = edition.model_copy(update={"reminders": hour})
    monkeypatch.setattr(reminders, "_rules", lambda session: dict.fromkeys(_rules(session), at_that_hour))
    due = at(TODAY + timedelta(days=8), 23)
    with daily.record.writing() as session:
        session.execute(sa.update(Step).where(Step.kind == StepKind.REVIEW).values(due_at=due))
    tomorrow = TODAY + timedelta(days=1)
    for one in range(24):
        daily.told(at(tomorrow, one))
    people = len(daily.steps)
    assert [len(daily.mails(one)) for one in (Template.NEWS, Template.REMINDER)] == [people, people]


def test_whoever_wants_it_at_once_again_gets_what_waited(daily: Daily) -> None:
    daily.choose(daily.staff[0], False)
    waiting = {row.person: row.daily for row in daily.mails(Template.REVIEW_ASKED)}
    for person, waits in waiting.items():
        assert waits == (person != daily.staff[0])


def test_a_code_that_somebody_asks_for_never_waits() -> None:
    assert not EXAMPLES[Template.CODE].may_wait(ASKED)
    assert not EXAMPLES[Template.SIGN_IN].may_wait(ASKED)


def test_the_radar_does_not_tell_of_mail_that_waits_for_its_day(daily: Daily) -> None:
    with daily.record.reading() as session:
        found = stuck.stuck(session, ASKED + timedelta(days=1), lambda text: "")
    assert not [one for one in found if "review_asked" in one.reason]


def test_the_radar_tells_of_mail_that_no_day_took(daily: Daily) -> None:
    with daily.record.reading() as session:
        found = stuck.stuck(session, ASKED + timedelta(days=3), lambda text: "")
    told_of = [one for one in found if one.problem is stuck.Problem.MAIL_UNTRIED]
    assert len([one for one in told_of if "review_asked" in one.reason]) == len(daily.steps)
