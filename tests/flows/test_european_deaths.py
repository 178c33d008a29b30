"""A process may die at any moment of a European Quality Label's year: it ends once, and the same, all the same.

Moments are those of `test_kill_points`; a year has some hundreds, of which a sample is tried in each run.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from prefect import Task

import adapters.papers.campaigns as campaigns
import adapters.prefect.client
import adapters.workspace
import flows.quality_label.european as year_flow
import flows.quality_label.nomination as nomination_flow
import tasks.european
import tasks.process
import tasks.upkeep
import tasks.waiting
import usecases.beginning
import usecases.running
from adapters.documents.directory import DirectoryStore
from adapters.workspace import Workspace
from labels.answering import accepting
from labels.kinds import LabelKind
from labels.record import Record
from labels.record.engine import open_engine
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    Award,
    CyclePlace,
    CycleProject,
    Document,
    Issued,
    Journal,
    Mail,
    Stage,
    Step,
)
from labels.settings import Settings
from labels.steps.answers import read_answer
from labels.steps.proof import Code
from labels.steps.step import open_steps
from labels.turn import Door, Turn
from tests.support.european import BEGINS, YEAR, populate_year
from tests.support.killing import Fate, Killed
from tests.support.patching import everywhere
from tests.support.people import code_of
from tests.support.small_prefect import SmallPrefect
from tests.support.small_world import A_WHILE, Mortal

FLOWS = {
    "european": year_flow.european_quality_label.fn,
    "nomination": nomination_flow.nomination.fn,
}


class Year(Mortal):
    """One record, one folder and one Prefect, and coordinators who approve whatever is asked of them."""

    def __init__(self, home: Path, record: Record, fate: Fate) -> None:
        self.fate = fate
        self.time = BEGINS
        self.deaths = 0
        self.ended: dict[str, Any] = {}
        self.handed_over: Counter[str] = Counter()
        settings = Settings(_env_file=None, home=home, secret="a secret for tests")
        self.here = Workspace(
            settings=settings, record=record, documents=DirectoryStore.from_settings(settings), fixed_key=settings.key,
            clock=lambda: self.time,
        )  # fmt: skip
        self.prefect = SmallPrefect(lambda what: self.fate.around(what))

    def live(self, prefect_is_lost_with_it: bool = False) -> None:
        """The whole year; whenever a process dies, a while passes and everybody begins again."""
        with self._in_place():
            for _ in range(600):
                try:
                    if not self._go_on():
                        return
                except Killed:
                    self.deaths += 1
                    self.prefect.executing = None
                    self._pass_time()
                    if prefect_is_lost_with_it:
                        self.prefect.lose_everything()
        raise AssertionError("it does not end")

    def _go_on(self) -> bool:
        with self.here.record.reading() as session:
            labels = dict(session.execute(sa.select(Application.id, Application.label)).tuples().all())
            stages = list(session.scalars(sa.select(Application.stage)))
            unsent = session.scalar(sa.select(sa.func.count()).where(Mail.sent_at.is_(None)))
        if not labels:
            usecases.beginning.begin_cycle(self.here, YEAR)
        elif scheduled := self.prefect.scheduled():
            run = scheduled[0]
            self.prefect.execute(run, FLOWS[labels[self.prefect.runs[run].application]])
        elif not self._somebody_answers(labels):
            left = [run for run in self.prefect.runs.values() if not run.state.is_final()]
            if all(stage is Stage.CLOSED for stage in stages) and not unsent and not left:
                return False
            self._pass_time()
            tasks.upkeep.recover_applications.fn()
            tasks.upkeep.publish_galleries.fn()
            tasks.upkeep.send_mail.fn()
        return True

    def _somebody_answers(self, labels: dict[str, LabelKind]) -> bool:
        for identifier in sorted(labels):
            with self.here.record.reading() as session:
                steps = open_steps(session, session.get_one(Application, identifier))
            for step in steps[:1]:
                with self.here.record.writing() as session:
                    given = read_answer({"approve": ["all"]})
                    accepting.answer(
                        Turn(session, self.time, self.here.key, Door.COMMAND_LINE),
                        step.id,
                        Code(code_of(step, self.here.key), step.assignee),
                        given,
                    )
                usecases.running.wake(self.here, self.prefect, identifier, within=0.25, pause=lambda _: None)  # type: ignore[arg-type]  # stands in
                return True
        return False

    def _pass_time(self) -> None:
        self.time += A_WHILE
        self.prefect.age(A_WHILE)

    @contextlib.contextmanager
    def _in_place(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for module in (year_flow, nomination_flow):
                for name, value in vars(module).items():
                    if isinstance(value, Task):
                        patch.setattr(module, name, value.fn)
            everywhere(patch, adapters.workspace.workspace, lambda: self.here)
            patch.setattr(adapters.prefect.client, "get_client", self.prefect.client)
            patch.setattr(
                adapters.prefect.client, "PREFECT_API_URL", SimpleNamespace(value=lambda: "in memory")
            )
            prefect = self.prefect

            class Executing:
                @property
                def id(self) -> str:
                    return str(prefect.executing)

            for module in (tasks.process, tasks.waiting):
                patch.setattr(module, "flow_run", Executing())
            patch.setattr(tasks.waiting, "suspend_flow_run", self.prefect.suspend)
            patch.setattr(tasks.process, "create_markdown_artifact", self.prefect.artifact)
            patch.setattr(tasks.european, "create_progress_artifact", lambda **_: None)
            quiet = SimpleNamespace(warning=lambda *_: None, info=lambda *_: None)
            for module in (tasks.process, tasks.european):
                patch.setattr(module, "get_run_logger", lambda: quiet)
            hurried = functools.partial(usecases.running.wake, within=0.25, pause=lambda _: None)
            everywhere(patch, usecases.running.wake, hurried)
            patch.setattr(campaigns, "render_each", _drawn)
            patch.setattr(tasks.european, "TOGETHER", 2)
            self.mortal(patch)
            yield

    def facts(self) -> dict[str, Any]:
        """All that must be the same however often somebody died."""
        with self.here.record.reading() as session:

            def every(*columns: Any) -> list[Any]:
                return sorted(session.execute(sa.select(*columns)).tuples().all())

            return {
                "awards": every(Award.id, Award.label),
                "issued": every(Issued.paper, Issued.code, Issued.file_digest),
                "places": every(
                    CyclePlace.organisation, CyclePlace.candidate, CyclePlace.screened, CyclePlace.why
                ),
                "projects": every(CycleProject.project, CycleProject.qualifies, CycleProject.why),
                "documents": every(Document.application, Document.name, Document.key),
                "mail": every(Mail.reason),
                "steps": every(Step.id, Step.state),
                "outcomes": every(
                    Application.id, Application.stage, Application.outcome, Application.instance
                ),
                "journal": Counter(
                    what for what in session.scalars(sa.select(Journal.what)) if what != Event.MAIL_NOT_NEEDED
                ),
            }


def _drawn(wanted: Iterable[campaigns.Wanted], *, processes: int | None, **_: object) -> Iterator[bytes]:
    """What certificates look like is tested elsewhere."""
    assert processes == 1, "a few certificates are worth no other process"
    for facts, _credential in wanted:
        yield f"%PDF {facts.digest}".encode()


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Any:
    """Lives a year with deaths at some of its moments."""
    folder = tmp_path_factory.mktemp("years")
    populated = folder / "populated.db"
    shutil.copyfile(sqlite_template, populated)
    engine = open_engine(f"sqlite:///{populated}")
    with Record(engine).writing() as session:
        populate_year(session)
    engine.dispose()
    number = iter(range(1_000))

    def live(deaths: set[int], prefect_is_lost: bool = False) -> Year:
        home = folder / f"life-{next(number)}"
        home.mkdir()
        shutil.copyfile(populated, home / "record.db")
        own = open_engine(f"sqlite:///{home / 'record.db'}")
        year = Year(home, Record(own), Fate(deaths))
        year.live(prefect_is_lost)
        year.ended = year.facts()
        own.dispose()
        shutil.rmtree(home)
        return year

    return live


@pytest.mark.slow
def test_a_year_ends_once_and_the_same_wherever_it_dies(lives: Any) -> None:
    usual = lives(set())
    assert usual.deaths == 0
    assert all(times == 1 for times in usual.handed_over.values())
    moments = len(usual.fate.passed)
    assert moments > 100
    for death in range(3, moments, moments // 9):
        for lost in (False, True) if death % 2 else (False,):
            year = lives({death}, lost)
            assert year.deaths == 1
            assert year.ended == usual.ended, usual.fate.passed[death - 1]
            assert sum(times > 1 for times in year.handed_over.values()) <= 1, (
                "at most what was just being sent"
            )
    twice = lives({moments // 3, 2 * moments // 3})
    assert twice.ended == usual.ended
