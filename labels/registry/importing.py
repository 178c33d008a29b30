"""Brings the registry's files into the record: all of them, or nothing."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import Fault, InvalidInput
from labels.people.leaving import Left
from labels.record.engine import Record
from labels.record.schema import Base
from labels.registry.bulk import copy_rows, cycles_left_alone, insert_columns
from labels.registry.entering import Correction
from labels.registry.facts import Facts
from labels.registry.files import FORMATS, Objection, RegistryFile, registry_files, shown
from labels.registry.filling import Filled, fill_empty, kept_columns, kept_value, with_award_ids
from labels.registry.identity import Identities
from labels.registry.indexes import indexes_made_late
from labels.registry.letters import Missing, nothing_missing
from labels.registry.owned import Owner, not_owned, without_references
from labels.registry.persons import MADE_IN_SQL, PERSONS, new_person, with_persons
from labels.registry.reading import Chunk, Faults, read_chunks, telling
from labels.registry.search_index import IndexChanges
from labels.registry.staff_file import Named, Own, StaffFile, outside

CACHE_KIB = 128 * 1024
"""What SQLite may keep of the record, and as much of the staged rows, while it imports."""


@dataclass(frozen=True)
class ImportReport:
    """What an import did."""

    files: dict[str, int]
    """The rows of each file that was there."""
    inserted: int
    """Rows that the record did not have."""
    updated: int
    """Rows that it had, with other values."""
    corrections: tuple[Correction, ...] = ()
    """The people to whom mail goes to another address from now on."""
    left: tuple[Left, ...] = ()
    """Who left a staff by the file."""
    returned: tuple[Named, ...] = ()
    """Who had left a staff by a file, and is on it again by this one."""
    no_longer_named: tuple[Named, ...] = ()
    """Who is in the record and no longer in the file of the staff; they stay as they are."""
    still_named: tuple[Named, ...] = ()
    """Who is in the file of the staff though they left it, as somebody said elsewhere; they are not brought in."""
    remarks: tuple[Fault, ...] = ()
    """What looks wrong and was taken all the same: letters that were lost or that nothing prints, and facts that
    contradict each other."""
    moved: int = 0
    """The teachers who are in another school than before; what they did before stays with the former one."""

    @property
    def rows(self) -> int:
        """The rows of all files together."""
        return sum(self.files.values())


class Following:
    """What follows an import within its transaction; by itself, nothing does."""

    owner: Owner | None = None
    """Whose platform brings the rows in, where it is not the operator who does."""

    def begun(self, session: Session) -> object:
        """It begins; what is raised takes it back."""

    def done(self, session: Session, report: ImportReport) -> object:
        """It is about to be committed."""

    def corrected(self, session: Session, corrections: Sequence[Correction]) -> object:
        """People have other addresses."""

    def left(self, session: Session, left: Sequence[Left]) -> object:
        """People left a staff."""


def import_registry(
    record: Record,
    folder: Path,
    today: date,
    progress: Callable[[str, int], None] | None = None,
    missing: Missing = nothing_missing,
    *,
    following: Following | None = None,
) -> ImportReport:
    """Loads or updates the registry from the CSV, XLSX or ODS files in `folder`, in one transaction.

    A file may be absent; rows that the record has and the files have not stay as they are. After each
    few thousand rows `progress` is told the file's name and how many of its rows were read. `missing` tells
    which letters of a name can't be printed.

    Raises:
        InvalidInput: a file, row or value is wrong; every fault is named (of very many the first
            thousand) and nothing was changed.
        OutOfReach: the database does not answer; nothing was changed.
    """
    present = _present(folder, today)
    owner = following.owner if following else None
    if owner:
        present = [(rank, without_references(file, owner), path) for rank, file, path in present]
    faults = Faults(missing)
    with cycles_left_alone(), record.writing() as session:
        connection = session.connection()
        filled = Filled({}, {})
        if connection.dialect.name == "sqlite":
            _make_room(connection)
        if following:
            following.begun(session)
        if connection.dialect.name == "sqlite" and owner is None:
            most = [one for one in present if one[1].table != "staff"]
            filled = (fill_empty(connection, most, faults, progress) if most else None) or Filled({}, {})
            if not filled.counts:
                faults = Faults(missing)
        staging = _Staging(connection)
        left_over = [one for one in present if one[1].name not in filled.counts]
        counts = filled.counts | {
            file.name: staging.fill(rank, file, path, faults, progress) for rank, file, path in left_over
        }
        staging.check(faults)
        if owner:
            for rank, file, _ in present:
                for line, column, objection in not_owned(connection, owner, file):
                    faults.add(rank, file.name, line, column, objection)
        faults.refuse("import")
        inserted, updated = sum(filled.counts.values()), 0
        # Of whom a platform speaks is no more certain than its word: coordinators say who is one person.
        people = Identities(
            connection, today, everybody_new=bool(filled.counts), joins=owner is None or owner.central
        )
        index = IndexChanges(connection, {file.table for _, file, _ in left_over})
        index.note()
        staff = None
        facts = Facts(
            connection,
            today,
            present,
            faults,
            lambda table, column: filled.has(table, column) or staging.has(table, column),
        )
        for _, file, _ in left_over:
            if file.table == "staff":
                staff = StaffFile(people.persons, partial(staging.has, "staff"))
                staff.settle()
            elif file.table in PERSONS:
                people.settle(file.table)
            if file.table == "award":
                staging.recognise_awards()
            facts.before(file.table)
            new, changed = staging.merge(file, counts[file.name])
            inserted, updated = inserted + new, updated + changed
            facts.after(file.table)
        people.finish()
        index.finish()
        if staff:
            staff.finish()
        facts.finish()
        corrections, left = tuple(people.persons.corrections), tuple(staff.left if staff else ())
        if following and corrections:
            following.corrected(session, corrections)
        if following and left:
            following.left(session, left)
        staging.drop()
        if connection.dialect.name == "postgresql":
            for table in ("search_word", *(file.table for _, file, _ in present)):
                # Its own statistics come minutes later, and the first check of every school would take hours.
                connection.exec_driver_sql(f"ANALYZE {table}")
        report = ImportReport(
            {file.name: counts[file.name] for _, file, _ in present},
            inserted,
            updated,
            corrections,
            left,
            returned=tuple(staff.returned if staff else ()),
            no_longer_named=tuple(staff.no_longer_named if staff else ()),
            still_named=tuple(staff.still_named if staff else ()),
            remarks=faults.remarks,
            moved=facts.moved,
        )
        if following:
            following.done(session, report)
    return report


def import_staff(
    session: Session, path: Path, own: Own, today: date, missing: Missing, following: Following
) -> ImportReport:
    """Brings in a file of one organisation's staff, as its own coordinators may: nothing in it is of others.

    Within a transaction, which the caller takes back where it is refused, or only tried out.

    Raises:
        InvalidInput: a row or value is wrong, or not this organisation's; every fault is named.
    """
    connection = session.connection()
    [file] = (one for one in registry_files(today) if one.table == "staff")
    # Whether another organisation's school or staff is known is nobody's to learn: `outside` has the checks.
    file = replace(file, name=path.name, columns=tuple(replace(column, of="") for column in file.columns))
    faults, staging = Faults(missing), _Staging(connection)
    count = staging.fill(0, file, path, faults, None)
    staging.check(faults)
    for line, column, objection in outside(connection, own):
        faults.add(0, file.name, line, column, objection)
    faults.refuse("staff")
    people = Identities(connection, today, everybody_new=False)
    staff = StaffFile(people.persons, partial(staging.has, "staff"), own=own)
    staff.settle()
    for line, column, objection in staff.refused:
        faults.add(0, file.name, line, column, objection)
    faults.refuse("staff")
    inserted, updated = staging.merge(file, count)
    people.finish()
    staff.finish()
    if people.persons.corrections:
        following.corrected(session, people.persons.corrections)
    if staff.left:
        following.left(session, staff.left)
    staging.drop()
    session.expire_all()  # the rows went behind the session's back
    return ImportReport(
        {file.name: count},
        inserted,
        updated,
        tuple(people.persons.corrections),
        tuple(staff.left),
        returned=tuple(staff.returned),
        no_longer_named=tuple(staff.no_longer_named),
        still_named=tuple(staff.still_named),
        remarks=faults.remarks,
    )


def _present(folder: Path, today: date) -> list[tuple[int, RegistryFile, Path]]:
    """The registry's files that are there, each with its place in their order and called as it is.

    Raises:
        InvalidInput: there is none, or one in two formats.
    """
    files = registry_files(today)
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_file() and path.suffix.lower() in FORMATS:
            found[path.stem.lower()].append(path)
    present = [
        (rank, replace(file, name=path.name), path)
        for rank, file in enumerate(files)
        for path in found[file.stem]
    ]
    if not present:
        names = ", ".join(file.name for file in files)
        problem = "holds no registry file." if folder.is_dir() else "is not a folder."
        raise InvalidInput("import", [Fault(str(folder), problem, f"Expected a folder with {names}.")])
    if twice := [paths for paths in found.values() if len(paths) > 1]:
        faults = [
            Fault(paths[-1].name, f"is there beside {paths[0].name}.", "Keep the one that counts.")
            for paths in twice
        ]
        raise InvalidInput("import", faults)
    return present


def _make_room(connection: sa.Connection) -> None:
    """Gives SQLite a larger cache, and takes the check of each single reference from it.

    Both are for this import alone: its connection does not go back to the pool, and is closed at the
    end. References are checked as sets before anything is kept; one by one, in the order of the
    files, they would take half of an import's time.
    """
    connection.detach()
    # SQLite changes this only between transactions. Nothing has been read in this one yet.
    connection.exec_driver_sql("COMMIT")
    connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    for schema in ("main", "temp"):
        connection.exec_driver_sql(f"PRAGMA {schema}.cache_size=-{CACHE_KIB}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


class _Staging:
    """The files' rows as they stand, in temporary tables with their lines, to be checked as sets.

    What is compared and moved there is said once, in SQL that both databases understand.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._sqlite = connection.dialect.name == "sqlite"
        self._files: dict[str, tuple[int, RegistryFile]] = {}
        self._absent: dict[str, frozenset[str]] = {}
        """Optional columns that a table's file has not."""
        self._partial: set[str] = set()
        """Tables whose file could not be read to its end: what refers to them can't be judged."""
        self._unsound: set[str] = set()

    def fill(
        self,
        rank: int,
        file: RegistryFile,
        path: Path,
        faults: Faults,
        progress: Callable[[str, int], None] | None,
    ) -> int:
        """Stages a file; returns how many rows it has."""
        self._files[file.table] = rank, file
        extra = _EXTRA.get(file.table, ())
        names = (*file.names, *extra)
        key = self._key(file)
        columns = ", ".join(f'"{name}" TEXT NOT NULL' for name in names)
        table = f"staged_{file.table}"
        if self._sqlite:
            # Clustered by the key: repeated keys lie side by side, and the record is filled in its order.
            self._run(
                f"CREATE TEMP TABLE {table} ({columns}, line INTEGER NOT NULL, PRIMARY KEY ({key}, line))"
                " WITHOUT ROWID"
            )
        else:
            self._run(f"CREATE TEMP TABLE {table} ({columns}, line INTEGER NOT NULL) ON COMMIT DROP")
        before = faults.count
        chunks = telling(read_chunks(path, file, rank, faults), file, progress)
        count = self._append(file, (*names, "line"), chunks)
        if faults.count > before:
            self._unsound.add(file.table)
            if file.name in faults.cut_short:
                self._partial.add(file.table)
        if not self._sqlite:
            self._run(f"ANALYZE {table}")
        return count

    def has(self, table: str, column: str) -> bool:
        """Whether a table's file is there and has an optional column."""
        return table in self._files and column not in self._absent.get(table, frozenset())

    def _append(self, file: RegistryFile, names: Sequence[str], chunks: Iterator[Chunk]) -> int:
        """Puts the rows of a file into its table, whose columns have these names; returns how many there were."""
        table = f"staged_{file.table}"
        counts: list[int] = []

        def prepared(chunk: Chunk) -> Chunk:
            counts.append(len(chunk.lines))
            if file.table == "award":
                return _with_kinds(with_award_ids(chunk))
            return with_persons(chunk) if file.table == "staff" else chunk

        first = next(chunks, None)
        self._absent[file.table] = absent = first.absent if first else frozenset()
        staged = map(prepared, itertools.chain([first] if first else (), chunks))
        if self._sqlite:
            said = [place for place, name in enumerate(names) if name not in absent]
            kept = dict.fromkeys(names, "''")
            kept |= {names[place]: f"{{{number}}}" for number, place in enumerate(said)}
            columns = ([[*chunk.columns, chunk.lines][place] for place in said] for chunk in staged)
            insert_columns(self._connection, table, kept, columns)
        else:
            copy_rows(self._connection, table, itertools.chain.from_iterable(map(_without_nul, staged)))
        return sum(counts)

    def check(self, faults: Faults) -> None:
        """Adds what is wrong between rows: repeated keys, and references to nothing."""
        for table, (rank, file) in self._files.items():
            for line, problem, remedy, name in self._repeated(file):
                faults.add(rank, file.name, line, name, Objection(problem, remedy))
            for column in file.columns:
                if column.of and column.of not in self._partial and self.has(file.table, column.name):
                    for line, value in self._dangling(table, column.name, column.of):
                        problem = f"{shown(value)} is no {column.of}, neither in the files nor in the record."
                        remedy = f"Correct it, or add the {column.of} to {self._file_of(column.of)}."
                        faults.add(rank, file.name, line, column.name, Objection(problem, remedy))
        if "award" in self._files and not self._partial & {"member", "teacher", "project"}:
            rank, file = self._files["award"]
            for line, teacher, project in self._awarded_to_others():
                problem = f"{shown(teacher)} is no member of {shown(project)}, neither in the files nor in the record."
                remedy = f"Correct it, or add the membership to {self._file_of('member')}."
                faults.add(rank, file.name, line, "teacher", Objection(problem, remedy))
        if "staff" in self._files:
            rank, file = self._files["staff"]
            for line, first, one in self._two_of_one_id():
                problem = f"{shown(one)} stands on line {first} already, in the same role."
                faults.add(rank, file.name, line, "staff", Objection(problem, "Keep one of the rows."))
        if "member" in self._files and not self._unsound & {"member", "project"}:
            rank, file = self._files["member"]
            for line, joined, ended in self._joined_late():
                problem = f"{joined} is after the project's end, {ended}."
                faults.add(rank, file.name, line, "joined_on", Objection(problem, "Correct one of them."))

    def _repeated(self, file: RegistryFile) -> Iterator[tuple[int, str, str, str]]:
        key = self._key(file)
        table = f"staged_{file.table}"
        named = [name for name in file.key if name != "awarded_on"]
        columns = ", ".join(f's."{name}"' for name in named)
        both = " AND ".join(f"s.{name} = r.{name}" for name in key.split(", "))
        compared = (
            "s.school, (SELECT f.school FROM staged_teacher f WHERE f.teacher = s.teacher AND f.line = r.first)"
            if file.table == "teacher"
            else "'', ''"
        )
        sound = " WHERE same <> ''" if file.table == "award" else ""
        found = self._run(
            f"SELECT s.line, r.first, {compared}, {columns} FROM {table} s JOIN"
            f" (SELECT {key}, min(line) AS first FROM {table}{sound} GROUP BY {key} HAVING count(*) > 1) r"
            f" ON {both} WHERE s.line > r.first ORDER BY s.line"
        )
        for line, first, school, former, *values in found:
            if not all(values) and file.table != "award":
                continue  # empty: told already
            what = " and ".join(shown(value) for value in values if value)
            if school != former:
                problem = (
                    f"{what} is in school {shown(former)} on line {first}; a teacher belongs to one school."
                )
                yield line, problem, "Keep the row with the present school.", "school"
            else:
                yield line, f"{what} stands on line {first} already.", "Keep one of the rows.", named[0]

    def _dangling(self, table: str, column: str, of: str) -> Iterator[tuple[int, str]]:
        staged = (
            f'AND NOT EXISTS (SELECT 1 FROM staged_{of} r WHERE r."{of}" = s."{column}")'
            if of in self._files
            else ""
        )
        found = self._run(
            f'SELECT s.line, s."{column}" FROM staged_{table} s WHERE s."{column}" <> \'\' {staged}'
            f' AND NOT EXISTS (SELECT 1 FROM {of} r WHERE r.id = s."{column}") ORDER BY s.line'
        )
        yield from ((line, value) for line, value in found)

    def _awarded_to_others(self) -> Iterator[tuple[int, str, str]]:
        """Awards for a project to a teacher who is not in it; both are known, or that is a fault already."""
        found = self._run(
            "SELECT s.line, s.teacher, s.project FROM staged_award s"
            " WHERE s.label <> 'school' AND s.teacher <> '' AND s.project <> ''"
            f" AND ({self._known('teacher', 's.teacher')}) AND ({self._known('project', 's.project')})"
            " AND NOT EXISTS (SELECT 1 FROM member m WHERE m.project = s.project AND m.teacher = s.teacher)"
            + (
                " AND NOT EXISTS (SELECT 1 FROM staged_member m"
                " WHERE m.project = s.project AND m.teacher = s.teacher)"
                if "member" in self._files
                else ""
            )
            + " ORDER BY s.line"
        )
        yield from ((line, teacher, project) for line, teacher, project in found)

    def _known(self, table: str, key: str) -> str:
        known = f"EXISTS (SELECT 1 FROM {table} r WHERE r.id = {key})"
        if table in self._files:
            known += f' OR EXISTS (SELECT 1 FROM staged_{table} r WHERE r."{table}" = {key})'
        return known

    def _two_of_one_id(self) -> Iterator[tuple[int, int, str]]:
        """Rows that give one person of a staff a role twice; told already where the address is the same, too."""
        found = self._run(
            "SELECT s.line, r.line AS first, s.staff FROM staged_staff s JOIN staged_staff r ON r.line < s.line"
            " AND r.organisation = s.organisation AND r.staff = s.staff AND r.role = s.role"
            " AND r.email <> s.email WHERE s.staff <> '' ORDER BY s.line"
        )
        yield from ((row.line, row.first, row.staff) for row in found)

    def _joined_late(self) -> Iterator[tuple[int, str, str]]:
        ends = (
            "SELECT id AS project, CAST(ended_on AS TEXT) AS ended_on FROM project WHERE ended_on IS NOT NULL"
        )
        if "project" in self._files:
            ends = (
                "SELECT project, ended_on FROM staged_project WHERE ended_on <> ''"
                f" UNION ALL {ends} AND NOT EXISTS"
                " (SELECT 1 FROM staged_project p WHERE p.project = project.id)"
            )
        found = self._run(
            f"SELECT s.line, s.joined_on, e.ended_on FROM staged_member s JOIN ({ends}) e"
            " ON e.project = s.project WHERE s.joined_on > e.ended_on ORDER BY s.line"
        )
        yield from ((line, joined, ended) for line, joined, ended in found)

    def merge(self, file: RegistryFile, count: int) -> tuple[int, int]:
        """Inserts what is new and updates what differs; returns how many of each."""
        table = Base.metadata.tables[file.table]
        empty = self._run(f"SELECT 1 FROM {table.name} LIMIT 1").first() is None
        before = 0 if empty else self._run(f"SELECT count(*) FROM {table.name}").scalar_one()
        pairs = {
            column.name: kept_value(column, f's."{name}"', self._sqlite)
            for name, column in zip(file.names, kept_columns(file), strict=True)
            if self.has(file.table, name)
        }
        if file.table == "award":
            pairs = {"id": "id", **pairs}
        elif file.table == "staff":
            pairs["person"] = "s.person"
            if self.has(file.table, "left_on"):
                pairs["left_by"] = "NULLIF(s.left_by, '')"
        others = [column for column in pairs if column not in _key_columns(table)]
        if file.table in MADE_IN_SQL:
            pairs[PERSONS[file.table]] = new_person(file.table, f's."{file.key[0]}"')
        into = ", ".join(f'"{column}"' for column in pairs)
        keys = _key_columns(table)
        insert = (
            f"INSERT INTO {table.name} ({into}) SELECT {', '.join(pairs.values())}"
            f" FROM staged_{file.table} s"
            + (" WHERE s.id <> ''" if file.table == "award" else " WHERE true")
            + f" ORDER BY {self._key(file)}"
        )
        if empty:
            with indexes_made_late(self._connection, table, count):
                inserted = self._run(insert).rowcount
            return inserted, 0
        differs = "IS NOT" if self._sqlite else "IS DISTINCT FROM"
        now = ", ".join(f'{table.name}."{column}"' for column in others)
        news = {column: f'excluded."{column}"' for column in others}
        if file.table in _STAYS and _STAYS[file.table] in news:
            column = _STAYS[file.table]
            news[column] = f'coalesce(excluded."{column}", {table.name}."{column}")'
        then = ", ".join(news.values())
        changes = ", ".join(f'"{column}" = {value}' for column, value in news.items())
        touched = self._run(
            f"{insert} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes} WHERE ({now}) {differs} ({then})"
        ).rowcount
        inserted = self._run(f"SELECT count(*) FROM {table.name}").scalar_one() - before
        return inserted, touched - inserted

    def recognise_awards(self) -> None:
        """Gives staged awards the identifiers under which the record has them.

        What was decided here is known by its application, and the file says nothing new about it. A date
        put right in the file changes the award it was given for, and makes no second one.
        """
        same = (
            "a.label = staged_award.label AND a.teacher = staged_award.teacher"
            " AND a.project = staged_award.project AND staged_award.label <> 'school'"
        )
        self._run(
            f"UPDATE staged_award SET id = (SELECT min(CASE WHEN EXISTS (SELECT 1 FROM application p"
            f" WHERE p.id = a.id) THEN '' ELSE a.id END) FROM award a WHERE {same})"
            f" WHERE EXISTS (SELECT 1 FROM award a WHERE {same})"
        )
        self._run(
            "UPDATE staged_award SET id = '' FROM award a JOIN application p ON p.id = a.id"
            " WHERE a.label = 'school' AND staged_award.label = 'school' AND a.school = staged_award.school"
            " AND CAST(a.awarded_on AS TEXT) = staged_award.awarded_on"
        )

    def drop(self) -> None:
        """Removes the staged rows, from a connection that others will use."""
        for table in self._files:
            self._run(f"DROP TABLE staged_{table}")

    def _run(self, statement: str) -> sa.CursorResult[Any]:
        return self._connection.exec_driver_sql(statement)

    def _file_of(self, table: str) -> str:
        return next(file.name for file in registry_files(date.min) if file.table == table)

    @staticmethod
    def _key(file: RegistryFile) -> str:
        return "same" if file.table == "award" else ", ".join(file.key)


_STAYS = {"member": "school", "award": "school"}
"""What a file may leave empty without taking it out of the record: a fact of its time, which does not change."""

_EXTRA = {"award": ("id", "same"), "staff": ("person", "left_by")}
"""What is staged of a file's rows beside their values."""


def _key_columns(table: sa.Table) -> list[str]:
    return [column.name for column in table.primary_key]


def _without_nul(chunk: Chunk) -> Iterator[tuple[object, ...]]:
    """The rows without the character of code nought, which was refused already; PostgreSQL can't even stage it."""
    columns = [
        [value.replace("\0", "") for value in column] if "\0" in "".join(column) else column
        for column in chunk.columns
    ]
    return zip(*columns, chunk.lines, strict=True)


def _with_kinds(chunk: Chunk) -> Chunk:
    """The awards with what tells two of one kind apart, or nothing where that is not filled in.

    A label for a project is awarded to a teacher once; a school's is awarded again when it has run out.
    """
    labels, teachers, projects, schools, _, days, *_ = chunk.columns
    kinds: list[str] = []
    for label, teacher, project, school, day in zip(labels, teachers, projects, schools, days, strict=True):
        what = (school, day) if label == "school" else (teacher, project)
        kinds.append("\x1f".join((label, *what)) if label and all(what) else "")
    return chunk._replace(columns=[*chunk.columns, kinds])
