"""What every test may ask for: the record on either database, and settings of its own.

`settings` runs a test once on SQLite and once on PostgreSQL; a test that needs one of them only says
`@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)`.
"""

from __future__ import annotations

import functools
import gc
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.support.databases import Cluster, PostgreSQLMissing, postgresql

if TYPE_CHECKING:
    import sqlalchemy as sa

    from labels.record.engine import Record
    from labels.settings import Settings

# An example takes as long as the machine's other work makes it take.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

_PREFECT_HOME = pytest.StashKey[str]()
TESTS = Path(__file__).parent
END_TO_END = TESTS / "e2e"
LONG = (
    "flows/test_kill_points.py",
    "e2e/test_kills.py",
    "e2e/test_many_machines.py",
    "e2e/test_up.py",
)
"""Files that take minutes, the longest first."""


def pytest_configure(config: pytest.Config) -> None:
    """Keeps tests from the settings, the record and the Prefect server of whoever runs them."""
    for name in [name for name in os.environ if name.startswith(("LABELS_", "PREFECT_"))]:
        del os.environ[name]
    home = config.stash[_PREFECT_HOME] = tempfile.mkdtemp(prefix="labels-prefect-")
    # Prefect's analytics would speak to the outside, and lock its own SQLite database.
    os.environ.update(PREFECT_HOME=home, PREFECT_SERVER_ANALYTICS_ENABLED="false", DO_NOT_TRACK="1")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Removes what `pytest_configure` made."""
    shutil.rmtree(config.stash[_PREFECT_HOME], ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keeps the garbage collector from what is imported: it stays, and takes half a second to look through."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves PostgreSQL to the whole run, and all cases but the first where they are sampled. Long files go first.

    The quick run starts no database server. A file is run by one process; a long one at the end would have the others
    wait for it.
    """
    for item in items:
        of = getattr(item, "callspec", None)
        if "postgresql_cluster" in getattr(item, "fixturenames", ()) or (
            of is not None and of.params.get("record_url") == "postgresql"
        ):
            item.add_marker(pytest.mark.slow)
    begun: set[tuple[Path, str]] = set()
    for item in items:
        if item.get_closest_marker("sampled") and not item.get_closest_marker("slow"):
            of = item.path, item.nodeid.partition("[")[0]
            if of in begun:
                item.add_marker(pytest.mark.slow)
            begun.add(of)
    slow: dict[Path, bool] = {}
    for item in items:
        slow[item.path] = slow.get(item.path, True) and item.get_closest_marker("slow") is not None
    first = {TESTS / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: (first.get(item.path, len(first)), not slow[item.path]))


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once() -> Iterator[None]:
    """Lets every engine use what another on the same kind of database has compiled.

    A process has one engine, and compiles a statement once; here each test has its own record, and
    would compile hundreds of statements anew.
    """
    from labels.record import engine

    open_engine = engine.open_engine
    first = open_engine("sqlite://")
    first.connect().close()  # which tells the dialect the version
    dialects = {first.dialect.name: first.dialect}
    compiled: dict[object, object] = {}

    def sharing(url: str) -> sa.Engine:
        opened = open_engine(url)
        shared = dialects.setdefault(opened.dialect.name, opened.dialect)
        if shared is not opened.dialect and getattr(
            shared, "server_version_info", None
        ):  # whoever was first connected
            opened.dialect = shared
        if opened.dialect is shared:
            opened.update_execution_options(compiled_cache=compiled)
        return opened

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "open_engine", sharing)
        yield
    first.dispose()


@pytest.fixture(scope="session", autouse=True)
def nothing_waits_for_the_disk() -> Iterator[None]:
    """Lets this process not wait until what it wrote is on the disk: no test outlives the machine.

    Whatever a process that is killed has written is there all the same. A test of the durable way undoes it with
    `inspect.unwrap`.
    """
    from labels.record import engine

    on_connect = engine._on_connect

    @functools.wraps(on_connect)
    def careless(connection: sqlite3.Connection, of: object) -> None:
        on_connect(connection, of)
        connection.execute("PRAGMA synchronous=OFF")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_on_connect", careless)
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def everybody_named() -> None:
    """Lets tests write rows of the registry without saying who the people in them are."""
    import tests.support.persons  # noqa: F401 - it listens


@pytest.fixture(scope="module", autouse=True)
def no_other_tests_prefect(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keeps a module, and what it sets up once, from the server that end-to-end tests of the same process have running."""
    if request.path.is_relative_to(END_TO_END) or "prefect.settings" not in sys.modules:
        yield
        return
    from prefect.settings import PREFECT_API_URL, temporary_settings

    if not PREFECT_API_URL.value():
        yield
        return
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        yield


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty record; tests work on copies of it."""
    from labels.record.engine import migrate

    path = tmp_path_factory.mktemp("template") / "record.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def populated_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with a small registry; tests work on copies of it."""
    from labels.record import Record, engine
    from tests.support.people import populate

    path = tmp_path_factory.mktemp("populated") / "record.db"
    shutil.copyfile(sqlite_template, path)
    opened = engine.open_engine(f"sqlite:///{path}")
    with Record(opened).writing() as session:
        populate(session)
    opened.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_cluster() -> Iterator[Cluster]:
    """The PostgreSQL of this test process; skips where it can't run, but fails in CI, which must have it."""
    try:
        with postgresql() as cluster:
            yield cluster
    except PostgreSQLMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def postgresql_template(postgresql_cluster: Cluster) -> str:
    """The name of a database with a migrated, empty record; tests work on copies of it."""
    from labels.record.engine import migrate

    name = postgresql_cluster.create()
    migrate(postgresql_cluster.url(name))
    return name


@pytest.fixture
def postgresql_database(postgresql_cluster: Cluster) -> Iterator[str]:
    """The name of an empty database of this test's own, for what brings its own tables (Prefect does)."""
    name = postgresql_cluster.create()
    yield name
    postgresql_cluster.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def record_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty record of this test's own, on each database in turn."""
    from labels.record.engine import close_records

    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        shutil.copyfile(template, tmp_path / "record.db")
        url = f"sqlite:///{tmp_path / 'record.db'}"
        yield url
        close_records()
    else:
        cluster: Cluster = request.getfixturevalue("postgresql_cluster")
        name = cluster.create(request.getfixturevalue("postgresql_template"))
        yield cluster.url(name)
        close_records()
        cluster.drop(name)


@pytest.fixture
def settings(record_url: str, tmp_path: Path) -> Settings:
    """Settings with a folder, a record and a secret of this test's own; nothing else is configured."""
    from labels.settings import Settings

    return Settings(_env_file=None, home=tmp_path, database_url=record_url, secret="a secret for tests")


@pytest.fixture
def record(settings: Settings) -> Record:
    """The migrated, empty record of `settings`."""
    from labels.record.engine import open_record

    return open_record(settings)
