"""`/health` and `/ready` of the desk: for the proxy and the monitor before it, without anybody's data."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.prefect.address import prefect_answers
from adapters.workspace import Workspace
from usecases.watching import documents_answer, record_answers

NEEDED = ("record", "documents")
"""Without these the desk serves nobody. Without Prefect it does: the record has everything, and runs follow later."""
WITHIN = 5.0
"""Seconds for each part to answer."""
AS_NEW = 2.0
"""Seconds for which an answer is given again: whoever asks often costs no more than that."""


@dataclass
class Readiness:
    """Asks each part whether it answers, once for all who want to know it at the same time."""

    asked: Mapping[str, Callable[[], bool]]
    within: float = WITHIN
    as_new: float = AS_NEW
    _found: dict[str, bool] = field(default_factory=dict)
    _at: float = float("-inf")
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    _under_way: dict[str, Future[bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Threads of their own: those that answer people may all wait for the part that hangs.
        self._threads = ThreadPoolExecutor(len(self.asked), thread_name_prefix="ready")

    async def parts(self) -> Mapping[str, bool]:
        """Whether each part answers in time."""
        async with self._one_at_a_time:
            if time.monotonic() - self._at > self.as_new:
                answers = await asyncio.gather(*map(self._of, self.asked))
                self._found = dict(zip(self.asked, answers, strict=True))
                self._at = time.monotonic()
            return self._found

    async def _of(self, name: str) -> bool:
        asking = self._under_way.get(name)
        if asking is None or asking.done():  # else it hangs since somebody asked before
            asking = self._under_way[name] = self._threads.submit(self.asked[name])
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(asking)), self.within)
        except Exception:  # whatever it is, it does not answer
            return False


def health_routes(here: Workspace) -> list[Route]:
    """`/health` says that this process answers; `/ready` whether the desk can serve people, and which part is away."""
    readiness = Readiness(
        {
            "record": lambda: record_answers(here),
            "documents": lambda: documents_answer(here),
            "prefect": prefect_answers,
        }
    )

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(request: Request) -> Response:
        parts = await readiness.parts()
        well = all(parts[name] for name in NEEDED)
        answer = {"status": "ready" if well else "not ready", "parts": dict(parts)}
        return JSONResponse(answer, 200 if well else 503, {} if well else {"Retry-After": "5"})

    return [Route("/health", health, methods=["GET"]), Route("/ready", ready, methods=["GET"])]
