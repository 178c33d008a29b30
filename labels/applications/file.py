"""An application as a teacher hands it in."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from labels.errors import Fault, InvalidInput
from labels.steps.answers import Link, Strict, read_model

SECTION_LENGTH = 20_000
"""Characters in one section: far beyond any limit in words, and a bound on abuse."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Section = Annotated[str, StringConstraints(max_length=SECTION_LENGTH)]


class Pupils(Strict):
    """How many pupils took part; never who."""

    count: Annotated[int, Field(ge=0, le=100_000)]
    """How many took part, as a whole number."""
    average_age: Annotated[float, Field(ge=2, le=30)]
    """Their age in years, with a decimal point: 13.5."""


class Preconditions(Strict):
    """The five yes/no conditions (found in NSS pages), as the applicant declares them."""

    shared_plan: bool
    """Common goals and a shared plan."""
    finished: bool
    """The project is finished or in its last stages."""
    contributed: bool
    """Teacher and pupils contributed."""
    collaborative: bool
    """Teacher and partners organised collaborative activities."""
    safe: bool
    """eSafety, data protection and copyright were considered."""


class Reapplication(Strict):
    """What a second application for one project must say where the rules ask for it (found: ES)."""

    criteria: dict[str, Section]
    """For each criterion to be looked at again: where the new evidence is."""


class NationalApplication(Strict):
    """The application file for a National Quality Label."""

    label: Literal["national"]
    """Which label is applied for."""
    teacher: Identifier
    """The identifier of the teacher who applies."""
    project: Identifier
    """The identifier of the project."""
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]
    """In which it is written, by its code: pl, pt-PT."""
    organisation: Identifier | None = None
    """The NSS applied to; may be left out, since it is always that of the teacher's school."""
    preconditions: Preconditions
    """What the applicant declares, each with true or false."""
    description: Section
    """The project in short; the rules say in how many words."""
    links: list[Link] = Field(default=[], max_length=50)
    """Where the project can be seen, each beginning with https://."""
    pupils: Pupils
    """The pupils who took part, as numbers alone."""
    sections: dict[Annotated[str, StringConstraints(max_length=64)], Section]
    """A text for each criterion of the rules, by its name; the rules say in how many words."""
    reapplication: Reapplication | None = None
    """Only where one applies once more for a project and the rules ask for it."""


def read_application(raw: Any, subject: str) -> NationalApplication:
    """The application in a parsed JSON value.

    Raises:
        InvalidInput: it is no application that we know, or fields are unknown, missing or wrong.
    """
    if not isinstance(raw, dict):
        raise InvalidInput(subject, [Fault("(whole file)", "expected a JSON object.")])
    if raw.get("label") == "national":
        return read_model(NationalApplication, raw, subject)
    faults = [Fault("label", 'expected "national".')]
    try:
        read_model(NationalApplication, raw | {"label": "national"}, subject)
    except InvalidInput as error:
        faults += error.faults
    raise InvalidInput(subject, faults)


def canonical(value: Any) -> bytes:
    """One spelling of a JSON value, so that equal values have equal digests."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def digest(value: Any) -> str:
    """The SHA-256 of a JSON value in its canonical spelling."""
    return hashlib.sha256(canonical(value)).hexdigest()
