"""The persons of the registry's rows: what their ids are made from, and which rows are of one person."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from labels.identifiers import person_id
from labels.people.staff import REGISTRY
from labels.record.schema import Base
from labels.registry.indexes import indexes_made_late
from labels.registry.reading import Chunk

PERSONS = {"organisation": "person", "school": "principal", "teacher": "person", "staff": "person"}
"""The tables whose rows name a person, and the column that says whom."""

MADE_IN_SQL = {"organisation": "PER-O-", "school": "PER-S-", "teacher": "PER-T-"}
"""What the id of a person is made from, together with the row's own key: in SQL, for a million of them."""


def new_person(table: str, key: str) -> str:
    """SQL for the id of the person whom a new row of `table` names; `key` is SQL for the row's key."""
    return f"'{MADE_IN_SQL[table]}' || {key}"


def with_persons(chunk: Chunk) -> Chunk:
    """The rows of a staff with their persons, as far as the rows alone tell, and by whose word they left."""
    persons = [person_id(email, name) for email, name in zip(*chunk.columns[:2], strict=True)]
    word = [REGISTRY if left_on else "" for left_on in chunk.columns[-1]]  # the last of them in `files.py`
    return chunk._replace(columns=[*chunk.columns, persons, word])


# A new record ------------------------------------------------------------------------------------


_OF_ROWS = {
    "organisation": "SELECT person, name, email, language FROM organisation",
    "school": (
        "SELECT s.principal, s.principal_name, s.principal_email, o.language"
        " FROM school s JOIN organisation o ON o.id = s.organisation"
    ),
    "teacher": "SELECT person, name, email, language FROM teacher",
}


def enter_everybody(connection: sa.Connection, tables: Collection[str], count: int) -> None:
    """Enters the people of freshly filled tables into a record that knows nobody yet.

    `count` is how many rows there are at least: of very many the index is made afterwards.
    """
    with indexes_made_late(connection, Base.metadata.tables["person"], count):
        for table in ("organisation", "school", "teacher"):  # in the order of their ids, nearly
            if table in tables:
                connection.exec_driver_sql(
                    f"INSERT INTO person (id, name, address, language) {_OF_ROWS[table]}"
                )


# One person in several rows ------------------------------------------------------------------------


class _Row(NamedTuple):
    """A person of a group that shares address and name."""

    id: str
    teaches: bool
    known_as: str | None
    """An organisation's own id of them, with the organisation."""
    fresh: bool
    read_elsewhere: bool
    """Whether mail to them is read at another address, too, by which they sign in."""


def join_same(connection: sa.Connection, fresh: str | None) -> None:
    """Makes one person of those who share an address and a name, where one of them is new to the record.

    Two teachers are never made one, whatever they share, nor two members of a staff with an id each: the registry
    says that they are two. `fresh` is SQL that selects the new persons; None where all are.
    """
    for address, name in _sharing(connection):
        people = _group(connection, address, name, fresh)
        old = [one for one in people if not one.fresh]
        if sum(one.teaches for one in people) > 1 or len(old) > 1 or any(one.read_elsewhere for one in old):
            continue
        if len({one.known_as for one in people if one.known_as}) > 1:
            continue
        keep = (old or sorted(people, key=lambda one: (not one.teaches, one.id)))[0]
        for one in people:
            if one is not keep:
                _replace(connection, one.id, keep.id)


def _sharing(connection: sa.Connection) -> list[tuple[str, str]]:
    """The addresses and names of staff, principals and organisations which another person has too."""
    found = connection.execute(
        sa.text(
            " UNION ".join(
                f"SELECT q.address, q.name FROM {table} t JOIN person q ON q.address = t.{email}"
                f" AND q.name = t.{name} AND q.id <> t.{PERSONS[table]}"
                for table, name, email in (
                    ("staff", "name", "email"),
                    ("school", "principal_name", "principal_email"),
                    ("organisation", "name", "email"),
                )
            )
        )
    )
    return [(row.address, row.name) for row in found]


def _group(connection: sa.Connection, address: str, name: str, fresh: str | None) -> list[_Row]:
    found = connection.execute(
        sa.text(
            "SELECT p.id, EXISTS (SELECT 1 FROM teacher t WHERE t.person = p.id) AS teaches,"
            " (SELECT min(s.organisation || ' ' || s.id) FROM staff s WHERE s.person = p.id) AS known_as,"
            f" {f'p.id IN ({fresh})' if fresh else '1 = 1'} AS fresh,"
            " EXISTS (SELECT 1 FROM address a WHERE a.person = p.id AND a.until IS NULL) AS read_elsewhere"
            " FROM person p WHERE p.address = :address AND p.name = :name ORDER BY p.id"
        ),
        {"address": address, "name": name},
    )
    return [
        _Row(row.id, bool(row.teaches), row.known_as, bool(row.fresh), bool(row.read_elsewhere))
        for row in found
    ]


def _replace(connection: sa.Connection, gone: str, kept: str) -> None:
    whom = {"gone": gone, "kept": kept}
    for table, column in (*PERSONS.items(), ("former_staff", "person")):
        connection.execute(sa.text(f"UPDATE {table} SET {column} = :kept WHERE {column} = :gone"), whom)
    connection.execute(sa.text("DELETE FROM person WHERE id = :gone"), whom)
