"""The small process that every peer drives: submit, store, wait for an approval, decide, notify.

Its steps are here and the same for all; a peer adds only what carries an application from one to the next. Each
step lasts when it returns: files and databases are synchronised with the disk. It needs nothing that is not in
Python itself, but for the driver of PostgreSQL.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HOME, OFFICE = "PEER_HOME", "PEER_OFFICE_URL"
"""Where a process finds the office: its folder, and its PostgreSQL database unless it keeps a SQLite file."""

_WORDS = [
    "pupils",
    "rivers",
    "bridges",
    "partners",
    "worked",
    "together",
    "online",
    "asked",
    "compared",
    "measured",
    "printed",
    "sang",
]


def application(number: int) -> dict[str, Any]:
    """One application, the same for the same number: about two kilobytes."""
    chance = random.Random(f"small process {number}")
    return {
        "id": f"application-{number:06}",
        "school": f"School {number}",
        "country": chance.choice(("CZ", "PL", "PT", "TR")),
        "email": f"school-{number}@example.org",
        "answers": {f"question-{n}": " ".join(chance.choices(_WORDS, k=25)) for n in range(10)},
    }


class Office:
    """The world around the process: a folder of documents, a table of decisions, a box of notifications."""

    def __init__(self, home: Path, url: str = "") -> None:
        self._documents = home / "documents"
        self._notified = home / "notified"
        self._decisions = Rows(home / "office.db", url)

    @classmethod
    def here(cls) -> Office:
        """The office that this process was started for."""
        return cls(Path(os.environ[HOME]), os.environ.get(OFFICE, ""))

    def open(self) -> None:
        """Makes the folder and the table; done once, before anybody comes."""
        self._documents.mkdir(parents=True)
        self._notified.touch()
        self._decisions.run("CREATE TABLE decision (application text PRIMARY KEY, approved integer NOT NULL)")

    # The steps ------------------------------------------------------------------------------------------

    def validate(self, form: Mapping[str, Any]) -> None:
        """Refuses what is incomplete."""
        if not form["school"] or len(form["country"]) != 2 or "@" not in form["email"]:
            raise ValueError(f"{form['id']} does not say who applies")
        if len(form["answers"]) != 10 or not all(form["answers"].values()):
            raise ValueError(f"{form['id']} leaves a question out")

    def store(self, form: Mapping[str, Any]) -> str:
        """Keeps the application as a document; stored again it is the same one."""
        path = self._documents / f"{form['id']}.json"
        if not path.exists():
            draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            with draft.open("w", encoding="utf-8") as file:
                json.dump(form, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            _synchronise(self._documents)
        return path.name

    def decide(self, identifier: str, approved: bool) -> None:
        """Keeps the decision; the first one counts."""
        self._decisions.run(
            "INSERT INTO decision (application, approved) VALUES (?, ?) ON CONFLICT DO NOTHING",
            identifier,
            int(approved),
        )

    def notify(self, identifier: str) -> None:
        """Puts a notification into the box, one line at one stroke."""
        box = os.open(self._notified, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(box, f"{identifier}\n".encode())
            os.fsync(box)
        finally:
            os.close(box)

    # What came of it ------------------------------------------------------------------------------------

    def notifications(self) -> Counter[str]:
        """How often each application was told of."""
        return Counter(self._notified.read_text(encoding="utf-8").split())

    def check(self, numbers: range) -> None:
        """Every one of these applications was stored, decided and told of, exactly once, and no other.

        Raises:
            AssertionError: it was not so; says which.
        """
        expected = {application(number)["id"] for number in numbers}
        told = self.notifications()
        decided = [
            name
            for name, approved in self._decisions.run("SELECT application, approved FROM decision")
            if approved
        ]
        stored = {path.stem for path in self._documents.glob("*.json")}
        twice = sorted(one for one, times in told.items() if times > 1)
        assert not twice, f"told of more than once: {twice[:5]}"
        for what, found in (("told of", set(told)), ("decided", set(decided)), ("stored", stored)):
            assert found == expected, f"not exactly those were {what}: {sorted(found ^ expected)[:5]}"
        assert len(decided) == len(expected)


class Rows:
    """A database for short statements: a SQLite file or, with a URL, PostgreSQL; from several threads at once."""

    def __init__(self, file: Path, url: str = "") -> None:
        self.place: Path | str = url or file
        self._mine = threading.local()

    def run(self, statement: str, *values: Any) -> list[Any]:
        """One statement with `?` for its values, in a transaction of its own; the rows that it finds."""
        connection = self._connection()
        if isinstance(self.place, str):
            statement = statement.replace("?", "%s")
        done = connection.execute(statement, values)
        found = done.fetchall() if done.description else []
        connection.commit()
        return list(found)

    def _connection(self) -> Any:
        if not hasattr(self._mine, "connection"):
            if isinstance(self.place, str):
                import psycopg  # only some of the environments have it

                self._mine.connection = psycopg.connect(self.place)
            else:
                self._mine.connection = connect(self.place)
        return self._mine.connection


def connect(file: Path) -> sqlite3.Connection:
    """A connection to a SQLite file that waits for others, and whose commits reach the disk."""
    connection = sqlite3.connect(file, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _synchronise(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
