"""How Prefect itself is: whether its services still schedule runs, and whether a worker takes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound

from adapters.prefect.address import POOL
from adapters.prefect.client import PrefectClient

STATES = (
    StateType.SCHEDULED,
    StateType.PENDING,
    StateType.RUNNING,
    StateType.PAUSED,
    StateType.FAILED,
    StateType.CRASHED,
)
"""Of runs that are counted; those that wait for people are paused."""
UPKEEP = "upkeep"
"""The deployment that is scheduled every ten minutes, at least an hour ahead."""
AHEAD = timedelta(minutes=30)
"""How far ahead it must be scheduled: Prefect's scheduler works every minute."""
HEARD_WITHIN = timedelta(seconds=120)
"""Within which a worker must have told that it is there: it does so every thirty seconds."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What Prefect's server says of its services and workers."""

    scheduled_until: datetime | None
    """The last run of upkeep that is scheduled; None where none is."""
    workers: dict[str, datetime | None]
    """When each worker of the pool was heard of last."""
    late: int
    """Runs that should have begun, and wait."""
    runs: dict[StateType, int]
    """How many runs there are in each of `STATES`."""

    def schedules(self) -> bool:
        """Whether Prefect's background services work: they have scheduled upkeep ahead."""
        return self.scheduled_until is not None and self.scheduled_until > datetime.now(UTC) + AHEAD

    def works(self) -> bool:
        """Whether a worker was heard of lately."""
        return any(at is not None and at > datetime.now(UTC) - HEARD_WITHIN for at in self.workers.values())


def look_at_engine(client: PrefectClient) -> Engine:
    """Asks Prefect's server.

    Raises:
        OutOfReach: where `client` is within `prefect_client`, and the server does not answer.
    """
    scheduled = client.read_flow_runs(
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[UPKEEP])),
        flow_run_filter=_in_state(StateType.SCHEDULED),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=1,
    )
    late = client.count_flow_runs(
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(name=FlowRunFilterStateName(any_=["Late"])))
    )
    try:
        workers = client.read_workers_for_work_pool(POOL)
    except ObjectNotFound:
        workers = []
    return Engine(
        scheduled[0].expected_start_time if scheduled else None,
        {one.name: one.last_heartbeat_time for one in workers},
        late,
        {state: client.count_flow_runs(flow_run_filter=_in_state(state)) for state in STATES},
    )


def _in_state(state: StateType) -> FlowRunFilter:
    return FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[state])))
