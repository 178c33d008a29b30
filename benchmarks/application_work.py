"""Our own work for one application, without Prefect and PDF: record, documents, rules, journal.

Run it with `.venv/bin/python benchmarks/application_work.py`; it makes a record of its own in a
temporary folder and prints a table. The yardstick in the same run is a bare SQLite transaction. By the clock, both wait
for the disk and for other work on the machine; the processor's time and the number of statements do not.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from labels.steps.proof import Code
from labels.turn import Door, Turn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adapters.workspace import open_workspace
from labels.answering import accepting
from labels.applications import conditions, ending
from labels.papers.due import due_papers
from labels.record.schema import Application, Member, Project, Step, Teacher
from labels.reviews import asking, deciding
from labels.settings import Settings
from labels.steps.answers import ReviewAnswer
from tests.support.people import TODAY, application_file, code_of, points, populate
from usecases.applying import submit_file
from usecases.likeness import look_for_likeness

WHOLE = "whole application"
YARDSTICK = "yardstick: one empty durable transaction"


class Measured(NamedTuple):
    """What something took: milliseconds by the clock and of the processor, and statements, BEGIN among them."""

    clock: float
    processor: float
    statements: float

    def since(self, began: Measured) -> Measured:
        """What was taken from a moment to this one."""
        return Measured(*(to - since for to, since in zip(self, began, strict=True)))

    @classmethod
    def median(cls, values: Sequence[Measured]) -> Measured:
        """The median of each."""
        return cls(*map(statistics.median, zip(*values, strict=True)))


def main() -> None:
    """Carries `--applications` applications from the file to the decision and prints the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--applications", type=int, default=300)
    parser.add_argument("--database-url", default="", help="PostgreSQL instead of SQLite")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(
            _env_file=None,
            home=Path(home),
            today=TODAY,
            database_url=arguments.database_url,
            secret="benchmark",
        )
        run(settings, arguments.applications)


def run(settings: Settings, count: int) -> None:
    """One measurement with one set of settings."""
    here = open_workspace(settings)
    with here.record.writing() as session:
        populate(session, reviewers=40)
        for n in range(count):
            session.add(
                Teacher(
                    id=f"TB-{n}", name=f"Teacher {n}", email=f"tb-{n}@school.example", school="S-1",
                    registered_on=TODAY, language="pl",
                )
            )  # fmt: skip
            session.add(Project(id=f"PB-{n}", title=f"Project {n}", started_on=TODAY, ended_on=None))
            session.flush()
            for teacher in (f"TB-{n}", "T-2"):
                session.add(Member(project=f"PB-{n}", teacher=teacher, role="founder", joined_on=TODAY))
    measured: dict[str, list[Measured]] = defaultdict(list)
    statements: list[None] = []

    @sa.event.listens_for(here.record.engine, "before_cursor_execute")
    def counted(*_: object) -> None:
        statements.append(None)

    def now() -> Measured:
        return Measured(time.perf_counter() * 1000, time.process_time() * 1000, len(statements))

    @contextmanager
    def timed(what: str) -> Iterator[None]:
        began = now()
        yield
        measured[what].append(now().since(began))

    key = here.key
    gc.collect()
    gc.freeze()  # as a worker's process does, once it has loaded what runs need
    for n in range(count):
        began = now()
        with timed("submit: check, two durable files, record"):
            identifier = submit_file(
                here, application_file(teacher=f"TB-{n}", project=f"PB-{n}"), "file", []
            ).application
        with timed("conditions"), here.record.writing() as session:
            assert conditions.check_conditions(here.turn(session), identifier)
        with timed("ask two reviewers"), here.record.writing() as session:
            steps: list[Step] = asking.ask(Turn(session, here.now(), key), identifier)
        for step in steps:
            with timed("record one review"), here.record.writing() as session:
                given = ReviewAnswer(scores=points(4), comment="Well done.")
                accepting.answer(
                    here.turn(session, Door.COMMAND_LINE),
                    step.id,
                    Code(code_of(step, key), step.assignee),
                    given,
                )
            with timed("ask again"), here.record.writing() as session:
                asking.ask(Turn(session, here.now(), key), identifier)
        with timed("decide"), here.record.writing() as session:
            deciding.decide(Turn(session, here.now(), key), identifier)
        with timed("papers' facts"), here.record.reading() as session:
            assert len(due_papers(session, identifier, here.stamp)) == 2
        with timed("close"), here.record.writing() as session:
            ending.close(here.turn(session), identifier)
        measured[WHOLE].append(now().since(began))
        with timed("beside it, in a transaction of its own: likeness"):
            assert look_for_likeness(here, identifier)
        with timed(YARDSTICK), here.record.writing() as session:
            session.execute(sa.update(Application).where(Application.id == identifier).values(run=str(n)))
    print(f"{count} applications, {here.record.engine.dialect.name}\n")
    print(f"{'':44}{'median ms':>10}{'p95 ms':>10}{'CPU ms':>10}{'statements':>12}")
    for what, values in measured.items():
        p95 = statistics.quantiles([one.clock for one in values], n=20)[-1]
        median = Measured.median(values)
        print(
            f"{what:44}{median.clock:>10.2f}{p95:>10.2f}{median.processor:>10.2f}{median.statements:>12.0f}"
        )
    whole, yardstick = Measured.median(measured[WHOLE]), Measured.median(measured[YARDSTICK])
    print(
        f"\nwhole application / one durable transaction: {whole.clock / yardstick.clock:.1f} by the clock, "
        f"{whole.processor / yardstick.processor:.1f} of the processor"
    )


if __name__ == "__main__":
    main()
