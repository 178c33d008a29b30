"""What coordinators do with the staff of their own organisation: who is entered, changed, away, and what somebody's leaving moves."""

from __future__ import annotations

import csv
import hashlib
import io
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering import leaving
from labels.answering.following import follow
from labels.answering.leaving import Departure, Whose
from labels.clock import brussels_day
from labels.errors import Fault, InvalidInput, NotAllowed, NotFound
from labels.people.leaving import Left
from labels.record.journal import Event, note
from labels.record.schema import FormerStaff, Organisation, Staff
from labels.registry.entering import Correction
from labels.registry.files import shown
from labels.registry.importing import Following, ImportReport, import_staff
from labels.registry.letters import Missing
from labels.registry.staff_file import Named, Own
from labels.turn import Turn
from labels.words.sentences import say


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a staff as its file has it: texts, empty where nothing is known."""

    email: str
    name: str
    role: str
    language: str
    school: str = ""
    staff: str = ""
    """The organisation's own id of the person."""
    languages: str = ""
    subjects: str = ""
    ages: str = ""
    away_from: str = ""
    away_until: str = ""
    left_on: str = ""
    """The first day without them, where it is still to come."""
    person: str = ""
    """Their id, which a file has not."""

    @property
    def digest(self) -> str:
        """By which it is known whether somebody changed it meanwhile."""
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:16]

    @property
    def id(self) -> str:
        """By which an address of the desk names it: neither name nor address is in it."""
        return entry_id(self.email, self.role)


def entry_id(email: str, role: str) -> str:
    """The id of an entry of some staff with this address and role."""
    return hashlib.sha256(f"{role}\x1f{email}".encode()).hexdigest()[:16]


COLUMNS = tuple(one.name for one in fields(Entry) if one.name != "person")
"""What of an entry stands in a file."""


def entries(session: Session, organisation: str) -> list[Entry]:
    """The staff of an organisation, by name."""
    rows = session.scalars(
        sa.select(Staff)
        .where(Staff.organisation == organisation)
        .order_by(Staff.name, Staff.role, Staff.email)
    )
    return [_entry(row) for row in rows]


def _entry(row: Staff) -> Entry:
    def text(value: object) -> str:
        return value.isoformat() if isinstance(value, date) else str(value or "")

    return Entry(
        **{name: text(getattr(row, "id" if name == "staff" else name)) for name in (*COLUMNS, "person")}
    )


def entry_of(session: Session, organisations: Iterable[str], identifier: str) -> tuple[str, Entry]:
    """An entry of one of these staffs, with whose it is.

    Raises:
        NotFound: there is none, or it is on another staff: nobody learns which.
    """
    for organisation in organisations:
        for one in entries(session, organisation):
            if one.id == identifier:
                return organisation, one
    raise NotFound("There is nobody here.")


# Changes ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Changed:
    """An entry that is another one than before."""

    before: Entry
    after: Entry

    @property
    def columns(self) -> tuple[str, ...]:
        """What of it differs."""
        return tuple(one for one in COLUMNS if getattr(self.before, one) != getattr(self.after, one))


@dataclass(frozen=True, slots=True)
class Changes:
    """What came of a file or a form, or would."""

    entered: tuple[Entry, ...]
    changed: tuple[Changed, ...]
    same: int
    """Rows that say what is known already."""
    departures: tuple[Departure, ...]
    returned: tuple[Named, ...]
    no_longer_named: tuple[Named, ...]
    still_named: tuple[Named, ...]
    remarks: tuple[Fault, ...]

    @property
    def any(self) -> bool:
        """Whether anything is another than before."""
        return bool(self.entered or self.changed or self.departures or self.returned)

    @property
    def word(self) -> str:
        """By which it is known whether it is still what was shown."""
        told = (
            [astuple(one) for one in self.entered],
            [(astuple(one.before), astuple(one.after)) for one in self.changed],
            [(one.person, one.roles, one.left_on.isoformat(), one.applications) for one in self.departures],
            [(one.email, one.role) for one in self.returned],
        )
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _changes(
    before: Sequence[Entry], after: Sequence[Entry], report: ImportReport, departures: Sequence[Departure]
) -> Changes:
    known = {(one.email, one.role): one for one in before}
    left = dict(known)
    entered, changed, came = [], [], []
    for one in after:
        if (former := left.get((one.email, one.role))) and former.person == one.person:
            del left[one.email, one.role]
            if former != one:
                changed.append(Changed(former, one))
        else:
            came.append(one)
    for one in came:
        moved = next(
            (key for key, former in left.items() if (former.person, former.role) == (one.person, one.role)),
            None,
        )
        if moved:
            changed.append(Changed(left.pop(moved), one))
        else:
            entered.append(one)
    back = {(one.email, one.role) for one in report.returned}
    return Changes(
        tuple(one for one in entered if (one.email, one.role) not in back),
        tuple(changed),
        report.rows - len(entered) - len(changed),
        tuple(departures),
        report.returned,
        report.no_longer_named,
        report.still_named,
        report.remarks,
    )


class _Followed(Following):
    """What follows for people who have another address, or left."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self.departures: list[Departure] = []

    def corrected(self, session: Session, corrections: Sequence[Correction]) -> None:
        """What is asked of people follows them to another address."""
        follow(self._turn, corrections)

    def left(self, session: Session, left: Sequence[Left]) -> None:
        """What is asked of people who left goes to others."""
        self.departures += leaving.settle(self._turn, left)


@dataclass(frozen=True, slots=True)
class File:
    """A file of a staff, as it was brought."""

    name: str
    content: bytes


def written(organisation: str, some: Iterable[Entry], columns: Sequence[str] = COLUMNS) -> bytes:
    """A file of some entries of a staff (CSV, UTF-8), as it can be brought in again."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["organisation", *columns])
    writer.writerows([organisation, *(getattr(one, name) for name in columns)] for one in some)
    return text.getvalue().encode()


def bring_in(turn: Turn, own: Own, file: File, missing: Missing) -> Changes:
    """Takes a file over, as the coordinators of its organisation may.

    Raises:
        InvalidInput: what is wrong with it; the caller takes the transaction back.
    """
    # Of two at once, one waits here.
    turn.session.execute(_LOCKED, {"organisation": own.organisation}).all()
    before = entries(turn.session, own.organisation)
    followed = _Followed(turn)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(file.name).name or "staff.csv")
        path.write_bytes(file.content)
        report = import_staff(turn.session, path, own, brussels_day(turn.now), missing, followed)
    changes = _changes(before, entries(turn.session, own.organisation), report, followed.departures)
    for one in changes.entered:
        _note(turn, Event.ENTERED_ON_A_STAFF, own, one)
    for each in changes.changed:
        _note(turn, Event.CHANGED_ON_A_STAFF, own, each.after, what=list(each.columns))
    return changes


_LOCKED = sa.select(Organisation.id).where(Organisation.id == sa.bindparam("organisation")).with_for_update()


def _note(turn: Turn, event: Event, own: Own, entry: Entry, **details: Any) -> None:
    note(
        turn,
        None,
        turn.by,
        event,
        persons=[entry.person],
        organisation=own.organisation,
        role=entry.role,
        **details,
    )


# One entry ----------------------------------------------------------------------------------------


def enter(turn: Turn, organisation: str, entry: Entry, missing: Missing) -> Changes:
    """Enters somebody on the staff.

    Raises:
        InvalidInput: they are on it already, left it, or the entry is not sound.
    """
    _refuse_taken(turn.session, organisation, entry)
    left = turn.session.scalar(
        sa.select(FormerStaff.name).where(
            FormerStaff.organisation == organisation,
            FormerStaff.email == entry.email,
            FormerStaff.role == entry.role,
        )
    )
    if left is not None:
        problem = say("{name} left the staff: have them back, where those are listed who left.", name=left)
        raise InvalidInput("staff", [Fault("email", problem)])
    return bring_in(turn, Own(organisation, whole=False), _of(organisation, entry), missing)


def change(turn: Turn, organisation: str, former: Entry, entry: Entry, missing: Missing) -> Changes:
    """Puts an entry in the place of a former one of the same person.

    Raises:
        InvalidInput: somebody else has that address in that role, or the entry is not sound.
    """
    if entry.email != former.email:
        _refuse_taken(turn.session, organisation, entry)
    own = Own(organisation, whole=False, entry=(former.email, former.role))
    return bring_in(turn, own, _of(organisation, entry), missing)


def _of(organisation: str, entry: Entry) -> File:
    """A file of one entry; of leaving it says nothing, which has a way of its own."""
    columns = [one for one in COLUMNS if one != "left_on"]
    return File("staff.csv", written(organisation, [entry], columns))


def _refuse_taken(session: Session, organisation: str, entry: Entry) -> None:
    row = session.get(Staff, (entry.email, entry.role))
    if row is not None and row.organisation == organisation:
        problem = say("{name} has that address in that role already.", name=row.name)
        raise InvalidInput("staff", [Fault("email", problem)])


# Leaving ------------------------------------------------------------------------------------------


def former(session: Session, organisation: str) -> Sequence[FormerStaff]:
    """Who left the staff of an organisation, the latest first."""
    return session.scalars(
        sa.select(FormerStaff)
        .where(FormerStaff.organisation == organisation)
        .order_by(FormerStaff.left_on.desc(), FormerStaff.name, FormerStaff.role)
    ).all()


def word_of(departures: Iterable[Departure]) -> str:
    """By which it is known whether somebody's leaving moves what was shown."""
    told = [
        (
            one.person,
            one.roles,
            one.stays,
            [(each.application, each.now, each.chooses) for each in one.handed],
        )
        for one in departures
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def leave(turn: Turn, organisation: str, entry: Entry, on: date) -> list[Departure]:
    """Somebody leaves the staff on a day; what is open goes to others then."""
    return leaving.leave(turn, Whose(entry.person, organisation, entry.role), on)


def rejoin(turn: Turn, organisation: str, person: str, role: str) -> None:
    """Somebody who left, or was to, is on the staff as before.

    Raises:
        NotFound: nobody of that name left that staff.
        NotAllowed: somebody else has their address in that role now; who, where it is one of the same staff.
    """
    try:
        leaving.rejoin(turn, Whose(person, organisation, role))
    except leaving.AddressTaken as error:
        if error.now.organisation == organisation:
            problem = say("{name} has that address in that role already.", name=error.now.name)
        else:
            problem = say("{value} can’t be entered here.", value=shown(error.former.email))
        raise NotAllowed(problem) from None
