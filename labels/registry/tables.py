"""Opens a registry file as a table, however it was saved: CSV as Excel writes it in any country, XLSX or ODS."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from labels.files import opened as opened_file
from labels.registry.files import Objection
from labels.registry.workbooks import NoWorkbook, is_archive, sheet_rows

if TYPE_CHECKING:
    import _csv

CHUNK = 400
"""Rows read at once: enough that work per row is rare, few enough to stay in a processor's cache
and below what sets off Python's garbage collection."""

LARGEST_WORKBOOK = 4 << 30
"""Bytes of an unpacked spreadsheet: a million rows, which is all that it can have, and more."""

_LONGEST_LINE = 200_000
_LINE_END = re.compile("\r\n|\r|\n")
_SEPARATORS = ",;\t|"
_SAID = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


class CutShort(Exception):
    """A file can't be read on from a line; with what is wrong there."""

    def __init__(self, line: int, objection: Objection) -> None:
        super().__init__(objection.problem)
        self.line = line
        self.objection = objection


class Block(NamedTuple):
    """Some rows, and the line on which each begins."""

    lines: Sequence[int]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """An open file: its header, and the blocks of its rows. What is not text in its encoding is in halves of
    characters (`surrogateescape`)."""

    header: list[str]
    line: int
    """On which the header stands."""
    blocks: Iterator[Block]
    """They raise `CutShort` where the file can't be read on."""


@contextmanager
def opened(path: Path, names: Collection[str], openings: int = 0) -> Iterator[Table]:
    """The table in a file. `names` are the columns that it is to have, by which its separator is known.

    Of text, up to so many `openings`, lines above the header that name no column, are passed over; of a workbook, the
    first row is the header, whatever it says.

    Raises:
        CutShort: there is nothing that could be a header.
        OSError: the file can't be read.
    """
    with opened_file(path) as raw:
        start = raw.read(4096)
        raw.seek(0)
        if start.startswith(_OLD_EXCEL):
            raise CutShort(
                0,
                Objection(
                    "is an Excel file of the old kind.", "Save it as XLSX or CSV UTF-8 and import again."
                ),
            )
        yield _workbook(raw, path.stem) if is_archive(start) else _csv_table(raw, start, names, openings)


def plain_name(title: str) -> str:
    """The name of a column as the header of a file has it: case, blanks and hyphens make no difference."""
    return re.sub(r"[\s-]+", "_", title.strip().lower())


# Spreadsheets -----------------------------------------------------------------------------------


def _workbook(raw: BinaryIO, sheet: str) -> Table:
    try:
        rows = ((number, row) for number, row in sheet_rows(raw, LARGEST_WORKBOOK, sheet) if any(row))
        line, header = next(rows, (1, []))
    except NoWorkbook as error:
        raise CutShort(0, Objection(str(error), "Save it again as XLSX, ODS or CSV UTF-8.")) from error
    return Table(header, line, _numbered_blocks(rows))


def _numbered_blocks(rows: Iterator[tuple[int, list[str]]]) -> Iterator[Block]:
    while taken := list(itertools.islice(rows, CHUNK)):
        yield Block([number for number, _ in taken], [row for _, row in taken])


# CSV --------------------------------------------------------------------------------------------


def _csv_table(raw: BinaryIO, start: bytes, names: Collection[str], openings: int) -> Table:
    encoding = _encoding(start)
    errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
    stream = io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline="")
    skipped = 0
    said = ""
    first = stream.readline(_LONGEST_LINE)
    while first and (not first.strip(_SEPARATORS + "\r\n ") or _SAID.fullmatch(first)):
        if declared := _SAID.fullmatch(first):
            said = declared[1]
        skipped += 1
        first = stream.readline(_LONGEST_LINE)
    while openings and first and not _named_in(first, names):
        skipped, openings = skipped + 1, openings - 1
        first = stream.readline(_LONGEST_LINE)
    reader = csv.reader(
        itertools.chain([first], stream), delimiter=_separator(first, said, names), strict=True
    )
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise CutShort(skipped + 1, _unreadable(error)) from error
    return Table(header, skipped + 1, _csv_blocks(reader, skipped))


def _named_in(line: str, names: Collection[str]) -> bool:
    return any(plain_name(cell.strip('"')) in names for one in _SEPARATORS for cell in line.split(one))


def _encoding(start: bytes) -> str:
    """By its mark; without one, it is UTF-16 where every other byte of its header is nought."""
    marks = [
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ]
    if marked := next((encoding for mark, encoding in marks if start.startswith(mark)), None):
        return marked
    head = start[:64]
    if 0 in head and 0 not in head[::2]:
        return "utf-16-le"
    if 0 in head and 0 not in head[1::2]:
        return "utf-16-be"
    return "utf-8-sig"


def _separator(line: str, said: str, names: Collection[str]) -> str:
    """What parts the columns: with it, the most of their names stand in the header."""

    def found(separator: str) -> int:
        try:
            cells = next(csv.reader([line], delimiter=separator), [])
        except csv.Error:
            return 0
        return sum(plain_name(cell) in names for cell in cells)

    usable = [said] if said and not said.isalnum() and said not in '"\r\n' else []
    candidates: list[str] = [*usable, *_SEPARATORS]
    return max(candidates, key=found)


def _csv_blocks(reader: _csv.Reader, skipped: int) -> Iterator[Block]:
    while True:
        chunk: list[list[str]] = []
        before = reader.line_num + skipped
        broken = None
        try:
            chunk.extend(itertools.islice(reader, CHUNK))
        except csv.Error as error:
            broken = error
        if chunk:
            lines: Sequence[int] = range(before + 1, reader.line_num + skipped + 1)
            yield Block(lines if len(lines) == len(chunk) else _lines(chunk, before), chunk)
        if broken:
            raise CutShort(_lines([*chunk, []], before)[-1], _unreadable(broken))
        if len(chunk) < CHUNK:
            return


def _lines(chunk: list[list[str]], before: int) -> list[int]:
    """On which line each row begins, where values may hold line ends."""
    lines = []
    line = before + 1
    for row in chunk:
        lines.append(line)
        line += 1 + sum(len(_LINE_END.findall(value)) for value in row)
    return lines


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
