"""A turn: what every change to the record is made with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Turn:
    """One change to the record: the transaction it belongs to, its instant, and the door it came through.

    Whoever makes a change hands its turn to every function that takes part in it, so that all of them
    write into one transaction and agree on the time.
    """

    session: Session
    """The transaction; whoever opened it commits it."""
    now: datetime
    """The instant of the change, aware; the domain never asks the clock."""
    key: bytes = field(default=b"", repr=False)
    """The secret from which one-time codes are derived; without one, no step can be opened."""
    door: str = ""
    """The way in that was taken: `command line`, `prefect`, `desk`; empty where no person acts."""
