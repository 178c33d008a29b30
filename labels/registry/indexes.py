"""When a table's indexes are made while very many rows come into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

MANY = 10_000
"""From so many rows on, an empty table's indexes are made after its rows: sorting beats inserting."""


@contextmanager
def indexes_made_late(connection: sa.Connection, table: sa.Table, count: int) -> Iterator[None]:
    """Takes the indexes of a table away while very many rows come into it, and makes them again."""
    late = sorted(table.indexes, key=lambda index: str(index.name)) if count >= MANY else []
    for index in late:
        index.drop(connection)
    yield
    for index in late:
        index.create(connection)
