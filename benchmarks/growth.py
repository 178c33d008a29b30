"""What a submission, an answer, idleness and the page of runs cost while thousands of runs are suspended.

Run it with `.venv/bin/python -m benchmarks.growth --suspended 100 10000 50000 [--picture FILE]`. The suspended runs are
copies of a real one, written straight into the SQLite file of Prefect's server: states, form and tasks with them.
It needs Linux, and Chromium for the page.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

from adapters.prefect.bulk import in_bulk
from adapters.prefect.client import BLANK, prefect_client
from adapters.prefect.runs import DEPLOYMENTS, deployment_of
from benchmarks.engine import FIRST, Row
from benchmarks.processor import processor
from cli.services import free_port, services
from labels.kinds import LabelKind
from labels.settings import Settings
from tests.e2e.conftest import Stage_, more_projects
from tests.support.browser import CHROMIUM, person_at
from tests.support.people import TODAY, populate
from usecases.recovering import recover

OF_A_RUN = {
    "flow_run": "id",
    "flow_run_state": "flow_run_id",
    "flow_run_input": "flow_run_id",
    "task_run": "flow_run_id",
    "task_run_state": "task_run_id",
}
"""The tables that a suspended run has rows in, and by what they are found."""
BATCH = 500
HEADS = ["suspended", "submit", "resume", "client", "worker", "server", "idle", "recover", "page", "MiB"]


class Copies:
    """Copies of one suspended run in the database of Prefect's server."""

    def __init__(self, home: Path, run: str) -> None:
        self.connection = sqlite3.connect(home / "prefect" / "prefect.db", timeout=60)
        self.connection.row_factory = sqlite3.Row
        self.rows: dict[str, list[sqlite3.Row]] = {}
        for table, key in OF_A_RUN.items():
            ids = [row["id"] for row in self.rows["task_run"]] if key == "task_run_id" else [run]
            marks = ",".join("?" * len(ids))
            self.rows[table] = self.connection.execute(
                f"SELECT * FROM {table} WHERE {key} IN ({marks})", ids
            ).fetchall()
        self.known = [row["id"] for rows in self.rows.values() for row in rows]
        self.count = 0

    def grow_to(self, count: int) -> None:
        """Adds copies until there are so many."""
        while self.count < count:
            batch = min(BATCH, count - self.count)
            filled: dict[str, list[tuple[object, ...]]] = {table: [] for table in self.rows}
            for _ in range(batch):
                self.count += 1
                new = {old: str(uuid4()) for old in self.known}
                for table, rows in self.rows.items():
                    filled[table] += [self._copy(table, row, new) for row in rows]
            with self.connection:
                self.connection.execute("BEGIN IMMEDIATE")
                self.connection.execute("PRAGMA defer_foreign_keys = ON")
                for table, made in filled.items():
                    if made:
                        names = self.rows[table][0].keys()
                        marks = ",".join("?" * len(names))
                        columns = ",".join(f'"{name}"' for name in names)
                        self.connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", made)

    def _copy(self, table: str, row: sqlite3.Row, new: dict[str, str]) -> tuple[object, ...]:
        def changed(name: str) -> object:
            value = row[name]
            if table == "flow_run" and name == "name":
                return f"{value} · {self.count}"
            if name == "idempotency_key" and value:
                return f"{value}/{self.count}"
            if isinstance(value, str):
                for old, copy in new.items():
                    value = value.replace(old, copy)
            return value

        return tuple(changed(name) for name in row.keys())  # noqa: SIM118  # a Row's, not a dictionary's

    def size(self) -> int:
        """Bytes of all tables and indexes."""
        return int(self.connection.execute("SELECT sum(pgsize) FROM dbstat").fetchone()[0])


def page_of_runs(ui_url: str, picture: Path | None) -> float:
    """Seconds until the page of runs shows its list."""
    with person_at(ui_url) as person:
        person.opens_runs()  # the program of the page is loaded
        began = time.monotonic()
        person.opens_runs()
        seconds = time.monotonic() - began
        if picture is not None:
            person.page.goto(f"{ui_url}/runs?state=Suspended")
            person.page.wait_for_timeout(3_000)
            person.page.screenshot(path=picture)
    return seconds


def measure(row: Row, copies: Copies, numbers: Sequence[int], picture: Path | None) -> list[str]:
    """One line of the table."""
    stage = row.stage
    time.sleep(3)
    before, began = row.spent(), time.monotonic()
    time.sleep(10)
    idle = (row.spent()["server"] - before["server"]) / (time.monotonic() - began)
    before, submitted, resumed = row.spent(), [], []
    for number in numbers:
        began = time.monotonic()
        application = row.submit(number)
        for _ in row.parked([application], every=0.02):
            pass
        submitted.append(time.monotonic() - began)
        stage.until_parked(application)
        row.review(application)
        began = time.monotonic()
        stage.wake(application)
        for _ in row.closed([application], every=0.02):
            pass
        resumed.append(time.monotonic() - began)
    after = row.spent()
    spent = {name: (after[name] - before[name]) / len(numbers) for name in after}
    began = time.monotonic()
    with prefect_client() as client:
        recover(stage.here, client)
    recovered = time.monotonic() - began
    page = page_of_runs(stage.running.ui_url, picture) if CHROMIUM else float("nan")
    return [
        f"{copies.count:,}",
        f"{statistics.median(submitted):.2f}",
        f"{statistics.median(resumed):.2f}",
        *(f"{spent[name]:.2f}" for name in ("client", "worker", "server")),
        f"{idle:.3f}",
        f"{recovered:.2f}",
        f"{page:.1f}",
        f"{copies.size() / 1024 / 1024:.0f}",
    ]


def resume_many(row: Row, copies: Copies, count: int, callers: int) -> str:
    """Many people answer at once: how long Prefect takes to accept them all, and how many it refuses."""
    ids = [one[0] for one in copies.connection.execute(
        "SELECT id FROM flow_run WHERE state_type = 'PAUSED' ORDER BY id LIMIT ?", (count,))]  # fmt: skip
    with prefect_client() as client:

        def resume(run: str) -> str:
            return str(client.resume_flow_run(UUID(run), run_input=BLANK).status.value)

        began, server = time.monotonic(), processor(row.pids["server"])
        with ThreadPoolExecutor(callers) as threads:
            answers = list(threads.map(resume, ids))
        seconds = time.monotonic() - began
        spent = processor(row.pids["server"]) - server
    accepted = answers.count("ACCEPT")
    return (
        f"{count} resumes by {callers} at once: {accepted} accepted, none lost, in {seconds:.0f} s; "
        f"{1000 * spent / count:.0f} ms of the server's processor for one"
    )


def create_many(row: Row, count: int) -> str:
    """A round's runs are created, as `start_all` does it."""
    with prefect_client() as client:
        deployment = deployment_of(client, DEPLOYMENTS[LabelKind.SCHOOL])
        round_ = uuid4()

        def create(number: int) -> UUID:
            return client.create_flow_run_from_deployment(
                deployment,
                parameters={"application_id": f"SCH-{number}"},
                idempotency_key=f"{round_}/{number}",
            ).id

        began, server = time.monotonic(), processor(row.pids["server"])
        made = in_bulk(range(count), create)
        seconds, spent = time.monotonic() - began, processor(row.pids["server"]) - server
    assert len(set(made)) == count
    return (
        f"{count} runs created in {seconds:.0f} s, {count / seconds:.0f} a second; "
        f"{1000 * spent / count:.0f} ms of the server's processor for one"
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suspended", type=int, nargs="+", default=[100, 10_000])
    parser.add_argument("--each", type=int, default=6, help="applications carried to their end for each line")
    parser.add_argument("--bulk", type=int, default=500, help="runs created and resumed at once at the end")
    parser.add_argument("--picture", type=Path, help="where the page of runs is pictured, with the most runs")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and everything that was started ends with it
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(_env_file=None, home=Path(home), today=TODAY)
        with services(settings, free_port(), free_port()) as (running, here):
            with here.record.writing() as session:
                populate(session, reviewers=10)
                more_projects(session)
            stage = Stage_(running, here)
            row = Row(stage, None, None)
            row.resume(FIRST)
            waiting = row.submit(FIRST - 1)
            stage.until_parked(waiting)
            run = stage.application(waiting).run
            assert run is not None
            time.sleep(3)  # its tasks are written
            copies = Copies(Path(home), run)
            print("Submit, resume: median seconds to the suspended step, and from the answer to the end.")
            print(
                "Processor: seconds for one application; idle: share of one processor that the server takes."
            )
            print(
                "Recover, page: seconds until every run was looked at, and until the page of runs shows them.\n"
            )
            print("".join(f"{head:>11}" for head in HEADS))
            for number, count in enumerate(arguments.suspended):
                copies.grow_to(count)
                first = 100 + number * arguments.each
                last = number == len(arguments.suspended) - 1
                line = measure(
                    row, copies, range(first, first + arguments.each), arguments.picture if last else None
                )
                print("".join(f"{value:>11}" for value in line), flush=True)
            print()
            # Without a worker: these runs have no application, and would only fail.
            running.processes["worker"].kill()
            running.processes["worker"].wait(30)
            print(create_many(row, arguments.bulk), flush=True)
            print(resume_many(row, copies, arguments.bulk, 32), flush=True)
            with contextlib.suppress(sqlite3.Error):
                copies.connection.close()


if __name__ == "__main__":
    main()
