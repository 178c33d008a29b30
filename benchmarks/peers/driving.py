"""Drives a peer through the same applications and measures what it takes."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks.peers.small_process import HOME, Office, Rows, application
from benchmarks.processor import processor

ENGINE = "PEER_ENGINE_URL"
"""The PostgreSQL database of the engine, where it keeps no SQLite file."""

PATIENCE = 600.0
"""Seconds for all applications of a phase."""


class Peer(Protocol):
    """What an engine must be able to do; from several threads at once."""

    def submit(self, form: dict[str, Any]) -> None:
        """Starts the process of an application."""

    def waiting(self) -> int:
        """How many applications have ever come to where they wait for an approval."""

    def approve(self, identifier: str) -> None:
        """Says yes; the process may go on while this returns."""

    def database(self) -> Path | str:
        """Where its state is kept: a SQLite file, or a PostgreSQL URL as psycopg takes it."""


@dataclass(frozen=True)
class Measured:
    """What one peer took; seconds, and bytes of its database for one application."""

    applications: int
    submitting: float
    approving: float
    processor: float
    """Of all processes, the database's too, for all applications."""
    parts: dict[str, float]
    """The same by process, where there are several."""
    bytes: float
    alone: list[float]
    """From an approval to its notification, while nothing else is under way."""

    @property
    def rate(self) -> float:
        """Applications a second, from the first submission to the last notification."""
        return self.applications / (self.submitting + self.approving)


@dataclass(frozen=True)
class Order:
    """What the command line asks for."""

    applications: int
    alone: int
    clients: int
    home: Path
    database_pid: int
    engine_url: str

    @classmethod
    def read(cls) -> Order:
        """From the arguments and the environment that `benchmarks.peers` starts a peer with."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--applications", type=int, required=True)
        parser.add_argument("--alone", type=int, required=True)
        parser.add_argument("--clients", type=int, required=True)
        parser.add_argument("--home", type=Path, required=True)
        parser.add_argument("--database-pid", type=int, default=0)
        given = parser.parse_args()
        os.environ[HOME] = str(given.home)
        return cls(**vars(given), engine_url=os.environ.get(ENGINE, ""))

    @property
    def total(self) -> int:
        """How many applications there are altogether, with those by which everything gets loaded."""
        return self.clients + self.applications + self.alone


def open_office() -> Office:
    """A new office for this process."""
    office = Office.here()
    office.open()
    return office


def drive(order: Order, office: Office, peer: Peer, parts: Callable[[], dict[str, float]] = dict) -> Measured:
    """Carries the applications through, checks that nothing is lost or done twice, and prints what it took.

    First one for each client, so that everything is loaded; then all at once; then `alone` of them one by one.
    """
    first = range(order.clients)
    many = range(order.clients, order.clients + order.applications)
    single = range(many.stop, order.total)

    def spent() -> float:
        return processor(os.getpid()) + (processor(order.database_pid) if order.database_pid else 0)

    def submitted(numbers: range) -> float:
        _at_once(order.clients, lambda number: peer.submit(application(number)), numbers)
        _until(lambda: peer.waiting() >= numbers.stop, f"{numbers.stop} came to wait for an approval")
        return time.perf_counter()

    def approved(numbers: range) -> float:
        _at_once(order.clients, lambda number: peer.approve(application(number)["id"]), numbers)
        _until(lambda: len(office.notifications()) >= numbers.stop, f"{numbers.stop} are told of")
        return time.perf_counter()

    submitted(first)
    approved(first)
    size, began_with, began_parts = _size(peer.database()), spent(), parts()
    began, waited, ended = time.perf_counter(), submitted(many), approved(many)
    used, now = spent() - began_with, parts()
    grown = _size(peer.database()) - size
    submitted(single)
    alone = [_alone(office, peer, application(number)["id"]) for number in single]
    office.check(range(order.total))
    measured = Measured(
        len(many), waited - began, ended - waited, used,
        {name: value - began_parts[name] for name, value in now.items()}, grown / len(many), alone,
    )  # fmt: skip
    print(json.dumps(asdict(measured)), flush=True)
    return measured


def _at_once(clients: int, act: Callable[[int], None], numbers: Iterable[int]) -> None:
    with ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(act, number) for number in numbers]:
            done.result()


def _alone(office: Office, peer: Peer, identifier: str) -> float:
    began = time.perf_counter()
    peer.approve(identifier)
    _until(lambda: identifier in office.notifications(), f"{identifier} is told of")
    return time.perf_counter() - began


def _until(condition: Callable[[], bool], what: str) -> None:
    end = time.perf_counter() + PATIENCE
    while not condition():
        if time.perf_counter() > end:
            raise TimeoutError(f"not within {PATIENCE:.0f} s: {what}")
        time.sleep(0.005)


def _size(database: Path | str) -> int:
    """Bytes that a database takes, what is not written back from its journal included."""
    if isinstance(database, str):
        return int(Rows(Path(), database).run("SELECT pg_database_size(current_database())")[0][0])
    # Read only: an engine's own file keeps the settings that the engine gave it.
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as file:
        [pages], [page] = (file.execute(f"PRAGMA page_{what}").fetchone() for what in ("count", "size"))
    return int(pages) * int(page)


def quantile(values: list[float], share: float) -> float:
    """The value that this share of the values does not exceed; the median with a half."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]
