"""What commands about people print as JSON: an import, the staff, the plans of a merging and of an assignment."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel

from labels.answering.leaving import Departure
from labels.people.doubles import Doubtful
from labels.registry.entering import Correction
from labels.registry.staff_file import Named
from usecases.importing import Imported


class ShownImport(BaseModel):
    """What an import did, and what it says of people (`labels import`)."""

    class Remark(BaseModel):
        """What looks wrong and was taken all the same."""

        where: str
        problem: str
        remedy: str

    files: dict[str, int]
    """The rows of each file that was there."""
    corrections: list[Correction]
    left: list[Departure]
    returned: list[Named]
    no_longer_named: list[Named]
    still_named: list[Named]
    moved: int
    may_be_one: list[Doubtful]
    """The first groups; `labels persons` has all."""
    remarks: list[Remark]

    @classmethod
    def of(cls, imported: Imported) -> ShownImport:
        """An import as it is printed."""
        report = imported.report
        return cls(
            files=report.files,
            corrections=list(report.corrections),
            left=list(imported.departures),
            returned=list(report.returned),
            no_longer_named=list(report.no_longer_named),
            still_named=list(report.still_named),
            moved=report.moved,
            may_be_one=list(imported.doubtful.groups),
            remarks=[
                cls.Remark(where=one.where, problem=one.problem, remedy=one.remedy) for one in report.remarks
            ],
        )


class ShownStaff(BaseModel):
    """Somebody who is or was on a staff (`labels staff`)."""

    person: str
    name: str
    email: str
    role: str
    organisation: str
    left_on: date | None
    left: bool


class ShownPlan(BaseModel):
    """What making two persons one would move (`labels persons merge`)."""

    gone: str
    kept: str
    moves: dict[str, int]
    reveals: list[str]
    """Conflicts of interest that are known only then, a sentence each."""
    blocked: list[str]
    """What forbids it."""
    plan: str | None
    """The word by which it is asked for; none where something forbids it."""


class ShownAssignment(BaseModel):
    """A plan of reviewers (`labels assign`)."""

    class Chosen(BaseModel):
        """Who is to review an application, and why."""

        application: str
        reviewer: str
        """Their address."""
        costs: dict[str, int]
        """What speaks against them, by the rules' weights."""
        reviews: int
        """How many applications of the year they have with this plan."""
        next: str | None
        """Who would be asked in the best plan without this choice; none where nobody could."""
        extra: int | None
        """What that plan would cost more."""

    organisation: str
    plan: str
    """The word by which it is asked for."""
    choices: list[Chosen]
    empty: dict[str, int]
    """Seats that nobody can take, by application."""
    cost: int
    at_least: int
    """No plan that fills as much and is as even costs less."""
