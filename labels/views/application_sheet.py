"""The columns of the list of applications, for a spreadsheet and for whoever chooses which are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from labels.kinds import LabelKind
from labels.record.schema import Outcome, Stage
from labels.views.applications import Row
from labels.views.sheet import Cell


class Column(StrEnum):
    """What is known of each."""

    NUMBER = "number"
    TITLE = "title"
    APPLICANT = "applicant"
    SCHOOL = "school"
    CITY = "city"
    COUNTRY = "country"
    ORGANISATION = "organisation"
    LABEL = "label"
    YEAR = "year"
    ATTEMPT = "attempt"
    LANGUAGE = "language"
    SUBMITTED = "submitted"
    STAGE = "stage"
    SINCE = "since"
    WAITS = "waits for"
    DUE = "due"
    DECIDE_BY = "decide by"
    OUTCOME = "outcome"
    DECIDED = "decided"
    POINTS = "points"
    MAXIMUM = "of"
    DAYS = "days"


Value = Cell | LabelKind | Stage | Outcome
"""What a cell has before it is worded: the label, the stage and the outcome have names in each language."""

VALUES: Mapping[Column, Callable[[Row], Value]] = {
    Column.NUMBER: lambda row: row.application,
    Column.TITLE: lambda row: row.title,
    Column.APPLICANT: lambda row: row.applicant,
    Column.SCHOOL: lambda row: row.school,
    Column.CITY: lambda row: row.city,
    Column.COUNTRY: lambda row: row.country,
    Column.ORGANISATION: lambda row: row.organisation,
    Column.LABEL: lambda row: row.label,
    Column.YEAR: lambda row: f"{row.year}/{row.year + 1}",
    Column.ATTEMPT: lambda row: row.attempt,
    Column.LANGUAGE: lambda row: row.language,
    Column.SUBMITTED: lambda row: row.submitted_at,
    Column.STAGE: lambda row: row.stage,
    Column.SINCE: lambda row: row.since,
    Column.WAITS: lambda row: ", ".join(one.name for one in row.waits),
    Column.DUE: lambda row: min((one.due_at for one in row.waits if one.due_at), default=None),
    Column.DECIDE_BY: lambda row: row.decide_by,
    Column.OUTCOME: lambda row: row.outcome,
    Column.DECIDED: lambda row: row.decided_at,
    Column.POINTS: lambda row: row.points,
    Column.MAXIMUM: lambda row: row.maximum,
    Column.DAYS: lambda row: row.days,
}


def columns_named(names: str) -> tuple[Column, ...]:
    """The columns that somebody names, with commas between; all of them where there is none of that name."""
    known = {column.value: column for column in Column}
    wanted = [known[name] for one in names.split(",") if (name := one.strip().replace("_", " ")) in known]
    return tuple(dict.fromkeys(wanted)) or tuple(Column)
