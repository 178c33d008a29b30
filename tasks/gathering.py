"""The task that gathers a year's certificates."""

from __future__ import annotations

from pathlib import Path

from prefect import task

from adapters.prefect.retrying import RETRIED
from adapters.workspace import workspace
from usecases import gathering


@task(name="gather the certificates", **RETRIED)
def gather(label: str, year: int, organisation: str | None, folder: str) -> int:
    """Puts every certificate into the folder, and all of them into volumes for printing; how many there are.

    Raises:
        OutOfReach, DamagedDocument, OSError: as `usecases.gathering.gather` has them.
    """
    return gathering.gather(workspace(), label, year, organisation, Path(folder))
