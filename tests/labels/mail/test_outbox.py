"""The outbox: once for each reason, claimed by one, put off but never given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from labels.mail import messages, outbox
from labels.mail.context import message_of
from labels.mail.message import Template
from labels.mail.outbox import Envelope
from labels.people.named import Recipient
from labels.record.engine import Record
from labels.record.journal import Event
from labels.record.schema import Journal, Mail
from labels.turn import Turn
from labels.words.sentences import Sentence
from tests.support.mails import EXAMPLES, told
from tests.support.people import KEY

NOW = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)


MESSAGE = EXAMPLES[Template.WITHDRAWN]
ELENI = Recipient("Ελένη", "eleni@school.example", "el")
ONE = MESSAGE.reason_for("one")


def queued(
    record: Record, name: str = "one", *, now: datetime = NOW, to: Recipient = ELENI, **how: Any
) -> bool:
    with record.writing() as session:
        return outbox.queue(Turn(session, now), MESSAGE, Envelope(to, (name,), **how))


def row(record: Record, reason: str = ONE) -> Mail:
    with record.reading() as session:
        return session.get_one(Mail, reason)


def due(record: Record, now: datetime = NOW) -> list[str]:
    with record.reading() as session:
        return [mail.reason for mail in outbox.due(session, now)]


def claimed(record: Record, now: datetime = NOW, key: bytes = KEY) -> bool:
    with record.writing() as session:
        return outbox.claim(session, ONE, now, key)


def failed(record: Record, now: datetime, **how: Any) -> datetime | None:
    with record.writing() as session:
        return outbox.mark_failed(session, ONE, now, "451 later", **how)


def test_a_second_message_for_the_same_reason_is_not_written(record: Record) -> None:
    assert queued(record)
    assert not queued(record, to=ELENI._replace(name="Somebody else"))
    assert row(record).to_name == "Ελένη"


def test_a_message_written_in_a_transaction_that_fails_is_not_sent(record: Record) -> None:
    try:
        with record.writing() as session:
            outbox.queue(Turn(session, NOW), MESSAGE, Envelope(ELENI))
            raise RuntimeError
    except RuntimeError:
        pass
    assert due(record) == []


def test_the_same_reason_has_the_same_message_id(record: Record) -> None:
    queued(record)
    assert row(record).message_id == outbox.message_id(ONE) != outbox.message_id("two")


def test_the_first_claim_gives_a_message_an_identifier_that_only_the_key_tells(record: Record) -> None:
    queued(record)
    claimed(record)
    keyed = row(record).message_id
    assert keyed == outbox.message_id(ONE, KEY)
    assert keyed not in (outbox.message_id(ONE), outbox.message_id(ONE, b"another"))
    assert claimed(record, NOW + outbox.LEASE, b"the key after it")
    assert row(record).message_id == keyed, "a second copy has the same, whatever the key is by then"


def test_hostile_text_is_kept_as_plain_text(record: Record) -> None:
    hostile = told(
        Template.RECEIPT,
        holder="\ud800",
        documents=("\x00\u202eabc",),
        warnings=(Sentence("{name}", {"name": "a\u202e\nb"}),),
    )
    to = Recipient("A\r\nBcc: x@y.example\x00", "a@b.example\r\nX: y", "en")
    with record.writing() as session:
        message = type(hostile).model_validate(hostile.model_dump())
        outbox.queue(Turn(session, NOW), message, Envelope(to))
    mail = row(record, message.reason_for())
    assert mail.to_name == "A Bcc: x@y.example"
    assert "\n" not in mail.to_address
    read = message_of(mail)
    assert isinstance(read, messages.Receipt)
    assert (read.about.holder, read.documents, read.warnings) == ("", ("abc",), ("a b",))


def test_a_claimed_message_is_nobody_elses_until_the_claim_lapses(record: Record) -> None:
    queued(record)
    assert claimed(record)
    assert not claimed(record)
    assert due(record) == []
    later = NOW + outbox.LEASE
    assert due(record, later) == [ONE]
    assert claimed(record, later)


def test_a_sent_message_is_never_due_again(record: Record) -> None:
    queued(record)
    claimed(record)
    with record.writing() as session:
        outbox.mark_sent(session, ONE, NOW)
        outbox.mark_sent(session, ONE, NOW + timedelta(days=1))
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
    assert due(record, now) == [ONE]


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
        (Event.MAIL_LATE, ONE, "451 later")
    ]
    assert row(record).sent_at is None


def test_a_message_that_became_pointless_is_closed_openly(record: Record) -> None:
    queued(record)
    with record.writing() as session:
        outbox.mark_obsolete(session, ONE, NOW, "the step is closed")
        outbox.mark_obsolete(session, ONE, NOW, "the step is closed")
    assert row(record).last_error == "Not sent: the step is closed"
    assert due(record) == []
    with record.reading() as session:
        assert session.scalars(sa.select(Journal.what)).all() == [Event.MAIL_NOT_NEEDED]


def test_a_message_waits_for_the_document_that_goes_with_it(record: Record) -> None:
    queued(record, attachments=("certificate/NQL-1/1",))
    assert due(record) == []


def test_the_longest_waiting_message_comes_first(record: Record) -> None:
    queued(record, "b", now=NOW - timedelta(hours=1))
    queued(record, "a")
    queued(record, "c", now=NOW - timedelta(hours=2))
    assert due(record) == [MESSAGE.reason_for(name) for name in "cba"]
