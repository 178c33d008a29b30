"""Legal holds: a person's data is kept for a reason, whatever its period is, until the hold is lifted."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import brussels_day
from labels.errors import NotAllowed
from labels.privacy.subject import Subject
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import LegalHold
from labels.turn import Turn


def hold_on(session: Session, person: str) -> LegalHold | None:
    """The hold that lies on a person's data; None where there is none."""
    return session.scalars(
        sa.select(LegalHold).where(LegalHold.person == person, LegalHold.lifted_at.is_(None)).limit(1)
    ).first()


def since_when(hold: LegalHold) -> str:
    """That somebody's data is kept, since when and why."""
    return f"A legal hold lies on it since {brussels_day(hold.placed_at)}: {hold.reason}"


def place(turn: Turn, subject: Subject, reason: str) -> None:
    """Keeps a person's data until the hold is lifted.

    Raises:
        NotAllowed: a hold lies on it already.
    """
    if hold := hold_on(turn.session, subject.person):
        raise NotAllowed(since_when(hold))
    turn.session.add(LegalHold(person=subject.person, reason=reason, placed_at=turn.now))
    note(turn, None, SYSTEM, Event.PLACED_A_HOLD, person=subject.person, because=reason)


def lift(turn: Turn, subject: Subject, reason: str) -> None:
    """Ends a hold.

    Raises:
        NotAllowed: there is none.
    """
    hold = hold_on(turn.session, subject.person)
    if hold is None:
        raise NotAllowed(f"No legal hold lies on the data of {subject.person}.")
    hold.lifted_at = turn.now
    note(turn, None, SYSTEM, Event.LIFTED_A_HOLD, person=subject.person, because=reason)
