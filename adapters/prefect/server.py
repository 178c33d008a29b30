"""Prefect's server as `labels up` starts it: on SQLite, one writer after the other and no table read to its end.

Run as `python -m adapters.prefect.server PORT`. It is the application of `prefect server start`, with this added:

- Prefect begins most transactions on SQLite so that they become writers only at their first change; of two that do so
  at once, SQLite refuses the later one at once, however long it would be willing to wait. Begun as writers, they wait for
  each other, some milliseconds.
- Two of its questions, asked several times in each execution, are ones for which SQLite finds no good index: it reads
  every task of every run, and every run of a queue, also those that only wait. They are put so that it does.
- What people filled into forms is given to our own processes alone, and overwritten once it is deleted
  (`adapters/prefect/answers.py`).
- Where the server is busy all the same (503), it says when to come again: Prefect's client otherwise waits for two
  seconds, then four, then eight.
- It answers its own address on loopback alone, and no page of another site: a deployment is a program that
  the worker runs, and Prefect itself asks nobody who they are.
"""

from __future__ import annotations

import sys

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

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        status = 0
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            status = 421
        elif any(origin.lower() != f"http://{hosts[0].lower()}" for origin in origins):
            status = 403
        if not status:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            why = "Prefect's server answers at its own address only."
            await PlainTextResponse(f"{why}\n", status)(scope, receive, send)


def main(port: int) -> None:
    """Serves on loopback until it is asked to end."""
    settings = get_current_settings().server
    if in_force("statements"):
        from adapters.prefect.patches.statements import put_as_sqlite_takes_them

        put_as_sqlite_takes_them()
    url = settings.database.connection_url
    emptier = LogEmptier(url.get_secret_value() if url else "")
    sa.event.listen(sa.Engine, "connect", overwrite_what_is_deleted)
    emptier.start()
    ours = load_settings()
    app = KeepsAnswers(create_app(final=True), lambda: ours.keyring.good(ours.clock()), emptier.soon)
    uvicorn.run(
        OwnAddressOnly(SaysWhenToRetry(app), port),
        host="127.0.0.1",
        port=port,
        timeout_keep_alive=settings.api.keepalive_timeout,
        ws_ping_interval=settings.api.websocket_ping_interval,
        ws_ping_timeout=settings.api.websocket_ping_timeout,
        log_level=settings.logging_level.lower(),
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
