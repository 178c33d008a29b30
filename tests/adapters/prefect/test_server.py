"""What is added to Prefect's server: writers that wait, questions that find an index, an answer that says when to retry.

The server is imported where a test needs it: that takes as long as a hundred other tests.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import uvicorn
import uvloop
import yaml
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from labels.settings import PROJECT

if TYPE_CHECKING:
    pass


def test_a_busy_server_says_when_to_come_again() -> None:
    from adapters.prefect.server import RETRY_AFTER, SaysWhenToRetry

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=503 if scope["path"] == "/busy" else 200)(scope, receive, send)

    async def ask(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(SaysWhenToRetry(busy))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.get(path)

    assert float(asyncio.run(ask("/busy")).headers["Retry-After"]) == RETRY_AFTER
    assert "Retry-After" not in asyncio.run(ask("/idle")).headers


def test_prefects_scheduler_finds_the_next_time_of_each_of_our_schedules() -> None:
    from prefect.server.schemas.schedules import CronSchedule

    deployments = yaml.safe_load((PROJECT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    schedules = [CronSchedule(**one) for each in deployments for one in each.get("schedules", ())]
    assert schedules
    for schedule in schedules:
        [first] = asyncio.run(schedule.get_dates(1))
        assert first > datetime.now(UTC)


def test_the_server_runs_on_the_quick_event_loop_and_parser_that_uvicorn_knows() -> None:
    from adapters.prefect.server import SaysWhenToRetry

    config = uvicorn.Config(SaysWhenToRetry(Response()))
    config.load()
    assert config.get_loop_factory() is uvloop.new_event_loop
    assert config.http_protocol_class is HttpToolsProtocol
