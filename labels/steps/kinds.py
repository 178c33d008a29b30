"""The table of step kinds: what is asked for, which answers it takes, who may, and what a passed deadline does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from labels.record.schema import Stage, StepKind
from labels.steps.answers import (
    Answer,
    Declaration,
    Decline,
    Information,
    Question,
    ReviewAnswer,
    Screening,
    SelfAssessment,
)
from labels.words.sentences import Sentence, named


class Act(StrEnum):
    """What somebody does about a step that awaits them."""

    ANSWER = "answer"
    """A review, what an applicant was asked, a screening, an award: fits into a form."""
    HAND_IN = "hand in"
    """A school's self-assessment with its documents: more than a form takes."""
    DECLARE = "declare"
    """The principal's word on it."""
    DECIDE = "decide"
    """Award the label, refuse it, or call one more reviewer."""
    REASSIGN = "reassign"
    """Name somebody who reviews: nothing else closes an assignment."""


class Power(StrEnum):
    """What its person must be at the moment when they act."""

    NAMED = "named"
    """Nothing more than the person whom the step is for."""
    REVIEWER = "reviewer"
    """On the staff, and without a conflict of interest."""
    COORDINATOR = "coordinator"
    """A coordinator of the organisation."""
    OTHER_COORDINATOR = "other coordinator"
    """A coordinator of the organisation who does not apply in this very application."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of step."""

    power: Power
    act: Act | None = None
    """How it is closed; None for a right that nobody waits for."""
    answers: tuple[type[Answer], ...] = ()
    """The models of the answers that it takes."""
    ends_when_late: bool = False
    """Whether a passed deadline ends it; otherwise a late answer still counts, and a coordinator is informed."""
    takes_documents: bool = False
    worded: Sentence | None = None
    """What is awaited, as a reminder says it; None where nobody is reminded."""
    stage: Stage | None = None
    """The stage of an application that waits for it; None where it follows from something else."""

    @property
    def awaited(self) -> bool:
        """Whether an application waits for it."""
        return self.act is not None


STEPS: dict[StepKind, Row] = {
    StepKind.ASSIGNMENT: Row(Power.OTHER_COORDINATOR, Act.REASSIGN, stage=Stage.ASSIGNMENT),
    StepKind.REVIEW: Row(
        Power.REVIEWER, Act.ANSWER, (ReviewAnswer, Question, Decline),
        worded=named("awaited", "review"), stage=Stage.REVIEW,
    ),
    StepKind.INFORMATION: Row(
        Power.NAMED, Act.ANSWER, (Information,), ends_when_late=True, takes_documents=True,
        worded=named("awaited", "answer to a question"), stage=Stage.INFORMATION,
    ),
    StepKind.SELF_ASSESSMENT: Row(
        Power.NAMED, Act.HAND_IN, (SelfAssessment,), ends_when_late=True, takes_documents=True,
        worded=named("awaited", "self-assessment"),
    ),
    StepKind.DECLARATION: Row(
        Power.NAMED, Act.DECLARE, (Declaration, Decline), ends_when_late=True,
        worded=named("awaited", "confirmation by the principal"),
    ),
    StepKind.SCREENING: Row(
        Power.COORDINATOR, Act.ANSWER, (Screening,), ends_when_late=True, worded=named("awaited", "screening"),
    ),
    StepKind.AWARDING: Row(Power.COORDINATOR, Act.ANSWER, (Screening,), worded=named("awaited", "award")),
    StepKind.DECISION: Row(
        Power.OTHER_COORDINATOR, Act.DECIDE, worded=named("awaited", "decision"), stage=Stage.REVIEW,
    ),
    StepKind.WITHDRAWAL: Row(Power.NAMED),
    StepKind.APPEAL: Row(Power.NAMED),
    StepKind.COORDINATION: Row(Power.OTHER_COORDINATOR),
}  # fmt: skip
"""In the order in which the stage of an application follows from what it waits for."""


def those(which: Callable[[Row], bool]) -> tuple[StepKind, ...]:
    """The kinds of step whose row is so."""
    return tuple(kind for kind, row in STEPS.items() if which(row))


AWAITED = those(lambda row: row.awaited)
"""The kinds of step that an application waits for; the others are rights that nobody waits for."""

COORDINATING = those(lambda row: row.power is Power.OTHER_COORDINATOR)
"""Steps whose code proves one action of a coordinator."""
