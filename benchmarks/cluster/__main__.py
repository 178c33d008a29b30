"""Applications a minute with 1, 2 and 4 API hosts and as many workers, each host with the same share of a processor.

Run it as root with `.venv/bin/python -m benchmarks.cluster`. Every part has a host of its own (`benchmarks.cluster.machine`); the
installation grows from row to row. In each, applications are handed in until all wait for their reviewers, and answered until
all are closed. Beside the figures stands what limits the next factor: the kind of host that had used up its share most often.
Where control groups may not limit, the table is of seconds of processor for an application, and no throughput.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from adapters.prefect.client import prefect_client
from adapters.prefect.environment import client_environment, spoken_to
from adapters.prefect.runs import start_all
from adapters.workspace import Workspace, open_workspace
from benchmarks.cluster.installation import Installation
from benchmarks.cluster.machine import Lacking, Machine, Spent, machine
from labels.answering import accepting
from labels.record.schema import Application, Stage
from labels.settings import Settings
from labels.steps.answers import ReviewAnswer
from labels.steps.proof import Code
from labels.steps.step import open_steps
from labels.turn import Door
from tests.e2e.conftest import more_projects
from tests.support.patience import PATIENCE, until
from tests.support.people import application_file, code_of, points, populate
from usecases.applying import submit_file
from usecases.checking import check
from usecases.running import wake

FIRST = 1000
"""The number of the first teacher, and of their project."""
WARM = 4
"""Applications for each worker before a row, after which its processes have loaded what they need."""
LIMITED_BY = 0.5
"""A kind of host that waited in so many of its periods is what limits."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one size of the installation took for all its applications."""

    size: int
    count: int
    seconds: float
    spent: Mapping[str, Spent]
    """By kind of host."""

    @property
    def a_minute(self) -> float:
        return self.count / self.seconds * 60

    def linear(self, first: Row) -> float:
        """The ratio to as many times the first row's as it has hosts."""
        return self.a_minute / (first.a_minute * self.size / first.size)

    @property
    def limits(self) -> str:
        """What the next factor is limited by: kinds of hosts with the share of their periods in which they waited."""
        waited = {kind: one.waited / one.periods for kind, one in self.spent.items() if one.periods}
        often = sorted(((share, kind) for kind, share in waited.items() if share >= LIMITED_BY), reverse=True)
        if often:
            return ", ".join(f"{kind} ({share:.0%})" for share, kind in often)
        return "no host alone" if waited else "not known"


def by_kind(hosts: Mapping[str, Spent]) -> dict[str, Spent]:
    """The hosts of a kind together: `api1` and `api2` are `api`."""
    found: dict[str, Spent] = {}
    for host, one in hosts.items():
        kind = host.rstrip("0123456789") if host != "s3" else host
        of = found.get(kind, Spent())
        found[kind] = Spent(of.seconds + one.seconds, of.periods + one.periods, of.waited + one.waited)
    return found


def table(rows: Sequence[Row], *, limited: bool) -> Iterator[str]:
    """The rows as Markdown."""
    kinds = ("api", "worker", "services", "db", "redis", "s3", "proxy", "mail")
    throughput = ["a minute", "of linear", "limited by"] if limited else []
    heads = ["API hosts", "workers", "applications", *throughput, *(f"{one}, s" for one in kinds)]
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('--:' for _ in heads)}|"
    for row in rows:
        figures = [f"{row.a_minute:.1f}", f"{row.linear(rows[0]):.2f}", row.limits] if limited else []
        each = [f"{row.spent.get(one, Spent()).seconds / row.count:.2f}" for one in kinds]
        yield f"| {' | '.join([str(row.size), str(row.size), str(row.count), *figures, *each])} |"


@dataclass
class Load:
    """Whoever hands in and answers, from this process, which is on no host."""

    here: Workspace
    next: int = FIRST

    def goes(self, count: int) -> float:
        """So many applications from their submission to their end; seconds."""
        numbers = range(self.next, self.next + count)
        self.next += count
        with self.here.record.writing() as session:
            more_projects(session, numbers)
        began = time.monotonic()
        identifiers = [
            submit_file(
                self.here, application_file(teacher=f"T-{n}", project=f"P-{n}"), "application.json", []
            ).application
            for n in numbers
        ]
        with prefect_client() as client:
            start_all(self.here, client, identifiers)
        self._until(
            identifiers,
            "wait",
            sa.and_(Application.parked_revision >= Application.revision, Application.revision > 0),
        )
        with ThreadPoolExecutor(8) as threads:
            for done in [threads.submit(copy_context().run, self._answer, one) for one in identifiers]:
                done.result(PATIENCE)
        self._until(identifiers, "are closed", Application.stage == Stage.CLOSED)
        return time.monotonic() - began

    def _until(self, identifiers: Sequence[str], what: str, done: sa.ColumnElement[bool]) -> None:
        query = (
            sa.select(sa.func.count()).select_from(Application).where(Application.id.in_(identifiers), done)
        )

        def reached() -> int:
            with self.here.record.reading() as session:
                return session.scalar(query) or 0

        until(lambda: reached() == len(identifiers), f"all {what}", reached, progress=reached)

    def _answer(self, identifier: str) -> None:
        with self.here.record.reading() as session:
            steps = open_steps(session, session.get_one(Application, identifier))
        for step in steps:
            proof = Code(code_of(step, self.here.key), step.assignee)
            given = ReviewAnswer(scores=points(4), comment="Well done.")
            with self.here.record.writing() as session:
                accepting.answer(self.here.turn(session, Door.COMMAND_LINE), step.id, proof, given)
        with prefect_client() as client:
            wake(self.here, client, identifier)


@contextmanager
def client_of(installation: Installation) -> Iterator[Workspace]:
    """This process as a client of the installation."""
    os.environ.update(installation.data)
    here = open_workspace(Settings(_env_file=None, home=installation.machine.folder / "client"))
    with here.record.writing() as session:
        populate(session)
    with spoken_to(installation.api_url, client_environment(here.settings.home, installation.api_url)):
        yield here


def measured(on: Machine, load: Load, size: int, each: int, shares: Mapping[str, float], weight: int) -> Row:
    """One row: so many applications for each worker, under the limits."""
    load.goes(WARM * size)
    if on.groups.limits:
        on.groups.weigh(weight)
        for host in on.hosts:
            on.groups.limit(
                host, next((of for kind, of in shares.items() if host.startswith(kind)), shares[""])
            )
    before = {host: on.groups.spent(host) for host in on.hosts}
    seconds = load.goes(each * size)
    spent = {host: on.groups.spent(host).since(before[host]) for host in on.hosts}
    if on.groups.limits:
        for host in on.hosts:
            on.groups.limit(host, 0)
        on.groups.weigh(1)
    return Row(size, each * size, seconds, by_kind(spent))


def main() -> int:
    """Measures, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[1, 2, 4], help="API hosts, and as many workers"
    )
    parser.add_argument("--each", type=int, default=16, help="applications for each worker")
    parser.add_argument("--api", type=float, default=0.25, help="processors of an API host")
    parser.add_argument("--worker", type=float, default=0.25, help="processors of a worker")
    parser.add_argument("--rest", type=float, default=0.5, help="processors of each other host")
    parser.add_argument(
        "--weight", type=int, default=1, help="as how many programs all hosts count beside others"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="labels-cluster-") as folder:
        try:
            with machine(Path(folder)) as on:
                installation = Installation(on)
                installation.start()
                rows: list[Row] = []
                shares = {"api": given.api, "worker": given.worker, "": given.rest}
                with client_of(installation) as here:
                    load = Load(here)
                    for size in sorted(given.sizes):
                        installation.grow_to(size)
                        if not rows:
                            installation.deploy()
                        rows.append(measured(on, load, size, given.each, shares, given.weight))
                        print(f"{size}: {rows[-1].a_minute:.1f} a minute", file=sys.stderr, flush=True)
                    breaches = check(here, read_documents=True).breaches
        except Lacking as error:
            print(error, file=sys.stderr)
            return 1
    print("\n".join(table(rows, limited=on.groups.limits)))
    if not on.groups.limits:
        print(
            "Control groups may not limit here: hosts have no limit of their own, so this is no throughput."
        )
    print(f"{len(breaches)} breaches, load of the machine {os.getloadavg()[0]:.1f}")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
