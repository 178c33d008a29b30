"""The registry of a record, copied for a rehearsal: the same schools, projects and labels, and nobody who is real.

Every name, address and number of a person is replaced on the way, so that what is played is about nobody and could
reach nobody. Of what people applied with, nothing is copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.identifiers import person_id
from labels.kinds import LabelKind
from labels.people.roles import Role
from labels.record.schema import (
    Activity,
    Application,
    Award,
    Base,
    Member,
    Organisation,
    Person,
    Project,
    School,
    Staff,
    Teacher,
)

NOWHERE = "rehearsal.invalid"
"""No mail and no browser gets there: the top-level domain is reserved for it (RFC 2606)."""
CENTRAL = "CSS"
_ROWS = 5_000
"""Rows that are in memory together."""


@dataclass(frozen=True)
class Copied:
    """What a rehearsal begins with."""

    schools: int
    teachers: int


def applied_since(session: Session, since: datetime, organisations: Sequence[str]) -> dict[str, int]:
    """How many applied for the National Quality Label since then, by organisation."""
    query = (
        sa.select(Application.organisation, sa.func.count())
        .where(
            Application.label == LabelKind.NATIONAL,
            Application.submitted_at >= since,
            Application.organisation.in_(organisations),
        )
        .group_by(Application.organisation)
    )
    return dict(session.execute(query).tuples().all())


def copy_registry(source: Session, target: Session, organisations: Sequence[str]) -> Copied:
    """The registry of these organisations, with virtual people; both sessions are the caller's to end.

    What of a project's members belongs to other organisations is left out.
    """
    copy = _Copy(source, target, list(organisations))
    copy.offices()
    copied = Copied(copy.schools(), copy.teachers())
    copy.projects()
    copy.activities()
    copy.awards()
    copy.staff()
    return copied


class _Copy:
    def __init__(self, source: Session, target: Session, organisations: list[str]) -> None:
        self._source, self._target = source, target
        self._organisations = organisations
        self._schools: set[str] = set()
        self._teachers: dict[str, str] = {}
        """The copy's number of each teacher, by the record's."""
        self._projects: set[str] = set()

    def _rows(self, table: type[Base], *conditions: sa.ColumnElement[bool]) -> Iterator[dict[str, Any]]:
        columns = table.__table__.c
        query = sa.select(*columns).where(*conditions).order_by(*sa.inspect(table).primary_key)
        for row in self._source.execute(query.execution_options(yield_per=_ROWS)):
            yield dict(zip(columns.keys(), row, strict=True))

    def _put(self, table: type[Base], rows: Iterable[dict[str, Any]]) -> int:
        return put(self._target, table, rows)

    def _virtual(self, name: str, language: str) -> dict[str, str]:
        """Somebody who is nobody, entered as a person."""
        one = somebody(name, language)
        self._put(Person, [one])
        return one

    def offices(self) -> None:
        """All organisations: their names are public, their mailboxes are replaced."""
        for row in list(self._rows(Organisation)):
            one = self._virtual(f"Office {row['id']}", row["language"])
            self._put(Organisation, [row | {"email": one["address"], "person": one["id"]}])

    def schools(self) -> int:
        """The schools, each with a virtual principal."""
        found = self._rows(School, School.organisation.in_(self._organisations))
        for rows in _batches(found):
            self._schools |= {row["id"] for row in rows}
            people = [somebody(f"Principal {row['id']}", "en") for row in rows]
            self._put(Person, people)
            self._put(
                School,
                (
                    row
                    | {"principal_name": one["name"], "principal_email": one["address"]}
                    | {"principal": one["id"], "succeeds": None}
                    for row, one in zip(rows, people, strict=True)
                ),
            )
        return len(self._schools)

    def teachers(self) -> int:
        """The teachers of these schools; each keeps the school, language and subjects."""
        found = self._rows(
            Teacher,
            Teacher.school.in_(sa.select(School.id).where(School.organisation.in_(self._organisations))),
        )
        for rows in _batches(found):
            people = []
            for row in rows:
                number = len(self._teachers) + 1
                self._teachers[row["id"]] = f"T-V{number:07}"
                people.append(somebody(f"Teacher {number}", row["language"]))
            self._put(Person, people)
            self._put(
                Teacher,
                (
                    row
                    | {"id": self._teachers[row["id"]], "name": one["name"]}
                    | {"email": one["address"], "person": one["id"]}
                    for row, one in zip(rows, people, strict=True)
                ),
            )
        return len(self._teachers)

    def projects(self) -> None:
        """The projects of these teachers, and their memberships."""
        own = self._of_teachers(Member)
        for rows in _batches(own):
            new = {row["project"] for row in rows} - self._projects
            self._projects |= new
            for some in _batches(sorted(new)):
                self._put(Project, self._rows(Project, Project.id.in_(some)))
            self._put(
                Member,
                (row | {"school": row["school"] if row["school"] in self._schools else None} for row in rows),
            )

    def activities(self) -> None:
        """What these teachers took part in."""
        for place, rows in enumerate(_batches(self._of_teachers(Activity))):
            self._put(
                Activity,
                (row | {"id": f"A-V{place * _ROWS + number:07}"} for number, row in enumerate(rows)),
            )

    def awards(self) -> None:
        """The labels of these teachers and schools."""
        number = 0
        for row in self._rows(Award, Award.organisation.in_([*self._organisations, CENTRAL])):
            teacher = self._teachers.get(row["teacher"]) if row["teacher"] else None
            whose = teacher is not None or (row["teacher"] is None and row["school"] in self._schools)
            if not whose or (row["project"] and row["project"] not in self._projects):
                continue
            number += 1
            school = row["school"] if row["school"] in self._schools else None
            self._put(Award, [row | {"id": f"AWD-V{number:07}", "teacher": teacher, "school": school}])

    def staff(self) -> None:
        """Those who are on the staff, without days on which somebody is away; of the CSS those who award."""
        number: dict[str, int] = {}
        whose = sa.or_(
            Staff.organisation.in_(self._organisations),
            sa.and_(Staff.organisation == CENTRAL, Staff.role == Role.COORDINATOR),
        )
        people: dict[str, dict[str, str]] = {}
        entered: dict[tuple[str, str], int] = {}
        for row in self._rows(Staff, whose, Staff.left_on.is_(None)):
            if row["person"] not in people:
                number[row["role"]] = number.get(row["role"], 0) + 1
                name = f"{row['role'].capitalize()} {number[row['role']]}"
                people[row["person"]] = self._virtual(name, row["language"])
            one = people[row["person"]]
            school = row["school"] if row["school"] in self._schools else None
            # Who has a role twice has it at two addresses: at another organisation, or as an entry that was not merged.
            before = entered.get((row["person"], row["role"]), 0)
            entered[row["person"], row["role"]] = before + 1
            email = f"{before + 1}.{one['address']}" if before else one["address"]
            virtual = {"email": email, "name": one["name"], "person": one["id"], "school": school}
            none = dict.fromkeys(("id", "left_on", "left_by", "away_from", "away_until"))
            self._put(Staff, [row | virtual | none])

    def _of_teachers(self, table: type[Member] | type[Activity]) -> Iterator[dict[str, Any]]:
        """The rows of these teachers, who are named by the copy's numbers."""
        whose = sa.select(Teacher.id).where(
            Teacher.school.in_(sa.select(School.id).where(School.organisation.in_(self._organisations)))
        )
        for row in self._rows(table, table.teacher.in_(whose)):
            yield row | {"teacher": self._teachers[row["teacher"]]}


def somebody(name: str, language: str) -> dict[str, str]:
    """A virtual person, as a row; the address leads nowhere."""
    address = f"{name.lower().replace(' ', '-')}@{NOWHERE}"
    return {"id": person_id(address, name), "name": name, "address": address, "language": language}


def put(session: Session, table: type[Base], rows: Iterable[Mapping[str, Any]]) -> int:
    """Enters rows; how many."""
    number = 0
    for some in _batches(rows):
        session.execute(sa.insert(table), some)
        number += len(some)
    return number


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    while some := list(islice(left, _ROWS)):
        yield some


# Who judges -------------------------------------------------------------------------------------


def set_reviewers(session: Session, organisation: str, number: int) -> None:
    """Leaves an organisation so many reviewers: the first that it has, and new ones who teach nowhere."""
    there = session.scalars(
        sa.select(Staff)
        .where(Staff.organisation == organisation, Staff.role == Role.REVIEWER)
        .order_by(Staff.email)
    ).all()
    for one in there[number:]:
        session.delete(one)
    language = session.get_one(Organisation, organisation).language
    new = [somebody(f"Additional reviewer {n}", language) for n in range(1, number - len(there) + 1)]
    put(session, Person, new)
    put(
        session,
        Staff,
        [
            {
                "email": one["address"], "role": Role.REVIEWER.value, "name": one["name"], "school": None,
                "organisation": organisation, "language": language, "person": one["id"],
            }
            for one in new
        ],
    )  # fmt: skip


def add_partner(session: Session, organisation: str, since: date) -> str:
    """A virtual teacher in another country, with whom the projects of an organisation are European; the teacher's number."""
    own = session.get_one(Organisation, organisation)
    others = sa.select(Organisation).where(Organisation.country != own.country, Organisation.kind != "CSS")
    other = session.scalars(others.order_by(Organisation.id).limit(1)).first()
    number = f"V-{organisation}"
    office = other.id if other else _office(session, own.country)
    country = session.get_one(Organisation, office).country
    people = [somebody(f"{what} of a partner of {organisation}", "en") for what in ("Principal", "Teacher")]
    put(session, Person, people)
    principal, teacher = people
    put(
        session,
        School,
        [
            {
                "id": f"S-{number}", "name": "Partner School", "country": country, "organisation": office, "city": "Elsewhere",
                "registered_on": since, "principal_name": principal["name"], "principal_email": principal["address"],
                "principal": principal["id"],
            }
        ],
    )  # fmt: skip
    put(
        session,
        Teacher,
        [
            {
                "id": f"T-{number}", "name": teacher["name"], "email": teacher["address"], "school": f"S-{number}",
                "registered_on": since, "language": "en", "person": teacher["id"],
            }
        ],
    )  # fmt: skip
    return f"T-{number}"


def _office(session: Session, other_than: str) -> str:
    """An organisation in another country, where the registry has none."""
    country = "PT" if other_than != "PT" else "PL"
    one = somebody(f"Office NSS-{country}", "en")
    put(session, Person, [one])
    row = {
        "id": f"NSS-{country}", "country": country, "kind": "NSS", "name": "Partner Support", "email": one["address"],
        "language": "en", "person": one["id"],
    }  # fmt: skip
    put(session, Organisation, [row])
    return f"NSS-{country}"
