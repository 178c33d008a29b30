"""Sends what is due in the outbox: claim, word, send, mark; each message on its own."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.mail.acting import Pages
from adapters.mail.rendering import Attachment, answered_to, compose, sender_address
from adapters.mail.transports import NotDelivered, Transport
from labels.clock import Clock
from labels.errors import InvalidInput, LabelsError, OutOfReach
from labels.mail import outbox, undelivered
from labels.mail.message import Template
from labels.mail.outbox import Coded
from labels.record.engine import Record
from labels.record.schema import Application, Mail, Organisation
from labels.sessions.codes import sign_in_code, sign_in_code_hash
from labels.steps.codes import code_hash, review_code

Keys = Callable[[], Sequence[bytes]]


class DocumentSource(Protocol):
    """As much of the document store as mail needs."""

    def get(self, key: str) -> bytes:
        """The content under a key."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of the messages that were due."""

    sent: int = 0
    postponed: int = 0
    """Not taken for now; tried again by themselves."""
    failed: int = 0
    """Refused for good or not to be worded; tried again only after hours, in case it was put right."""
    obsolete: int = 0
    """Closed unsent, since what they asked for is no longer open."""

    def __add__(self, other: Delivered) -> Delivered:
        return Delivered(
            self.sent + other.sent,
            self.postponed + other.postponed,
            self.failed + other.failed,
            self.obsolete + other.obsolete,
        )


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A message that is ours for one attempt, with what the record knows for it."""

    mail: Mail
    code: str | None
    run: str | None
    """The Prefect run of its application, where its step is answered."""
    replies_to: str | None
    """The mailbox of the organisation that writes."""
    documents: list[tuple[str, str, str]]
    """Name, media type and key."""


def deliver_due(
    record: Record,
    store: DocumentSource,
    transport: Transport,
    *,
    keys: Keys,
    sender: str,
    site: str,
    clock: Clock,
    application: str | None = None,
    reason: str | None = None,
    limit: int = 500,
    desk: str = "",
) -> Delivered:
    """Sends every message that is due, or those of one application.

    May run in many processes at once and be killed at any point: a message is claimed by one, and one
    that was sent but not marked goes out again under the same Message-ID (in the folder: into the same
    file). Where the server is out of reach it stops, and what is left stays due.

    Args:
        keys: the secrets from which one-time codes are made, as they are now, the one in force first.
        sender: `Name <address>`.
        site: the address of the Prefect UI.
        reason: the one message to send, where it must not wait for others.
        limit: how many at most.
        desk: the public address of the desk.

    Raises:
        InvalidInput: the sender is no mail address.
        OutOfReach: the record does not answer.
    """
    sender_address(sender)
    total = Delivered()
    with record.reading() as session:
        reasons = outbox.reasons_due(session, clock(), application, limit, reason=reason)
    with transport:
        for place, reason in enumerate(reasons):
            claimed = _claim(record, reason, keys, clock)
            if claimed is None:
                continue
            if isinstance(claimed, Delivered):
                total += claimed
                continue
            try:
                _send(claimed, store, transport, sender, Pages(site, desk))
            except _TransportDown as down:
                _put_off(record, claimed.mail, str(down.cause), clock, permanent=False)
                return total + Delivered(postponed=len(reasons) - place)
            except Exception as error:  # one message must not hold up the others, whatever is wrong with it
                permanent = isinstance(error, InvalidInput) or (
                    error.permanent if isinstance(error, NotDelivered) else not isinstance(error, LabelsError)
                )
                why = str(error) if isinstance(error, LabelsError) else f"{type(error).__name__}: {error}"
                if permanent and claimed.mail.template == Template.ADDRESS_CORRECTED:
                    _give_up(record, claimed.mail, why, clock)
                else:
                    _put_off(record, claimed.mail, why, clock, permanent=permanent)
                total += Delivered(failed=1) if permanent else Delivered(postponed=1)
            else:
                with record.writing() as session:
                    outbox.mark_sent(session, reason, clock())
                total += Delivered(sent=1)
    return total


class _TransportDown(Exception):
    """The transport, not the document store, is out of reach."""

    def __init__(self, cause: OutOfReach) -> None:
        self.cause = cause
        super().__init__(str(cause))


def _give_up(record: Record, mail: Mail, why: str, clock: Clock) -> None:
    """An address that was corrected need not be reached for ever: that it can't be is why it was."""
    with record.writing() as session:
        outbox.mark_obsolete(session, mail.reason, clock(), why)


def _claim(record: Record, reason: str, keys: Keys, clock: Clock) -> _Claimed | Delivered | None:
    with record.writing() as session:
        now = clock()
        if not outbox.claim(session, reason, now, keys()[0]):
            return None
        mail, run, mailbox = session.execute(_CLAIMED, {"reason": reason}).one()
        coded = outbox.coded(session, mail)
        if not coded.needed:
            outbox.mark_obsolete(session, reason, now, f"{mail.step or 'its code'} is no longer open.")
            return Delivered(obsolete=1)
        if bounce := undelivered.unreached(session, mail.to_address):
            return _held(session, mail, undelivered.why_not(bounce), now)
        code = _code(session, mail, coded, keys)
        documents = outbox.attached(session, mail)
        files = [(one.name, one.media_type, one.key) for one in documents]
        return _Claimed(
            mail, code, run, mailbox if mail.application else _mailbox_of_writer(session, mail), files
        )


def _held(session: Session, mail: Mail, why: str, now: datetime) -> Delivered:
    """A message to an address that takes no mail waits for a better one; one that is for the address itself has ended."""
    if mail.template == Template.ADDRESS_CORRECTED:
        outbox.mark_obsolete(session, mail.reason, now, why)
        return Delivered(obsolete=1)
    outbox.mark_failed(session, mail.reason, now, why, permanent=True)
    return Delivered(failed=1)


def _code(session: Session, mail: Mail, coded: Coded, keys: Keys) -> str | None:
    """The code that a message carries, if any.

    It was made with the key of its time; where that counts no more, it is made with the one in force, and known by that.
    """
    if coded.subject is None or (coded.number is None and not coded.signs_in):
        return None
    now = keys()  # after its hash was read: whoever replaces a key does so before the codes
    for key in now:
        code, made = _made(coded, key)
        if hmac.compare_digest(made, coded.hash):
            return code
    code, made = _made(coded, now[0])
    outbox.know_code(session, mail, coded, made)
    return code


def _made(coded: Coded, key: bytes) -> tuple[str, str]:
    """A code, and what it is known by."""
    assert coded.subject is not None
    if coded.signs_in:
        code = sign_in_code(key, coded.subject)
        return code, sign_in_code_hash(code)
    assert coded.number is not None
    code = review_code(key, coded.subject, coded.number)
    return code, code_hash(code)


_CLAIMED = (
    sa.select(Mail, Application.run, Organisation.email)
    .outerjoin(Application, Application.id == Mail.application)
    .outerjoin(Organisation, Organisation.id == Application.organisation)
    .where(Mail.reason == sa.bindparam("reason"))
)
"""A message, with the run and the organisation's mailbox of the application that it is about."""


def _mailbox_of_writer(session: Session, mail: Mail) -> str | None:
    """The mailbox of the organisation that signs a mail about no application; None where there is none."""
    signed = mail.context.get("message", {}).get("organisation_name")
    return session.scalar(
        sa.select(Organisation.email).where(Organisation.name == signed).order_by(Organisation.id).limit(1)
    )


def _send(claimed: _Claimed, store: DocumentSource, transport: Transport, sender: str, pages: Pages) -> None:
    attachments = [
        Attachment(name, media_type, store.get(stored)) for name, media_type, stored in claimed.documents
    ]
    mail = claimed.mail
    run = f"{pages.run}/runs/flow-run/{claimed.run}" if claimed.run else pages.run
    message = compose(mail, claimed.code, attachments, sender, mail.queued_at, run, pages.desk)
    if claimed.replies_to:
        answered_to(message, claimed.replies_to)
    try:
        transport.send(message)
    except OutOfReach as error:
        raise _TransportDown(error) from error


def _put_off(record: Record, mail: Mail, why: str, clock: Clock, *, permanent: bool) -> None:
    with record.writing() as session:
        outbox.mark_failed(session, mail.reason, clock(), why, attempt=mail.attempts, permanent=permanent)
