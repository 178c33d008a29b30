"""The small process as a Prefect flow."""

from __future__ import annotations

import functools
from typing import Any
from uuid import UUID

from prefect import flow, task
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run

from adapters.prefect.client import filled_in, prefect_client
from benchmarks.peers.small_process import Office
from labels.settings import load_settings

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
    with prefect_client() as client:
        said = filled_in(client, load_settings().key, UUID(str(flow_run.id)), 0)
    if said is None:
        await suspend_flow_run(wait_for_input=Approval, key="0")  # type: ignore[misc]  # async_dispatch is typed as sync
        raise RuntimeError("Prefect did not suspend the run.")
    decide(form["id"], bool(said.fields["approved"]))
    notify(form["id"])
