"""A year of the European Quality Label as pages show it: titles in place of ids, who said what, and what awaits whoever looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.persons import batches
from labels.record.schema import (
    Application,
    Cycle,
    GalleryContribution,
    Organisation,
    Project,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.steps.step import steps_of


def years(session: Session) -> list[int]:
    """The years that have begun, the latest first."""
    return list(session.scalars(sa.select(Cycle.year).order_by(Cycle.year.desc())))


def titles(session: Session, projects: Iterable[str]) -> dict[str, str]:
    """The titles of some projects, by their ids."""
    return _texts(session, Project.id, Project.title, projects)


def teachers(session: Session, some: Iterable[str | None]) -> dict[str, str]:
    """The names of some teachers, by their ids."""
    return _texts(session, Teacher.id, Teacher.name, (one for one in some if one))


def names(session: Session) -> dict[str, str]:
    """What every organisation is called, by its id."""
    return {row.id: row.name for row in session.execute(sa.select(Organisation.id, Organisation.name))}


def contributions(session: Session, year: int) -> list[GalleryContribution]:
    """What projects gave for the gallery of a year; what is to be looked at first."""
    rows = session.scalars(
        sa.select(GalleryContribution).filter_by(year=year).order_by(GalleryContribution.given_at)
    )
    return sorted(rows, key=lambda row: row.released_at is not None)


def _texts(
    session: Session,
    key: sa.orm.InstrumentedAttribute[str],
    text: sa.orm.InstrumentedAttribute[str],
    ids: Iterable[str],
) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in batches(sorted(set(ids))):
        found.update((one, told) for one, told in session.execute(sa.select(key, text).where(key.in_(some))))
    return found


@dataclass(frozen=True, slots=True)
class Said:
    """What one person said to a proposal, or to the award."""

    who: str
    """Their address, as the record has it."""
    at: datetime
    approved: int
    struck: Mapping[str, str]
    """What they struck, with the reason."""


def said(session: Session, application_id: str, kind: StepKind) -> tuple[Said, ...]:
    """What was answered so far, in the order of time."""
    application = session.get_one(Application, application_id)
    answered = [
        one
        for one in steps_of(session, application, kind)
        if one.state is StepState.ANSWERED and one.answer and one.closed_at
    ]
    return tuple(
        Said(one.assignee, one.closed_at, len(one.answer.get("approve", ())), one.answer.get("strike", {}))
        for one in sorted(answered, key=lambda one: (one.closed_at or one.opened_at, one.number))
        if one.answer and one.closed_at
    )


def open_step_of(session: Session, application_id: str | None, kind: StepKind, person: str) -> Step | None:
    """What an award or a nomination awaits of somebody now; None where it awaits nothing of them."""
    return session.scalar(
        sa.select(Step).where(
            Step.application == application_id,
            Step.kind == kind,
            Step.state == StepState.OPEN,
            Step.person == person,
        )
    )
