"""The small process on our real services: Prefect's server, the warm worker, and clients of its API."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings

from adapters.prefect.address import POOL
from adapters.prefect.client import prefect_client
from benchmarks.peers.driving import Order, drive, open_office
from benchmarks.peers.prefect_flow import small_process
from benchmarks.processor import processor
from cli.processes import Services
from cli.services import free_port, services
from labels.settings import Settings

LOOK_EVERY = 0.1
"""Seconds between two questions to the server how many runs are suspended."""


class Prefect:
    """Runs of one deployment."""

    def __init__(self, running: Services, url: str) -> None:
        self._running, self._url = running, url
        self._runs: dict[str, UUID] = {}
        self._mine = threading.local()
        with prefect_client() as client:
            self._deployment = client.create_deployment(
                flow_id=client.create_flow(small_process),
                name="small",
                work_pool_name=POOL,
                entrypoint="benchmarks.peers.prefect_flow.small_process",
                job_variables={"preload": ["benchmarks.peers.prefect_flow"]},
            )

    def submit(self, form: dict[str, Any]) -> None:
        run = self._client().create_flow_run_from_deployment(self._deployment, parameters={"form": form})
        self._runs[form["id"]] = run.id

    def waiting(self) -> int:
        time.sleep(LOOK_EVERY)
        done = [StateType.PAUSED, StateType.COMPLETED]
        wanted = {
            "flow_runs": FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=done))
            ).model_dump(mode="json"),
            "deployments": DeploymentFilter(id=DeploymentFilterId(any_=[self._deployment])).model_dump(
                mode="json"
            ),
        }
        return int(self._client()._client.post("/flow_runs/count", json=wanted).raise_for_status().json())

    def approve(self, identifier: str) -> None:
        while True:  # its form is saved a moment after it is suspended
            try:
                done = self._client().resume_flow_run(self._runs[identifier], run_input={"approved": True})
                if done.status == SetStateStatus.ACCEPT:
                    return
            except (PrefectHTTPStatusError, httpx.HTTPStatusError) as error:
                if error.response.status_code not in (404, 409, 422):
                    raise
            time.sleep(0.02)

    def database(self) -> Path | str:
        return self._url or self._running.settings.home / "prefect" / "prefect.db"

    def parts(self) -> dict[str, float]:
        """Seconds of processor by process."""
        own = processor(os.getpid())
        spent = {name: processor(process.pid) for name, process in self._running.processes.items()}
        return spent | {"client": own - sum(spent.values())}

    def _client(self) -> SyncPrefectClient:
        if not hasattr(self._mine, "client"):
            with temporary_settings({PREFECT_API_URL: self._running.api_url}):  # threads inherit none
                self._mine.client = get_client(sync_client=True).__enter__()
        client: SyncPrefectClient = self._mine.client
        return client


if __name__ == "__main__":
    order = Order.read()
    office = open_office()
    if order.engine_url:
        os.environ["PREFECT_API_DATABASE_CONNECTION_URL"] = order.engine_url.replace(
            "postgresql://", "postgresql+asyncpg://"
        )
    settings = Settings(_env_file=None, home=order.home / "services")
    with services(settings, free_port(), free_port()) as (running, _):
        peer = Prefect(running, order.engine_url)
        drive(order, office, peer, peer.parts)
