"""The virtual people of a year: when they answer what they are asked, and what they say."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from labels.clock import BRUSSELS
from labels.papers.issued import DuePaper
from labels.record.schema import Step, StepKind
from labels.rules.model import RuleEdition
from labels.school_label.prefilling import FIELDS
from usecases.rehearsing.season import words

_HANDS_IN = 0.70
"""Of the schools that are invited: with this as many get the label as did of 5,198 in Europe (found: 2,935)."""


class Act(StrEnum):
    """What somebody does about a step."""

    ANSWER = "answer"
    ASK = "ask"
    DECLINE = "decline"
    REPLACE = "replace"
    """A coordinator gives it to somebody else."""
    WITHDRAW = "withdraw"
    APPEAL = "appeal"
    RULE = "rule"
    """A coordinator decides on an application."""


@dataclass(frozen=True)
class Intention:
    """What somebody means to do, and when."""

    at: datetime
    act: Act


@dataclass(frozen=True)
class Workload:
    """How many reviews each reviewer manages, one after the other, so that fewer reviewers take longer."""

    a_week: float
    _free: dict[str, datetime] = field(default_factory=dict)

    def free_at(self, reviewer: str, asked: datetime) -> datetime:
        """When they have done all that they were asked before, and this."""
        begins = max(asked, self._free.get(reviewer, asked))
        self._free[reviewer] = begins + timedelta(weeks=1) / self.a_week
        return self._free[reviewer]


@dataclass(frozen=True)
class People:
    """Everybody, each by chances of their own: who is asked first changes nothing for the others but by the workload."""

    seed: int
    workload: Workload | None = None
    """Of reviewers; None where nobody has so much to do that it takes longer."""

    def chance(self, *of: object) -> random.Random:
        """The chances of one thing, the same in every run."""
        return random.Random(f"{self.seed} {' '.join(map(str, of))}")

    def share_of_papers(self, share: float) -> Callable[[DuePaper], bool]:
        """Which papers are in a sample of this share."""
        return lambda paper: self.chance("papers", paper.paper).random() < share

    def intends(self, step: Step, now: datetime) -> Intention | None:
        """What the person who is asked is going to do, or None if they never do anything."""
        one = self.chance("intends", step.id, step.code_number)
        luck = one.random()
        match step.kind:
            case StepKind.REVIEW:
                return self._review(step, now, one, luck)
            case StepKind.INFORMATION:
                return (
                    None
                    if luck < 0.1
                    else Intention(_later(now, one.lognormvariate(1.1, 0.7), one), Act.ANSWER)
                )
            case StepKind.ASSIGNMENT:
                return Intention(_later(now, 1 + 3 * one.random(), one), Act.REPLACE)
            case StepKind.DECISION:
                return Intention(_later(now, 1 + 6 * one.random(), one), Act.RULE)
            case StepKind.SCREENING:
                return Intention(_later(now, 2 + 9 * one.random(), one), Act.ANSWER) if luck > 0.04 else None
            case StepKind.AWARDING:
                return Intention(_later(now, 3 + 4 * one.random(), one), Act.ANSWER)
            case StepKind.SELF_ASSESSMENT:
                return self._self_assessment(step, now)
            case StepKind.DECLARATION:
                if luck < 0.02:
                    return None
                act = Act.DECLINE if luck < 0.05 else Act.ANSWER
                return Intention(_later(now, one.lognormvariate(0.4, 0.8), one), act)
            case StepKind.WITHDRAWAL:
                return (
                    Intention(_later(now, 1 + 9 * one.random(), one), Act.WITHDRAW) if luck < 0.01 else None
                )
            case StepKind.APPEAL:
                return Intention(_later(now, 1 + 11 * one.random(), one), Act.APPEAL) if luck < 0.2 else None
        return None

    def _review(self, step: Step, now: datetime, one: random.Random, luck: float) -> Intention:
        if luck < 0.03:
            return Intention(_later(now, 1 + 2 * one.random(), one), Act.DECLINE)
        if luck < 0.05 and step.due_at:  # never answers: a coordinator is told, and asks somebody else
            return Intention(_later(max(now, step.due_at), 1 + 5 * one.random(), one), Act.REPLACE)
        if luck < 0.13 and step.code_number == 1:
            return Intention(_later(now, one.lognormvariate(1.6, 0.6), one), Act.ASK)
        median = 2.2 if step.code_number == 1 else 1.2
        answers = _later(now, min(60.0, one.lognormvariate(median, 0.6)), one)
        if self.workload and (free := self.workload.free_at(step.assignee, now)) > answers:
            answers = _later(free, 0, one)
        return Intention(answers, Act.ANSWER)

    def _self_assessment(self, step: Step, now: datetime) -> Intention | None:
        """One teacher of a school hands in for all, if anybody does; half of them in the last week."""
        if step.number != 1 or step.due_at is None:  # any of its teachers would do
            return None
        of_school = self.chance("school", step.application)
        hands_in, last_week, share = (of_school.random() for _ in range(3))
        if hands_in > _HANDS_IN:
            return None
        left = step.due_at - now
        begins = max(timedelta(0), left - timedelta(days=8)) if last_week < 0.5 else timedelta(days=1)
        until = left - timedelta(days=1)
        days = (begins + max(timedelta(0), until - begins) * share) / timedelta(days=1)
        return Intention(_later(now, days, self.chance("hour", step.id)), Act.ANSWER)

    # What they say --------------------------------------------------------------------------------------

    def review(self, step: Step, edition: RuleEdition, quality: float) -> dict[str, Any]:
        """A reviewer's points and words."""
        one = self.chance("review", step.id)
        seen = quality + one.gauss(0.0, 0.06)
        points = {
            criterion.id: min(
                criterion.maximum, max(0, round(criterion.maximum * (seen + one.gauss(0.03, 0.09))))
            )
            for criterion in edition.criteria_set.criteria
        }
        return {"scores": points, "comment": words(one, 40), "note": ""}

    def self_assessment(self, step: Step, edition: RuleEdition) -> dict[str, Any]:
        """A whole self-assessment."""
        one = self.chance("self-assessment", step.application)
        questions = edition.self_assessment
        assert questions is not None
        highest = max(questions.levels)
        answers: dict[str, dict[str, Any]] = {}
        for question in questions.questions:
            level = min(
                highest, 2 + int(one.random() * (highest - 1))
            )  # the form is not taken below a threshold
            answers.setdefault(question.pillar, {})[question.id] = {"level": level, "text": words(one, 25)}
        said = {need.id: words(one, 12) for need in questions.requirements if need.document is None}
        return {
            "confirmed": dict.fromkeys(FIELDS, True), "disputed": {}, "answers": answers, "requirements": said,
        }  # fmt: skip

    def quality_of_school(self, application: str) -> float:
        """Between 0 and 1, as an application's."""
        return min(0.97, max(0.2, self.chance("quality", application).gauss(0.76, 0.12)))


def _later(now: datetime, days: float, chance: random.Random) -> datetime:
    """So many days later, between eight in the morning and eleven at night, and never before `now`."""
    day = (now + timedelta(days=days)).astimezone(BRUSSELS).replace(hour=0, minute=0, second=0, microsecond=0)
    moment = day + timedelta(seconds=chance.randint(8 * 3600, 23 * 3600))
    return max(moment, now + timedelta(minutes=chance.randint(5, 240))).replace(microsecond=0)
