"""Whole copies of the record, made while others write to it, and how the record is made from one again."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from labels.errors import OutOfReach

SQLITE, POSTGRESQL = "sqlite", "postgresql"


def copy_record(engine: sa.Engine, path: Path) -> None:
    """Writes a copy of the record to `path`, as it is at one moment; nobody waits for it.

    Of SQLite it is a database of the same kind (its online backup), of PostgreSQL an archive of `pg_dump`.

    Raises:
        OutOfReach: the database does not answer, or `pg_dump` is not there or of an older PostgreSQL.
    """
    if engine.dialect.name == SQLITE:
        _copy_sqlite(engine, path)
    else:
        _run(engine.url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={path}")


def _copy_sqlite(engine: sa.Engine, path: Path) -> None:
    try:
        with (
            contextlib.closing(engine.raw_connection()) as source,
            contextlib.closing(sqlite3.connect(path, isolation_level=None)) as target,
        ):
            driver = source.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # one file, without the log beside it
            [(found,)] = target.execute("PRAGMA quick_check(1)")
    except (sqlite3.DatabaseError, sa.exc.DatabaseError) as error:
        raise OutOfReach("The record", f"{str(error).splitlines()[0]}.") from error
    if found != "ok":
        raise OutOfReach("The record", f"its database is damaged: {found}.", "Keep the former copies.")


def holds_anything(engine: sa.Engine) -> bool:
    """Whether a record's database has any table; a SQLite file that is not there is not made by looking."""
    if engine.dialect.name == SQLITE and not (engine.url.database and Path(engine.url.database).exists()):
        return False
    try:
        return bool(sa.inspect(engine).get_table_names())
    except sa.exc.OperationalError as error:
        raise OutOfReach("The record", f"{str(error.orig).strip().splitlines()[0]}.") from error


def put_record_back(engine: sa.Engine, path: Path) -> None:
    """Makes the record of an empty database what the copy at `path` holds; all of it, or nothing.

    Raises:
        OutOfReach: the database does not answer, or `pg_restore` is not there or does not read the copy.
    """
    if engine.dialect.name != SQLITE:
        _run(engine.url, "pg_restore", "--single-transaction", "--no-owner", "--no-privileges", str(path))
        return
    assert engine.url.database
    target = Path(engine.url.database)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_name(f".{target.name}.restored")
    with contextlib.closing(sqlite3.connect(path)) as copy:
        [(found,)] = copy.execute("PRAGMA quick_check(1)")
    if found != "ok":
        raise OutOfReach("The copy", f"its database is damaged: {found}.", "Take another one.")
    shutil.copyfile(path, draft)
    draft.chmod(0o600)
    _on_disk(draft)
    draft.replace(target)
    _on_disk(target.parent)


def _run(url: sa.URL, program: str, *arguments: str) -> None:
    """A program of PostgreSQL's with the record's database; the password is in no list of processes."""
    if shutil.which(program) is None:
        raise OutOfReach(
            program, "it is not on this machine.", f"Install PostgreSQL's client, which has {program}."
        )
    words = [program, f"--dbname={_without_password(url)}", *arguments]
    done = subprocess.run(
        words,
        env=os.environ | _secret(url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise OutOfReach(program, f"{said[0].rstrip('.')}.")


def _without_password(url: sa.URL) -> str:
    return url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)


def _secret(url: sa.URL) -> Mapping[str, str]:
    return {"PGPASSWORD": str(url.password)} if url.password else {}


def _on_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
