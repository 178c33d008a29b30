"""What the clients of a worker and its processes need not ask Prefect's server again for a while."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from prefect.client.base import PrefectHttpxAsyncClient, PrefectHttpxSyncClient

from adapters.patches import in_force

FOR = 10.0
"""Seconds for which an answer is remembered: so late is a change of a deployment noticed."""

_WORTH_IT = re.compile(r"/(deployments|flows|work_queues)/[0-9a-f-]{36}$|/admin/storage$")
"""Deployments, flows and their queues, and where results go: the same for thousands of runs, and asked for by each."""

_answers: dict[str, tuple[float, httpx.Response]] = {}


def remember_answers() -> None:
    """Lets Prefect's clients in this process remember such answers; calling it twice is as once.

    Prefect makes a client wherever it needs one, several in each execution, so they can't be handed one that remembers.
    """
    if in_force("remembering") and not hasattr(PrefectHttpxSyncClient.send, "__wrapped__"):
        setattr(PrefectHttpxSyncClient, "send", _remembering(PrefectHttpxSyncClient.send))  # noqa: B010
        setattr(PrefectHttpxAsyncClient, "send", _remembering_async(PrefectHttpxAsyncClient.send))  # noqa: B010


def _known(request: httpx.Request) -> httpx.Response | None:
    until, response = _answers.get(str(request.url), (0.0, None))
    return response if time.monotonic() < until else None


def _keep(request: httpx.Request, response: httpx.Response) -> None:
    if response.status_code == httpx.codes.OK:
        _answers[str(request.url)] = time.monotonic() + FOR, response


def _is_worth_it(request: httpx.Request) -> bool:
    return request.method == "GET" and _WORTH_IT.search(request.url.path) is not None


def _remembering(send: Callable[..., httpx.Response]) -> Callable[..., httpx.Response]:
    @functools.wraps(send)
    def remembering(self: Any, request: httpx.Request, *arguments: Any, **options: Any) -> httpx.Response:
        if not _is_worth_it(request):
            return send(self, request, *arguments, **options)
        response = _known(request)
        if response is None:
            response = send(self, request, *arguments, **options)
            _keep(request, response)
        return response

    return remembering


def _remembering_async(
    send: Callable[..., Awaitable[httpx.Response]],
) -> Callable[..., Awaitable[httpx.Response]]:
    @functools.wraps(send)
    async def remembering(
        self: Any, request: httpx.Request, *arguments: Any, **options: Any
    ) -> httpx.Response:
        if not _is_worth_it(request):
            return await send(self, request, *arguments, **options)
        response = _known(request)
        if response is None:
            response = await send(self, request, *arguments, **options)
            _keep(request, response)
        return response

    return remembering
