"""Addresses that mail does not reach: what a mail server reported is kept, and mail to them waits for a better one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.mail.outbox import message_id
from labels.record.schema import Bounce, Mail
from labels.turn import Turn
from labels.words.text import one_line

_NO_SUCH_ADDRESS = re.compile(r"5\.(1\.(?!0*[78]$)\d+|2\.1)")
"""The statuses that say that the address itself takes no mail: those of recipients' addresses, and a mailbox that is
closed. What is refused for its content (5.7.1) or since a mailbox is full (5.2.2) says nothing of the address; 5.1.7 and
5.1.8 are about the sender's."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a mail server says of one recipient of one message."""

    id: str
    """The same for the same report, however often it is read."""
    address: str
    status: str
    """`5.1.1` and the like (RFC 3463)."""
    said: str
    """In the server's words."""
    message_id: str


def enter(turn: Turn, report: Report) -> tuple[Bounce, Mail] | None:
    """Keeps a report of a message that was sent to that address; None where it was read before, or is of none of ours.

    Whoever writes to the mailbox of reports can write one. They can't tell the identifier of a message of ours that went to
    the address, which is made with the secret key; of one that was sent without it, as by a former version, no report counts.
    """
    mail = turn.session.scalars(
        sa.select(Mail).where(Mail.message_id == report.message_id, Mail.sent_at.is_not(None)).limit(1)
    ).first()
    if (
        mail is None
        or mail.to_address.lower() != report.address
        or mail.message_id == message_id(mail.reason)
    ):
        return None
    if turn.session.get(Bounce, report.id) is not None:
        return None
    bounce = Bounce(
        id=report.id,
        address=report.address,
        status=report.status,
        said=report.said,
        mail=mail.reason,
        read_at=turn.now,
        hard=_NO_SUCH_ADDRESS.fullmatch(report.status) is not None,
        lifted_at=None,
    )
    turn.session.add(bounce)
    turn.session.flush()
    return bounce, mail


def unreached(session: Session, address: str) -> Bounce | None:
    """The first report for good of an address, as long as nobody lifted it; None where mail goes there."""
    return session.scalars(_UNREACHED, {"address": address.lower()}).first()


_UNREACHED = (
    sa.select(Bounce)
    .where(Bounce.address == sa.bindparam("address"), Bounce.hard, Bounce.lifted_at.is_(None))
    .order_by(Bounce.read_at)
    .limit(1)
)


def why_not(bounce: Bounce) -> str:
    """Why nothing is sent to an address, for whoever looks at the outbox."""
    said = f" ({bounce.said})" if bounce.said else ""
    return one_line(
        f"The address takes no mail: {bounce.status}{said}. Correct it in the registry; then this goes out.",
        500,
    )


def lift(turn: Turn, address: str) -> int:
    """Mail is sent to an address again, at once; how many reports counted against it."""
    rows = turn.session.scalars(
        sa.select(Bounce).where(Bounce.address == address.lower(), Bounce.hard, Bounce.lifted_at.is_(None))
    ).all()
    for row in rows:
        row.lifted_at = turn.now
    if rows:
        turn.session.execute(
            sa.update(Mail)
            .where(sa.func.lower(Mail.to_address) == address.lower(), Mail.sent_at.is_(None))
            .values(next_attempt_at=turn.now, last_error=None)
            .execution_options(synchronize_session=False)
        )
    return len(rows)


@dataclass(frozen=True, slots=True)
class Unreached:
    """An address with what was reported of it."""

    address: str
    stopped: bool
    """Whether nothing is sent there."""
    hard: int
    soft: int
    last: datetime
    status: str
    said: str
    """Of the last report."""


def all_reported(session: Session) -> list[Unreached]:
    """Every address of which something was reported, those that nothing is sent to first."""
    found: dict[str, list[Bounce]] = {}
    for one in session.scalars(sa.select(Bounce).order_by(Bounce.read_at, Bounce.id)):
        found.setdefault(one.address, []).append(one)
    listed = [
        Unreached(
            address=address,
            stopped=any(one.hard and one.lifted_at is None for one in rows),
            hard=sum(one.hard for one in rows),
            soft=sum(not one.hard for one in rows),
            last=rows[-1].read_at,
            status=rows[-1].status,
            said=rows[-1].said,
        )
        for address, rows in found.items()
    ]
    return sorted(listed, key=lambda one: (not one.stopped, one.address))
