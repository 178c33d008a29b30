"""What the statistics of ten years take, of one organisation and of all, beside what SQLite takes to count alone.

Run it with `.venv/bin/python -m benchmarks.yearly_numbers`. It fills records with `--applications` applications, with
their reviews and decisions: of ten years in 46 organisations, as large beside each other as they are in Europe; of ten
years in one; and of a single year in one. *First* is in a process that has counted nothing yet, *after an entry* once
something has happened to an application of the present year, *then* where nothing has: each the median of `--times`
calls, by the processor's time.
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
from labels.record.engine import close_records, migrate, open_record
from labels.record.schema import Application, Organisation
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


def filled(folder: Path, europe: Europe) -> Settings:
    """A record with all of these applications, by its settings."""
    settings = Settings(_env_file=None, home=folder, secret="a secret for benchmarks")
    migrate(settings.record_url)
    record = open_record(settings)
    with record.writing() as session:
        session.add(
            Organisation(
                id="CSS", country="EU", kind="CSS", name="Central Support Service", email="css@eu.example",
                language="en",
            )
        )  # fmt: skip
        session.flush()
        europe.fill(session)
        session.execute(sa.text("ANALYZE"))
    return settings


def timed(do: Callable[[], object], times: int, before: Callable[[], object]) -> float:
    """Milliseconds of the processor, the middle of several times."""
    taken = []
    for _ in range(times):
        before()
        began = time.process_time()
        do()
        taken.append((time.process_time() - began) * 1000)
    return arithmetic.median(taken)


def measure(grid: Table, settings: Settings, what: str, organisation: str, times: int) -> None:
    """Adds a row to the table."""

    def ask() -> None:
        with open_record(settings).reading() as session:
            statistics(session, EVERYTHING, organisation, NOW, Filters())

    def forget() -> None:
        counts.shown_of.cache_clear()
        counts.shown_of_all.cache_clear()
        close_records()

    def happens() -> None:
        with open_record(settings).writing() as session:
            of = sa.select(sa.func.min(Application.id)).where(Application.school_year == NOW.year - 1)
            if organisation != "CSS":
                of = of.where(Application.organisation == organisation)
            session.execute(
                sa.update(Application)
                .where(Application.id == of.scalar_subquery())
                .values(revision=Application.revision + 1)
            )

    ask()  # so that statements are compiled
    grid.add_row(what, *(f"{timed(ask, times, before):.0f}" for before in (forget, happens, lambda: None)))


def main() -> None:
    """Fills the records, and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--applications", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=7)
    arguments = parser.parse_args()
    number, past = arguments.applications, range(NOW.year - YEARS, NOW.year)
    grid = Table(
        "CPU ms", "first", "after an entry", "then", title=f"Statistics of ten years, {number:,} applications"
    )
    with tempfile.TemporaryDirectory() as folder:
        europe = Europe(sizes(number), past, NOW)
        settings, names = filled(Path(folder), europe), list(europe.sizes)
        for what, organisation in (
            ("46 organisations: the largest", names[0]),
            ("a middling one", names[20]),
            ("all", "CSS"),
        ):
            measure(grid, settings, what, organisation, arguments.times)

        def count() -> None:
            with open_record(settings).reading() as session:
                session.execute(COUNTING).all()

        alone = timed(count, arguments.times, lambda: None)
        grid.add_row("(one count of them without an index)", "", "", f"{alone:.0f}")
    for what, years in (("one organisation, ten years", past), ("one organisation, one year", past[-1:])):
        with tempfile.TemporaryDirectory() as folder:
            one = Europe({"NSS-PL": number // len(years)}, years, NOW, reviewers=number // len(years) // 50)
            measure(grid, filled(Path(folder), one), what, "NSS-PL", arguments.times)
    Console().print(grid)


if __name__ == "__main__":
    main()
