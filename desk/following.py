"""What follows once an application is in: its run starts, after the page is answered."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, field

import anyio
from anyio.lowlevel import RunVar
from starlette.background import BackgroundTask

from adapters.workspace import Workspace
from desk.at_once import limiter_of
from usecases.drafting import started

log = logging.getLogger("desk")

AT_ONCE = 4
"""Applications that are followed at the same time: a service that is slow keeps no page from being answered."""
REMEMBERED = 1_000
"""Of the last of those whose run could not be started, it is known until upkeep does so."""

_LIMITER = RunVar[anyio.CapacityLimiter]("what follows")


@dataclass(frozen=True)
class Following:
    """What this process began once applications were in.

    A process that ends before it is done loses nothing: recovery starts the run.
    """

    _waiting: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def of(self, here: Workspace, application: str) -> BackgroundTask:
        """Starts the run; for a response that says that the application is in."""
        return BackgroundTask(self._follow, here, application)

    def waits(self, application: str) -> bool:
        """Whether a service that this needs did not answer."""
        return application in self._waiting

    async def _follow(self, here: Workspace, application: str) -> None:
        try:
            away = (
                await anyio.to_thread.run_sync(
                    started, here, application, limiter=limiter_of(_LIMITER, AT_ONCE)
                )
                is not None
            )
        except Exception:  # the page is answered, and upkeep does it
            log.exception("what follows on %s", application)
            away = True
        if away:
            self._waiting[application] = None
            if len(self._waiting) > REMEMBERED:
                self._waiting.popitem(last=False)
