"""What platforms are told and bring in, on both databases."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from adapters.documents.directory import DirectoryStore
from adapters.workspace import Workspace
from labels.clock import brussels_day, frozen_clock
from labels.errors import InvalidInput
from labels.platform.batches import Batch
from labels.platform.tokens import Caller, TokenScope
from labels.record import Record
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Application, Journal, Teacher
from labels.settings import Settings
from labels.views.changes import Change
from tests.support.case import Case, open_case
from tests.support.patience import PATIENCE
from tests.support.people import KEY, NOW
from usecases import platform, platform_registry
from usecases.platform_registry import AnotherBatch

ROWS = b"""teacher,name,email,school,registered_on,language
T-50,Ewa Nowak,ewa@s.example,%s,2025-09-01,pl
"""


@pytest.fixture
def case(record: Record) -> Case:
    return open_case(record)


@pytest.fixture
def here(settings: Settings, record: Record, case: Case) -> Workspace:
    return Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, frozen_clock(NOW))


@pytest.fixture
def caller(here: Workspace) -> Caller:
    until = brussels_day(here.now() + timedelta(days=10))
    made = platform.make_token(here, "NSS-PL", list(TokenScope), "tests", until)
    found = platform.caller_with(here, made.text)
    assert found is not None
    return found


def taken(here: Workspace, caller: Caller, school: bytes, key: str = "k-1", digest: str = "d") -> int:
    batch = Batch(caller.organisation, key, digest, "teachers", 1, "")
    answer = platform_registry.take(here, caller, batch, ROWS % school, lambda where: (None, where)).answer
    return int(answer["inserted"])


def test_a_batch_is_taken_once_and_rows_of_others_never(here: Workspace, caller: Caller) -> None:
    with pytest.raises(InvalidInput, match="is no school of NSS-PL"):
        taken(here, caller, b"S-2")
    assert taken(here, caller, b"S-1") == 1
    assert taken(here, caller, b"S-1") == 1
    with pytest.raises(AnotherBatch):
        taken(here, caller, b"S-1", digest="other")
    assert taken(here, caller, b"S-1", key="k-2") == 0
    with here.record.reading() as session:
        assert session.get_one(Teacher, "T-50").school == "S-1"


def test_no_change_is_passed_by_that_is_committed_after_a_later_one(
    here: Workspace, caller: Caller, case: Case
) -> None:
    """On PostgreSQL entries are numbered before they are committed: one that is being written holds the rest back."""
    after = platform.newest(here, caller)
    under_way, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with here.record.writing() as session:
            note(
                here.turn(session), session.get_one(Application, case.id), SYSTEM, Event.APPEALED, news=False
            )
            session.flush()
            under_way.set()
            go_on.wait(PATIENCE)

    def quick() -> None:
        with here.record.writing() as session:
            note(here.turn(session), session.get_one(Application, case.id), SYSTEM, Event.CLOSED, news=False)

    threads = [threading.Thread(target=slow), threading.Thread(target=quick)]
    threads[0].start()
    assert under_way.wait(PATIENCE)
    threads[1].start()
    if here.record.engine.dialect.name == "postgresql":
        threads[1].join(PATIENCE)
        between = platform.changes_after(here, caller, after, 10)
        assert between.told == ()
        after = between.next
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE)
    told = platform.changes_after(here, caller, after, 10)
    assert {one.what for _, one in told.told} == {Change.APPEALED, Change.CLOSED}
    with here.record.reading() as session:
        assert (
            session.scalar(
                sa.select(sa.func.count()).select_from(Journal).where(Journal.what == Event.CLOSED)
            )
            == 1
        )
