"""A European year at the end of a batch: screenings and the award, beside their model."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from adapters.workspace import Workspace
from benchmarks.walk import world
from benchmarks.walk.acting import Difference
from benchmarks.walk.model import Token
from labels.answering import accepting, deadlines
from labels.european_label.screening import undecided_places
from labels.record.schema import Application, CycleProject, Stage, Step, StepKind, StepState
from labels.rules.kept import rules_of
from labels.steps.answers import Screening
from labels.steps.codes import review_code
from labels.steps.outcome import Refusal
from labels.steps.proof import Code
from labels.turn import Door
from usecases.rehearsing.engine import InProcess
from usecases.rehearsing.playing import SettableClock


@dataclass
class Year:
    """What came of a year."""

    courses: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)


def play_year(here: Workspace, clock: SettableClock, engine: InProcess, chance: random.Random) -> Year:
    """The next cycle after now, from its first of October to its award."""
    begins = datetime(clock().year + (clock().month >= 9), 10, 1, 6, 0, tzinfo=UTC)
    with here.record.writing() as session:
        for n in range(chance.randint(4, 12)):
            for organisation in (world.OWN, world.FAR):
                if chance.random() < 0.8:
                    day = date(begins.year, 3, 1)
                    world.add_label(session, n, organisation, float(chance.randint(18, 30)), day)
    clock.set(begins)
    engine.cycle(begins.year)
    return _Playing(here, clock, engine, chance, begins.year).play()


class _Playing:
    def __init__(
        self, here: Workspace, clock: SettableClock, engine: InProcess, chance: random.Random, year: int
    ) -> None:
        self._here, self._clock, self._engine, self._chance, self._year = here, clock, engine, chance, year
        self._found = Year()
        self._award: Token | None = None
        self._said: list[str] | None = None

    def play(self) -> Year:
        nominations = {
            one: Token("european.bpmn", "nomination", undecided=self._undecided(one), how="")
            for one in self._of("nomination")
        }
        [cycle] = self._of("european")
        self._found.courses = 1 + len(nominations)
        for one, token in nominations.items():
            self._compare(one, "screening", token, StepKind.SCREENING, "it began")
        while going := sorted(one for one, token in nominations.items() if token.place == "screening"):
            self._screen(nominations, self._chance.choice(going))
            if self._found.differences:
                return self._found
        self._award = Token(
            "european.bpmn", "award", qualifying=self._qualifying(), former=None, said=None,
            four_eyes=self._four_eyes(cycle),
        )  # fmt: skip
        self._compare(cycle, "awarding", self._award, StepKind.AWARDING, "the nominations were merged")
        while self._award.place == "awarding" and not self._found.differences:
            self._decide(cycle)
        return self._found

    def _screen(self, nominations: dict[str, Token], one: str) -> None:
        token = nominations[one]
        if self._chance.random() < 0.12:
            self._found.acts["a screening's time is over"] += 1
            [*steps] = self._open(one, StepKind.SCREENING)
            assert steps[0].due_at is not None
            self._clock.set(steps[0].due_at + timedelta(minutes=1))
            deadlines.pass_deadlines(self._here.record, now=self._here.now(), key=self._here.key)
            for other, its in nominations.items():
                if its.place == "screening" and not self._open(other, StepKind.SCREENING):
                    self._engine.moved(other)
                    its.go(how="late", undecided=0)
                    self._compare(other, "screening", its, StepKind.SCREENING, "its time is over")
            return
        step = self._chance.choice(self._open(one, StepKind.SCREENING))
        with self._here.record.reading() as session:
            names = [
                place.candidate for place in undecided_places(session, session.get_one(Application, one))
            ]
        self._wrong(step, Screening(approve=["NQL-of-nobody"], strike={}))
        self._compare(one, "screening", token, StepKind.SCREENING, "a wrong screening")
        struck = {name: "Two reports are the same." for name in names if self._chance.random() < 0.25}
        self._say(step, Screening(approve=[name for name in names if name not in struck], strike=struck))
        self._found.acts["a screening"] += 1
        self._engine.moved(one)
        token.go(how="", undecided=self._undecided(one))
        self._compare(one, "screening", token, StepKind.SCREENING, "a screening")

    def _decide(self, cycle: str) -> None:
        assert self._award is not None
        step = self._chance.choice(self._open(cycle, StepKind.AWARDING))
        with self._here.record.reading() as session:
            names = session.scalars(
                sa.select(CycleProject.project).where(CycleProject.year == self._year, CycleProject.qualifies)
            ).all()
        struck = {one: "It is no common work." for one in names if self._chance.random() < 0.15}
        if self._said is not None and self._chance.random() < 0.6:  # they agree with whoever spoke before
            struck = {one: "It is no common work." for one in names if one not in self._said}
        approved = sorted(one for one in names if one not in struck)
        self._clock.set(self._clock() + timedelta(hours=5))
        self._say(step, Screening(approve=approved, strike=struck))
        self._found.acts["an award decided"] += 1
        self._engine.moved(cycle)
        self._award.go(former=self._said, said=approved)
        self._said = approved
        self._compare(cycle, "awarding", self._award, StepKind.AWARDING, "somebody decided on the award")

    # The record ---------------------------------------------------------------------------------------

    def _of(self, label: str) -> list[str]:
        with self._here.record.reading() as session:
            found = sa.select(Application.id).where(
                Application.label == label, Application.round == str(self._year)
            )
            return sorted(session.scalars(found))

    def _open(self, application: str, kind: StepKind) -> list[Step]:
        with self._here.record.reading() as session:
            return list(
                session.scalars(
                    sa.select(Step)
                    .where(Step.application == application, Step.kind == kind, Step.state == StepState.OPEN)
                    .order_by(Step.number)
                )
            )

    def _undecided(self, nomination: str) -> int:
        with self._here.record.reading() as session:
            return len(undecided_places(session, session.get_one(Application, nomination)))

    def _qualifying(self) -> int:
        with self._here.record.reading() as session:
            return (
                session.scalar(
                    sa.select(sa.func.count()).where(CycleProject.year == self._year, CycleProject.qualifies)
                )
                or 0
            )

    def _four_eyes(self, cycle: str) -> bool:
        with self._here.record.reading() as session:
            return rules_of(session, session.get_one(Application, cycle)).european.four_eyes.value

    def _answered(self, step: Step, given: Screening) -> object:
        with self._here.record.writing() as session:
            now = session.get_one(Step, step.id)
            code = Code(review_code(self._here.key, now.id, now.code_number), now.assignee)
            return accepting.answer(self._here.turn(session, Door.COMMAND_LINE), step.id, code, given)

    def _say(self, step: Step, given: Screening) -> None:
        done = self._answered(step, given)
        if isinstance(done, Refusal):
            self._found.differences.append(
                Difference(step.application, step.id, f"refused: {done.why}", "taken")
            )

    def _wrong(self, step: Step, given: Screening) -> None:
        if not isinstance(self._answered(step, given), Refusal):
            self._found.differences.append(Difference(step.application, step.id, "taken", "refused"))

    def _compare(self, application: str, place: str, token: Token, kind: StepKind, after: str) -> None:
        with self._here.record.reading() as session:
            row = session.get_one(Application, application)
        record = (bool(self._open(application, kind)), row.stage is Stage.CLOSED, row.outcome is not None)
        waits = token.place == place
        if record != (waits, not waits, not waits):
            self._found.differences.append(
                Difference(application, after, f"{record} {row.stage}", token.place)
            )
