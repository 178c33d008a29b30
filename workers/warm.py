"""A Prefect worker that keeps its processes: a run starts in one that has loaded Prefect and the flows before.

The stock process worker starts a Python for every execution, which takes seconds; here an execution costs
what the flow itself does. `prefect worker start --type warm` finds it by the entry point in pyproject.toml.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import anyio
import anyio.abc
import httpx
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateName,
)
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import WorkerFlowRunResponse
from prefect.exceptions import InfrastructureNotFound
from prefect.states import Cancelled
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult
from pydantic import Field

from adapters.patches import in_force
from adapters.prefect.patches.remembering import remember_answers
from workers.child import OF_A_RUN
from workers.children import GRACE, Child, Children, Executed, remove_what_the_dead_left
from workers.listening import Listener, next_of

CANCELLATIONS_EVERY = 1.0
"""Seconds between two looks for running runs that somebody cancelled, while the worker hears of none."""
POLL_ANYWAY = 5.0
"""Seconds between two polls, and two such looks, while the worker hears what there is to do."""
TOGETHER = 0.05
"""Seconds in which news count as one: a hundred runs that are resumed at once are polled for once."""
SETTLED = 3.0
"""Seconds after news for which it polls every second all the same: what it heard of may have come late."""
CHILDREN = max(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2)
PLACES = CHILDREN + 1
"""Runs that a worker takes at once, unless `--limit` says otherwise: one more than it has processes, so that whichever is
through has the next one at once, and no more, which another worker could begin meanwhile."""
OFFERED = 200
"""Runs that Prefect's server offers at once, at most."""
RUNS_PER_CHILD = 500
MEMORY_MIB = 512


class WarmJobConfiguration(BaseJobConfiguration):
    """What a run gets: its environment, and how long its process may be used."""

    children: int = Field(default=CHILDREN, ge=1)
    runs_per_child: int = Field(default=RUNS_PER_CHILD, ge=1)
    memory_mib: int = Field(default=MEMORY_MIB, ge=64)
    grace_seconds: int = Field(default=GRACE, ge=0)
    preload: list[str] = Field(default_factory=list)


class WarmVariables(BaseVariables):
    """What a work pool or a deployment may set."""

    children: int = Field(
        default=CHILDREN,
        ge=1,
        description="Runs of one environment that are executed at the same time; more wait their turn.",
    )
    runs_per_child: int = Field(
        default=RUNS_PER_CHILD, ge=1, description="Runs after which a process is replaced by a new one."
    )
    memory_mib: int = Field(
        default=MEMORY_MIB,
        ge=64,
        description="Mebibytes of memory above which a process is replaced after its run.",
    )
    grace_seconds: int = Field(
        default=GRACE, ge=0, description="Seconds that a cancelled run has to end by itself."
    )
    preload: list[str] = Field(
        default_factory=list, description="Modules that a new process loads before its first run."
    )


class WarmWorkerResult(BaseWorkerResult):
    """How an execution ended: 0, or what its process would have ended with."""


class WarmWorker(BaseWorker[WarmJobConfiguration, WarmVariables, WarmWorkerResult]):
    """Executes flow runs in processes that stay.

    A process that crashes takes down its own run only, which is reported to Prefect, and is replaced; so is one
    that has executed many runs or holds much memory. Runs of different environments share no process.
    """

    type = "warm"
    job_configuration = WarmJobConfiguration
    job_configuration_variables = WarmVariables

    _display_name = "Warm process"
    _description = "Execute flow runs in long-lived processes with Prefect and the flows already loaded."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["limit"] = kwargs.get("limit") or PLACES
        super().__init__(*args, **kwargs)
        self._children: dict[frozenset[tuple[str, str]], Children] = {}
        self._executing: dict[UUID, Child | None] = {}
        self._cancelled: set[UUID] = set()
        self._news = Listener()
        self._freed = False
        self._heard = self._polled = -math.inf
        """When this worker heard of a run, and when it polled."""
        self._polling = asyncio.Lock()
        self._scopes: list[anyio.CancelScope] = []
        self._until_teardown = contextlib.AsyncExitStack()
        self._services: anyio.abc.TaskGroup

    async def setup(self) -> None:
        """Begins to listen, and to watch for cancellations."""
        remember_answers()
        await asyncio.to_thread(remove_what_the_dead_left)
        await super().setup()
        self._services = await self._until_teardown.enter_async_context(anyio.create_task_group())
        for service in (self._listen, self._poll_on_news, self._watch):
            self._scopes.append(await self._services.start(_until_cancelled, service))

    async def teardown(self, *exc_info: Any) -> None:
        """Lets the runs come to their end, then ends the processes."""
        for scope in self._scopes:
            scope.cancel()
        async with contextlib.AsyncExitStack() as afterwards:  # whatever fails before; in the reverse order
            afterwards.push_async_callback(self._end_processes)
            afterwards.push_async_callback(super().teardown, *exc_info)
            await self._until_teardown.__aexit__(
                *exc_info
            )  # begun after the base worker's tasks, so before them

    async def _end_processes(self) -> None:
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as ending:
                for children in self._children.values():
                    for child in [*children.idle, *children.busy]:
                        ending.start_soon(child.end)
        self._children.clear()

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Polls, as every worker does; seldom while this one hears of what is new and there was nothing."""
        now = time.monotonic()
        if self._news.hears and now - self._heard > SETTLED and now - self._polled < POLL_ANYWAY:
            return []
        return await self._poll()

    async def _poll(self) -> list[FlowRun]:
        async with self._polling:  # an answer that came late would offer what is executed by now
            self._polled = time.monotonic()
            return await super().get_and_submit_flow_runs()

    async def _get_scheduled_flow_runs(self) -> list[WorkerFlowRunResponse]:
        """What is due, no more than it may take: of a round, thousands are, and the server reads all that it offers."""
        if not in_force("submitting"):
            return await super()._get_scheduled_flow_runs()
        # Twice its places: those that it executes may be offered again, where somebody resumed them in the meantime.
        before = datetime.now(UTC) + timedelta(seconds=int(self._prefetch_seconds))
        asked = {
            "scheduled_before": before.isoformat(),
            "limit": min(OFFERED, 2 * int(self.limiter.total_tokens)),
        }
        if self._work_queues:
            asked["work_queue_names"] = sorted(self._work_queues)
        try:
            answer = await self.client.request(
                "POST",
                "/work_pools/{name}/get_scheduled_flow_runs",
                path_params={"name": self._work_pool_name},
                json=asked,
            )
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND:
                raise
            return []  # the pool is made at the next sign of life
        return WorkerFlowRunResponse.model_validate_list(answer.json())

    async def _submit_scheduled_flow_runs(
        self, flow_run_response: list[WorkerFlowRunResponse]
    ) -> list[FlowRun]:
        """Takes what is due now; of the rest it knows when to ask again.

        The base worker would take what is due within `prefetch_seconds`, and hold a place for it until then. And for a
        run that was resumed while its former execution winds down, it would log a warning at every poll.
        """
        if not in_force("submitting"):
            return await super()._submit_scheduled_flow_runs(flow_run_response)
        loop, due = asyncio.get_running_loop(), []
        for entry in flow_run_response:
            start = entry.flow_run.next_scheduled_start_time
            ahead = start.timestamp() - time.time() if start is not None else 0.0
            if ahead > 0:
                loop.call_later(ahead, self._news.due.set)
            elif entry.flow_run.id not in self._executing:
                due.append(entry)
        return await super()._submit_scheduled_flow_runs(due)

    async def _submit_run(self, flow_run: FlowRun) -> None:
        """As the base worker does, except for what costs the server a request and nobody looks at.

        That is the number of the run's process: only this worker could use it, and knows it.
        """
        if not in_force("submitting"):
            await super()._submit_run(flow_run)
            return
        assert self._runs_task_group is not None
        try:
            if await self._propose_pending_state(flow_run):
                await self._runs_task_group.start(self._submit_run_and_capture_errors, flow_run)
            else:
                self._release_limit_slot(flow_run.id)
        finally:
            self._submitting_flow_run_ids.discard(flow_run.id)

    async def _give_worker_labels_to_flow_run(self, flow_run_id: UUID) -> None:
        """The run's labels would say which worker and pool it had; its logs do."""
        if not in_force("submitting"):
            await super()._give_worker_labels_to_flow_run(flow_run_id)

    async def _propose_submitting_state(self, flow_run: FlowRun) -> None:
        """A run is Pending for some milliseconds only: that it is being submitted is no news."""
        if not in_force("submitting"):
            await super()._propose_submitting_state(flow_run)

    async def run(
        self,
        flow_run: FlowRun,
        configuration: WarmJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> WarmWorkerResult:
        """Executes the run in a warm process of its environment."""
        everything = {**os.environ, **{k: v for k, v in configuration.env.items() if v is not None}}
        shared = {name: value for name, value in everything.items() if not name.startswith(OF_A_RUN)}
        own = {name: value for name, value in everything.items() if name.startswith(OF_A_RUN)}
        children = self._children.setdefault(
            frozenset(shared.items()),
            Children(shared, configuration.preload, anyio.CapacityLimiter(configuration.children)),
        )
        self._executing[flow_run.id] = None
        executed = Executed(status=0)
        try:
            async with children.turns:
                child = await children.take()
                child.grace = configuration.grace_seconds
                self._executing[flow_run.id] = child
                if task_status is not None:
                    task_status.started(child.process.pid)
                usable = True
                try:
                    if flow_run.id not in self._cancelled:  # before its process was there
                        usable = False
                        with anyio.CancelScope(shield=True):
                            executed = await child.execute(flow_run, own)
                        usable = (
                            executed.status == 0
                            and child.runs < configuration.runs_per_child
                            and executed.memory < configuration.memory_mib * 1024 * 1024
                        )
                finally:
                    with anyio.CancelScope(shield=True):
                        await children.give_back(child, usable=usable)
            status = executed.status
            if flow_run.id in self._cancelled or (
                executed.refused and await self._is_cancelling(flow_run.id)
            ):
                self._cancelled.discard(flow_run.id)
                await self.client.set_flow_run_state(
                    flow_run.id,
                    Cancelled(message="Its process was ended because the run was cancelled."),
                    force=True,
                )
                status = 0
        finally:
            del self._executing[flow_run.id]
            self._freed = True  # what waits for the place need not wait for the next poll
            self._news.due.set()
        return WarmWorkerResult(status_code=status, identifier=str(child.process.pid))

    async def _is_cancelling(self, run: UUID) -> bool:
        return bool(await self.client.read_flow_runs(flow_run_filter=_cancelling([run])))

    async def _listen(self) -> None:
        while (pool := self.get_status()["work_pool"]) is None:  # not known before the server answers
            await anyio.sleep(CANCELLATIONS_EVERY)
        await self._news.listen(UUID(pool["id"]))

    async def _poll_on_news(self) -> None:
        """Polls when a run may be due, and when a place became free."""
        while True:
            await self._news.due.wait()
            self._news.due.clear()
            freed, self._freed = self._freed, False
            if not freed:
                self._heard = time.monotonic()
            with contextlib.suppress(Exception):  # the poll itself reports what is wrong
                if freed or not self._has_no_place():
                    found = await self._poll()
                    if not found and not freed:
                        await anyio.sleep(TOGETHER)  # the server tells of a run before it has written it
                        await self._poll()
            await anyio.sleep(TOGETHER)

    def _has_no_place(self) -> bool:
        pool = self.get_status()["work_pool"]
        limit = pool["concurrency_limit"] if pool else None
        full = limit is not None and len(self._executing) >= limit
        return full or self.limiter.available_tokens < 1

    async def _watch(self) -> None:
        """Looks for running runs that somebody cancelled, and ends their processes."""
        while True:
            await next_of(self._news.cancelled, POLL_ANYWAY if self._news.hears else CANCELLATIONS_EVERY)
            under_way = [run for run in self._executing if run not in self._cancelled]
            if not under_way:
                continue
            with contextlib.suppress(Exception):  # the server is away: the next look finds it
                for run in await self.client.read_flow_runs(flow_run_filter=_cancelling(under_way)):
                    await self._end_run(run.id)

    async def _end_run(self, run: UUID) -> None:
        child = self._executing.get(run)
        if child is None and run in self._executing:
            self._cancelled.add(run)  # it waits for a process, which will not be told to begin
        if child is None or child.run != run:
            return
        self._cancelled.add(run)
        child.signal(signal.SIGTERM)
        self._services.start_soon(_kill_after_grace, child, run)

    async def kill_infrastructure(
        self, infrastructure_pid: str, configuration: WarmJobConfiguration, grace_seconds: int = 30
    ) -> None:
        """Ends the process of a run that was cancelled before it began.

        Raises:
            InfrastructureNotFound: no process of this worker executes it.
        """
        for child in self._executing.values():
            if child is not None and str(child.process.pid) == infrastructure_pid:
                await child.end(grace_seconds)
                return
        raise InfrastructureNotFound(f"This worker has no process {infrastructure_pid}.")


async def _until_cancelled(
    service: Callable[[], Awaitable[None]], task_status: anyio.abc.TaskStatus[anyio.CancelScope]
) -> None:
    with anyio.CancelScope() as scope:
        task_status.started(scope)
        await service()


async def _kill_after_grace(child: Child, run: UUID) -> None:
    with anyio.move_on_after(child.grace):
        while child.run == run:
            await anyio.sleep(0.1)
    if child.run == run:
        child.signal(signal.SIGKILL)


def _cancelling(runs: list[UUID]) -> FlowRunFilter:
    return FlowRunFilter(
        id=FlowRunFilterId(any_=runs),
        state=FlowRunFilterState(name=FlowRunFilterStateName(any_=["Cancelling"])),
    )
