"""What is added to Prefect's server: writers that wait for each other, and an answer that says when to retry."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from prefect.server.database.configurations import AioSqliteConfiguration
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cli.prefect_server import RETRY_AFTER, SaysWhenToRetry, begin_as_writer


async def _two_that_read_and_then_write(database: Path) -> int:
    """What both have added, where each looks first and writes after the other has looked."""
    prefect = AioSqliteConfiguration(f"sqlite+aiosqlite:///{database}", timeout=5)
    engine = await prefect.engine()
    async with engine.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE counted (n INTEGER)"))
        await connection.execute(sa.text("INSERT INTO counted VALUES (0)"))

    async def add_one() -> None:
        async with await prefect.session(engine) as session, prefect.begin_transaction(session):
            seen = (await session.execute(sa.text("SELECT n FROM counted"))).scalar_one()
            await asyncio.sleep(0.05)
            await session.execute(sa.text("UPDATE counted SET n = :n"), {"n": seen + 1})

    await asyncio.gather(add_one(), add_one())
    async with engine.connect() as connection:
        counted: int = (await connection.execute(sa.text("SELECT n FROM counted"))).scalar_one()
    await engine.dispose()
    return counted


def test_of_two_writers_the_later_one_waits_instead_of_being_refused(tmp_path: Path) -> None:
    assert asyncio.run(_two_that_read_and_then_write(tmp_path / "ours.db")) == 2


def test_prefect_alone_refuses_the_later_one(tmp_path: Path) -> None:
    sa.event.remove(sa.Engine, "before_cursor_execute", begin_as_writer)
    try:
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            asyncio.run(_two_that_read_and_then_write(tmp_path / "theirs.db"))
    finally:
        sa.event.listen(sa.Engine, "before_cursor_execute", begin_as_writer, retval=True)


def test_a_busy_server_says_when_to_come_again() -> None:
    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=503 if scope["path"] == "/busy" else 200)(scope, receive, send)

    async def ask(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(SaysWhenToRetry(busy))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.get(path)

    assert float(asyncio.run(ask("/busy")).headers["Retry-After"]) == RETRY_AFTER
    assert "Retry-After" not in asyncio.run(ask("/idle")).headers
