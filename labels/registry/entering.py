"""Enters the persons whom the registry's files name, and takes a changed row's name and address over to its person."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from labels.people.persons import batches
from labels.record.schema import Person, PersonMerge


@dataclass(frozen=True, slots=True)
class Correction:
    """A person to whom mail goes to another address from now on."""

    person: str
    name: str
    former: str
    address: str
    because: str
    """By which row, and how its person was recognised."""


class PersonRows:
    """The tables `person` and `address` while files are imported."""

    def __init__(self, connection: sa.Connection, today: date) -> None:
        self.connection = connection
        self.today = today
        self.corrections: list[Correction] = []
        self.entered = 0
        """How many persons are new."""
        on_commit = "" if connection.dialect.name == "sqlite" else " ON COMMIT DROP"
        connection.exec_driver_sql(f"CREATE TEMP TABLE fresh_person (id TEXT PRIMARY KEY){on_commit}")

    def run(self, statement: str, **values: Any) -> sa.CursorResult[Any]:
        """A statement of SQL, with its values."""
        return self.connection.execute(_statement(statement), values)

    def many(self, statement: str, rows: list[dict[str, Any]]) -> None:
        """A statement for each of the rows."""
        if rows:
            self.connection.execute(_statement(statement), rows)

    def enter(self, person: str, name: str, address: str, language: str) -> str:
        """Enters a person, unless there is one of that id, or of whom that id became; their id."""
        became = self.run(
            "SELECT kept FROM person_merge WHERE gone = :id AND confirmed_at IS NOT NULL", id=person
        ).scalar()
        if became:
            return str(became)
        entered = self.run(
            "INSERT INTO person (id, name, address, language) VALUES (:id, :name, :address, :language)"
            " ON CONFLICT (id) DO NOTHING RETURNING id",
            id=person,
            name=name,
            address=address,
            language=language,
        ).first()
        if entered:
            self.run("INSERT INTO fresh_person VALUES (:id)", id=person)
            self.entered += 1
        return person

    def taken(self, ids: Iterable[str]) -> set[str]:
        """Those of some ids that are a person's, or were until that person became another one."""
        return {
            row.id
            for some in batches(sorted(set(ids)))
            for row in self.connection.execute(_TAKEN, {"ids": some})
        }

    def enter_free(self, people: list[dict[str, str]]) -> None:
        """Enters people (`id`, `name`, `address`, `language`) whose ids nobody has or had."""
        self.many(
            "INSERT INTO person (id, name, address, language) VALUES (:id, :name, :address, :language)",
            people,
        )
        self.many("INSERT INTO fresh_person VALUES (:id)", [{"id": one["id"]} for one in people])
        self.entered += len(people)

    def speaks(self, person: str, old: str, new: str) -> None:
        """Takes a row's new language over to its person."""
        if old != new:
            self.run(
                "UPDATE person SET language = :new WHERE id = :id AND language = :old",
                id=person,
                old=old,
                new=new,
            )

    def correct(self, person: str, names: tuple[str, str], emails: tuple[str, str], because: str) -> None:
        """Takes a row's new name and address over to its person.

        What mail goes to changes only where it was this row's address; otherwise the person has two.
        """
        old, new = (one.lower() for one in emails)
        if names[0] != names[1]:
            self.run(
                "UPDATE person SET name = :new WHERE id = :id AND name = :old",
                id=person,
                old=names[0],
                new=names[1],
            )
        if old == new:
            return
        whom = {"person": person, "today": self.today}
        present = self.run("SELECT address FROM person WHERE id = :id", id=person).scalar_one()
        if present == new:
            self.run(f"{_ENDED} AND address = :old", old=old, **whom)
        elif present == old:
            self.run("UPDATE person SET address = :new WHERE id = :person", person=person, new=new)
            self.run("DELETE FROM address WHERE person = :person AND address = :new", person=person, new=new)
            self.run(f"{_ANOTHER} (:person, :address, NULL, :today) {_UNLESS_KNOWN}", address=old, **whom)
            self.corrections.append(Correction(person, names[1], old, new, because))
        else:
            self.run(f"{_ENDED} AND address = :old", old=old, **whom)
            self.run(f"{_ANOTHER} (:person, :address, :today, NULL) {_UNLESS_KNOWN}", address=new, **whom)


_ENDED = "UPDATE address SET until = :today WHERE person = :person AND until IS NULL"
_ANOTHER = "INSERT INTO address (person, address, since, until) VALUES"
_UNLESS_KNOWN = "ON CONFLICT (person, address) DO UPDATE SET until = excluded.until"


_PERSON, _MERGED = Person.__table__.c, PersonMerge.__table__.c
_TAKEN = sa.union(
    sa.select(_PERSON.id).where(_PERSON.id.in_(sa.bindparam("ids", expanding=True))),
    sa.select(_MERGED.gone).where(_MERGED.gone.in_(sa.bindparam("ids", expanding=True))),
)
"""Of tables: classes would set up SQLAlchemy's mappers, which takes longer than a small import."""


@functools.cache
def _statement(statement: str) -> sa.TextClause:
    text = sa.text(statement)
    return text.bindparams(sa.bindparam("today", type_=sa.Date())) if ":today" in statement else text
