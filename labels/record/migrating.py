"""The revisions of the record's schema: which there are, which a record has, and how it gets to another."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

MIGRATIONS = Path(__file__).parent / "migrations"

_VERSION = sa.table("alembic_version", sa.column("version_num", sa.String))
"""Where Alembic keeps the revision that a record has."""


def revisions() -> list[str]:
    """The revisions that this version knows, in order: what the names of the migrations' files begin with."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def revision_of(connection: sa.Connection) -> str | None:
    """The revision that a record has; None for a new one."""
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(sa.select(_VERSION.c.version_num))


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Changes a record to a later revision; does nothing where it has it already."""
    # Imported here: it takes as long as all of a short command, and is needed once a version.
    import alembic.command
    import alembic.config

    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["engine"] = engine
    alembic.command.upgrade(config, revision)
