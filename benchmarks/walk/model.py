"""A model of the process that knows nothing of ours: BPMN, run by SpiffWorkflow, with the rules of points counted again.

It is told what people do and says who is awaited, what counts and how it ends. What it takes as given: when something
is due, whom the rules name, and which organisation's rules apply.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from statistics import mean, median
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine, TaskDataEnvironment

PROCESSES = Path(__file__).parent / "processes"

Points = Mapping[str, int]
"""Criterion → points."""


@dataclass(frozen=True)
class Rules:
    """What a model needs to know of the rules of an application."""

    reviewers: int
    most: int
    merge: str
    third_voice: str | None
    disagreement: int
    border: int
    pass_mark: int
    minimum: Mapping[str, int]
    """Criterion → fewest points."""
    counted: tuple[str, ...]
    """The criteria that make the total."""
    appeals: bool


# What points mean ---------------------------------------------------------------------------------


def _total(points: Points, rules: Rules) -> int:
    return sum(points[one] for one in rules.counted)


def _voices(voices: Mapping[int, Points], rules: Rules) -> tuple[list[Points], str]:
    """Whose points count, and by which of mean and median."""
    given = [voices[seat] for seat in sorted(voices)]
    if len(given) <= rules.reviewers or rules.third_voice is None:
        return given, rules.merge
    if rules.third_voice == "third":
        return given[-1:], "mean"
    if rules.third_voice == "nearest_two":
        pairs = sorted(
            itertools.combinations(given, 2),
            key=lambda two: abs(_total(two[0], rules) - _total(two[1], rules)),
        )
        apart = [abs(_total(one, rules) - _total(other, rules)) for one, other in pairs]
        return (given if apart.count(apart[0]) > 1 else list(pairs[0])), "mean"
    return given, rules.third_voice


def _middle(voices: Mapping[int, Points], rules: Rules) -> dict[str, Fraction]:
    counted, how = _voices(voices, rules)
    middle = mean if how == "mean" else median
    return {one: middle([Fraction(points[one]) for points in counted]) for one in counted[0]}


def another(voices: Mapping[int, Points], rules: Rules) -> bool:
    """Whether one more reviewer is called."""
    number = len(voices)
    if number >= rules.most:
        return False
    if number > rules.reviewers and rules.third_voice in ("third", "nearest_two"):
        return False
    totals = [_total(points, rules) for points in voices.values()]
    if max(totals) - min(totals) > rules.disagreement:
        return True
    merged = _middle(voices, rules)
    score = sum((merged[one] for one in rules.counted), Fraction(0))
    return number == rules.reviewers and 0 < rules.border >= abs(score - rules.pass_mark)


def passes(voices: Mapping[int, Points], rules: Rules) -> bool:
    """Whether the label is awarded."""
    merged = _middle(voices, rules)
    enough = all(merged[one] >= least for one, least in rules.minimum.items())
    return enough and sum((merged[one] for one in rules.counted), Fraction(0)) >= rules.pass_mark


# The engine ---------------------------------------------------------------------------------------


@cache
def _specification(file: str, process: str) -> Any:
    parser = BpmnParser()
    parser.add_bpmn_file(str(PROCESSES / file))
    return parser.get_spec(process)


_ENGINE = PythonScriptEngine(TaskDataEnvironment({"another": another, "passes": passes}))


class Token:
    """One run of a process, which waits at one place at a time."""

    def __init__(self, file: str, process: str, **data: Any) -> None:
        self._run = BpmnWorkflow(_specification(file, process), script_engine=_ENGINE)
        self._run.data = {}
        for task in self._run.get_tasks(state=TaskState.READY):
            task.data.update(data)
        self._run.do_engine_steps()

    @property
    def place(self) -> str:
        """Where it waits, or the end that it came to."""
        ready = self._run.get_tasks(state=TaskState.READY, manual=True)
        if ready:
            [task] = ready
            return str(task.task_spec.bpmn_id)
        ends = [
            task.task_spec.bpmn_id
            for task in self._run.get_tasks(state=TaskState.COMPLETED)
            if type(task.task_spec).__name__ == "EndEvent"
        ]
        return str(ends[-1])

    def go(self, **data: Any) -> str:
        """Something happened where it waits; the place to which it came."""
        [task] = self._run.get_tasks(state=TaskState.READY, manual=True)
        task.data.update(data)
        task.run()
        self._run.do_engine_steps()
        return self.place


# An application that is judged --------------------------------------------------------------------


@dataclass
class Seat:
    """A reviewer's seat: where its process is, and what its reviewer gave."""

    token: Token
    points: Points | None = None
    question: bool = False
    """A question is with the applicant."""

    @property
    def place(self) -> str:
        """Where it waits."""
        return self.token.place


@dataclass
class Judged:
    """An application from the moment when it is received."""

    rules: Rules
    free: int
    """Reviewers who have no conflict of interest and were never asked."""
    eligible: bool = True
    can_withdraw: bool = True
    seats: dict[int, Seat] = field(default_factory=dict)
    heard: bool = False
    """An appeal was heard already."""
    instance: int = 1
    _coordinator_for: int | None = None

    def __post_init__(self) -> None:
        self.token = Token(
            "application.bpmn", "application", rules=self.rules, eligible=self.eligible, voices={}, how=""
        )
        self._call_all()

    @property
    def place(self) -> str:
        """`judging`, `awarded`, `refused`, `withdrawn`, `ineligible` or `revoked`."""
        return self.token.place

    @property
    def awaited(self) -> list[tuple[str, int]]:
        """Who is awaited: the kind of step, and the seat."""
        if self.place != "judging":
            return []
        found = [("information", number) for number, seat in self.seats.items() if seat.question]
        found += [("review", number) for number, seat in self.seats.items() if seat.place == "review"]
        if self._coordinator_for is not None:
            found.append(("assignment", self._coordinator_for))
        return sorted(found)

    @property
    def rights(self) -> list[str]:
        """What the applicant may do that nobody waits for."""
        if self.place == "judging" and self.can_withdraw:
            return ["withdrawal"]
        return ["appeal"] if self.place == "refused" and self.rules.appeals and not self.heard else []

    @property
    def voices(self) -> dict[int, Points]:
        """The reviews that count, by seat."""
        return {number: seat.points for number, seat in self.seats.items() if seat.points is not None}

    # What happens

    def gave(self, number: int, points: Points) -> None:
        """A reviewer reviewed."""
        self._move(number, "given")
        self.seats[number].points = points
        self._settle()

    def asked(self, number: int) -> None:
        """A reviewer has a question."""
        self.seats[number].question = True
        self._move(number, "asks")

    def answered(self, number: int) -> None:
        """The applicant answered, or let the time pass."""
        seat = self.seats[number]
        seat.question = False
        if seat.place == "asked":
            self._move(number, "answered")

    def vacated(self, *numbers: int) -> None:
        """Reviewers declined, left or have a conflict of interest."""
        for number in numbers:
            self.seats[number].points = None
            if not self._needed(number) or self.place != "judging":
                del self.seats[number]
        for number in sorted(set(numbers) & self.seats.keys()):
            self._move(number, "vacated")
        self._settle()

    def handed_over(self, number: int, *, was_free: bool) -> None:
        """A coordinator named another reviewer."""
        self.free -= was_free
        place = self.seats[number].place
        self._move(number, "named" if place == "assignment" else "handed over", free=0)
        self._settle()

    def sent_back(self, number: int) -> None:
        """A review that was given is with its reviewer again."""
        self.seats[number].points = None
        self._move(number, "back")
        self._settle()

    def in_conflict(self, *, unasked: bool) -> None:
        """Somebody who has no seat turns out to have a conflict of interest."""
        self.free -= unasked
        self._settle()

    def withdrew(self) -> None:
        """The applicant ends it."""
        self.token.go(how="withdrawn")

    def revoked(self) -> None:
        """The label is taken back."""
        self.token.go(how="revoked")

    def appealed(self) -> None:
        """Other people judge."""
        self.heard = True
        self._again(keep=False)

    def reopened(self, *void: int, keep: bool) -> None:
        """The decision is made again: by other people, or with the reviews that are not `void`."""
        self.heard = self.heard or not keep
        for number in void:
            self.seats.pop(number, None)
        self._again(keep=keep)

    # What follows

    def _again(self, *, keep: bool) -> None:
        self.instance += 1
        if not keep:
            self.seats = {}
        self.token.go(how="again")
        self._call_all()

    def _call_all(self) -> None:
        if self.place == "judging":
            for number in range(1, self.rules.reviewers + 1):
                if number not in self.seats:
                    self._call(number)
            self._settle()

    def _call(self, number: int) -> None:
        self.seats[number] = Seat(Token("seat.bpmn", "seat", free=self.free, how="", question=False))
        self.free -= self.seats[number].place == "review"

    def _move(self, number: int, how: str, free: int | None = None) -> None:
        seat = self.seats[number]
        given = self.free if free is None else free
        place = seat.token.go(how=how, free=given, question=seat.question)
        if how in ("vacated", "try again") and place != "assignment":
            self.free -= 1

    def _needed(self, number: int) -> bool:
        """Whether the rules call for a seat once nobody has it."""
        if number <= self.rules.reviewers:
            return True
        others = {
            other: seat
            for other, seat in self.seats.items()
            if other != number and (other <= self.rules.reviewers or seat.place != "assignment")
        }
        voices = {other: seat.points for other, seat in others.items() if seat.points is not None}
        if len(voices) < len(others) or not another(voices, self.rules):
            return False
        return number == min(set(range(1, len(others) + 2)) - others.keys())

    def _settle(self) -> None:
        while self.place == "judging":
            for number in sorted(self.seats):
                if self.seats[number].place == "assignment":
                    if not self._needed(number):
                        del self.seats[number]
                    elif self.free > 0:
                        self._move(number, "try again")
            empty = [number for number, seat in sorted(self.seats.items()) if seat.place == "assignment"]
            if self._coordinator_for not in empty:
                self._coordinator_for = empty[0] if empty else None
            if len(self.voices) < len(self.seats):
                return
            self.token.go(how="", voices=self.voices)
            if self.place == "judging":
                self._call(min(set(range(1, len(self.seats) + 2)) - self.seats.keys()))


@dataclass
class School:
    """A school's application from its invitation on."""

    rules: Rules
    free: int

    def __post_init__(self) -> None:
        self.token = Token("school.bpmn", "school", how="")
        self.judged: Judged | None = None

    @property
    def place(self) -> str:
        """`self_assessment`, `declaration`, `expired`, or where its judging is."""
        return self.judged.place if self.judged else self.token.place

    def did(self, how: str) -> None:
        """A school handed in, its principal declared or sent back, or the time passed."""
        if self.token.go(how=how) == "received":
            self.judged = Judged(replace(self.rules, appeals=False), self.free, can_withdraw=False)
