"""The same application on Prefect's stock process worker and on ours: how many a minute, and at what cost.

Run it with `.venv/bin/python -m benchmarks.engine`. It starts a server and a worker of its own for each row, one after
the other, carries applications from the submission to the certificate and prints a table: the stock worker and
ours on SQLite, and ours with Prefect's server on PostgreSQL, where that is installed. Both workers have the server and
settings of `labels up`. Processor seconds and memory are read from /proc, so it needs Linux.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psycopg
import sqlalchemy as sa

from adapters.prefect.client import prefect_client
from adapters.prefect.states import Phase, form_of, read_runs
from benchmarks.processor import PAGE, descendants, processor
from cli.services import free_port, services
from labels.answering import accepting
from labels.record.schema import Application, Stage
from labels.settings import Settings
from labels.steps.answers import ReviewAnswer
from labels.steps.proof import Code
from labels.turn import Door
from tests.e2e.conftest import Stage_, more_projects
from tests.support.databases import Cluster, PostgreSQLMissing, postgresql
from tests.support.patience import PATIENCE, until
from tests.support.people import TODAY, code_of, points, populate

AT_ONCE = range(100, 146)
ALONE = range(146, 159)
FIRST = 159
SETTLED = 3.0
"""Seconds after which Prefect's server has written what its tasks did."""


@dataclass
class Measured:
    """What one row took for all its applications: seconds, bytes."""

    count: int
    seconds: float = 0.0
    spent: dict[str, float] = field(default_factory=dict)
    resumed: list[float] = field(default_factory=list)
    child: int = 0
    waiting: float = 0.0
    finished: float = 0.0

    @property
    def a_minute(self) -> float:
        return self.count / self.seconds * 60

    def processor(self, *names: str) -> float:
        """Seconds of processor for one application."""
        return sum(self.spent.get(name, 0.0) for name in names) / self.count

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.resumed, n=20, method="inclusive")[-1]

    def row(self) -> list[str]:
        """The figures of the table."""
        return [
            f"{self.a_minute:.0f}",
            *(f"{self.processor(name):.2f}" for name in ("client", "worker", "server", "database")),
            f"{statistics.median(self.resumed):.2f}",
            f"{self.p95:.2f}",
            f"{self.child / 1024 / 1024:.0f}",
            f"{self.waiting / 1024:.0f}",
            f"{self.finished / 1024:.0f}",
        ]


HEADS = ["a minute", "client", "worker", "server", "database", "p50", "p95", "child", "waiting", "finished"]


def largest_child(worker: int) -> int:
    """Bytes that the largest process below a worker holds now."""
    held = [0]
    for one in descendants(worker):
        with contextlib.suppress(OSError):
            if one != worker:
                held.append(int(Path(f"/proc/{one}/statm").read_text().split()[1]) * PAGE)
    return max(held)


def size(home: Path, database: str | None) -> int:
    """Bytes that Prefect's tables and their indexes take."""
    if database is None:
        with contextlib.closing(sqlite3.connect(home / "prefect" / "prefect.db")) as connection:
            return int(connection.execute("SELECT sum(pgsize) FROM dbstat").fetchone()[0])
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace"
        ).fetchone()
        assert row is not None
        return int(row[0])


class Row:
    """One worker on one database, from its start to its end."""

    def __init__(self, stage: Stage_, database: str | None, cluster: Cluster | None) -> None:
        self.stage = stage
        self.home = stage.here.settings.home
        self.database = database
        self.pids = {name: process.pid for name, process in stage.running.processes.items()}
        if cluster is not None and cluster.pid is not None:
            self.pids["database"] = cluster.pid
        self.child = 0

    def spent(self) -> dict[str, float]:
        """Seconds of processor by now."""
        return {name: processor(pid) for name, pid in self.pids.items()} | {"client": time.process_time()}

    def size(self) -> int:
        time.sleep(SETTLED)
        return size(self.home, self.database)

    def submit(self, number: int) -> str:
        return self.stage.submit(teacher=f"T-{number}", project=f"P-{number}")

    def each(
        self, applications: list[str], ready: Callable[[Application], bool], every: float = 0.2
    ) -> Iterator[str]:
        """The applications in the order in which they become ready."""
        left, deadline, looked = set(applications), time.monotonic() + PATIENCE, 0.0
        while left:
            with self.stage.here.record.reading() as session:
                query = sa.select(Application).where(Application.id.in_(left))
                found = [one.id for one in session.scalars(query) if ready(one)]
            yield from found
            if found:
                left.difference_update(found)
                deadline = time.monotonic() + PATIENCE
            if time.monotonic() - looked > 0.5:
                looked = time.monotonic()
                self.child = max(self.child, largest_child(self.pids["worker"]))
            assert time.monotonic() < deadline, f"{len(left)} did not get there within {PATIENCE} s"
            time.sleep(0 if found else every)

    def parked(self, applications: list[str], every: float = 0.2) -> Iterator[str]:
        def waits(one: Application) -> bool:
            return one.run is not None and one.parked_revision >= one.revision

        return self.each(applications, waits, every)

    def suspended(self, applications: list[str]) -> None:
        """Waits until Prefect has the run of each suspended, with its form."""
        with self.stage.here.record.reading() as session:
            query = sa.select(Application.run).where(Application.id.in_(applications))
            left = {UUID(run) for run in session.scalars(query) if run}
        with prefect_client() as client:

            def all_suspended() -> bool:
                for run in read_runs(client, map(str, left)).values():
                    if run.phase is Phase.SUSPENDED and form_of(client, run) is not None:
                        left.remove(run.id)
                return not left

            until(all_suspended, "all are suspended", progress=lambda: len(left), every=0.02)

    def closed(self, applications: list[str], every: float = 0.2) -> Iterator[str]:
        return self.each(applications, lambda one: one.stage is Stage.CLOSED, every)

    def review(self, application: str) -> None:
        """The reviewers' answers, as the command line records them."""
        here = self.stage.here
        for step in self.stage.reviews(application):
            with here.record.writing() as session:
                accepting.answer(
                    here.turn(session, Door.COMMAND_LINE),
                    step.id,
                    Code(code_of(step, here.key), step.assignee),
                    ReviewAnswer(scores=points(4), comment="Well done."),
                )

    def answer(self, application: str) -> None:
        self.review(application)
        self.stage.wake(application)

    def resume(self, number: int) -> float:
        """Seconds from the last answer to the closed application, with nothing else to do."""
        application = self.submit(number)
        self.stage.until_parked(application)
        self.review(application)
        began = time.monotonic()
        self.stage.wake(application)
        for _ in self.closed([application], every=0.02):
            pass
        return time.monotonic() - began

    def measure(self, count: int, alone: int) -> Measured:
        """Many applications at once, which wait and are then answered; and some one by one."""
        self.resume(FIRST)  # everything is loaded
        self.resume(FIRST - 1)
        measured = Measured(count)
        empty, before, began = self.size(), self.spent(), time.monotonic()
        applications = [self.submit(number) for number in AT_ONCE[:count]]
        for _ in self.parked(applications):
            pass
        self.suspended(applications)
        measured.seconds = time.monotonic() - began
        measured.waiting = (self.size() - empty) / count
        began = time.monotonic()
        for application in applications:
            self.answer(application)
        for _ in self.closed(applications):
            pass
        measured.seconds += time.monotonic() - began
        after = self.spent()
        measured.spent = {name: after[name] - before[name] for name in after}
        measured.finished = (self.size() - empty) / count
        measured.resumed = [self.resume(number) for number in ALONE[:alone]]
        measured.child = self.child
        return measured


def measure(kind: str, count: int, alone: int, cluster: Cluster | None = None) -> Measured:
    """One row of the table."""
    with tempfile.TemporaryDirectory() as home:
        database = cluster.url(cluster.create(), driver="postgresql") if cluster else None
        settings = Settings(_env_file=None, home=Path(home), today=TODAY, prefect_database_url=database or "")
        with services(settings, free_port(), free_port(), kind) as (running, here):
            with here.record.writing() as session:
                populate(session, reviewers=10)
                more_projects(session)
            return Row(Stage_(running, here), database, cluster).measure(count, alone)


def main() -> None:
    """Prints the table, and the ratios that are to be reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--applications", type=int, default=40, help=f"at once; at most {len(AT_ONCE)}")
    parser.add_argument("--alone", type=int, default=10, help=f"one by one; from 2 to {len(ALONE) - 1}")
    parser.add_argument("--only", nargs="*", default=["stock", "warm", "postgresql"], help="these rows")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and everything that was started ends with it
    count = min(arguments.applications, len(AT_ONCE))
    alone = min(max(arguments.alone, 2), len(ALONE) - 1)
    print(f"{count} applications at once, then {alone} one by one, on {os.cpu_count()} processors.")
    print("Processor: seconds for one application. p50, p95: seconds from the last answer to the end.")
    print("Child: MiB. Waiting, finished: KiB of Prefect's database for one application.\n")
    print(f"{'':>18}" + "".join(f"{head:>10}" for head in HEADS))
    rows: dict[str, Measured] = {}

    def add(name: str, measured: Measured) -> None:
        rows[name] = measured
        print(f"{name:>18}" + "".join(f"{value:>10}" for value in measured.row()), flush=True)

    if "stock" in arguments.only:
        add("stock, SQLite", measure("process", count, alone))
    if "warm" in arguments.only:
        add("warm, SQLite", measure("warm", count, alone))
    if "postgresql" in arguments.only:
        with contextlib.ExitStack() as stack:
            try:
                cluster = stack.enter_context(postgresql(Path(tempfile.gettempdir()), durable=True))
            except PostgreSQLMissing as missing:
                print(f"  no row for PostgreSQL: {missing}")
            else:
                add("warm, PostgreSQL", measure("warm", count, alone, cluster))
    stock = rows.pop("stock, SQLite", None)
    if stock is None:
        return
    for name, warm in rows.items():
        both = warm.processor("client", "worker") / stock.processor("client", "worker")
        print(f"\n{name}, beside the stock worker")
        print(f"  applications a minute    {warm.a_minute / stock.a_minute:6.1f} times   (to reach: 10)")
        print(f"  client's and worker's    {both:6.2f} of it    (to reach: 0.10)")
        print(f"  last answer to end, p95  {warm.p95:6.2f} s       (to reach: 1.5)")
        print(f"  Prefect's database       {warm.finished / 1024:6.0f} KiB     (to reach: 60)")


if __name__ == "__main__":
    main()
