"""What an import's files say against each other or against what was: kept as it was, and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from labels.registry.files import Objection, RegistryFile
from labels.registry.reading import Faults

CIRCLE = (
    "WITH RECURSIVE line(school, former) AS (SELECT id, succeeds FROM school WHERE succeeds IS NOT NULL"
    " UNION SELECT l.school, s.succeeds FROM line l JOIN school s ON s.id = l.former WHERE s.succeeds IS NOT NULL)"
    " SELECT school FROM line WHERE school = former"
)
"""The schools that are said to go on from themselves, by way of others."""

_FORMER = (
    "(SELECT f.school FROM former_school f WHERE f.teacher = r.teacher AND f.until > r.{day}"
    " ORDER BY f.until LIMIT 1)"
)


@dataclass(frozen=True, slots=True)
class Contradictions:
    """Looks for them among the staged rows and in the record that they became."""

    connection: sa.Connection
    files: Mapping[str, tuple[int, RegistryFile]]
    """The files that are imported, by their table, each with its place in their order."""
    faults: Faults

    # Before rows are merged

    def keep_former_schools(self, table: str) -> None:
        """Keeps the school of an award or a membership where the file has but the school to which its teacher went since.

        A file that is written from today's rows alone says that of everything.
        """
        same, day = {
            "award": ("r.id = s.id AND s.label <> 'school'", "awarded_on"),
            "member": ("r.project = s.project AND r.teacher = s.teacher", "joined_on"),
        }[table]
        former = _FORMER.format(day=day)
        rows = self._run(
            f"SELECT s.line, s.teacher, s.school AS said, r.{day} AS day, coalesce(r.school, {former}) AS kept"
            f" FROM staged_{table} s JOIN {table} r ON {same} JOIN teacher t ON t.id = s.teacher"
            f" WHERE s.school <> '' AND s.school = t.school AND coalesce(r.school, '') <> s.school"
            f" AND {former} IS NOT NULL ORDER BY s.line"
        ).all()
        rank, file = self.files[table]
        for row in rows:
            if row.kept != row.said:
                self._run(f"UPDATE staged_{table} SET school = '' WHERE line = {row.line:d}")
                self.faults.remark(
                    rank,
                    file.name,
                    row.line,
                    "school",
                    Objection(
                        f"{row.teacher} teaches at {row.said} now, and was at {row.kept} on {row.day}: that is kept.",
                        "If they were there already, say since when in teachers.csv (school_since).",
                    ),
                )

    def refuse_circles(self) -> None:
        """Adds a fault for each staged school that goes on from itself, once the schools are merged.

        Raises:
            InvalidInput: there is such a school.
        """
        rank, file = self.files["school"]
        for line, school, former in self._run(
            f"SELECT s.line, s.school, s.succeeds FROM staged_school s WHERE s.school IN ({CIRCLE}) ORDER BY s.line"
        ).all():
            problem = f"{school} is said to go on from {former}, and {former} from {school}, perhaps by way of others."
            self.faults.add(rank, file.name, line, "succeeds", Objection(problem, "Correct one of them."))
        self.faults.refuse("import")

    def tell_members_gone(self) -> None:
        """Names the members of the file's projects whom the record has and the file has not."""
        rank, file = self.files["member"]
        rows = self._run(
            "SELECT m.project, m.teacher FROM member m WHERE m.left_on IS NULL"
            " AND m.project IN (SELECT project FROM staged_member) AND NOT EXISTS"
            " (SELECT 1 FROM staged_member s WHERE s.project = m.project AND s.teacher = m.teacher)"
            " ORDER BY m.project, m.teacher"
        )
        for project, teacher in rows:
            problem = f"{teacher} is in the record and no longer in the file; they stay a member."
            remedy = "If they left, say when (left_on)."
            self.faults.remark(rank, file.name, 0, project, Objection(problem, remedy))

    # Afterwards

    def tell(self, dated: bool) -> None:
        """Names what does not go together in the record; `dated`: files said since when teachers are in a school."""
        if self._concerns("award", "member"):
            self._tell(
                "award",
                "SELECT a.project, a.teacher, a.label, a.awarded_on, m.joined_on AS other FROM award a JOIN member m"
                " ON m.project = a.project AND m.teacher = a.teacher"
                " WHERE a.label <> 'school' AND m.joined_on > a.awarded_on ORDER BY a.id",
                "the {label} label of {teacher} is of {awarded_on}, and they joined the project on {other} only.",
                "Correct one of the dates.",
            )
            self._tell(
                "award",
                "SELECT a.project, a.teacher, a.label, a.awarded_on, m.left_on AS other FROM member m"
                " JOIN project p ON p.id = m.project"
                " JOIN award a ON m.project = a.project AND m.teacher = a.teacher"
                " WHERE a.label <> 'school' AND m.left_on < a.awarded_on"
                " AND (p.ended_on IS NULL OR m.left_on < p.ended_on) ORDER BY a.id",
                "the {label} label of {teacher} is of {awarded_on}, and they left the project on {other}, before it ended.",
                "Correct one of the dates, if one is wrong.",
            )
        if self._concerns("school", "teacher"):
            self._tell(
                "school",
                "SELECT succeeds AS project, min(id) AS one, max(id) AS other FROM school WHERE succeeds IS NOT NULL"
                " GROUP BY succeeds HAVING count(*) > 1 ORDER BY succeeds",
                "it goes on as {one} and as {other}: what it earned counts for both.",
                "Name one, unless it was parted.",
            )
            self._tell(
                "school",
                "SELECT s.succeeds AS project, min(s.id) AS one, count(DISTINCT t.id) AS other FROM school s"
                " JOIN teacher t ON t.school = s.succeeds WHERE s.succeeds IS NOT NULL"
                " GROUP BY s.succeeds ORDER BY s.succeeds",
                "it goes on as {one}; teachers who are still in it: {other}.",
                "Name their new school in teachers.csv.",
            )
        if dated and self._concerns("member", "teacher"):
            self._tell(
                "member",
                "SELECT r.project, r.teacher, r.joined_on AS other, t.school, t.school_since FROM teacher t"
                " JOIN member r ON r.teacher = t.id WHERE t.school_since > r.joined_on AND r.school IS NULL"
                f" AND {_FORMER.format(day='joined_on')} IS NULL ORDER BY r.project, r.teacher",
                "{teacher} joined on {other} and is at {school} since {school_since}; where they were then is not known,"
                " so {school} counts.",
                "Say the school of that time in members.csv (school).",
            )

    def _concerns(self, *tables: str) -> bool:
        return any(table in self.files for table in tables)

    def _tell(self, table: str, query: str, problem: str, remedy: str) -> None:
        rank, name = -1, f"{table}s.csv"
        if table in self.files:
            rank, name = self.files[table][0], self.files[table][1].name
        for row in self._run(query):
            values: dict[str, Any] = dict(row._mapping)
            where = values.pop("project")
            self.faults.remark(rank, name, 0, where, Objection(problem.format(**values), remedy))

    def _run(self, statement: str) -> sa.CursorResult[Any]:
        return self.connection.exec_driver_sql(statement)
