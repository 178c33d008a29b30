"""The small process without an engine: a table with a state. What an engine costs is what it takes beyond this."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.peers.driving import Order, drive, open_office
from benchmarks.peers.small_process import Office, Rows


class Table:
    """One row an application."""

    def __init__(self, office: Office, rows: Rows) -> None:
        self._office, self._rows = office, rows
        self._rows.run("CREATE TABLE state (application text PRIMARY KEY, state text, form text)")

    def submit(self, form: dict[str, Any]) -> None:
        self._office.validate(form)
        self._office.store(form)
        self._rows.run("INSERT INTO state VALUES (?, 'waiting', ?)", form["id"], json.dumps(form))

    def waiting(self) -> int:
        return int(self._rows.run("SELECT count(*) FROM state")[0][0])

    def approve(self, identifier: str) -> None:
        self._rows.run("UPDATE state SET state = 'approved' WHERE application = ?", identifier)
        self._office.decide(identifier, approved=True)
        self._rows.run("UPDATE state SET state = 'decided' WHERE application = ?", identifier)
        self._office.notify(identifier)
        self._rows.run("UPDATE state SET state = 'done' WHERE application = ?", identifier)

    def database(self) -> Path | str:
        return self._rows.place


if __name__ == "__main__":
    order = Order.read()
    office = open_office()
    drive(order, office, Table(office, Rows(order.home / "table.db", order.engine_url)))
