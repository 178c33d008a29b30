"""What a worker and its processes ask Prefect's server only once, and tell it only once."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect.client.base import PrefectHttpxAsyncClient, PrefectHttpxSyncClient
from prefect.events import Event, Resource
from prefect.events.worker import EventsWorker

from adapters.prefect.patches import remembering, reporting
from adapters.prefect.patches.remembering import remember_answers
from adapters.prefect.patches.reporting import Waiting

DEPLOYMENT = f"/api/deployments/{uuid4()}"
RUN = f"/api/flow_runs/{uuid4()}"


class Asked:
    """A server that counts what it is asked."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        status = 404 if "missing" in request.url.query.decode() else 200
        return httpx.Response(status, json={"path": request.url.path})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    for kind in (PrefectHttpxSyncClient, PrefectHttpxAsyncClient):
        monkeypatch.setattr(kind, "send", kind.send)  # and back again
    monkeypatch.setattr(remembering, "_answers", {})
    remember_answers()
    remember_answers()
    return Asked()


def test_a_deployment_is_asked_for_once_by_all_clients_and_a_run_each_time(asked: Asked) -> None:
    async def ask() -> list[Any]:
        transport = httpx.MockTransport(asked)
        async with PrefectHttpxAsyncClient(base_url="http://server", transport=transport) as client:
            return [(await client.get(path)).json() for path in (DEPLOYMENT, RUN, RUN)]

    with PrefectHttpxSyncClient(base_url="http://server", transport=httpx.MockTransport(asked)) as client:
        first = [client.get(DEPLOYMENT).json(), client.get(DEPLOYMENT).json()]
    later = asyncio.run(ask())
    assert asked.paths == [DEPLOYMENT, RUN, RUN]
    assert first == [{"path": DEPLOYMENT}] * 2
    assert later == [{"path": DEPLOYMENT}, {"path": RUN}, {"path": RUN}]


def test_an_answer_is_asked_for_again_after_a_while_and_a_refusal_at_once(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PrefectHttpxSyncClient(base_url="http://server", transport=httpx.MockTransport(asked)) as client:
        client.get(DEPLOYMENT)
        monkeypatch.setattr("adapters.prefect.patches.remembering.time.monotonic", lambda: float("inf"))
        client.get(DEPLOYMENT)
        client.delete(DEPLOYMENT)
        client.raise_on_all_errors = False
        for _ in range(2):
            client.get(f"{DEPLOYMENT}?missing=1")
    assert asked.paths == [DEPLOYMENT] * 5


class Worker(EventsWorker):
    """Prefect's service for events, with nobody at its other end."""

    def __init__(self) -> None:
        self._context_cache = {}
        self._stopped = False
        self.again: list[Event] = []
        self._queue = self  # type: ignore[assignment]

    def put_nowait(self, event: Event) -> None:
        self.again.append(event)


def told(states: list[str], wait: float = 0.0) -> tuple[list[Event], Worker]:
    """What is told of one task that goes through these states, and then of the rest."""
    worker, heard = Worker(), list[Event]()

    async def tell(_: EventsWorker, event: Event) -> None:
        heard.append(event)

    async def happen() -> None:
        waiting, former = Waiting(tell), None
        for state in states:
            event = Event(
                event=f"prefect.task-run.{state.title()}",
                resource=Resource({"prefect.resource.id": "prefect.task-run.1"}),
                payload={"intended": {"to": state}},
                follows=former,
            )
            await waiting.handle(worker, event)
            former = event.id
            await asyncio.sleep(wait)
            while worker.again:
                await waiting.handle(worker, worker.again.pop())
        await waiting.handle(
            worker, Event(event="prefect.flow-run.heartbeat", resource={"prefect.resource.id": "r"})
        )
        await waiting.tell_the_rest(worker)

    asyncio.run(happen())
    return heard, worker


def names(heard: list[Event]) -> list[str]:
    return [event.event.rpartition(".")[2] for event in heard]


def test_a_short_task_is_told_of_once_and_follows_nothing_that_was_left_out() -> None:
    heard, _ = told(["PENDING", "RUNNING", "COMPLETED"])
    assert names(heard) == ["Completed", "heartbeat"]
    assert heard[0].follows is None


def test_a_task_that_takes_its_time_is_told_of_when_it_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "WAIT", 0.01)
    heard, _ = told(["RUNNING", "FAILED"], wait=0.1)
    assert names(heard) == ["Running", "Failed", "heartbeat"]
    assert heard[1].follows == heard[0].id


def test_what_is_held_back_is_told_at_the_end() -> None:
    heard, _ = told(["PENDING", "RUNNING"])
    assert names(heard) == ["heartbeat", "Running"]
