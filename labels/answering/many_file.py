"""A file of applications for an act about many: CSV as Excel writes it in any country, XLSX or ODS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from labels.answering.many import MOST, Chosen
from labels.clock import read_deadline
from labels.errors import Fault, InvalidInput
from labels.registry.tables import CutShort, opened, plain_name
from labels.words.text import one_line

COLUMNS = ("application", "step", "to", "until")
"""`application` or `step` is needed; `to` says who reviews, `until` when it is due, where a row has its own."""

_CALLED = {"number": "application", "reviewer": "to", "deadline": "until"}
"""What the columns are called in the list that one takes along, or by people."""

_OPENINGS = 5


def read(path: Path, named: str) -> list[Chosen]:
    """The rows of a file, which people know by the name `named`.

    Lines before the header, as the list of applications has one, are passed over, and so are columns of other names.

    Raises:
        InvalidInput: it can't be read, has no such column, too many rows, or a row that says nothing.
    """
    faults: list[Fault] = []
    found: list[Chosen] = []
    for line, values in _rows(path, named):
        where = f"{named}:{line}"
        if not values["application"] and not values["step"]:
            faults.append(Fault(where, "has neither an application nor a step.", "Add its number."))
            continue
        until = None
        if values["until"]:
            try:
                until = read_deadline(values["until"])
            except ValueError as error:
                faults.append(Fault(f"{where} · until", f"{error}."))
        found.append(Chosen(values["application"], values["step"], values["to"], until, where))
        if len(found) > MOST:
            raise InvalidInput(named, [Fault("(whole file)", f"has more than {MOST:,} rows.", "Split it.")])
    if faults:
        raise InvalidInput(named, faults)
    if not found:
        raise InvalidInput(named, [Fault("(whole file)", "has no row.", "Add one for each application.")])
    return found


def _rows(path: Path, named: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        with opened(path, (*COLUMNS, *_CALLED), openings=_OPENINGS) as table:
            lines = [(table.line, table.header)]
            places: dict[str, int] = {}
            for block in table.blocks:
                lines += zip(block.lines, block.rows, strict=True)
                for line, row in lines:
                    if not places:
                        places = _places(row)
                    elif any(cell.strip() for cell in row):
                        yield line, _values(row, places)
                lines = []
            if lines:
                places = places or _places(lines[0][1])
            if not places:
                problem = "has no column `application` or `step`."
                remedy = f"Name the columns on its first line: {', '.join(COLUMNS)}."
                raise InvalidInput(named, [Fault("(whole file)", problem, remedy)])
    except CutShort as cut:
        where = f"{named}:{cut.line}" if cut.line else named
        raise InvalidInput(named, [Fault(where, cut.objection.problem, cut.objection.remedy)]) from None
    except OSError as error:
        raise InvalidInput(named, [Fault("(whole file)", f"can't be read: {error.strerror}.")]) from None


def _places(row: list[str]) -> dict[str, int]:
    """Where each column stands, by a row that may be the header; nothing where it is none."""
    names = [_CALLED.get(plain_name(one), plain_name(one)) for one in row]
    found = {one: names.index(one) for one in COLUMNS if one in names}
    return found if "application" in found or "step" in found else {}


def _values(row: list[str], places: Mapping[str, int]) -> dict[str, str]:
    return {
        one: one_line(row[places[one]], 200) if one in places and places[one] < len(row) else ""
        for one in COLUMNS
    }
