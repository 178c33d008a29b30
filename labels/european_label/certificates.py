"""Which certificates a year's award still calls for, and the facts that they state."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.european_label.awarding import certificate_name
from labels.papers import CertificateFacts, Label
from labels.record.schema import (
    Application,
    Award,
    CycleLabel,
    Document,
    Organisation,
    Project,
    School,
    Teacher,
)
from labels.registry.countries import country_name


@dataclass(frozen=True, slots=True)
class DueCertificate:
    """A teacher's certificate that is not stored yet."""

    name: str
    facts: CertificateFacts


def due_certificates(
    session: Session, application: Application, limit: int, after: str = ""
) -> list[DueCertificate]:
    """The next certificates that are not stored yet, by the awards' identifiers, from `after` on.

    A few at a time, so that a year of 17,000 is never in memory at once.
    """
    name = sa.literal("certificate-") + Award.id + sa.literal(".pdf")
    stored = sa.exists().where(
        Document.application == application.id, Document.kind == "certificate", Document.name == name
    )
    rows = session.execute(
        sa.select(Award, Teacher.name, Project.title, School, Organisation.name)
        .join(Teacher, Teacher.id == Award.teacher)
        .join(Project, Project.id == Award.project)
        .join(School, School.id == sa.func.coalesce(Award.school, Teacher.school))
        .join(Organisation, Organisation.id == Award.organisation)
        .where(
            Award.id.in_(
                sa.select(CycleLabel.european).where(
                    CycleLabel.year == application.content["year"], CycleLabel.european.is_not(None)
                )
            ),
            Award.id > after,
            Award.revoked_at.is_(None),
            ~stored,
        )
        .order_by(Award.id)
        .limit(limit)
    )
    found, year = [], application.content["year"]
    for award, holder, title, school, organisation in rows.tuples():
        found.append(
            DueCertificate(
                certificate_name(award.id),
                CertificateFacts.of(
                    label=Label.EUROPEAN, application=award.id, holder=holder, school=school.name, city=school.city,
                    country=country_name(school.country), project=title, organisation=organisation, language="en",
                    awarded_on=award.awarded_on, school_year=f"{year - 1}/{year % 100:02}",
                ),
            )
        )  # fmt: skip
    return found
