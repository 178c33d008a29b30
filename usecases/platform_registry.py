"""Bringing rows of the registry in batch by batch, as an organisation's platform has them: each batch once, whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from adapters.workspace import Workspace
from labels.errors import NotFound
from labels.platform import batches
from labels.platform.batches import Batch
from labels.platform.tokens import Caller
from labels.record.schema import PlatformBatch
from labels.registry.importing import ImportReport
from labels.registry.owned import Owner
from labels.turn import Turn
from usecases.importing import Followed, bring_in

Placed = Callable[[str], tuple[int | None, str | None]]


class AnotherBatch(Exception):
    """The key is that of a batch with other rows."""


class _Taken(Exception):
    """Takes an import back whose batch was taken already."""

    def __init__(self, former: PlatformBatch) -> None:
        super().__init__()
        self.former = former


class _Taking(Followed):
    """An import that is one batch, entered in the transaction of its rows."""

    def __init__(self, here: Workspace, batch: Batch, owner: Owner, placed: Placed) -> None:
        super().__init__(here)
        self.owner = owner
        self._batch, self._placed = batch, placed

    def turn(self, session: Session) -> Turn:
        return self.here.turn(session)

    def begun(self, session: Session) -> None:
        """Refuses a key that was taken already."""
        if (former := batches.begin(self.turn(session), self._batch)) is not None:
            raise _Taken(former)

    def done(self, session: Session, report: ImportReport) -> None:
        """Keeps what the batch is answered."""
        batches.end(self.turn(session), self._batch, _counted(report, self._placed))


def _counted(report: ImportReport, placed: Placed) -> dict[str, Any]:
    """What came of a batch: numbers, and places of rows; nothing of what stands in these."""
    places = [placed(one.where) for one in report.remarks]
    return {
        "inserted": report.inserted,
        "updated": report.updated,
        "corrections": len(report.corrections),
        "moved": report.moved,
        "remarks": [{"row": row, "field": field} for row, field in places],
    }


def take(here: Workspace, caller: Caller, batch: Batch, content: bytes, placed: Placed) -> PlatformBatch:
    """Brings a batch in; what it was answered, if it is there already.

    Args:
        here: the record.
        caller: whose platform it is.
        batch: what is known of it.
        content: its rows, as a file of the registry has them.
        placed: in which of the rows and in which field it is of which a fault of that file says something.

    Raises:
        InvalidInput: rows are wrong, or not the organisation's; every fault is named and nothing was changed.
        AnotherBatch: its key is that of another one.
        OutOfReach: the record does not answer.
    """
    with here.record.reading() as session:
        former = batches.taken(session, batch.organisation, batch.key)
    if former is None:
        owner = Owner(caller.organisation, caller.central)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / f"{batch.resource}.csv").write_bytes(content)
            try:
                bring_in(here, Path(folder), _Taking(here, batch, owner, placed))
            except _Taken as taken:
                former = taken.former
    if former is not None and former.digest != batch.digest:
        raise AnotherBatch
    return batch_of(here, caller, batch.key)


def batch_of(here: Workspace, caller: Caller, key: str) -> PlatformBatch:
    """A batch that was taken.

    Raises:
        NotFound: none of the organisation has that key.
    """
    with here.record.reading() as session:
        found = batches.taken(session, caller.organisation, key)
    if found is None:
        raise NotFound("There is nothing here.")
    return found


def newest(here: Workspace, caller: Caller) -> PlatformBatch | None:
    """The organisation's batch that was taken last."""
    with here.record.reading() as session:
        return batches.newest(session, caller.organisation)
