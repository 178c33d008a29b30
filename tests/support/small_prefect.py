"""As much of Prefect's server as the process asks for, in memory: runs, their states and their forms."""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
import orjson
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound
from prefect.input import RunInput
from prefect.states import Completed, Failed, Pending, Running, Scheduled, Suspended

Around = Callable[[str], contextlib.AbstractContextManager[None]]

FLOW = UUID(int=1)


class Parked(BaseException):
    """How Prefect ends the process of a run that suspends."""


@dataclass
class _Run:
    id: UUID
    application: str
    name: str
    tags: list[str]
    state: State
    inputs: dict[str, bytes] = field(default_factory=dict)
    waits: set[str] = field(default_factory=set)
    """The keys that it has been suspended with."""


class SmallPrefect:
    """Behaves as Prefect 3.9.1 was seen to: see `docs/architecture.md` on what the process relies on.

    `around` is called with the name of everything that changes something, and may end the caller there.
    """

    def __init__(self, around: Around) -> None:
        self.around = around
        self.runs: dict[UUID, _Run] = {}
        self.artifacts: dict[str, list[str]] = {}
        self.executing: UUID | None = None
        self._lock = threading.Lock()
        self._asked_for: dict[str, UUID] = {}
        self._deployment = uuid4()

    # What happens to the server ------------------------------------------------------------------

    def lose_everything(self) -> None:
        """Its database is gone; the deployments were made again."""
        self.runs.clear()
        self._asked_for.clear()

    def state(self) -> Any:
        """All that it has, to go back to."""
        return copy.deepcopy((self.runs, self.artifacts, self._asked_for))

    def go_back(self, state: Any) -> None:
        """Has what it had, and executes nothing."""
        self.runs, self.artifacts, self._asked_for = copy.deepcopy(state)
        self.executing = None

    def age(self, by: timedelta) -> None:
        """Time passes for every run."""
        for run in self.runs.values():
            run.state = run.state.model_copy(update={"timestamp": run.state.timestamp - by})

    # What a client asks --------------------------------------------------------------------------

    @contextlib.contextmanager
    def client(self, sync_client: bool = True) -> Iterator[SmallPrefect]:
        """Stands in for `get_client`."""
        yield self

    def read_deployment_by_name(self, name: str) -> Any:
        return SimpleNamespace(id=uuid5(self._deployment, name), name=name)

    def create_flow_run_from_deployment(
        self,
        deployment: UUID,
        *,
        parameters: dict[str, Any],
        name: str,
        tags: list[str],
        idempotency_key: str,
    ) -> FlowRun:
        with self.around("Prefect is asked for a run"), self._lock:
            if idempotency_key not in self._asked_for:
                run = _Run(uuid4(), parameters["application_id"], name, tags, Scheduled())
                self.runs[run.id] = run
                self._asked_for[idempotency_key] = run.id
        return self.read_flow_run(self._asked_for[idempotency_key])

    def read_flow_run(self, run: UUID) -> FlowRun:
        if run not in self.runs:
            raise ObjectNotFound(http_exc=Exception("no such run"))
        known = self.runs[run]
        return FlowRun(
            id=run, flow_id=FLOW, name=known.name, tags=known.tags, state=known.state,
            state_type=known.state.type, parameters={"application_id": known.application},
        )  # fmt: skip

    def read_flow_runs(
        self, *, flow_run_filter: FlowRunFilter, limit: int, offset: int = 0, **_: Any
    ) -> list[FlowRun]:
        if flow_run_filter.id is not None:
            asked_for = flow_run_filter.id.any_ or []
            return [self.read_flow_run(run) for run in asked_for if run in self.runs][offset : offset + limit]
        under_way = [run for run in self.runs.values() if run.state.is_running() or run.state.is_pending()]
        return [self.read_flow_run(run.id) for run in under_way[offset : offset + limit]]

    def set_flow_run_state(self, run: UUID, state: State, force: bool = False) -> Any:
        with self.around(f"Prefect is told that a run is {str(state.name).lower()}"):
            self.runs[run].state = state
        return SimpleNamespace(status=SetStateStatus.ACCEPT)

    def resume_flow_run(self, run: UUID, run_input: dict[str, Any] | None = None) -> Any:
        if run not in self.runs:
            request = httpx.Request("POST", "http://x")
            httpx.Response(httpx.codes.NOT_FOUND, request=request).raise_for_status()
        known = self.runs[run]
        if not known.state.is_paused():
            return SimpleNamespace(status=SetStateStatus.ABORT)
        keys = known.state.state_details.run_input_keyset or {}
        if keys["schema"] not in known.inputs:
            return SimpleNamespace(status=SetStateStatus.REJECT)
        with self.around("Prefect resumes the run"):
            known.state = Scheduled(name="Resuming")
            if run_input:
                known.inputs[keys["response"]] = orjson.dumps(run_input)
        return SimpleNamespace(status=SetStateStatus.ACCEPT)

    def answers(self) -> list[bytes]:
        """What was filled in and is in Prefect still."""
        return [
            value
            for run in self.runs.values()
            for key, value in run.inputs.items()
            if key.endswith("-response") and orjson.loads(value) != {"code": ""}
        ]

    def read_flow_run_input(self, run: UUID, key: str) -> str:
        content = self.runs[run].inputs.get(key) if run in self.runs else None
        status = httpx.codes.NOT_FOUND if content is None else httpx.codes.OK
        response = httpx.Response(status, content=content or b"", request=httpx.Request("GET", "http://x"))
        return response.raise_for_status().text  # as Prefect's client does of itself

    def update_flow_run(self, run: UUID, *, name: str, tags: list[str]) -> None:
        with self.around("Prefect is told the run's name and tags"):
            if run in self.runs:
                self.runs[run].name, self.runs[run].tags = name, tags

    def request(
        self, method: str, path: str, *, path_params: dict[str, Any] | None = None, **more: Any
    ) -> httpx.Response:
        if (method, path) == ("POST", "/variables/filter"):
            return httpx.Response(httpx.codes.OK, json=[])
        assert path == "/flow_runs/{id}/input/{key}"
        assert path_params is not None
        run, key = path_params["id"], path_params["key"]
        inputs = self.runs[run].inputs if run in self.runs else {}
        there = inputs.get(key)
        if method == "DELETE":
            with self.around("the answer is deleted in Prefect"):
                inputs.pop(key, None)
        status = httpx.codes.NOT_FOUND if there is None else httpx.codes.OK
        content = b"" if method == "DELETE" or there is None else there
        request = httpx.Request(method, "http://x")
        return httpx.Response(status, content=content, request=request).raise_for_status()

    # What the worker and the run itself do ---------------------------------------------------------

    def scheduled(self) -> list[UUID]:
        """The runs that a worker would start now."""
        return [run.id for run in self.runs.values() if run.state.is_scheduled()]

    def execute(self, run: UUID, flow: Callable[[str], Any]) -> None:
        """One execution of a run, as the worker's process does it."""
        known = self.runs[run]
        self.set_flow_run_state(run, Pending())
        self.set_flow_run_state(run, Running())
        self.executing = run
        try:
            flow(known.application).send(None)
        except StopIteration as done:
            self.set_flow_run_state(run, Completed(message=str(done.value)))
        except Parked:
            pass
        except Exception as error:
            self.set_flow_run_state(run, Failed(message=repr(error)))
            raise
        finally:
            self.executing = None

    async def suspend(self, wait_for_input: type[RunInput], key: str) -> RunInput:
        """Stands in for `suspend_flow_run`: the state first, the form after it."""
        assert self.executing is not None
        run = self.runs[self.executing]
        names = {"schema": f"suspended-{key}-schema", "response": f"suspended-{key}-response"}
        if key in run.waits:
            return wait_for_input(**orjson.loads(run.inputs[names["response"]]))
        state: State[Any] = Suspended(pause_key=key)
        state.state_details.run_input_keyset = names
        run.waits.add(key)
        self.set_flow_run_state(run.id, state)
        with self.around("Prefect saves the form"):
            run.inputs[names["schema"]] = orjson.dumps(wait_for_input.model_json_schema())
        raise Parked

    def artifact(self, *, key: str, markdown: str, description: str) -> None:
        """Stands in for `create_markdown_artifact`."""
        with self.around(f"Prefect is given the {key.partition('-')[0]}"):
            self.artifacts.setdefault(key, []).append(markdown)
