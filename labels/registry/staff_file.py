"""Who the people of `staff.csv` are, who of them left or came back, and who is no longer in it.

A row is its person's by the organisation's own id where the file has one, else by address and role; one whose
address changed is recognised as docs/persons.md says. Nothing here decides by a name alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from labels.identifiers import person_id
from labels.people.leaving import Left, forget_former, take_effect
from labels.people.likeness import index_keys, same
from labels.people.staff import OPERATOR, REGISTRY
from labels.record.schema import Base, FormerStaff, Organisation, School, Staff, Teacher
from labels.registry.entering import PersonRows
from labels.registry.files import Objection, shown
from labels.registry.moves import keep_school_of_staff
from labels.words.sentences import say

Row = sa.Row[Any]
Key = tuple[str, str]
"""Address and role."""
_AWAY = ("away_from", "away_until")


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody of a staff as a report names them."""

    name: str
    email: str
    role: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Own:
    """The one staff that its coordinators bring a file in for, and how much of it the file says."""

    organisation: str
    whole: bool = True
    """Whether the file is of the whole staff; one entry alone says nothing of anybody else."""
    entry: Key | None = None
    """Of one entry alone: which one of the record it takes the place of; None where it is a new one."""


def _key(row: Row) -> Key:
    return row.email, row.role


def _named(row: Row) -> Named:
    return Named(row.name, row.email, row.role, row.organisation)


class StaffFile:
    """The staged rows of a staff while they are held against the record's."""

    def __init__(self, persons: PersonRows, has: Callable[[str], bool], own: Own | None = None) -> None:
        self._persons = persons
        self._own = own
        """Where the staff's own coordinators bring it in: of other staffs, nothing is looked at."""
        self._tells_who_left = has("left_on")
        """Without that column, nobody comes back by being in the file."""
        self._not_told = [one for one in ("languages", "subjects", "ages", *_AWAY) if not has(one)]
        """Columns that the file has not: whoever comes back has there what was known of them."""
        run = persons.connection.execute
        self._known = {_key(row): row for row in run(self._rows_of(Staff))}
        self._former = run(self._rows_of(FormerStaff)).all()
        self._rows = persons.run("SELECT * FROM staged_staff ORDER BY line").all()
        self._gone: set[Key] = set()
        """Staged rows of people who left already: not brought in again."""
        self.left: list[Left] = []
        self.returned: list[Named] = []
        self._back: list[tuple[Row, Row]] = []
        """The staged row of each of these, and the former one."""
        self.no_longer_named: list[Named] = []
        """In the record and no longer in the file; nothing is changed by that alone."""
        self.still_named: list[Named] = []
        """In the file although somebody said on the command line that they left."""
        self.refused: list[tuple[int, str, Objection]] = []
        """What its own coordinators may not change: line, column and why."""

    def _rows_of(self, table: type[Staff] | type[FormerStaff]) -> sa.Select[Any]:
        rows = Base.metadata.tables[table.__tablename__]
        found = sa.select(rows)
        return found.where(rows.c.organisation == self._own.organisation) if self._own else found

    def settle(self) -> None:
        """Finds the person of each row, corrects and enters persons, and takes out rows of those who left before."""
        theirs = self._recognised()
        claimed = {_key(row) for row in theirs.values()}
        staged = {_key(row) for row in self._rows}
        unclaimed = [row for key, row in sorted(self._known.items()) if key not in claimed]
        replaced = [row for row in unclaimed if _key(row) in staged]
        self.no_longer_named = [_named(row) for row in unclaimed if _key(row) not in staged]
        self._end(replaced)
        former = dict(self._recognised_former(theirs))
        self._see_former(former)
        self._find_persons(theirs, former)
        self._carry_over(theirs)
        self._move(theirs)

    def finish(self) -> None:
        """Gives those who are back what was known of them, and lets those leave whose day has come, once the rows are in."""
        self._know_again()
        self.left += [
            Left(
                one.person, one.name, one.email, one.role, one.organisation, one.left_on, self._was_known(one)
            )
            for one in self._due()
        ]

    def _was_known(self, one: Left) -> bool:
        return any((row.person, row.role) == (one.person, one.role) for row in self._known.values())

    def _know_again(self) -> None:
        staff = sa.update(Staff)
        for row, one in self._back:
            known = {name: getattr(one, name) for name in self._not_told}
            if one.id and not row.staff:
                known["id"] = one.id
            if known:
                self._persons.connection.execute(
                    staff.where(Staff.email == row.email, Staff.role == row.role).values(known)
                )

    # Whose a row is --------------------------------------------------------------------------------

    def _recognised(self) -> dict[Key, Row]:
        """The record's row for each staged one that is of somebody in the same role and organisation."""
        if self._own and not self._own.whole:
            entry = self._own.entry
            return {_key(row): self._known[entry] for row in self._rows} if entry else {}
        theirs: dict[Key, Row] = {}
        by_id = {(row.organisation, row.id, row.role): row for row in self._known.values() if row.id}
        for row in self._rows:
            if row.staff and (found := by_id.get((row.organisation, row.staff, row.role))):
                theirs[_key(row)] = found
        claimed = {_key(row) for row in theirs.values()}
        for row in self._rows:
            found = self._known.get(_key(row))
            if found and _key(row) not in theirs and _key(found) not in claimed and not _two_ids(row, found):
                theirs[_key(row)] = found
                claimed.add(_key(found))
        theirs.update(self._moved(theirs))
        return theirs

    def _moved(self, theirs: dict[Key, Row]) -> Iterator[tuple[Key, Row]]:
        """Which other rows are of somebody whom the record has under another address, and under which.

        They have the same name, organisation and role, the row with the former address is gone from the
        file, and there is one such on either side.
        """
        claimed = {_key(row) for row in theirs.values()} | {_key(row) for row in self._rows}
        gone = [row for key, row in self._known.items() if key not in claimed]
        come = [row for row in self._rows if _key(row) not in theirs]
        pairs = list(_namesakes(come, gone))
        for new, old in pairs:
            alone = sum(one is new for one, _ in pairs) == sum(one is old for _, one in pairs) == 1
            if alone and not _two_ids(new, old):
                yield _key(new), old

    def _recognised_former(self, theirs: dict[Key, Row]) -> Iterator[tuple[Key, Row]]:
        for row in self._rows:
            if _key(row) in theirs:
                continue
            for one in self._former:
                if (one.organisation, one.role) != (row.organisation, row.role):
                    continue
                same_id = row.staff and one.id == row.staff
                same_name = one.email == row.email and same(one.name, row.name)
                if same_id or (same_name and not _two_ids(row, one)):
                    yield _key(row), one
                    break

    # Who left and came back ------------------------------------------------------------------------

    def _end(self, replaced: Sequence[Row]) -> None:
        """Whose address and role the file gives to somebody else has left."""
        self._persons.many(
            "UPDATE staff SET left_on = :today, left_by = :by WHERE email = :email AND role = :role",
            [
                {"today": self._persons.today, "by": REGISTRY, "email": row.email, "role": row.role}
                for row in replaced
            ],
        )
        if replaced:
            self.left += self._due()

    def _due(self) -> list[Left]:
        """Those whose day has come, who are on the staff no longer."""
        organisation = self._own.organisation if self._own else ""
        return take_effect(self._persons.connection, self._persons.today, organisation=organisation)

    def _see_former(self, former: dict[Key, Row]) -> None:
        for row in self._rows:
            one = former.get(_key(row))
            if one is None:
                continue
            on = date.fromisoformat(row.left_on) if row.left_on else None
            if on and on <= self._persons.today:
                self._persons.run(
                    "UPDATE former_staff SET left_on = :today"
                    " WHERE person = :person AND organisation = :organisation AND role = :role AND email = :email",
                    today=on,
                    person=one.person,
                    organisation=one.organisation,
                    role=one.role,
                    email=one.email,
                )
                self._gone.add(_key(row))
            elif one.left_by == OPERATOR or not self._tells_who_left:
                self._gone.add(_key(row))
                self.still_named.append(_named(row))
            else:
                if one.school and one.school != row.school:
                    keep_school_of_staff(self._persons.connection, one.person, one.school, one.left_on)
                forget_former(self._persons.connection, [one])
                self.returned.append(_named(row))
                self._back.append((row, one))
        self._persons.many(
            "DELETE FROM staged_staff WHERE email = :email AND role = :role",
            [{"email": email, "role": role} for email, role in sorted(self._gone)],
        )

    # Persons ---------------------------------------------------------------------------------------

    def _find_persons(self, theirs: dict[Key, Row], former: dict[Key, Row]) -> None:
        by_id: dict[tuple[str, str], str] = {}
        by_row: dict[tuple[str, str], tuple[str, str]] = {}
        for row in (*self._former, *self._known.values()):
            if row.id:
                by_id[row.organisation, row.id] = row.person
            by_row[row.email, row.name] = row.person, row.id or ""
        found: dict[Key, str] = {}
        for row in self._rows:
            one = theirs.get(_key(row)) or former.get(_key(row))
            if one is None or _key(row) in self._gone:
                continue
            self._correct(row, one)
            found[_key(row)] = one.person
            by_row[row.email, row.name] = one.person, row.staff
            if row.staff:
                by_id[row.organisation, row.staff] = one.person
        rest = [row for row in self._rows if _key(row) not in found and _key(row) not in self._gone]
        taken = self._persons.taken(row.person for row in rest)
        new: list[dict[str, str]] = []
        for row in rest:
            person = by_id.get((row.organisation, row.staff)) if row.staff else None
            if person is None:
                same, its_id = by_row.get((row.email, row.name), ("", ""))
                person = "" if row.staff and its_id and row.staff != its_id else same
            if not person:
                person = self._free_id(row, taken)
                new.append({"id": person, "name": row.name, "address": row.email, "language": row.language})
            found[_key(row)] = person
            by_row[row.email, row.name] = person, row.staff
            if row.staff:
                by_id[row.organisation, row.staff] = person
        self._persons.enter_free(new)
        self._persons.many(
            "UPDATE staged_staff SET person = :person WHERE email = :email AND role = :role",
            [
                {"person": person, "email": row.email, "role": row.role}
                for row in self._rows
                if (person := found.get(_key(row), row.person)) != row.person
            ],
        )

    def _correct(self, row: Row, former: Row) -> None:
        if self._own and known_elsewhere(self._persons.connection, former.person, self._own.organisation):
            for column in ("name", "email"):
                if getattr(row, column) != getattr(former, column):
                    self.refused.append((row.line, column, _KNOWN_ELSEWHERE))
            return
        how = ""
        if former.email != row.email:
            same_id = row.staff and former.id == row.staff
            how = f" · same id, {row.staff}" if same_id else " · same name, organisation and role"
        names, emails = (former.name, row.name), (former.email, row.email)
        because = f"staff.csv{how} · {row.role} of {row.organisation}"
        self._persons.correct(former.person, names, emails, because)
        self._persons.speaks(former.person, former.language, row.language)

    def _free_id(self, row: Row, taken: set[str]) -> str:
        """The id that the row's own values make; another where somebody else has it who had this address.

        It is `taken` from then on.
        """
        found: str = row.person
        number = 1
        while found in taken:
            number += 1
            found = person_id(row.email, row.name, number)
            taken |= self._persons.taken([found])
        taken.add(found)
        return found

    # Rows ------------------------------------------------------------------------------------------

    def _carry_over(self, theirs: dict[Key, Row]) -> None:
        """What somebody said on the command line, and an id that is known, stay where the file says nothing."""
        for row in self._rows:
            one = theirs.get(_key(row))
            if one is None:
                continue
            if one.id and not row.staff:
                self._persons.run(
                    "UPDATE staged_staff SET staff = :id WHERE email = :email AND role = :role",
                    id=one.id,
                    email=row.email,
                    role=row.role,
                )
            if one.left_by == OPERATOR and not row.left_on:
                self._persons.run(
                    "UPDATE staged_staff SET left_on = :on, left_by = :by WHERE email = :email AND role = :role",
                    on=one.left_on.isoformat(),
                    by=OPERATOR,
                    email=row.email,
                    role=row.role,
                )

    def _move(self, theirs: dict[Key, Row]) -> None:
        """Gives the record's rows their corrected addresses, so that the staged ones are found to be theirs.

        By way of an address that nobody has: two people may have changed places.
        """
        moved = [(key, row) for key, row in theirs.items() if key != _key(row)]
        for number, (_, row) in enumerate(moved):
            self._rename(_key(row), f"\x1f{number}")
        for number, (key, _) in enumerate(moved):
            self._rename((f"\x1f{number}", key[1]), key[0])

    def _rename(self, key: Key, email: str) -> None:
        self._persons.run(
            "UPDATE staff SET email = :email WHERE email = :former AND role = :role",
            email=email,
            former=key[0],
            role=key[1],
        )


# Of one's own staff alone --------------------------------------------------------------------------


_KNOWN_ELSEWHERE = Objection(
    say("This person is known beside your staff, too: name and address stay as they are."),
    say("Whoever keeps the registry of eTwinning changes them there."),
)
"""Whoever reads the mail at a new address could sign in as the teacher or the other country's coordinator."""


def known_elsewhere(connection: sa.Connection, person: str, organisation: str) -> bool:
    """Whether somebody is anything but a member of this organisation's staff."""
    return bool(connection.execute(_ELSEWHERE, {"person": person, "organisation": organisation}).scalar())


_WHOM: sa.BindParameter[str] = sa.bindparam("person")
_ELSEWHERE = sa.select(
    sa.or_(
        sa.exists().where(Teacher.person == _WHOM),
        sa.exists().where(School.principal == _WHOM),
        sa.exists().where(Organisation.person == _WHOM),
        sa.exists().where(Staff.person == _WHOM, Staff.organisation != sa.bindparam("organisation")),
    )
)


def outside(connection: sa.Connection, own: Own) -> Iterator[tuple[int, str, Objection]]:
    """What staged rows name that is not the organisation's own: line, column and why."""
    for row in connection.execute(_OTHERS, {"own": own.organisation}):
        problem = say("{value} is not your organisation.", value=shown(row.organisation))
        yield row.line, "organisation", Objection(problem, say("Write {own}.", own=own.organisation))
    for row in connection.execute(_STRANGE_SCHOOLS, {"own": own.organisation}):
        problem = say("{value} is no school of your organisation.", value=shown(row.school))
        yield row.line, "school", Objection(problem, say("Correct it, or leave it empty."))
    for row in connection.execute(_TAKEN_ADDRESSES, {"own": own.organisation}):
        problem = say("{value} can’t be entered here.", value=shown(row.email))
        yield row.line, "email", Objection(problem, say("Use another address of theirs."))


_OTHERS = sa.text(
    "SELECT line, organisation FROM staged_staff WHERE organisation <> :own AND organisation <> '' ORDER BY line"
)
_STRANGE_SCHOOLS = sa.text(
    "SELECT s.line, s.school FROM staged_staff s WHERE s.school <> ''"
    " AND NOT EXISTS (SELECT 1 FROM school r WHERE r.id = s.school AND r.organisation = :own)"
    " AND NOT EXISTS (SELECT 1 FROM staff t WHERE t.school = s.school AND t.organisation = :own) ORDER BY s.line"
)
_TAKEN_ADDRESSES = sa.text(
    "SELECT s.line, s.email FROM staged_staff s JOIN staff t ON t.email = s.email AND t.role = s.role"
    " WHERE t.organisation <> :own ORDER BY s.line"
)


def _two_ids(one: Row, other: Row) -> bool:
    """Whether the organisation says by its ids that a staged row and one of the record are two people's."""
    return bool(one.staff and other.id and one.staff != other.id)


def _namesakes(come: Sequence[Row], gone: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """Pairs of one name, organisation and role."""
    found: dict[object, list[Row]] = defaultdict(list)
    for row in gone:
        for key in index_keys(row.name):
            found[key, row.organisation, row.role].append(row)
    for row in come if found else ():
        alike = {
            _key(one): one
            for key in index_keys(row.name)
            for one in found.get((key, row.organisation, row.role), ())
        }
        for one in alike.values():
            if same(row.name, one.name):
                yield row, one
