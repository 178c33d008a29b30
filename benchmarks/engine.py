"""The same application on Prefect's stock process worker and on ours: how many a minute, and at what cost.

Run it with `.venv/bin/python -m benchmarks.engine`; it starts a server and a worker of its own for each, one
after the other, carries applications from the submission to the certificate and prints a table. Processor
seconds are read from /proc, so it needs Linux.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processor import memory, processor
from cli.services import free_port, services
from labels import reviewing
from labels.answers import ReviewAnswer
from labels.record.schema import Stage
from labels.settings import Settings
from tests.e2e.conftest import Stage_, more_projects
from tests.support.people import TODAY, code_of, points, populate


@dataclass
class Measured:
    """What one worker took for all the applications, in seconds, and bytes of memory."""

    seconds: float
    client: float
    worker: float
    server: float
    resumed: list[float]
    memory: int

    def row(self, count: int) -> list[str]:
        """The figures of the table."""
        p95 = statistics.quantiles(self.resumed, n=20)[-1] if len(self.resumed) > 1 else self.resumed[0]
        return [
            f"{count / self.seconds * 60:.0f}",
            f"{self.client / count:.2f}",
            f"{self.worker / count:.2f}",
            f"{self.server / count:.2f}",
            f"{statistics.median(self.resumed):.2f}",
            f"{p95:.2f}",
            f"{self.memory / 1024 / 1024:.0f}",
        ]


def review(stage: Stage_, application: str) -> None:
    """The reviewers' answers, as the command line records them."""
    here = stage.here
    for step in stage.reviews(application):
        with here.record.writing() as session:
            reviewing.answer(
                session, step.id, step.assignee, code_of(step, here.key),
                ReviewAnswer(scores=points(4), comment="Well done."),
                now=here.now(), key=here.key, door="benchmark",
            )  # fmt: skip


def measure(kind: str, count: int, alone: int) -> Measured:
    """Carries `count` applications at once and then `alone` one by one through a worker of this kind."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(_env_file=None, home=Path(home), today=TODAY)
        with services(settings, free_port(), free_port(), kind) as (running, here):
            with here.record.writing() as session:
                populate(session, reviewers=10)
                more_projects(session)
            stage = Stage_(running, here)
            carry(stage, [stage.submit(teacher="T-159", project="P-159")])  # everything is loaded
            before = {name: processor(process.pid) for name, process in running.processes.items()}
            began, own = time.monotonic(), time.process_time()
            carry(stage, [stage.submit(teacher=f"T-{n}", project=f"P-{n}") for n in range(100, 100 + count)])
            seconds, client = time.monotonic() - began, time.process_time() - own
            spent = {
                name: processor(process.pid) - before[name] for name, process in running.processes.items()
            }
            held = memory(running.processes["worker"].pid)
            resumed = [resume(stage, n) for n in range(159 - alone, 159)]
    return Measured(seconds, client, spent["worker"], spent["server"], resumed, held)


def carry(stage: Stage_, applications: list[str]) -> None:
    """From the submission to the end."""
    for application in applications:
        stage.until_parked(application)
        review(stage, application)
        stage.wake(application)
    for application in applications:
        stage.until_closed(application)


def resume(stage: Stage_, number: int) -> float:
    """Seconds from the last answer to the closed application, on an idle machine."""
    application = stage.submit(teacher=f"T-{number}", project=f"P-{number}")
    stage.until_parked(application)
    review(stage, application)
    began = time.monotonic()
    stage.wake(application)
    while stage.application(application).stage is not Stage.CLOSED:
        time.sleep(0.02)
    return time.monotonic() - began


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--applications", type=int, default=30, help="at once; at most 40")
    parser.add_argument("--alone", type=int, default=10, help="one by one; at most 15")
    arguments = parser.parse_args()
    heads = ["worker", "a minute", "client s", "worker s", "server s", "p50 s", "p95 s", "MiB"]
    print(f"{arguments.applications} applications, then {arguments.alone} one by one\n")
    print("".join(f"{head:>10}" for head in heads))
    rows = {}
    for kind in ("process", "warm"):
        measured = measure(kind, arguments.applications, arguments.alone)
        rows[kind] = measured
        print(
            f"{kind:>10}" + "".join(f"{value:>10}" for value in measured.row(arguments.applications)),
            flush=True,
        )
    stock, warm = rows["process"], rows["warm"]
    print(f"\napplications a minute, warm / stock:        {stock.seconds / warm.seconds:.1f}")
    print(
        f"processor of client and worker, warm / stock: {(warm.client + warm.worker) / (stock.client + stock.worker):.2f}"
    )
    print("(seconds of processor are for one application; p50 and p95 are from the last answer to the end)")


if __name__ == "__main__":
    main()
