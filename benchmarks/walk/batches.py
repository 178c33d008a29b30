"""A batch of courses: some twenty-five applications of one organisation at once, with a record of their own."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from adapters.workspace import Workspace, open_workspace
from benchmarks.walk import world
from benchmarks.walk.acting import Difference
from benchmarks.walk.european import play_year
from benchmarks.walk.walking import Walk
from benchmarks.year.ledger import Ledger
from labels.record.engine import close_records
from labels.record.schema import Application
from labels.rules.loading import load_rules, load_school_rules
from labels.school_label import inviting, rounds
from labels.settings import Settings
from labels.views.invariants import breaches
from tests.support import persons as persons  # rows of the registry get their people
from usecases.rehearsing.engine import InProcess
from usecases.rehearsing.people import People
from usecases.rehearsing.playing import SettableClock

TEACHERS, SCHOOLS = 18, 4
ACTS = 2_000
"""Acts of a batch before it is too long: none came near it."""


@dataclass
class Batch:
    """What came of one or several batches."""

    courses: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    papers: int = 0

    def __add__(self, other: Batch) -> Batch:
        return Batch(
            self.courses + other.courses, self.acts + other.acts, self.ends + other.ends,
            self.differences + other.differences, self.breaches + other.breaches, self.papers + other.papers,
        )  # fmt: skip


def play(seed: int, papers: float) -> Batch:
    """One batch; the same in every run of one seed."""
    with tempfile.TemporaryDirectory(prefix="labels-walk-") as home:
        try:
            return _play(seed, papers, Path(home))
        finally:
            close_records()


def _play(seed: int, papers: float, home: Path) -> Batch:
    chance = random.Random(f"walk {seed}")
    clock = SettableClock(world.BEGINS)
    opened = open_workspace(Settings(_env_file=None, home=home, secret="a walk"))
    here = Workspace(opened.settings, opened.record, opened.documents, opened.key, clock)
    ledger = Ledger(clock)
    engine = InProcess(here, People(seed).share_of_papers(papers), ledger)
    reviewers = chance.randint(4, 9)
    with here.record.writing() as session:
        world.populate(session, reviewers=reviewers, teachers=TEACHERS, schools=SCHOOLS)
    walk = Walk(here, clock, engine, chance, reviewers)
    for school in _invited(here, chance):
        walk.invited(school)
    for n in range(TEACHERS):
        walk.apply(n)
    for _ in range(ACTS):
        if not walk.go_on():
            break
    else:
        walk.differences.append(Difference("all", f"{ACTS} acts", "not at an end", "at an end"))
    year = play_year(here, clock, engine, chance)
    walk.end()
    found = Batch(
        len(walk.courses) + year.courses,
        walk.acts + year.acts,
        differences=walk.differences + year.differences,
    )
    with here.record.reading() as session:
        found.breaches += [f"seed {seed}: {one}" for one in breaches(session, here.now())]
        ends = session.execute(
            sa.select(Application.label, Application.outcome, sa.func.count()).group_by(
                Application.label, Application.outcome
            )
        ).all()
    for label, outcome, number in ends:
        found.ends[f"{label} {outcome.value if outcome else 'still open, and owned'}"] += number
    found.papers = sum(number for part, number in ledger.times.items() if part.startswith("rendering"))
    return found


def _invited(here: Workspace, chance: random.Random) -> list[str]:
    """The School Label's round: the schools' applications."""
    day = world.TODAY
    school_rules = world.rules_by_chance(chance, load_school_rules(world.OWN, day))
    with here.record.writing() as session:
        rounds.begin(here.turn(session), day, lambda whose: load_rules(whose, day))
        rounds.check(here.turn(session), day.year)
        inviting.invite(here.turn(session), day.year, lambda whose: school_rules)
        return list(
            session.scalars(
                sa.select(Application.id).where(Application.label == "school").order_by(Application.id)
            )
        )
