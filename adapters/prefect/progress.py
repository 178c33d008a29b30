"""How far something long is, where coordinators look."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.context import FlowRunContext, TaskRunContext


class Progress:
    """A bar where coordinators look; it moves with every hundredth part. Outside of a run there is none."""

    def __init__(self, key: str, description: str, whole: int) -> None:
        self._whole = whole
        self._shown = 0.0
        self._id: UUID | None = None
        if FlowRunContext.get() or TaskRunContext.get():
            self._id = cast("UUID", create_progress_artifact(progress=0.0, key=key, description=description))

    def show(self, done: int) -> None:
        """Shows how much of the whole is done."""
        percent = min(100.0, 100.0 * done / self._whole) if self._whole else 100.0
        if self._id and percent - self._shown >= 1:
            self._shown = percent
            update_progress_artifact(self._id, progress=percent)

    def end(self) -> None:
        """Shows that nothing is left."""
        if self._id:
            update_progress_artifact(self._id, progress=100.0)
