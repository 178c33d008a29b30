"""Dates that come back each year, as rule files write them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from labels.clock import BRUSSELS


def read_moment(text: str, year: int, *, ends: bool) -> datetime:
    """`MM-DD` or `MM-DD HH:MM` of a rule file in a certain year; without a time, the day's edge.

    29 February stands for the last of February in other years.

    Raises:
        ValueError: it is no such date.
    """
    day_text, _, time_text = text.partition(" ")
    try:
        month, day = (int(part) for part in day_text.split("-"))
        date(2024, month, day)  # a leap year, so that 02-29 is a date
    except ValueError:
        raise ValueError(f'"{text}" is no date; expected MM-DD or MM-DD HH:MM') from None
    if (month, day) == (2, 29):
        day = (date(year, 3, 1) - timedelta(days=1)).day
    at = time.fromisoformat(time_text) if time_text else (time(23, 59) if ends else time(0, 0))
    # A closing at 23:59 includes that whole minute.
    edge = at.replace(second=59) if ends else at
    return datetime.combine(date(year, month, day), edge, BRUSSELS)
