"""Whether a paper is genuine and still counts, by the record: from a code, or from what was found in a file."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.orm import Session

from labels.clock import brussels_day
from labels.identifiers import document_key
from labels.kinds import KINDS
from labels.papers.codes import LENGTH, MARK, Stamp, letters_of, read_code, series_of
from labels.papers.facts import LetterKind
from labels.record.chain import ERASED
from labels.record.schema import (
    Application,
    Award,
    Document,
    Issued,
    Organisation,
    PaperKind,
    Project,
    Reopening,
    School,
    Teacher,
)


class PaperState(StrEnum):
    """What the check of a paper says to a stranger."""

    VALID = "valid"
    EXPIRED = "expired"
    """Genuine; the label that it certifies has ended."""
    SUPERSEDED = "superseded"
    """Genuine, and replaced by a corrected edition."""
    SUSPENDED = "suspended"
    """Genuine; the decision that it rests on was reopened, and is being made again."""
    REVOKED = "revoked"
    """Genuine; what it certifies was taken back."""
    ALTERED = "altered"
    """Carries a code of ours and is not the file that was issued with it."""
    UNKNOWN = "unknown"
    """Nothing that was issued here."""


class SignatureView(BaseModel):
    """What can be said of the signature in a file."""

    signer: str
    """Whom its certificate names."""
    intact: bool
    """Whether what it covers is unchanged since."""
    whole: bool
    """Whether it covers all of the file."""
    ours: bool
    """Whether it was made with a certificate that papers were issued with here."""
    signed_at: datetime | None = None
    timestamped: bool = False
    """Whether a time-stamp service vouches for the time."""
    why: str
    """The same in a sentence."""


class Verification(BaseModel):
    """What `labels verify` and the check page say of a paper."""

    state: PaperState
    genuine: bool
    """Whether it was issued here, as it is; it may have been taken back since."""
    label: str | None = None
    """`national`, `european`, `school` or `pupil`."""
    kind: str | None = None
    """`certificate`, `letter`, `receipt` or `invitation`."""
    holder: str | None = None
    """As it stands on the paper; a pupil's name is not in the record."""
    pupil: str | None = None
    """Which of the class's certificates it is: `3 of 24`."""
    project: str | None = None
    school: str | None = None
    organisation: str | None = None
    school_year: str | None = None
    number: str | None = None
    """Of the application, award or class, as it stands on the paper."""
    code: str | None = None
    awarded_on: date | None = None
    valid_until: date | None = None
    issued_at: datetime | None = None
    revoked: bool = False
    revoked_on: date | None = None
    because: str | None = None
    """Why it was taken back, as its holder read it; not for the public page."""
    superseded_by: str | None = None
    """The code of the edition that replaced it."""
    signature: SignatureView | None = None
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a file that somebody holds."""

    digest: str
    """SHA-256 of all of it."""
    earlier: Sequence[str] = ()
    """SHA-256 of the file as it was before something was appended, for each time that something was."""
    codes: Sequence[str] = field(default=())
    unreadable: str = ""
    """Why it can't be looked into, as a sentence."""


LABELS: Mapping[str, str] = {label: kind.name for label, kind in KINDS.items()}
"""What the labels are called."""


def by_code(session: Session, typed: str, stamp: Stamp, *, now: datetime) -> Verification:
    """What the record says of the paper with this code; the wording of a paper in one's hand it can't see."""
    code = read_code(typed)
    if code is None:
        return Verification(state=PaperState.UNKNOWN, genuine=False, why=_no_code(typed))
    known = _of_code(session, code, stamp)
    if known is None:
        return Verification(
            state=PaperState.UNKNOWN, genuine=False, code=code,
            why="No certificate that was issued here has this code.",
        )  # fmt: skip
    return _judged(session, known, now, code=code)


_NUMBER = re.compile(r"(?:NQL|EQL|PQL|SL|SCH).{10}")
"""The number of a label or of a class (`labels.identifiers`), without its dash; it is shorter than a code."""


def _no_code(typed: str) -> str:
    """Why what somebody typed can be no code, and where there is one."""
    given = letters_of(typed)
    if _NUMBER.fullmatch(given):
        return "That is the number of a label. The code stands above it, by the square: four groups of four letters and digits."
    if len(given) != LENGTH:
        return f"No certificate has this code: it has {len(given)} letters and digits, and a code has sixteen, in four groups."
    return (
        "No certificate has this code: there is a typing error in it, for its last letter does not fit the others. It "
        "has sixteen letters and digits in four groups."
    )


def by_file(session: Session, found: Found, stamp: Stamp, *, now: datetime) -> Verification:
    """What the record says of a file: the very file that was issued, one that was changed, or none of ours."""
    if issued := _of_digest(session, found.digest):
        return _judged(session, _Known(issued), now)
    if earlier := _before_this_record(session, found.digest):
        return _judged_by_document(session, earlier, now)
    altered = None
    for code in found.codes:
        known = _of_code(session, code, stamp)
        if known is None:
            continue
        if known.number and _is_marked(known, found.digest, stamp):
            return _judged(session, known, now, code=code, by_its_file=True)
        altered = altered or (known, code)
    for digest in found.earlier:
        if issued := _of_digest(session, digest):
            return _altered(session, _Known(issued), now, issued.code, appended=True)
        if altered and altered[0].number and _is_marked(altered[0], digest, stamp):
            return _altered(session, altered[0], now, altered[1], appended=True)
    if altered:
        return _altered(session, altered[0], now, altered[1])
    if found.unreadable:
        why = f"This is no paper that was issued here: {found.unreadable}"
    elif found.codes:
        why = f"It carries the code {found.codes[0]}, which was never issued here."
    else:
        why = (
            "This file was not issued here, and it carries no code of ours. If a certificate was printed and "
            "scanned, check the code that is printed on it."
        )
    return Verification(state=PaperState.UNKNOWN, genuine=False, why=why)


def has_signed(session: Session, fingerprint: str) -> bool:
    """Whether a paper was issued here that was signed with this certificate."""
    return session.scalar(sa.select(Issued.paper).where(Issued.signer == fingerprint).limit(1)) is not None


# The record --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """A paper of the record; of a class, the one with that number."""

    issued: Issued
    number: int = 0


def _of_code(session: Session, code: str, stamp: Stamp) -> _Known | None:
    issued = session.scalar(sa.select(Issued).where(Issued.code == code).limit(1))
    if issued is not None:
        return _Known(issued)
    for one in session.scalars(sa.select(Issued).where(Issued.code == series_of(code))):
        for number in range(1, (one.pupils or 0) + 1):
            if hmac.compare_digest(stamp.pupil(one.subject, number), code):
                return _Known(one, number)
    return None


def _of_digest(session: Session, digest: str) -> Issued | None:
    return session.scalar(sa.select(Issued).where(Issued.file_digest == digest).limit(1))


def _is_marked(known: _Known, digest: str, stamp: Stamp) -> bool:
    """Whether the file is the pupil's certificate with that number, as the record knows it."""
    marks = known.issued.marks or b""
    kept = marks[(known.number - 1) * MARK : known.number * MARK]
    return hmac.compare_digest(stamp.mark(known.issued.subject, known.number, digest), kept)


def _before_this_record(session: Session, digest: str) -> Document | None:
    """A paper from before papers had rows of their own: the key of a document is made from its digest."""
    return session.scalar(
        sa.select(Document)
        .where(
            Document.key == document_key(digest),
            Document.kind.in_([PaperKind.CERTIFICATE.value, PaperKind.LETTER.value]),
        )
        .order_by(Document.id)
        .limit(1)
    )


# The verdict -------------------------------------------------------------------------------------


def _judged(
    session: Session, known: _Known, now: datetime, code: str | None = None, *, by_its_file: bool = False
) -> Verification:
    issued = known.issued
    award = session.get(Award, issued.award, populate_existing=True) if issued.award else None
    revoked_at = issued.revoked_at or (award.revoked_at if award else None)
    shown = _shown(known, code)
    issued_on = brussels_day(issued.issued_at)
    what = _what(known)
    if revoked_at is not None and issued.revoked_at is None and award is not None:
        reopened = session.scalars(_REOPENED, {"award": award.id}).first()
        open_again = reopened and session.get_one(Application, award.id).outcome is None
        if reopened is not None:
            day = brussels_day(reopened.reopened_at)
            state = PaperState.SUSPENDED if open_again else PaperState.REVOKED
            what_came = (
                "is being made again. Until then it is not valid."
                if open_again
                else "was made again: the label was not awarded. It is no longer valid."
            )
            why = f"This {what} was issued on {issued_on}. The decision that it rests on was reopened on {day} and {what_came}"
            return Verification(
                state=state, genuine=True, revoked=not open_again, revoked_on=None if open_again else day,
                why=why, **shown,
            )  # fmt: skip
    if revoked_at is not None:
        day = brussels_day(revoked_at)
        label = award is None or award.revoked_at is not None
        taken = "the label was" if label else "the certificates of its class were"
        why = f"This {what} was issued on {issued_on} and is no longer valid: {taken} taken back on {day}."
        return Verification(
            state=PaperState.REVOKED, genuine=True, revoked=True, revoked_on=day,
            because=issued.revoked_because, why=why, **shown,
        )  # fmt: skip
    if issued.superseded_by is not None:
        by = session.get_one(Issued, issued.superseded_by)
        on = f" on {brussels_day(issued.superseded_at)}" if issued.superseded_at else ""
        its = f": {by.code}" if by.code else ""
        why = f"This {what} was issued on {issued_on} and was replaced{on} by a later one, which counts instead{its}."
        return Verification(
            state=PaperState.SUPERSEDED, genuine=True, superseded_by=by.code, why=why, **shown
        )
    if issued.valid_until is not None and brussels_day(now) > issued.valid_until:
        why = f"This {what} was issued on {issued_on}. The label was valid until {issued.valid_until} and has ended."
        return Verification(state=PaperState.EXPIRED, genuine=True, why=why, **shown)
    if not issued.kind.certifies:
        why = f"This {what} was issued on {issued_on}. It is no certificate, and proves no label."
        return Verification(state=PaperState.VALID, genuine=True, why=why, **shown)
    until = f" It is valid until {issued.valid_until}." if issued.valid_until else ""
    compare = ""
    if code is None or by_its_file:
        pass
    elif issued.kind is not PaperKind.CLASS:
        compare = " Compare it with the paper: its code can be copied, what is recorded here can not."
    else:
        compare = " The pupil’s name is recorded nowhere; only the file itself proves it."
    why = f"This {what} was issued on {issued_on} and is valid.{until}{compare}"
    return Verification(state=PaperState.VALID, genuine=True, why=why, **shown)


_REOPENED = (
    sa.select(Reopening)
    .where(Reopening.application == sa.bindparam("award"))
    .order_by(Reopening.instance.desc())
    .limit(1)
)


def _altered(
    session: Session, known: _Known, now: datetime, code: str | None, *, appended: bool = False
) -> Verification:
    record = _judged(session, known, now, code)
    what = _what(known)
    if appended:
        why = (
            f"Something was added to this file after it was issued. Below that is the {what} as it was issued; "
            "rely only on the file without what was added."
        )
    else:
        why = (
            f"This is not the file that was issued: it carries the code {code} of a {what}, but at least one byte "
            "of it is different. Do not rely on it; ask its holder for the original file."
        )
    if record.state is not PaperState.VALID:
        why += f" What was issued with that code is {record.state.value}, too."
    return record.model_copy(
        update={"state": PaperState.ALTERED, "genuine": False, "why": why, "superseded_by": None}
    )


def _what(known: _Known) -> str:
    label = LABELS.get(known.issued.label, known.issued.label)
    if not known.issued.kind.certifies:
        kind = known.issued.kind.value
        if known.issued.facts.get("kind") == LetterKind.REFUSAL:
            kind = "letter of refusal"
        elif known.issued.facts.get("kind") == LetterKind.INELIGIBLE:
            kind = "letter that an application could not be judged,"
        return f"{kind} about the {label}"
    return f"certificate of the {label}"


def _shown(known: _Known, code: str | None) -> dict[str, Any]:
    issued, facts = known.issued, known.issued.facts
    pupil = f"{known.number} of {issued.pupils}" if known.number else None
    return {
        "label": issued.label,
        "kind": PaperKind.CERTIFICATE.value if issued.kind.certifies else issued.kind.value,
        "holder": None if pupil or facts.get("holder") == ERASED else facts.get("holder"),
        "pupil": pupil,
        "project": facts.get("project") or None,
        "school": facts.get("school"),
        "organisation": facts.get("organisation"),
        "school_year": facts.get("school_year"),
        "number": issued.subject,
        "code": code or issued.code,
        "awarded_on": facts.get("awarded_on"),
        "valid_until": issued.valid_until,
        "issued_at": issued.issued_at,
    }


def _judged_by_document(session: Session, document: Document, now: datetime) -> Verification:
    """A paper from before: it has no code, and what it states is asked of the registry as it is now."""
    application = session.get_one(Application, document.application)
    subject = session.get(Award, document.award or application.id)
    teacher_id = subject.teacher if subject else application.teacher
    teacher = session.get(Teacher, teacher_id) if teacher_id else None
    school_id = subject.school if subject else application.school
    school = session.get(School, school_id) if school_id else None
    project_id = subject.project if subject else application.project
    project = session.get(Project, project_id) if project_id else None
    label = subject.label if subject else application.label
    revoked = subject.revoked_at if subject else None
    until = subject.valid_until if subject and document.kind == PaperKind.CERTIFICATE.value else None
    what = f"{document.kind} {'of' if document.kind == 'certificate' else 'about'} the {LABELS.get(label, label)}"
    stored = brussels_day(document.stored_at)
    early = f"This {what} was issued on {stored}, before papers had codes"
    later = session.scalar(
        sa.select(Issued)
        .where(
            Issued.kind == PaperKind(document.kind),
            Issued.subject == (subject.id if subject else application.id),
        )
        .order_by(Issued.edition.desc())
        .limit(1)
    )
    if revoked:
        state, why = PaperState.REVOKED, f"{early}; the label was taken back on {brussels_day(revoked)}."
    elif later:
        state, why = PaperState.SUPERSEDED, f"{early}, and was replaced by a later one, which counts instead."
    elif until and brussels_day(now) > until:
        state, why = PaperState.EXPIRED, f"{early}. The label was valid until {until} and has ended."
    else:
        state, why = PaperState.VALID, f"{early}, and is valid."
    return Verification(
        state=state,
        genuine=True,
        label=label,
        kind=document.kind,
        holder=teacher.name if teacher else school.name if school else None,
        project=project.title if project else None,
        school=school.name if school else None,
        organisation=session.get_one(
            Organisation, subject.organisation if subject else application.organisation
        ).name,
        number=subject.id if subject else application.id,
        awarded_on=subject.awarded_on if subject else None,
        valid_until=until,
        issued_at=document.stored_at,
        revoked=revoked is not None,
        revoked_on=brussels_day(revoked) if revoked else None,
        superseded_by=later.code if later and state is PaperState.SUPERSEDED else None,
        why=why,
    )
