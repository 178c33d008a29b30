"""Who the people of the registry's files are: the person behind each row, and what a changed row says of them.

A row that the record has already is its person's, whatever it says now: a teacher's is known by the
teacher's id, a member of a staff's by their address and role. A changed address is therefore a corrected one.
A member of a staff whose address changed has a row that looks new; how that is recognised is written in
docs/persons.md. Nothing here decides by a name alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from labels.identifiers import person_id
from labels.people.alike import name_key
from labels.people.likeness import Likeness, likeness
from labels.registry.persons import PERSONS, join_same, new_person


@dataclass(frozen=True, slots=True)
class Correction:
    """A person to whom mail goes to another address from now on."""

    person: str
    name: str
    former: str
    address: str
    because: str
    """By which row, and how its person was recognised."""


_STAGED = {
    "organisation": "SELECT s.organisation AS key, s.name, s.email, s.language FROM staged_organisation s",
    "school": (
        "SELECT s.school AS key, s.principal_name AS name, s.principal_email AS email, o.language"
        " FROM staged_school s JOIN organisation o ON o.id = s.organisation"
    ),
    "teacher": "SELECT s.teacher AS key, s.name, s.email, s.language FROM staged_teacher s",
}


@dataclass(frozen=True, slots=True)
class NoLongerNamed:
    """Somebody of a staff who is in the record and no longer in the file; nothing is changed by that alone."""

    name: str
    email: str
    role: str
    organisation: str


class Identities:
    """The persons of staged rows: looked up, corrected or entered before the rows are merged."""

    def __init__(self, connection: sa.Connection, today: date) -> None:
        self._connection = connection
        self._today = today
        self.corrections: list[Correction] = []
        self.no_longer_named: list[NoLongerNamed] = []
        self._entered = 0
        on_commit = "" if connection.dialect.name == "sqlite" else " ON COMMIT DROP"
        connection.exec_driver_sql(f"CREATE TEMP TABLE fresh_person (id TEXT PRIMARY KEY){on_commit}")

    def settle(self, table: str) -> None:
        """Sees to the people of a staged table; the tables in the order of the files."""
        if table == "staff":
            self._settle_staff()
            return
        if table == "school":
            self._settle_principals()
        else:
            for row in self._changed(table, "name", "email"):
                how = f"{table}s.csv · {row.key}"
                self._correct(row.person, (row.old_name, row.name), (row.old_email, row.email), how)
                self._speaks(row.person, row.old_language, row.language)
        self._enter_new(table)

    def finish(self) -> None:
        """Makes one person of a new row and what was known already, where address and name are the same."""
        if self._entered:
            join_same(self._connection, "SELECT id FROM fresh_person")
        self._run("DROP TABLE fresh_person")

    # Rows with an id of their own

    def _changed(self, table: str, name: str, email: str) -> Iterator[sa.Row[Any]]:
        """The rows of the record whose person is called or reached otherwise by the staged ones."""
        language = "t.language" if table != "school" else "''"
        yield from self._run(
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
                same_address and name_key(row.old_name) & name_key(row.name)
            ):
                how = f"schools.csv · {row.key}"
                self._correct(row.person, (row.old_name, row.name), (row.old_email, row.email), how)
                continue
            successor = person_id("principal", row.key, row.email, row.name)
            self._enter(successor, row.name, row.email, row.language)
            self._run("UPDATE school SET principal = :person WHERE id = :key", person=successor, key=row.key)

    def _enter_new(self, table: str) -> None:
        rows = (
            f"SELECT {new_person(table, 'n.key')} AS id, n.name, n.email, n.language FROM ({_STAGED[table]}) n"
            f" WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE t.id = n.key)"
        )
        self._run(f"INSERT INTO fresh_person SELECT id FROM ({rows}) f ORDER BY id")
        self._entered += self._run(
            f"INSERT INTO person (id, name, address, language) SELECT * FROM ({rows}) f ORDER BY id"
        ).rowcount

    # Staff

    def _settle_staff(self) -> None:
        known = {(row.email, row.role): row for row in self._run("SELECT * FROM staff")}
        rows = list(self._run("SELECT * FROM staged_staff ORDER BY line"))
        moved = dict(self._moved(known, rows))
        there = {(row.email, row.role) for row in rows} | {(one.email, one.role) for one in moved.values()}
        self.no_longer_named = [
            NoLongerNamed(row.name, row.email, row.role, row.organisation)
            for key, row in sorted(known.items())
            if key not in there
        ]
        persons: dict[tuple[str, str], str] = {(row.email, row.name): row.person for row in known.values()}
        found: dict[tuple[str, str], str] = {}
        for row in rows:
            key = (row.email, row.role)
            former = known.get(key) or moved.get(key)
            if former is None:
                continue
            how = "staff.csv" + (" · same name, organisation and role" if key in moved else "")
            names, emails = (former.name, row.name), (former.email, row.email)
            self._correct(former.person, names, emails, f"{how} · {row.role} of {row.organisation}")
            self._speaks(former.person, former.language, row.language)
            found[key] = persons[row.email, row.name] = former.person
        for row in rows:
            key = (row.email, row.role)
            if key not in found:
                whom = (row.email, row.name)
                if whom not in persons:
                    persons[whom] = self._free_id(row)
                    self._enter(persons[whom], row.name, row.email, row.language)
                found[key] = persons[whom]
        self._many(
            "UPDATE staged_staff SET person = :person WHERE email = :email AND role = :role",
            [{"person": person, "email": email, "role": role} for (email, role), person in found.items()],
        )
        self._move(moved)

    @staticmethod
    def _moved(
        known: dict[tuple[str, str], sa.Row[Any]], rows: Iterable[sa.Row[Any]]
    ) -> Iterator[tuple[tuple[str, str], sa.Row[Any]]]:
        """Which new rows are of somebody whom the record has under another address, and under which.

        They have the same name, organisation and role, the row with the former address is gone from the
        file, and there is one such on either side.
        """
        rows = list(rows)
        there = {(row.email, row.role) for row in rows}
        gone: dict[object, list[sa.Row[Any]]] = defaultdict(list)
        come: dict[object, list[sa.Row[Any]]] = defaultdict(list)
        for key, row in known.items():
            if key not in there:
                gone[name_key(row.name), row.organisation, row.role].append(row)
        for row in rows:
            if (row.email, row.role) not in known:
                come[name_key(row.name), row.organisation, row.role].append(row)
        for what, new in come.items():
            if len(new) == len(gone[what]) == 1:
                yield (new[0].email, new[0].role), gone[what][0]

    def _move(self, moved: dict[tuple[str, str], sa.Row[Any]]) -> None:
        """Gives the record's rows their corrected addresses, so that the staged ones are found to be theirs."""
        self._many(
            "UPDATE staff SET email = :email WHERE email = :former AND role = :role",
            [{"email": email, "former": row.email, "role": role} for (email, role), row in moved.items()],
        )

    def _free_id(self, row: sa.Row[Any]) -> str:
        """The id that the row's own values make; another where somebody else has it who had this address."""
        taken = "SELECT 1 FROM person WHERE id = :id"
        found: str = row.person
        number = 1
        while self._run(taken, id=found).first():
            number += 1
            found = person_id(row.email, row.name, number)
        return found

    # Persons

    def _enter(self, person: str, name: str, address: str, language: str) -> None:
        entered = self._run(
            "INSERT INTO person (id, name, address, language) VALUES (:id, :name, :address, :language)"
            " ON CONFLICT (id) DO NOTHING RETURNING id",
            id=person, name=name, address=address, language=language,
        ).first()  # fmt: skip
        if entered:
            self._run("INSERT INTO fresh_person VALUES (:id)", id=person)
            self._entered += 1

    def _speaks(self, person: str, old: str, new: str) -> None:
        if old != new:
            self._run(
                "UPDATE person SET language = :new WHERE id = :id AND language = :old",
                id=person,
                old=old,
                new=new,
            )

    def _correct(self, person: str, names: tuple[str, str], emails: tuple[str, str], because: str) -> None:
        """Takes a row's new name and address over to its person.

        What mail goes to changes only where it was this row's address; otherwise the person has two.
        """
        old, new = (one.lower() for one in emails)
        if names[0] != names[1]:
            self._run(
                "UPDATE person SET name = :new WHERE id = :id AND name = :old",
                id=person,
                old=names[0],
                new=names[1],
            )
        if old == new:
            return
        whom = {"person": person, "today": self._today}
        present = self._run("SELECT address FROM person WHERE id = :id", id=person).scalar_one()
        if present == new:
            self._run(f"{_ENDED} AND address = :old", old=old, **whom)
        elif present == old:
            self._run("UPDATE person SET address = :new WHERE id = :person", person=person, new=new)
            self._run("DELETE FROM address WHERE person = :person AND address = :new", person=person, new=new)
            self._run(f"{_ANOTHER} (:person, :address, NULL, :today) {_UNLESS_KNOWN}", address=old, **whom)
            self.corrections.append(Correction(person, names[1], old, new, because))
        else:
            self._run(f"{_ENDED} AND address = :old", old=old, **whom)
            self._run(f"{_ANOTHER} (:person, :address, :today, NULL) {_UNLESS_KNOWN}", address=new, **whom)

    def _run(self, statement: str, **values: Any) -> sa.CursorResult[Any]:
        return self._connection.execute(_statement(statement), values)

    def _many(self, statement: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(_statement(statement), rows)


_ENDED = "UPDATE address SET until = :today WHERE person = :person AND until IS NULL"
_ANOTHER = "INSERT INTO address (person, address, since, until) VALUES"
_UNLESS_KNOWN = "ON CONFLICT (person, address) DO UPDATE SET until = excluded.until"


def _statement(statement: str) -> sa.TextClause:
    text = sa.text(statement)
    return text.bindparams(sa.bindparam("today", type_=sa.Date())) if ":today" in statement else text
