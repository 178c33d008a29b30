"""Sealing the journal's entries into its chain, and verifying it, beside nothing but hashing as many bytes.

Run it with `.venv/bin/python -m benchmarks.sealing`; it makes a record of its own in a temporary folder and prints a
table.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from labels.clock import wall_clock
from labels.record import Record, chain_export, sealing
from labels.record.chain import canonical
from labels.record.engine import migrate, open_engine
from labels.record.journal import Event, entry
from labels.record.rows import write
from labels.record.schema import Journal
from labels.turn import Turn


def main() -> None:
    """Seals and verifies `--entries` entries and prints the seconds that it takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--database-url", default="", help="PostgreSQL instead of SQLite")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        url = arguments.database_url or f"sqlite:///{Path(home) / 'record.db'}"
        migrate(url)
        record = Record(open_engine(url))
        size = fill(record, arguments.entries)
        bare = timed(lambda: [hashlib.sha256(bytes(64)).digest() for _ in range(5 * arguments.entries)])
        sealed = timed(lambda: sealing.seal(record, now=wall_clock()))
        verified = timed(lambda: look(record))
        record.engine.dispose()
    sys.stdout.write(
        f"{arguments.entries:,} entries, {size / arguments.entries:.0f} bytes of details each\n"
        f"                {'clock':>8}  {'CPU':>8}\n"
        f"  hashing alone {bare}\n"
        f"  sealing       {sealed}\n"
        f"  verifying     {verified}\n"
    )


def fill(record: Record, entries: int) -> int:
    """Writes entries like those of reviews; returns the size of their details."""
    size = 0
    for first in range(0, entries, 10_000):
        with record.writing() as session:
            turn = Turn(session, wall_clock())
            some = range(first, min(first + 10_000, entries))
            rows = [
                entry(
                    turn, None, f"reviewer-{n}@agency.example", Event.REVIEWED, f"step-{n}",
                    documents="0" * 64, rules="1" * 64, digests={f"review/step-{n}": "2" * 64},
                )
                for n in some
            ]  # fmt: skip
            write(session, Journal, *rows)
            size += sum(len(canonical(row["details"])) for row in rows)
    return size


def look(record: Record) -> None:
    """Verifies the journal; what its entries tell of is not there, and is all that is found."""
    with record.reading() as session:
        verifier, found = chain_export.verify(session, [])
    assert len(found) == verifier.entries


def timed(work: Callable[[], object]) -> str:
    """Seconds that it takes, by the clock and of this process's processor: only the latter say something beside other work."""
    began, before = time.perf_counter(), time.process_time()
    work()
    clock, processor = time.perf_counter() - began, time.process_time() - before
    return f"{clock:6.2f} s  {processor:6.2f} s"


if __name__ == "__main__":
    main()
