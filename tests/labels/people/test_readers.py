"""Who reads the mail at an address is asked at each request of the desk, among more than a million people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.persons import behind, who_reads
from labels.record.engine import Record
from labels.sessions.second import PasskeyPolicy
from labels.sessions.session import visitor_in
from tests.support.people import NOW

QUESTIONS: dict[str, Callable[[Session], object]] = {
    "who is behind an address": lambda session: behind(session, "ada@x.example"),
    "who reads at it": lambda session: who_reads(session, "ada@x.example"),
    "whose session it is": lambda session: visitor_in(session, "a key", NOW, PasskeyPolicy({}, frozenset())),
}


@contextmanager
def asked(record: Record) -> Iterator[list[tuple[str, Any]]]:
    """The statements that the database is asked meanwhile, with their values."""
    found: list[tuple[str, Any]] = []

    def heard(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        found.append((statement, values))

    sa.event.listen(record.engine, "before_cursor_execute", heard)
    try:
        yield found
    finally:
        sa.event.remove(record.engine, "before_cursor_execute", heard)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_person_is_found_by_their_address_without_going_through_everybody(
    record: Record, question: str
) -> None:
    with record.reading() as session:
        with asked(record) as statements:
            QUESTIONS[question](session)
        connection = session.connection()
        sqlite = connection.dialect.name == "sqlite"
        if not sqlite:  # an empty table is read from its beginning, unless there is no other way
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        [(statement, values)] = statements
        plan = [str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", values)]
    through_all = ("SCAN person", "SCAN address", "SCAN sign_in", "Seq Scan")
    assert not [line for line in plan if line.strip().startswith(through_all) or "Seq Scan" in line], plan
