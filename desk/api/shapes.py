"""What the API takes and gives about applications; each is described in the API's own description."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from desk.api.frame import Answer, Asked
from labels.kinds import LabelKind
from labels.record.schema import Outcome, Stage, StepKind
from labels.views.applications import Order, Part, Urgent
from labels.views.changes import Change

Word = Annotated[str, StringConstraints(max_length=100)]
Key = Annotated[str, StringConstraints(max_length=200)]


class CasesAsked(Asked):
    """Which applications: the filters of the desk's list."""

    part: Part | None = Field(None, description="Those that are open, or have ended.")
    urgent: Urgent | None = Field(None, description="What a coordinator looks after first.")
    label: LabelKind | None = Field(None, description="Of one label.")
    stage: Stage | None = Field(None, description="At one stage.")
    outcome: Outcome | None = Field(None, description="With one outcome.")
    organisation: Word = Field("", description="Of one organisation; for the Central Support Service.")
    year: int | None = Field(None, ge=1, le=9999, description="The year in which its school year began.")
    about: Word = Field("", description="Of one teacher, school or project, by its number.")
    order: Order = Field(Order.NEWEST, description="What comes first.")
    limit: int = Field(50, ge=1, le=200, description="How many on a page.")
    after: Key = Field("", description="`next` of the page before.")


class CaseAwaits(Answer):
    """What an application waits for."""

    what: StepKind
    due_at: datetime | None
    late: bool


class CaseSummary(Answer):
    """An application as lists have it."""

    number: str
    label: LabelKind
    organisation: str
    country: str
    language: str
    teacher: str | None
    """Who applies; none where a school does, or an organisation nominates."""
    project: str | None
    school: str | None
    title: str
    """The project's, or the school's name where a school applies."""
    attempt: int
    school_year: int
    """The year in which it began."""
    stage: Stage
    since: datetime
    """Since when it is at that stage."""
    outcome: Outcome | None
    submitted_at: datetime
    decide_by: datetime | None
    decided_at: datetime | None
    points: float | None
    """Once it is decided, and never before."""
    maximum: int | None
    days: int
    """From its submission to its decision, or until now."""
    awaits: list[CaseAwaits]


class Cases(Answer):
    """A page of applications."""

    cases: list[CaseSummary]
    matching: int
    """How many there are in all."""
    next: str | None
    """`after` of the next page; none on the last."""


class CaseStep(Answer):
    """A step that is open."""

    step: str
    what: StepKind
    due_at: datetime | None
    ends_at: datetime | None
    """When a late review ends by itself, where the rules say so."""


class CaseReview(Answer):
    """A review, without who gave it. Its points are there once it is decided, or a person has to decide."""

    seat: int
    given_at: datetime
    counts: bool
    """False where it was taken back."""
    points: dict[str, int] | None
    """By criterion."""
    total: int | None
    comment: str | None
    """What the reviewer wrote for the applicant."""


class CaseDecision(Answer):
    """A decision, with the reasons as they went into the letter."""

    instance: int
    outcome: Outcome
    points: float | None
    maximum: int | None
    pass_mark: int | None
    decided_at: datetime
    reopened: str | None
    """Why it was made again, where the one before was reopened: `conflict`, `registry` or `appeal`."""
    reasons: list[str]
    routes: list[str]
    """What the applicant can do now."""


class CaseDocument(Answer):
    """A document: what it is, never what is in it or how whoever handed it in called it."""

    kind: str
    media_type: str
    size: int
    """In bytes."""


class CaseShown(Answer):
    """Where an application stands."""

    number: str
    label: LabelKind
    organisation: str
    country: str
    teacher: str | None
    project: str | None
    project_title: str | None
    school: str | None
    school_name: str | None
    stage: Stage
    since: datetime
    outcome: Outcome | None
    revoked_at: datetime | None
    submitted_at: datetime
    round: str | None
    round_opens: datetime | None
    school_year: int | None
    decide_by: datetime | None
    rules: str
    """The version by which it is judged."""
    awaits: list[CaseStep]
    reviews: list[CaseReview]
    decisions: list[CaseDecision]
    documents: list[CaseDocument]


class ChangesAsked(Asked):
    """Which changes."""

    after: Key = Field(
        "",
        description="`next` of the answer before; nothing from the beginning on, `newest` for what is still to come.",
    )
    limit: int = Field(100, ge=1, le=500, description="How many at most.")


class ChangeTold(Answer):
    """Something that happened to an application."""

    key: str
    """Its place: the same each time, so that whoever has it knows it again."""
    at: datetime
    what: Change
    case: str
    """The application's number."""
    organisation: str
    label: LabelKind


class ChangesTold(Answer):
    """Changes in their order."""

    changes: list[ChangeTold]
    next: str
    """`after` of the next request, also where nothing came."""
    more: bool
    """Whether others are there already."""
