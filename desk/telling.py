"""Platforms are told of what happened within seconds, by a thread of the desk's process; upkeep makes up for what is left."""

from __future__ import annotations

import logging
import threading

from adapters.workspace import Workspace
from labels.errors import OutOfReach
from usecases import webhooks

log = logging.getLogger("desk")

EVERY = 5.0
"""Seconds between two looks."""


def tell_platforms(here: Workspace, stop: threading.Event, *, every: float = EVERY) -> threading.Thread:
    """Tells platforms what happens until `stop`; several processes may at the same time."""

    def tells() -> None:
        while not stop.wait(every):
            try:
                webhooks.tell(here)
            except OutOfReach:
                continue  # the record is away; the desk says so itself
            except Exception as error:
                log.error("Platforms could not be told, which is tried again: %s", type(error).__name__)

    thread = threading.Thread(target=tells, name="webhooks", daemon=True)
    thread.start()
    return thread
