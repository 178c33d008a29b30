"""The form that Prefect's Resume dialog shows, and what comes back from it.

What is left out is blank, whatever the form proposes, and a form with nothing in it is no answer: that is
how a run is woken when one came through another door. What is filled in is checked here and in the domain,
never by the form alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any

import pydantic
from prefect.input import RunInput
from pydantic import Field

from adapters.prefect.markdown.briefs import opening, said_on, title
from adapters.prefect.markdown.common import joined
from adapters.prefect.markdown.links import Links
from labels.errors import Fault, InvalidInput
from labels.record.schema import StepKind
from labels.steps.answers import LONG_TEXT, Answer, read_answer
from labels.views.briefs.common import Brief, CriterionShown, ReviewBrief
from labels.words.text import markdown_plain, one_line

BLANK = {"code": ""}
"""What is sent back for a form that nobody filled in."""
_POINTS = "points_"
LONG_LIST = 500_000
"""Characters in a list of what is approved or struck: the largest organisation's, with reasons."""


def _as_it_is_shown(schema: dict[str, Any]) -> None:
    """Lets Prefect's UI ask for the code: it takes whatever has a default for optional."""
    schema["required"] = ["code"]
    for name, field in schema.get("properties", {}).items():
        if name == "code" or field.get("default") is None:
            field.pop("default", None)


class _Form(RunInput):
    model_config = pydantic.ConfigDict(json_schema_extra=_as_it_is_shown)


def form_for(brief: Brief, links: Links) -> type[RunInput]:
    """The form for what the brief asks for; the code that is typed in tells which step is meant.

    The brief stands in the descriptions of the fields: first who applies and what is asked, then, above
    the points for each criterion, what the applicant says on it. (Prefect has a description for the
    form as a whole too, but its dialog leaves no room for that above a form of more than a few fields.)

    What somebody typed into an answer that was refused is filled in again where only one step is
    open, so that it is nobody else's.
    """
    typed = brief.asked[0].typed if len(brief.asked) == 1 else {}
    kinds = {one.kind for one in brief.asked}
    fields: dict[str, Any] = {
        "code": (
            str,
            Field(
                default="",
                title=one_line(title(brief)),
                description=_spaced(
                    f"{opening(brief, links)}\n\n### Your one-time code\n\n{_on_the_code(kinds)}"
                ),
                max_length=40,
            ),
        )
    }
    if StepKind.REVIEW in kinds and isinstance(brief, ReviewBrief):
        fields |= _review_fields(brief, typed)
    if StepKind.INFORMATION in kinds:
        fields["answer"] = _text("Your answer to the question", "For applicants only", typed.get("text"))
        fields["links"] = _text(
            "Links", "For applicants only: one address a line", "\n".join(typed.get("links") or [])
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
    if kinds & {StepKind.SCREENING, StepKind.AWARDING}:
        fields |= _screening_fields(typed)
    return pydantic.create_model("Answer", __base__=_Form, **fields)


def _screening_fields(typed: Mapping[str, Any]) -> dict[str, Any]:
    struck = "\n".join(f"{name}: {why}" for name, why in (typed.get("strike") or {}).items())
    return {
        "approve": _text(
            "What you approve",
            "Identifiers from the list above, one a line; or the word *all* for everything that you do not strike",
            " ".join(typed.get("approve") or []) or None,
            LONG_LIST,
        ),
        "strike": _text(
            "What you strike, and why",
            "One a line: the identifier, a colon and the reason",
            struck or None,
            LONG_LIST,
        ),
    }


def _on_the_code(kinds: Collection[StepKind]) -> str:
    if not kinds:
        return "Nobody is asked for anything here now, and no code is needed."
    said = "From the mail that asked you, such as 7KQ4-M9XT-2C: it tells who answers."
    if StepKind.REVIEW in kinds:
        said += " Prefect calls the other fields optional; a review has points for every criterion."
    return said


def _text(title: str, description: str, typed: object, longest: int = LONG_TEXT) -> tuple[type[str], Any]:
    return (
        str,
        Field(
            default="",
            title=title,
            description=description,
            max_length=longest,
            json_schema_extra={"default": typed} if isinstance(typed, str) else None,
        ),
    )


def _points(title: str, description: str, maximum: int, typed: object) -> tuple[Any, Any]:
    """A number to type in: Prefect's lists of choices do not open where one clicks on their text."""
    shown = {"type": "integer", "minimum": 0, "maximum": maximum}
    return (
        Annotated[Any, pydantic.WithJsonSchema(shown)],  # what else comes is refused with its reason
        Field(
            default=None,
            title=title,
            description=description,
            json_schema_extra={"default": typed} if isinstance(typed, int) else None,
        ),
    )


def _spaced(markdown: str) -> str:
    """Markdown of several lines as Prefect's form shows it right: it makes a space of every last line end."""
    return markdown.replace("\n", "\n\n")


def _review_fields(brief: ReviewBrief, typed: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    points = typed.get("scores") or {}
    for criterion in brief.criteria:
        parts = [_meaning(criterion), said_on(criterion), _scale(brief.points, criterion.maximum)]
        fields[_POINTS + criterion.id] = _points(
            f"{criterion.name}, 0 to {criterion.maximum}",
            _spaced(joined(parts)),
            criterion.maximum,
            points.get(criterion.id),
        )
    fields["comment"] = _text(
        "Comment for the applicant",
        "What convinced you and what could be better; they read it without your name. "
        "The corner of the box can be drawn to make it larger.",
        typed.get("comment"),
    )
    fields["note"] = _text("Note for colleagues", "The applicant never reads it", typed.get("note"))
    fields["question"] = _text(
        "Or: a question to the applicant",
        "Fill in this alone, and the review comes back to you with the answer",
        typed.get("question"),
    )
    fields["decline"] = _text(
        "Or: why you do not review this",
        "Fill in this alone, and somebody else is asked",
        typed.get("decline"),
    )
    fields["conflict"] = (
        bool,
        Field(
            default=False,
            title="It is a conflict of interest",
            description="Together with the reason above: you are then asked nothing about this applicant again",
            json_schema_extra={"default": True} if typed.get("conflict") else None,
        ),
    )
    return fields


def _meaning(criterion: CriterionShown) -> str:
    said = [f"*{markdown_plain(criterion.meaning)}*"]
    if criterion.part_of is not None:
        whole = markdown_plain(criterion.part_of)
        said.append(f"A closer look at “{whole}”; these points are not part of the total.")
    if criterion.minimum:
        said.append(f"With fewer than {criterion.minimum} there is no label.")
    return " ".join(said)


def _scale(points: Mapping[int, str], maximum: int) -> str:
    return " · ".join(f"**{n}** {markdown_plain(points[n])}" for n in range(maximum + 1))


def is_blank(filled: Mapping[str, Any]) -> bool:
    """Whether nothing was filled in: the run was only woken to look at the record again."""
    return not any(
        value.strip() if isinstance(value, str) else value is not None and value is not False
        for value in filled.values()
    )


_TEXTS = {"comment", "note", "question", "decline", "answer", "links", "approve", "strike"}


def answer_in(filled: Mapping[str, Any]) -> Answer:
    """The answer in a form that came back.

    Raises:
        InvalidInput: nothing, or more than one kind of answer, was filled in, or a field is wrong.
    """
    text = {
        name: value.strip() for name, value in filled.items() if isinstance(value, str) and name in _TEXTS
    }
    points: dict[str, Any] = {
        name.removeprefix(_POINTS): _number(value)
        for name, value in filled.items()
        if name.startswith(_POINTS) and value is not None
    }
    conflict = filled.get("conflict") is True
    kinds = [
        kind
        for kind, given in (
            ("points", points),
            ("question", text.get("question")),
            ("decline", text.get("decline")),
            ("answer", text.get("answer")),
            ("approvals and strikes", text.get("approve") or text.get("strike")),
        )
        if given
    ]
    if conflict and kinds != ["decline"]:
        alone = "a conflict of interest was ticked; expected it together with a reason to decline, and nothing else."
        raise InvalidInput("form", [Fault("conflict", alone)])
    if len(kinds) != 1:
        told = "nothing was filled in" if not kinds else f"{' and '.join(kinds)} were filled in together"
        raise InvalidInput(
            "form",
            [
                Fault(
                    "form",
                    f"{told}; expected points for every criterion, or a question, or a reason to decline, or an answer, or "
                    "what is approved and struck.",
                )
            ],
        )
    raw: dict[str, Any]
    if points:
        raw = {"scores": points, "comment": text.get("comment", ""), "note": text.get("note", "")}
    elif kinds == ["question"]:
        raw = {"question": text["question"]}
    elif kinds == ["decline"]:
        raw = {"decline": text["decline"], "conflict": conflict}
    elif kinds == ["approvals and strikes"]:
        raw = {"approve": _identifiers(text.get("approve", "")), "strike": _struck(text.get("strike", ""))}
    else:
        raw = {"text": text["answer"], "links": text.get("links", "").split()}
    return read_answer(raw, "form")


def _identifiers(typed: str) -> list[str]:
    """Identifiers as they are typed or copied: a line, a comma or a space between two; `All` is `all`."""
    words = typed.replace(",", " ").replace(";", " ").split()
    return [word.lower() if word.lower() == "all" else word for word in words]


def _struck(typed: str) -> dict[str, str]:
    """What is struck, with its reason; of a line without one the reason is empty, which is refused later."""
    lines = (_STRUCK.match(line) for line in typed.splitlines())
    return {line["name"]: line["reason"].strip() for line in lines if line}


_STRUCK = re.compile(r"\s*(?P<name>[^\s:]+)\s*[:–—]?(?P<reason>.*)")


def _number(value: object) -> object:
    """`4` also where it came as text, such as `4 – very good`; anything else as it is."""
    word = value.split(maxsplit=1)[:1] if isinstance(value, str) else []
    return int(word[0]) if word and word[0].isascii() and word[0].isdigit() else value
