"""Fills empty tables straight from the registry's files, and says how a file's text becomes a value."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from labels.identifiers import award_id
from labels.record.schema import Base
from labels.registry.bulk import insert_columns
from labels.registry.contradictions import CIRCLE
from labels.registry.files import LABELS, RegistryFile
from labels.registry.indexes import MANY, indexes_made_late
from labels.registry.persons import MADE_IN_SQL, PERSONS, enter_everybody, new_person
from labels.registry.reading import Chunk, Faults, read_chunks, telling
from labels.registry.search_index import Filling

_ADDED = {"award": ("id",)}
"""Columns of the record that a file does not have, and that are made from a row before it goes in."""


class Filled(NamedTuple):
    """What came into empty tables."""

    counts: dict[str, int]
    """The rows of each file."""
    absent: dict[str, frozenset[str]]
    """The optional columns that the file of a table has not."""

    def has(self, table: str, column: str) -> bool:
        """Whether a table's file is there and has an optional column."""
        return column not in self.absent.get(table, {column})


def fill_empty(
    connection: sa.Connection,
    present: Sequence[tuple[int, RegistryFile, Path]],
    faults: Faults,
    progress: Callable[[str, int], None] | None = None,
) -> Filled | None:
    """Imports sound files (but that of the staff) into empty tables on SQLite.

    It takes half the time of staging the rows first, but can't name faults: where there are any, or
    where one of the tables holds rows, it returns None and everything is as it was, but for `faults`.
    """
    for table in ("person", *(file.table for _, file, _ in present)):
        if _any(connection, f"SELECT 1 FROM {table} LIMIT 1"):
            return None
    connection.exec_driver_sql("SAVEPOINT filling")
    filled = _fill(connection, present, faults, progress)
    if filled is None:
        connection.exec_driver_sql("ROLLBACK TO filling")
    connection.exec_driver_sql("RELEASE filling")
    return filled


def _fill(
    connection: sa.Connection,
    present: Sequence[tuple[int, RegistryFile, Path]],
    faults: Faults,
    progress: Callable[[str, int], None] | None,
) -> Filled | None:
    filled = Filled({}, {})
    index = Filling(connection, [file.table for _, file, _ in present])
    for rank, file, path in present:
        table = Base.metadata.tables[file.table]
        with indexes_made_late(connection, table, MANY if path.stat().st_size > 100 * MANY else 0):
            chunks = telling(read_chunks(path, file, rank, faults), file, progress)
            try:
                filled.counts[file.name] = _fill_table(
                    connection, file, _while_sound(chunks, faults), index, filled
                )
            except sa.exc.IntegrityError:
                return None
        if faults.count:
            return None
    if any(_any(connection, question) for question in _doubts(present)):
        return None
    enter_everybody(connection, {file.table for _, file, _ in present}, max(filled.counts.values()))
    index.finish()
    return filled


def _while_sound(chunks: Iterator[Chunk], faults: Faults) -> Iterator[Chunk]:
    return itertools.takewhile(lambda _: not faults.count, chunks)


def _fill_table(
    connection: sa.Connection, file: RegistryFile, chunks: Iterator[Chunk], index: Filling, filled: Filled
) -> int:
    """Puts the rows of a file into its table; returns how many there were."""
    first = next(chunks, None)
    if first is None:
        return 0
    filled.absent[file.table] = first.absent
    counts: list[int] = []

    def said_of(chunk: Chunk) -> list[Sequence[str]]:
        counts.append(len(chunk.lines))
        index.take_file(file.table, dict(zip(file.names, chunk.columns, strict=True)))
        if file.table == "award":
            chunk = with_award_ids(chunk)
        return [chunk.columns[place] for place in said]

    columns = kept_columns(file) + [
        Base.metadata.tables[file.table].columns[name] for name in _ADDED.get(file.table, ())
    ]
    said = [
        place
        for place in range(len(columns))
        if place >= len(file.names) or file.names[place] not in first.absent
    ]
    kept = {
        columns[place].name: kept_value(columns[place], f"{{{number}}}", sqlite=True)
        for number, place in enumerate(said)
    }
    if file.table in MADE_IN_SQL:
        kept[PERSONS[file.table]] = new_person(file.table, "{0}")
    insert_columns(connection, file.table, kept, map(said_of, itertools.chain([first], chunks)))
    return sum(counts)


def _doubts(present: Sequence[tuple[int, RegistryFile, Path]]) -> Iterator[str]:
    """Questions to the filled tables that a sound registry answers with no row."""
    tables = {file.table for _, file, _ in present}
    for _, file, _ in present:
        for column in file.columns:
            if column.of:
                # Each value once, in the order of an index: looked up one by one they'd be all over the table.
                yield (
                    f'SELECT 1 FROM (SELECT DISTINCT "{column.name}" AS value FROM {file.table}'
                    f' WHERE "{column.name}" IS NOT NULL) r WHERE NOT EXISTS'
                    f" (SELECT 1 FROM {column.of} t WHERE t.id = r.value) LIMIT 1"
                )
    if "award" in tables:
        for kind, what in (("<>", "label, teacher, project"), ("=", "school, awarded_on")):
            yield f"SELECT 1 FROM award WHERE label {kind} 'school' GROUP BY {what} HAVING count(*) > 1 LIMIT 1"
        yield (
            "SELECT 1 FROM award a WHERE a.label <> 'school' AND NOT EXISTS"
            " (SELECT 1 FROM member m WHERE m.project = a.project AND m.teacher = a.teacher) LIMIT 1"
        )
    if "school" in tables:
        yield f"{CIRCLE} LIMIT 1"
    if "member" in tables:
        # In the order of both tables' keys, project by project.
        yield (
            "SELECT 1 FROM member m NOT INDEXED CROSS JOIN project p ON p.id = m.project"
            " WHERE m.joined_on > p.ended_on LIMIT 1"
        )


def _any(connection: sa.Connection, question: str) -> bool:
    return connection.exec_driver_sql(question).first() is not None


def kept_columns(file: RegistryFile) -> list[sa.Column[object]]:
    """The record's columns for the columns of a file."""
    table = Base.metadata.tables[file.table]
    return [table.columns["id" if name == file.table else name] for name in file.names]


def kept_value(column: sa.Column[object], text: str, sqlite: bool) -> str:
    """SQL for the value that the record keeps of a `text`, which is SQL too."""
    if column.nullable:
        text = f"NULLIF({text}, '')"
    if isinstance(column.type, sa.Boolean):
        return f"({text} = 'true')"
    if isinstance(column.type, sa.Float):
        return f"CAST({text} AS FLOAT)"
    if isinstance(column.type, sa.Date) and not sqlite:
        return f"CAST({text} AS date)"
    return text


def with_award_ids(chunk: Chunk) -> Chunk:
    """The awards with their identifiers."""
    labels, teachers, projects, schools, _, days, *_ = chunk.columns
    identifiers: list[str] = []
    for label, teacher, project, school, day in zip(labels, teachers, projects, schools, days, strict=True):
        known = label if label in LABELS else "school"  # refused already
        identifiers.append(award_id(known, teacher or None, project or None, school or None, day))
    return chunk._replace(columns=[*chunk.columns, identifiers])
