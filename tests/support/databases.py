"""The databases that tests keep a record in: SQLite files, and a PostgreSQL cluster of the test run's own."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.patience import PATIENCE
from tests.support.processes import ends_with_us

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "100",
}
_CARELESS = {
    # Nothing in here outlives the test run, so nothing needs to reach the disk.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}


class PostgreSQLMissing(Exception):
    """PostgreSQL can't be started on this machine; says what to install."""


class Cluster:
    """A running PostgreSQL (15 or newer) of our own, on loopback, reached with a password of its own."""

    def __init__(self, port: int, password: str) -> None:
        self.port = port
        self.pid: int | None = None
        self.password = password
        self._numbered = 0
        self._begin: Callable[[int], subprocess.Popen[bytes]] | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def start(self, begin: Callable[[int], subprocess.Popen[bytes]] | None = None) -> bool:
        """Starts it by the former way unless told another, and waits until it answers; False where it does not come up."""
        self._begin = begin or self._begin
        assert self._begin
        self._server = self._begin(self.port)
        self.pid = self._server.pid
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up and self._server.poll() is None:
            if self.answers():
                return True
            time.sleep(0.02)
        self.stop()
        return False

    def waits_for_standbys(self) -> None:
        """From now on a COMMIT is acknowledged once a standby has it."""
        self._run(sql.SQL("ALTER SYSTEM SET synchronous_standby_names = '*'"))
        self._run(sql.SQL("SELECT pg_reload_conf()"))

    def promote(self) -> None:
        """Makes a standby a server of its own, which others may write to."""
        self._run(sql.SQL("SELECT pg_promote(true, {})").format(sql.Literal(int(PATIENCE))))

    def restart(self) -> None:
        """Every connection is ended, and the server begins anew with what it has, as an operator has it."""
        assert self._server
        self._server.send_signal(signal.SIGINT)  # a "fast" shutdown
        self._server.wait(PATIENCE)
        assert self.start(), "PostgreSQL did not come back"

    def stop(self) -> None:
        """Ends it at once."""
        if self._server is not None:
            _stop(self._server)

    def url(self, database: str, driver: str = "postgresql+psycopg") -> str:
        """The SQLAlchemy URL of one of its databases."""
        return f"{driver}://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template0") -> str:
        """Makes a database, empty or as a copy of `template`; returns its name."""
        self._numbered += 1
        name = f"test_{self._numbered}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")  # half the time of the default
        self._run(copy.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop(self, database: str) -> None:
        """Removes a database, whoever is still connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def answers(self) -> bool:
        """Whether it accepts connections."""
        try:
            self._run(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, statement: sql.SQL | sql.Composed) -> None:
        address = self.url("postgres", driver="postgresql")
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
            connection.execute(statement)


def postgresql_programs() -> Path:
    """The newest folder with `initdb` and `postgres`; Debian keeps them off the PATH."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]), reverse=True
    )
    elsewhere = shutil.which("initdb")
    if not debian and not elsewhere:
        raise PostgreSQLMissing("PostgreSQL is not installed: apt-get install postgresql")
    return debian[0].parent if debian else Path(str(elsewhere)).resolve().parent


def as_postgresql() -> list[str]:
    """What goes before a command so that it may run PostgreSQL (not root), and ends with this process."""
    with_us = ends_with_us("INT")
    if os.geteuid() != 0:
        return with_us
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        raise PostgreSQLMissing("there is no user postgres: apt-get install postgresql") from None
    if not with_us:
        raise PostgreSQLMissing("root can't start PostgreSQL without setpriv: apt-get install util-linux")
    return [*with_us, "--reuid=postgres", "--regid=postgres", "--init-groups"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _in_memory() -> Path | None:
    """A folder in memory with room for a cluster: copies there take a tenth of the time and don't vary."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30:
        return memory
    return None


@contextlib.contextmanager
def postgresql(below: Path | None = None, *, durable: bool = False) -> Iterator[Cluster]:
    """A cluster that lives as long as the `with` block, and never longer than this process.

    Its files are kept `below` that folder, which everybody must be able to enter; in memory unless told. A
    `durable` one writes as it would in earnest.

    Raises:
        PostgreSQLMissing: it is not installed, or this user can't start it.
    """
    programs, owner = postgresql_programs(), as_postgresql()
    folder = Path(tempfile.mkdtemp(prefix="labels-postgresql-", dir=below or _in_memory()))
    data, log = folder / "cluster", folder / "log"
    password = secrets.token_urlsafe(16)
    (folder / "password").write_text(password)
    log.touch()
    if os.geteuid() == 0:
        for path in (folder, folder / "password"):
            shutil.chown(path, "postgres")
    cluster: Cluster | None = None
    try:
        with log.open("ab") as output:
            initdb: list[str | Path] = [
                programs / "initdb",
                "--pgdata",
                data,
                "--no-sync",
                "--no-instructions",
            ]
            access: list[str | Path] = [
                "--username=postgres",
                "--auth=password",
                "--pwfile",
                folder / "password",
            ]
            made = subprocess.run(
                [*owner, *initdb, *access, "--encoding=UTF8", "--locale=C.UTF-8"],
                cwd=folder, env=_ENVIRONMENT, stdout=output, stderr=output, check=False,
            )  # fmt: skip
            if made.returncode:
                raise RuntimeError(f"PostgreSQL's initdb failed: {log.read_text(errors='replace')[-2000:]}")
        cluster = _started(folder, password, _SETTINGS if durable else _SETTINGS | _CARELESS)
        yield cluster
    finally:
        if cluster is not None:
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path, password: str, settings: Mapping[str, str]) -> Cluster:
    """What is in the `cluster` of a folder, on a port of its own."""
    programs, owner, log = postgresql_programs(), as_postgresql(), folder / "log"
    options = [f"--{name}={value}" for name, value in settings.items()]

    def begin(port: int) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                [*owner, programs / "postgres", "-D", folder / "cluster", "-p", str(port), *options],
                cwd=folder,
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    for _ in range(3):  # another process may take the free port before we do
        cluster = Cluster(_free_port(), password)
        if cluster.start(begin):
            return cluster
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")


@contextlib.contextmanager
def standby_of(primary: Cluster) -> Iterator[Cluster]:
    """A second server that follows a durable one: whoever commits waits until it has that, too."""
    folder = Path(tempfile.mkdtemp(prefix="labels-postgresql-", dir=_in_memory()))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    cluster: Cluster | None = None
    try:
        address = primary.url("postgres", driver="postgresql")
        command: list[str | Path] = [
            postgresql_programs() / "pg_basebackup",
            "-d",
            address,
            "-D",
            folder / "cluster",
        ]
        copied = subprocess.run(
            [*as_postgresql(), *command, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"],
            cwd=folder,
            env=_ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        if copied.returncode:
            raise RuntimeError(f"PostgreSQL's pg_basebackup failed: {copied.stderr[-2000:]}")
        cluster = _started(folder, primary.password, _SETTINGS)
        primary.waits_for_standbys()
        yield cluster
    finally:
        if cluster is not None:
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ends the cluster at once: it is thrown away, so it need not be closed properly."""
    for how in (signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is None:
            server.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(10)
