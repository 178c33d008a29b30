"""What a process works with: its settings, the record, the documents, the key and the clock."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from datetime import datetime

from labels.clock import Clock
from labels.record import Record, open_record
from labels.settings import PROJECT, Settings, load_settings
from tasks.documents.store import DocumentStore, open_store


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


def open_workspace(settings: Settings) -> Workspace:
    """The workspace of these settings.

    Raises:
        OutOfReach: the record or the document store does not answer.
    """
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


def enter_checkout() -> dict[str, str]:
    """The pull step of every run (prefect.yaml): the worker's own checkout, with its `.env`, wherever it is."""
    os.chdir(PROJECT)
    return {"directory": str(PROJECT)}
