"""The small process on DBOS: a library whose workflows live in this process and whose state is in a database."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from dbos import DBOS, SetWorkflowID

from benchmarks.peers.driving import Order, drive, open_office

LISTEN_EVERY = 0.05
"""Seconds between two looks for messages, where the database can't tell of them (SQLite); 1 as it comes."""


class Dbos:
    """Workflows on an event loop of their own."""

    def __init__(self, home: Path, url: str) -> None:
        from benchmarks.peers import dbos_workflow

        self._workflow = dbos_workflow
        self._file, self._url = home / "dbos.sqlite", url
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def submit(self, form: dict[str, Any]) -> None:
        async def begin() -> None:
            with SetWorkflowID(form["id"]):
                await DBOS.start_workflow_async(self._workflow.small_process, form)

        self._do(begin())

    def waiting(self) -> int:
        return len(self._workflow.arrived)

    def approve(self, identifier: str) -> None:
        self._do(DBOS.send_async(identifier, True, "approval"))

    def database(self) -> Path | str:
        return self._url or self._file

    def _do(self, what: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result()


if __name__ == "__main__":
    order = Order.read()
    office = open_office()
    DBOS(
        config={
            "name": "small-process",
            "system_database_url": order.engine_url or f"sqlite:///{order.home}/dbos.sqlite",
            "notification_listener_polling_interval_sec": LISTEN_EVERY,
            "run_admin_server": False,
            "log_level": "ERROR",
        }
    )
    peer = Dbos(order.home, order.engine_url)
    DBOS.launch()
    drive(order, office, peer)
    os._exit(0)  # its threads would go on
