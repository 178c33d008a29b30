"""Who the people of the registry's files are: the person behind each row, and what a changed row says of them.

A row that the record has already is its person's, whatever it says now: a teacher's is known by the
teacher's id. A changed address is therefore a corrected one. Of members of a staff, `labels/registry/staff_file.py`
knows. Nothing here decides by a name alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import sqlalchemy as sa

from labels.identifiers import person_id
from labels.people.likeness import Likeness, likeness, share_a_part
from labels.registry.entering import PersonRows
from labels.registry.persons import PERSONS, join_same, new_person

_STAGED = {
    "organisation": "SELECT s.organisation AS key, s.name, s.email, s.language FROM staged_organisation s",
    "school": (
        "SELECT s.school AS key, s.principal_name AS name, s.principal_email AS email, o.language"
        " FROM staged_school s JOIN organisation o ON o.id = s.organisation"
    ),
    "teacher": "SELECT s.teacher AS key, s.name, s.email, s.language FROM staged_teacher s",
}


class Identities:
    """The persons of staged rows: looked up, corrected or entered before the rows are merged."""

    def __init__(
        self, connection: sa.Connection, today: date, *, everybody_new: bool, joins: bool = True
    ) -> None:
        self.persons = PersonRows(connection, today)
        self._joins = joins
        """Whether a new row may be of somebody who is known already, by address and name."""
        self._everybody_new = everybody_new
        """Whether the record knew nobody before this import."""

    def settle(self, table: str) -> None:
        """Sees to the people of a staged table that have a row of their own key; the tables in the order of the files."""
        if table == "school":
            self._settle_principals()
        else:
            for row in self._changed(table, "name", "email"):
                how = f"{table}s.csv · {row.key}"
                self.persons.correct(row.person, (row.old_name, row.name), (row.old_email, row.email), how)
                self.persons.speaks(row.person, row.old_language, row.language)
        self._enter_new(table)

    def finish(self) -> None:
        """Makes one person of a new row and what was known already, where address and name are the same."""
        if not self._joins:
            pass
        elif self._everybody_new:
            join_same(self.persons.connection, None)
        elif self.persons.entered:
            join_same(self.persons.connection, "SELECT id FROM fresh_person")
        self.persons.run("DROP TABLE fresh_person")

    # Rows with an id of their own

    def _changed(self, table: str, name: str, email: str) -> Iterator[sa.Row[Any]]:
        """The rows of the record whose person is called or reached otherwise by the staged ones."""
        language = "t.language" if table != "school" else "''"
        yield from self.persons.run(
            f"SELECT n.key, t.{PERSONS[table]} AS person, t.{name} AS old_name, t.{email} AS old_email,"
            f" {language} AS old_language, n.name, n.email, n.language"
            f" FROM ({_STAGED[table]}) n JOIN {table} t ON t.id = n.key"
            f" WHERE t.{name} <> n.name OR lower(t.{email}) <> n.email"
            + (" OR t.language <> n.language" if table != "school" else "")
        ).all()

    def _settle_principals(self) -> None:
        """A principal with another name is another person, unless the address is the same and so is a part
        of the name."""
        for row in self._changed("school", "principal_name", "principal_email"):
            same_address = row.old_email.lower() == row.email
            if likeness(row.old_name, row.name) is Likeness.SAME or (
                same_address and share_a_part(row.old_name, row.name)
            ):
                how = f"schools.csv · {row.key}"
                self.persons.correct(row.person, (row.old_name, row.name), (row.old_email, row.email), how)
                continue
            successor = person_id("principal", row.key, row.email, row.name)
            successor = self.persons.enter(successor, row.name, row.email, row.language)
            self.persons.run(
                "UPDATE school SET principal = :person WHERE id = :key", person=successor, key=row.key
            )

    def _enter_new(self, table: str) -> None:
        rows = (
            f"SELECT {new_person(table, 'n.key')} AS id, n.name, n.email, n.language FROM ({_STAGED[table]}) n"
            f" WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE t.id = n.key)"
        )
        self.persons.run(f"INSERT INTO fresh_person SELECT id FROM ({rows}) f ORDER BY id")
        self.persons.entered += self.persons.run(
            f"INSERT INTO person (id, name, address, language) SELECT * FROM ({rows}) f ORDER BY id"
        ).rowcount
