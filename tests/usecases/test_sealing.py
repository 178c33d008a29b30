"""The heads of the journal's chain where people and services get them: time stamps, letters, mail, a cycle's report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.documents.directory import DirectoryStore
from adapters.workspace import Workspace
from labels.answering import reminders
from labels.clock import frozen_clock
from labels.papers.due import due_papers, due_receipt
from labels.papers.facts import LetterFacts
from labels.record import Record, sealing
from labels.record.journal import SYSTEM, Event, entry
from labels.record.rows import write
from labels.record.schema import Journal, Mail, Seal
from labels.reviews import deciding
from labels.settings import Settings
from labels.turn import Turn
from tests.support.case import Case, open_case
from tests.support.openssl_time import TimeService, time_service
from tests.support.people import KEY, NOW, STAMP
from usecases.sealing import STAMPED_EVERY, seal_journal, verify_journal

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
