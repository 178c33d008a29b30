"""The database of Prefect's server where it is PostgreSQL: looked at before the server starts, so that errors are plain."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import psycopg
import sqlalchemy as sa

from labels.errors import Fault, InvalidInput, OutOfReach
from labels.settings import Settings

SETTING = "LABELS_PREFECT_DATABASE_URL"
CONNECT_WITHIN = 5
"""Seconds."""
NOTHING_LOST = "Nothing was lost; start it and run this again."


def connection_url(settings: Settings) -> str | None:
    """The database setting of Prefect's server, or None where it keeps its SQLite file.

    Raises:
        InvalidInput: the setting is no address of a PostgreSQL database, or it is the record's own.
        OutOfReach: the database does not answer, or lacks what Prefect needs.
    """
    if not settings.prefect_database_url:
        return None
    url = _parsed(settings)
    _prepare(url)
    return url.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def _parsed(settings: Settings) -> sa.URL:
    expected = "Expected postgresql://user:password@host/database."
    try:
        url = sa.make_url(settings.prefect_database_url)
    except (sa.exc.ArgumentError, ValueError):  # not repeated: it may hold a password
        raise InvalidInput("settings", [Fault(SETTING, expected)]) from None
    if url.get_backend_name() not in {"postgresql", "postgres"} or not url.database:
        raise InvalidInput("settings", [Fault(SETTING, expected)])
    record = sa.make_url(settings.record_url)
    if (record.host, record.port or 5432, record.database) == (url.host, url.port or 5432, url.database):
        raise InvalidInput(
            "settings",
            [
                Fault(
                    SETTING, "It is the record's own database; Prefect needs another, which may be beside it."
                )
            ],
        )
    return url


def _prepare(url: sa.URL) -> None:
    """Sees to it that the database answers and has the extension that Prefect searches with."""
    named = f"Prefect's database {url.database} on {url.host or 'this machine'}"
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(address, connect_timeout=CONNECT_WITHIN, autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'").fetchone()
            if found is None:
                # Where another host makes it in the same moment, PostgreSQL waits for it and refuses this one.
                with contextlib.suppress(psycopg.errors.UniqueViolation, psycopg.errors.DuplicateObject):
                    connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except psycopg.errors.UndefinedFile:
        raise OutOfReach(
            named, "it lacks the extension pg_trgm, which comes with postgresql-contrib.", NOTHING_LOST
        ) from None
    except psycopg.errors.InsufficientPrivilege:
        raise OutOfReach(
            named,
            "it lacks the extension pg_trgm; its owner makes it: CREATE EXTENSION pg_trgm;",
            NOTHING_LOST,
        ) from None
    except psycopg.Error as error:
        why = str(error).strip().splitlines()
        raise OutOfReach(
            named, f"{why[-1].strip() if why else type(error).__name__}.", NOTHING_LOST
        ) from None


_STARTING = 0x6C61_6265_6C73
"""The number of the lock that whoever makes the tables of Prefect's database has."""


@contextlib.contextmanager
def one_at_a_time(settings: Settings, stop: threading.Event) -> Iterator[bool]:
    """Keeps servers of other hosts from starting on the same database meanwhile: of two that make its tables, one dies.

    Waits for its turn; False where `stop` was set before. The lock ends with the block, or with this process.

    Raises:
        OutOfReach: the database went away.
    """
    url = _parsed(settings)
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(address, connect_timeout=CONNECT_WITHIN, autocommit=True) as connection:
            while not _taken(connection):
                if stop.wait(0.5):
                    break
            yield not stop.is_set()
    except psycopg.OperationalError as error:
        named = f"Prefect's database {url.database} on {url.host or 'this machine'}"
        raise OutOfReach(named, f"{str(error).strip().splitlines()[-1]}.", NOTHING_LOST) from None


def _taken(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_STARTING,)).fetchone()
    return bool(row and row[0])
