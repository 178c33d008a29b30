"""The record of the papers that were issued: entered once each, with the digest of what was handed out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from labels.identifiers import paper_id
from labels.kinds import LabelKind
from labels.papers.codes import Stamp
from labels.papers.facts import CertificateFacts, LetterFacts
from labels.record.digests import REVOKED_PAPER, happened, salted
from labels.record.journal import SYSTEM, Event, note
from labels.record.rows import write
from labels.record.schema import Award, Document, Issued, PaperKind, PupilClass
from labels.steps.step import locked
from labels.turn import Turn

PDF = "application/pdf"

Facts = TypeVar("Facts", CertificateFacts, LetterFacts, CertificateFacts | LetterFacts)


@dataclass(frozen=True, slots=True)
class DuePaper:
    """A certificate or letter that is to be made and is not in the record yet."""

    kind: PaperKind
    application: str
    """Among whose documents it is stored."""
    name: str
    """Of its file."""
    edition: int
    facts: CertificateFacts | LetterFacts
    must_be_signed: bool
    """By the rules that its application has; the settings may ask for it whatever they say."""

    @property
    def paper(self) -> str:
        """Its key in the record."""
        return paper_id(self.kind, self.facts.application, self.edition)


@dataclass(frozen=True, slots=True)
class MadePaper:
    """The file of a paper, in the document store."""

    key: str
    size: int
    digest: str
    """SHA-256 of all of it."""
    signer: str | None
    """SHA-256 of the certificate that it was signed with."""


def marked(facts: Facts, kind: PaperKind, edition: int, stamp: Stamp) -> Facts:
    """The facts with the code that the paper is checked by; letters are checked by their file alone."""
    if not isinstance(facts, CertificateFacts):
        return facts
    code = stamp.paper(kind.value, facts.application, edition)
    return facts.model_copy(update={"code": code, "check_url": stamp.check_url})


def enter(
    turn: Turn, due: DuePaper, made: MadePaper, *, who: str = SYSTEM, because: str | None = None
) -> bool:
    """Enters a stored paper: its document, its row and the journal's entry; returns whether it is new.

    What was entered before stays: the same paper made again, by a run that was interrupted, changes nothing.
    An earlier edition is superseded by it.
    """
    application = locked(turn.session, due.application)
    there = sa.select(Document.id).where(Document.paper == due.paper)
    if turn.session.scalar(there) is not None:
        return False
    award = turn.session.get(Award, due.facts.application)
    certificate = due.facts if isinstance(due.facts, CertificateFacts) else None
    write(
        turn.session,
        Document,
        {
            "application": application.id,
            "kind": due.kind.value,
            "name": due.name,
            "key": made.key,
            "media_type": PDF,
            "size": made.size,
            "stored_at": turn.now,
            "award": award.id if award and certificate else None,
            "paper": due.paper,
        },
    )
    paper, digests = salted(
        Issued,
        {
            "paper": due.paper,
            "kind": due.kind,
            "label": certificate.label.value if certificate else application.label,
            "subject": due.facts.application,
            "edition": due.edition,
            "code": certificate.code if certificate else None,
            "award": award.id if award else None,
            "application": application.id,
            "teacher": award.teacher if award else application.teacher,
            "school": award.school if award else application.school,
            "facts": stated_in(due.facts),
            "facts_digest": due.facts.digest,
            "file_digest": made.digest,
            "valid_until": certificate.valid_until if certificate else None,
            "signer": made.signer,
            "issued_at": turn.now,
            "revoked_at": award.revoked_at if award else None,  # while the paper was made
        },
    )
    write(turn.session, Issued, paper)
    if due.edition > 1:
        _supersede_earlier(turn, due)
    event = Event.ISSUED if because is None else Event.REISSUED
    details = {"paper": due.paper, "file": made.digest} | ({"because": because} if because else {})
    # No news to the run: it issues, or does not care.
    note(turn, application, who, event, news=False, digests=digests, **details)
    return True


def _supersede_earlier(turn: Turn, due: DuePaper) -> None:
    """The editions before this one no longer count."""
    turn.session.execute(
        sa.update(Issued)
        .where(
            Issued.kind == due.kind,
            Issued.subject == due.facts.application,
            Issued.edition < due.edition,
            Issued.superseded_by.is_(None),
        )
        .values(superseded_by=due.paper, superseded_at=turn.now)
        .execution_options(synchronize_session=False)
    )


_IN_THE_DECISION = {"scores", "reasons", "comments", "route_forward", "failed_conditions", "files"}


def stated_in(facts: CertificateFacts | LetterFacts) -> dict[str, Any]:
    """Facts as they are stored, by which a paper is shown as it was issued; what a letter quotes of a decision
    is stored with that."""
    left_out = None if isinstance(facts, CertificateFacts) else _IN_THE_DECISION
    return facts.model_dump(mode="json", exclude_none=True, exclude=left_out)


def enter_class(
    turn: Turn, made: PupilClass, stated: dict[str, Any], marks: list[bytes], stamp: Stamp
) -> dict[str, str]:
    """Enters the certificates of a class: one row, a mark for each, and nobody's name; returns its digest.

    The journal's entry is the one that counts the class.

    Raises:
        ValueError: what they all state has a field of its own for a holder.
    """
    if "holder" in stated:
        raise ValueError("the record of a class holds no name")
    facts = CertificateFacts.of(holder="-", **stated)
    turn.session.flush()
    award = turn.session.get_one(Award, made.award)
    paper, digests = salted(
        Issued,
        {
            "paper": paper_id(PaperKind.CLASS, made.id),
            "kind": PaperKind.CLASS,
            "label": LabelKind.PUPIL.value,
            "subject": made.id,
            "edition": 1,
            "code": stamp.series(made.id),
            "award": award.id,
            "teacher": made.teacher,
            "school": award.school,
            "facts": stated_in(facts) | {"holder": ""},
            "facts_digest": facts.digest,
            "pupils": made.pupils,
            "marks": b"".join(marks),
            "issued_at": turn.now,
        },
    )
    write(turn.session, Issued, paper)
    return digests


def revoke_papers(turn: Turn, award_id: str, reason: str) -> dict[str, str]:
    """Takes back every paper that an award gave rise to, with its pupils' certificates; returns their digests."""
    revoked = turn.session.execute(
        sa.update(Issued)
        .where(Issued.award == award_id, Issued.revoked_at.is_(None))
        .values(revoked_at=turn.now, revoked_by=turn.by, revoked_because=reason)
        .returning(Issued.paper)
        .execution_options(synchronize_session=False)
    )
    return {
        subject: of_fact
        for paper in revoked.scalars()
        for subject, of_fact in happened(REVOKED_PAPER, {"paper": paper, "revoked_at": turn.now}).items()
    }
