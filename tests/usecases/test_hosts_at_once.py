"""Several hosts of one installation do the same thing in the same moment: it is done once, and nobody fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from adapters.documents.directory import DirectoryStore
from adapters.threads import begun
from adapters.workspace import Workspace
from labels.record import Record
from labels.record.schema import KeyGeneration
from labels.record.turns import Alone, wait_until_alone
from labels.settings import Settings
from tests.support.patience import PATIENCE, until
from tests.support.people import KEY, NOW, populate
from usecases.finding import make_index
from usecases.keys import TakenUp, take_up

WAITERS = sa.text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@pytest.fixture
def here(settings: Settings, record: Record) -> Workspace:
    """A workspace whose registry has no index yet, and whose record knows no key."""
    with record.writing() as session:
        populate(session)
        session.execute(sa.text("DELETE FROM search_word"))
    return Workspace(settings, record, DirectoryStore.from_settings(settings), KEY, lambda: NOW)


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("what", "act"),
    [(Alone.TELLING_KEYS, take_up), (Alone.MAKING_THE_INDEX, make_index)],
    ids=["keys", "index"],
)
def test_whoever_does_what_another_host_is_doing_waits_for_it(
    here: Workspace, what: Alone, act: Callable[[Workspace], object]
) -> None:
    with here.record.writing() as session:
        wait_until_alone(session, what)
        later = begun(lambda: act(here), "the other host")
        until(lambda: session.scalar(WAITERS) or later.done(), "it waits", every=0.01)
        assert not later.done()
    later.result(PATIENCE)


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_of_hosts_that_begin_at_once_one_tells_the_key_and_one_makes_the_index(here: Workspace) -> None:
    with here.record.writing() as session:
        for one in Alone:
            wait_until_alone(session, one)
        both = range(2)
        indexes = [begun(lambda: make_index(here), "index") for _ in both]
        keys = [begun(lambda: take_up(here), "keys") for _ in both]

        def some_ended() -> bool:
            return any(one.done() for one in indexes) or any(one.done() for one in keys)

        until(lambda: session.scalar(WAITERS) == 4 or some_ended(), "all wait")
    assert sorted(one.result(PATIENCE) for one in indexes) == [False, True]
    assert [one.result(PATIENCE) for one in keys] == [TakenUp(), TakenUp()]
    with here.record.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(KeyGeneration)) == 1
