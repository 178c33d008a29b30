"""Whether the clock that the record is written by runs backwards: what was written last is later than now."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Journal, Seal

SLACK = timedelta(minutes=1)
"""Clocks of machines that share a record differ by no more than this."""
_BACK = 10_000
"""Entries, and seals, that are looked at: a clock that was put back writes those of an earlier time from then on."""


def latest(session: Session) -> datetime | None:
    """The latest instant at which one of the last entries was written, or sealed; None before the first."""
    newest = sa.select(sa.func.max(Journal.id)).scalar_subquery()
    last = sa.select(sa.func.max(Seal.number)).scalar_subquery()
    found = [
        session.scalar(sa.select(sa.func.max(Journal.at)).where(Journal.id > newest - _BACK)),
        session.scalar(sa.select(sa.func.max(Seal.at)).where(Seal.number > last - _BACK)),
    ]
    return max((one for one in found if one is not None), default=None)


def ahead(session: Session, now: datetime) -> datetime | None:
    """The instant of what was written last, where that is later than now; None where the clock runs as it should."""
    newest = latest(session)
    return newest if newest is not None and newest > now + SLACK else None
