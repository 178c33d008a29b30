"""What a teacher has typed into the form of an application so far, as incomplete as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from labels.applications.file import SECTION_LENGTH, NationalApplication, read_application
from labels.errors import InvalidInput
from labels.rules.model import RuleEdition
from labels.steps.answers import Link, Strict

Typed = Annotated[str, StringConstraints(max_length=SECTION_LENGTH)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]

LINKS = 50


class ApplicationTyped(Strict):
    """The fields of the form, as text; nothing of it need be right."""

    preconditions: dict[Name, bool] = Field(default={}, max_length=20)
    description: Typed = ""
    links: Typed = ""
    """One on each line."""
    pupils: Annotated[str, StringConstraints(max_length=40)] = ""
    average_age: Annotated[str, StringConstraints(max_length=40)] = ""
    sections: dict[Name, Typed] = Field(default={}, max_length=40)
    again: dict[Name, Typed] = Field(default={}, max_length=40)
    """On re-application: where the new evidence for a criterion is."""


class Wrong(StrEnum):
    """What keeps a field from being read, in English; the desk says it in other languages."""

    PUPILS = "Write how many pupils took part, as a number."
    AGE = "Write the average age of the pupils, from 2 to 30 years."
    TOO_MANY_LINKS = "At most 50 links are taken."
    NO_LINK = "This is no link; it begins with https:// and has no space in it."
    OTHER = "This can't be taken as it is."


@dataclass(frozen=True, slots=True)
class Blank:
    """A field whose content can't be read as what it asks for."""

    field: str
    wrong: Wrong
    what: str = ""
    """The part of it that is meant, or what else is to be said."""


def read_typed(
    typed: ApplicationTyped, teacher: str, project: str, language: str, edition: RuleEdition
) -> tuple[NationalApplication | None, list[Blank]]:
    """The application that the form makes, or every field that keeps it from being one."""
    blanks: list[Blank] = []
    count, age = _number(typed.pupils), _number(typed.average_age)
    if count is None or count != int(count) or not 0 <= count <= 100_000:
        blanks.append(Blank("pupils", Wrong.PUPILS))
    if age is None or not 2 <= age <= 30:
        blanks.append(Blank("average_age", Wrong.AGE))
    links = [line for line in typed.links.split("\n") if line.strip()]
    if len(links) > LINKS:
        blanks.append(Blank("links", Wrong.TOO_MANY_LINKS))
    for link in links[:LINKS]:
        if not is_link(link.strip()):
            blanks.append(Blank("links", Wrong.NO_LINK, link.strip()[:80]))
    if blanks:
        return None, blanks
    assert count is not None
    assert age is not None
    try:
        return read_application(
            _as_file(typed, teacher, project, language, edition, int(count), age, links), "form"
        ), []
    except InvalidInput as error:
        return None, [Blank(fault.where.split(".")[0], Wrong.OTHER, fault.problem) for fault in error.faults]


def as_content(typed: ApplicationTyped, edition: RuleEdition) -> dict[str, Any]:
    """As much of the application file as the conditions look at, whatever else is missing."""
    return {
        "preconditions": dict(typed.preconditions),
        "description": typed.description,
        "sections": {one.id: typed.sections.get(one.id, "") for one in edition.criteria_set.counted},
        "reapplication": _again(typed),
    }


def _as_file(
    typed: ApplicationTyped,
    teacher: str,
    project: str,
    language: str,
    edition: RuleEdition,
    count: int,
    age: float,
    links: list[str],
) -> dict[str, Any]:
    asked = {one.value for one in edition.national.preconditions.value}
    names = ("shared_plan", "finished", "contributed", "collaborative", "safe")
    return {
        "label": "national",
        "teacher": teacher,
        "project": project,
        "language": language,
        # What the rules do not ask is no question of the form, and nothing depends on it.
        "preconditions": {name: typed.preconditions.get(name, name not in asked) for name in names},
        "description": typed.description.strip(),
        "links": [link.strip() for link in links],
        "pupils": {"count": count, "average_age": age},
        "sections": {one.id: typed.sections.get(one.id, "").strip() for one in edition.criteria_set.counted},
    } | ({"reapplication": again} if (again := _again(typed)) else {})


def _again(typed: ApplicationTyped) -> dict[str, Any] | None:
    named = {name: text.strip() for name, text in typed.again.items() if text.strip()}
    return {"criteria": named} if named else None


def typed_from(content: Mapping[str, Any]) -> ApplicationTyped:
    """The form filled in with what an application says already, to go on from."""
    return ApplicationTyped(
        preconditions={name: bool(yes) for name, yes in content["preconditions"].items()},
        description=content["description"],
        links="\n".join(content["links"]),
        pupils=str(content["pupils"]["count"]),
        average_age=f"{content['pupils']['average_age']:g}",
        sections=dict(content["sections"]),
    )


_NUMBER = re.compile(r"\d{1,9}(?:[.,]\d{1,4})?")
_LINK: TypeAdapter[str] = TypeAdapter(Link)


def _number(text: str) -> float | None:
    """A number as people write it: `12,5` too."""
    text = text.strip()
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def is_link(text: str) -> bool:
    """Whether an application takes it as a link."""
    try:
        _LINK.validate_python(text)
    except ValidationError:
        return False
    return True
