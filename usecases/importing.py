"""Bringing the registry's files into the record, with all that follows for people whose address was corrected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from adapters.fonts import missing_characters
from adapters.workspace import Workspace
from labels.answering.following import follow
from labels.clock import brussels_day
from labels.registry.identity import Correction
from labels.registry.importing import ImportReport, import_registry


def import_files(
    here: Workspace, folder: Path, progress: Callable[[str, int], None] | None = None
) -> ImportReport:
    """Loads or updates the registry; what people are asked follows them to a corrected address.

    Raises:
        InvalidInput, OutOfReach: as `import_registry`.
    """

    def following(session: Session, corrections: Sequence[Correction]) -> int:
        return follow(here.turn(session), corrections)

    today = brussels_day(here.now())
    return import_registry(here.record, folder, today, progress, missing_characters, follow=following)
