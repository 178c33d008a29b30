"""Reads a sheet of a spreadsheet file (XLSX, ODS) as rows of text."""

from __future__ import annotations

import functools
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import BinaryIO

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

_PIECE = 1 << 20
_ODS_CONTENT = "content.xml"
_XLSX_SHEETS = "xl/worksheets/"
_BYTES_A_CELL = 64
_ARCHIVE = b"PK\x03\x04"


class NoWorkbook(Exception):
    """The file is no spreadsheet, or one that is too large; says why, in words for people."""


def is_archive(start: bytes) -> bool:
    """Whether a file that begins so may be a spreadsheet: XLSX and ODS are archives."""
    return start.startswith(_ARCHIVE)


def sheet_rows(file: BinaryIO | bytes, largest: int, named: str = "") -> Iterator[tuple[int, list[str]]]:
    """The rows of a sheet with their numbers, empty ones too: dates as year-month-day, numbers as short as they are.

    It is the sheet that is `named` so, whatever the case; else the first that is not hidden.

    Raises:
        NoWorkbook: it is no spreadsheet, or unpacked has more than `largest` bytes.
    """
    stream = io.BytesIO(file) if isinstance(file, bytes) else file
    _refuse_bombs(stream, largest)
    stream.seek(0)
    try:
        book = CalamineWorkbook.from_filelike(stream)
        sheets = [
            sheet
            for sheet in book.sheets_metadata
            if sheet.typ is SheetTypeEnum.WorkSheet and sheet.visible is SheetVisibleEnum.Visible
        ]
        if not sheets:
            raise NoWorkbook("has no sheet.")
        called = [sheet for sheet in sheets if sheet.name.strip().casefold() == named.casefold()]
        sheet = book.get_sheet_by_name((called or sheets)[0].name)
        first = sheet.start[0] + 1 if sheet.start else 1
        left = sheet.start[1] if sheet.start else 0
        rows = sheet.iter_rows()
    except CalamineError as error:
        raise NoWorkbook("is no spreadsheet that can be read.") from error
    for number, row in enumerate(rows, first):
        yield number, [""] * left + [_text(cell) for cell in row]


def _refuse_bombs(stream: BinaryIO, largest: int) -> None:
    """Unpacks everything once: what an archive says of its size need not be so."""
    left = largest
    try:
        with zipfile.ZipFile(stream) as archive:
            for entry in archive.infolist():
                with archive.open(entry) as unpacked:
                    while piece := unpacked.read(min(_PIECE, left + 1)):
                        left -= len(piece)
                        if left < 0:
                            raise NoWorkbook(f"is larger than {largest >> 20:,} MiB when it is unpacked.")
            for name in archive.namelist():
                if name == _ODS_CONTENT:
                    _refuse_repetitions(archive.read(name), largest)
                elif name.lower().startswith(_XLSX_SHEETS):
                    _refuse_far_cells(archive.read(name), largest)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise NoWorkbook("is no spreadsheet that can be read, or has a password.") from error


_ODS_ROW = re.compile(rb"<table:table-row\b([^>]*)>(.*?)</table:table-row>", re.DOTALL)
_ODS_CELL = re.compile(rb"<table:(?:covered-)?table-cell\b([^>]*)>")
_REPEATED = re.compile(rb'-repeated="([0-9]{1,12})"')


def _refuse_repetitions(content: bytes, largest: int) -> None:
    """Counts the cells of an ODS file: a few letters may stand for thousands of millions of them."""
    cells = 0
    for row in _ODS_ROW.finditer(content):
        if b"-repeated=" not in row[0] or b"value-type=" not in row[2]:
            continue
        width = filled = 0
        for cell in _ODS_CELL.finditer(row[2]):
            width += _times(cell[1])
            filled = width if b"value-type=" in cell[1] else filled
        cells += filled * _times(row[1])
        if cells * _BYTES_A_CELL > largest:
            raise NoWorkbook("has more cells than any table here.")


_FAR_COLUMN = re.compile(rb"""\br=["']([A-Za-z]{2,})[0-9]""")
_FAR_ROW = re.compile(rb"""\br=["'][A-Za-z]*([0-9]{5,})["']""")


def _refuse_far_cells(content: bytes, largest: int) -> None:
    """Measures an XLSX sheet: it is read as a table from its first cell to its last, wherever they lie."""
    columns = {column.upper() for column in _FAR_COLUMN.findall(content)}
    width = max((_number(column) for column in columns), default=26)
    height = max(map(int, set(_FAR_ROW.findall(content))), default=10_000)
    if width * height * _BYTES_A_CELL > largest:
        raise NoWorkbook("has a cell so far to the right or down that the table would be too large.")


def _number(column: bytes) -> int:
    """The number of a column by its letters: `A` is 1, `AA` 27."""
    return functools.reduce(lambda number, letter: number * 26 + letter - 64, column[:8], 0)


def _times(attributes: bytes) -> int:
    match = _REPEATED.search(attributes)
    return int(match[1]) if match else 1


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime) and cell.time().isoformat() == "00:00:00":
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)
