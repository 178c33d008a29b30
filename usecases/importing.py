"""Bringing the registry's files into the record, with all that follows for people whose address was corrected, or who left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from adapters.fonts import missing_characters
from adapters.workspace import Workspace
from labels.answering import leaving
from labels.answering.following import follow
from labels.answering.leaving import Departure
from labels.clock import brussels_day
from labels.people.doubles import Found, doubtful
from labels.people.leaving import Left
from labels.registry.entering import Correction
from labels.registry.importing import Following, ImportReport, import_registry

TOLD = 20
"""Groups of people who may be one that an import tells of; `labels persons` has all."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, and what followed."""

    report: ImportReport
    departures: tuple[Departure, ...]
    doubtful: Found
    """Who may be one person."""


def import_files(
    here: Workspace, folder: Path, progress: Callable[[str, int], None] | None = None
) -> Imported:
    """Loads or updates the registry; what people are asked follows them to a corrected address, or goes to others
    where they left.

    Raises:
        InvalidInput, OutOfReach: as `import_registry`.
    """
    following = Followed(here)
    report = bring_in(here, folder, following, progress)
    with here.record.reading() as session:
        return Imported(report, tuple(following.departures), doubtful(session, TOLD))


class Followed(Following):
    """What follows an import, done in its transaction."""

    def __init__(self, here: Workspace) -> None:
        self.here = here
        self.departures: list[Departure] = []

    def corrected(self, session: Session, corrections: Sequence[Correction]) -> None:
        """What is asked of people follows them to another address."""
        follow(self.here.turn(session), corrections)

    def left(self, session: Session, left: Sequence[Left]) -> None:
        """What is asked of people who left goes to others."""
        self.departures += leaving.settle(self.here.turn(session), left)


def bring_in(
    here: Workspace, folder: Path, following: Followed, progress: Callable[[str, int], None] | None = None
) -> ImportReport:
    """Loads or updates the registry, whichever way its rows came.

    Raises:
        InvalidInput, OutOfReach: as `import_registry`.
    """
    today = brussels_day(here.now())
    return import_registry(here.record, folder, today, progress, missing_characters, following=following)
