"""Reads a registry file in chunks of columns, with every fault in the form of its rows."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from labels.errors import Fault, InvalidInput
from labels.registry.files import Column, Objection, RegistryFile, shown

CHUNK = 200
"""Rows read at once: enough that work per row is rare, few enough to stay in a processor's cache
and below what sets off Python's garbage collection."""

TOLD = 5_000
"""After so many rows the one who waits is told again."""

LISTED_FAULTS = 1_000
"""So many faults are named; of the rest only the number."""

_LINE_END = re.compile("\r\n|\r|\n")


class Faults:
    """What is wrong with the registry's files: the first faults in full, the others counted."""

    def __init__(self) -> None:
        self._listed: list[tuple[int, int, Fault]] = []
        self.count = 0
        self.cut_short: set[str] = set()
        """The files that were not read to their end, so that nobody can tell what they hold."""

    def add(self, rank: int, file: str, line: int, column: str, objection: Objection) -> None:
        """Adds a fault of a `file`; `rank` is the file's place among the files."""
        self.count += 1
        if len(self._listed) < LISTED_FAULTS:
            where = f"{file}:{line}" if line else file
            where += f" · {column}" if column else ""
            self._listed.append((rank, line, Fault(where, *objection)))

    def cut_short_at(self, rank: int, file: str, line: int, objection: Objection) -> None:
        """Adds the fault behind which a file could not be read on."""
        self.cut_short.add(file)
        self.add(rank, file, line, "", objection)

    def refuse(self, subject: str) -> None:
        """Does nothing where there is no fault.

        Raises:
            InvalidInput: there are faults; by file and line.
        """
        if not self.count:
            return
        faults = [fault for _, _, fault in sorted(self._listed, key=lambda entry: entry[:2])]
        if more := self.count - len(faults):
            faults.append(
                Fault(
                    "the files together",
                    f"{more:,} more faults are not listed.",
                    "Correct these and import again.",
                )
            )
        raise InvalidInput(subject, faults)


class Chunk(NamedTuple):
    """Some rows of a file, as columns in the contract's order, and the line on which each stands."""

    lines: Sequence[int]
    columns: list[Sequence[str]]


def read_chunks(path: Path, file: RegistryFile, rank: int, faults: Faults) -> Iterator[Chunk]:
    """The rows of a file, sound or not (what refers to a faulty row must still find it).

    Every fault in the form of the header, the rows and their values is added to `faults`. Where the
    file can't be read on, that is the last; the rows behind it are not read.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            rows = csv.reader(stream, strict=True)
            header = next(rows, [])
            order = _order_of(header, file, rank, faults)
            if order is None:
                faults.cut_short.add(file.name)
                return
            while True:
                chunk: list[list[str]] = []
                before = rows.line_num
                broken = None
                try:
                    chunk.extend(islice(rows, CHUNK))
                except csv.Error as error:
                    broken = error
                if chunk:
                    yield _columns(chunk, before, rows.line_num, header, order, file, rank, faults)
                if broken:
                    line = _lines([*chunk, []], before)[-1]
                    faults.cut_short_at(rank, file.name, line, _unreadable(broken))
                    return
                if len(chunk) < CHUNK:
                    return
    except csv.Error as error:
        faults.cut_short_at(rank, file.name, 1, _unreadable(error))
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

_NOT_UTF8 = Objection("is not UTF-8.", "Save the file as “CSV UTF-8” and import again.")


def _unreadable(error: csv.Error) -> Objection:
    if "limit" in str(error):
        return Objection(
            "a value is longer than 131,072 characters; is a quotation mark not closed?"
            " The rows from here on were not read.",
            "Close the quotation mark or shorten the value.",
        )
    return Objection(
        f"is not CSV: {error}. The rows from here on were not read.",
        "Put quotation marks around the whole value, and double those inside it.",
    )


def _order_of(header: list[str], file: RegistryFile, rank: int, faults: Faults) -> list[int] | None:
    """Where each of the file's columns stands in its rows, or None for a header that can't be used."""
    expected = f"expected the header {','.join(file.names)}"

    def fault(problem: str, remedy: str, column: str = "") -> None:
        faults.add(rank, file.name, 1, column, Objection(problem, remedy))

    if not header:
        fault(f"has no header; {expected}.", "Put the names of the columns on the first line.")
        return None
    if any(map(_UNDECODED.search, header)):
        fault(*_NOT_UTF8)
        return None
    if len(header) == 1 and re.search(r"[;\t|]", header[0]):
        fault(f"has no commas in its header; {expected}.", "Separate the columns by commas.")
        return None
    count = faults.count
    for name in dict.fromkeys(header):
        if name not in file.names:
            fault(f"{shown(name)} is not a column of this file; {expected}.", "Rename or remove it.")
        elif header.count(name) > 1:
            fault(f"stands {header.count(name)} times in the header; expected once.", "Remove one.", name)
    for name in file.names:
        if name not in header:
            fault(f"is missing; {expected}.", "Add the column.", name)
    return [header.index(name) for name in file.names] if faults.count == count else None


def _columns(
    chunk: list[list[str]],
    before: int,
    after: int,
    header: list[str],
    order: list[int],
    file: RegistryFile,
    rank: int,
    faults: Faults,
) -> Chunk:
    lines: Sequence[int] = range(before + 1, after + 1)
    if len(lines) != len(chunk):
        lines = _lines(chunk, before)
    if [] in chunk:
        kept = [place for place, row in enumerate(chunk) if row]
        lines, chunk = [lines[place] for place in kept], [chunk[place] for place in kept]
    width = len(header)
    malformed: set[int] = set()
    if not set(map(len, chunk)) <= {width}:
        for place, row in enumerate(chunk):
            if len(row) != width:
                malformed.add(place)
                problem = f"has {len(row)} values; expected {width}, one for each column of the header."
                remedy = "Put quotation marks around values with commas, or add what is missing."
                faults.add(rank, file.name, lines[place], "", Objection(problem, remedy))
                chunk[place] = _what_others_need(row, header, file)
    turned: list[Sequence[str]] = list(zip(*chunk, strict=True)) or [()] * width
    columns = [
        _checked(turned[place], column, lines, malformed, file, rank, faults)
        for place, column in zip(order, file.columns, strict=True)
    ]
    _check_rows(columns, lines, malformed, file, rank, faults)
    return Chunk(lines, columns)


def _what_others_need(row: list[str], header: list[str], file: RegistryFile) -> list[str]:
    """A row whose values stand in wrong places: only its own identifier, so that references find it."""
    kept = [""] * len(header)
    if file.table in header and header.index(file.table) < len(row):
        place = header.index(file.table)
        kept[place] = row[place]
    return kept


def _lines(chunk: list[list[str]], before: int) -> list[int]:
    """On which line each row begins, where values may hold line ends."""
    lines = []
    line = before + 1
    for row in chunk:
        lines.append(line)
        line += 1 + sum(len(_LINE_END.findall(value)) for value in row)
    return lines


def _checked(
    values: Sequence[str],
    column: Column,
    lines: Sequence[int],
    malformed: set[int],
    file: RegistryFile,
    rank: int,
    faults: Faults,
) -> Sequence[str]:
    """The column's values as they are kept; faults are looked for one by one only where there are any."""
    joined = "".join(values)
    undecoded: set[int] = set()
    if not joined.isascii():
        if _UNDECODED.search(joined):
            undecoded = {place for place, value in enumerate(values) if _UNDECODED.search(value)}
            for place in sorted(undecoded - malformed):
                faults.add(rank, file.name, lines[place], column.name, _NOT_UTF8)
            values = [_UNDECODED.sub("\ufffd", value) for value in values]
        if not unicodedata.is_normalized("NFC", joined):
            values = [unicodedata.normalize("NFC", value) for value in values]
    present = list(filter(None, values))
    complete = len(present) == len(values) or not column.required
    if not complete or (present and not column.kind.sound(present)):
        for place, value in enumerate(values):
            if place in malformed or place in undecoded:
                continue
            objection = column.kind.objection(value) if value else None
            if not value and column.required:
                objection = Objection("is empty, but every row needs it.", "Fill it in.")
            if objection:
                faults.add(rank, file.name, lines[place], column.name, objection)
    if column.name in ("email", "principal_email"):
        return [*map(str.lower, values)]
    return values


def _check_rows(
    columns: list[Sequence[str]],
    lines: Sequence[int],
    malformed: set[int],
    file: RegistryFile,
    rank: int,
    faults: Faults,
) -> None:
    """What the values of one row say of each other."""
    if file.table == "project":
        _, _, started, ended = columns
        for place, (start, end) in enumerate(zip(started, ended, strict=True)):
            if end and end < start and len(end) == len(start) == 10 and place not in malformed:
                problem = f"{shown(end)} is before the project's start, {shown(start)}."
                faults.add(rank, file.name, lines[place], "ended_on", Objection(problem, "Correct one."))
    elif file.table == "award":
        needed = {"national": (1, 2), "european": (1, 2), "school": (3,)}
        for place, row in enumerate(zip(*columns, strict=True)):
            for other in needed.get(row[0], ()):
                if not row[other] and place not in malformed:
                    name = file.columns[other].name
                    problem = f"is empty, but a {row[0]} label is awarded to a {name}."
                    if name == "project":
                        problem = f"is empty, but a {row[0]} label is awarded for a project."
                    faults.add(rank, file.name, lines[place], name, Objection(problem, "Fill it in."))
