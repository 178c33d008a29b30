"""The warm worker on a real server: processes that stay, and what happens to them when runs misbehave."""

from __future__ import annotations

import functools
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Cancelling

from tasks.runs import prefect_client
from tests.e2e.conftest import Stage_
from tests.support import odd_flows

PATIENCE = 40.0

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stage"), pytest.mark.timeout(180)]


@dataclass
class Yard:
    """A work pool with a worker of its own on the server of the stage."""

    stage: Stage_
    client: SyncPrefectClient
    pool: str
    folder: Path

    def start(
        self, flow: str, deployment: str = "plain", job: dict[str, Any] | None = None, **parameters: Any
    ) -> UUID:
        """A run of one of the odd flows."""
        (self.folder / flow).mkdir(exist_ok=True)
        made = self.client.create_deployment(
            flow_id=self.client.create_flow(getattr(odd_flows, flow)),
            name=f"{self.pool}-{deployment}",
            work_pool_name=self.pool,
            entrypoint=f"tests.support.odd_flows.{flow}",
            job_variables=job or {},
        )
        given = {"folder": str(self.folder / flow), **parameters}
        return self.client.create_flow_run_from_deployment(made, parameters=given).id

    def run(self, run: UUID) -> FlowRun:
        return self.client.read_flow_run(run)

    def said(self, flow: str) -> list[tuple[int, str]]:
        """What runs of a flow left: the process and the word."""
        file = self.folder / flow / "said"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(int(pid), word) for pid, _, word in (line.partition(" ") for line in lines)]

    def has_said(self, flow: str, word: str) -> bool:
        return any(said == word for _, said in self.said(flow))

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}\n{self.log()}"
            time.sleep(0.2)

    def until_over(self, run: UUID) -> StateType:
        self.until(
            lambda: (state := self.run(run).state) and state.is_final(), f"{self.run(run).name} is over"
        )
        state = self.run(run).state
        assert state is not None
        return state.type

    def start_worker(self, kind: str, *options: str) -> None:
        self.stage.running.start(
            f"worker of {self.pool}",
            [
                sys.executable, "-m", "workers", "worker", "start", "--pool", self.pool, "--type", kind,
                "--name", f"{socket.gethostname()}-{self.pool}", "--install-policy", "never", *options,
            ],
        )  # fmt: skip

    @property
    def worker(self) -> Any:
        return self.stage.running.processes[f"worker of {self.pool}"]

    def log(self) -> str:
        return (self.stage.here.settings.home / "logs" / f"worker of {self.pool}.log").read_text()[-3000:]


@pytest.fixture
def yard_of(stage: Stage_, tmp_path: Path) -> Iterator[Callable[..., Yard]]:
    opened = []
    with prefect_client() as client:

        def open_yard(name: str, kind: str = "warm", *options: str) -> Yard:
            client.create_work_pool(WorkPoolCreate(name=name, type=kind))
            yard = Yard(stage, client, name, tmp_path)
            opened.append(yard)
            yard.start_worker(kind, *options)
            return yard

        yield open_yard
        for yard in opened:
            yard.worker.kill()
            yard.worker.wait(10)
            del stage.running.processes[f"worker of {yard.pool}"]


def alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_processes_stay_and_what_a_run_does_to_its_own_harms_no_other(yard_of: Callable[..., Yard]) -> None:
    yard = yard_of("yard")
    runs = {
        "ends": [yard.start("ends") for _ in range(4)],
        "elsewhere": [yard.start("ends", "elsewhere", {"env": {"ODD": "something"}})],
        "fails": [yard.start("fails")],
        "leaves": [yard.start("leaves", status=3), yard.start("leaves", status=0)],
        "breaks": [yard.start("breaks")],
        "forks": [yard.start("forks")],
        "grows": [yard.start("grows", "bounded", {"memory_mib": 300}) for _ in range(2)],
        "once": [yard.start("takes_a_while", "once", {"runs_per_child": 1}) for _ in range(2)],
    }  # fmt: skip
    hanging = {
        "hangs": yard.start("hangs"),
        "hangs deaf": yard.start("hangs", "deaf", {"grace_seconds": 1}, deaf=True),
    }
    for word, run in hanging.items():
        yard.until(functools.partial(yard.has_said, "hangs", word), f"a run {word}")
        yard.client.set_flow_run_state(run, Cancelling(), force=True)
    over = {name: {yard.until_over(run) for run in several} for name, several in runs.items()}
    assert over == {
        "ends": {StateType.COMPLETED},
        "elsewhere": {StateType.COMPLETED},
        "fails": {StateType.FAILED},
        "leaves": {StateType.CRASHED},
        "breaks": {StateType.CRASHED},
        "forks": {StateType.CRASHED},
        "grows": {StateType.COMPLETED},
        "once": {StateType.COMPLETED},
    }
    assert [yard.until_over(run) for run in hanging.values()] == [StateType.CANCELLED] * 2
    ended = yard.said("ends")
    assert sorted(word for _, word in ended) == ["nothing"] * 4 + ["something"]
    of_another_environment = {pid for pid, word in ended if word == "something"}
    assert not of_another_environment & {pid for pid, word in ended if word == "nothing"}
    assert len({pid for pid, _ in yard.said("grows")}) == 2, "a process that holds much is replaced"
    assert len({pid for pid, _ in yard.said("takes_a_while")}) == 2, "and one that has executed enough"
    [(forked_by, left_behind)] = yard.said("forks")
    yard.until(lambda: not alive(forked_by) and not alive(int(left_behind)), "what a run forked is gone")
    later = [yard.start("ends") for _ in range(3)]
    assert {yard.until_over(run) for run in later} == {StateType.COMPLETED}
    assert len({pid for pid, _ in yard.said("ends")[-3:]}) <= 2, (
        "three runs, at most as many processes as places"
    )
    assert yard.worker.poll() is None


def test_a_worker_that_is_asked_to_end_lets_its_run_end_and_leaves_nothing(
    yard_of: Callable[..., Yard],
) -> None:
    yard = yard_of("ending")
    run = yard.start("takes_a_while")
    yard.until(lambda: yard.said("takes_a_while"), "the run has begun")
    yard.worker.send_signal(signal.SIGTERM)
    yard.worker.wait(30)
    assert [word for _, word in yard.said("takes_a_while")] == ["begins", "ends"]
    assert yard.until_over(run) is StateType.COMPLETED
    assert not alive(yard.said("takes_a_while")[0][0])


def test_the_processes_of_a_worker_that_was_killed_end_after_their_run(yard_of: Callable[..., Yard]) -> None:
    yard = yard_of("killed")
    run = yard.start("takes_a_while")
    yard.until(lambda: yard.said("takes_a_while"), "the run has begun")
    os.kill(yard.worker.pid, signal.SIGKILL)
    assert yard.until_over(run) is StateType.COMPLETED
    yard.until(lambda: not alive(yard.said("takes_a_while")[0][0]), "its process is gone")


@pytest.mark.parametrize("kind", ["warm", "process"])
def test_a_resume_while_the_former_execution_winds_down_stops_only_the_stock_worker(
    yard_of: Callable[..., Yard], kind: str
) -> None:
    yard = yard_of(f"resumed-{kind}", kind, "--limit", "4")
    run = yard.start("winds_down")

    def resumed() -> bool:
        state = yard.run(run).state
        if state is None or not state.is_paused():
            return False
        return yard.client.resume_flow_run(run, run_input={"word": ""}).status.value == "ACCEPT"

    yard.until(resumed, "it is resumed while its first execution winds down")
    if kind == "warm":
        assert yard.until_over(run) is StateType.COMPLETED
        assert yard.worker.poll() is None
    else:
        yard.until(lambda: yard.worker.poll() is not None, "the stock worker has stopped")
        assert "already holding one of this CapacityLimiter's tokens" in yard.log()
