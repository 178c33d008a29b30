"""Schools that people left, noted when a file finds them in another one: what was before stays where it was."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import sqlalchemy as sa

from labels.record.schema import FormerSchool, FormerStaffSchool
from labels.registry.files import Objection
from labels.registry.reading import Faults

_TEACHER = cast("sa.Table", FormerSchool.__table__)
_STAFF = cast("sa.Table", FormerStaffSchool.__table__)


@dataclass(frozen=True, slots=True)
class Moves:
    """Compares staged rows with those of the record before they are merged, and keeps the schools that were."""

    connection: sa.Connection
    today: date
    """From this day on a teacher is in the new school, where the file does not say since when."""
    faults: Faults

    def of_teachers(self, rank: int, file: str, dated: bool) -> int:
        """Notes the schools that teachers left; returns how many did. `dated`: the file may say since when."""
        moved = self._run(
            "SELECT s.teacher, s.school, s.school_since, s.line, t.school AS former FROM staged_teacher s"
            " JOIN teacher t ON t.id = s.teacher WHERE t.school <> s.school ORDER BY s.teacher"
        ).all()
        history = self._history() if moved or dated else {}
        new, gone = [], []
        for row in moved:
            earlier = history.get(row.teacher, [])
            last = earlier[-1].until if earlier else date.min
            said = _day(row.school_since)
            if said and said <= last:
                problem = (
                    f"{row.teacher} is in {row.school} since {said}, but came to {row.former} on {last} only."
                )
                remedy = f"Taken as since {max(self.today, last)}; correct it if that is wrong."
                self.faults.remark(rank, file, row.line, "school_since", Objection(problem, remedy))
            until = said if said and said > last else max(self.today, last)
            if until > last:
                new.append({"teacher": row.teacher, "until": until, "school": row.former})
            elif earlier[-1].school == row.school:  # back on the same day: they were never away
                gone.append({"whom": row.teacher, "day": until})
        if new:
            self.connection.execute(sa.insert(_TEACHER), new)
        if gone:
            self.connection.execute(
                sa.delete(_TEACHER).where(
                    _TEACHER.c.teacher == sa.bindparam("whom"), _TEACHER.c.until == sa.bindparam("day")
                ),
                gone,
            )
        if dated:
            self._put_days_right(history)
        return len(moved)

    def _history(self) -> dict[str, list[sa.Row[Any]]]:
        """The former schools of the staged teachers, in the order of time."""
        found: dict[str, list[sa.Row[Any]]] = defaultdict(list)
        staged = sa.table("staged_teacher", sa.column("teacher"))
        query = (
            sa.select(_TEACHER)
            .where(_TEACHER.c.teacher.in_(sa.select(staged.c.teacher)))
            .order_by(_TEACHER.c.teacher, _TEACHER.c.until)
        )
        for row in self.connection.execute(query):
            found[row.teacher].append(row)
        return found

    def _put_days_right(self, history: dict[str, list[sa.Row[Any]]]) -> None:
        """Where a file says since when somebody is in the school that the record has too, that day counts."""
        said = self._run(
            "SELECT s.teacher, s.school_since FROM staged_teacher s JOIN teacher t ON t.id = s.teacher"
            " WHERE t.school = s.school AND s.school_since <> ''"
        )
        changes = []
        for row in said:
            earlier, day = history.get(row.teacher, []), _day(row.school_since)
            before = earlier[-2].until if len(earlier) > 1 else date.min
            if earlier and day and earlier[-1].until != day > before:
                changes.append({"whom": row.teacher, "former": earlier[-1].until, "until": day})
        if changes:
            self.connection.execute(
                sa.update(_TEACHER).where(
                    _TEACHER.c.teacher == sa.bindparam("whom"), _TEACHER.c.until == sa.bindparam("former")
                ),
                changes,
            )

    def of_staff(self) -> None:
        """Notes the schools that the rows of a staff named until now."""
        left = self._run(
            "SELECT t.person, t.school FROM staged_staff s JOIN staff t ON t.email = s.email AND t.role = s.role"
            " WHERE t.school IS NOT NULL AND t.school <> s.school ORDER BY t.person"
        )
        for person, school in sorted({(row.person, row.school) for row in left}):
            keep_school_of_staff(self.connection, person, school, self.today)

    def _run(self, statement: str) -> sa.CursorResult[Any]:
        return self.connection.exec_driver_sql(statement)


def keep_school_of_staff(connection: sa.Connection, person: str, school: str, until: date) -> None:
    """Notes a school that somebody's row of a staff named until a day; the latest day counts."""
    known = connection.execute(
        sa.select(_STAFF.c.until).where(_STAFF.c.person == person, _STAFF.c.school == school)
    ).scalar()
    if known is None:
        connection.execute(sa.insert(_STAFF).values(person=person, school=school, until=until))
    elif known < until:
        connection.execute(
            sa.update(_STAFF).where(_STAFF.c.person == person, _STAFF.c.school == school).values(until=until)
        )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
