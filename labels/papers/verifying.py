"""Whether a paper is genuine and still counts, by the record: from a code, or from what was found in a file."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, PlainSerializer, WithJsonSchema
from sqlalchemy.orm import Session

from labels.clock import brussels_day
from labels.identifiers import document_key
from labels.kinds import KINDS, LabelKind
from labels.papers.codes import LENGTH, MARK, Stamp, letters_of, read_code, series_of
from labels.papers.facts import LetterKind
from labels.record.chain import ERASED
from labels.record.schema import (
    Application,
    Award,
    Document,
    Issued,
    KeyGeneration,
    Organisation,
    PaperKind,
    Project,
    Reopening,
    School,
    Teacher,
)
from labels.words.sentences import Sentence, named, one_after_another, say, say_counted

Said = Annotated[Sentence, PlainSerializer(str), WithJsonSchema({"type": "string"})]
"""A sentence that a page says in its reader's language; in JSON it is English."""


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
    why: Said
    """The same in a sentence."""


class Verification(BaseModel):
    """What `labels verify` and the check page say of a paper."""

    state: PaperState
    genuine: bool
    """Whether it was issued here, as it is; it may have been taken back since."""
    label: str | None = None
    """`national`, `european`, `school` or `pupil`."""
    kind: str | None = None
    """`certificate`, `letter`, `receipt`, `invitation`, or `print` for the file with all certificates of a class."""
    language: str | None = None
    """In which it is written, by its code."""
    holder: str | None = None
    """As it stands on the paper; a pupil's name is not in the record."""
    pupil: str | None = None
    """Which of the class's certificates it is: `3 of 24`."""
    project: str | None = None
    school: str | None = None
    organisation: str | None = None
    issuer: str | None = None
    """The organisation's key, `NSS-PL`."""
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
    why: Said


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a file that somebody holds."""

    digest: str
    """SHA-256 of all of it."""
    earlier: Sequence[str] = ()
    """SHA-256 of the file as it was before something was appended, for each time that something was."""
    codes: Sequence[str] = field(default=())
    pages: int = 0
    unreadable: Sentence | None = None
    """Why it can't be looked into."""


LABELS: Mapping[str, str] = {label: kind.name for label, kind in KINDS.items()}
"""What the labels are called."""

TITLES: Mapping[str, Sentence] = {
    LabelKind.NATIONAL: named("national certificate", "National Quality Label"),
    LabelKind.NOMINATION: named("european certificate", "European Quality Label"),
    LabelKind.EUROPEAN: named("european certificate", "European Quality Label"),
    LabelKind.SCHOOL: named("school certificate", "eTwinning School Label"),
    LabelKind.PUPIL: named("pupil certificate", "Pupil Quality Label"),
}
"""What they are called on their certificates, in any language."""


def by_code(session: Session, typed: str, stamp: Stamp, *, now: datetime) -> Verification:
    """What the record says of the paper with this code; the wording of a paper in one's hand it can't see."""
    code = read_code(typed)
    if code is None:
        return Verification(state=PaperState.UNKNOWN, genuine=False, why=_no_code(typed))
    known = _of_code(session, code, stamp)
    if known is None:
        return Verification(
            state=PaperState.UNKNOWN, genuine=False, code=code,
            why=say("No certificate that was issued here has this code."),
        )  # fmt: skip
    return _judged(session, known, now, code=code)


def valid_code(session: Session, papers: Sequence[str], stamp: Stamp, *, now: datetime) -> str:
    """The code of the certificate among some papers that is valid; empty where none is."""
    codes = session.scalars(
        sa.select(Issued.code)
        .where(Issued.paper.in_(papers), Issued.code.is_not(None))
        .order_by(Issued.paper)
    )
    found = (by_code(session, code, stamp, now=now) for code in codes.all() if code)
    return next((one.code or "" for one in found if one.state is PaperState.VALID), "")


_NUMBER = re.compile(r"(?:NQL|EQL|PQL|SL|SCH).{10}")
"""The number of a label or of a class (`labels.identifiers`), without its dash; it is shorter than a code."""


def _no_code(typed: str) -> Sentence:
    """Why what somebody typed can be no code, and where there is one."""
    given = letters_of(typed)
    if _NUMBER.fullmatch(given):
        return say(
            "That is the number of a label. The code stands above it, by the square: four groups of four letters and digits."
        )
    if len(given) != LENGTH:
        return say_counted(
            "No certificate has this code: it has one letter or digit, and a code has sixteen, in four groups.",
            "No certificate has this code: it has {count} letters and digits, and a code has sixteen, in four groups.",
            len(given),
        )
    return say(
        "No certificate has this code: there is a typing error in it, for its last letter does not fit the others. It "
        "has sixteen letters and digits in four groups."
    )


def by_file(session: Session, found: Found, stamp: Stamp, *, now: datetime) -> Verification:
    """What the record says of a file: the very file that was issued, one that was changed, or none of ours."""
    if issued := _of_digest(session, found.digest):
        return _judged(session, _Known(issued), now)
    if earlier := _before_this_record(session, found.digest):
        return _judged_by_document(session, earlier, now)
    altered, several = None, set[str]()
    for code in found.codes:
        known = _of_code(session, code, stamp)
        if known is None:
            continue
        if known.number and _is_marked(known, found.digest, stamp):
            return _judged(session, known, now, code=code, by_its_file=True)
        if known.number and _is_marked(known.printed, found.digest, stamp):
            return _judged(session, known.printed, now)
        altered = altered or (known, code)
        several.add(code)
    if 1 < len(several) <= found.pages:  # a certificate has one page
        return Verification(state=PaperState.UNKNOWN, genuine=False, why=_SEVERAL)
    for digest in found.earlier:
        if issued := _of_digest(session, digest):
            return _altered(session, _Known(issued), now, issued.code, appended=True)
        if altered and altered[0].number and _is_marked(altered[0], digest, stamp):
            return _altered(session, altered[0], now, altered[1], appended=True)
    if altered:
        return _altered(session, altered[0], now, altered[1])
    if found.unreadable:
        why = one_after_another(say("This is no paper that was issued here."), found.unreadable)
    elif found.codes:
        why = say("It carries the code {code}, which was never issued here.", code=found.codes[0])
    else:
        why = say(
            "This file was not issued here, and it carries no code of ours. If a certificate was printed and "
            "scanned, check the code that is printed on it."
        )
    return Verification(state=PaperState.UNKNOWN, genuine=False, why=why)


_SEVERAL = say(
    "This file carries the codes of several certificates that were issued here, as one that was bound for printing does. "
    "It proves none of them: check the code that is printed on the certificate in question."
)


def has_signed(session: Session, fingerprint: str) -> bool:
    """Whether a paper was issued here that was signed with this certificate."""
    return session.scalar(sa.select(Issued.paper).where(Issued.signer == fingerprint).limit(1)) is not None


def leaked_since(session: Session, fingerprint: str) -> datetime | None:
    """Since when others may have had the key of a certificate with which papers were signed; None where nobody had."""
    return session.scalar(sa.select(KeyGeneration.leaked_from).where(KeyGeneration.mark == fingerprint))


# What is found in a file -------------------------------------------------------------------------

TOO_LARGE = say("It is larger than 10 MB, which none of our papers is.")
EMPTY = say("It is empty.")
NO_PDF = say("It is no PDF.")
ENCRYPTED = say("It is encrypted, which none of our papers is.")
CUT_OFF = say("It is damaged: its end is missing.")

NO_SIGNATURE = say("It has something like a signature, which can’t be read.")


def signed_with_leaked(since: datetime) -> Sentence:
    """That the key of a signature is not to be relied on."""
    return say(
        "Others may have that key since {day}: do not rely on the signature, but on what is said above.",
        day=brussels_day(since),
    )


STRANGER = say("No paper of ours was signed with that certificate.")


def signature_says(signer: str, day: date | None, *, intact: bool, stamped: bool, whole: bool) -> Sentence:
    """What the signature in a file says, as `SignatureView` has it; `day` is the one that it names."""
    if not intact:
        return say(
            "It has a signature by {signer}, which no longer fits: the file was changed after it was signed.",
            signer=signer,
        )
    if day is None:
        signed = say("It was signed by {signer}.", signer=signer)
    elif stamped:
        signed = say(
            "It was signed by {signer} on {day}, as a time-stamp service confirms.", signer=signer, day=day
        )
    else:
        signed = say("It was signed by {signer} on {day}.", signer=signer, day=day)
    return signed if whole else one_after_another(signed, say("Something was added to it after that."))


# The record --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """A paper of the record; of a class, the one with that number, or 0 for the file in which all are printed."""

    issued: Issued
    number: int = 0

    @property
    def printed(self) -> _Known:
        """Of a class, the file in which all of its certificates are printed."""
        return _Known(self.issued)

    @property
    def kind(self) -> str:
        """What it is, in a word for programs."""
        if self.issued.kind is PaperKind.CLASS and not self.number:
            return "print"
        return PaperKind.CERTIFICATE.value if self.issued.kind.certifies else self.issued.kind.value

    @property
    def certifies(self) -> bool:
        """Whether somebody holds a label by it."""
        return self.kind == PaperKind.CERTIFICATE.value


def _of_code(session: Session, code: str, stamp: Stamp) -> _Known | None:
    issued = session.scalar(sa.select(Issued).where(Issued.code == code).limit(1))
    if issued is not None:
        return _Known(issued)
    for one in session.scalars(sa.select(Issued).where(Issued.code == series_of(code))):
        for number in range(1, (one.pupils or 0) + 1):
            if any(hmac.compare_digest(of.pupil(one.subject, number), code) for of in stamp.each):
                return _Known(one, number)
    return None


def _of_digest(session: Session, digest: str) -> Issued | None:
    return session.scalar(sa.select(Issued).where(Issued.file_digest == digest).limit(1))


def _is_marked(known: _Known, digest: str, stamp: Stamp) -> bool:
    """Whether the file is that of the class with that number, as the record knows it."""
    marks = known.issued.marks or b""
    place = (known.number or (known.issued.pupils or 0) + 1) - 1
    kept = marks[place * MARK : (place + 1) * MARK]
    made = (of.mark(known.issued.subject, known.number, digest) for of in stamp.each)
    return any(hmac.compare_digest(one, kept) for one in made)


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
    begins, shown = _issued(known), _shown(known, code)

    def so(state: PaperState, *because: Sentence, **more: Any) -> Verification:
        return Verification(
            state=state, genuine=True, why=one_after_another(begins, *because), **(shown | more)
        )

    if revoked_at is not None and issued.revoked_at is None and award is not None:
        reopened = session.scalars(_REOPENED, {"award": award.id}).first()
        if reopened is not None:
            day = brussels_day(reopened.reopened_at)
            if session.get_one(Application, award.id).outcome is None:
                return so(
                    PaperState.SUSPENDED,
                    say(
                        "The decision that it rests on was reopened on {day} and is being made again. Until then it is "
                        "not valid.",
                        day=day,
                    ),
                )
            again = say(
                "The decision that it rests on was reopened on {day} and was made again: the label was not awarded. It "
                "is no longer valid.",
                day=day,
            )
            return so(PaperState.REVOKED, again, revoked=True, revoked_on=day)
    if revoked_at is not None:
        day = brussels_day(revoked_at)
        taken = (
            say("It is no longer valid: the label was taken back on {day}.", day=day)
            if award is None or award.revoked_at is not None
            else say(
                "It is no longer valid: the certificates of its class were taken back on {day}.", day=day
            )
        )
        return so(PaperState.REVOKED, taken, revoked=True, revoked_on=day, because=issued.revoked_because)
    if issued.superseded_by is not None:
        by = session.get_one(Issued, issued.superseded_by)
        return so(PaperState.SUPERSEDED, _superseded(issued, by), superseded_by=by.code)
    if issued.valid_until is not None and brussels_day(now) > issued.valid_until:
        return so(PaperState.EXPIRED, _ended(issued.valid_until))
    if known.kind == "print":
        return so(PaperState.VALID, _PRINTED)
    if not known.certifies:
        return so(PaperState.VALID, say("It is no certificate, and proves no label."))
    valid = _valid(issued)
    if code is None or by_its_file:
        return so(PaperState.VALID, valid)
    return so(PaperState.VALID, valid, _PUPILS if issued.kind is PaperKind.CLASS else _COMPARE)


_COMPARE = say("Compare it with the paper: its code can be copied, what is recorded here can not.")
_PUPILS = say("The pupil’s name is recorded nowhere; only the file itself proves it.")
_PRINTED = say(
    "It is for printing alone and no certificate itself: each of its pages has a code of its own, by which it can be checked."
)


def _superseded(issued: Issued, by: Issued) -> Sentence:
    day = brussels_day(issued.superseded_at) if issued.superseded_at else None
    if day and by.code:
        return say(
            "It was replaced on {day} by a later one, which counts instead: {code}.", day=day, code=by.code
        )
    if day:
        return say("It was replaced on {day} by a later one, which counts instead.", day=day)
    return say("It was replaced by a later one, which counts instead.")


def _valid(issued: Issued) -> Sentence:
    if issued.valid_until is None:
        return say("It is valid.")
    if begins := issued.facts.get("valid_from"):
        first = date.fromisoformat(begins)
        return say("It is valid from {first} until {day}.", first=first, day=issued.valid_until)
    return say("It is valid until {day}.", day=issued.valid_until)


def _ended(day: date) -> Sentence:
    return say("The label was valid until {day} and has ended.", day=day)


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
    if appended:
        why = [
            say(
                "Something was added to this file after it was issued. Below that is the paper as it was issued; "
                "rely only on the file without what was added."
            )
        ]
    else:
        why = [
            say(
                "This is not the file that was issued: it carries the code {code} of a paper of ours, but at least one "
                "byte of it is different. Do not rely on it; ask its holder for the original file.",
                code=code or "",
            )
        ]
    why += filter(None, [_ALSO.get(record.state)])
    return record.model_copy(
        update={
            "state": PaperState.ALTERED, "genuine": False, "why": one_after_another(*why), "superseded_by": None,
        }
    )  # fmt: skip


_ALSO = {
    PaperState.EXPIRED: say("What was issued with that code has expired, too."),
    PaperState.SUPERSEDED: say("What was issued with that code is superseded, too."),
    PaperState.SUSPENDED: say("What was issued with that code is suspended, too."),
    PaperState.REVOKED: say("What was issued with that code is revoked, too."),
}


def _issued(known: _Known) -> Sentence:
    """What a paper is, and when it was issued."""
    issued = known.issued
    day, label = brussels_day(issued.issued_at), TITLES[issued.label]
    if known.kind == "print":
        return say_counted(
            "This file with the certificate of a class of one ({label}) was issued on {day}.",
            "This file with the {count} certificates of a class ({label}) was issued on {day}.",
            issued.pupils or 0,
            label=label,
            day=day,
        )
    if issued.facts.get("kind") == LetterKind.REFUSAL:
        return say("This letter of refusal about the {label} was issued on {day}.", label=label, day=day)
    if issued.facts.get("kind") == LetterKind.INELIGIBLE:
        return say(
            "This letter that an application could not be judged, about the {label}, was issued on {day}.",
            label=label,
            day=day,
        )
    return _of_kind(known.kind, label, day)


def _of_kind(kind: str, label: Sentence, day: date) -> Sentence:
    match kind:
        case "letter":
            return say("This letter about the {label} was issued on {day}.", label=label, day=day)
        case "receipt":
            return say("This receipt about the {label} was issued on {day}.", label=label, day=day)
        case "invitation":
            return say("This invitation about the {label} was issued on {day}.", label=label, day=day)
    return say("This certificate of the {label} was issued on {day}.", label=label, day=day)


def _shown(known: _Known, code: str | None) -> dict[str, Any]:
    issued, facts = known.issued, known.issued.facts
    pupil = f"{known.number} of {issued.pupils}" if known.number else None
    return {
        "label": issued.label,
        "kind": known.kind,
        "language": facts.get("language"),
        "holder": None if pupil or facts.get("holder") == ERASED else facts.get("holder") or None,
        "pupil": pupil,
        "project": facts.get("project") or None,
        "school": facts.get("school"),
        "organisation": facts.get("organisation"),
        "issuer": facts.get("issuer"),
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
    stored = brussels_day(document.stored_at)
    begins = [_of_kind(document.kind, TITLES[label], stored), _EARLY]
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
        state = PaperState.REVOKED
        begins.append(
            say("It is no longer valid: the label was taken back on {day}.", day=brussels_day(revoked))
        )
    elif later:
        state = PaperState.SUPERSEDED
        begins.append(say("It was replaced by a later one, which counts instead."))
    elif until and brussels_day(now) > until:
        state = PaperState.EXPIRED
        begins.append(_ended(until))
    else:
        state = PaperState.VALID
        begins.append(say("It is valid."))
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
        why=one_after_another(*begins),
    )


_EARLY = say("It has no code, for it is from before papers had them.")
