"""The heads of the journal's chain where people and services get them: time stamps, letters, mail, a cycle's report."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.documents.directory import DirectoryStore
from adapters.workspace import Workspace
from labels.answering import reminders
from labels.clock import BRUSSELS, frozen_clock
from labels.mail import outbox
from labels.mail.message import Template
from labels.mail.outbox import Envelope
from labels.papers.due import due_papers, due_receipt
from labels.papers.facts import LetterFacts
from labels.people.named import recipient
from labels.record import Record, sealing
from labels.record.chain import SHORTEST, head_in_words
from labels.record.journal import SYSTEM, Event, entry
from labels.record.rows import write
from labels.record.schema import Journal, Mail, Seal, Staff, Step
from labels.record.sealing import Sealed
from labels.reviews import deciding
from labels.settings import Settings
from labels.turn import Turn
from tests.labels.record.test_chain import unguarded
from tests.support.case import Case, open_case
from tests.support.mails import told
from tests.support.openssl_time import TimeService, time_service
from tests.support.people import KEY, NOW, STAMP, populate
from usecases.sealing import STAMPED_EVERY, read_head, seal_journal, verify_journal

only_sqlite = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


@pytest.fixture
def here(settings: Settings, record: Record) -> Workspace:
    with record.writing() as session:
        write(session, Journal, entry(Turn(session, NOW, KEY), None, SYSTEM, Event.CLOSED))
    return Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, frozen_clock(NOW))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeService]:
    with time_service(tmp_path_factory.mktemp("time")) as made:
        yield made


def stamped_by(here: Workspace, service: TimeService, now: timedelta = timedelta(0)) -> Workspace:
    settings = here.settings.model_copy(update={"timestamp_url": service.url, "signing_chain": service.root})
    return replace(here, settings=settings, clock=frozen_clock(NOW + now))


def tokens(record: Record) -> list[bytes | None]:
    with record.reading() as session:
        return list(session.scalars(sa.select(Seal.token).order_by(Seal.number)))


def more(here: Workspace) -> None:
    with here.record.writing() as session:
        write(session, Journal, entry(Turn(session, NOW, KEY), None, SYSTEM, Event.CLOSED))


def test_a_head_is_stamped_by_a_service_and_openssl_agrees(
    here: Workspace, service: TimeService, tmp_path: Path
) -> None:
    here = stamped_by(here, service)
    done = seal_journal(here)
    assert done.left_out is None
    [token] = tokens(here.record)
    assert token
    (tmp_path / "token.der").write_bytes(token)
    head = done.sealed.head.hex()
    assert service.verifies(tmp_path / "token.der", head)
    assert not service.verifies(tmp_path / "token.der", "00" * 32)
    state = verify_journal(here, [])
    assert state.findings == []
    assert (state.stamped or "").startswith(f"1-{head[:16]}, ")


@only_sqlite
def test_a_service_is_asked_once_an_hour(here: Workspace, service: TimeService) -> None:
    before = len(service.asked)
    for minutes in (0, 10, 20, 70):
        more(here)
        seal_journal(stamped_by(here, service, timedelta(minutes=minutes)))
        seal_journal(stamped_by(here, service, timedelta(minutes=minutes)))
    assert timedelta(minutes=20) < STAMPED_EVERY < timedelta(minutes=70)
    assert len(service.asked) - before == 2
    assert [token is not None for token in tokens(here.record)] == [True, False, False, True]


@only_sqlite
def test_a_time_stamp_of_another_head_or_of_nobody_is_named(here: Workspace, service: TimeService) -> None:
    seal_journal(stamped_by(here, service))
    [token] = tokens(here.record)
    more(here)
    sealing.seal(here.record, now=NOW)
    with here.record.writing() as session:
        sealing.add_stamp(session, 2, token or b"")
    found = verify_journal(stamped_by(here, service), []).findings
    assert {str(one) for one in found} == {
        "time stamp of batch 2: it is of another head.",
        "time stamp of batch 2: It is of another head, or its signature does not hold.",
    }
    more(here)
    sealing.seal(here.record, now=NOW)
    with here.record.writing() as session:
        sealing.add_stamp(session, 3, b"no token")
    assert any("can't be read as a time stamp" in one.problem for one in verify_journal(here, []).findings)


@pytest.mark.slow
@only_sqlite
def test_a_service_that_no_root_of_ours_vouches_for_is_told(
    here: Workspace, service: TimeService, tmp_path: Path
) -> None:
    seal_journal(stamped_by(here, service))
    (tmp_path / "other").mkdir()
    with time_service(tmp_path / "other") as another:
        strangers = stamped_by(here, another)
        [finding] = verify_journal(strangers, []).findings
    assert "No root certificate in LABELS_SIGNING_CHAIN vouches for it" in finding.problem


@only_sqlite
def test_a_service_that_is_away_keeps_nothing_from_being_sealed(
    here: Workspace, service: TimeService
) -> None:
    away = TimeService("http://127.0.0.1:9", service.root)
    done = seal_journal(stamped_by(here, away))
    assert done.sealed.entries == 1
    assert "time-stamp service is out of reach" in str(done.left_out)
    assert seal_journal(stamped_by(here, service)).left_out is None
    assert tokens(here.record) != [None]


# Where people get heads ---------------------------------------------------------------------------


def decided_after_a_seal(record: Record) -> tuple[Case, str]:
    """An application that was decided an hour after its journal was sealed, and the head as it is on paper."""
    case = open_case(record)
    for step in case.ask():
        case.review(step)
    sealed = sealing.seal(record, now=NOW)
    case.now += timedelta(hours=1)
    case.do(deciding.decide, case.id)
    return case, str(sealed)[:21].partition("-")[0] + "-" + sealed.head.hex()[:16]


def test_a_letter_has_the_head_of_before_its_decision_however_late_it_is_made(record: Record) -> None:
    case, head = decided_after_a_seal(record)
    sealing.seal(record, now=case.now + timedelta(hours=1))
    with record.reading() as session:
        letters = [
            one.facts for one in due_papers(session, case.id, STAMP) if isinstance(one.facts, LetterFacts)
        ]
        assert [one.journal for one in letters if one.kind.value == "award"] == [head]
        [receipt] = due_receipt(session, case.id)
    assert isinstance(receipt.facts, LetterFacts)
    assert receipt.facts.journal is None, "nothing was sealed when it arrived"


@only_sqlite
def test_coordinators_get_the_head_with_what_is_overdue_and_others_do_not(record: Record) -> None:
    case = open_case(record)
    first, _ = case.ask()
    sealed = sealing.seal(record, now=NOW)
    assert first.due_at
    reminders.remind(record, now=first.due_at + timedelta(days=1, hours=12))
    with record.reading() as session:
        told = {
            mail.to_address: mail.context
            for mail in session.scalars(sa.select(Mail).where(Mail.template == "overdue"))
        }
    assert list(told) == ["coordinator@nss.example"]
    assert str(told["coordinator@nss.example"]).count(f"{sealed.position}-{sealed.head.hex()[:16]}") == 1


# Once a month, and with every message of the day --------------------------------------------------


def brussels(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BRUSSELS).astimezone(UTC)


def on_paper(sealed: Sealed) -> str:
    return head_in_words(sealed.position, sealed.head, SHORTEST)


def told_heads(record: Record) -> list[tuple[str, str, str]]:
    """Which message told whom which head: template, address, head."""
    with record.reading() as session:
        rows = session.scalars(sa.select(Mail).order_by(Mail.queued_at, Mail.to_address)).all()
    found = []
    for row in rows:
        message = row.context["message"]
        if head := message.get("head") or message.get("journal"):
            found.append((row.template, row.to_address, head))
    return found


COORDINATORS = ["coordinator@nss.example", "nss@pt.example"]
"""The coordinator of one organisation, and the mailbox of one that has none."""


def test_each_coordinator_is_told_the_head_once_a_month_where_no_other_message_does(record: Record) -> None:
    open_case(record)
    assert reminders.remind(record, now=brussels(3, 25, 7)) == [], "nothing is sealed yet"
    head = on_paper(sealing.seal(record, now=NOW))
    for early in (brussels(3, 17, 9), brussels(3, 24, 23), brussels(3, 25, 6, 59)):
        assert reminders.remind(record, now=early) == []
    assert reminders.remind(record, now=brussels(3, 25, 7)) == COORDINATORS
    assert told_heads(record) == [("journal_head", one, head) for one in COORDINATORS]
    for late in (brussels(3, 25, 7, 10), brussels(3, 31, 12), brussels(4, 24, 12)):
        assert reminders.remind(record, now=late) == []
    assert reminders.remind(record, now=brussels(4, 26, 12)) == COORDINATORS, "also after upkeep stood still"


@only_sqlite
def test_whom_a_message_of_the_day_told_the_head_gets_none_by_itself(record: Record) -> None:
    case = open_case(record)
    first, _ = case.ask()
    head = on_paper(sealing.seal(record, now=NOW))
    with record.writing() as session:
        session.execute(sa.update(Step).values(due_at=brussels(3, 20, 12)))
    assert COORDINATORS[0] in reminders.remind(record, now=brussels(3, 21, 12))
    assert reminders.remind(record, now=brussels(3, 25, 12)) == COORDINATORS[1:]
    assert told_heads(record) == [("overdue", COORDINATORS[0], head), ("journal_head", COORDINATORS[1], head)]
    assert first.assignee not in {address for _, address, _ in told_heads(record)}, "who reviews needs none"


@only_sqlite
def test_the_news_of_the_day_tell_a_coordinator_the_head_and_a_reviewer_none(record: Record) -> None:
    case = open_case(record)
    sealed = sealing.seal(record, now=NOW)
    with record.writing() as session:
        for one in session.scalars(sa.select(Staff)).all():
            outbox.choose_daily(Turn(session, NOW), one.person, True)
            message = told(Template.SIMILARITY_WARNING)
            outbox.queue(Turn(session, NOW), message, Envelope(recipient(session, one.person), (one.person,)))
    case.ask()
    assert len(reminders.remind(record, now=NOW + timedelta(hours=1))) == 6
    assert told_heads(record) == [("news", COORDINATORS[0], on_paper(sealed))]


@only_sqlite
def test_a_head_that_was_mailed_tells_of_a_journal_that_was_written_anew(here: Workspace) -> None:
    with here.record.writing() as session:
        populate(session)
    sealing.seal(here.record, now=NOW)
    reminders.remind(here.record, now=brussels(3, 25, 7))
    mailed = read_head(told_heads(here.record)[0][2], "mail")
    assert verify_journal(here, [mailed]).findings == []
    with unguarded(here.record) as session:
        session.execute(sa.text("UPDATE journal SET who = 'nobody'"))
        session.execute(sa.text("DELETE FROM sealed_entry"))
        session.execute(sa.text("DELETE FROM seal"))
    sealing.seal(here.record, now=NOW)
    assert verify_journal(here, []).findings == [], "in itself it holds"
    assert "were written anew" in verify_journal(here, [mailed]).findings[0].problem


@pytest.mark.slow
@only_sqlite
def test_two_upkeeps_at_once_tell_the_head_once(record: Record) -> None:
    open_case(record)
    sealing.seal(record, now=NOW)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: reminders.remind(record, now=brussels(3, 25, 7)), range(4)))
    assert sorted(one for some in done for one in some) == COORDINATORS
