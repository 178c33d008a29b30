"""The outbox: once for each reason, claimed by one, put off but never given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from labels.mail import outbox
from labels.mail.outbox import Template
from labels.record.engine import Record
from labels.record.journal import Event
from labels.record.schema import Journal, Mail

NOW = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)


def queued(record: Record, reason: str = "one", **changed: Any) -> bool:
    values: dict[str, Any] = {
        "reason": reason,
        "template": Template.WITHDRAWN,
        "language": "el",
        "to_name": "Ελένη",
        "to_address": "eleni@school.example",
        "context": {"project_title": "Rivers"},
        "now": NOW,
    }
    with record.writing() as session:
        return outbox.queue(session, **(values | changed))


def row(record: Record, reason: str = "one") -> Mail:
    with record.reading() as session:
        return session.get_one(Mail, reason)


def due(record: Record, now: datetime = NOW) -> list[str]:
    with record.reading() as session:
        return [mail.reason for mail in outbox.due(session, now)]


def claimed(record: Record, now: datetime = NOW) -> bool:
    with record.writing() as session:
        return outbox.claim(session, "one", now)


def failed(record: Record, now: datetime, **how: Any) -> datetime | None:
    with record.writing() as session:
        return outbox.mark_failed(session, "one", now, "451 later", **how)


def test_a_second_message_for_the_same_reason_is_not_written(record: Record) -> None:
    assert queued(record)
    assert not queued(record, to_name="Somebody else")
    assert row(record).to_name == "Ελένη"


def test_a_message_written_in_a_transaction_that_fails_is_not_sent(record: Record) -> None:
    try:
        with record.writing() as session:
            outbox.queue(
                session, reason="one", template=Template.WITHDRAWN, language="en", to_name="",
                to_address="a@b.example", context={}, now=NOW,
            )  # fmt: skip
            raise RuntimeError
    except RuntimeError:
        pass
    assert due(record) == []


def test_the_same_reason_has_the_same_message_id(record: Record) -> None:
    queued(record)
    assert row(record).message_id == outbox.message_id("one") != outbox.message_id("two")


def test_hostile_text_is_kept_as_plain_text(record: Record) -> None:
    queued(
        record, to_name="A\r\nBcc: x@y.example\x00", to_address="a@b.example\r\nX: y",
        context={"comments": ["\x00\u202eabc"], "conditions": [{"problem": "\ud800"}]},
    )  # fmt: skip
    mail = row(record)
    assert mail.to_name == "A Bcc: x@y.example"
    assert "\n" not in mail.to_address
    assert mail.context == {"comments": ["abc"], "conditions": [{"problem": ""}]}


def test_a_claimed_message_is_nobody_elses_until_the_claim_lapses(record: Record) -> None:
    queued(record)
    assert claimed(record)
    assert not claimed(record)
    assert due(record) == []
    later = NOW + outbox.LEASE
    assert due(record, later) == ["one"]
    assert claimed(record, later)


def test_a_sent_message_is_never_due_again(record: Record) -> None:
    queued(record)
    claimed(record)
    with record.writing() as session:
        outbox.mark_sent(session, "one", NOW)
        outbox.mark_sent(session, "one", NOW + timedelta(days=1))
    assert row(record).sent_at == NOW
    assert due(record, NOW + timedelta(days=999)) == []
    assert not claimed(record, NOW + timedelta(days=999))
    assert failed(record, NOW) is None


def test_each_failure_doubles_the_wait_up_to_six_hours_and_it_is_never_given_up(record: Record) -> None:
    queued(record)
    now, waits = NOW, []
    for _ in range(12):
        assert claimed(record, now)
        again = failed(record, now)
        assert again is not None
        assert due(record, again - timedelta(seconds=1)) == []
        waits.append((again - now) // timedelta(minutes=1))
        now = again
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]
    assert due(record, now) == ["one"]


def test_a_refusal_for_good_is_tried_again_after_the_longest_wait(record: Record) -> None:
    queued(record)
    claimed(record)
    assert failed(record, NOW, permanent=True) == NOW + timedelta(hours=6)


def test_the_failure_of_an_overtaken_attempt_changes_nothing(record: Record) -> None:
    queued(record)
    claimed(record)
    later = NOW + outbox.LEASE
    claimed(record, later)
    assert failed(record, later, attempt=1) is None
    assert row(record).claimed_until == later + outbox.LEASE
    assert failed(record, later, attempt=2) == later + timedelta(minutes=2)


def test_a_message_that_is_late_by_a_day_is_told_of_in_the_journal_once(record: Record) -> None:
    queued(record)
    for hours in (1, 24, 30):
        now = NOW + timedelta(hours=hours)
        claimed(record, now)
        failed(record, now)
    with record.reading() as session:
        entries = session.scalars(sa.select(Journal)).all()
    assert [(entry.what, entry.details["reason"], entry.details["why"]) for entry in entries] == [
        (Event.MAIL_LATE, "one", "451 later")
    ]
    assert row(record).sent_at is None


def test_a_message_that_became_pointless_is_closed_openly(record: Record) -> None:
    queued(record)
    with record.writing() as session:
        outbox.mark_obsolete(session, "one", NOW, "the step is closed")
        outbox.mark_obsolete(session, "one", NOW, "the step is closed")
    assert row(record).last_error == "Not sent: the step is closed"
    assert due(record) == []
    with record.reading() as session:
        assert session.scalars(sa.select(Journal.what)).all() == [Event.MAIL_NOT_NEEDED]


def test_a_message_waits_for_the_document_that_goes_with_it(record: Record) -> None:
    queued(record, attachment="certificate")
    assert due(record) == []


def test_the_longest_waiting_message_comes_first(record: Record) -> None:
    queued(record, "b", now=NOW - timedelta(hours=1))
    queued(record, "a")
    queued(record, "c", now=NOW - timedelta(hours=2))
    assert due(record) == ["c", "b", "a"]
