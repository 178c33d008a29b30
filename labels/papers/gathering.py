"""The certificates of a label and a year that are to be handed out: which they are, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import Fault, InvalidInput, NotFound
from labels.identifiers import document_key
from labels.kinds import CERTIFIED, KINDS
from labels.record.schema import Award, Document, Issued, Organisation, PaperKind, School, Teacher


@dataclass(frozen=True, slots=True)
class Kept:
    """One certificate in the document store."""

    number: str
    """That is printed on it."""
    name: str
    """Of its file."""
    key: str


def certificates_of(session: Session, label: str, year: int, organisation: str | None = None) -> list[Kept]:
    """The certificates of labels that were awarded in a calendar year and still count, the corrected ones alone.

    By organisation, school and holder, so that a printed pile can be handed out school by school. Some 100 bytes
    each: what they state stays in the store.

    Raises:
        InvalidInput: there is no such label or year.
        NotFound: there is no such organisation.
    """
    stored = [kind for kind in CERTIFIED if KINDS[kind].applicant]
    if label not in stored:
        raise InvalidInput("certificates", [Fault("LABEL", f"is none; expected one of {', '.join(stored)}.")])
    if not 2005 <= year <= 9998:  # eTwinning began in 2005
        raise InvalidInput("certificates", [Fault("YEAR", "is none in which a label was awarded.")])
    if organisation and session.get(Organisation, organisation) is None:
        raise NotFound(f"There is no organisation {organisation}.")
    query = (
        sa.select(Issued.subject, Issued.application, Issued.file_digest)
        .join(Award, Award.id == Issued.award)
        .outerjoin(School, School.id == Issued.school)
        .outerjoin(Teacher, Teacher.id == Issued.teacher)
        .where(
            Issued.kind == PaperKind.CERTIFICATE,
            Issued.label == label,
            Issued.revoked_at.is_(None),
            Issued.superseded_by.is_(None),
            Award.awarded_on >= date(year, 1, 1),
            Award.awarded_on < date(year + 1, 1, 1),
        )
        .order_by(Award.organisation, School.name, Teacher.name, Issued.subject)
    )
    if organisation:
        query = query.where(Award.organisation == organisation)
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
