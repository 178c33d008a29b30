"""The record's database fails while an application lives: nothing is lost, doubled or stalled, and nobody is told what is not so."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from labels.record import Record
from labels.record.engine import migrate, open_engine
from tests.flows.test_kill_points import AWARDED
from tests.support.databases import Cluster, postgresql, standby_of
from tests.support.faulty_world import FaultyWorld
from tests.support.people import populate
from tests.support.postgresql_wire import PostgresqlWire, postgresql_wire

pytestmark = pytest.mark.slow


@dataclasses.dataclass
class Served:
    """A record on PostgreSQL, reached by a wire."""

    cluster: Cluster
    name: str
    wire: PostgresqlWire
    record: Record


@pytest.fixture
def served(postgresql_cluster: Cluster, postgresql_template: str) -> Iterator[Served]:
    name = postgresql_cluster.create(postgresql_template)
    with postgresql_wire(postgresql_cluster.port) as wire:
        url = postgresql_cluster.url(name).replace(f":{postgresql_cluster.port}/", f":{wire.port}/")
        engine = open_engine(url)
        yield Served(postgresql_cluster, name, wire, Record(engine))
        engine.dispose()
    postgresql_cluster.drop(name)


def lived(
    record: Record,
    home: Path,
    fault: Any,
    strikes: int,
    clock: Callable[[FaultyWorld], datetime] | None = None,
) -> FaultyWorld:
    """A life during which the fault strikes, or that fails."""
    with record.writing() as session:
        populate(session)
    home.mkdir()
    world = FaultyWorld(AWARDED, home, record, fault, strikes)
    if clock:
        world.placed(lambda here: dataclasses.replace(here, clock=lambda: clock(world)))
    world.live()
    facts = world.facts()
    assert facts["end"][1] == AWARDED.ends
    assert len(facts["decisions"]) == len(facts["awards"]) == 1
    assert [kind for kind, _, _ in facts["documents"]].count("certificate") == 1
    assert len(facts["letters"]) == len(facts["mail"]) == 7
    assert all(sent for _, _, sent in facts["mail"])
    assert facts["answers left in Prefect"] == []
    assert world.checked() == []
    return world


@dataclasses.dataclass
class Restarted:
    """Every connection is ended by the server, and for a while nobody is let in."""

    served: Served

    def begin(self) -> None:
        self.served.wire.down = True
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        address = self.served.cluster.url("postgres", driver="postgresql")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(others, [self.served.name])

    def mend(self) -> None:
        self.served.wire.down = False


@dataclasses.dataclass
class FailedOver:
    """The server is lost, and its standby is promoted in its place."""

    primary: Cluster
    standby: Cluster
    wire: PostgresqlWire

    def begin(self) -> None:
        self.wire.down = True
        self.primary.stop()
        self.wire.cut_everybody_off()

    def mend(self) -> None:
        self.standby.promote()
        self.wire.target = self.standby.port
        self.wire.down = False


@pytest.mark.parametrize("strikes", [4])
def test_a_standby_that_is_promoted_has_everything_that_people_were_told(
    tmp_path: Path, strikes: int
) -> None:
    with (
        postgresql(durable=True) as primary,
        standby_of(primary) as standby,
        postgresql_wire(primary.port) as wire,
    ):
        name = primary.create()
        migrate(primary.url(name))
        engine = open_engine(primary.url(name).replace(f":{primary.port}/", f":{wire.port}/"))
        world = lived(Record(engine), tmp_path / "home", FailedOver(primary, standby, wire), strikes)
        assert any("out of reach" in one for one in world.told), world.told
        engine.dispose()


@dataclasses.dataclass
class OutOfConnections:
    """Others have all the connections that the server gives out."""

    served: Served
    _taken: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)

    def begin(self) -> None:
        self.served.record.engine.dispose()
        address = self.served.cluster.url("postgres", driver="postgresql")
        while True:
            try:
                self._taken.enter_context(psycopg.connect(address))
            except psycopg.OperationalError:
                return

    def mend(self) -> None:
        self._taken.close()


@pytest.mark.parametrize("strikes", [1, 4, 9])
@pytest.mark.parametrize("fault", [Restarted, OutOfConnections])
def test_a_database_that_is_away_for_a_while_is_told_and_costs_nothing(
    served: Served, tmp_path: Path, fault: Callable[[Served], Any], strikes: int
) -> None:
    world = lived(served.record, tmp_path / "home", fault(served), strikes)
    assert any("out of reach" in one for one in world.told), world.told
    assert not any("Traceback" in one for one in world.told)


@dataclasses.dataclass
class UnknownCommits:
    """The connection ends around COMMITs: after they reached the server, or before."""

    wire: PostgresqlWire
    reach_the_server: bool
    every: int = 2

    def begin(self) -> None:
        if self.reach_the_server:
            self.wire.cut_at_commits = self.every
        else:
            self.wire.lose_commits = self.every

    def mend(self) -> None:
        self.wire.cut_at_commits = self.wire.lose_commits = 0


@pytest.mark.parametrize("strikes", [1, 3, 5, 7])
@pytest.mark.parametrize("reach", [True, False], ids=["committed", "not-committed"])
def test_a_commit_whose_fate_nobody_knows_counts_once(
    served: Served, tmp_path: Path, reach: bool, strikes: int
) -> None:
    world = lived(served.record, tmp_path / "home", UnknownCommits(served.wire, reach), strikes)
    assert served.wire.cut > 0
    if reach:
        assert not any("Nothing was changed" in one for one in world.told), world.told


@dataclasses.dataclass
class FullDisk:
    """SQLite may not grow by a page: what its disk says when it is full."""

    record: Record

    def _limit(self, connection: Any, *_: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def begin(self) -> None:
        self.record.engine.dispose()
        sa.event.listen(self.record.engine, "connect", self._limit)

    def mend(self) -> None:
        sa.event.remove(self.record.engine, "connect", self._limit)
        self.record.engine.dispose()


@pytest.mark.parametrize("strikes", [1, 5, 9])
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_full_disk_of_sqlite_is_told_and_costs_nothing(
    record: Record, tmp_path: Path, strikes: int
) -> None:
    world = lived(record, tmp_path / "home", FullDisk(record), strikes)
    assert any("full" in one for one in world.told), world.told


@dataclasses.dataclass
class FullTablespace:
    """What PostgreSQL says when its disk is full, at every statement that writes."""

    record: Record

    def _full(self, _c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            full = psycopg.errors.DiskFull('could not extend file "base/16384": No space left on device')
            raise sa.exc.OperationalError(statement, {}, full)

    def begin(self) -> None:
        sa.event.listen(self.record.engine, "before_cursor_execute", self._full)

    def mend(self) -> None:
        sa.event.remove(self.record.engine, "before_cursor_execute", self._full)


@pytest.mark.parametrize("strikes", [1, 6])
def test_a_full_disk_of_postgresql_is_told_and_costs_nothing(
    served: Served, tmp_path: Path, strikes: int
) -> None:
    world = lived(served.record, tmp_path / "home", FullTablespace(served.record), strikes)
    assert any("No space left" in one or "out of reach" in one for one in world.told), world.told


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_two_machines_whose_clocks_are_half_a_minute_apart_do_no_harm(record: Record, tmp_path: Path) -> None:
    apart = timedelta(seconds=30)

    def either(world: FaultyWorld) -> datetime:
        """One machine does what the other does not, in turns."""
        return world.time + (apart if world.turns % 2 else timedelta())

    assert lived(record, tmp_path / "home", None, 0, either).told == []
