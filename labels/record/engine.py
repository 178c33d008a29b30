"""Opens the record: connections, transactions and migrations, alike on SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import util
from sqlalchemy.orm import Session

from labels.errors import NOT_KNOWN, NOTHING_CHANGED, Fault, InvalidInput, OutOfReach
from labels.record.migrating import revision_of, revisions, upgrade
from labels.settings import Settings

BUSY_TIMEOUT_MS = 20_000
"""How long SQLite waits for another writer: writes here take milliseconds, so this never elapses
but for a stuck process, and then the error is better than an endless wait."""

STATEMENTS = 512
"""Statements that SQLite need not read again on a connection: a process of ours has more than the 128 that Python keeps."""

DRIVERS = {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}
"""What the record can live in."""


class RowSession(Session):
    """A session that finds a row by its key with a statement that is built once: to build it takes longer than to run it.

    It looks once in each transaction, too, for the connection that the transaction has.
    """

    _own: tuple[Any, sa.Connection] | None = None
    """The transaction and its connection."""

    def connection(self, bind_arguments: Any = None, execution_options: Any = None) -> sa.Connection:
        """The connection of the transaction, which begins where there is none, as SQLAlchemy's own session gives it."""
        transaction = self.get_transaction()
        if bind_arguments or execution_options or transaction is None or not self.is_active:
            return super().connection(bind_arguments, execution_options)
        if self._own is None or self._own[0] is not transaction:
            self._own = transaction, super().connection()
        return self._own[1]

    keeps: bool = False
    """Whether it has what it found as long as it lives, so that nothing is asked for twice."""

    def get(
        self,
        entity: Any,
        ident: Any,
        *,
        options: Any = None,
        populate_existing: bool = False,
        with_for_update: Any = None,
        identity_token: Any = None,
        execution_options: Any = util.EMPTY_DICT,
        bind_arguments: Any = None,
    ) -> Any:
        """The row of a key, or None, as SQLAlchemy's own session gives it."""
        special = (
            options,
            populate_existing,
            with_for_update,
            identity_token,
            execution_options,
            bind_arguments,
        )
        if isinstance(entity, type) and isinstance(ident, str | int | tuple) and not any(special):
            key = ident if isinstance(ident, tuple) else (ident,)
            if (entity, key, None) not in self.identity_map:
                found = self.scalars(_by_key(entity), {f"key_{n}": one for n, one in enumerate(key)}).first()
                if self.keeps and found is not None:
                    self._kept.append(found)
                return found
        return super().get(
            entity,
            ident,
            options=options,
            populate_existing=populate_existing,
            with_for_update=with_for_update,
            identity_token=identity_token,
            execution_options=execution_options,
            bind_arguments=bind_arguments,
        )

    @cached_property
    def _kept(self) -> list[Any]:
        """A session knows what it has loaded only as long as somebody else has it, too."""
        return []


@cache
def _by_key(entity: type[Any]) -> sa.Select[Any]:
    columns = sa.inspect(entity).primary_key
    return sa.select(entity).where(*(one == sa.bindparam(f"key_{n}") for n, one in enumerate(columns)))


class Record:
    """The system of record behind one URL."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(immediate=True)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading; what it changes is thrown away.

        Raises:
            OutOfReach: the database does not answer.
        """
        with self._reached(), RowSession(self.engine, expire_on_commit=False) as session:
            session.keeps = True
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """A session in one transaction: all of it is committed at the end, or nothing is.

        On SQLite it takes the write lock before it reads anything, so that what it read can't change under it.

        Raises:
            OutOfReach: the database does not answer; nothing was changed, or, where it went away while it
                committed, it is not known whether anything was.
        """
        with self._reached(), RowSession(self._writing, expire_on_commit=False) as session:
            session.begin()
            yield session
            with _committing(session):
                session.commit()
            if (commits := _commits.get()) is not None:
                commits.append(None)

    def forget(self) -> None:
        """Lets nothing of what was erased lie about in SQLite's write-ahead log; other databases see to it."""
        if self.engine.dialect.name == "sqlite":
            with self._reached(), self.engine.connect() as connection:
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextlib.contextmanager
    def _reached(self, kept: str = NOTHING_CHANGED) -> Iterator[None]:
        """Says that the database does not answer, and what is known of what was under way."""
        try:
            yield
        except sa.exc.DBAPIError as error:
            if not (_away(error) or _no_record(error.orig)):
                raise
            raise OutOfReach("The record", f"{_reason(error)}.", kept) from error


@contextlib.contextmanager
def as_one() -> Iterator[None]:
    """What somebody asks for in one go, in several transactions: once one of them is committed, nobody says any more
    that nothing was changed.

    Raises:
        OutOfReach: as it was raised within, with that put right.
    """
    outer, own = _commits.get(), []  # type: tuple[list[None] | None, list[None]]
    token = _commits.set(own)
    try:
        yield
    except OutOfReach as error:
        if own and not error.partly:
            raise error.after_a_part() from error
        raise
    finally:
        _commits.reset(token)
        if outer is not None:
            outer.extend(own)


_commits: ContextVar[list[None] | None] = ContextVar("commits", default=None)
"""The transactions that were committed of what somebody asked for, where a door has begun to count them."""


@contextlib.contextmanager
def forgetting(session: Session) -> Iterator[None]:
    """Has SQLite overwrite with zeros what is deleted in the session, instead of leaving it in pages that are free."""
    if session.get_bind().dialect.name != "sqlite":
        yield
        return
    session.connection().exec_driver_sql("PRAGMA secure_delete=ON")
    yield
    session.flush()


@contextlib.contextmanager
def _committing(session: Session) -> Iterator[None]:
    """Says that nobody knows what became of a transaction whose COMMIT was not answered."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        session.invalidate()  # its connection may be within the transaction still, and nobody else may get it
        busy = getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
        if busy or not _away(error):
            raise
        raise OutOfReach("The record", f"{_reason(error)}.", NOT_KNOWN) from error


def _away(error: sa.exc.DBAPIError) -> bool:
    """Whether the database did not answer, rather than refused."""
    kinds = (sa.exc.OperationalError, sa.exc.InterfaceError)
    return isinstance(error, kinds) or error.connection_invalidated


def _reason(error: sa.exc.DBAPIError) -> str:
    return next(iter(str(error.orig).strip().splitlines()), type(error.orig).__name__).rstrip(".")


def _no_record(error: BaseException | None) -> bool:
    """Whether SQLite found a file that is no database, or a damaged one."""
    code = error.sqlite_errorcode & 0xFF if isinstance(error, sqlite3.DatabaseError) else None
    return code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def _on_connect(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's own BEGIN below decides when a lock is taken
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _on_begin(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("immediate"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:  # asks nothing of the file yet, so nothing can be refused that would have to be worded
        connection.connection.cursor().execute("BEGIN")


def open_engine(url: str) -> sa.Engine:
    """An engine for the record's URL, with SQLite made safe for many processes.

    Its errors do not repeat the values of a statement: they end in logs, and in Prefect.

    Raises:
        InvalidInput: the URL is none, or of a database that the record can't live in.
        OutOfReach: the folder of a SQLite file can't be made.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        parsed = None  # what is said below does not repeat it: it may hold a password
    if parsed is not None and parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed is None or parsed.drivername not in DRIVERS:
        expected = "expected sqlite:///file or postgresql://user:password@host/database."
        raise InvalidInput("settings", [Fault("LABELS_DATABASE_URL", expected)])
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    if parsed.database:
        folder = Path(parsed.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutOfReach("The record", f"{folder}: {error.strerror}.", NOTHING_CHANGED) from None
    engine = sa.create_engine(parsed, hide_parameters=True, connect_args={"cached_statements": STATEMENTS})
    sa.event.listen(engine, "connect", _on_connect)
    sa.event.listen(engine, "begin", _on_begin)
    return engine


def migrate(url: str) -> None:
    """Brings the record behind `url` to the newest schema; does nothing where it is there already.

    Raises:
        InvalidInput: the URL is none, or of a database that the record can't live in.
        OutOfReach: the database does not answer, or is of a newer version than this one.
    """
    engine = open_engine(url)
    try:
        _migrate(engine)
    finally:
        engine.dispose()


def _migrate(engine: sa.Engine) -> None:
    known = revisions()
    record = Record(engine)
    with record._reached(), engine.connect() as connection:
        current = revision_of(connection)
    if current is not None and current not in known:
        raise OutOfReach(
            "The record",
            f"it is of a newer version than this one ({current}; this version knows {known[-1]}).",
            "Nothing was changed; use the version that wrote it.",
        )
    if current != known[-1]:
        with record._reached(MIGRATING):
            upgrade(engine)


MIGRATING = "How much of its new schema it has is not known: the next command goes on from there."
"""Where the database went away while it was brought to the newest schema."""


def missing_file(settings: Settings) -> Path | None:
    """The SQLite file that the record would be in, where nobody has made it yet; None in any other case."""
    try:
        url = sa.make_url(settings.record_url)
    except (sa.exc.ArgumentError, ValueError):
        return None
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    path = Path(url.database)
    return None if path.exists() else path


def place_of(settings: Settings) -> str:
    """Where the record of these settings is, for people: a file, or a URL without its password."""
    url = sa.make_url(settings.record_url)
    if url.get_backend_name() == "sqlite" and url.database:
        return url.database
    return url.render_as_string(hide_password=True)


_opened: dict[str, Record] = {}


def open_record(settings: Settings) -> Record:
    """The record of these settings, migrated; one engine a process.

    Raises:
        InvalidInput: the URL is none, or of a database that the record can't live in.
        OutOfReach: the database does not answer, or is of a newer version than this one.
    """
    url = settings.record_url
    if url not in _opened:
        engine = open_engine(url)
        try:
            _migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        _opened[url] = Record(engine)
    return _opened[url]


def close_records() -> None:
    """Closes the connections of every record that this process opened; opened again, it connects anew."""
    while _opened:
        _, record = _opened.popitem()
        record.engine.dispose()
