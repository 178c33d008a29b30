"""The outbox: what is to be mailed, written in the transaction of the fact that it tells of.

A message is queued once for each reason, claimed by one process at a time, and stays until it is
sent or until there is nothing left to ask for. Nothing here opens a connection or words a mail.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import InvalidInput
from labels.mail import messages
from labels.mail.context import context_of, message_of
from labels.mail.message import Message, Template
from labels.people.named import Recipient
from labels.record.chain import ERASED
from labels.record.journal import SYSTEM, Event, note
from labels.record.rows import read
from labels.record.schema import (
    Application,
    DailyMail,
    Document,
    Instant,
    Journal,
    Mail,
    OrganisationCode,
    PupilCode,
    SignInCode,
    Step,
    StepState,
)
from labels.turn import Turn
from labels.words.sentences import Sentence
from labels.words.text import one_line

_NOW: sa.BindParameter[datetime] = sa.bindparam("now", type_=Instant())
_WAITING = (
    Mail.sent_at.is_(None),
    Mail.daily.is_(False),
    Mail.next_attempt_at <= _NOW,
    sa.or_(Mail.claimed_until.is_(None), Mail.claimed_until <= _NOW),
)
"""A message that may be sent `now`."""

LEASE = timedelta(minutes=2)
"""How long a claim keeps others away; a process that died in between is replaced after that."""

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=6)
LATE_AFTER = timedelta(days=1)
"""A message that is still not sent after this gets an entry in the journal, and is tried on."""


def message_id(reason: str, key: bytes = b"") -> str:
    """The same for the same reason, so that a second copy is known for what it is.

    Args:
        reason: why it is sent.
        key: the secret key, with which nobody else can tell the identifier, who may well know the reason. Without one
            it is what a message has until it is claimed.
    """
    told = reason.encode("utf-8", "backslashreplace")
    digest = hashlib.sha256(told).hexdigest()[:32]
    if not key:
        return f"<{digest}@labels.etwinning.invalid>"
    tag = hmac.digest(key, b"a message of the outbox: " + told, hashlib.sha256).hex()[:32]
    return f"<{digest}.{tag}@labels.etwinning.invalid>"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Whom a message goes to, what it belongs to in the record, and what goes with it."""

    to: Recipient
    parts: tuple[object, ...] = ()
    """What tells its reason from that of others of its kind about the same, e.g. the step."""
    application: str | None = None
    step: str | None = None
    """Whose one-time code it carries."""
    attachments: tuple[str, ...] = ()
    """The papers that go along, two at most, by `paper_id`. The message waits until both are stored."""


def queue(turn: Turn, message: Message, envelope: Envelope) -> bool:
    """Writes a message into the outbox, unless there is one for its reason; returns whether it is new.

    Nobody is written to whose data was erased.
    """
    if envelope.to.address == ERASED:
        return False
    turn.session.info[_QUEUED] = True
    written = turn.session.connection().execute(_INSERT_ONCE, _row(message, envelope, turn.now))
    return written.first() is not None


def queue_many(turn: Turn, messages: Iterable[tuple[Message, Envelope]]) -> None:
    """Writes thousands of messages, each unless there is one for its reason.

    The steps that they name are in the database already.
    """
    rows = [
        _row(message, envelope, turn.now) for message, envelope in messages if envelope.to.address != ERASED
    ]
    if rows:
        turn.session.info[_QUEUED] = True
        turn.session.execute(_INSERT_UNLESS_THERE, rows)


_QUEUED = "mail was queued"


def has_queued(session: Session) -> bool:
    """Whether anything was written into the outbox in this session."""
    return bool(session.info.get(_QUEUED))


def _row(message: Message, envelope: Envelope, now: datetime) -> dict[str, Any]:
    reason = message.reason_for(*envelope.parts)
    first, second, *more = (*envelope.attachments, None, None)
    if any(more):
        raise ValueError(f"{reason} has more than two attachments")
    return {
        "reason": reason,
        "application": envelope.application,
        "step": envelope.step,
        "template": message.template.value,
        "language": envelope.to.language,
        "person": envelope.to.person,
        "to_name": one_line(envelope.to.name),
        "to_address": one_line(envelope.to.address, 320),
        "context": context_of(message),
        "attachment": first,
        "second_attachment": second,
        "message_id": message_id(reason),
        "queued_at": now,
        "next_attempt_at": now,
        "attempts": 0,
        "may_wait": message.may_wait(now),
    }


_MAY_WAIT: sa.BindParameter[bool] = sa.bindparam("may_wait", type_=sa.Boolean())
_WAITS = ":may_wait AND EXISTS (SELECT 1 FROM daily_mail d WHERE d.person = :person)"
"""Whether a message is told in the day's one, as its recipient wishes."""


def _insert_once(returning: str) -> sa.TextClause:
    """In words both databases know: SQLAlchemy compiles its own ON CONFLICT anew each time."""
    table = cast("sa.Table", Mail.__table__)
    written = [c for c in table.columns if c.name not in ("claimed_until", "sent_at", "last_error", "daily")]
    names = ", ".join(c.name for c in written)
    places = ", ".join(f":{c.name}" for c in written)
    return sa.text(
        f"INSERT INTO mail ({names}, daily) VALUES ({places}, {_WAITS})"
        f" ON CONFLICT (reason) DO NOTHING{returning}"
    ).bindparams(*(sa.bindparam(c.name, type_=c.type) for c in written), _MAY_WAIT)


_INSERT_ONCE = _insert_once(" RETURNING reason")
_INSERT_UNLESS_THERE = _insert_once("")


def due(
    session: Session,
    now: datetime,
    application: str | None = None,
    limit: int = 500,
    *,
    reason: str | None = None,
) -> Sequence[Mail]:
    """The messages to send at `now`, the longest waiting first: unclaimed, with their document stored.

    Those of an application, or the one of a reason, where they are named.
    """
    query = _due(application is not None, reason is not None)
    about = {"application": application, "reason": reason}
    return session.scalars(query, {"now": now, "limit": limit} | about).all()


def reasons_due(
    session: Session,
    now: datetime,
    application: str | None = None,
    limit: int = 500,
    *,
    reason: str | None = None,
) -> Sequence[str]:
    """Why these messages are sent, by which each is claimed."""
    query = _reasons_due(application is not None, reason is not None)
    about = {"application": application, "reason": reason}
    return read(session, query, {"now": now, "limit": limit} | about).scalars().all()


@functools.cache
def _due(of_an_application: bool, of_a_reason: bool) -> sa.Select[tuple[Mail]]:
    query = (
        sa.select(Mail)
        .where(*_WAITING, _stored(Mail.attachment), _stored(Mail.second_attachment))
        .order_by(Mail.next_attempt_at, Mail.queued_at, Mail.reason)
        .limit(sa.bindparam("limit"))
    )
    if of_an_application:
        query = query.where(Mail.application == sa.bindparam("application"))
    if of_a_reason:
        query = query.where(Mail.reason == sa.bindparam("reason"))
    return query


@functools.cache
def _reasons_due(of_an_application: bool, of_a_reason: bool) -> sa.Select[tuple[str]]:
    return _due(of_an_application, of_a_reason).with_only_columns(Mail.reason)


def _stored(attachment: sa.orm.InstrumentedAttribute[str | None]) -> sa.ColumnElement[bool]:
    """Whether what goes with a message is stored, if anything does."""
    return sa.or_(attachment.is_(None), sa.exists().where(Document.paper == attachment))


def held_up(session: Session, step: str) -> str | None:
    """Why the newest message about a step is not sent yet; None where it is."""
    newest = (
        sa.select(Mail).where(Mail.step == step).order_by(Mail.queued_at.desc(), Mail.reason.desc()).limit(1)
    )
    return _why_not_out(session.scalar(newest))


def not_out(session: Session, reason: str) -> str | None:
    """Why the message of that reason is not sent yet; None where it is."""
    return _why_not_out(session.get(Mail, reason, populate_existing=True))


def _why_not_out(mail: Mail | None) -> str | None:
    if mail is None or mail.sent_at:
        return None
    if mail.daily:
        return "It is told in the message of the day, as its recipient wishes."
    return mail.last_error or "Other mail before it was not taken."


def claim(session: Session, reason: str, now: datetime, key: bytes) -> bool:
    """Takes a message for one attempt, before the first of which it gets its identifier with the secret key; false where
    another process has it, or it is sent."""
    identifiers = {"unkeyed": message_id(reason), "keyed": message_id(reason, key)}
    values = {"which": reason, "now": now, "until": now + LEASE, **identifiers}
    return session.connection().execute(_CLAIM, values).rowcount == 1


# Built once, of the table: building a statement, and keeping objects in step with it, takes longer than running it.
_TABLE = cast("sa.Table", Mail.__table__)
_CLAIM = (
    sa.update(_TABLE)
    .where(_TABLE.c.reason == sa.bindparam("which"), *_WAITING)
    .values(
        claimed_until=sa.bindparam("until"),
        attempts=_TABLE.c.attempts + 1,
        message_id=sa.case(
            (
                _TABLE.c.message_id == sa.bindparam("unkeyed", type_=sa.Text()),
                sa.bindparam("keyed", type_=sa.Text()),
            ),
            else_=_TABLE.c.message_id,
        ),
    )
)
_MARK_SENT = (
    sa.update(_TABLE)
    .where(_TABLE.c.reason == sa.bindparam("which"), _TABLE.c.sent_at.is_(None))
    .values(sent_at=_NOW, claimed_until=None, last_error=None)
)


def mark_sent(session: Session, reason: str, now: datetime) -> None:
    """The message is out; where it was marked already, the first time stands."""
    session.connection().execute(_MARK_SENT, {"which": reason, "now": now})


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
    # An attempt whose outcome was not recorded may have sent it.
    unsent = "Not sent again" if mail.attempts > 1 and mail.last_error is None else "Not sent"
    mail.sent_at = now
    mail.claimed_until = None
    mail.last_error = one_line(f"{unsent}: {why}", 500)
    _tell(session, mail, now, Event.MAIL_NOT_NEEDED, why)
    session.flush()


def is_queued(session: Session, reason: str) -> bool:
    """Whether there is a message for that reason, sent or not."""
    return session.get(Mail, reason) is not None


def waiting_for_the_day(session: Session) -> list[tuple[str, str]]:
    """What the day's messages have to tell: the person and the reason of each message, the oldest first."""
    rows = session.execute(
        sa.select(Mail.person, Mail.reason)
        .where(Mail.daily, Mail.sent_at.is_(None))
        .order_by(Mail.queued_at, Mail.reason)
    )
    return [(row.person, row.reason) for row in rows if row.person]


def told_in_short(turn: Turn, reasons: Sequence[str]) -> list[Sentence]:
    """These messages as lines of the day's one, which tells them instead: none of them goes out itself.

    What nobody needs any more is left out. One that can't be read goes out by itself, so that its fault is told.
    """
    lines = []
    for reason in reasons:
        mail = turn.session.get(Mail, reason, populate_existing=True, with_for_update=True)
        if mail is None or mail.sent_at or not mail.daily:
            continue
        if not coded(turn.session, mail).needed:
            mark_obsolete(turn.session, reason, turn.now, "its step is closed")
            continue
        try:
            lines.append(message_of(mail).in_short())
        except InvalidInput:
            mail.daily = False
            continue
        mail.sent_at, mail.last_error = turn.now, "Told in the message of the day"
    return lines


def wants_daily(session: Session, person_id: str) -> bool:
    """Whether a person wants one message a day."""
    return session.get(DailyMail, person_id) is not None


def choose_daily(turn: Turn, person_id: str, daily: bool) -> None:
    """Keeps how often a person of a staff wants mail; what waited for the day's message goes out where it is at once."""
    chosen = turn.session.get(DailyMail, person_id)
    if daily and chosen is None:
        turn.session.add(DailyMail(person=person_id, since=turn.now))
    elif not daily and chosen is not None:
        turn.session.delete(chosen)
        turn.session.execute(
            sa.update(Mail)
            .where(Mail.person == person_id, Mail.daily, Mail.sent_at.is_(None))
            .values(daily=False)
            .execution_options(synchronize_session=False)
        )


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
    signs_in: bool = False
    """It is a code to sign in, which is made in another way than that of a step."""
    hash: str = ""
    """By which it is known."""


def coded(session: Session, mail: Mail) -> Coded:
    """What the message's step says now; `needed` is false where the message has become pointless."""
    if mail.template == Template.PUPIL_CODE:
        return _coded_for_pupils(session, mail)
    if mail.template == Template.SIGN_IN:
        return _coded_to_sign_in(session, mail)
    if mail.template == Template.ORGANISATION_CODE:
        return _coded_for_an_organisation(session, mail)
    if mail.step is None:
        return Coded(True)
    return _coded_for_a_step(mail, *read(session, _STEP, {"step": mail.step}).one())


_STEP = sa.select(Step.state, Step.code_number, Step.code_hash).where(Step.id == sa.bindparam("step"))


def _coded_for_a_step(mail: Mail, state: StepState, number: int, code_hash: str) -> Coded:
    if state is StepState.OPEN:
        return Coded(True, mail.step, number, hash=code_hash)
    return Coded(mail.template not in messages.ASKS)


def _coded_for_pupils(session: Session, mail: Mail) -> Coded:
    try:
        message = message_of(mail)
    except InvalidInput:
        return Coded(True)  # whoever words it says why it cannot be read
    assert isinstance(message, messages.PupilCode)
    asked = session.get(PupilCode, message.award, populate_existing=True)
    if asked is None or asked.spent_at or asked.number != message.number:
        return Coded(False)
    return Coded(True, pupil_code_subject(asked.award), asked.number, hash=asked.code_hash)


def _coded_to_sign_in(session: Session, mail: Mail) -> Coded:
    asked = session.get(SignInCode, mail.reason.split("/")[1], populate_existing=True)
    if asked is None or asked.spent_at or asked.expires_at <= mail.next_attempt_at:
        return Coded(False)
    return Coded(True, asked.id, signs_in=True, hash=asked.code_hash)


def _coded_for_an_organisation(session: Session, mail: Mail) -> Coded:
    try:
        message = message_of(mail)
    except InvalidInput:
        return Coded(True)  # whoever words it says why it cannot be read
    assert isinstance(message, messages.OrganisationCode)
    asked = session.get(OrganisationCode, (message.organisation, message.person), populate_existing=True)
    if asked is None or asked.spent_at or asked.number != message.number:
        return Coded(False)
    subject = organisation_code_subject(asked.organisation, asked.person)
    return Coded(True, subject, asked.number, hash=asked.code_hash)


def know_code(session: Session, mail: Mail, code: Coded, code_hash: str) -> None:
    """Has the code of a message known by another hash, where it was made with a secret key that is no longer here."""
    if code.signs_in:
        session.execute(
            sa.update(SignInCode).where(SignInCode.id == code.subject).values(code_hash=code_hash)
        )
    elif mail.template == Template.PUPIL_CODE:
        message = message_of(mail)
        assert isinstance(message, messages.PupilCode)
        session.execute(
            sa.update(PupilCode).where(PupilCode.award == message.award).values(code_hash=code_hash)
        )
    elif mail.template == Template.ORGANISATION_CODE:
        message = message_of(mail)
        assert isinstance(message, messages.OrganisationCode)
        its = (
            OrganisationCode.organisation == message.organisation,
            OrganisationCode.person == message.person,
        )
        session.execute(sa.update(OrganisationCode).where(*its).values(code_hash=code_hash))
    else:
        session.execute(sa.update(Step).where(Step.id == mail.step).values(code_hash=code_hash))


def organisation_code_subject(organisation: str, person: str) -> str:
    """What a coordinator's code for an organisation is derived from."""
    return f"{organisation}/{person}"


def pupil_code_subject(award: str) -> str:
    """What the code for the classes of an award is derived from."""
    return f"{award}/pupils"


def attached(session: Session, mail: Mail) -> list[Document]:
    """The documents that go with a message, as far as they are stored."""
    papers = _papers(mail)
    found = session.scalars(sa.select(Document).where(Document.paper.in_(papers))) if papers else ()
    return sorted(found, key=lambda document: papers.index(document.paper or ""))


def not_stored(session: Session, mail: Mail) -> list[str]:
    """The papers that a message waits for, by `paper_id`."""
    stored = {document.paper for document in attached(session, mail)}
    return [paper for paper in _papers(mail) if paper not in stored]


def _papers(mail: Mail) -> list[str]:
    return [one for one in (mail.attachment, mail.second_attachment) if one]


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
