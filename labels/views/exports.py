"""Exports: tables of the record as flat rows, without what is nobody's to see, or what is not one person's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.european_label.merging import why_for
from labels.record.schema import (
    Application,
    Award,
    CyclePlace,
    CycleProject,
    Issued,
    Journal,
    Mail,
    Notice,
    PupilClass,
    Review,
    Step,
)
from labels.views.looker import Audience, Reach

_OF_OURS = frozenset(
    [
        "revision",
        "parked_revision",
        "runs",
        "form_seen",
        "attempts",
        "claimed_until",
        "next_attempt_at",
        "last_error",
        "salts",
        "erased",
    ]
)
"""What counts what was done, hidden entries too, or is for the machinery alone."""
Conditions = Callable[[Reach], list[sa.ColumnElement[bool]]]


@dataclass(frozen=True)
class Table:
    """One table of the record, and what of its rows is whose."""

    rows: type[Any]
    joined: Callable[[sa.Select[Any]], sa.Select[Any]] = lambda statement: statement
    """What tells which case a row belongs to."""
    application: Any = None
    organisation: Any = None
    teacher: Any = None
    owner: Any = None
    """Whose a row is, besides what they are to its case: a person's id."""
    left_out: frozenset[str] = frozenset()
    """Nobody's to see."""
    hidden: Mapping[Audience, frozenset[str]] = field(default_factory=dict)
    """Who sees rows of a case, and without which columns; whoever is not named sees none."""

    @cached_property
    def columns(self) -> list[sa.Column[Any]]:
        """What is exported."""
        return [one for one in self.rows.__table__.columns if one.name not in self.left_out]

    @property
    def ties(self) -> dict[str, Any]:
        """What each row carries along by which it is found out whose it is."""
        found = {
            "application": self.application,
            "organisation": self.organisation,
            "teacher": self.teacher,
            "owner": self.owner,
        }
        return {f"_{name}": sa.null() if one is None else one for name, one in found.items()}

    def near(self, reach: Reach) -> sa.ColumnElement[bool]:
        """Whether a row can be somebody's to see: all others are left to the database."""
        if reach.central and Audience.CSS in self.hidden:
            return sa.true()
        found: list[sa.ColumnElement[bool]] = []
        if self.organisation is not None:
            found.append(self.organisation.in_(reach.organisations))
        if self.application is not None:
            found.append(self.application.in_(reach.applied | reach.reviewed))
        if self.teacher is not None:
            found.append(self.teacher.in_(reach.teachers))
        if self.owner is not None:
            found.append(self.owner.in_({reach.person, *reach.addresses}))
        return sa.or_(*found) if found else sa.true()


def _with_application(of: Any) -> Callable[[sa.Select[Any]], sa.Select[Any]]:
    return lambda statement: statement.outerjoin(Application, Application.id == of)


_RUN = frozenset({"run"})
_BY = frozenset({"revoked_by"})
_NOTHING: frozenset[str] = frozenset()
_TABLES = {
    "applications": Table(
        Application,
        application=Application.id,
        organisation=Application.organisation,
        left_out=frozenset({"content"}),
        hidden={
            Audience.APPLICANT: _RUN,
            Audience.COORDINATOR: _NOTHING,
            Audience.REVIEWER: _RUN,
            Audience.CSS: _NOTHING,
        },
    ),
    "reviews": Table(
        Review,
        _with_application(Review.application),
        application=Review.application,
        organisation=Application.organisation,
        hidden={
            Audience.COORDINATOR: _NOTHING,
            Audience.REVIEWER: _NOTHING,
            Audience.CSS: frozenset({"reviewer", "note"}),
        },
    ),
    "awards": Table(
        Award,
        application=Award.id,
        organisation=Award.organisation,
        teacher=Award.teacher,
        hidden={Audience.APPLICANT: _BY, Audience.COORDINATOR: _NOTHING, Audience.CSS: _BY},
    ),
    "rankings": Table(
        CyclePlace,
        organisation=CyclePlace.organisation,
        hidden={Audience.COORDINATOR: _NOTHING, Audience.CSS: frozenset({"screened_by"})},
    ),
    "projects": Table(CycleProject, hidden={Audience.CSS: _NOTHING}),
    "mail": Table(
        Mail,
        _with_application(Mail.application),
        application=Mail.application,
        organisation=Application.organisation,
        owner=sa.func.coalesce(Mail.person, Mail.to_address),
        left_out=frozenset({"context"}),
        hidden={Audience.COORDINATOR: _NOTHING},
    ),
    "journal": Table(
        Journal,
        _with_application(Journal.application),
        application=Journal.application,
        organisation=Application.organisation,
        owner=Journal.who,
        hidden={Audience.COORDINATOR: frozenset({"id"})},
    ),
    "pupils": Table(
        PupilClass,
        lambda statement: statement.join(Award, Award.id == PupilClass.award),
        organisation=Award.organisation,
        teacher=PupilClass.teacher,
        hidden={
            Audience.APPLICANT: frozenset({"attempt"}),
            Audience.COORDINATOR: frozenset({"attempt"}),
            Audience.CSS: frozenset({"attempt"}),
        },
    ),
    "reminders": Table(
        Notice,
        lambda statement: statement.outerjoin(Step, Step.id == Notice.subject).outerjoin(
            Application, Application.id == sa.func.coalesce(Step.application, Notice.subject)
        ),
        application=Application.id,
        organisation=Application.organisation,
        owner=Notice.person,
        hidden={Audience.COORDINATOR: frozenset({"mail"})},
    ),
    "papers": Table(
        Issued,
        lambda statement: statement.outerjoin(Award, Award.id == Issued.award).outerjoin(
            Application, Application.id == Issued.application
        ),
        application=sa.func.coalesce(Issued.application, Issued.award),
        organisation=sa.func.coalesce(Application.organisation, Award.organisation),
        teacher=Issued.teacher,
        left_out=frozenset({"facts", "marks"}),
        hidden={Audience.APPLICANT: _BY, Audience.COORDINATOR: _NOTHING, Audience.CSS: _BY},
    ),
}
EXPORTS: dict[str, type[Any]] = {name: one.rows for name, one in _TABLES.items()}
"""What can be exported, by name."""


def export_columns(what: str) -> list[str]:
    """The names of the columns of `export`, which has them also where there are no rows."""
    return [one.name for one in _TABLES[what].columns]


def export(session: Session, what: str, reach: Reach | None = None) -> Iterator[dict[str, Any]]:
    """Flat rows of one table of the record, streamed: all of them, or those that somebody may see.

    What they may not see of a row is None.
    """
    for row in _rows(session, what, reach, decided=True):
        yield {name: value.value if hasattr(value, "value") else value for name, value in row.items()}


def hidden_reviews(session: Session, reach: Reach | None = None) -> int:
    """How many reviews `export` leaves out, since their application is not decided."""
    return sum(1 for _ in _rows(session, "reviews", reach, decided=False))


def _rows(session: Session, what: str, reach: Reach | None, *, decided: bool) -> Iterator[dict[str, Any]]:
    table = _TABLES[what]
    ties = table.ties if reach is not None else {}
    statement = sa.select(*table.columns, *(one.label(name) for name, one in ties.items())).select_from(
        table.rows
    )
    if reach is not None or what == "reviews":
        statement = table.joined(statement)
    if what == "reviews":
        # Blind until the decision, here as everywhere.
        statement = statement.where(
            Application.outcome.is_not(None) if decided else Application.outcome.is_(None)
        )
    if reach is not None:
        statement = statement.where(table.near(reach))
    statement = statement.order_by(*table.rows.__table__.primary_key.columns)
    for row in session.execute(statement, execution_options={"yield_per": 1000}):
        found = dict(row._mapping)
        tied = {name: found.pop(name) for name in ties}
        if reach is None:
            yield found
        elif (seen := _seen(table, found, tied, reach)) is not None:
            yield seen


def _seen(table: Table, row: dict[str, Any], tied: Mapping[str, Any], reach: Reach) -> dict[str, Any] | None:
    """What somebody may see of a row; None where it is not there for them."""
    if table.rows is CycleProject and not reach.central:
        return _of_their_project(row, reach)
    audience = reach.audience(tied["_application"], tied["_organisation"], tied["_teacher"])
    hidden = table.hidden.get(audience) if audience else None
    own = tied["_owner"] == reach.person or tied["_owner"] in reach.addresses
    if table.rows is Journal:
        return _of_the_journal(row, reach, hidden)
    if table.rows is Review and audience is Audience.REVIEWER and row["step"] not in reach.steps:
        return None
    if hidden is None and not own:
        return None
    return _without(row, hidden or _NOTHING)


def _without(row: dict[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    """A row without what is hidden; a digest of what is hidden lets anybody try which it is."""
    left_out = hidden | _OF_OURS
    return {name: None if name in left_out or "digest" in name else value for name, value in row.items()}


def _of_the_journal(
    row: dict[str, Any], reach: Reach, hidden: frozenset[str] | None
) -> dict[str, Any] | None:
    """A coordinator sees what happened in their cases, everybody else what they did themselves, without details.

    The number of an entry would tell how many there are that somebody does not see.
    """
    if hidden is not None:
        details = {name: value for name, value in row["details"].items() if "digest" not in name}
    elif reach.did(row["who"], row["details"]) and (row["step"] is None or row["step"] in reach.steps):
        details = {}
    else:
        return None
    return row | {"id": None, "details": details}


def _of_their_project(row: dict[str, Any], reach: Reach) -> dict[str, Any] | None:
    """What a coordinator sees of a project of the year: that their organisation has proposed it, and what came of it."""
    everybody = str(row["proposed_by"]).split()
    proposed = [one for one in everybody if one in reach.organisations]
    if not proposed:
        return None
    seen = {
        "proposed_by": " ".join(proposed),
        "why": why_for(row["why"], everybody, proposed),
        "awarded_by": None,
    }
    return row | seen
