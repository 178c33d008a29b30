"""Prefect's server as `labels up` starts it: on SQLite, one writer after the other and no table read to its end.

Run as `python -m adapters.prefect.server HOST:PORT [api]`; `api` leaves the background services to other processes. It is the application of `prefect server start`, with this added:

- Prefect begins most transactions on SQLite so that they become writers only at their first change; of two that do so
  at once, SQLite refuses the later one at once, however long it would be willing to wait. Begun as writers, they wait for
  each other, some milliseconds.
- Two of its questions, asked several times in each execution, are ones for which SQLite finds no good index: it reads
  every task of every run, and every run of a queue, also those that only wait. They are put so that it does.
- What people filled into forms is given to our own processes alone, and overwritten once it is deleted
  (`adapters/prefect/answers.py`).
- Where the server is busy all the same (503), it says when to come again: Prefect's client otherwise waits for two
  seconds, then four, then eight.
- It answers its own addresses alone, loopback and what this installation calls it by, and no page of another site: a
  deployment is a program that the worker runs, and Prefect itself asks nobody who they are.
"""

from __future__ import annotations

import os
import sys
from urllib.parse import urlsplit

import sqlalchemy as sa
import uvicorn
from prefect.server.api.server import create_app
from prefect.settings import get_current_settings
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.patches import in_force
from adapters.prefect.answers import KeepsAnswers, LogEmptier, overwrite_what_is_deleted
from labels.settings import load_settings

RETRY_AFTER = 0.2
"""Seconds after which a request that was refused for a busy database is worth another try."""


class SaysWhenToRetry:
    """Adds `Retry-After` to the answers of an application that is busy."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 503:
                MutableHeaders(scope=message).setdefault("retry-after", str(RETRY_AFTER))
            await send(message)

        await self.app(scope, receive, answer)


class OwnAddressOnly:
    """Refuses what a browser sends for another site: a name that leads here from elsewhere, another page's request.

    The gate, the worker and the commands on this machine ask by the address that the server listens on, and name no
    origin; Prefect's pages name that address.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        """`hosts` are what a request may name as its host, in small letters."""
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        status = 0
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            status = 421
        elif any(urlsplit(origin.lower()).netloc != hosts[0].lower() for origin in origins):
            status = 403
        if not status:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            why = "Prefect's server answers at its own address only."
            await PlainTextResponse(f"{why}\n", status)(scope, receive, send)


def names_of(listens_at: str, api_url: str) -> frozenset[str]:
    """The hosts by which a server is called that listens there (`HOST:PORT`), and that all others reach at `api_url`."""
    _, _, port = listens_at.rpartition(":")
    own = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    return frozenset(name.lower() for name in own | {listens_at, urlsplit(api_url).netloc} if name)


def main(listens_at: str, part: str = "all") -> None:
    """Serves until it is asked to end."""
    host, _, port = listens_at.rpartition(":")
    settings = get_current_settings().server
    if in_force("statements"):
        from adapters.prefect.patches.statements import put_as_sqlite_takes_them

        put_as_sqlite_takes_them()
    url = settings.database.connection_url
    emptier = LogEmptier(url.get_secret_value() if url else "")
    sa.event.listen(sa.Engine, "connect", overwrite_what_is_deleted)
    emptier.start()
    ours = load_settings()
    prefects = create_app(final=True, webserver_only=part == "api")
    app = KeepsAnswers(prefects, lambda: ours.keyring.good(ours.clock()), emptier.soon)
    uvicorn.run(
        OwnAddressOnly(SaysWhenToRetry(app), names_of(listens_at, os.environ.get("PREFECT_API_URL", ""))),
        host=host.strip("[]"),
        port=int(port),
        timeout_keep_alive=settings.api.keepalive_timeout,
        ws_ping_interval=settings.api.websocket_ping_interval,
        ws_ping_timeout=settings.api.websocket_ping_timeout,
        log_level=settings.logging_level.lower(),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
