"""Reads a registry file in chunks of columns, with every fault in the form of its rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from labels.errors import Fault, InvalidInput
from labels.registry.dates import DateOrder, is_doubtful, is_local
from labels.registry.files import Column, Day, Kind, Objection, RegistryFile, Text, shown
from labels.registry.letters import Letters, Missing, nothing_missing
from labels.registry.tables import Block, CutShort, Table, opened, plain_name
from labels.registry.values import Values
from labels.words.text import has_styled_letters, plain_letters

TOLD = 5_000
"""After so many rows the one who waits is told again."""

LISTED_FAULTS = 1_000
"""So many faults are named; of the rest only the number."""


class Faults:
    """What is wrong with the registry's files, and what only looks so: the first in full, the others counted."""

    def __init__(self, missing: Missing = nothing_missing) -> None:
        self.letters = Letters(missing)
        self._listed: list[tuple[int, int, Fault]] = []
        self._remarks: list[tuple[int, int, Fault]] = []
        self.count = 0
        self.remarked = 0
        self.cut_short: set[str] = set()
        """The files that were not read to their end, so that nobody can tell what they hold."""

    def add(self, rank: int, file: str, line: int, column: str, objection: Objection) -> None:
        """Adds a fault of a `file`; `rank` is the file's place among the files."""
        self.count += 1
        if len(self._listed) < LISTED_FAULTS:
            self._listed.append((rank, line, _fault(file, line, column, objection)))

    def remark(self, rank: int, file: str, line: int, column: str, objection: Objection) -> None:
        """Adds what looks wrong and is taken all the same."""
        self.remarked += 1
        if len(self._remarks) < LISTED_FAULTS:
            self._remarks.append((rank, line, _fault(file, line, column, objection)))

    def cut_short_at(self, rank: int, file: str, line: int, objection: Objection) -> None:
        """Adds the fault behind which a file could not be read on."""
        self.cut_short.add(file)
        self.add(rank, file, line, "", objection)

    def refuse(self, subject: str) -> None:
        """Does nothing where there is no fault.

        Raises:
            InvalidInput: there are faults; by file and line.
        """
        if self.count:
            raise InvalidInput(
                subject, _in_order(self._listed, self.count, "faults", "Correct these and import again.")
            )

    @property
    def remarks(self) -> tuple[Fault, ...]:
        """What looks wrong and was taken, by file and line."""
        return tuple(
            _in_order(self._remarks, self.remarked, "values look wrong; they", "Look at these first.")
        )


def _fault(file: str, line: int, column: str, objection: Objection) -> Fault:
    where = f"{file}:{line}" if line else file
    return Fault(where + (f" · {column}" if column else ""), *objection)


def _in_order(listed: list[tuple[int, int, Fault]], count: int, what: str, remedy: str) -> list[Fault]:
    faults = [fault for _, _, fault in sorted(listed, key=lambda entry: entry[:2])]
    if more := count - len(faults):
        faults.append(Fault("the files together", f"{more:,} more {what} are not listed.", remedy))
    return faults


class Chunk(NamedTuple):
    """Some rows of a file, as columns in the contract's order, and the line on which each stands."""

    lines: Sequence[int]
    columns: list[Sequence[str]]
    absent: frozenset[str] = frozenset()
    """The optional columns that the file has not: their values are empty here, and say nothing."""


def read_chunks(path: Path, file: RegistryFile, rank: int, faults: Faults) -> Iterator[Chunk]:
    """The rows of a file, sound or not (what refers to a faulty row must still find it).

    Every fault in the form of the header, the rows and their values is added to `faults`. Where the
    file can't be read on, that is the last; the rows behind it are not read. Rows without any value are none.
    """
    try:
        with opened(path, file.names) as table:
            order = _order_of(table, file, rank, faults)
            if order is None:
                faults.cut_short.add(file.name)
                return
            reading = _Reading(path, file, rank, faults, table, order)
            for block in table.blocks:
                yield reading.chunk(block)
    except CutShort as cut:
        faults.cut_short_at(rank, file.name, cut.line, cut.objection)
    except OSError as error:
        faults.cut_short_at(
            rank, file.name, 0, Objection(f"can't be read: {error.strerror}.", "See to its permissions.")
        )


def telling(
    chunks: Iterator[Chunk], file: RegistryFile, progress: Callable[[str, int], None] | None
) -> Iterator[Chunk]:
    """The same chunks; tells `progress` the file's name and how many rows there were, now and at the end."""
    count = told = 0
    for chunk in chunks:
        yield chunk
        count += len(chunk.lines)
        if progress and count - told >= TOLD:
            progress(file.name, told := count)
    if progress:
        progress(file.name, count)


_UNDECODED = re.compile("[\ud800-\udfff]")
"""What stands for a byte that is not UTF-8, until its fault is told."""

_NO_VALUES = Values(())

_NOT_UTF8 = Objection("is not UTF-8.", "Save the file as “CSV UTF-8” and import again.")


def _order_of(table: Table, file: RegistryFile, rank: int, faults: Faults) -> list[int | None] | None:
    """Where each of the file's columns stands in its rows, if it does; or None for a header that can't be used."""
    expected = f"expected the header {','.join(file.expected)}"
    if more := [name for name in file.names if name not in file.expected]:
        expected += f" (and, if you like, {','.join(more)})"
    header = [plain_name(title) for title in table.header]

    def fault(problem: str, remedy: str, column: str = "") -> None:
        faults.add(rank, file.name, table.line, column, Objection(problem, remedy))

    if not any(header):
        fault(f"has no header; {expected}.", "Put the names of the columns on the first line.")
        return None
    if any(map(_UNDECODED.search, header)):
        fault(*_NOT_UTF8)
        return None
    count = faults.count
    for name, title in dict(zip(header, table.header, strict=True)).items():
        if name and name not in file.names:
            fault(f"{shown(title)} is not a column of this file; {expected}.", "Rename or remove it.")
        elif name and header.count(name) > 1:
            fault(f"stands {header.count(name)} times in the header; expected once.", "Remove one.", name)
    for name in file.expected:
        if name not in header:
            fault(f"is missing; {expected}.", "Add the column.", name)
    if faults.count > count:
        return None
    return [header.index(name) if name in header else None for name in file.names]


class _Reading:
    """One file while it is read."""

    def __init__(
        self, path: Path, file: RegistryFile, rank: int, faults: Faults, table: Table, order: list[int | None]
    ) -> None:
        self._path = path
        self._file = file
        self._rank = rank
        self._faults = faults
        self._order = order
        self._absent = frozenset(name for name, at in zip(file.names, order, strict=True) if at is None)
        self._widest = len(table.header)
        self._width = max(place for place, title in enumerate(table.header) if title.strip()) + 1
        self._unnamed = [place for place in range(self._width) if place not in order]
        self._dates: dict[str, DateOrder] = {}

    def _fault(self, line: int, column: str, problem: str, remedy: str) -> None:
        self._faults.add(self._rank, self._file.name, line, column, Objection(problem, remedy))

    def chunk(self, block: Block) -> Chunk:
        """The block's rows as columns, judged."""
        lines, rows = block
        malformed: set[int] = set()
        if not set(map(len, rows)) <= {self._width}:
            rows = [
                self._of_width(row, line, place, malformed)
                for place, (row, line) in enumerate(zip(rows, lines, strict=True))
            ]
        turned = [Values.bare(column) for column in zip(*rows, strict=True)] or [_NO_VALUES] * self._width
        if self._unnamed:
            self._refuse_nameless(turned, lines)
        nothing = Values([""] * len(lines))
        columns = [nothing if place is None else turned[place] for place in self._order]
        if not all(columns[0].each):
            lines, columns, malformed = _without_empty_rows(lines, columns, malformed)
        checked = [
            values.each if column.name in self._absent else self._checked(values, column, lines, malformed)
            for values, column in zip(columns, self._file.columns, strict=True)
        ]
        self._check_rows(checked, lines, malformed)
        return Chunk(lines, checked, self._absent)

    # Rows

    def _of_width(self, row: list[str], line: int, place: int, malformed: set[int]) -> list[str]:
        """The row with as many values as the header has names, where what differs is empty."""
        width = self._width
        if not any(map(str.strip, row)):
            return [""] * width
        missing = range(len(row), width)
        columns = [
            column for column, at in zip(self._file.columns, self._order, strict=True) if at in missing
        ]
        beyond = any(map(str.strip, row[width:])) or len(row) > self._widest
        if not beyond and not any(column.required for column in columns):
            return row[:width] + [""] * len(missing)
        malformed.add(place)
        self._fault(
            line,
            "",
            f"has {len(row)} values; expected {width}, one for each column of the header.",
            "Put quotation marks around values with commas, or add what is missing.",
        )
        return self._what_others_need(row)

    def _what_others_need(self, row: list[str]) -> list[str]:
        """A row whose values stand in wrong places: only its own identifier, so that references find it."""
        kept = [""] * self._width
        if self._file.table in self._file.names:
            place = self._order[self._file.names.index(self._file.table)]
            if place is not None and place < len(row):
                kept[place] = row[place]
        return kept

    def _refuse_nameless(self, turned: Sequence[Values], lines: Sequence[int]) -> None:
        for place in self._unnamed:
            for line, value in zip(lines, turned[place].each, strict=True):
                if value:
                    self._fault(
                        line,
                        "",
                        f"has {shown(value)} in column {place + 1}, which has no name in the header.",
                        "Name the column or empty it.",
                    )

    # Values

    def _checked(
        self, bare: Values, column: Column, lines: Sequence[int], malformed: set[int]
    ) -> Sequence[str]:
        """The column's values as they are kept; faults are looked for one by one only where there are any."""
        values, joined = bare.each, bare.joined
        excused = malformed
        kind = column.kind
        known = isinstance(kind, Text) and self._faults.letters.are_known(bare)
        odd = not isinstance(kind, Text) or (not known and self._faults.letters.is_odd(joined))
        if not known and not joined.isascii():
            if odd and _UNDECODED.search(joined):
                undecoded = {place for place, value in enumerate(values) if _UNDECODED.search(value)}
                for place in sorted(undecoded - malformed):
                    self._fault(lines[place], column.name, *_NOT_UTF8)
                values = [_UNDECODED.sub("\ufffd", value) for value in values]
                excused = malformed | undecoded
            if not unicodedata.is_normalized("NFC", joined):
                values = [unicodedata.normalize("NFC", value) for value in values]
        if isinstance(kind, Text) and odd:
            if has_styled_letters(joined):
                values = [*map(plain_letters, values)]
            for place, objection in self._faults.letters.remarks(values, kind.title):
                if place not in excused:
                    self._faults.remark(self._rank, self._file.name, lines[place], column.name, objection)
        complete = all(values)
        if complete and values is bare.each:
            sound = not values or kind.sound(bare)
        elif complete or not column.required:
            present = list(filter(None, values))
            sound = not present or kind.sound(Values(present))
        else:
            sound = False
        if not sound:
            values = [_tidied(kind, value) for value in values]
            if isinstance(kind, Day) and any(map(is_local, values)):
                values, doubtful = self._dated(values, column)
                excused = excused | doubtful
            self._object(values, column, lines, excused)
        if column.name in ("email", "principal_email") and joined.lower() != joined:
            return [*map(str.lower, values)]
        return values

    def _object(self, values: Sequence[str], column: Column, lines: Sequence[int], excused: set[int]) -> None:
        for place, value in enumerate(values):
            if place in excused:
                continue
            objection = column.kind.objection(value) if value else None
            if not value and column.required:
                objection = Objection("is empty, but every row needs it.", "Fill it in.")
            if objection:
                self._fault(lines[place], column.name, *objection)

    def _dated(self, values: Sequence[str], column: Column) -> tuple[list[str], set[int]]:
        """Local dates as year-month-day; and the places of those that the whole column leaves in doubt."""
        if column.name not in self._dates:
            self._dates.update(_date_orders(self._path, self._file))
            order = self._dates[column.name]
            if order.in_doubt:
                more = f" So are {order.doubtful - 1:,} more of this column." if order.doubtful > 1 else ""
                self._fault(
                    order.line,
                    column.name,
                    f"{shown(order.example)} may be day/month or month/day.{more}",
                    "Write dates as year-month-day (in Excel by the cell format yyyy-mm-dd), or send the file as XLSX.",
                )
        order = self._dates[column.name]
        doubtful = (
            {place for place, value in enumerate(values) if is_doubtful(value)} if order.in_doubt else set()
        )
        return [order.written(value) for value in values], doubtful

    def _check_rows(self, columns: list[Sequence[str]], lines: Sequence[int], malformed: set[int]) -> None:
        """What the values of one row say of each other."""
        if order := _IN_ORDER.get(self._file.table):
            first, second, what = order
            former, later = (columns[self._file.names.index(name)] for name in (first, second))
            for place, (start, end) in enumerate(zip(former, later, strict=True)):
                if end and end < start and len(end) == len(start) == 10 and place not in malformed:
                    problem = f"{shown(end)} is before {what}, {shown(start)}."
                    self._fault(lines[place], second, problem, "Correct one.")
        if self._file.table == "school":
            for place, (school, former) in enumerate(zip(columns[0], columns[-1], strict=True)):
                if former and former == school and place not in malformed:
                    problem = f"{shown(former)} is the school itself; it can't have followed upon itself."
                    self._fault(lines[place], "succeeds", problem, "Name the former number, or none.")
        elif self._file.table == "award":
            needed = {"national": (1, 2), "european": (1, 2), "school": (3,)}
            for place, row in enumerate(zip(*columns, strict=True)):
                for other in needed.get(row[0], ()):
                    if not row[other] and place not in malformed:
                        name = self._file.columns[other].name
                        problem = f"is empty, but a {row[0]} label is awarded to a {name}."
                        if name == "project":
                            problem = f"is empty, but a {row[0]} label is awarded for a project."
                        self._fault(lines[place], name, problem, "Fill it in.")


_IN_ORDER = {
    "project": ("started_on", "ended_on", "the project's start"),
    "member": ("joined_on", "left_on", "the day of joining"),
    "award": ("awarded_on", "revoked_on", "the day of the award"),
    "staff": ("away_from", "away_until", "the first day away"),
}
"""Two dates of a row of which the second is not before the first, and what the first is."""


def _without_empty_rows(
    lines: Sequence[int], columns: list[Values], malformed: set[int]
) -> tuple[Sequence[int], list[Values], set[int]]:
    rows = zip(*(column.each for column in columns), strict=True)
    left = [place for place, row in enumerate(rows) if any(row) or place in malformed]
    if len(left) == len(lines):
        return lines, columns, malformed
    kept = [Values([column.each[place] for place in left]) for column in columns]
    return [lines[place] for place in left], kept, {new for new, old in enumerate(left) if old in malformed}


def _tidied(kind: Kind, value: str) -> str:
    """`value` as it is kept, if that mends what is wrong with it."""
    tidied = kind.tidied(value) if value else value
    return value if tidied and kind.objection(tidied) else tidied


def _date_orders(path: Path, file: RegistryFile) -> dict[str, DateOrder]:
    """What each column of dates tells, read to the end of the file."""
    days = [
        name for name, column in zip(file.names, file.columns, strict=True) if isinstance(column.kind, Day)
    ]
    orders = {name: DateOrder() for name in days}
    try:
        with opened(path, file.names) as table:
            header = [plain_name(title) for title in table.header]
            for block in table.blocks:
                for name, order in orders.items():
                    if name not in header:
                        continue
                    place = header.index(name)
                    values = [row[place].strip() if place < len(row) else "" for row in block.rows]
                    order.see(block.lines, values)
    except CutShort:
        pass  # told by whoever reads the rows
    return orders
