"""The small process as a DBOS workflow."""

from __future__ import annotations

from typing import Any

from dbos import DBOS

from benchmarks.peers.small_process import Office

office = Office.here()
arrived: set[str] = set()
"""The applications that wait or have waited, for the benchmark to look at."""


@DBOS.step()
async def validate(form: dict[str, Any]) -> None:
    office.validate(form)


@DBOS.step()
async def store(form: dict[str, Any]) -> str:
    return office.store(form)


@DBOS.step()
async def decide(identifier: str, approved: bool) -> None:
    office.decide(identifier, approved)


@DBOS.step()
async def notify(identifier: str) -> None:
    office.notify(identifier)


@DBOS.workflow()
async def small_process(form: dict[str, Any]) -> None:
    await validate(form)
    await store(form)
    arrived.add(form["id"])
    approved = await DBOS.recv_async("approval", timeout_seconds=86400)
    await decide(form["id"], approved)
    await notify(form["id"])
