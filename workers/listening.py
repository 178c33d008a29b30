"""How a worker hears at once that a run is due or was cancelled, instead of asking for it every second."""

from __future__ import annotations

import asyncio
import contextlib
from uuid import UUID

import anyio
from prefect.events import get_events_subscriber
from prefect.events.filters import EventAnyResourceFilter, EventFilter, EventNameFilter

CANCELLED = "prefect.flow-run.Cancelling"
DUE = [
    f"prefect.flow-run.{state}" for state in ("Scheduled", "Resuming", "AwaitingRetry", "Late", "Rescheduled")
]
AGAIN_AFTER = 1.0
"""Seconds until a connection that broke is tried again."""


class Listener:
    """Listens to Prefect's events of one work pool; where it hears nothing, its worker asks."""

    def __init__(self) -> None:
        self.hears = False
        self.due = asyncio.Event()
        """A run may be due."""
        self.cancelled = asyncio.Event()
        """A run may have been cancelled."""

    async def listen(self, work_pool: UUID) -> None:
        """Sets the events as they come; goes on until it is cancelled."""
        of_the_pool = EventFilter(
            event=EventNameFilter(name=[*DUE, CANCELLED]),
            any_resource=EventAnyResourceFilter(id=[f"prefect.work-pool.{work_pool}"]),
        )
        while True:
            with contextlib.suppress(Exception):  # the server is away, or lets nobody listen: the worker asks
                async with get_events_subscriber(of_the_pool, reconnection_attempts=0) as events:
                    self.hears = True
                    self.due.set()  # what happened before is asked for
                    async for event in events:
                        (self.cancelled if event.event == CANCELLED else self.due).set()
            self.hears = False
            await anyio.sleep(AGAIN_AFTER)


async def next_of(event: asyncio.Event, within: float) -> bool:
    """Waits until the event is set, and resets it; False where it was not within so many seconds."""
    with anyio.move_on_after(within):
        await event.wait()
        event.clear()
        return True
    return False
