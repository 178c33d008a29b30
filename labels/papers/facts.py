"""The facts that a certificate or a letter states, complete enough to print it and nothing more.

A paper is made from facts alone: the same facts give the same paper on every machine, and the digest
of the facts is the key under which it is issued once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from labels.errors import Fault, InvalidInput
from labels.kinds import CERTIFIED, LabelKind
from labels.words.sentences import Sentence
from labels.words.text import clean


def _bounded(value: Any) -> Any:
    """Refuses megabytes before any work is done on them."""
    if isinstance(value, str) and len(value) > 100_000:
        raise ValueError(f"has {len(value):,} characters; no field of a paper has room for that")
    return value


def _one_line(value: str) -> str:
    return " ".join(clean(value).split())


def _paragraphs(value: str) -> str:
    lines = (re.sub(r"[^\S\n\xa0\u202f]+", " ", line).strip() for line in clean(value).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _within(minimum: int, maximum: int) -> Any:
    def check(value: str) -> str:
        if len(value) < minimum:
            raise ValueError("is empty once invisible characters are taken away")
        if len(value) > maximum:
            raise ValueError(f"has {len(value):,} characters; at most {maximum:,} fit")
        return value

    return check


def _two_places(value: Any) -> Any:
    """Means come as fractions or floats; paper shows two decimal places, halves rounded up."""
    if isinstance(value, Fraction):
        value = Decimal(value.numerator) / Decimal(value.denominator)
    elif isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        number = Decimal(value)
        if number.is_finite() and abs(number) < 10_000:
            return number.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return value


Name = Annotated[str, BeforeValidator(_bounded), AfterValidator(_one_line), AfterValidator(_within(1, 200))]
"""A person's, school's, city's or organisation's name: one line, at most 200 characters."""
OptionalName = Annotated[
    str, BeforeValidator(_bounded), AfterValidator(_one_line), AfterValidator(_within(0, 200))
]
OptionalTitle = Annotated[
    str, BeforeValidator(_bounded), AfterValidator(_one_line), AfterValidator(_within(0, 300))
]
Prose = Annotated[
    str, BeforeValidator(_bounded), AfterValidator(_paragraphs), AfterValidator(_within(1, 10_000))
]
"""Text by a person, with its line breaks, at most 10,000 characters."""


def _said(value: Any, prose: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, Mapping):
        value = Sentence.from_json(value)
    return value.changed(_one_line) if isinstance(value, Sentence) else prose(value)


Said = Annotated[
    Prose,
    WrapValidator(_said),
    PlainSerializer(lambda said: said.to_json() if isinstance(said, Sentence) else said),
]
"""A sentence of the domain, which can be worded in other languages; plain text is English."""
Code = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{2,39}$")]
"""The identifier of an application or award, e.g. `NQL-7KQ4M9XT2A`."""
CheckCode = Annotated[str, Field(pattern=r"^[A-Z0-9]+(-[A-Z0-9]+)*$", max_length=40)]
"""What a stranger types to check a certificate, e.g. `7KQ4-M9XT-2A5B`."""
Address = Annotated[str, Field(pattern=r"^https?://[!-~]+$", max_length=200)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]
Points = Annotated[Decimal, BeforeValidator(_two_places), Field(ge=0, lt=10_000, decimal_places=2)]


class LetterKind(StrEnum):
    """What a letter about an application says."""

    AWARD = "award"
    REFUSAL = "refusal"
    INELIGIBLE = "ineligible"
    RECEIPT = "receipt"
    """Proof that an application arrived, with what, and when."""
    INVITATION = "invitation"
    """Asks a school for its self-assessment, and says why it is asked."""


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Paper(_Facts):
    """What certificates and letters have in common."""

    subject: ClassVar[str]

    application: Code
    holder: Name
    school: Name
    city: OptionalName = ""
    country: Name
    """The country's ISO code, which the paper words in its language; or a name, as it is to be printed."""
    project: OptionalTitle = ""
    """At most 300 characters; empty only on a School Label, which is for no single project."""
    organisation: Name
    """The NSS, PSA or CSS that decided, as it is to be printed."""
    issuer: Annotated[str, Field(max_length=64)] | None = None
    """The organisation's key, `NSS-PL`, by which its own drawings are found where it has some."""
    coordinator: OptionalName = ""
    """Who signs for the organisation; empty where nobody is named."""
    coordinator_role: OptionalName = ""
    language: Language = "en"
    """The language of the paper's own words; names keep theirs."""

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """The facts, checked and cleaned: control and bidirectional characters are taken away.

        Raises:
            InvalidInput: every field that is missing, empty, too long or malformed.
        """
        try:
            return cls(**fields)
        except ValidationError as error:
            faults = [
                Fault(
                    ".".join(map(str, problem["loc"])) or cls.subject,
                    problem["msg"].removeprefix("Value error, ") + ".",
                )
                for problem in error.errors(include_url=False, include_context=False, include_input=False)
            ]
            raise InvalidInput(cls.subject, faults) from None

    @property
    def digest(self) -> str:
        """SHA-256 of the facts in canonical JSON: equal for equal facts, on every machine."""
        stated = {name: fact for name, fact in self.model_dump(mode="json").items() if fact is not None}
        facts = {"paper": type(self).__name__} | stated
        canonical = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


class CertificateFacts(Paper):
    """What a certificate states about one award."""

    subject: ClassVar[str] = "certificate"

    label: LabelKind
    awarded_on: date
    school_year: Annotated[Name, AfterValidator(_within(4, 12))]
    """As it is written in the field: `2025/26`."""
    criteria_set: OptionalName = ""
    """Name of the criteria set in force, e.g. `2014 (six criteria)`; empty where none applies."""
    valid_from: date | None = None
    """The first day of a label that does not begin on the day of its award."""
    valid_until: date | None = None
    """The last day of a label that ends."""
    code: CheckCode | None = None
    check_url: Address | None = None
    """The page that knows the code: its QR leads to `check_url/code`. Both are given, or neither."""

    @model_validator(mode="after")
    def _names_its_project(self) -> Self:
        if self.label not in CERTIFIED:
            raise ValueError(f"there is no certificate of a {self.label.value}")
        if not self.project and self.label is not LabelKind.SCHOOL:
            raise ValueError("the certificate of every label but the School Label names a project")
        if (self.code is None) != (self.check_url is None):
            raise ValueError("a code and the page that knows it are given together, or neither")
        return self


class ScoreLine(_Facts):
    """One criterion as the reviewers saw it."""

    criterion: Name
    points: Points
    """Mean of the reviews that count."""
    maximum: Points
    minimum: Points | None = None
    """Points below which the label cannot be awarded, whatever the total."""
    comments: tuple[Prose, ...] = Field(default=(), max_length=12)
    """The reviewers' comments for the applicant, without their names."""

    @model_validator(mode="after")
    def _points_in_range(self) -> Self:
        if self.maximum == 0 or self.points > self.maximum:
            raise ValueError(f"points must lie between 0 and the maximum ({self.points} of {self.maximum})")
        return self

    @property
    def falls_short(self) -> bool:
        """Whether this criterion alone rules the label out."""
        return self.minimum is not None and self.points < self.minimum


class FailedCondition(_Facts):
    """One condition of eligibility that was not met."""

    condition: Said
    what_to_do: Said


class HandedIn(_Facts):
    """One file that came with an application."""

    name: Name
    size: Annotated[int, Field(ge=0)]
    """In bytes."""
    digest: Annotated[str, Field(min_length=1, max_length=64)]
    """SHA-256 of its content, in hexadecimal digits."""


DECIDED = frozenset({LetterKind.AWARD, LetterKind.REFUSAL})
"""The kinds of letter that tell of points."""


class LetterFacts(Paper):
    """What a letter says to one applicant about one application: above all, what was decided on it."""

    subject: ClassVar[str] = "letter"

    kind: LetterKind
    label: LabelKind = LabelKind.NATIONAL
    """The label that was applied for: the national one, or the School Label."""
    written_on: date
    criteria_set: OptionalName = ""
    scores: tuple[ScoreLine, ...] = Field(default=(), max_length=40)
    total: Points | None = None
    maximum: Points | None = None
    pass_mark: Points | None = None
    reasons: tuple[Said, ...] = Field(default=(), max_length=40)
    """Why the decision is what it is, one sentence each."""
    comments: tuple[Prose, ...] = Field(default=(), max_length=40)
    """General feedback and proposals for improvement, for the applicant."""
    route_forward: tuple[Said, ...] = Field(default=(), max_length=20)
    """What the applicant can do now: re-application, appeal with its date, the next round."""
    failed_conditions: tuple[FailedCondition, ...] = Field(default=(), max_length=60)
    arrived_at: datetime | None = None
    """When the application arrived, on a receipt."""
    files: tuple[HandedIn, ...] = Field(default=(), max_length=1_000)
    """What was handed in, on a receipt."""
    deadline: datetime | None = None
    """Until when what is asked has to be there, on an invitation."""
    mailbox: Annotated[str, Field(max_length=320)] | None = None
    """Where the organisation is written to."""
    journal: Annotated[str, Field(max_length=40)] | None = None
    """Where the chain of the journal stood, by which anybody can tell later whether it was written anew."""

    @property
    def section(self) -> str:
        """Under which its words are found: a school's letters have their own."""
        if self.label is LabelKind.SCHOOL and self.kind is not LetterKind.INVITATION:
            return f"school {self.kind.value}"
        return self.kind.value

    @property
    def greets_a_person(self) -> bool:
        """Whether it is written to somebody by name: a school without a principal on record is itself the holder."""
        return self.label is not LabelKind.SCHOOL or self.holder != self.school

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> Self:
        if self.label not in (LabelKind.NATIONAL, LabelKind.SCHOOL):
            raise ValueError("there are letters about the National Quality Label and the School Label only")
        if self.kind is LetterKind.INELIGIBLE and self.label is LabelKind.SCHOOL:
            raise ValueError("only schools that meet the conditions are asked: they get no such letter")
        if self.kind is LetterKind.INVITATION and self.label is not LabelKind.SCHOOL:
            raise ValueError("only schools are invited")
        if not self.project and self.label is not LabelKind.SCHOOL:
            raise ValueError("a letter about an application names its project")
        if self.kind not in DECIDED and (self.scores or self.total is not None):
            raise ValueError(
                f"what the letter of {self.kind.value} is about was not scored: leave points out"
            )
        if (self.kind is LetterKind.INELIGIBLE) is not bool(self.failed_conditions):
            raise ValueError(
                "a letter of ineligibility names at least one failed condition"
                if self.kind is LetterKind.INELIGIBLE
                else "failed conditions belong to a letter of ineligibility only"
            )
        if self.kind is LetterKind.REFUSAL and not (self.reasons and self.route_forward):
            raise ValueError("a refusal gives at least one reason and one route forward")
        if (self.kind is LetterKind.RECEIPT) is not (self.arrived_at is not None):
            raise ValueError("a receipt, and nothing else, says when an application arrived")
        if self.files and self.kind is not LetterKind.RECEIPT:
            raise ValueError("what was handed in stands on a receipt only")
        if (self.kind is LetterKind.INVITATION) is not (self.deadline is not None):
            raise ValueError("an invitation, and nothing else, has a deadline")
        if (self.total is None) != (self.maximum is None):
            raise ValueError("a total is told with its maximum")
        return self
