"""What people answer, as the models that files, commands and forms share."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from labels.errors import Fault, InvalidInput
from labels.steps.faults import worded
from labels.words.text import clean, has_words

M = TypeVar("M", bound=BaseModel)

LONG_TEXT = 10_000
"""Characters in a comment, a question or an answer: four printed pages, and a bound on abuse."""

Prose = Annotated[str, StringConstraints(max_length=LONG_TEXT)]


def _with_words(text: str) -> str:
    if not has_words(text):
        raise ValueError("says nothing; expected words that somebody can read")
    return text


Said = Annotated[Prose, StringConstraints(min_length=1), AfterValidator(_with_words)]
"""Words of a person that something rests on: blank or invisible text is none."""
Link = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"'`{}|\\^]{1,2000}$")]


class Strict(BaseModel):
    """A model of what a person hands in: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


class ReviewAnswer(Strict):
    """A reviewer's assessment: points for every criterion, and comments."""

    scores: dict[str, int]
    """Points for each criterion, by its name."""
    comment: Prose = ""
    """For the applicant."""
    note: Prose = ""
    """For colleagues only."""


class ReviewTyped(Strict):
    """What a reviewer has typed of a review so far; it may be as incomplete as it is."""

    scores: dict[str, int] = {}
    comment: Prose = ""
    note: Prose = ""

    def whole(self) -> ReviewAnswer:
        """The review that it is when it is sent as it stands."""
        return ReviewAnswer(scores=self.scores, comment=self.comment, note=self.note)


class Question(Strict):
    """A reviewer's question to the applicant; the review waits for the answer."""

    question: Said
    """What the applicant is asked."""


DeclineReason = Literal["no_time", "language", "subject", "other"]
"""Why somebody does not review, besides a conflict of interest, which is a question of its own."""


class Decline(Strict):
    """A reviewer does not review this application, for a reason such as a conflict of interest."""

    decline: Said
    """Why, in words."""
    conflict: bool = False
    """The reason is a conflict of interest with the applicant; it is stored for the future."""
    reason: DeclineReason | None = None
    """The reason from the list that a door shows; the words of `decline` say more."""


class Information(Strict):
    """The applicant's answer to a question."""

    text: Said
    """The answer."""
    links: list[Link] = Field(default=[], max_length=20)
    """What shows it, each beginning with https://."""


Subject = Annotated[str, StringConstraints(min_length=1, max_length=64)]
"""The identifier of what is screened or awarded: a label's (`NQL-…`) or a project's."""


class Screening(Strict):
    """What is approved and what is struck, of a proposal for the European Quality Label or its award."""

    approve: list[Subject] = Field(default=[], max_length=20_000)
    """`["all"]` stands for everything that is not struck."""
    strike: dict[Subject, Prose] = Field(default={}, max_length=20_000)
    """What is struck, with the reason."""


class SelfAnswer(Strict):
    """What a school says to one question: how far it is, and the words that show it."""

    level: Annotated[int, Field(ge=0, le=100)] | None = None
    """None while nobody has chosen one: a draft may lack it."""
    text: Prose = ""


Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class SelfAssessment(Strict):
    """What a school says of itself; saved as a draft, it may be as incomplete as it is."""

    confirmed: dict[Name, bool] = Field(default={}, max_length=20)
    """Whether what was filled in is right: `members`, `projects`, `professional_development`, `events`."""
    disputed: dict[Name, Prose] = Field(default={}, max_length=1_000)
    """What is wrong with one of these, or with one of its rows, by the row's id."""
    answers: dict[Name, dict[Name, SelfAnswer]] = Field(default={}, max_length=40)
    """By pillar and question."""
    requirements: dict[Name, Prose] = Field(default={}, max_length=40)
    """What shows that a requirement is met that the registry does not show by itself."""
    plan: dict[Name, Prose] = Field(default={}, max_length=40)
    """What the school plans, by pillar, where the questions ask for it."""
    links: list[Link] = Field(default=[], max_length=20)
    draft: Annotated[int, Field(ge=0)] | None = None
    """The number of the shared draft that this goes on from."""


class Declaration(Strict):
    """The principal's word that what the school says of itself is so."""

    declare: Literal[True]


Answer = ReviewAnswer | Question | Decline | Information | Screening | SelfAssessment | Declaration

_BY_FIELD: dict[
    str,
    type[ReviewAnswer]
    | type[Question]
    | type[Decline]
    | type[Information]
    | type[Screening]
    | type[SelfAssessment]
    | type[Declaration],
] = {
    "scores": ReviewAnswer,
    "question": Question,
    "decline": Decline,
    "text": Information,
    "approve": Screening,
    "strike": Screening,
    "answers": SelfAssessment,
    "confirmed": SelfAssessment,
    "declare": Declaration,
}


def read_answer(raw: Any, subject: str = "answer") -> Answer:
    """The answer in a parsed JSON value; which kind it is follows from its field.

    Raises:
        InvalidInput: it is no answer, or a field is unknown, missing or of the wrong kind. Nested
            values where text is expected are refused here, before anything reaches Prefect, whose
            server would render templates in them.
    """
    if not isinstance(raw, dict):
        raise InvalidInput(subject, [Fault("(whole file)", "expected a JSON object.")])
    kinds = list(dict.fromkeys(model for field, model in _BY_FIELD.items() if field in raw))
    if len(kinds) != 1:
        several = (Screening, SelfAssessment)
        alone = ", ".join(f'"{field}"' for field, model in _BY_FIELD.items() if model not in several)
        problem = f'expected exactly one of the fields {alone}, or "approve" and "strike", or "confirmed" and "answers".'
        raise InvalidInput(subject, [Fault("(whole file)", problem)])
    return read_model(kinds[0], raw, subject)


def read_model(model: type[M], raw: Any, subject: str) -> M:
    """`raw` as an instance of `model`, with its text cleaned of what no eye sees.

    Raises:
        InvalidInput: with every field that is wrong, and what was expected there.
    """
    try:
        return model.model_validate(_cleaned(raw))
    except ValidationError as error:
        faults = [
            Fault(".".join(map(str, fault["loc"])) or "(whole file)", *worded(fault))
            for fault in error.errors(include_url=False)
        ]
        raise InvalidInput(subject, faults) from None
    except RecursionError:
        raise InvalidInput(subject, [Fault("(whole file)", "is nested too deeply.")]) from None


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(str(key)): _cleaned(item) for key, item in value.items()}
    return value
