"""The databases that the other tests stand on."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from labels.record.engine import Record, open_record
from labels.record.schema import RuleText
from labels.settings import PROJECT, Settings
from tests.support.databases import Cluster
from tests.support.patience import until


def _rules(record: Record) -> int:
    with record.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(RuleText)) or 0


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_begins_with_an_empty_record(record: Record, turn: str) -> None:
    assert _rules(record) == 0, turn
    with record.writing() as session:
        session.add(RuleText(digest="first", version="2026", body={}))
    assert _rules(record) == 1


def test_settings_point_at_the_record_and_at_nothing_of_the_machine(
    settings: Settings, record_url: str, tmp_path: Path
) -> None:
    assert settings.record_url == record_url
    assert settings.home == tmp_path
    assert settings.today is None
    assert settings.key == b"a secret for tests"
    assert settings.documents_uri.startswith(tmp_path.as_uri())
    assert open_record(settings).engine.url.render_as_string(hide_password=False) == record_url


def test_the_cluster_asks_for_its_password(postgresql_cluster: Cluster) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://postgres:guess@127.0.0.1:{postgresql_cluster.port}/postgres")


def test_prefect_can_bring_its_own_tables(postgresql_cluster: Cluster, postgresql_database: str) -> None:
    with psycopg.connect(postgresql_cluster.url(postgresql_database, driver="postgresql")) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")


_HOLDER = """
import pathlib, sys, time
from tests.support.databases import postgresql
with postgresql(pathlib.Path(sys.argv[1])) as cluster:
    print(cluster.port, flush=True)
    time.sleep(120)
"""


def test_a_cluster_ends_with_a_test_run_that_is_killed(
    postgresql_cluster: Cluster, request: pytest.FixtureRequest
) -> None:
    # Not below `tmp_path`, which is closed to the user that the cluster runs as.
    folder = Path(tempfile.mkdtemp(prefix="labels-killed-"))
    request.addfinalizer(lambda: shutil.rmtree(folder, ignore_errors=True))
    folder.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(folder)],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout
        port = int(holder.stdout.readline())
        assert _listens(port)
        holder.send_signal(signal.SIGKILL)
    until(lambda: not _listens(port), "the cluster has ended", every=0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
