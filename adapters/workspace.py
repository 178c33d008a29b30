"""What a process works with: its settings, the record, the documents, the key and the clock."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from adapters.documents.opening import open_store
from adapters.documents.store import DocumentStore
from adapters.home import hold
from labels.clock import Clock
from labels.errors import NotFound
from labels.mending import MakeRecord
from labels.papers.codes import Stamp
from labels.record import Record, open_record
from labels.record.engine import missing_file
from labels.settings import PROJECT, Settings, load_settings
from labels.turn import Door, Turn


@dataclass(frozen=True)
class Workspace:
    """Opened once a process; every task and command takes what it needs from here."""

    settings: Settings
    record: Record
    documents: DocumentStore
    key: bytes
    clock: Clock

    def now(self) -> datetime:
        """The present instant, by the clock of the settings."""
        return self.clock()

    def turn(self, session: Session, door: Door | None = None, *, known_by: str = "") -> Turn:
        """A change that begins now, in the transaction of `session`; `known_by` as `Turn` has it."""
        return Turn(session, self.clock(), self.key, door, known_by=known_by)

    @property
    def stamp(self) -> Stamp:
        """What certificates are marked with."""
        return Stamp(self.key, self.settings.check_url)


def open_workspace(settings: Settings) -> Workspace:
    """The workspace of these settings.

    Raises:
        OutOfReach: the record or the document store does not answer.
    """
    hold(settings.home)
    return Workspace(
        settings=settings,
        record=open_record(settings),
        documents=open_store(settings),
        key=settings.key,
        clock=settings.clock,
    )


@functools.cache
def workspace() -> Workspace:
    """The workspace of this process, by its environment."""
    return open_workspace(load_settings())


def existing_workspace() -> Workspace:
    """The workspace of this process where its record has been made; makes nothing, wherever it looks.

    Raises:
        NotFound: there is no record; says where, and how to make one.
        OutOfReach: the record or the document store does not answer.
    """
    if missing := missing_file(load_settings()):
        raise NotFound(
            f"There is no record in {missing.parent}. If it is kept elsewhere, say where with LABELS_HOME or "
            "LABELS_DATABASE_URL.",
            MakeRecord(),
        )
    return workspace()


def enter_checkout() -> dict[str, str]:
    """The pull step of every run (prefect.yaml): the worker's own checkout, with its `.env`, wherever it is."""
    os.chdir(PROJECT)
    return {"directory": str(PROJECT)}
