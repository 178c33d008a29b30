"""What a school's people and its reviewers are shown of its application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from labels.record.schema import Application, Stage, Step, StepKind, StepState
from labels.rules.kept import rules_of
from labels.rules.model import SelfAssessmentRules
from labels.school_label.prefilling import FIELDS, FilledRow
from labels.school_label.receiving import questions_of
from labels.steps.step import steps_of
from labels.views.about import about, documents, exchanges
from labels.views.briefs.common import ReviewBrief, SelfAnswerShown, asked_for, criteria_shown


@dataclass(frozen=True, slots=True)
class RequirementShown:
    """What a school must show besides its answers, and what it says of it."""

    id: str
    text: str
    said: str
    """Empty where the registry or a document shows it."""


@dataclass(frozen=True, slots=True)
class PlanShown:
    """What a school plans for the time of the label in one pillar."""

    pillar: str
    """Its name."""
    said: str


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What a school says of itself, but for its answers, which stand with the pillars."""

    requirements: tuple[RequirementShown, ...]
    links: tuple[str, ...]
    plan: tuple[PlanShown, ...] = ()
    asked_to_plan: str = ""
    """The question that the plans answer."""


@dataclass(frozen=True, slots=True)
class RowShown:
    """A row of what was filled in, and what the school disputes of it."""

    row: FilledRow
    disputed: str | None


@dataclass(frozen=True, slots=True)
class FilledPart:
    """One of the things that the registry knows of a school: its members, its projects, …"""

    field: str
    """`members`, `projects`, `professional_development` or `events`."""
    rows: tuple[RowShown, ...]
    disputed: str | None
    """What the school disputes of all of it."""


@dataclass(frozen=True, slots=True)
class FilledIn:
    """What was filled in from the registry for the school to confirm."""

    at: datetime
    since: date
    """The first day that was looked at."""
    parts: tuple[FilledPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolBrief(ReviewBrief):
    """A school's application, pillar by pillar."""

    round: str
    """The year of its round."""
    received: bool
    """Whether the self-assessment is handed in and declared; before, nobody reviews it."""
    handed_in: HandedIn | None
    filled_in: FilledIn | None


def school_brief(session: Session, application: Application, awaited: Sequence[Step]) -> SchoolBrief:
    """What is asked of the school, or of its reviewers, with all that they go by."""
    questions, answer = questions_of(session, application), _answered(session, application)
    edition = rules_of(session, application)
    return SchoolBrief(
        asked=asked_for(awaited),
        about=about(session, application),
        exchanges=exchanges(session, application),
        documents=documents(session, application, "evidence", to_answer=True),
        criteria=criteria_shown(edition, {}, _by_pillar(questions, answer) if answer else {}),
        points=edition.criteria_set.points,
        round=application.round or "",
        received=application.stage is not Stage.SELF_ASSESSMENT,
        handed_in=_handed_in(questions, answer) if answer else None,
        filled_in=_filled_in(application, answer),
    )


def _answered(session: Session, application: Application) -> Mapping[str, Any] | None:
    """What the school handed in; None before."""
    given = [
        step.answer
        for step in steps_of(session, application, StepKind.SELF_ASSESSMENT)
        if step.state is StepState.ANSWERED and step.answer is not None
    ]
    return given[-1] if given else None


def _by_pillar(questions: SelfAssessmentRules, answer: Mapping[str, Any]) -> dict[str, list[SelfAnswerShown]]:
    """The school's answers, by the id of their pillar."""
    highest = max(questions.levels)
    found: dict[str, list[SelfAnswerShown]] = {pillar.id: [] for pillar in questions.pillars}
    for one in questions.questions:
        said = answer["answers"][one.pillar][one.id]
        level = said["level"]
        found[one.pillar].append(
            SelfAnswerShown(one.text, level, questions.levels[level], highest, said["text"])
        )
    return found


def _handed_in(questions: SelfAssessmentRules, answer: Mapping[str, Any]) -> HandedIn:
    return HandedIn(
        requirements=tuple(
            RequirementShown(one.id, one.text, answer["requirements"].get(one.id, "").strip())
            for one in questions.requirements
        ),
        links=tuple(answer["links"]),
        plan=tuple(
            PlanShown(pillar.name, said)
            for pillar in questions.pillars
            if (said := (answer.get("plan") or {}).get(pillar.id, "").strip())
        ),
        asked_to_plan=questions.plan or "",
    )


def _filled_in(application: Application, answer: Mapping[str, Any] | None) -> FilledIn | None:
    prefilled = application.content.get("prefilled")
    if prefilled is None:
        return None
    disputed = answer["disputed"] if answer else {}
    return FilledIn(
        at=datetime.fromisoformat(prefilled["at"]),
        since=date.fromisoformat(prefilled["since"]),
        parts=tuple(
            FilledPart(
                field=name,
                rows=tuple(RowShown(FilledRow.read(row), disputed.get(row["id"])) for row in prefilled[name]),
                disputed=disputed.get(name),
            )
            for name in FIELDS
        ),
    )
