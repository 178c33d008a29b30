"""Prefect's server on PostgreSQL: what is looked at before it starts, and how faults are told."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from adapters.prefect.database import SETTING, connection_url, one_at_a_time
from adapters.prefect.environment import child_environment
from cli.services import free_port
from labels.errors import InvalidInput, OutOfReach
from labels.settings import Settings
from tests.support.databases import Cluster
from tests.support.patience import PATIENCE, until

WAITING = "SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE EXT%')"


def told(home: Path, url: str, record: str = "") -> Settings:
    return Settings(_env_file=None, home=home, prefect_database_url=url, database_url=record)


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://host/prefect", "postgresql://host", "postgresql://h:x/p"]
)
def test_what_is_no_address_is_refused_without_being_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidInput, match=f"{SETTING}.*Expected postgresql://") as refused:
        connection_url(told(tmp_path, url))
    assert url not in str(refused.value)


def test_the_records_own_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="record's own database"):
        connection_url(told(tmp_path, "postgresql://a:b@host/one", "postgresql+psycopg://c:d@host:5432/one"))


def test_a_database_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(OutOfReach, match=r"Prefect's database prefect on 127\.0\.0\.1") as away:
        connection_url(told(tmp_path, f"postgresql://me:geheim@127.0.0.1:{free_port()}/prefect"))
    assert "geheim" not in str(away.value)


def test_nothing_is_set_where_nothing_is_told(tmp_path: Path) -> None:
    environment = child_environment(told(tmp_path, ""), "http://127.0.0.1:1/api")
    assert not [name for name in environment if "DATABASE" in name]


@pytest.mark.slow
def test_the_extension_is_made_where_that_is_allowed_and_asked_for_where_not(
    tmp_path: Path, postgresql_cluster: Cluster, postgresql_database: str
) -> None:
    owner = postgresql_cluster.url(postgresql_database, driver="postgresql")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE guest LOGIN PASSWORD 'guest'"))
        guest = owner.replace(owner.partition("//")[2].partition("@")[0], "guest:guest")
        try:
            with pytest.raises(OutOfReach, match="CREATE EXTENSION pg_trgm"):
                connection_url(told(tmp_path, guest))
            environment = child_environment(told(tmp_path, owner), "http://127.0.0.1:1/api")
            found = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'").fetchone()
            assert found
            assert environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] == postgresql_cluster.url(
                postgresql_database, driver="postgresql+asyncpg"
            )
            assert connection_url(told(tmp_path, guest)), "which anybody may use"
        finally:
            connection.execute("DROP ROLE guest")


def test_two_hosts_that_make_the_extension_in_the_same_moment_both_start(
    postgresql_cluster: Cluster, postgresql_database: str, tmp_path: Path
) -> None:
    url = postgresql_cluster.url(postgresql_database, driver="postgresql")
    with psycopg.connect(url) as first, ThreadPoolExecutor(1) as other_host:
        first.execute("CREATE EXTENSION pg_trgm")
        second = other_host.submit(connection_url, told(tmp_path, url))
        with psycopg.connect(url, autocommit=True) as look:
            until(lambda: bool(look.execute(WAITING).fetchone()), "the second host waits for the first")
        assert not second.done()
        first.commit()
        assert second.result(PATIENCE)


def test_one_server_at_a_time_makes_the_tables_of_a_database_that_several_share(
    postgresql_cluster: Cluster, postgresql_database: str, tmp_path: Path
) -> None:
    settings = told(tmp_path, postgresql_cluster.url(postgresql_database, driver="postgresql"))
    stop, second, turns = threading.Event(), threading.Event(), list[str]()

    def starts() -> None:
        with one_at_a_time(settings, threading.Event()) as is_our_turn:
            assert is_our_turn
            turns.append("second")
        second.set()

    with one_at_a_time(settings, stop) as is_our_turn:
        assert is_our_turn
        other = threading.Thread(target=starts)
        other.start()
        stop.set()
        with one_at_a_time(settings, stop) as nobodys:
            assert not nobodys, "who is asked to end waits no longer"
        assert not second.wait(1.0)
        turns.append("first")
    other.join(PATIENCE)
    assert turns == ["first", "second"]
