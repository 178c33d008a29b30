"""Local dates of a column, such as 9.2.2023 or 02/09/2023, where the column leaves no doubt of their order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_MIDNIGHT = r"(?:[ T]0?0:00(?::00(?:\.0+)?)?)?"
_YEAR_FIRST = re.compile(r"([0-9]{4})([-./])\s?([0-9]{1,2})\2\s?([0-9]{1,2})\.?" + _MIDNIGHT)
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-./])\s?([0-9]{1,2})\2\s?([0-9]{4})\.?" + _MIDNIGHT)


@dataclass(slots=True)
class DateOrder:
    """What a column's dates tell of their order: day or month first. Dots and a year in front leave no doubt."""

    day_first: bool = False
    """Some date can only be day/month/year."""
    month_first: bool = False
    """Some date can only be month/day/year."""
    doubtful: int = 0
    """So many dates can be either, and are two different days."""
    line: int = 0
    """On which the first of these stands."""
    example: str = ""

    def see(self, lines: Iterable[int], values: Iterable[str]) -> None:
        """Takes note of more of the column's values."""
        for line, value in zip(lines, values, strict=True):
            match = _YEAR_LAST.fullmatch(value)
            if not match or match[2] == ".":
                continue
            first, second = int(match[1]), int(match[3])
            if first > 12:
                self.day_first = True
            elif second > 12:
                self.month_first = True
            elif first != second:
                if not self.doubtful:
                    self.line, self.example = line, value
                self.doubtful += 1

    @property
    def in_doubt(self) -> bool:
        """Whether nobody can tell some of its days from months."""
        return self.doubtful > 0 and self.day_first == self.month_first

    def written(self, value: str) -> str:
        """`value` as year-month-day; as it is where it is no such date."""
        if match := _YEAR_FIRST.fullmatch(value):
            year, _, month, day = match.groups()
        elif match := _YEAR_LAST.fullmatch(value):
            day, mark, month, year = match.groups()
            if mark != "." and (int(month) > 12 or (self.month_first and int(day) <= 12)):
                day, month = month, day
        else:
            return value
        return f"{year}-{int(month):02}-{int(day):02}"


def is_local(value: str) -> bool:
    """Whether it looks like a date that is not written as year-month-day, or has a time of midnight."""
    return bool(_YEAR_FIRST.fullmatch(value) or _YEAR_LAST.fullmatch(value))


def is_doubtful(value: str) -> bool:
    """Whether the date alone does not tell its day from its month."""
    match = _YEAR_LAST.fullmatch(value)
    return bool(
        match and match[2] != "." and match[1] != match[3] and max(int(match[1]), int(match[3])) <= 12
    )
