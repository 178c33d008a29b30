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
from labels.keyring import Keyring
from labels.mending import MakeRecord
from labels.papers.codes import Stamp
from labels.record import Record, open_record
from labels.record.engine import missing_file
from labels.record.installation import installation, mark, see_that_it_fits
from labels.record.schema import Installation
from labels.settings import PROJECT, Settings, load_settings
from labels.turn import Door, Turn


@dataclass(frozen=True)
class Workspace:
    """Opened once a process; every task and command takes what it needs from here."""

    settings: Settings
    record: Record
    documents: DocumentStore
    fixed_key: bytes | None
    """A secret key in the place of the settings' own, which may be replaced while a process runs; None for that."""
    clock: Clock

    @property
    def keyring(self) -> Keyring:
        """The secret key and those before it, as they are now."""
        return Keyring(self.fixed_key) if self.fixed_key else self.settings.keyring

    @property
    def key(self) -> bytes:
        """The secret key in force."""
        return self.fixed_key or self.settings.key

    def good_keys(self) -> tuple[bytes, ...]:
        """The secret keys by which links and forms are known now, the one in force first."""
        return self.keyring.good(self.now())

    def now(self) -> datetime:
        """The present instant, by the clock of the settings."""
        return self.clock()

    def turn(self, session: Session, door: Door | None = None, *, known_by: str = "") -> Turn:
        """A change that begins now, in the transaction of `session`; `known_by` as `Turn` has it."""
        now = self.clock()
        key, *former = self.keyring.good(now)
        return Turn(session, now, key, door, known_by=known_by, former_keys=tuple(former))

    @property
    def stamp(self) -> Stamp:
        """What certificates are marked with."""
        key, *former = self.keyring.every
        return Stamp(key, self.settings.check_url, tuple(former))


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
        fixed_key=None,
        clock=settings.clock,
    )


def open_own_workspace(settings: Settings) -> Workspace:
    """The workspace of these settings, where their secret key is that of the record's installation; makes none beside it.

    Raises:
        NotAllowed: the key is another, or there is none.
        OutOfReach: the record or the document store does not answer.
    """
    hold(settings.home)
    with open_record(settings).reading() as session:
        found = installation(session)
    # Looked for afterwards: a process that begins in the same moment makes the key before it marks the record.
    see_that_it_fits(found, settings.keyring.every if settings.has_key else [])
    return open_workspace(settings)


def open_installation(settings: Settings, *, another_key: bool = False) -> tuple[Workspace, Installation]:
    """The workspace of these settings, and its installation, which the record belongs to from then on.

    Args:
        settings: where things are.
        another_key: whether their key takes the place of the record's, which is lost for ever.

    Raises:
        NotAllowed: the key is another than that of the record, or there is none.
        OutOfReach: the record or the document store does not answer.
    """
    here = open_workspace(settings) if another_key else open_own_workspace(settings)
    with here.record.writing() as session:
        return here, mark(session, here.keyring.every, another_key=another_key)


@functools.cache
def workspace() -> Workspace:
    """The workspace of this process, by its environment."""
    return open_own_workspace(load_settings())


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
