"""Which application it is: of whom, with which documents, and what its applicant was asked so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.rows import read
from labels.record.schema import (
    Application,
    Document,
    Organisation,
    Project,
    School,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.rules.kept import rules_of


@dataclass(frozen=True, slots=True)
class SchoolFacts:
    """A school, as the registry has it."""

    name: str
    city: str
    country: str
    """Its code, `PL`."""
    registered_on: date


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """A teacher's project, and what the application says of it besides its sections."""

    teacher: str
    """Their name."""
    title: str
    started_on: date
    ended_on: date | None
    pupils: int
    average_age: float
    """Of the pupils, in years."""
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class About:
    """Which application it is, and of whom."""

    application: str
    organisation: str
    """The name of the organisation that it was handed in to."""
    rules: str
    """The version of the rules that it was submitted under, `2026/NSS-PL`."""
    school: SchoolFacts
    project: ProjectFacts | None
    """None where a school applies for itself."""

    @property
    def title(self) -> str:
        """What it is called: the project's title, or the school's name."""
        return self.project.title if self.project else self.school.name


def about(session: Session, application: Application) -> About:
    """Whom and what the application is about."""
    school = session.get_one(School, application.school)
    return About(
        application=application.id,
        organisation=session.get_one(Organisation, application.organisation).name,
        rules=rules_of(session, application).version,
        school=SchoolFacts(school.name, school.city, school.country, school.registered_on),
        project=_project(session, application) if application.project else None,
    )


def _project(session: Session, application: Application) -> ProjectFacts:
    content = application.content
    project = session.get_one(Project, application.project)
    return ProjectFacts(
        teacher=session.get_one(Teacher, application.teacher).name,
        title=project.title,
        started_on=project.started_on,
        ended_on=project.ended_on,
        pupils=content["pupils"]["count"],
        average_age=content["pupils"]["average_age"],
        links=tuple(content["links"]),
    )


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A document and where it lies in the store."""

    kind: str
    """`application`, `evidence`, `certificate`, `letter`, …"""
    name: str
    key: str
    """Its key in the document store."""
    media_type: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Some of an application's documents, by kind and name."""

    files: tuple[DocumentFile, ...]
    link_days: int | None
    """For how many days the rules let a link to one of them work; None: while what is asked is open."""


def documents(session: Session, application: Application, *kinds: str, to_answer: bool = False) -> Documents:
    """The application's documents of these kinds; of all kinds unless some are named.

    `to_answer`: they are shown to those of whom something is asked, for as long as it is.
    """
    rows = read(session, _DOCUMENTS, {"application": application.id})
    return Documents(
        files=tuple(DocumentFile(*row) for row in rows if not kinds or row.kind in kinds),
        link_days=None if to_answer else rules_of(session, application).national.review.link_days.value,
    )


_DOCUMENTS = (
    sa.select(Document.kind, Document.name, Document.key, Document.media_type, Document.size)
    .where(Document.application == sa.bindparam("application"))
    .order_by(Document.kind, Document.name)
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A reviewer's question to the applicant, and what came of it."""

    question: str
    answer: str | None
    """None where it was not answered in time."""
    links: tuple[str, ...] = ()


def exchanges(session: Session, application: Application) -> tuple[Exchange, ...]:
    """What the applicant was asked and is not asked any more, oldest first."""
    return tuple(
        Exchange(
            question=step.question or "",
            answer=(step.answer or {}).get("text", "") if step.state is StepState.ANSWERED else None,
            links=tuple((step.answer or {}).get("links") or ()),
        )
        for step in read(session, _ASKED, {"application": application.id, "instance": application.instance})
    )


_ASKED = (
    sa.select(Step.question, Step.answer, Step.state)
    .where(
        Step.application == sa.bindparam("application"),
        Step.instance == sa.bindparam("instance"),
        Step.kind == StepKind.INFORMATION,
        Step.state.in_([StepState.ANSWERED, StepState.EXPIRED]),
    )
    .order_by(Step.opened_at, Step.number)
)
