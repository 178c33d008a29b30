"""What every brief has: what is asked, and for reviewers, what they give points for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from labels.record.schema import Step, StepKind
from labels.rules.model import RuleEdition
from labels.views.about import About, Documents, Exchange


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that one person is asked for."""

    step: str
    kind: StepKind
    due_at: datetime | None
    question: str | None = None
    """The reviewer's question, where an applicant is asked one."""
    refused: str | None = None
    """Why the last answer was not accepted, in words that anybody may read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What whoever answers is shown, whatever they are asked for."""

    asked: tuple[Asked, ...]


def asked_for(awaited: Iterable[Step]) -> tuple[Asked, ...]:
    """What these steps ask for."""
    return tuple(Asked(step.id, step.kind, step.due_at, step.question, step.refused) for step in awaited)


@dataclass(frozen=True, slots=True)
class SelfAnswerShown:
    """A school's answer to one question about itself."""

    question: str
    level: int
    means: str
    """What the level means."""
    highest: int
    """The highest level that there is."""
    text: str


@dataclass(frozen=True, slots=True)
class CriterionShown:
    """One thing that reviewers give points for, and what the applicant says on it."""

    id: str
    name: str
    meaning: str
    maximum: int
    minimum: int
    """Below it there is no label, whatever the total; 0: none."""
    part_of: str | None
    """For a sub-criterion, whose points are not part of the total: the name of the criterion it belongs to."""
    text: str = ""
    """A teacher's words."""
    answers: tuple[SelfAnswerShown, ...] = ()
    """A school's, question by question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewBrief(Brief):
    """What reviewers go by, and whom they may ask."""

    about: About
    exchanges: tuple[Exchange, ...]
    documents: Documents
    criteria: tuple[CriterionShown, ...]
    points: Mapping[int, str]
    """What each number of points means."""


def criteria_shown(
    edition: RuleEdition,
    texts: Mapping[str, str],
    answers: Mapping[str, Sequence[SelfAnswerShown]],
) -> tuple[CriterionShown, ...]:
    """The criteria of the rules, each with what was said on it, by the criterion's id."""
    criteria = edition.criteria_set
    return tuple(
        CriterionShown(
            id=one.id,
            name=one.name,
            meaning=one.meaning,
            maximum=one.maximum,
            minimum=edition.minimum(one),
            part_of=criteria.get(one.part_of).name if one.part_of else None,
            text=texts.get(one.id, ""),
            answers=tuple(answers.get(one.id, ())),
        )
        for one in criteria.criteria
    )
