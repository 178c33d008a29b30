"""The small process as a Prefect flow."""

from __future__ import annotations

import functools
from typing import Any

from prefect import flow, task
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput

from benchmarks.peers.small_process import Office

office = functools.cache(Office.here)


class Approval(RunInput):
    """What a coordinator fills in."""

    approved: bool


@task
def validate(form: dict[str, Any]) -> None:
    office().validate(form)


@task
def store(form: dict[str, Any]) -> str:
    return office().store(form)


@task
def decide(identifier: str, approved: bool) -> None:
    office().decide(identifier, approved)


@task
def notify(identifier: str) -> None:
    office().notify(identifier)


@flow
async def small_process(form: dict[str, Any]) -> None:
    validate(form)
    store(form)
    said = await suspend_flow_run(wait_for_input=Approval, key="approval")  # type: ignore[misc]  # async_dispatch is typed as sync
    decide(form["id"], said.approved)
    notify(form["id"])
