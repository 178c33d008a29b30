"""The warm worker on a real server: processes that stay, and what happens to them when runs misbehave."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Cancelling, Scheduled

from adapters.prefect.client import prefect_client
from adapters.prefect.states import form_of, read_run
from adapters.supervision import supervised
from tests.e2e.conftest import Stage_
from tests.support import odd_flows
from tests.support.patience import PATIENCE, until
from tests.support.processes import alive

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stage")]


@dataclass
class Yard:
    """A work pool with a worker of its own on the server of the stage."""

    stage: Stage_
    client: SyncPrefectClient
    pool: str
    folder: Path

    def start(
        self,
        flow: str,
        deployment: str = "plain",
        job: dict[str, Any] | None = None,
        queue: str | None = None,
        state: State | None = None,
        **parameters: Any,
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
        return self.client.create_flow_run_from_deployment(
            made, parameters=given, work_queue_name=queue, state=state
        ).id

    def queue(self, name: str, **settings: Any) -> str:
        """A queue of the pool."""
        body = {"name": name, **settings}
        self.client.request(
            "POST",
            "/work_pools/{work_pool_name}/queues",
            path_params={"work_pool_name": self.pool},
            json=body,
        ).raise_for_status()
        return name

    def state(self, run: UUID) -> str:
        state = self.run(run).state
        return state.name or "" if state else ""

    def until_suspended(self, run: UUID) -> None:
        def waits() -> object:
            known = read_run(self.client, str(run))
            return known and form_of(self.client, known)

        self.until(waits, f"{run} is suspended with its form")

    def times(self, name: str) -> tuple[float, float]:
        """When the run of `tells_when` with this name began and ended."""
        words = [word.split() for _, word in self.said("tells_when") if word.split()[0] == name]
        [began, ended] = [float(word[2]) for word in words]
        return began, ended

    def begun(self) -> set[str]:
        """The names of the runs of `tells_when` that have begun."""
        return {word.split()[0] for _, word in self.said("tells_when")}

    def until_begun(self, *names: str) -> None:
        self.until(lambda: set(names) <= self.begun(), f"{' and '.join(names)} have begun")

    def let_end(self, *names: str) -> None:
        """Lets runs of `tells_when` end that wait to be told."""
        for name in names:
            (self.folder / "tells_when" / f"{name} may end").touch()

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
        until(condition, what, self.log)

    def until_over(self, run: UUID) -> StateType:
        self.until(
            lambda: (state := self.run(run).state) and state.is_final(), f"{self.run(run).name} is over"
        )
        state = self.run(run).state
        assert state is not None
        return state.type

    def start_worker(self, kind: str, *options: str, name: str = "worker") -> None:
        called = f"{socket.gethostname()}-{self.pool}-{name}"
        given = ["--pool", self.pool, "--type", kind, "--name", called, "--install-policy", "never", *options]
        self.stage.running.start(f"{name} of {self.pool}", supervised("workers", "worker", "start", *given))

    @property
    def worker(self) -> Any:
        return self.stage.running.processes[f"worker of {self.pool}"]

    def end(self) -> None:
        """Ends what was started here."""
        processes = self.stage.running.processes
        for name in [name for name in processes if name.endswith(f" of {self.pool}")]:
            processes[name].kill()
            processes.pop(name).wait(PATIENCE)

    def log(self) -> str:
        return (self.stage.here.settings.home / "logs" / f"worker of {self.pool}.log").read_text()[-3000:]


@pytest.fixture
def yard_of(stage: Stage_, tmp_path: Path) -> Iterator[Callable[..., Yard]]:
    opened = []
    with prefect_client() as client:

        def open_yard(name: str, kind: str = "warm", *options: str, limit: int | None = None) -> Yard:
            client.create_work_pool(WorkPoolCreate(name=name, type=kind, concurrency_limit=limit))
            yard = Yard(stage, client, name, tmp_path)
            opened.append(yard)
            yard.start_worker(kind, *options)
            return yard

        yield open_yard
        for yard in opened:
            yard.end()


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
        "once": [yard.start("tells_when", "once", {"runs_per_child": 1}, name=f"once-{n}") for n in range(2)],
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
    assert len({pid for pid, _ in yard.said("tells_when")}) == 2, "and one that has executed enough"
    [(forked_by, left_behind)] = yard.said("forks")
    yard.until(lambda: not alive(forked_by) and not alive(int(left_behind)), "what a run forked is gone")
    later = [yard.start("ends") for _ in range(3)]
    assert {yard.until_over(run) for run in later} == {StateType.COMPLETED}
    assert len({pid for pid, _ in yard.said("ends")[-3:]}) <= 2, (
        "three runs, at most as many processes as places"
    )
    assert yard.worker.poll() is None


@contextlib.contextmanager
def as_in_the_background() -> Iterator[None]:
    """Processes are started as a shell starts those that it puts in the background: deaf to Ctrl-C."""
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


@pytest.mark.parametrize(
    ("asked", "begun"),
    [
        (signal.SIGTERM, contextlib.nullcontext),
        (signal.SIGINT, contextlib.nullcontext),
        (signal.SIGTERM, as_in_the_background),
    ],
)
def test_a_worker_that_is_asked_to_end_lets_its_run_end_and_leaves_nothing(
    yard_of: Callable[..., Yard],
    asked: signal.Signals,
    begun: Callable[[], contextlib.AbstractContextManager[None]],
) -> None:
    with begun():
        yard = yard_of(f"ending-{asked.name.lower()}-{begun.__name__}")
    run = yard.start("tells_when", name="last", waits=True)
    yard.until_begun("last")
    yard.worker.send_signal(asked)
    yard.until(lambda: "Received SIG" in yard.log(), "the worker knows")
    assert yard.worker.poll() is None, "it waits for the run"
    yard.let_end("last")
    yard.worker.wait(PATIENCE)
    assert yard.times("last"), "it came to its end"
    assert yard.until_over(run) is StateType.COMPLETED
    assert not alive(yard.said("tells_when")[0][0])


def test_a_worker_that_is_asked_to_end_twice_ends_and_its_run_ends_without_it(
    yard_of: Callable[..., Yard],
) -> None:
    yard = yard_of("ending-now")
    run = yard.start("tells_when", name="long", waits=True)
    yard.until_begun("long")
    yard.worker.send_signal(signal.SIGTERM)
    yard.until(lambda: "Received SIGINT" in yard.log(), "the worker knows")
    assert yard.worker.poll() is None, "it waits for the run"
    yard.worker.send_signal(signal.SIGTERM)
    yard.worker.wait(PATIENCE)
    yard.let_end("long")
    assert yard.until_over(run) is StateType.COMPLETED
    yard.until(lambda: not alive(yard.said("tells_when")[0][0]), "the run's process is gone")


def test_the_processes_of_a_worker_that_was_killed_end_after_their_run(yard_of: Callable[..., Yard]) -> None:
    yard = yard_of("killed")
    run = yard.start("tells_when", name="killed", waits=True)
    yard.until_begun("killed")
    [(pid, word)] = yard.said("tells_when")
    os.kill(yard.worker.pid, signal.SIGKILL)
    yard.let_end("killed")
    assert yard.until_over(run) is StateType.COMPLETED
    yard.until(lambda: not alive(pid), "its process is gone")
    assert not Path(word.split()[3]).exists(), "and its folder with it"


def test_what_a_worker_and_its_process_leave_when_both_are_killed_the_next_one_removes(
    yard_of: Callable[..., Yard],
) -> None:
    yard = yard_of("both-killed")
    yard.start("tells_when", name="both", waits=True)
    yard.until_begun("both")
    [(pid, word)] = yard.said("tells_when")
    os.kill(yard.worker.pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    folder = Path(word.split()[3])
    assert folder.name.startswith("labels-run-")
    assert folder.exists()
    yard.start_worker("warm", name="next")
    yard.until(lambda: not folder.exists(), "the folder is gone")


def test_a_process_that_dies_between_two_runs_or_at_its_start_costs_no_run_but_its_own(
    yard_of: Callable[..., Yard], tmp_path: Path
) -> None:
    yard = yard_of("deaths")
    assert yard.until_over(yard.start("ends")) is StateType.COMPLETED
    [(pid, _)] = yard.said("ends")
    os.kill(pid, signal.SIGKILL)
    assert yard.until_over(yard.start("ends")) is StateType.COMPLETED
    assert yard.said("ends")[-1][0] != pid
    dies = {"preload": ["tests.support.dies_once"], "env": {"DIES_ONCE": str(tmp_path / "died")}}
    assert yard.until_over(yard.start("ends", "dies", dies)) is StateType.CRASHED
    assert yard.until_over(yard.start("ends", "dies", dies)) is StateType.COMPLETED
    assert yard.worker.poll() is None


def test_places_are_the_pools_and_its_queues_and_go_by_priority(yard_of: Callable[..., Yard]) -> None:
    yard = yard_of("limited", limit=1)
    job = {"children": 4}
    urgent, later = yard.queue("urgent", priority=1), yard.queue("later", priority=9)
    runs = [yard.start("tells_when", job=job, queue=later, name="first", waits=True)]
    yard.until_begun("first")
    runs += [yard.start("tells_when", job=job, queue=later, name="third")]
    runs += [yard.start("tells_when", job=job, queue=urgent, name="second")]
    yard.let_end("first")
    assert {yard.until_over(run) for run in runs} == {StateType.COMPLETED}
    assert yard.times("first")[1] < yard.times("second")[0], "one place"
    assert yard.times("second")[1] < yard.times("third")[0], "which goes to the urgent one first"

    yard.client.update_work_pool(yard.pool, WorkPoolUpdate(concurrency_limit=4))
    narrow, wide = yard.queue("narrow", concurrency_limit=1), yard.queue("wide")
    runs = [
        yard.start("tells_when", job=job, queue=queue, name=name, waits=True)
        for name, queue in {"n1": narrow, "n2": narrow, "w1": wide, "w2": wide}.items()
    ]
    yard.until(lambda: {"n1", "n2"} & yard.begun(), "one of the narrow queue has begun")
    yard.until_begun("w1", "w2")  # which it does not hold up
    yard.let_end("n1", "n2", "w1", "w2")
    assert {yard.until_over(run) for run in runs} == {StateType.COMPLETED}
    (one, two) = sorted(map(yard.times, ("n1", "n2")))
    assert one[1] <= two[0], "a queue of one place"


def test_a_run_that_is_due_later_begins_then_and_holds_no_place_before(yard_of: Callable[..., Yard]) -> None:
    # A worker fetches what is due within so many seconds.
    yard = yard_of("later", "warm", "--prefetch-seconds", "7200", limit=1)

    def in_(seconds: float) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=seconds)

    planned = yard.start("tells_when", state=Scheduled(scheduled_time=in_(3600)), name="planned")
    assert yard.until_over(yard.start("tells_when", name="before")) is StateType.COMPLETED
    assert yard.begun() == {"before"}, "the one place was free"
    due = in_(2)
    yard.client.set_flow_run_state(planned, Scheduled(scheduled_time=due))
    assert yard.until_over(planned) is StateType.COMPLETED
    assert yard.times("planned")[0] >= due.timestamp()


def test_of_two_workers_each_run_is_executed_by_one(yard_of: Callable[..., Yard]) -> None:
    yard = yard_of("two")
    yard.start_worker("warm", name="other")
    runs = [yard.start("tells_when", name=f"r{n}") for n in range(12)]
    assert {yard.until_over(run) for run in runs} == {StateType.COMPLETED}
    begun = [word.split()[0] for _, word in yard.said("tells_when") if word.split()[1] == "begins"]
    assert sorted(begun) == sorted(f"r{n}" for n in range(12))
    folders = [Path(word.split()[3]) for _, word in yard.said("tells_when") if word.split()[1] == "begins"]
    yard.until(lambda: not any(folder.exists() for folder in folders), "no folder is left")


def test_a_worker_takes_no_more_runs_than_it_has_places_and_leaves_the_rest_to_another(
    yard_of: Callable[..., Yard],
) -> None:
    yard = yard_of("places", "warm", "--limit", "2")
    names = [f"r{n}" for n in range(5)]
    runs = [yard.start("tells_when", job={"children": 5}, name=name, waits=True) for name in names]
    yard.until(lambda: len(yard.begun()) == 2, "two have begun")
    waiting = [run for run in runs if yard.state(run) not in {"Running", "Pending"}]
    assert len(waiting) == 3, "they are nobody's yet"
    yard.start_worker("warm", "--limit", "3", name="other")
    yard.until_begun(*names)
    yard.let_end(*names)
    assert {yard.until_over(run) for run in runs} == {StateType.COMPLETED}


def test_a_storm_of_resumes_moves_every_run_on_once_and_its_log_is_there(
    yard_of: Callable[..., Yard],
) -> None:
    yard = yard_of("storm", limit=4)
    runs = [yard.start("waits", job={"children": 4}, name=f"run {n}") for n in range(24)]
    for run in runs:
        yard.until_suspended(run)

    def resume(run: UUID) -> str:
        return yard.client.resume_flow_run(run, run_input={"word": "on"}).status.value

    with ThreadPoolExecutor(12) as callers:
        assert set(callers.map(resume, runs)) == {"ACCEPT"}
    assert {yard.until_over(run) for run in runs} == {StateType.COMPLETED}
    assert sorted(word for _, word in yard.said("waits")) == sorted(f"run {n} goes on" for n in range(24))

    def told() -> list[str]:
        logs = yard.client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=runs)))
        return sorted(log.message for log in logs if log.message.endswith("goes on"))

    # A run's last lines are sent in a batch, and may come a moment after its last state.
    yard.until(lambda: len(told()) == 24, "the log of each is there")
    assert told() == sorted(f"run {n} goes on" for n in range(24))


def test_a_run_is_cancelled_wherever_it_stands(yard_of: Callable[..., Yard]) -> None:
    yard = yard_of("cancelled", limit=1)
    starting = yard.start("tells_when", name="starting", waits=True)  # its process loads Prefect first
    waiting = yard.start("tells_when", name="waiting")
    yard.until(lambda: yard.state(starting) in {"Pending", "Running"}, "it is about to start")
    for run in (starting, waiting):
        yard.client.set_flow_run_state(run, Cancelling())
    assert [yard.until_over(run) for run in (starting, waiting)] == [StateType.CANCELLED] * 2
    suspended = yard.start("waits", name="suspended")
    yard.until_suspended(suspended)
    yard.client.set_flow_run_state(suspended, Cancelling())
    assert yard.until_over(suspended) is StateType.CANCELLED
    assert yard.until_over(yard.start("tells_when", name="after")) is StateType.COMPLETED
    assert {word.split()[0] for _, word in yard.said("tells_when")} <= {"after", "starting"}
    assert not yard.said("waits")


@pytest.mark.parametrize("kind", ["warm", "process"])
def test_a_resume_while_the_former_execution_winds_down_goes_on_after_it(
    yard_of: Callable[..., Yard], kind: str, tmp_path: Path
) -> None:
    yard = yard_of(f"resumed-{kind}", kind, "--limit", "4")
    run = yard.start("winds_down")

    def resumed() -> bool:
        state = yard.run(run).state
        if state is None or not state.is_paused():
            return False
        return yard.client.resume_flow_run(run, run_input={"word": ""}).status.value == "ACCEPT"

    yard.until(resumed, "it is resumed while its first execution winds down")
    if kind == "process":
        yard.until(lambda: "Duplicate submission" in yard.log(), "the worker was offered it")
    else:
        time.sleep(3)  # ours comes by meanwhile, and does not even ask
    (tmp_path / "winds_down" / "may end").touch()
    assert yard.until_over(run) is StateType.COMPLETED
    assert yard.worker.poll() is None
    assert ("Duplicate submission" in yard.log()) == (kind == "process")
