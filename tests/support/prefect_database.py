"""Prefect's own code in the tests' process, at work on a database that a test names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import prefect.settings
from prefect.server.database.configurations import AioSqliteConfiguration
from prefect.server.database.dependencies import provide_database_interface, temporary_database_config
from prefect.server.database.interface import PrefectDBInterface
from prefect.settings import temporary_settings


@contextlib.contextmanager
def prefect_database(path: Path, settings: Mapping[str, str] | None = None) -> Iterator[PrefectDBInterface]:
    """What Prefect's server reaches the SQLite file at `path` through, under `settings` (names as in the environment).

    A process keeps the first database that Prefect was asked for, whatever the settings say later:
    so the configuration is put in its place too, and taken out again.
    """
    url = f"sqlite+aiosqlite:///{path}"
    given = {**(settings or {}), "PREFECT_SERVER_DATABASE_CONNECTION_URL": url}
    with (
        temporary_settings({getattr(prefect.settings, name): value for name, value in given.items()}),
        temporary_database_config(AioSqliteConfiguration(url)),
    ):
        yield provide_database_interface()
