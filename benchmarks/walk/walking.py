"""Random courses of a batch of applications on one virtual clock, each act done in the record and told to the model."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from adapters.workspace import Workspace
from benchmarks.walk import world
from benchmarks.walk.acting import Acting, Course, Difference
from benchmarks.walk.model import Judged, School
from labels.answering import deadlines, reminders
from labels.answering.leaving import Whose, leave
from labels.applications.documents import StoredDocument
from labels.applications.file import read_application
from labels.applications.submitting import submit
from labels.clock import BRUSSELS
from labels.record.schema import Application, Award, Outcome, Stage, Step, StepKind, StepState
from labels.rules.kept import rules_of
from tests.support.people import application_file
from usecases.rehearsing.engine import InProcess
from usecases.rehearsing.playing import SettableClock

SCHOOL_FILES = tuple(
    StoredDocument("evidence", name, f"sha256/walk/{name}", "application/pdf", 1)
    for name in ("safety-rules.pdf", "Policy 2026.pdf", "declaration.pdf")
)

_PRECONDITIONS = ("shared_plan", "finished", "contributed", "collaborative", "safe")

_END = (StepKind.INFORMATION, StepKind.SELF_ASSESSMENT, StepKind.DECLARATION)
"""What ends with its deadline."""


_OUTCOMES = {
    "awarded": Outcome.AWARDED, "refused": Outcome.REFUSED, "withdrawn": Outcome.WITHDRAWN,
    "ineligible": Outcome.INELIGIBLE, "revoked": Outcome.AWARDED, "expired": Outcome.EXPIRED,
}  # fmt: skip


class Walk(Acting):
    """A batch of courses in one record."""

    def __init__(
        self, here: Workspace, clock: SettableClock, engine: InProcess, chance: random.Random, reviewers: int
    ) -> None:
        super().__init__(here, clock, chance, reviewers)
        self._engine = engine
        self._done: set[str] = set()
        self.acts: Counter[str] = Counter()

    # Beginning ----------------------------------------------------------------------------------------

    def apply(self, n: int) -> None:
        """Teacher `TW-n` applies for their project; one in twelve does so in vain."""
        edition = world.own_rules(self._chance)
        in_vain = self._chance.random() < 1 / 12
        file = read_application(
            application_file(
                teacher=f"TW-{n}", project=f"PW-{n}",
                preconditions=dict.fromkeys(_PRECONDITIONS, True) | ({"safe": False} if in_vain else {}),
                sections={one.id: f"Uczniowie badali rzeki {n} ({one.id})." for one in edition.criteria_set.counted},
            ),
            "application.json",
        )  # fmt: skip
        documents = [
            StoredDocument("application", "application.json", f"sha256/walk/{n}", "application/json", 2)
        ]
        with self._here.record.writing() as session:
            identifier = submit(self._here.turn(session), file, documents, edition).application
        model = Judged(world.known_to_the_model(edition), len(self.free(identifier)), eligible=not in_vain)
        self._begin(Course(identifier, model, edition, []))

    def invited(self, identifier: str) -> None:
        """A school was invited."""
        with self._here.record.reading() as session:
            edition = rules_of(session, session.get_one(Application, identifier))
        model = School(world.known_to_the_model(edition), len(self.free(identifier)))
        self._begin(Course(identifier, model, edition, []))

    def _begin(self, course: Course) -> None:
        self.courses[course.id] = course
        self._engine.begun(course.id)
        self._compare(course, "it began")

    # Going on -----------------------------------------------------------------------------------------

    def go_on(self) -> bool:
        """Something happens to one of them, or time passes; whether anything may still happen."""
        if self._chance.random() < 0.15:
            self._time_passes()
        elif self._chance.random() < 0.004 and len(self.left) < len(self.reviewers) - 3:
            self._somebody_leaves()
        while going := [one for one in self.courses if one not in self._done]:
            course = self.courses[self._chance.choice(going)]
            if acts := self.possible(course):
                name, act = self._chance.choice(acts)
                self._clock.set(self._clock() + timedelta(minutes=self._chance.randint(1, 300)))
                self._do(course, name, act)
                return True
            self._done.add(course.id)
        return False

    def end(self) -> None:
        """Those that nobody can bring to an end but their applicants or coordinators: every one is owned."""
        for course in self.courses.values():
            with self._here.record.reading() as session:
                row = session.get_one(Application, course.id)
            if row.stage is not Stage.CLOSED:  # as recovery does: it has seen what was noted since
                self._engine.moved(course.id)
            with self._here.record.reading() as session:
                waits = session.scalar(
                    sa.select(sa.func.count()).where(
                        Step.application == course.id, Step.state == StepState.OPEN,
                        Step.kind.not_in((StepKind.WITHDRAWAL, StepKind.APPEAL)),
                    )
                )  # fmt: skip
            if row.stage is not Stage.CLOSED and not waits:
                self.differences.append(
                    Difference(course.id, "its end", f"{row.stage}, nobody is awaited", "ended or owned")
                )

    def _do(self, course: Course, name: str, act: Callable[[], None]) -> None:
        self.acts[name] += 1
        course.happened.append(name)
        act()
        self._moved(course, name)

    def _moved(self, course: Course, name: str) -> None:
        with self._here.record.reading() as session:
            runless = session.get_one(Application, course.id).run is None
        (self._engine.begun if runless else self._engine.moved)(course.id)
        self._compare(course, name)
        self._colleagues_invited(course)

    def _colleagues_invited(self, course: Course) -> None:
        """A school that was refused in time is invited anew, to an application of its own."""
        if not isinstance(course.model, School):
            return
        with self._here.record.reading() as session:
            school = session.get_one(Application, course.id).school
            newer = session.scalars(
                sa.select(Application.id).where(Application.school == school, Application.label == "school")
            ).all()
        for one in sorted(newer):
            if one not in self.courses:
                self.invited(one)

    # Time ---------------------------------------------------------------------------------------------

    def _time_passes(self) -> None:
        self.acts["time passes"] += 1
        self._clock.set(self._clock() + timedelta(hours=self._chance.choice((3, 24, 24, 72, 240))))
        late = self._over()
        here = self._here
        passed = deadlines.pass_deadlines(here.record, now=here.now(), key=here.key)
        reminders.remind(here.record, now=here.now())
        found = {one.step for one in passed}
        if found - {step.id for step in late} or any("could not" in one.did for one in passed):
            self.differences.append(
                Difference("all", "time passed", f"{passed}", f"{[step.id for step in late]}")
            )
        touched = {}
        for step in late:
            course = self.courses.get(step.application)
            if course is None:
                continue
            touched[course.id] = course
            if step.kind is StepKind.INFORMATION and course.judged:
                course.judged.answered(step.seat)
            elif isinstance(course.model, School) and course.model.place in (
                "self_assessment",
                "declaration",
            ):
                course.model.did("late")
        for course in touched.values():
            course.happened.append("its time is over")
            self._moved(course, "its time is over")

    def _over(self) -> list[Step]:
        with self._here.record.reading() as session:
            return list(
                session.scalars(
                    sa.select(Step).where(
                        Step.state == StepState.OPEN, Step.due_at < self._clock(),
                        Step.kind.in_((StepKind.INFORMATION, StepKind.SELF_ASSESSMENT, StepKind.DECLARATION)),
                    )
                )
            )  # fmt: skip

    # People -------------------------------------------------------------------------------------------

    def _somebody_leaves(self) -> None:
        self.acts["a reviewer leaves"] += 1
        who = self._chance.choice(sorted(self.reviewers - self.left))
        courses = [one for one in self.courses.values() if one.judged]
        free = {one.id: who in self.free(one.id) for one in self.courses.values()}
        seats = {one.id: self.seats_of(one, who) for one in courses}
        self.left.add(who)
        for one in self.courses.values():
            if isinstance(one.model, School) and one.judged is None:
                one.model.free -= free[one.id]
        with self._here.record.writing() as session:
            leave(self._here.turn(session), Whose(who), self._clock().astimezone(BRUSSELS).date())
        for course in courses:
            judged = course.judged
            assert judged is not None
            judged.free -= free[course.id]
            if judged.place == "judging":
                judged.vacated(*seats[course.id])
            course.happened.append(f"{who} leaves")
            if judged.place == "judging" or seats[course.id]:
                self._moved(course, "a reviewer left")

    # Comparing ----------------------------------------------------------------------------------------

    def _compare(self, course: Course, after: str) -> None:
        record, model = self._of_record(course), self._of_model(course)
        if record != model:
            found = Difference(
                course.id, f"{after} ({', '.join(course.happened[-6:])})", str(record), str(model)
            )
            self.differences.append(found)
            self._done.add(course.id)  # whatever follows would differ, too

    def _of_model(self, course: Course) -> dict[str, object]:
        if course.judged is None:
            assert isinstance(course.model, School)
            place = course.model.place
            over = place == "expired"
            return {
                "outcome": _OUTCOMES["expired"] if over else None, "closed": over, "instance": 1,
                "awaited": [] if over else [(place.replace("_", "-"), 1)], "asked": [], "rights": [], "label": False,
            }  # fmt: skip
        judged = course.judged
        closed = judged.place != "judging"
        return {
            "outcome": _OUTCOMES.get(judged.place), "closed": closed, "instance": judged.instance,
            "awaited": judged.awaited,
            "asked": sorted(n for n, seat in judged.seats.items() if seat.place == "asked" and not closed),
            "rights": judged.rights, "label": judged.place == "awarded", "free": judged.free,
        }  # fmt: skip

    def _of_record(self, course: Course) -> dict[str, object]:
        steps = self.steps(course.id)
        with self._here.record.reading() as session:
            row = session.get_one(Application, course.id)
            award = session.get(Award, course.id)
        opened = [one for one in steps if one.state is StepState.OPEN]
        rights_ = {StepKind.WITHDRAWAL, StepKind.APPEAL}
        awaited = sorted(
            {
                (one.kind.value, one.seat if course.judged else 1)
                for one in opened
                if one.kind not in rights_ and one.kind is not StepKind.COORDINATION
            }
        )
        asked = sorted(
            one.seat for one in steps if one.kind is StepKind.REVIEW and one.state is StepState.ASKED
        )
        found: dict[str, object] = {
            "outcome": row.outcome, "closed": row.stage is Stage.CLOSED, "instance": row.instance, "awaited": awaited,
            "asked": asked, "rights": sorted(one.kind.value for one in opened if one.kind in rights_),
            "label": award is not None and award.revoked_at is None,
        }  # fmt: skip
        if course.judged is not None:
            found["free"] = len(self.free(course.id))
        return found
