"""Gives the rows of the registry that tests write themselves a person, as an import does; importing it is enough."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.identifiers import person_id
from labels.people.persons import behind
from labels.record import Record
from labels.record.schema import Organisation, Person, School, Staff, Step, Teacher
from labels.sessions.second import policy_of
from labels.settings import Settings

COLLEAGUE = "PER-COLLEAGUE"

OFFERED = policy_of(Settings(_env_file=None))
"""What passkeys are where nothing else is set."""


def person_at(record: Record, address: str) -> str:
    """The id of the only person who reads the mail at an address."""
    with record.reading() as session:
        [only] = behind(session, address)
    return only.id


def colleague_of(record: Record, person: str) -> str:
    """Somebody of another name who shares a person's mailbox; their id."""
    with record.writing() as session:
        address = session.get_one(Person, person).address
        session.add(Person(id=COLLEAGUE, name="A Colleague", address=address, language="en"))
    return COLLEAGUE


def name_everybody(session: Session, *_: Any) -> None:
    """Enters the person of each new row that names none; who shares an address and a name is one person."""
    for row in [one for one in session.new if isinstance(one, Step) and one.person is None]:
        row.person = _at(session, row.assignee)
    for row in [row for row in session.new if isinstance(row, (Organisation, School, Staff, Teacher))]:
        if isinstance(row, School):
            if row.principal is None:
                row.principal = _person(session, row.principal_name, row.principal_email, "en", row.id)
        elif row.person is None:
            key = row.email if isinstance(row, Staff) else row.id
            row.person = _person(session, row.name, row.email, row.language, key)


def _at(session: Session, address: str) -> str:
    connection, people = session.connection(), sa.table("person", sa.column("id"), sa.column("address"))
    known = connection.scalar(sa.select(people.c.id).where(people.c.address == address).order_by(people.c.id))
    return str(known) if known else _person(session, address, address, "en", address)


def _person(session: Session, name: str, email: str, language: str, key: str) -> str:
    connection, people = session.connection(), sa.table("person", *map(sa.column, ("id", "name", "address")))
    same = sa.select(people.c.id).where(people.c.name == name, people.c.address == email.lower())
    if known := connection.scalar(same.order_by(people.c.id).limit(1)):
        return str(known)
    new = {"id": person_id(key, email, name), "name": name, "address": email.lower(), "language": language}
    connection.execute(sa.insert(Person), new)
    return new["id"]


sa.event.listen(Session, "before_flush", name_everybody)
