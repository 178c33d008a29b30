"""The certificates of a label and a year that are to be handed out: which they are, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import Fault, InvalidInput
from labels.identifiers import document_key
from labels.kinds import CERTIFIED, KINDS, LabelKind
from labels.people.staff import known_organisation
from labels.record.schema import Award, CycleLabel, Document, Issued, PaperKind, School, Teacher


@dataclass(frozen=True, slots=True)
class Kept:
    """One certificate in the document store."""

    number: str
    """That is printed on it."""
    name: str
    """Of its file."""
    key: str


def certificates_of(session: Session, label: str, year: int, organisation: str | None = None) -> list[Kept]:
    """The certificates of a year's labels that still count, the corrected ones alone.

    A label's year is the calendar year of its award; of the European label, that of its cycle, which may be awarded in
    the next. By organisation, school and holder, so that a printed pile can be handed out school by school. Some 100
    bytes each: what they state stays in the store.

    Raises:
        InvalidInput: there is no such label or year.
        NotFound: there is no such organisation.
    """
    return _kept(session, _issued(session, label, year, organisation, counts=True))


def fallen_of(session: Session, label: str, year: int, organisation: str | None = None) -> list[Kept]:
    """The certificates of a year's labels that count no more: revoked, or corrected by others.

    Raises:
        InvalidInput, NotFound: as `certificates_of`.
    """
    return _kept(session, _issued(session, label, year, organisation, counts=False))


Query = sa.Select[tuple[str, str | None, str | None]]


def _issued(session: Session, label: str, year: int, organisation: str | None, *, counts: bool) -> Query:
    """The number, the application and the digest of each; checks what was asked for."""
    stored = [kind for kind in CERTIFIED if KINDS[kind].applicant]
    if label not in stored:
        raise InvalidInput("certificates", [Fault("LABEL", f"is none; expected one of {', '.join(stored)}.")])
    if not 2005 <= year <= 9998:  # eTwinning began in 2005
        raise InvalidInput("certificates", [Fault("YEAR", "is none in which a label was awarded.")])
    if organisation:
        known_organisation(session, organisation)
    still = sa.and_(Issued.revoked_at.is_(None), Issued.superseded_by.is_(None))
    of_the_year = sa.and_(Award.awarded_on >= date(year, 1, 1), Award.awarded_on < date(year + 1, 1, 1))
    if label == LabelKind.EUROPEAN:
        of_the_year = sa.exists().where(CycleLabel.european == Award.id, CycleLabel.year == year)
    query = (
        sa.select(Issued.subject, Issued.application, Issued.file_digest)
        .join(Award, Award.id == Issued.award)
        .outerjoin(School, School.id == Issued.school)
        .outerjoin(Teacher, Teacher.id == Issued.teacher)
        .where(
            Issued.kind == PaperKind.CERTIFICATE,
            Issued.label == label,
            still if counts else ~still,
            of_the_year,
        )
        .order_by(Award.organisation, School.name, Teacher.name, Issued.subject)
    )
    return query.where(Award.organisation == organisation) if organisation else query


def _kept(session: Session, query: Query) -> list[Kept]:
    issued = session.execute(query).tuples().all()
    documents = sa.select(Document.application, Document.key, Document.name).where(
        Document.kind == PaperKind.CERTIFICATE.value,
        Document.application.in_(query.with_only_columns(Issued.application).order_by(None)),
    )
    names = {(application, key): name for application, key, name in session.execute(documents).tuples()}
    found = []
    for number, application, digest in issued:
        key = document_key(digest) if digest else ""
        if name := names.get((application or "", key)):
            found.append(Kept(number, name, key))
    return found
