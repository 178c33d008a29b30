"""What a school's own people see of it: whether it may apply and why, its application, its papers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import brussels_day
from labels.errors import NotFound
from labels.kinds import LabelKind
from labels.people.persons import person
from labels.record.schema import (
    Application,
    Award,
    Document,
    Organisation,
    Outcome,
    PaperKind,
    School,
    SchoolRound,
    Stage,
    Step,
    StepKind,
    StepState,
)
from labels.registry.history import all_numbers
from labels.rules.loading import load_rules
from labels.rules.model import SchoolRules
from labels.school_label import rounds
from labels.school_label.preselection import SchoolCheck, check_schools, cut_offs_on
from labels.steps.step import every_step

PAPERS = (
    PaperKind.INVITATION.value,
    PaperKind.RECEIPT.value,
    PaperKind.CERTIFICATE.value,
    PaperKind.LETTER.value,
)
"""The papers that a school's people can have."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A letter or certificate of a school."""

    id: int
    """The row of its document."""
    kind: str
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody who was invited to write the self-assessment."""

    person: str
    name: str
    step: str
    state: StepState

    @property
    def awaited(self) -> bool:
        """Whether it waits for them still."""
        return self.state is StepState.OPEN


@dataclass(frozen=True, slots=True)
class SchoolCase:
    """An application of a school, and how far it has come."""

    id: str
    round: str
    stage: Stage
    since: datetime
    outcome: Outcome | None
    due_at: datetime | None
    """Until when what is awaited of the school is to come: the self-assessment, or the principal's word."""
    decide_by: datetime | None
    invited: tuple[Invited, ...]
    handed_in: Invited | None
    """Who handed in; None before."""
    declaring: str
    """The open step in which the principal is to confirm it; empty where none is."""
    asked: tuple[str, ...]
    """Whoever is to answer a question of the reviewers, by name."""
    papers: tuple[Paper, ...]

    @property
    def writing(self) -> bool:
        """Whether the self-assessment is being written."""
        return self.stage is Stage.SELF_ASSESSMENT and self.handed_in is None and self.outcome is None


@dataclass(frozen=True, slots=True)
class SchoolLabel:
    """A School Label that the school was awarded."""

    award: str
    awarded_on: date
    valid_until: date | None
    revoked_at: datetime | None
    valid: bool
    to_come: bool
    """Whether it is valid from a later day on: it renews one that is valid now."""
    papers: tuple[Paper, ...]


@dataclass(frozen=True, slots=True)
class RoundFound:
    """What the latest round's check found about a school."""

    year: int
    on: date
    check: SchoolCheck
    invited: bool
    due_at: datetime


@dataclass(frozen=True, slots=True)
class MySchool:
    """All that a school's own people see of it."""

    id: str
    name: str
    city: str
    country: str
    organisation: str
    organisation_address: str
    today: SchoolCheck
    """By the registry and the rules of today."""
    found: RoundFound | None
    """None where no round has looked at the school yet."""
    opens: date
    """When the next round begins."""
    case: SchoolCase | None
    """The latest application."""
    former: tuple[SchoolCase, ...]
    labels: tuple[SchoolLabel, ...]


def my_school(
    session: Session, schools: Collection[str], school: str, now: datetime, rules: Path | None
) -> MySchool:
    """A school, for somebody whose schools are these; `rules` is the folder of the rule files.

    Raises:
        NotFound: it is not one of theirs, or there is none.
    """
    row = session.get(School, school) if school in schools else None
    if row is None:
        raise NotFound("There is nothing here.")
    day = brussels_day(now)
    dates = cut_offs_on(session, day, lambda whose: load_rules(whose, day, rules))
    [check] = check_schools(session, dates, school)
    [numbers] = all_numbers(session, [school])
    cases = [
        case_of(session, one)
        for one in session.scalars(
            sa.select(Application)
            .where(Application.school.in_(numbers), Application.label == LabelKind.SCHOOL)
            .order_by(Application.submitted_at.desc(), Application.attempt.desc())
        )
    ]
    organisation = session.get_one(Organisation, row.organisation)
    return MySchool(
        id=row.id,
        name=row.name,
        city=row.city,
        country=row.country,
        organisation=organisation.name,
        organisation_address=organisation.email,
        today=check,
        found=_found(session, row, rules),
        opens=_opens(load_rules(row.organisation, day, rules).school, day),
        case=cases[0] if cases else None,
        former=tuple(cases[1:]),
        labels=tuple(_labels(session, numbers, day)),
    )


def _opens(rules: SchoolRules, day: date) -> date:
    """The day on which the next round begins, by the rules."""
    opens = date.fromisoformat(f"{day.year}-{rules.opens.value}")
    return opens if opens > day else opens.replace(year=day.year + 1)


def _found(session: Session, school: School, rules: Path | None) -> RoundFound | None:
    """What the latest round that has checked the schools found about one."""
    latest = session.scalar(
        sa.select(SchoolRound)
        .where(SchoolRound.checked_at.is_not(None))
        .order_by(SchoolRound.year.desc())
        .limit(1)
    )
    if latest is None:
        return None
    try:
        [result] = rounds.results(session, latest.year, school.id)
    except NotFound:
        return None  # it was registered later
    due_at = rounds.due_at(
        session,
        latest,
        school.organisation,
        load_rules(school.organisation, brussels_day(latest.begun_at), rules).school,
    )
    return RoundFound(latest.year, latest.on, result.check, result.application is not None, due_at)


def case_of(session: Session, row: Application) -> SchoolCase:
    """How far an application of a school has come."""
    steps = [one for one in every_step(session, row) if one.instance == row.instance]
    assessing = [one for one in steps if one.kind is StepKind.SELF_ASSESSMENT]
    invited = tuple(
        Invited(one.person, person(session, one.person).name, one.id, one.state) for one in assessing
    )
    open_now = [one for one in steps if one.state is StepState.OPEN]
    declaring = next((one for one in open_now if one.kind is StepKind.DECLARATION), None)
    awaited = [one for one in open_now if one.kind in (StepKind.SELF_ASSESSMENT, StepKind.DECLARATION)]
    return SchoolCase(
        id=row.id,
        round=row.round or "",
        stage=row.stage,
        since=row.stage_since,
        outcome=row.outcome,
        due_at=max((one.due_at for one in awaited if one.due_at), default=None),
        decide_by=row.decide_by,
        invited=invited,
        handed_in=next((one for one in invited if one.state is StepState.ANSWERED), None),
        declaring=declaring.id if declaring else "",
        asked=tuple(person(session, one.person).name for one in open_now if one.kind is StepKind.INFORMATION),
        papers=tuple(_papers(session, Document.application == row.id)),
    )


def _papers(session: Session, *where: sa.ColumnElement[bool]) -> list[Paper]:
    rows = session.scalars(sa.select(Document).where(*where, Document.kind.in_(PAPERS)).order_by(Document.id))
    return [Paper(one.id, one.kind, one.stored_at) for one in rows]


def _labels(session: Session, numbers: Collection[str], day: date) -> list[SchoolLabel]:
    rows = session.scalars(
        sa.select(Award)
        .where(Award.school.in_(numbers), Award.label == LabelKind.SCHOOL)
        .order_by(Award.awarded_on.desc(), Award.id)
    )
    return [
        SchoolLabel(
            one.id,
            one.awarded_on,
            one.valid_until,
            one.revoked_at,
            one.revoked_at is None
            and (one.valid_from is None or one.valid_from <= day)
            and (one.valid_until is None or one.valid_until >= day),
            one.revoked_at is None and one.valid_from is not None and one.valid_from > day,
            tuple(
                _papers(
                    session,
                    sa.or_(Document.award == one.id, Document.application == one.id),
                    Document.kind == PaperKind.CERTIFICATE.value,
                )
            ),
        )
        for one in rows
    ]


def document_for(session: Session, schools: Sequence[str], school: str, document: int) -> Document:
    """A paper of a school, or a file that was handed in for it, for somebody whose schools are these.

    Raises:
        NotFound: it is another school's, or there is none.
    """
    row = session.get(Document, document) if school in schools else None
    if row is None or row.kind not in (*PAPERS, "evidence"):
        raise NotFound("There is nothing here.")
    application = session.get(Application, row.application)
    [numbers] = all_numbers(session, [school])
    if application is None or application.label != LabelKind.SCHOOL or application.school not in numbers:
        raise NotFound("There is nothing here.")
    return row


def step_of(session: Session, application: str, whose: str, kind: StepKind) -> Step | None:
    """The newest step of a kind in an application that somebody has, whatever became of it."""
    return session.scalar(
        sa.select(Step)
        .where(Step.application == application, Step.person == whose, Step.kind == kind)
        .order_by(Step.instance.desc(), Step.number.desc())
        .limit(1)
    )
