"""Papers issued anew with a correction, and classes whose certificates are taken back: by whom, and what is left
of the former ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import brussels_day
from labels.errors import NotAllowed, NotFound
from labels.european_label import certificates
from labels.kinds import LabelKind
from labels.mail import messages, outbox
from labels.mail.message import About
from labels.mail.outbox import Envelope
from labels.mending import ImportRegistry
from labels.papers import due as due_papers
from labels.papers.codes import Stamp, read_code, series_of
from labels.papers.facts import CertificateFacts
from labels.papers.issued import DuePaper, MadePaper, enter, marked
from labels.papers.verifying import leaked_since
from labels.people.named import Recipient, recipient
from labels.record.chain import ERASED
from labels.record.digests import REVOKED_PAPER, happened
from labels.record.journal import Event, note
from labels.record.schema import (
    Application,
    Award,
    Cycle,
    CycleLabel,
    Document,
    Issued,
    PaperKind,
    PupilClass,
    Teacher,
)
from labels.reviews.near_labels import Labelled
from labels.revoking import reopening
from labels.rules.kept import rules_of
from labels.school_label import people
from labels.turn import Turn

_NOT_STATED = {"code", "check_url", "application", "label"}
"""What tells one certificate from another, and no correction can be about."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that the corrected certificate states otherwise."""

    what: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A certificate that would be issued anew."""

    due: DuePaper
    award: str
    changes: tuple[Change, ...]
    """None where what the former one stated is not recorded: it is from before papers were."""


def award_of(session: Session, typed: str) -> str:
    """The award that somebody means by its number or by the code of its certificate; any other word as it is.

    Raises:
        NotFound: no certificate has that code.
        NotAllowed: the code is a pupil's.
    """
    code = read_code(typed)
    if code is None:
        return typed
    issued = session.scalar(sa.select(Issued).where(Issued.code == code).limit(1))
    if issued is not None and issued.award:
        return issued.award
    of_a_class = session.scalar(sa.select(Issued.subject).where(Issued.code == series_of(code)).limit(1))
    if of_a_class:
        raise NotAllowed(
            f"{code} is a pupil's. To take back the certificates of that class, and nothing else, name the class: "
            f"{of_a_class}."
        )
    raise NotFound(f"No certificate has the code {code}.")


def authority(session: Session, award_id: str) -> str:
    """The application by whose coordinators' code this is done (`labels code`).

    Raises:
        NotFound, NotAllowed: as `reopening.authority`.
    """
    return reopening.authority(session, reopening.Revoked(award_id))


def not_ones_own(turn: Turn, award_id: str) -> None:
    """Leaves to another coordinator what somebody has a conflict of interest with.

    Raises:
        NotFound: there is no such label.
        NotAllowed: whoever acts has one with the label.
    """
    award = turn.session.get(Award, award_id)
    if award is None:
        raise NotFound(f"There is no label {award_id}.")
    reopening.not_ones_own(turn, Labelled.of(award))


# A certificate -----------------------------------------------------------------------------------


def correction(session: Session, award_id: str, stamp: Stamp) -> Correction:
    """What a certificate would state by the registry as it is now, and what it states.

    Raises:
        NotFound: there is no such label, or no certificate of it.
        NotAllowed: it was revoked, or there is nothing to correct.
    """
    award = session.get(Award, award_id, populate_existing=True)
    if award is None:
        raise NotFound(f"There is no label {award_id}.")
    if award.revoked_at is not None:
        raise NotAllowed(
            f"{award.id} was revoked on {brussels_day(award.revoked_at)}; it gets no certificate."
        )
    kept_by, facts = _certificate_now(session, award)
    if facts.holder == ERASED:
        raise NotAllowed(f"The data of the holder of {award.id} was erased; no certificate is issued anew.")
    former = session.scalar(
        sa.select(Issued)
        .where(Issued.kind == PaperKind.CERTIFICATE, Issued.subject == award.id)
        .order_by(Issued.edition.desc())
        .limit(1)
    )
    edition = 1 + (former.edition if former else 1)
    changes = _changes(former.facts, facts) if former else ()
    if former and not changes and not _is_doubtful(session, former):
        raise NotAllowed(
            f"The certificate of {award.id} states what the registry says. Correct the registry first; then it can be "
            "issued anew.",
            ImportRegistry(),
        )
    application = session.get(Application, kept_by)
    due = DuePaper(
        kind=PaperKind.CERTIFICATE,
        application=kept_by,
        name=f"certificate-{award.id}-edition-{edition}.pdf",
        edition=edition,
        facts=marked(facts, PaperKind.CERTIFICATE, edition, stamp),
        must_be_signed=application is not None and rules_of(session, application).must_be_signed,
    )
    return Correction(due, award.id, changes)


def _is_doubtful(session: Session, issued: Issued) -> bool:
    """Whether others may have had the key that a certificate was signed with, when it was."""
    leaked = leaked_since(session, issued.signer) if issued.signer else None
    return leaked is not None and issued.issued_at >= leaked


def _certificate_now(session: Session, award: Award) -> tuple[str, CertificateFacts]:
    """Among whose documents an award's certificate is, and what it would state now."""
    of_year = sa.select(CycleLabel.year).where(CycleLabel.european == award.id).limit(1)
    year = session.scalar(of_year) if award.label == LabelKind.EUROPEAN else None
    kept_by = session.get_one(Cycle, year).application if year is not None else award.id
    stored = sa.select(Document.id).where(
        Document.application == kept_by,
        Document.kind == PaperKind.CERTIFICATE.value,
        Document.award == award.id,
    )
    if session.scalar(stored.limit(1)) is None:
        raise NotFound(f"No certificate of {award.id} was issued here.")
    if year is not None:
        return kept_by, certificates.certificate_now(session, award.id, year)
    return kept_by, due_papers.certificate_now(session, award.id)


def _changes(was: Mapping[str, Any], facts: CertificateFacts) -> tuple[Change, ...]:
    now = facts.model_dump(mode="json", exclude_none=True)
    return tuple(
        Change(name.replace("_", " "), str(was.get(name, "")), str(now.get(name, "")))
        for name in CertificateFacts.model_fields
        if name not in _NOT_STATED and (was.get(name) or "") != (now.get(name) or "")
    )


def reissue(turn: Turn, correction: Correction, made: MadePaper, reason: str) -> None:
    """Enters the corrected certificate, which supersedes the former, and tells its holder."""
    enter(turn, correction.due, made, who=turn.by, because=reason)
    application = turn.session.get_one(Application, correction.due.application)
    facts = correction.due.facts
    assert isinstance(facts, CertificateFacts)
    message = messages.PaperReissued(
        about=About(
            application=facts.application,
            label=facts.label,
            project_title=facts.project,
            holder=facts.holder,
            organisation_name=facts.organisation,
        ),
        paper=correction.due.paper,
        certificate_code=facts.code or "",
        changes=tuple(
            messages.PaperReissued.Change(was=change.was, now=change.now) for change in correction.changes
        ),
        reason=reason,
    )
    for to in _holders(turn.session, correction.award, application):
        outbox.queue(
            turn,
            message,
            Envelope(to, (to.person or to.address,), application.id, attachments=(correction.due.paper,)),
        )


def _holders(session: Session, award_id: str, application: Application) -> list[Recipient]:
    award = session.get_one(Award, award_id)
    if award.teacher:
        teacher = session.get_one(Teacher, award.teacher)
        return [recipient(session, teacher.person)]
    return people.everyone(session, application)


# A class -----------------------------------------------------------------------------------------


def class_named(session: Session, typed: str) -> Issued | None:
    """The certificates of a class by its number, `PQL-…`."""
    if session.get(PupilClass, typed) is None:
        return None
    return session.scalar(
        sa.select(Issued).where(Issued.kind == PaperKind.CLASS, Issued.subject == typed).limit(1)
    )


def revoke_class(turn: Turn, issued: Issued, reason: str) -> None:
    """Takes back the certificates of one class, and tells the teacher; the label stays.

    Raises:
        NotAllowed: they were taken back already.
    """
    turn.session.refresh(issued, with_for_update=True)
    if issued.revoked_at is not None:
        raise NotAllowed(f"The certificates of {issued.subject} are revoked already.")
    issued.revoked_at, issued.revoked_by, issued.revoked_because = turn.now, turn.by, reason
    teacher = turn.session.get_one(Teacher, issued.teacher)
    application = turn.session.get(Application, issued.award)
    note(
        turn,
        application,
        turn.by,
        Event.CLASS_REVOKED,
        news=False,
        award=issued.award,
        number=issued.subject,
        because=reason,
        digests=happened(REVOKED_PAPER, {"paper": issued.paper, "revoked_at": turn.now}),
    )
    message = messages.ClassRevoked(
        application=issued.subject,
        award=issued.award,
        project_title=issued.facts.get("project", ""),
        organisation_name=issued.facts.get("organisation", ""),
        pupils=issued.pupils or 0,
        reason=reason,
    )
    to = recipient(turn.session, teacher.person)
    outbox.queue(turn, message, Envelope(to, application=application.id if application else None))
