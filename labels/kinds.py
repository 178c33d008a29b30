"""The table of label kinds: what each is called, who applies for it, and what is due in its applications.

A fifth kind is a row here, a room with its rules, a flow, and its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LabelKind(StrEnum):
    """A kind of label, and the kind of application that leads to it."""

    NATIONAL = "national"
    SCHOOL = "school"
    NOMINATION = "nomination"
    """Of one organisation, for the European Quality Label; no label of its own comes of it."""
    EUROPEAN = "european"
    """The year's award."""
    PUPIL = "pupil"
    """For the classes of a teacher who holds a label of a project; nobody applies for it."""


class Wish(StrEnum):
    """What a reviewer says of judging an application; nothing is an answer, too."""

    YES = "yes"
    MAYBE = "maybe"
    NONE = "none"
    """They said nothing: in no row of the record."""
    RATHER_NOT = "rather_not"


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
    prefix: str
    """Begins the numbers of labels that were awarded elsewhere; empty where no label comes of it."""
    applicant: Applicant | None
    """None where nobody applies."""
    has_decision_date: bool = False
    """Whether its applications have a day by which they are decided; in the others every step has its own."""
    comes_in_complete: bool = True
    """Whether an application is received with its first row; a school's is, once its principal declared it."""


KINDS: dict[LabelKind, Kind] = {
    LabelKind.NATIONAL: Kind(
        "NQL", "National Quality Label", "NQL", Applicant.TEACHER, has_decision_date=True
    ),
    LabelKind.SCHOOL: Kind(
        "SL", "School Label", "SCH", Applicant.SCHOOL, has_decision_date=True, comes_in_complete=False
    ),
    LabelKind.NOMINATION: Kind("EQL nomination", "European Quality Label", "", Applicant.ORGANISATION),
    LabelKind.EUROPEAN: Kind("EQL", "European Quality Label", "EQL", Applicant.ORGANISATION),
    LabelKind.PUPIL: Kind("PQL", "Pupil Quality Label", "PQL", None),
}
"""By `Application.label`, and by that of an award or a paper."""


def called_alike(label: LabelKind) -> tuple[LabelKind, ...]:
    """The kinds of applications that people know by the same name; the first stands for them where one chooses."""
    return tuple(one for one, kind in KINDS.items() if kind.name == KINDS[label].name)


CHOSEN_FROM = tuple(dict.fromkeys(called_alike(label)[0] for label, kind in KINDS.items() if kind.applicant))
"""What there is to choose from where applications are listed by label: one for each name."""

CERTIFIED = tuple(label for label, kind in KINDS.items() if kind.prefix)
"""The labels that have a certificate."""
