"""The outbox: what is to be mailed, written in the transaction of the fact that it tells of.

A message is queued once for each reason, claimed by one process at a time, and stays until it is
sent or until there is nothing left to ask for. Nothing here opens a connection or words a mail.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Application, Document, Journal, Mail, PupilCode, Step, StepState
from labels.turn import Turn
from labels.words.sentences import Sentence, kept
from labels.words.text import clean, one_line


class Template(StrEnum):
    """The messages there are, each named like its template."""

    RECEIPT = "receipt"
    REVIEW_ASKED = "review_asked"
    REVIEW_RETURNED = "review_returned"
    """The applicant answered, or did not in time (an empty answer); the review is the reviewer's again."""
    REVIEW_VOID = "review_void"
    """The review is no longer needed."""
    INFORMATION_ASKED = "information_asked"
    INFORMATION_LAPSED = "information_lapsed"
    """Tells the applicant that the time for their answer is over, and that the review goes on without it."""
    INFORMATION_RECEIVED = "information_received"
    """Tells the applicant that their answer has arrived."""
    ASSIGNMENT_ASKED = "assignment_asked"
    """A coordinator must find a reviewer."""
    CODE = "code"
    """A fresh code was asked for."""
    AWARDED = "awarded"
    REFUSED = "refused"
    INELIGIBLE = "ineligible"
    WITHDRAWN = "withdrawn"
    APPEAL_RECEIVED = "appeal_received"
    DEADLINE_MOVED = "deadline_moved"
    PUPIL_CODE = "pupil_code"
    """A code was asked for, by which a teacher has certificates made for a class."""
    SIMILARITY_WARNING = "similarity_warning"
    """Tells a coordinator that two applications of one project read alike."""
    SCREENING_ASKED = "screening_asked"
    """A coordinator is asked to screen the proposal for the European Quality Label."""
    SCREENING_LAPSED = "screening_lapsed"
    """Tells a coordinator what counts now that nobody screened by the deadline."""
    AWARDING_ASKED = "awarding_asked"
    """The Central Support Service is asked to award the European Quality Label."""
    EUROPEAN_AWARDED = "european_awarded"
    """Tells a teacher, with the certificate."""
    EUROPEAN_RESULT = "european_result"
    """Tells an organisation what became of what it put forward."""
    REMINDER = "reminder"
    """A person's digest of a day: everything that they are reminded of, and what is overdue for coordinators."""
    OVERDUE = "overdue"
    """The same where only others are late: tells a coordinator."""
    SCHOOL_INVITED = "school_invited"
    """Invites a teacher of a school to its self-assessment for the School Label."""
    SCHOOL_INVITATION = "school_invitation"
    """Brings a principal the letter of invitation, and says that the school's teachers have the codes."""
    SCHOOL_DECLARATION = "school_declaration"
    """Asks a principal to confirm what the school says of itself."""
    SCHOOL_RETURNED = "school_returned"
    """The principal did not confirm it: back to the teacher who handed it in."""
    SCHOOL_RECEIVED = "school_received"
    """The receipt, to everybody of the school and its principal, as the following."""
    SCHOOL_AWARDED = "school_awarded"
    SCHOOL_REFUSED = "school_refused"
    SCHOOL_EXPIRED = "school_expired"
    LABEL_REVOKED = "label_revoked"
    """Tells a teacher that a label was taken back, and why."""
    PAPER_REISSUED = "paper_reissued"
    """Brings the holder a corrected certificate, which replaces the former."""
    CLASS_REVOKED = "class_revoked"
    """Tells a teacher that the certificates of a class were taken back, and why."""


ASKS = frozenset(
    {
        Template.REVIEW_ASKED,
        Template.REVIEW_RETURNED,
        Template.INFORMATION_ASKED,
        Template.ASSIGNMENT_ASKED,
        Template.SCREENING_ASKED,
        Template.AWARDING_ASKED,
        Template.SCHOOL_INVITED,
        Template.SCHOOL_DECLARATION,
        Template.SCHOOL_RETURNED,
        Template.CODE,
        Template.PUPIL_CODE,
    }
)
"""Messages that only ask for an answer to their step: pointless once the step is closed. The others
go out all the same, without the code."""

LEASE = timedelta(minutes=2)
"""How long a claim keeps others away; a process that died in between is replaced after that."""

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=6)
LATE_AFTER = timedelta(days=1)
"""A message that is still not out after this is told of in the journal, and tried on."""


def message_id(reason: str) -> str:
    """The same for the same reason for ever, so that a second copy is known for what it is."""
    digest = hashlib.sha256(reason.encode("utf-8", "backslashreplace")).hexdigest()[:32]
    return f"<{digest}@labels.etwinning.invalid>"


def queue(
    session: Session,
    *,
    reason: str,
    template: Template,
    language: str,
    to_name: str,
    to_address: str,
    context: dict[str, Any],
    now: datetime,
    application: str | None = None,
    step: str | None = None,
    attachment: str | None = None,
    second_attachment: str | None = None,
) -> bool:
    """Writes a message into the outbox, unless there is one for this reason; tells whether it is new.

    `step` is the step whose one-time code the message carries. `attachment` is the kind of the
    application's document that goes along (`certificate`, `letter`), or `kind/name` for that very
    one; `second_attachment` is another. The message waits until both are stored. `context` holds what
    the template words: strings, and lists and dictionaries of them.
    """
    values = _row(
        {
            "reason": reason, "application": application, "step": step, "template": template,
            "language": language, "to_name": to_name, "to_address": to_address, "context": context,
            "attachment": attachment, "second_attachment": second_attachment,
        },
        now,
    )  # fmt: skip
    if any(isinstance(one, Step) for one in session.new):
        session.flush()  # the message refers to it
    return session.execute(_INSERT_ONCE, values).first() is not None


def queue_many(session: Session, messages: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Writes thousands of messages, each with the arguments of `queue`, unless there is one for its reason.

    The steps that they name are in the database already.
    """
    if messages:
        session.execute(_INSERT_UNLESS_THERE, [_row(one, now) for one in messages])


def _row(message: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "attachment": None,
        "second_attachment": None,
        **message,
        "template": message["template"].value,
        "to_name": one_line(message["to_name"]),
        "to_address": one_line(message["to_address"], 320),
        "context": _with_sentences(message["context"]),
        "message_id": message_id(message["reason"]),
        "queued_at": now,
        "next_attempt_at": now,
        "attempts": 0,
    }


def _insert_once(returning: str) -> sa.TextClause:
    """In words both databases know: SQLAlchemy compiles its own ON CONFLICT anew each time."""
    table = cast("sa.Table", Mail.__table__)
    written = [c for c in table.columns if c.name not in ("claimed_until", "sent_at", "last_error")]
    names = ", ".join(c.name for c in written)
    places = ", ".join(f":{c.name}" for c in written)
    return sa.text(
        f"INSERT INTO mail ({names}) VALUES ({places}) ON CONFLICT (reason) DO NOTHING{returning}"
    ).bindparams(*(sa.bindparam(c.name, type_=c.type) for c in written))


_INSERT_ONCE = _insert_once(" RETURNING reason")
_INSERT_UNLESS_THERE = _insert_once("")


def due(session: Session, now: datetime, application: str | None = None, limit: int = 500) -> Sequence[Mail]:
    """The messages to send at `now`, the longest waiting first: unclaimed, with their document stored."""
    query = (
        sa.select(Mail)
        .where(*_waiting(now), _stored(Mail.attachment), _stored(Mail.second_attachment))
        .order_by(Mail.next_attempt_at, Mail.queued_at, Mail.reason)
        .limit(limit)
    )
    if application is not None:
        query = query.where(Mail.application == application)
    return session.scalars(query).all()


def _stored(attachment: sa.orm.InstrumentedAttribute[str | None]) -> sa.ColumnElement[bool]:
    """Whether what goes with a message is stored, if anything does."""
    return sa.or_(
        attachment.is_(None),
        sa.exists().where(Document.application == Mail.application, Document.kind == attachment),
        # Each along the key of documents: a year's award has thousands of certificates.
        *(
            sa.exists().where(
                Document.application == Mail.application,
                Document.kind == kind,
                Document.name == sa.func.substr(attachment, len(kind) + 2),
                attachment.startswith(f"{kind}/"),
            )
            for kind in ("certificate", "letter")
        ),
    )


def held_up(session: Session, step: str) -> str | None:
    """Why the newest message about a step has not gone out yet; None where it has."""
    newest = (
        sa.select(Mail).where(Mail.step == step).order_by(Mail.queued_at.desc(), Mail.reason.desc()).limit(1)
    )
    return _why_not_out(session.scalar(newest))


def not_out(session: Session, reason: str) -> str | None:
    """Why the message of that reason has not gone out yet; None where it has."""
    return _why_not_out(session.get(Mail, reason, populate_existing=True))


def _why_not_out(mail: Mail | None) -> str | None:
    if mail is None or mail.sent_at:
        return None
    return mail.last_error or "Other mail before it was not taken."


def claim(session: Session, reason: str, now: datetime, lease: timedelta = LEASE) -> bool:
    """Takes a message for one attempt; false where another process has it, or it is sent."""
    statement = (
        sa.update(Mail)
        .where(Mail.reason == reason, *_waiting(now))
        .values(claimed_until=now + lease, attempts=Mail.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    return _rows(session.execute(statement)) == 1


def mark_sent(session: Session, reason: str, now: datetime) -> None:
    """The message is out; where it was marked already, the first time stands."""
    session.execute(
        sa.update(Mail)
        .where(Mail.reason == reason, Mail.sent_at.is_(None))
        .values(sent_at=now, claimed_until=None, last_error=None)
        .execution_options(synchronize_session=False)
    )


def mark_failed(
    session: Session,
    reason: str,
    now: datetime,
    error: str,
    *,
    attempt: int | None = None,
    permanent: bool = False,
) -> datetime | None:
    """Puts the message off, by a minute and then twice as long each time up to six hours; never for good.

    Args:
        error: why, as one sentence.
        attempt: the attempt that failed; one that another process has overtaken changes nothing.
        permanent: the recipient's server said no for good: tried again after the longest delay only,
            since an address can be put right.

    Returns:
        When it is tried next, or `None` where nothing was changed.
    """
    mail = session.get(Mail, reason, populate_existing=True, with_for_update=True)
    if mail is None or mail.sent_at or (attempt is not None and mail.attempts != attempt):
        return None
    mail.next_attempt_at = now + (LONGEST_DELAY if permanent else delay(mail.attempts))
    mail.claimed_until = None
    mail.last_error = one_line(error, 500)
    if now - mail.queued_at >= LATE_AFTER and not _is_told(session, mail, Event.MAIL_LATE):
        _tell(session, mail, now, Event.MAIL_LATE, mail.last_error)
    session.flush()
    return mail.next_attempt_at


def mark_obsolete(session: Session, reason: str, now: datetime, why: str) -> None:
    """Closes a message that nobody needs any more, unsent; the row and the journal say so.

    The row counts as done (`sent_at`) and keeps in `last_error` that it did not go out, and why.
    """
    mail = session.get(Mail, reason, populate_existing=True, with_for_update=True)
    if mail is None or mail.sent_at:
        return
    # An attempt that never told how it went may have sent it.
    unsent = "Not sent again" if mail.attempts > 1 and mail.last_error is None else "Not sent"
    mail.sent_at = now
    mail.claimed_until = None
    mail.last_error = one_line(f"{unsent}: {why}", 500)
    _tell(session, mail, now, Event.MAIL_NOT_NEEDED, why)
    session.flush()


def delay(attempts: int) -> timedelta:
    """How long to wait after that many failed attempts."""
    doublings = max(0, min(attempts - 1, 20))
    return min(FIRST_DELAY * (1 << doublings), LONGEST_DELAY)


@dataclass(frozen=True, slots=True)
class Coded:
    """Whether a message has a code to carry, and what that code is made from."""

    needed: bool
    subject: str | None = None
    number: int | None = None


def coded(session: Session, mail: Mail) -> Coded:
    """What the message's step says now; `needed` is false where the message has become pointless."""
    if mail.template == Template.PUPIL_CODE:
        asked = session.get(PupilCode, mail.context["award"], populate_existing=True)
        if asked is None or asked.spent_at or str(asked.number) != mail.context["number"]:
            return Coded(False)
        return Coded(True, pupil_code_subject(asked.award), asked.number)
    if mail.step is None:
        return Coded(True)
    found = session.execute(sa.select(Step.state, Step.code_number).where(Step.id == mail.step)).one()
    if found.state is StepState.OPEN:
        return Coded(True, mail.step, found.code_number)
    return Coded(mail.template not in ASKS)


def pupil_code_subject(award: str) -> str:
    """What the code for the classes of an award is derived from."""
    return f"{award}/pupils"


def attached(session: Session, mail: Mail) -> list[Document]:
    """The documents that go with a message: of each the newest of the kind, or the one that is named."""
    found = (_attached(session, mail, one) for one in (mail.attachment, mail.second_attachment) if one)
    return [document for document in found if document]


def _attached(session: Session, mail: Mail, attachment: str) -> Document | None:
    kind, _, name = attachment.partition("/")
    query = sa.select(Document).where(Document.application == mail.application, Document.kind == kind)
    if name:
        query = query.where(Document.name == name)
    return session.scalars(query.order_by(Document.id.desc()).limit(1)).first()


def _waiting(now: datetime) -> list[sa.ColumnElement[bool]]:
    return [
        Mail.sent_at.is_(None),
        Mail.next_attempt_at <= now,
        sa.or_(Mail.claimed_until.is_(None), Mail.claimed_until <= now),
    ]


def _rows(result: sa.Result[Any]) -> int:
    return cast("sa.CursorResult[Any]", result).rowcount


def _plain(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value


def _with_sentences(context: dict[str, Any]) -> Any:
    said = list(_sentences(context))
    return _plain(context) | (kept(said) if said else {})


def _sentences(value: Any) -> Iterator[Sentence]:
    """The sentences in a message's context, so that they can be said in its recipient's language."""
    match value:
        case Sentence():
            yield value.changed(clean)
        case dict():
            for item in value.values():
                yield from _sentences(item)
        case list() | tuple():
            for item in value:
                yield from _sentences(item)


def _is_told(session: Session, mail: Mail, event: Event) -> bool:
    entries = session.scalars(
        sa.select(Journal.details).where(Journal.application == mail.application, Journal.what == event)
    )
    return any(details.get("reason") == mail.reason for details in entries)


def _tell(session: Session, mail: Mail, now: datetime, event: Event, why: str) -> None:
    application = None
    if mail.application:
        application = session.get(Application, mail.application, populate_existing=True, with_for_update=True)
    note(
        Turn(session, now),
        application,
        SYSTEM,
        event,
        step=mail.step,
        reason=mail.reason,
        template=mail.template,
        to=mail.to_address,
        why=why,
    )
