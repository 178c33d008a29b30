"""A turn: what every change to the record is made with."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session


class Door(StrEnum):
    """The way in by which a person came; the journal keeps it."""

    COMMAND_LINE = "command line"
    PREFECT = "prefect"
    """Prefect's Resume form."""
    DESK = "desk"
    PLATFORM = "platform"
    """A program of an organisation, by the HTTP API."""
    DEMO = "demo"
    """The people that `labels demo --auto` plays."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One change to the record: the transaction it belongs to, its instant, and who makes it through which door.

    Whoever makes a change hands its turn to every function that takes part in it, so that all of them
    write into one transaction and agree on the time.
    """

    session: Session
    """The transaction; whoever opened it commits it."""
    now: datetime
    """The instant of the change, aware; the domain never asks the clock."""
    key: bytes = field(default=b"", repr=False)
    """The secret from which one-time codes are derived; without one, no step can be opened."""
    door: Door | None = None
    """None where no person acts."""
    by: str = ""
    """The address of the person who acts, once they have proved it; empty before, and where the rules act."""
    known_by: str = ""
    """How whoever acts was known, e.g. `code` or `mail code`; the journal keeps it."""

    person: str = ""
    """The id of that person, which the journal keeps beside the address."""
    former_keys: tuple[bytes, ...] = field(default=(), repr=False)
    """Secrets before `key`, with which codes and proofs were made that still count."""

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The secret, and those before it that still count."""
        return (self.key, *self.former_keys)

    def acting(self, address: str, person: str = "") -> Turn:
        """The same turn with a person who acts in it."""
        return dataclasses.replace(self, by=address, person=person)
