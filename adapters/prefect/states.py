"""What Prefect's server knows of a run, and how a run is woken or ended."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Cancelled, Crashed

from adapters.prefect.client import BLANK, read_input
from adapters.prefect.runs import DEPLOYMENTS

PAGE = 200
"""Runs that Prefect's server returns in one answer, at most."""

_OURS = DeploymentFilter(
    name=DeploymentFilterName(
        any_=[name.partition("/")[2] for name in DEPLOYMENTS.values()]
        + ["european-year", "preselection", "upkeep"]
    )
)

_UNDER_WAY = FlowRunFilter(
    state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING]))
)


class Phase(StrEnum):
    """How far a run is, as far as anybody outside it needs to know."""

    SCHEDULED = "is about to start"
    UNDER_WAY = "is executed, or its process was lost"
    SUSPENDED = "waits for an answer"
    ENDED = "has ended, well or not"


@dataclass(frozen=True, slots=True)
class Run:
    """A run as Prefect's server has it now."""

    id: UUID
    name: str
    phase: Phase
    since: datetime
    """By the clock of Prefect's server, with its zone."""
    state: str
    """Prefect's identifier of this state: another one each time that the run changes."""
    form: str | None
    """The key under which the form is saved that a suspended run waits with."""
    application: str | None
    tags: frozenset[str]

    @classmethod
    def of(cls, found: FlowRun) -> Run | None:
        """None for a run without a state, which Prefect has not finished creating."""
        state = found.state
        if state is None:
            return None
        if state.is_final():
            phase = Phase.ENDED
        elif state.is_scheduled():
            phase = Phase.SCHEDULED
        elif state.is_paused():
            phase = Phase.SUSPENDED
        else:
            phase = Phase.UNDER_WAY
        keys = state.state_details.run_input_keyset
        return cls(
            found.id,
            found.name,
            phase,
            state.timestamp,
            str(state.id),
            keys["schema"] if keys else None,
            found.parameters.get("application_id"),
            frozenset(found.tags),
        )


def read_run(client: SyncPrefectClient, run_id: str | None) -> Run | None:
    """The run, or None where Prefect has none of that id (any more)."""
    if run_id is None:
        return None
    try:
        return Run.of(client.read_flow_run(UUID(run_id)))
    except ObjectNotFound:
        return None


def read_runs(client: SyncPrefectClient, wanted: Iterable[str]) -> dict[str, Run]:
    """Those of the runs that Prefect has, by their ids, with a request for every `PAGE` of them."""
    ids = []
    for run_id in wanted:
        with contextlib.suppress(ValueError):  # no id: Prefect has none like that
            ids.append(UUID(run_id))
    found: list[FlowRun] = []
    for first in range(0, len(ids), PAGE):
        asked = FlowRunFilter(id=FlowRunFilterId(any_=ids[first : first + PAGE]))
        found += client.read_flow_runs(flow_run_filter=asked, limit=PAGE)
    return {str(run.id): run for run in map(Run.of, found) if run}


def runs_under_way(client: SyncPrefectClient) -> list[Run]:
    """The runs of this project's deployments that are executed, as Prefect believes; this process's own is left out."""
    found: list[FlowRun] = []
    while len(found) % PAGE == 0:
        page = client.read_flow_runs(
            flow_run_filter=_UNDER_WAY, deployment_filter=_OURS, limit=PAGE, offset=len(found)
        )
        found += page
        if not page:
            break
    return [run for run in map(Run.of, found) if run and str(run.id) != flow_run.id]


def form_of(client: SyncPrefectClient, run: Run) -> Any | None:
    """The schema of the form that the run waits with, or None before it is saved."""
    return read_input(client, run.id, run.form) if run.form else None


def resume(client: SyncPrefectClient, run_id: str) -> bool:
    """Resumes a suspended run with nothing filled in; False where Prefect does not accept it now, or has no such run."""
    try:
        result = client.resume_flow_run(UUID(run_id), run_input=BLANK)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != httpx.codes.NOT_FOUND:
            raise
        return False
    return result.status == SetStateStatus.ACCEPT


def end_as_crashed(client: SyncPrefectClient, run: Run, why: str) -> None:
    """Ends a run whose process was lost, so that it gives back its place in the work pool."""
    client.set_flow_run_state(run.id, Crashed(message=why), force=True)


def end_as_cancelled(client: SyncPrefectClient, run: Run, why: str) -> None:
    """Ends a suspended run that nobody could ever resume."""
    client.set_flow_run_state(run.id, Cancelled(message=why), force=True)
