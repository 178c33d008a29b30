"""Plays a year: the clock jumps from event to event, people act, the engine moves on what they moved."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, ClassVar

import sqlalchemy as sa

from adapters.workspace import Workspace
from labels.answering import accepting, deadlines, reminders, rights
from labels.applications.documents import StoredDocument
from labels.clock import BRUSSELS, brussels_day
from labels.errors import InvalidInput, NotAllowed, NotFound
from labels.record.schema import (
    OPEN_STAGES,
    Application,
    Stage,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.reviews import calling, conflicts, coordinating, planning
from labels.reviews.asking import vacancies
from labels.reviews.choosing import choose_reviewer, may_be_one
from labels.reviews.ruling import Ruling
from labels.reviews.seats import seats_of
from labels.rules.kept import rules_of
from labels.rules.loading import load_rules
from labels.settings import PROJECT
from labels.steps.answers import read_answer
from labels.steps.codes import review_code
from labels.steps.outcome import Refusal
from labels.steps.proof import Code
from labels.steps.step import steps_of
from labels.turn import Door
from usecases.applying import store_evidence, submit_file
from usecases.assigning import plan
from usecases.rehearsing.engine import Engine
from usecases.rehearsing.people import Act, People
from usecases.rehearsing.season import Planned, Season, file_of

EVIDENCE = PROJECT / "examples" / "evidence"
_PLANNED = {
    StepKind.REVIEW, StepKind.INFORMATION, StepKind.ASSIGNMENT, StepKind.SCREENING, StepKind.AWARDING,
    StepKind.SELF_ASSESSMENT, StepKind.DECLARATION, StepKind.WITHDRAWAL, StepKind.APPEAL, StepKind.DECISION,
}  # fmt: skip


_GOOD = 0.6
"""From this quality on a coordinator awards: eighteen points of thirty."""


class SettableClock:
    """A clock that shows what it was set to last."""

    def __init__(self, at: datetime, shown: Callable[[datetime], object] = lambda at: None) -> None:
        self._shown = shown
        self.set(at)

    def set(self, at: datetime) -> None:
        """Jumps there."""
        self.at = at
        self._shown(at)

    def __call__(self) -> datetime:
        return self.at


@dataclass(order=True)
class _Event:
    at: datetime
    number: int
    act: Callable[[], None]


class Year:
    """One record, everybody's intentions, and the clock."""

    def __init__(
        self,
        here: Workspace,
        clock: SettableClock,
        engine: Engine,
        people: People,
        measured: Callable[[str], AbstractContextManager[None]],
        told: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._here, self._clock, self._engine, self._people = here, clock, engine, people
        self._measured, self._told = measured, told
        self._events: list[_Event] = []
        self._number = 0
        self._intended: set[tuple[str, int]] = set()
        self._quality: dict[str, float] = {}
        self._evidence: list[StoredDocument] = []
        self.events = 0
        self.late_refusals = 0
        """Answers that came after their deadline and were not taken."""
        self.refused: list[str] = []
        """What somebody did who may, and was refused for another reason: either they or the domain is wrong."""
        self.nobody_left: list[str] = []
        """Applications for whose seat no reviewer without a conflict of interest was left."""

    def play(self, planned: Iterable[Planned], season: Season) -> None:
        """From the first day until nothing is left that anybody means to do, or the season's horizon."""
        for one in planned:
            self._at(one.at, lambda one=one: self._submit(one))  # type: ignore[misc]  # mypy can't infer a default
        if season.round_on:
            self._at(season.round_on, lambda: self._look_at(self._engine.round()))
        if cycle := season.cycle:
            self._at(cycle.on, lambda: self._look_at(self._engine.cycle(cycle.year)))
        self._at(season.begins, self._upkeep_daily)
        self._until(season.horizon)

    def _until(self, horizon: datetime) -> None:
        """Event after event, until nothing is left that anybody means to do, or the horizon."""
        month = 0
        while self._events:
            event = heapq.heappop(self._events)
            if event.at > horizon:
                break
            self._clock.set(max(event.at, self._clock()))
            if self._clock().month != month:
                month = self._clock().month
                self._told(f"{self._clock():%B %Y}: {self.events} events so far")
            event.act()
            self.events += 1

    def _at(self, at: datetime, act: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, _Event(at, self._number, act))

    # The calendar -----------------------------------------------------------------------------------------

    def _upkeep_daily(self) -> None:
        """Twice a day: at five past midnight, when deadlines have passed, and at a quarter past seven."""
        here = self._here
        with self._measured("upkeep: deadlines"):
            passed = deadlines.pass_deadlines(here.record, now=here.now(), key=here.key)
        faults = [one.did for one in passed if one.did.startswith("could not")]
        assert not faults, faults
        for application in dict.fromkeys(one.application for one in passed):
            self._look_at(self._engine.moved(application))
        with self._measured("upkeep: reminders"):
            reminders.remind(here.record, now=here.now())
        with here.record.reading() as session:
            runless = session.scalars(
                sa.select(Application.id)
                .where(Application.stage.in_(OPEN_STAGES), Application.run.is_(None))
                .order_by(Application.id)
            ).all()
            is_over = (
                session.scalar(sa.select(sa.exists().where(Application.stage.in_(OPEN_STAGES)))) is False
            )
        for application in runless:
            self._look_at(self._engine.begun(application))
        self._engine.deliver()
        local = here.now().astimezone(BRUSSELS)
        if is_over and not runless and not any(event.act != self._upkeep_daily for event in self._events):
            return
        morning = local.time() < time(7)
        day = local.date() if morning else local.date() + timedelta(days=1)
        next_time = time(7, 15) if morning else time(0, 5)
        self._at(datetime.combine(day, next_time, BRUSSELS), self._upkeep_daily)

    def _submit(self, planned: Planned) -> None:
        with self._here.record.reading() as session:
            language = session.get_one(Teacher, planned.teacher).language
        edition = load_rules(planned.organisation, brussels_day(self._here.now()), self._here.settings.rules)
        criteria = [one.id for one in edition.criteria_set.counted]
        raw = file_of(planned, criteria, language, self._people.seed)
        try:
            with self._measured("submit"):
                application = submit_file(self._here, raw, "application.json", []).application
        except (InvalidInput, NotAllowed) as error:
            self.refused.append(f"{planned.teacher} applies for {planned.project}: {error}")
            return
        self._quality[application] = planned.quality
        self._look_at(self._engine.begun(application))

    # People -----------------------------------------------------------------------------------------------

    def _look_at(self, applications: set[str]) -> None:
        """Lets everybody who is asked something new make up their mind."""
        for identifier in sorted(applications):
            with self._here.record.reading() as session:
                application = session.get_one(Application, identifier)
                steps = [step for step in steps_of(session, application) if step.state is StepState.OPEN]
            for step in sorted(steps, key=lambda one: (one.kind.value, one.number)):
                known = (step.id, step.code_number)
                if step.kind not in _PLANNED or known in self._intended:
                    continue
                self._intended.add(known)
                intention = self._people.intends(step, self._here.now())
                if intention is not None:
                    self._at(
                        intention.at,
                        lambda step=step, act=intention.act: self._act(step, act),  # type: ignore[misc]  # as above
                    )

    def _act(self, step: Step, act: Act) -> None:
        with self._here.record.reading() as session:
            now = session.get_one(Step, step.id)
            application = session.get_one(Application, step.application)
        if now.state is not StepState.OPEN or now.code_number != step.code_number:
            return  # taken back or answered meanwhile
        if act is Act.APPEAL and application.stage is not Stage.CLOSED:
            return
        try:
            moves = self._acts[act](self, now, application)
        except (InvalidInput, NotAllowed, NotFound) as error:
            self.refused.append(f"{step.assignee} · {act.value} of {application.id}: {error}")
            return
        if moves:
            moved = self._engine.begun if act is Act.APPEAL else self._engine.moved
            self._look_at(moved(step.application))

    def _answer(self, step: Step, application: Application) -> bool:
        with self._here.record.reading() as session:
            edition = rules_of(session, application)
        said: dict[str, Any]
        match step.kind:
            case StepKind.REVIEW:
                quality = self._quality.get(application.id)
                if quality is None:
                    quality = self._people.quality_of_school(application.id)
                said = self._people.review(step, edition, quality)
            case StepKind.INFORMATION:
                said = {
                    "text": "All of it was planned together; see the second page of the evidence.",
                    "links": [],
                }
            case StepKind.SELF_ASSESSMENT:
                said = self._people.self_assessment(step, edition)
            case StepKind.DECLARATION:
                said = {"declare": True}
            case _:
                said = {"approve": ["all"]}
        return self._say(step, said)

    def _say(self, step: Step, said: dict[str, Any]) -> bool:
        """Whether it was taken; what comes after a deadline that ends a step is refused, as it must be."""
        here, documents = self._here, []
        if step.kind is StepKind.SELF_ASSESSMENT:
            documents = self._school_files()
        given = read_answer(said)
        with self._measured(f"answer: {step.kind.value}"), here.record.writing() as session:
            done = accepting.answer(
                here.turn(session, Door.COMMAND_LINE),
                step.id,
                Code(self._code(step), step.assignee),
                given,
                documents=documents,
            )
        if not isinstance(done, Refusal) or done.replace:  # a conflict that came up since they were asked
            return True
        if step.due_at is None or here.now() <= step.due_at:
            self.refused.append(f"{step.assignee} · {step.kind.value} of {step.application}: {done.why}")
        else:
            self.late_refusals += 1
        return False

    def _school_files(self) -> list[StoredDocument]:
        """Its files are the same for every school, and looked through once."""
        if not self._evidence:
            edition = load_rules("CSS", brussels_day(self._here.now()), self._here.settings.rules)
            files = [EVIDENCE / f"{kind}.pdf" for kind in ("safety", "policy", "declaration")]
            self._evidence = store_evidence(self._here, files, edition)
        return self._evidence

    def _code(self, step: Step) -> str:
        """As it stands in the mail."""
        return review_code(self._here.key, step.id, step.code_number)

    def _ask(self, step: Step, application: Application) -> bool:
        return self._say(step, {"question": "Which tasks did the partners plan together?"})

    def _decline(self, step: Step, application: Application) -> bool:
        if step.kind is StepKind.DECLARATION:
            return self._say(step, {"decline": "The second page is out of date.", "conflict": False})
        conflict = self._people.chance("conflict", step.id).random() < 0.5
        return self._say(step, {"decline": "I cannot judge this one.", "conflict": conflict})

    def _withdraw(self, step: Step, application: Application) -> bool:
        here = self._here
        with self._measured("withdraw"), here.record.writing() as session:
            done = rights.withdraw(here.turn(session), application.id, Code(self._code(step), step.assignee))
        if isinstance(done, Refusal):
            self.refused.append(f"{step.assignee} withdraws {application.id}: {done.why}")
            return False
        return True

    def _appeal(self, step: Step, application: Application) -> bool:
        here = self._here
        if step.due_at is not None and here.now() > step.due_at:
            self.late_refusals += 1
            return False
        with self._measured("appeal"), here.record.writing() as session:
            done = rights.appeal(
                here.turn(session),
                application.id,
                Code(self._code(step), step.assignee),
                "The evidence was not opened.",
            )
        if isinstance(done, Refusal):
            self.refused.append(f"{step.assignee} appeals {application.id}: {done.why}")
            return False
        return True

    def _replace(self, step: Step, application: Application) -> bool:
        """A coordinator gives a seat to the least loaded who may take it, or has all that wait assigned together."""
        here = self._here
        if step.kind is StepKind.ASSIGNMENT and self._waits_for_a_plan(application):
            return self._assign_all(step, application)
        with self._measured("reassign"), here.record.writing() as session:
            asked = set(
                session.scalars(
                    sa.select(Step.assignee).where(
                        Step.application == application.id, Step.kind == StepKind.REVIEW
                    )
                )
            )
            there = list(conflicts.candidates(session, application))
            beside = seats_of(session, [step.id])[step.id].neighbours
            perhaps_one = {one.email for one in there if any(may_be_one(one, other) for other in beside)}
            judged = conflicts.judged(session, application)
            chosen = choose_reviewer(there, judged, asked | perhaps_one, step.id)
            if chosen is None:
                self.nobody_left.append(application.id)
                return False
            coordinating.reassign(
                here.turn(session).acting(f"coordinator of {application.organisation}"),
                step.id,
                chosen.email,
                "No answer came.",
            )
        return True

    def _waits_for_a_plan(self, application: Application) -> bool:
        with self._here.record.reading() as session:
            return vacancies(session, application).waits

    def _assign_all(self, step: Step, application: Application) -> bool:
        here = self._here
        planned = plan(here, application.organisation)
        try:
            with self._measured("assign all"), here.record.writing() as session:
                turn = here.turn(session).acting(step.assignee, step.person)
                done = planning.carry_out(turn, planned.task, planned.plans)
        except NotAllowed:
            self.nobody_left.append(application.id)
            return False
        for one in done.applications:
            if one != application.id:
                self._look_at(self._engine.moved(one))
        return True

    def _rule(self, step: Step, application: Application) -> bool:
        """A coordinator decides, where the rules leave it to one."""
        here = self._here
        good = self._quality.get(application.id, 0.0) >= _GOOD
        with self._measured("rule"), here.record.writing() as session:
            turn = here.turn(session).acting(step.assignee, step.person)
            calling.decide(turn, step.id, Ruling.AWARD if good else Ruling.REFUSE, "The reviews say so.")
        return True

    _acts: ClassVar[dict[Act, Callable[[Any, Step, Application], bool]]] = {
        Act.ANSWER: _answer, Act.ASK: _ask, Act.DECLINE: _decline, Act.REPLACE: _replace,
        Act.WITHDRAW: _withdraw, Act.APPEAL: _appeal, Act.RULE: _rule,
    }  # fmt: skip
