"""The processes that serve people: `python -m desk.serving desk` or `gate`, with the settings of their environment.

Each is a process of its own, so that nothing that a stranger sends ends the one that supervises.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import sys

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.workspace import open_workspace
from desk.app import public_app
from labels.settings import load_settings

FIRST_REQUEST_WITHIN = 20.0
"""Seconds for a new connection to say what it wants; then it makes room for another."""
AT_ONCE = 4000
"""Connections at the same time; whoever comes then is asked to come again (503). A few dozen are answered at a time."""
MAIL_SHOWN = "LABELS_DEMO_MAIL"
"""Set by the demo alone: outgoing mail is a page."""


class Patient(HttpToolsProtocol):
    """A connection that is closed where nothing arrives: idle ones must not take all the file numbers there are."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        super().connection_made(transport)
        self._closes = asyncio.get_running_loop().call_later(FIRST_REQUEST_WITHIN, transport.close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None:  # the head of a request is complete
            self._closes.cancel()

    def handle_websocket_upgrade(self) -> None:
        self._closes.cancel()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closes.cancel()
        super().connection_lost(exc)


def _as_many_files_as_allowed() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(part: str) -> None:
    """Serves the desk or the gate until it is told to end.

    Raises:
        LabelsError: the settings, the record or the store can't be used.
    """
    logging.basicConfig(stream=sys.stdout, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    _as_many_files_as_allowed()
    settings = load_settings()
    here = open_workspace(settings)
    if part == "gate":
        from desk.gate import signed_in_gate

        app, listens_at = (
            signed_in_gate(here, os.environ["PREFECT_API_URL"].removesuffix("/api")),
            settings.gate,
        )
    else:
        app, listens_at = (
            public_app(here, mail_shown=os.environ.get(MAIL_SHOWN) == "1"),
            settings.listen,
        )
    host, _, port = listens_at.rpartition(":")
    uvicorn.run(
        app,
        host=host.strip("[]"),
        port=int(port),
        http=Patient,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=10,
        limit_concurrency=AT_ONCE,
    )


if __name__ == "__main__":
    main(sys.argv[1])
