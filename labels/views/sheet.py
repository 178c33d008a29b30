"""A table for a spreadsheet program, as CSV or XLSX: what it is and of when stands above, and no cell is a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from labels.clock import BRUSSELS
from labels.words.text import clean, csv_plain

Cell = str | int | float | datetime | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its headings."""

    opening: str
    """What it is, and of when: stands in a line of its own above all."""
    headings: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def as_csv(sheet: Sheet, decimal: str = ".") -> bytes:
    """As text that Excel opens in columns with all its letters, whatever the country: UTF-16 and tabs.

    Excel parts columns by another sign in each country, but by a tab in all. Instants are in Brussels' time, in a form
    that it takes for a date everywhere. `decimal` is the sign of the reader's language, for 24.5 would be a day in May
    in some.
    """
    written = io.StringIO()
    writer = csv.writer(written, delimiter="\t", lineterminator="\r\n")
    writer.writerow([csv_plain(sheet.opening)])
    writer.writerow([csv_plain(one) for one in sheet.headings])
    for row in sheet.rows:
        writer.writerow([_text(cell, decimal) for cell in row])
    return b"\xff\xfe" + written.getvalue().encode("utf-16-le")


def _text(cell: Cell, decimal: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell.astimezone(BRUSSELS):%Y-%m-%d %H:%M}"
    if isinstance(cell, float):
        return f"{round(cell, 2):g}".replace(".", decimal)
    return str(cell) if isinstance(cell, int) else csv_plain(cell)


# XLSX ---------------------------------------------------------------------------------------------
# The smallest workbook that spreadsheet programs take: one sheet, texts in its cells, two formats.

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="Labels" sheetId="1" r:id="r1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}">'
        '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/></numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
        '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
        "</styleSheet>"
    ),
}
_PLAIN, _BOLD, _INSTANT = 0, 1, 2
_FIRST_DAY = datetime(1899, 12, 30)
"""Day 0 of a workbook's calendar."""

_LONGEST = 32_767
"""Characters of a cell."""


def as_xlsx(sheet: Sheet) -> bytes:
    """As a workbook of one sheet: texts are texts, numbers numbers, and instants in Brussels' time dates."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _PARTS.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), _HEAD + content)
        info = zipfile.ZipInfo("xl/worksheets/sheet1.xml", (1980, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w", force_zip64=True) as part:
            frozen = '<pane ySplit="2" topLeftCell="A3" activePane="bottomLeft" state="frozen"/>'
            views = f'<sheetViews><sheetView workbookViewId="0">{frozen}</sheetView></sheetViews>'
            part.write(f'{_HEAD}<worksheet xmlns="{_MAIN}">{views}<sheetData>'.encode())
            part.write(_xml_row(1, [sheet.opening], _BOLD))
            part.write(_xml_row(2, sheet.headings, _BOLD))
            for number, row in enumerate(sheet.rows, 3):
                part.write(_xml_row(number, row, _PLAIN))
            part.write(b"</sheetData></worksheet>")
    return packed.getvalue()


def _xml_row(number: int, row: Sequence[Cell], style: int) -> bytes:
    cells = "".join(
        _xml_cell(f"{_column(place)}{number}", cell, style)
        for place, cell in enumerate(row)
        if cell not in (None, "")
    )
    return f'<row r="{number}">{cells}</row>'.encode()


def _xml_cell(at: str, cell: Cell, style: int) -> str:
    if isinstance(cell, datetime):
        local = cell.astimezone(BRUSSELS).replace(tzinfo=None)
        return f'<c r="{at}" s="{_INSTANT}"><v>{(local - _FIRST_DAY).total_seconds() / 86400:.6f}</v></c>'
    if isinstance(cell, (int, float)):
        return f'<c r="{at}" s="{style}"><v>{cell}</v></c>'
    text = escape(clean(str(cell))[:_LONGEST])
    return f'<c r="{at}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _column(place: int) -> str:
    letters = ""
    place += 1
    while place:
        place, left = divmod(place - 1, 26)
        letters = chr(65 + left) + letters
    return letters
