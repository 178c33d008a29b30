"""The table of label kinds: what each kind of application is called, who applies in it, and what is due in it.

A fifth kind is a row here, a room with its rules, a flow, and its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LabelKind(StrEnum):
    """A kind of application, and the kind of label that comes of it."""

    NATIONAL = "national"
    SCHOOL = "school"
    NOMINATION = "nomination"
    """Of one organisation, for the European Quality Label; no label of its own comes of it."""
    EUROPEAN = "european"
    """The year's award."""


class Applicant(StrEnum):
    """Who applies in a kind of application."""

    TEACHER = "teacher"
    SCHOOL = "school"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table."""

    short: str
    """Begins the names of its runs."""
    name: str
    """The label that it is about, in full."""
    applicant: Applicant
    has_decision_date: bool
    """Whether its applications have a day by which they are decided; in the others every step has its own."""
    comes_in_complete: bool
    """Whether an application is received with its first row; a school's is, once its principal declared it."""
    prefix: str
    """Begins the numbers of labels that were awarded elsewhere; empty where no label comes of it."""


KINDS: dict[LabelKind, Kind] = {
    LabelKind.NATIONAL: Kind(
        short="NQL", name="National Quality Label", applicant=Applicant.TEACHER,
        has_decision_date=True, comes_in_complete=True, prefix="NQL",
    ),
    LabelKind.SCHOOL: Kind(
        short="SL", name="School Label", applicant=Applicant.SCHOOL,
        has_decision_date=True, comes_in_complete=False, prefix="SCH",
    ),
    LabelKind.NOMINATION: Kind(
        short="EQL nomination", name="European Quality Label", applicant=Applicant.ORGANISATION,
        has_decision_date=False, comes_in_complete=True, prefix="",
    ),
    LabelKind.EUROPEAN: Kind(
        short="EQL", name="European Quality Label", applicant=Applicant.ORGANISATION,
        has_decision_date=False, comes_in_complete=True, prefix="EQL",
    ),
}  # fmt: skip
"""By `Application.label`."""
