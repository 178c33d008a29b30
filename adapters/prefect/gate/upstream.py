"""Requests of the gate to Prefect's server: made anew, never passed on as they came."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
from yarl import URL

TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5)
"""Seconds for an answer of Prefect's server."""
MOST = 100
"""Connections to it at once."""


class Unreachable(Exception):
    """Prefect's server does not answer."""


class Upstream:
    """Prefect's server, as the gate reaches it. Open it with `async with`.

    Raises:
        Unreachable: from every method, where the server does not answer.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Upstream:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MOST),
            timeout=TIMEOUT,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    @contextlib.asynccontextmanager
    async def asked(
        self, method: str, path: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a request, whose body is still to be read; redirects are not followed."""
        assert self._session is not None, "the upstream is opened with `async with`"
        try:
            async with self._session.request(
                method,
                # The path is passed as it was checked: yarl would write it in its own way.
                URL(self.address + path, encoded=True),
                data=content,
                headers=dict(headers or {}),
                allow_redirects=False,
            ) as answer:
                yield answer
        except (TimeoutError, aiohttp.ClientError) as error:
            raise Unreachable(str(error)) from error

    async def json(self, path: str) -> Any | None:
        """The JSON at a path, None where Prefect has nothing there."""
        async with self.asked("GET", path, headers={"accept-encoding": "identity"}) as answer:
            return await answer.json(content_type=None) if answer.status == 200 else None

    async def text(self, path: str) -> str:
        """The text at a path."""
        headers = {"accept": "text/html", "accept-encoding": "identity"}
        async with self.asked("GET", path, headers=headers) as answer:
            return await answer.text()

    @contextlib.asynccontextmanager
    async def socket(
        self, path: str, protocols: tuple[str, ...], most: int
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A websocket to the server; `most` bytes in one message."""
        assert self._session is not None, "the upstream is opened with `async with`"
        try:
            async with self._session.ws_connect(
                self.address + path, protocols=protocols, max_msg_size=most
            ) as line:
                yield line
        except aiohttp.ClientError as error:
            raise Unreachable(str(error)) from error
