"""What a warm process tells Prefect of its tasks: how each ended, and of one that takes its time that it has begun."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakKeyDictionary

from prefect.deployments.steps import core as pull_steps
from prefect.events import Event
from prefect.events.worker import EventsWorker

from adapters.patches import in_force

WAIT = 1.0
"""Seconds that a task has to end before its beginning is reported."""

_UNFINISHED = frozenset({"PENDING", "RUNNING"})

Handle = Callable[[EventsWorker, Event], Awaitable[None]]


class Waiting:
    """Tells of a short task once instead of three times; each time is a message and some rows for the server.

    The report of its end says when it began, too.
    """

    def __init__(self, tell: Handle) -> None:
        self._tell = tell
        self._of: WeakKeyDictionary[EventsWorker, dict[str, tuple[Event, asyncio.TimerHandle]]] = (
            WeakKeyDictionary()
        )

    async def handle(self, worker: EventsWorker, event: Event) -> None:
        """Passes an event on, or lets it wait; all come one after the other."""
        state = event.payload.get("intended", {}).get("to")
        if not event.event.startswith("prefect.task-run.") or state is None:
            await self._tell(worker, event)
            return
        waiting, task = self._of.setdefault(worker, {}), event.resource.id
        former, timer = waiting.pop(task, (None, None))
        if timer is not None:
            timer.cancel()
        if former is event:  # it comes for the second time
            await self._tell(worker, event)
            return
        if former is not None:
            worker._context_cache.pop(former.id, None)
            if event.follows == former.id:
                event.follows = None  # which would be waited for
        if state in _UNFINISHED:
            ripe = asyncio.get_running_loop().call_later(WAIT, self._ripen, worker, event)
            waiting[task] = event, ripe
        else:
            await self._tell(worker, event)

    def _ripen(self, worker: EventsWorker, event: Event) -> None:
        """Sends it the way that it came: after what is on its way, and before what comes."""
        if not worker._stopped:
            worker._queue.put_nowait(event)

    async def tell_the_rest(self, worker: EventsWorker) -> None:
        """At the end, what still waits."""
        for event, timer in self._of.pop(worker, {}).values():
            timer.cancel()
            await self._tell(worker, event)


def report_sparingly() -> None:
    """Makes it so in this process, which executes the runs of deployments; twice is as once."""
    if hasattr(EventsWorker, "sparing") or not in_force("reporting"):
        return
    waiting, until_the_end = Waiting(EventsWorker._handle), EventsWorker._main_loop

    async def handle(self: EventsWorker, event: Event) -> None:
        await waiting.handle(self, event)

    async def main_loop(self: EventsWorker) -> None:
        await until_the_end(self)
        await waiting.tell_the_rest(self)

    async def nothing(*arguments: Any, **options: Any) -> None:
        """Each execution enters the checkout: for telling that, it would open a connection of its own."""

    changes = {"_handle": handle, "_main_loop": main_loop, "sparing": waiting}
    for name, change in changes.items():
        setattr(EventsWorker, name, change)
    pull_steps._emit_pull_step_event = nothing
