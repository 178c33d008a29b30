"""The staff of one organisation as a list: who, what they can, when they are away or leave, and what each has to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering import own_staff
from labels.answering.own_staff import Entry
from labels.clock import brussels_day
from labels.people.roles import Role
from labels.record.schema import FormerStaff, School
from labels.views.applications import Scope
from labels.views.load import load


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of the staff."""

    entry: Entry
    school_name: str
    languages: tuple[str, ...]
    """All that they read, by their codes."""
    away: bool
    """Whether they are away today."""
    away_from: date | None
    """Where they are away, or will be."""
    away_until: date | None
    left_on: date | None
    open: int
    """Reviews that await them, or wait for an answer; of reviewers alone."""


@dataclass(frozen=True, slots=True)
class StaffShown:
    """A staff, and who left it."""

    members: tuple[Member, ...]
    former: tuple[FormerStaff, ...]


def staff_of(session: Session, organisation: str, now: datetime) -> StaffShown:
    """The staff of an organisation, by name."""
    today = brussels_day(now)
    own = frozenset((organisation,))
    busy = {one.person: one.open + one.waiting for one in load(session, Scope(own, own), now)}
    found = own_staff.entries(session, organisation)
    named = sa.select(School.id, School.name).where(
        School.id.in_({one.school for one in found if one.school})
    )
    schools = {row.id: row.name for row in session.execute(named)}
    return StaffShown(
        tuple(_member(one, today, schools, busy) for one in found),
        tuple(own_staff.former(session, organisation)),
    )


def _member(entry: Entry, today: date, schools: dict[str, str], busy: dict[str, int]) -> Member:
    begins, ends = _day(entry.away_from), _day(entry.away_until)
    gone = ends is not None and ends < today
    return Member(
        entry,
        schools.get(entry.school, ""),
        tuple(dict.fromkeys((entry.language, *filter(None, entry.languages.split(";"))))),
        begins is not None and begins <= today and not gone,
        None if gone else begins,
        None if gone else ends,
        _day(entry.left_on),
        busy.get(entry.person, 0) if entry.role == Role.REVIEWER else 0,
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
