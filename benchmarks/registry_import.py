"""Importing a registry into SQLite, against what SQLite's own command takes for the same files.

Run it with `.venv/bin/python benchmarks/registry_import.py`; it makes up a registry in a temporary
folder, imports it and prints a table. The yardstick in the same run is `.import` of the
`sqlite3` command: the same files into plain tables, without keys, indexes or any check. Each
import runs in a process of its own, whose peak memory is printed too.

`--generate FOLDER` only writes the made-up registry there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.registry_generator import LAST_DAY, generate_registry

SHARE = 1 / 5
"""Our speed is to be at least this part of the yardstick's."""


def main() -> None:
    """Makes up the files, times both imports on them and prints the times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--teachers", type=int, default=1_000_000)
    parser.add_argument("--schools", type=int, default=300_000)
    parser.add_argument("--projects", type=int, default=160_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="how often; the best of each counts")
    parser.add_argument("--generate", type=Path, metavar="FOLDER", help="only write the files there")
    parser.add_argument("--files", type=Path, metavar="FOLDER", help="import these instead")
    arguments = parser.parse_args()
    if arguments.generate:
        counts = generate(arguments.generate, arguments)
        print("\n".join(f"{name:20}{count:>10,}" for name, count in counts.items()))
        return
    command = shutil.which("sqlite3")
    if not command:
        sys.exit(
            "The sqlite3 command is missing, so there is no yardstick; install Debian's package sqlite3."
        )
    with tempfile.TemporaryDirectory() as home:
        folder = arguments.files
        if not folder:
            folder = Path(home, "registry")
            began = time.perf_counter()
            rows = sum(generate(folder, arguments).values())
            took = time.perf_counter() - began
            size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
            print(f"{rows:,} rows in {size:,.0f} MB of CSV, made up in {took:.1f} s\n")
        compare(folder, Path(home), command, arguments.rounds)


def generate(folder: Path, arguments: argparse.Namespace) -> dict[str, int]:
    """The made-up registry that the arguments ask for."""
    return generate_registry(
        folder,
        teachers=arguments.teachers,
        schools=arguments.schools,
        projects=arguments.projects,
        seed=arguments.seed,
    )


def compare(folder: Path, home: Path, command: str, rounds: int) -> None:
    """Times the yardstick, our import into an empty record, and the same import once more."""
    best: dict[str, Cost] = {}
    for round_ in range(rounds):
        plain, record = home / f"plain-{round_}.db", home / f"record-{round_}.db"
        empty_record(record)
        steps = {
            "sqlite3 .import": partial(yardstick, command, folder, plain),
            "our import": partial(ours, folder, record),
            "our import, again": partial(ours, folder, record),
        }
        for what, step in steps.items():
            measured = in_child(step)
            best[what] = min(measured, best.get(what, measured))
        plain.unlink()
        record.unlink()
    print(f"{'':24}{'seconds':>10}{'CPU s':>10}{'peak MB':>10}")
    for what, cost in best.items():
        print(f"{what:24}{cost.seconds:>10.2f}{cost.cpu:>10.2f}{cost.peak:>10.0f}")
    theirs, our = best["sqlite3 .import"], best["our import"]
    ratio = theirs.seconds / our.seconds
    verdict = "reached" if ratio >= SHARE else "MISSED"
    print(
        f"\nour speed / sqlite3's: {ratio:.3f} (at least {SHARE}: {verdict}); by CPU {theirs.cpu / our.cpu:.3f}"
    )


class Cost(NamedTuple):
    """What an import took."""

    seconds: float
    cpu: float
    """Seconds of a processor: says more than the clock where others work on the same machine."""
    peak: float
    """The most memory at any time, in MB."""


def in_child(step: Callable[[], None]) -> Cost:
    """What `step` takes in a process of its own."""
    began = time.perf_counter()
    child = os.fork()
    if not child:
        failed = 1
        try:
            step()
            failed = 0
        finally:
            sys.stdout.flush()
            os._exit(failed)
    _, status, usage = os.wait4(child, 0)
    took = time.perf_counter() - began
    if status:
        sys.exit("An import failed.")
    return Cost(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def yardstick(command: str, folder: Path, database: Path) -> None:
    """Becomes the `sqlite3` command, importing every file into a plain table named after it."""
    orders = [f'.import "{path}" {path.stem}' for path in sorted(folder.glob("*.csv"))]
    arguments = [command, "-batch", "-cmd", ".mode csv", str(database), *orders]
    os.execv(command, arguments)


def empty_record(database: Path) -> None:
    """Makes a record, so that its migrations are not timed."""
    from labels.record.engine import migrate

    migrate(f"sqlite:///{database}")


def ours(folder: Path, database: Path) -> None:
    """Imports the files into the record."""
    from labels.record.engine import Record, open_engine
    from labels.registry.importing import import_registry

    record = Record(open_engine(f"sqlite:///{database}"))
    import_registry(record, folder, LAST_DAY + timedelta(days=1))


if __name__ == "__main__":
    main()
