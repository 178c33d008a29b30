"""What the statistics of ten years take, of one organisation and of all, beside what SQLite takes to count alone.

Run it with `.venv/bin/python -m benchmarks.yearly_numbers`. It fills a record with `--applications` applications of ten
years in 46 organisations, as large beside each other as they are in Europe, with their reviews and decisions. *First* is
in a process that has counted nothing yet, *then* the median of `--times` calls.
"""

from __future__ import annotations

import argparse
import statistics as arithmetic
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

import tests.support.persons as persons  # gives everybody a person
from labels.record.engine import Record, migrate, open_record
from labels.record.schema import Organisation
from labels.settings import Settings
from labels.views import counts
from labels.views.applications import EVERYTHING
from labels.views.statistics import YEARS, Filters, statistics
from tests.support.past_years import Europe

__all__ = ["persons"]

ORGANISATIONS = 46
NOW = datetime(2026, 3, 16, 9, tzinfo=UTC)
COUNTING = sa.text(
    "SELECT school_year, label, outcome, count(*) FROM application NOT INDEXED GROUP BY school_year, label, outcome"
)
"""A tenth of what the statistics ask, by whoever does not think of an index."""


def sizes(applications: int) -> dict[str, int]:
    """How many a year each organisation receives: the largest five have half."""
    weights = [1 / (place + 1.5) for place in range(ORGANISATIONS)]
    return {
        f"NSS-{chr(65 + place // 26)}{chr(65 + place % 26)}": max(
            round(applications / YEARS * weight / sum(weights)), 2
        )
        for place, weight in enumerate(weights)
    }


def filled(folder: Path, applications: int) -> tuple[Record, int]:
    """A record of ten years, and how many applications there are in it."""
    settings = Settings(_env_file=None, home=folder, secret="a secret for benchmarks")
    migrate(settings.record_url)
    record = open_record(settings)
    europe = Europe(sizes(applications), range(NOW.year - YEARS, NOW.year), NOW)
    with record.writing() as session:
        session.add(
            Organisation(
                id="CSS", country="EU", kind="CSS", name="Central Support Service", email="css@eu.example",
                language="en",
            )
        )  # fmt: skip
        session.flush()
        facts = europe.fill(session)
        session.execute(sa.text("ANALYZE"))
    return record, len(facts)


def timed(do: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Fills a record, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--applications", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        record, applications = filled(Path(folder), arguments.applications)
        grid = Table("statistics of ten years", "first ms", "then ms", title=f"{applications:,} applications")
        names = list(sizes(arguments.applications))
        for what, organisation in (
            ("the largest organisation", names[0]),
            ("a middling one", names[20]),
            ("all", "CSS"),
        ):

            def ask(whose: str = organisation) -> None:
                with record.reading() as session:
                    statistics(session, EVERYTHING, whose, NOW, Filters())

            counts.shown_of.cache_clear()
            counts.shown_of_all.cache_clear()
            first = timed(ask)
            grid.add_row(
                what, f"{first:.0f}", f"{arithmetic.median(timed(ask) for _ in range(arguments.times)):.0f}"
            )

        def count() -> None:
            with record.reading() as session:
                session.execute(COUNTING).all()

        first = timed(count)
        again = arithmetic.median(timed(count) for _ in range(arguments.times))
        grid.add_row("(one count without an index)", f"{first:.0f}", f"{again:.0f}")
        Console().print(grid)


if __name__ == "__main__":
    main()
