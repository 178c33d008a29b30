"""A year with virtual people: the same one for the same seed, and its checks find what a year could break."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.workspace import Workspace, open_workspace
from benchmarks.year import checking, telling, world
from benchmarks.year.checking import NotSo
from benchmarks.year.ledger import Ledger
from benchmarks.year.picture import draw
from labels.clock import brussels_day
from labels.record.schema import Application, Award, Decision, Mail, Review, Step, StepKind
from labels.settings import PROJECT, Settings
from labels.views.rehearsal import waits
from usecases.rehearsing.engine import InProcess
from usecases.rehearsing.people import People
from usecases.rehearsing.playing import SettableClock, Year

SCALE, SEED = 0.0002, 1


class Played:
    """A whole year of nine teachers and a dozen schools, and what its transport took."""

    def __init__(self, home: Path) -> None:
        clock = SettableClock(world.BEGINS)
        opened = open_workspace(Settings(_env_file=None, home=home, secret="a year"))
        self.here = Workspace(opened.settings, opened.record, opened.documents, opened.key, clock)
        self.ledger = Ledger(clock)
        engine = InProcess(self.here, lambda paper: False, self.ledger)
        self.made = world.make(self.here.record, home / "registry", SCALE, SEED)
        year = Year(self.here, clock, engine, People(SEED), lambda name: nullcontext())
        year.play(self.made.planned, world.SEASON)
        assert year.refused == year.nobody_left == []
        self.taken = engine.box.taken

    def check(self, session: Session, taken: Counter[str] | None = None) -> dict[str, int]:
        return checking.check(session, self.here.now(), self.taken if taken is None else taken)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(tmp_path_factory.mktemp("year"))


@pytest.fixture
def session(played: Played) -> Iterator[Session]:
    """What is changed here is thrown away."""
    with played.here.record.reading() as session:
        yield session


pytestmark = pytest.mark.slow


def test_a_year_keeps_its_word_and_comes_to_an_end(played: Played, session: Session) -> None:
    counts = played.check(session)
    assert counts["national labels"] > 0
    assert counts["european labels"] > 0
    assert counts["school labels"] > 0
    assert counts["stuck"] == 0
    assert {row.stage.value for row in session.scalars(sa.select(Application))} == {"closed"}


def test_another_process_plays_the_same_year(session: Session) -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.year",
        "--scale",
        str(SCALE),
        "--seed",
        str(SEED),
        "--papers",
        "0",
    ]
    done = subprocess.run(
        [*command, "--digest"], cwd=PROJECT, env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [checking.digest(session)]


@pytest.mark.parametrize(
    ("label", "scale", "first", "others"),
    [
        ("school", "0.005", "School Label: schools checked", "European Quality Label: projects"),
        ("european", "0.001", "European Quality Label: projects", "National Quality Label: applications"),
    ],
)
def test_a_year_of_one_label_alone_comes_to_an_end_and_tells_of_that_label(
    label: str, scale: str, first: str, others: str
) -> None:
    command = [sys.executable, "-m", "benchmarks.year", "--label", label, "--scale", scale, "--papers", "0"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert first in done.stdout
    assert others not in done.stdout
    of = {name: int(number) for number, name in re.findall(r"(\d+) (\w+ labels)", done.stdout)}
    assert of["national labels"] == 0
    assert of[f"{label} labels"] > 0


def _decide_at_once(session: Session) -> None:
    session.execute(sa.update(Decision).values(decided_at=datetime(2026, 10, 1, tzinfo=UTC)))


def _leave_a_review_out(session: Session) -> None:
    first = session.scalars(sa.select(Review.step).order_by(Review.step)).first()
    session.execute(sa.delete(Review).where(Review.step == first))


def _lose_an_award(session: Session) -> None:
    of_ours = sa.select(Application.id).where(Application.label == "national")
    session.execute(
        sa.update(Award).where(Award.id.in_(of_ours)).values(revoked_at=datetime(2027, 9, 1, tzinfo=UTC))
    )


def _keep_a_message(session: Session) -> None:
    session.execute(sa.update(Mail).where(Mail.template == "receipt").values(sent_at=None))


def _leave_somebody_waiting(session: Session) -> None:
    review = session.scalars(sa.select(Step).where(Step.kind == StepKind.REVIEW).order_by(Step.id)).first()
    assert review is not None
    session.execute(sa.update(Step).where(Step.id == review.id).values(state="open"))


def _forget_an_outcome(session: Session) -> None:
    session.execute(sa.update(Application).where(Application.label == "school").values(stage="review"))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (_decide_at_once, "was reviewed after it was decided"),
        (_leave_a_review_out, "was decided before its 2 reviews"),
        (_lose_an_award, "is decided only"),
        (_keep_a_message, "never went out"),
        (_leave_somebody_waiting, "is still asked for"),
        (_forget_an_outcome, "is review and awaits"),
    ],
)
def test_what_a_year_breaks_is_found(
    played: Played, session: Session, broken: Callable[[Session], None], told: str
) -> None:
    broken(session)
    with pytest.raises(NotSo, match=told):
        played.check(session)


def test_a_message_that_went_out_twice_is_found(played: Played, session: Session) -> None:
    with pytest.raises(NotSo, match="was sent 2 times"):
        played.check(session, played.taken + Counter([next(iter(played.taken))]))


def test_the_queues_are_empty_in_the_end_and_add_up_to_what_was_asked(
    played: Played, session: Session
) -> None:
    found = waits(session)
    queues = telling.queues(session, found, world.BEGINS.date(), played.here.now().date() + timedelta(days=1))
    assert {days[-1] for days in queues.awaited.values()} == {0}
    assert sum(queues.arrived) == len(played.made.planned)
    svg = draw(queues, 1 / SCALE, [(world.ROUND_ON.date(), "schools & teachers")], "below")
    assert svg.startswith("<svg")
    assert "schools &amp; teachers" in svg


def test_the_busiest_hour_is_priced_by_what_was_done_on_it(played: Played) -> None:
    each = telling.prices(played.ledger, len(played.made.planned), engine_seconds=1.0)
    assert each["ask"] > played.ledger.each()["ask"]
    at, most = played.ledger.busiest(each)
    assert played.ledger.busiest(each, brussels_day(at)) == (at, most)
    assert played.ledger.busiest(each, world.ROUND_ON.date())[1] <= most
