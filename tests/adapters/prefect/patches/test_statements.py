"""Statements of Prefect's server on SQLite: writers that wait, and questions that find an index."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from adapters.prefect.patches.statements import as_sqlite_takes_it, put_as_sqlite_takes_them
from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from prefect.server.database.interface import PrefectDBInterface


async def _two_that_read_and_then_write(database: Path, together: float) -> int:
    """What both have added, where each looks first and writes once the other has looked, or after so many seconds."""
    from prefect.server.database.configurations import AioSqliteConfiguration

    prefect = AioSqliteConfiguration(f"sqlite+aiosqlite:///{database}", timeout=PATIENCE)
    looked, both = [], asyncio.Event()
    engine = await prefect.engine()
    async with engine.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE counted (n INTEGER)"))
        await connection.execute(sa.text("INSERT INTO counted VALUES (0)"))

    async def add_one() -> None:
        async with await prefect.session(engine) as session, prefect.begin_transaction(session):
            seen = (await session.execute(sa.text("SELECT n FROM counted"))).scalar_one()
            looked.append(seen)
            if len(looked) == 2:
                both.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(both.wait(), together)
            await session.execute(sa.text("UPDATE counted SET n = :n"), {"n": seen + 1})

    await asyncio.gather(add_one(), add_one())
    async with engine.connect() as connection:
        counted: int = (await connection.execute(sa.text("SELECT n FROM counted"))).scalar_one()
    await engine.dispose()
    return counted


@pytest.fixture
def as_sqlite_takes_them() -> Iterator[None]:
    """The statements are put as the server of `labels up` puts them."""
    put_as_sqlite_takes_them()
    put_as_sqlite_takes_them()
    yield
    sa.event.remove(sa.Engine, "before_cursor_execute", as_sqlite_takes_it)


@pytest.mark.usefixtures("as_sqlite_takes_them")
def test_of_two_writers_the_later_one_waits_instead_of_being_refused(tmp_path: Path) -> None:
    assert asyncio.run(_two_that_read_and_then_write(tmp_path / "ours.db", 0.05)) == 2


def test_prefect_alone_refuses_the_later_one(tmp_path: Path) -> None:
    with pytest.raises(sa.exc.OperationalError, match="locked"):
        asyncio.run(_two_that_read_and_then_write(tmp_path / "theirs.db", PATIENCE))


async def _plans(interface: PrefectDBInterface, database: Path) -> dict[str, list[str]]:
    """How SQLite goes about the two questions that Prefect's server asks again and again."""
    await interface.create_db()
    asked: dict[str, tuple[str, Any]] = {}

    def note(_: Any, __: Any, statement: str, parameters: Any, ___: Any, ____: bool) -> None:
        if "available_slots" in statement:
            asked["poll"] = statement, parameters
        elif statement.startswith("SELECT task_run.") and "VALUES" in statement:
            asked["tasks"] = statement, parameters

    engine = await interface.engine()
    sa.event.listen(engine.sync_engine, "before_cursor_execute", note)
    async with interface.session_context() as session:
        await interface.queries.get_scheduled_flow_runs_from_work_pool(  # type: ignore[attr-defined]
            session=session, work_pool_ids=[uuid4()], scheduled_before=datetime.now(UTC)
        )
        runs = interface.TaskRun
        natural = sa.tuple_(runs.flow_run_id, runs.task_key, runs.dynamic_key)
        keys = [(uuid4(), "key", "1"), (uuid4(), "key", "2")]
        await session.execute(sa.select(runs.id).where(sa.or_(runs.id.in_([uuid4()]), natural.in_(keys))))
    await engine.dispose()
    plans = {}
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for name, (statement, parameters) in asked.items():
            rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans[name] = [row[3] for row in rows]
    return plans


@pytest.mark.slow
@pytest.mark.usefixtures("as_sqlite_takes_them")
def test_neither_a_poll_nor_the_record_of_tasks_reads_all_there_is(tmp_path: Path) -> None:
    from tests.support.prefect_database import prefect_database

    database = tmp_path / "prefect.db"
    with prefect_database(database) as interface:
        plans = asyncio.run(_plans(interface, database))
    assert not [step for step in plans["tasks"] if step.startswith("SCAN task_run")]
    assert [step for step in plans["tasks"] if "uq_task_run__flow_run_id_task_key_dynamic_key" in step]
    of_runs = [step for step in plans["poll"] if " fr " in step]
    assert of_runs
    assert not [step for step in of_runs if "ix_flow_run__work_queue_id" in step or "SCAN" in step]
