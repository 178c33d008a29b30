"""The small process on Prefect with the warm worker, DBOS, SpiffWorkflow and django-viewflow, side by side.

Run it with `.venv/bin/python -m benchmarks.peers`. It installs the peers into an environment of its own, starts a
PostgreSQL of its own, runs each peer in a process of its own, one after the other, and prints a table. Each carries
the same applications, checked to be decided and told of exactly once, with commits that reach the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.peers.driving import ENGINE, Measured, quantile
from benchmarks.peers.environment import peers_python, versions
from benchmarks.peers.small_process import OFFICE
from labels.settings import PROJECT
from tests.support.databases import Cluster, postgresql

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Peer:
    """One of those that are compared."""

    name: str
    module: str
    definition: str
    """The file that says how the process goes."""
    package: str = ""
    """What its version is looked up by; nothing where there is no engine."""
    ours: bool = False
    """Whether it runs in the project's own environment."""

    def title(self) -> str:
        """As the table names it."""
        if not self.package:
            return self.name
        return f"{self.name} {version(self.package) if self.ours else versions()[self.package]}"

    def lines(self) -> int:
        """Lines of the definition that are neither empty nor a remark."""
        text = (HERE / self.definition).read_text(encoding="utf-8").splitlines()
        return sum(1 for line in text if line.strip() and not line.strip().startswith(("#", '"""', "<?xml")))


PEERS = {
    "none": Peer("no engine", "without_engine", "without_engine.py"),
    "prefect": Peer("Prefect, warm worker", "on_prefect", "prefect_flow.py", "prefect", ours=True),
    "dbos": Peer("DBOS", "on_dbos", "dbos_workflow.py", "dbos"),
    "spiff": Peer("SpiffWorkflow", "on_spiff", "small_process.bpmn", "spiffworkflow"),
    "viewflow": Peer("django-viewflow", "on_viewflow", "viewflow_app/flows.py", "django-viewflow"),
}
DATABASES = ("SQLite", "PostgreSQL")
HEADS = (
    "peer", "database", "applications/s", "ratio", "CPU ms", "alone p50 ms", "p95 ms", "KiB", "lines",
)  # fmt: skip


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--applications", type=int, default=200, help="at once")
    parser.add_argument("--alone", type=int, default=20, help="then one by one")
    parser.add_argument("--clients", type=int, default=4, help="that submit and approve at the same time")
    parser.add_argument("--rounds", type=int, default=1, help="how often; the fastest of each counts")
    parser.add_argument("--only", nargs="*", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--databases", nargs="*", choices=DATABASES, default=list(DATABASES))
    parser.add_argument("--markdown", action="store_true", help="the table as the documentation has it")
    arguments = parser.parse_args()
    python = peers_python()
    with ExitStack() as stack:
        below = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labels-peers-")))
        below.chmod(0o711)  # PostgreSQL runs as another user
        needs_postgresql = "PostgreSQL" in arguments.databases
        cluster = stack.enter_context(postgresql(below, durable=True) if needs_postgresql else nullcontext())
        found: dict[tuple[str, str], Measured] = {}
        for number in range(arguments.rounds):
            for name, peer, database in _all(arguments.only, arguments.databases):
                print(f"{number + 1}: {peer.title()} on {database} …", file=sys.stderr, flush=True)
                of_cluster = cluster if database == "PostgreSQL" else None
                one = _measure(peer, of_cluster, python, below, arguments)
                if (name, database) not in found or one.rate > found[name, database].rate:
                    found[name, database] = one
    print(
        f"{arguments.applications} applications by {arguments.clients} clients, then {arguments.alone} one by one\n"
    )
    _print([_row(found, name, database) for name, database in found], markdown=arguments.markdown)
    for (name, database), one in found.items():
        if one.parts:
            shares = ", ".join(f"{part} {1000 * s / one.applications:.0f}" for part, s in one.parts.items())
            print(f"\nCPU ms of {PEERS[name].name} on {database}: {shares}")


def _all(names: list[str], databases: list[str]) -> Iterator[tuple[str, Peer, str]]:
    for name in names:
        for database in databases:
            yield name, PEERS[name], database


def _measure(
    peer: Peer, cluster: Cluster | None, python: Path, below: Path, arguments: argparse.Namespace
) -> Measured:
    """What one peer took, in a process of its own and on databases of its own.

    Raises:
        RuntimeError: it failed, or something was lost or done twice; says what.
    """
    home = Path(tempfile.mkdtemp(dir=below))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}
    names = []
    if cluster is not None:
        names = [cluster.create(), cluster.create()]
        environment |= {
            variable: cluster.url(name, driver="postgresql")
            for variable, name in zip((ENGINE, OFFICE), names, strict=True)
        }
    command: list[str | Path] = [
        sys.executable if peer.ours else python, "-m", f"benchmarks.peers.{peer.module}", "--home", home,
        "--applications", str(arguments.applications), "--alone", str(arguments.alone),
        "--clients", str(arguments.clients), "--database-pid", str(cluster.pid if cluster else 0),
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False
        )
    finally:
        shutil.rmtree(home, ignore_errors=True)
        for name in names:
            assert cluster is not None
            cluster.drop(name)
    if done.returncode:
        raise RuntimeError(f"{peer.name} failed:\n{done.stderr[-3000:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def _row(found: dict[tuple[str, str], Measured], name: str, database: str) -> list[str]:
    one = found[name, database]
    ours = found.get(("prefect", database))
    ratio = one.rate / ours.rate if ours else None
    return [
        PEERS[name].title(), database, f"{one.rate:.1f}", f"{ratio:.1f}" if ratio else "",
        f"{1000 * one.processor / one.applications:.0f}", f"{1000 * quantile(one.alone, 0.5):.0f}",
        f"{1000 * quantile(one.alone, 0.95):.0f}", f"{one.bytes / 1024:.1f}", str(PEERS[name].lines()),
    ]  # fmt: skip


def _print(rows: list[list[str]], *, markdown: bool) -> None:
    if markdown:
        print("|", " | ".join(HEADS), "|")
        print("|---|---|" + "--:|" * (len(HEADS) - 2))
        for row in rows:
            print("|", " | ".join(row), "|")
        return
    widths = [max(map(len, column)) for column in zip(HEADS, *rows, strict=True)]
    for row in [list(HEADS), *rows]:
        text = [
            cell.ljust(w) if n < 2 else cell.rjust(w)
            for n, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(text))


if __name__ == "__main__":
    main()
