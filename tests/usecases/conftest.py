"""Where copies of a test's record go, and the empty home in which they are restored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.workspace import Workspace
from labels.record.engine import close_records
from labels.settings import Settings
from tests.support.databases import Cluster
from tests.support.people import KEY
from usecases import backup


@pytest.fixture
def place(tmp_path: Path, here: Workspace) -> backup.Place:
    return backup.open_place(str(tmp_path / "copies"), here.settings)


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, here: Workspace, tmp_path: Path) -> Iterator[Settings]:
    """An empty home on another machine, with the key and, where the record is on PostgreSQL, an empty database."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    (home / "secret.key").write_bytes(KEY)
    if here.record.engine.dialect.name == "sqlite":
        yield Settings(_env_file=None, home=home)
        return
    cluster: Cluster = request.getfixturevalue("postgresql_cluster")
    name = cluster.create()
    yield Settings(_env_file=None, home=home, database_url=cluster.url(name))
    close_records()
    cluster.drop(name)
