"""Which certificates a year's award still calls for, and the facts that they state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.identifiers import european_cycle_id
from labels.kinds import LabelKind
from labels.papers.codes import Stamp
from labels.papers.facts import CertificateFacts
from labels.papers.issued import DuePaper, marked
from labels.record.schema import (
    Application,
    Award,
    CycleLabel,
    Document,
    Organisation,
    PaperKind,
    Project,
    School,
    Teacher,
)
from labels.registry.history import school_of_award
from labels.rules.calendars import in_writing
from labels.rules.kept import rules_of
from labels.rules.model import RuleEdition
from labels.rules.paper_language import paper_language
from labels.steps.step import seen


def due_certificates(
    session: Session, application: Application, limit: int, stamp: Stamp, after: str = ""
) -> list[DuePaper]:
    """The next certificates that are not stored yet, by the awards' identifiers, from `after` on.

    A few at a time, so that a year of 17,000 is never in memory at once.
    """
    year, rules = application.content["year"], rules_of(session, application)
    rows = session.execute(
        _holders().where(*_not_stored(application), Award.id > after).order_by(Award.id).limit(limit)
    )
    return [
        DuePaper(
            PaperKind.CERTIFICATE,
            application.id,
            f"certificate-{row.Award.id}.pdf",
            1,
            marked(_facts(row, year, rules), PaperKind.CERTIFICATE, 1, stamp),
            rules.must_be_signed,
        )
        for row in rows
    ]


def certificates_left(session: Session, application: Application) -> int:
    """How many certificates of a year are not stored yet."""
    left = sa.select(sa.func.count()).select_from(Award).where(*_not_stored(application))
    return session.scalar(left) or 0


def _not_stored(application: Application) -> Sequence[sa.ColumnElement[bool]]:
    # By the award alone: along the key of documents, each would be looked for among a year's thousands.
    stored = sa.exists().where(Document.award == Award.id, Document.kind == PaperKind.CERTIFICATE.value)
    awarded = sa.select(CycleLabel.european).where(
        CycleLabel.year == application.content["year"], CycleLabel.european.is_not(None)
    )
    return Award.id.in_(awarded), Award.revoked_at.is_(None), ~stored


def certificate_now(session: Session, award_id: str, year: int) -> CertificateFacts:
    """What the certificate of an award states by the registry as it is now, without a code."""
    rules = rules_of(session, seen(session, european_cycle_id(year)))
    return _facts(session.execute(_holders().where(Award.id == award_id)).one(), year, rules)


def _holders() -> sa.Select[Any]:
    return (
        sa.select(
            Award,
            Teacher,
            Project.title,
            School,
            Organisation.name.label("organisation"),
        )
        .join(Teacher, Teacher.id == Award.teacher)
        .join(Project, Project.id == Award.project)
        .join(School, School.id == school_of_award(Award, Teacher))
        .join(Organisation, Organisation.id == Award.organisation)
    )


def _facts(row: sa.Row[Any], year: int, rules: RuleEdition) -> CertificateFacts:
    return CertificateFacts.of(
        label=LabelKind.EUROPEAN,
        application=row.Award.id,
        holder=row.Teacher.name,
        school=row.School.name,
        city=row.School.city,
        country=row.School.country,
        project=row.title,
        organisation=row.organisation,
        issuer=row.Award.organisation,
        language=paper_language(row.Teacher.language, rules),
        awarded_on=row.Award.awarded_on,
        school_year=in_writing(year - 1),
    )
