"""Dates by the rules that people moved for all: of rounds of the School Label, and of years of the European one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from labels.record.schema import MovedDate, StepKind


def moved_date(session: Session, kind: StepKind, year: int, organisation: str) -> datetime | None:
    """When something is due for all of an organisation in a year by what somebody moved; None where nobody did."""
    moved = session.get(MovedDate, (kind, year, organisation))
    return moved.due_at if moved else None


def keep_moved(session: Session, kind: StepKind, year: int, organisation: str, due_at: datetime) -> None:
    """Keeps when something is due for all of an organisation in a year, in place of what the rules say."""
    session.merge(MovedDate(kind=kind, year=year, organisation=organisation, due_at=due_at))
