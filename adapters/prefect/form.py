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
from labels.views.briefs.national import NationalBrief
from labels.words.text import markdown_link, markdown_plain, one_line

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


def form_for(brief: Brief, links: Links, desk: str = "") -> type[RunInput]:
    """The form for what the brief asks for; the code that is typed in tells which step is meant.

    The brief stands in the descriptions of the fields: first who applies and what is asked, then, above
    the points for each criterion, what the applicant says on it. (Prefect has a description for the
    form as a whole too, but its dialog leaves no room for that above a form of more than a few fields.)

    What somebody filled in before is never shown: everybody who reaches Prefect reads its forms. Prefect has the same
    green message for whatever is sent, so the form says where on the desk, at the address `desk`, one sees what came
    of it; each person sees only their own there.
    """
    kinds = {one.kind for one in brief.asked}
    fields: dict[str, Any] = {
        "code": (
            str,
            Field(
                default="",
                title=one_line(title(brief)),
                description=_spaced(
                    f"{opening(brief, links)}\n\n### Your one-time code\n\n{_on_the_code(kinds)}"
                    + _on_what_comes_of_it(kinds, brief, desk)
                ),
                max_length=40,
            ),
        )
    }
    if StepKind.REVIEW in kinds and isinstance(brief, ReviewBrief):
        fields |= _review_fields(brief)
    if StepKind.INFORMATION in kinds:
        fields["answer"] = _text("Your answer to the question", "For applicants only")
        fields["links"] = _text("Links", "For applicants only: one address a line")
    if StepKind.DECISION in kinds:
        fields["decide"] = (
            str,
            Field(
                default="",
                title="Your decision",
                description="For coordinators: *award*, *refuse*, or *another* for one more reviewer first",
                max_length=40,
            ),
        )
    if kinds & {StepKind.ASSIGNMENT, StepKind.DECISION}:
        fields["assign_to"] = (
            str,
            Field(
                default="",
                title="Reviewer's e-mail address",
                description="For coordinators: who shall review"
                if StepKind.ASSIGNMENT in kinds
                else "Only with *another*: who shall review; left empty, the rules choose",
                max_length=320,
            ),
        )
        fields["reason"] = _text(
            "Reason",
            "For coordinators: why this person"
            if StepKind.ASSIGNMENT in kinds
            else "For coordinators: why; of an award or a refusal the applicant reads it",
        )
    if kinds & {StepKind.SCREENING, StepKind.AWARDING}:
        fields["approve"] = _text(
            "What you approve",
            "Identifiers from the list above, one a line; or the word *all* for everything that you do not strike",
            LONG_LIST,
        )
        fields["strike"] = _text(
            "What you strike, and why", "One a line: the identifier, a colon and the reason", LONG_LIST
        )
    return pydantic.create_model("Answer", __base__=_Form, **fields)


def _on_the_code(kinds: Collection[StepKind]) -> str:
    if not kinds:
        return "Nobody is asked for anything here now, and no code is needed."
    said = "From the mail that asked you, such as 7KQ4-M9XT-2C: it tells who answers."
    if StepKind.REVIEW in kinds:
        said += " Prefect calls the other fields optional; a review has points for every criterion."
    return said


def _on_what_comes_of_it(kinds: Collection[StepKind], brief: Brief, desk: str) -> str:
    if not desk or not kinds:
        return ""
    page = "/"
    if StepKind.REVIEW in kinds:
        page = "/reviews"
    elif StepKind.INFORMATION in kinds and isinstance(brief, NationalBrief):
        page = f"/applications/{brief.about.application}"
    where = f"{desk.rstrip('/')}{page}"
    return (
        "\n\n### Was it recorded?\n\nPrefect shows the same green message whatever you send. "
        f"Whether your answer is recorded, or why not, stands a moment later on your own page: {markdown_link(where)}"
    )


def _text(title: str, description: str, longest: int = LONG_TEXT) -> tuple[type[str], Any]:
    return str, Field(default="", title=title, description=description, max_length=longest)


def _points(title: str, description: str, maximum: int) -> tuple[Any, Any]:
    """A number to type in: Prefect's lists of choices do not open where one clicks on their text."""
    shown = {"type": "integer", "minimum": 0, "maximum": maximum}
    return (
        Annotated[Any, pydantic.WithJsonSchema(shown)],  # what else comes is refused with its reason
        Field(default=None, title=title, description=description),
    )


def _spaced(markdown: str) -> str:
    """Markdown of several lines as Prefect's form shows it right: it makes a space of every last line end."""
    return markdown.replace("\n", "\n\n")


def _review_fields(brief: ReviewBrief) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for criterion in brief.criteria:
        parts = [_meaning(criterion), said_on(criterion), _scale(brief.points, criterion.maximum)]
        fields[_POINTS + criterion.id] = _points(
            f"{criterion.name}, 0 to {criterion.maximum}",
            _spaced(joined(parts)),
            criterion.maximum,
        )
    fields["comment"] = _text(
        "Comment for the applicant",
        "What convinced you and what could be better; they read it without your name. "
        "The corner of the box can be drawn to make it larger.",
    )
    fields["note"] = _text("Note for colleagues", "The applicant never reads it")
    fields["question"] = _text(
        "Or: a question to the applicant",
        "Fill in this alone, and the review comes back to you with the answer",
    )
    fields["decline"] = _text(
        "Or: why you do not review this",
        "Fill in this alone, and somebody else is asked",
    )
    fields["conflict"] = (
        bool,
        Field(
            default=False,
            title="It is a conflict of interest",
            description="Together with the reason above: you are then asked nothing about this applicant again",
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
    return all(map(_is_empty, filled.values()))


def _is_empty(value: object) -> bool:
    return not value.strip() if isinstance(value, str) else value is None or value is False


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
    kinds = _kinds(filled)
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


def _kinds(filled: Mapping[str, Any]) -> list[str]:
    """The kinds of answer that were filled in; a comment or a note alone is none."""
    given = {name for name, value in filled.items() if not _is_empty(value)}
    return [
        kind
        for kind, fields in (
            ("points", {name for name in given if name.startswith(_POINTS)}),
            ("question", {"question"}),
            ("decline", {"decline"}),
            ("answer", {"answer"}),
            ("approvals and strikes", {"approve", "strike"}),
            ("decision", {"decide"}),
            ("reviewer", {"assign_to"}),
        )
        if fields & given
    ]


def what_was_typed(filled: Mapping[str, Any]) -> dict[str, Any]:
    """What was filled in, without the code and what is empty: as it is stored for the next try."""
    return {name: value for name, value in filled.items() if name != "code" and not _is_empty(value)}


def completed(filled: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """What was filled in now, with what the same person had filled in before wherever it was left empty now.

    Where it is an answer of another kind now, what was stored is no part of it.
    """
    now = what_was_typed(filled)
    if (kinds := _kinds(now)) and kinds != _kinds(kept):
        return dict(filled)
    return {**filled, **kept, **now}


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
