"""Dates that come back each year, as rule files write them."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time

from labels.clock import BRUSSELS

_MOMENT = re.compile(r"(?P<month>\d\d)-(?P<day>\d\d)(?: (?P<hour>\d\d):(?P<minute>\d\d))?", re.ASCII)


def read_moment(text: str, year: int, *, ends: bool) -> datetime:
    """`MM-DD` or `MM-DD HH:MM` of a rule file in a certain year, in UTC.

    Without a time it is the day's edge. What ends includes its last minute: 23:59 ends at 23:59:59.
    29 February is the last of February in other years. In the night in which an hour comes twice, what
    starts does so the first time and what ends the second; in the night in which an hour is left out,
    a time within it is as long after midnight as on any other night.

    Raises:
        ValueError: it is no such date.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is no date; expected MM-DD or MM-DD HH:MM')
    month, day = int(found["month"]), int(found["day"])
    try:
        date(2024, month, day)  # a leap year, so that 02-29 is a date
    except ValueError:
        raise ValueError(
            f'"{text}" is no date: the year has no month {month:02} with a day {day:02}'
        ) from None
    if (month, day) == (2, 29) and not calendar.isleap(year):
        day = 28
    hour, minute = (23, 59) if ends else (0, 0)
    if found["hour"]:
        hour, minute = int(found["hour"]), int(found["minute"])
    try:
        at = time(hour, minute, 59 if ends else 0, fold=int(ends))
    except ValueError:
        raise ValueError(f'"{text}" is no time: a day goes from 00:00 to 23:59') from None
    there = datetime.combine(date(year, month, day), at, BRUSSELS)
    if there.utcoffset() != there.replace(fold=0).utcoffset() and not _comes_twice(there):
        there = there.replace(fold=0)
    return there.astimezone(UTC)


def _comes_twice(there: datetime) -> bool:
    """Whether the clock shows this time twice, rather than never."""
    return there.astimezone(UTC).astimezone(BRUSSELS).replace(tzinfo=None) == there.replace(tzinfo=None)
