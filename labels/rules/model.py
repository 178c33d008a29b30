"""What a rule file can say: every value a rule knows, each with its source."""

from __future__ import annotations

import functools
import hashlib
import json
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class Rule(BaseModel):
    """A part of a rule file: nothing unknown is accepted, and nothing changes once it is loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(Rule, Generic[T]):
    """A value and where it comes from: `brief`, `assumption`, or `found: …` and the place."""

    value: T
    source: Annotated[str, Field(pattern=r"^(brief|assumption|found: .+)$")]


class Criterion(Rule):
    """One thing that reviewers give points for."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z_]{1,39}$")]
    name: str
    meaning: str
    """One sentence by which a reviewer can tell few points from many."""
    maximum: Annotated[int, Field(ge=1, le=100)]
    minimum: Annotated[int, Field(ge=0)] = 0
    """Knock-out: a merged score below it refuses the application, whatever the total. 0: none."""


class CriteriaSet(Rule):
    """The criteria of one time and place, and what the points mean."""

    id: str
    name: str
    source: Annotated[str, Field(pattern=r"^(brief|assumption|found: .+)$")]
    points: dict[int, str]
    """What each number of points means, from 0 to the highest maximum."""
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]

    @property
    def maximum(self) -> int:
        """The most points that an application can reach."""
        return sum(criterion.maximum for criterion in self.criteria)

    def get(self, criterion: str) -> Criterion:
        """The criterion of that id; raises KeyError where the set has none."""
        return {one.id: one for one in self.criteria}[criterion]


class CalendarKind(StrEnum):
    """Whether labels are awarded all year or in rounds."""

    ROLLING = "rolling"
    ROUNDS = "rounds"


class Late(StrEnum):
    """What becomes of an application that arrives when no round is open."""

    REFUSE = "refuse"
    ROLL_OVER = "roll_over"


class Merge(StrEnum):
    """How several reviewers' points become one score."""

    MEAN = "mean"
    MEDIAN = "median"


class RoundDates(Rule):
    """A round as it comes back each year: `MM-DD`, or `MM-DD HH:MM` (else 23:59:59), in Brussels."""

    name: str
    opens: str
    closes: str
    decided_by: str


class CalendarRules(Rule):
    """When applications are taken and by when they are decided."""

    kind: Sourced[CalendarKind]
    working_days: Sourced[dict[int, int]] | None = None
    """For rolling calendars: month of submission (1–12) → working days until the decision."""
    rounds: Sourced[tuple[RoundDates, ...]] | None = None
    late: Sourced[Late]


class ReviewRules(Rule):
    """How many people judge, by when, and when one more is called."""

    reviewers: Sourced[Annotated[int, Field(ge=1, le=5)]]
    most_reviewers: Sourced[Annotated[int, Field(ge=1, le=7)]]
    due_days: Sourced[Annotated[int, Field(ge=1, le=365)]]
    """Working days that a reviewer has."""
    information_days: Sourced[Annotated[int, Field(ge=1, le=365)]]
    """Working days that an applicant has to answer a question."""
    merge: Sourced[Merge]
    disagreement: Sourced[Annotated[int, Field(ge=0)]]
    """Two totals further apart than this call one more reviewer."""
    border: Sourced[Annotated[int, Field(ge=0)]]
    """A merged total within so many points of the pass mark calls one more reviewer; 0: never."""
    link_days: Sourced[Annotated[int, Field(ge=1, le=366)]]
    """Days for which a reviewer's links to documents work."""
    code_attempts: Sourced[Annotated[int, Field(ge=1, le=100)]]
    """Wrong codes before a new one is mailed and the old one is void."""


class Limits(Rule):
    """How much, how often, and what is asked for."""

    per_school_year: Sourced[Annotated[int, Field(ge=1)]]
    """Applications of one teacher between 1 September and 31 August."""
    european_only: Sourced[bool]
    """Only projects whose founders are from two countries."""
    description_words: Sourced[Annotated[int, Field(ge=1)]]
    section_words: Sourced[Annotated[int, Field(ge=1)]]
    upload_mib: Sourced[Annotated[int, Field(ge=1)]]
    uploads_mib: Sourced[Annotated[int, Field(ge=1)]]


class ReapplicationRules(Rule):
    """Whether a teacher may apply again for the same project after a refusal."""

    times: Sourced[Annotated[int, Field(ge=0)]]
    name_criteria: Sourced[bool]
    """The new application must name the criteria and where the evidence is (found: ES)."""


class NationalRules(Rule):
    """All rules of the National Quality Label of one organisation."""

    criteria: Sourced[str]
    """The id of the criteria set."""
    pass_mark: Sourced[Annotated[int, Field(ge=0)]]
    criterion_minimum: Sourced[Annotated[int, Field(ge=0)]]
    """No criterion below this, on top of the knock-outs of single criteria."""
    calendar: CalendarRules
    review: ReviewRules
    limits: Limits
    reapplication: ReapplicationRules
    appeal_days: Sourced[Annotated[int, Field(ge=0)]]
    """Calendar days after the decision in which an appeal may be lodged; 0: no appeal."""


class RuleEdition(Rule):
    """The rules in force for one organisation: what an application keeps for good."""

    edition: str
    """The folder's name: the campaign year, `2026`."""
    organisation: str
    in_force_from: date
    criteria_set: CriteriaSet
    national: NationalRules

    @property
    def version(self) -> str:
        """As people name it: `2026/NSS-CZ`."""
        return f"{self.edition}/{self.organisation}"

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 over every value: two editions are the same only if all of it is."""
        return hashlib.sha256(
            json.dumps(self.to_json(), sort_keys=True, ensure_ascii=False).encode()
        ).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The whole edition as a JSON value, to be kept with the applications that it governs."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> RuleEdition:
        """The edition as it was kept."""
        return cls.model_validate(body)
