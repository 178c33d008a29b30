"""The form that Prefect's Resume dialog shows, and what comes back from it.

Every field has a default, so that a run can also be woken without an answer, when one came through
another door. What is filled in is checked here and in the domain, never by the form alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pydantic
from prefect.input import RunInput
from pydantic import Field

from labels.answers import LONG_TEXT, Answer, read_answer
from labels.errors import Fault, InvalidInput
from labels.record.schema import Step, StepKind
from labels.rules.model import CriteriaSet

UNSCORED = "not scored"
_POINTS = "points_"


def form_for(awaited: Sequence[Step], criteria: CriteriaSet, brief: str) -> type[RunInput]:
    """The form for the steps that are awaited; the code that is typed in tells which one is meant.

    What somebody typed into an answer that was refused is filled in again where only one step is
    open, so that it is nobody else's.
    """
    draft = awaited[0].draft or {} if len(awaited) == 1 else {}
    kinds = {step.kind for step in awaited}
    fields: dict[str, Any] = {
        "code": (
            str,
            Field(
                default="",
                title="Your one-time code",
                description="From the mail that asked you, such as 7KQ4-M9XT-2C",
                max_length=40,
            ),
        )
    }
    if StepKind.REVIEW in kinds:
        fields |= _review_fields(criteria, draft)
    if StepKind.INFORMATION in kinds:
        fields["answer"] = _text("Your answer to the question", "For applicants only", draft.get("text"))
        fields["links"] = _text(
            "Links", "For applicants only: one address a line", "\n".join(draft.get("links") or [])
        )
    if StepKind.ASSIGNMENT in kinds:
        fields["assign_to"] = (
            str,
            Field(
                default="",
                title="Reviewer's e-mail address",
                description="For coordinators: who shall review",
                max_length=320,
            ),
        )
        fields["reason"] = _text("Reason", "For coordinators: why this person", None)
    model = pydantic.create_model("Answer", __base__=RunInput, **fields)
    return model.with_initial_data(description=brief)


def _text(title: str, description: str, default: object) -> tuple[type[str], Any]:
    return (
        str,
        Field(
            default=default if isinstance(default, str) else "",
            title=title,
            description=description,
            max_length=LONG_TEXT,
            json_schema_extra={"format": "textarea"},
        ),
    )


def _choices(criteria: CriteriaSet, maximum: int) -> list[str]:
    return [UNSCORED] + [f"{n} – {criteria.points[n]}" for n in range(maximum + 1)]


def _review_fields(criteria: CriteriaSet, draft: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    typed = draft.get("scores") or {}
    for criterion in criteria.criteria:
        choices = _choices(criteria, criterion.maximum)
        points = typed.get(criterion.id)
        default = (
            choices[points + 1] if isinstance(points, int) and 0 <= points <= criterion.maximum else UNSCORED
        )
        fields[_POINTS + criterion.id] = (
            Literal[tuple(choices)],
            Field(default=default, title=criterion.name, description=criterion.meaning),
        )
    fields["comment"] = _text(
        "Comment for the applicant", "They read it, without your name", draft.get("comment")
    )
    fields["note"] = _text("Note for colleagues", "The applicant never reads it", draft.get("note"))
    fields["question"] = _text(
        "Or: a question to the applicant",
        "Fill in this alone, and the review comes back to you with the answer",
        draft.get("question"),
    )
    fields["decline"] = _text(
        "Or: why you do not review this",
        "Fill in this alone, and somebody else is asked; say so if you have a conflict of interest",
        draft.get("decline"),
    )
    return fields


def is_blank(filled: Mapping[str, Any]) -> bool:
    """Whether nothing was filled in: the run was only woken to look at the record again."""
    return not any(
        isinstance(value, str) and value.strip() and value != UNSCORED for value in filled.values()
    )


def answer_in(filled: Mapping[str, Any]) -> Answer:
    """The answer in a form that came back.

    Raises:
        InvalidInput: nothing, or more than one kind of answer, was filled in, or a field is wrong.
    """
    text = {
        name: value.strip()
        for name, value in filled.items()
        if isinstance(value, str) and name in {"comment", "note", "question", "decline", "answer", "links"}
    }
    points: dict[str, Any] = {
        name.removeprefix(_POINTS): int(value.split(" ", 1)[0])
        for name, value in filled.items()
        if name.startswith(_POINTS) and isinstance(value, str) and value != UNSCORED and value[:1].isdigit()
    }
    kinds = [
        kind
        for kind, given in (
            ("points", points),
            ("question", text.get("question")),
            ("decline", text.get("decline")),
            ("answer", text.get("answer")),
        )
        if given
    ]
    if len(kinds) != 1:
        told = "nothing was filled in" if not kinds else f"{' and '.join(kinds)} were filled in together"
        raise InvalidInput(
            "form",
            [
                Fault(
                    "form",
                    f"{told}; expected points for every criterion, or a question, or a reason to decline, or an answer.",
                )
            ],
        )
    raw: dict[str, Any]
    if points:
        raw = {"scores": points, "comment": text.get("comment", ""), "note": text.get("note", "")}
    elif kinds == ["question"]:
        raw = {"question": text["question"]}
    elif kinds == ["decline"]:
        raw = {"decline": text["decline"], "conflict": "conflict of interest" in text["decline"].casefold()}
    else:
        raw = {"text": text["answer"], "links": text.get("links", "").split()}
    return read_answer(raw, "form")
