"""Statements of Prefect's server as SQLite takes them: writers that wait for each other, questions that find their index.

SQLAlchemy's event is public; what is leaned on is the text of Prefect's statements, which may change with any version. One that
is not recognised is left as it is.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

_OF_A_QUEUE = re.compile(
    r"(LEFT JOIN flow_run fr\s+ON wq\.id = )(fr\.work_queue_id\s+AND fr\.state_type in\('RUNNING', 'PENDING'\))"
)
"""The runs of a queue that have a place: by the queue SQLite reads all that it ever had, by the state these few."""
_ONE_OF = ") IN (VALUES ("
"""A row of several columns is one of those given: SQLite uses an index only where they come from a query."""


def as_sqlite_takes_it(
    connection: sa.Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> tuple[str, Any]:
    """The same statement, so that SQLite waits for its turn when a transaction begins, and finds the index."""
    if connection.dialect.name != "sqlite":
        return statement, parameters
    if statement == "BEGIN DEFERRED":
        statement = "BEGIN IMMEDIATE"
    elif (
        statement.startswith("SELECT task_run.") and statement.count(_ONE_OF) == 1 and statement[-2:] == "))"
    ):
        statement = statement.replace(_ONE_OF, ") IN (SELECT * FROM (VALUES (") + ")"
    elif "fr.state_type in('RUNNING', 'PENDING')" in statement:
        statement = _OF_A_QUEUE.sub(r"\1+\2", statement)  # by a sum it can't look up
    return statement, parameters


def put_as_sqlite_takes_them() -> None:
    """Does so for every engine of this process; twice is as once."""
    if not sa.event.contains(sa.Engine, "before_cursor_execute", as_sqlite_takes_it):
        sa.event.listen(sa.Engine, "before_cursor_execute", as_sqlite_takes_it, retval=True)
