"""Likeness at 50,000 applications: what looking for it costs one that is handed in, and the page that shows it.

Run it with `.venv/bin/python benchmarks/likeness.py`; it makes a record of its own in a temporary folder. The index has a
fingerprint for each that so many applications of 180 words a section would have; the applications that are measured have
real texts, of which each begins with a sentence that all have, and every fifth has two sections of another one.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adapters.workspace import Workspace, open_workspace
from labels.applications.similarity import FINGERPRINT_BYTES, Reading
from labels.people.persons import behind
from labels.record.schema import Application, Fingerprint, Project, Section, Stage, Teacher
from labels.settings import Settings
from labels.views.likeness import likeness_for
from tests.support.case import COORDINATOR, open_case
from tests.support.people import CRITERIA, TODAY
from usecases.likeness import look_for_likeness

AT_ONCE = 100_000
TEMPLATE = (
    "In our project pupils worked together in mixed international teams and used the TwinSpace every week."
)


def main() -> None:
    """Fills the index, looks for likeness, and prints the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--applications", type=int, default=50_000)
    parser.add_argument("--measured", type=int, default=200)
    parser.add_argument("--words", type=int, default=180, help="of a section")
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
        here = open_workspace(settings)
        texts = Texts(arguments.words)
        first = open_case(here.record).id
        rows = fill(here, first, arguments.applications, texts)
        print(
            f"{arguments.applications:,} applications, {rows:,} fingerprints, {here.record.engine.dialect.name}"
        )
        if (file := Path(home, "record.db")).exists():
            print(f"{file.stat().st_size / 2**20:,.0f} MiB with rows of the applications themselves")
        measure(here, first, arguments.measured, texts)


class Texts:
    """Texts of words as often as words are, that nobody wrote before."""

    def __init__(self, words: int) -> None:
        self._chance, self._words = random.Random(1), words
        letters = "abcdefghijklmnoprstuwząęł"
        self._vocabulary = [
            "".join(self._chance.choices(letters, k=self._chance.randint(2, 11))) for _ in range(30_000)
        ]
        self._weights = [1 / (rank + 3) for rank in range(len(self._vocabulary))]

    def text(self) -> str:
        """One section."""
        return f"{TEMPLATE} {' '.join(self._chance.choices(self._vocabulary, self._weights, k=self._words - 16))}."

    def sections(self) -> dict[str, str]:
        """One application's."""
        return {name: self.text() for name in CRITERIA}


def fill(here: Workspace, first: str, applications: int, texts: Texts) -> int:
    """Rows of applications, their sections and fingerprints, without texts; how many fingerprints."""
    each = statistics.mean(len(Reading(texts.text()).fingerprints) for _ in range(50))
    chance = random.Random(2)
    with here.record.reading() as session:
        of = session.get_one(Application, first)
        columns = {column.name: getattr(of, column.name) for column in Application.__table__.columns}
    numbers = range(applications)
    with here.record.writing() as session:
        session.execute(
            sa.insert(Project),
            [
                {"id": f"PX-{n}", "title": f"Project {n}", "started_on": TODAY, "ended_on": None}
                for n in numbers
            ],
        )
        session.execute(
            sa.insert(Application),
            [
                columns | {"id": f"NQL-X{n:09}", "project": f"PX-{n}", "stage": Stage.CLOSED, "outcome": None,
                           "teacher": "T-1", "content": {"sections": {}}}
                for n in numbers
            ],
        )  # fmt: skip
        sections = [
            {
                "id": 1 + n * len(CRITERIA) + at,
                "application": f"NQL-X{n:09}",
                "name": name,
                "fingerprints": b"",
            }
            for n in numbers
            for at, name in enumerate(CRITERIA)
        ]
        session.execute(sa.insert(Section), sections)
    total = int(len(sections) * each)
    made = sorted(
        (chance.getrandbits(8 * FINGERPRINT_BYTES), 1 + place % len(sections)) for place in range(total)
    )
    for start in range(0, total, AT_ONCE):
        with here.record.writing() as session:
            session.execute(
                sa.insert(Fingerprint),
                [{"fingerprint": one, "section": of} for one, of in made[start : start + AT_ONCE]],
            )
    return total


def measure(here: Workspace, first: str, count: int, texts: Texts) -> None:
    """Looks for likeness of applications with real texts, and shows it."""
    times: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def timed(what: str) -> Iterator[None]:
        began, processor = time.perf_counter(), time.process_time()
        yield
        times[what].append((time.perf_counter() - began) * 1000)
        times[f"{what}, processor"].append((time.process_time() - processor) * 1000)

    with here.record.reading() as session:
        of = session.get_one(Application, first)
        columns = {column.name: getattr(of, column.name) for column in Application.__table__.columns}
        coordinator = behind(session, COORDINATOR)[0].id
    earlier: list[dict[str, str]] = []
    for n in range(count):
        sections = texts.sections()
        if copies := n % 5 == 4:
            sections |= {name: earlier[n // 2][name] for name in CRITERIA[:2]}
        earlier.append(sections)
        identifier = f"NQL-M{n:09}"
        with here.record.writing() as session:
            session.add(Teacher(id=f"TM-{n}", name=f"Teacher {n}", email=f"tm-{n}@school.example", school="S-1",
                                registered_on=TODAY, language="pl"))  # fmt: skip
            session.flush()
            content = {**columns["content"], "sections": sections}
            session.add(
                Application(
                    **columns
                    | {"id": identifier, "teacher": f"TM-{n}", "project": f"PX-{n}", "content": content}
                )
            )
        with timed("look for likeness"):
            assert look_for_likeness(here, identifier)
        with timed("page: its data"), here.record.reading() as session:
            found = likeness_for(session, identifier, coordinator)
        assert bool(found.shown) == copies, [one.application for one in found.shown]
    print(f"\n{'':40}{'median ms':>10}{'p95 ms':>10}")
    for what, values in times.items():
        p95 = statistics.quantiles(values, n=20)[-1]
        print(f"{what:40}{statistics.median(values):>10.2f}{p95:>10.2f}")


if __name__ == "__main__":
    main()
