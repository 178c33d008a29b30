"""When applications are taken, which round they belong to, and by when something is due.

All dates and times of rules are Brussels time. Instants that go in are aware; those that come out are in UTC.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from labels.clock import BRUSSELS, brussels_day, end_of_day
from labels.rules.dates import read_moment
from labels.rules.model import CalendarKind, CalendarRules, Late, RoundDates


@dataclass(frozen=True, slots=True)
class Window:
    """One round of one year: open from `opens_at` to `closes_at`, both seconds included."""

    name: str
    opens_at: datetime
    closes_at: datetime
    decided_by: datetime


@dataclass(frozen=True, slots=True)
class Placement:
    """What the calendar says to an application at the moment it arrives."""

    round: str | None
    late: bool
    """No round was open."""
    refused: bool
    rolled_over: bool
    decide_by: datetime | None
    opens_at: datetime | None
    """When the next round opens, where none was open."""
    closes_at: datetime | None


def school_year(day: date) -> int:
    """The year in which the school year of `day` began: 1 September to 31 August (found)."""
    return day.year if day.month >= 9 else day.year - 1


def in_writing(year: int) -> str:
    """The school year that began in `year`, as the field writes it: `2025/26`."""
    return f"{year}/{(year + 1) % 100:02}"


def counted_year(submitted_at: datetime, placement: Placement) -> int:
    """The school year that an application counts for: that of the round into which it rolled over, or else
    that in which it arrived."""
    in_round = placement.closes_at if placement.rolled_over else None
    return school_year(brussels_day(in_round or submitted_at))


@functools.lru_cache(maxsize=1024)
def _days_off(country: str, year: int) -> frozenset[date]:
    """Weekends, as the country has them, and public holidays, less the weekends that are worked."""
    # Imported here: it brings the calendars of many faiths, and most commands count no days.
    import holidays

    try:
        known = holidays.country_holidays(country, years=year)
    except NotImplementedError:
        known = holidays.HolidayBase(years=year)  # no calendar is known for it: weekends only
    first = date(year, 1, 1).toordinal()
    days = map(date.fromordinal, range(first, date(year, 12, 31).toordinal() + 1))
    return frozenset(day for day in days if not known.is_working_day(day))


def is_working_day(day: date, country: str) -> bool:
    """Neither a weekend nor a public holiday of the country, as far as its calendar is known."""
    return day not in _days_off(country, day.year)


def end_of_working_day(moment: datetime, country: str) -> datetime:
    """The end, in Brussels, of the day of `moment`, or of the first working day after it.

    Source: Regulation (EEC, Euratom) 1182/71, Article 3(4): a period that would end on a holiday, a Sunday or a
    Saturday ends with the following working day.
    """
    day = brussels_day(moment)
    while not is_working_day(day, country):
        day += timedelta(days=1)
    return end_of_day(day)


def add_working_days(start: datetime, days: int, country: str) -> datetime:
    """The end, in Brussels, of the day that is `days` working days after that of `start`."""
    day = brussels_day(start)
    left = days
    while left > 0:
        day += timedelta(days=1)
        if is_working_day(day, country):
            left -= 1
    return end_of_day(day)


def _window(dates: RoundDates, year: int) -> Window:
    """The window that closes in `year`; one that opens later in the year opened the year before."""
    closes = read_moment(dates.closes, year, ends=True)
    opens = read_moment(dates.opens, year, ends=False)
    if opens > closes:
        opens = read_moment(dates.opens, year - 1, ends=False)
    decided = read_moment(dates.decided_by, year, ends=True)
    if decided <= closes:
        decided = read_moment(dates.decided_by, year + 1, ends=True)
    return Window(f"{dates.name} {year}", opens, closes, decided)


def _windows(calendar: CalendarRules, year: int) -> list[Window]:
    rounds = calendar.rounds.value if calendar.rounds else ()
    found = [_window(dates, y) for y in (year - 1, year, year + 1, year + 2) for dates in rounds]
    return sorted(found, key=lambda window: window.closes_at)


def next_round(after: datetime, calendar: CalendarRules) -> Window | None:
    """The round that one can hand in for next: the open one, else the one that opens first.

    None where labels are awarded all year.
    """
    if calendar.kind.value is CalendarKind.ROLLING:
        return None
    moment = _to_the_second(after)
    windows = _windows(calendar, brussels_day(after).year)
    return min((w for w in windows if w.closes_at >= moment), key=lambda w: w.opens_at, default=None)


def place(submitted_at: datetime, calendar: CalendarRules, country: str) -> Placement:
    """Which round an application that arrives now belongs to, and by when it is decided.

    Each round is open from its opening to its closing, to the second. What arrives while none is open is
    late: by the rules it is refused, with the moment when the next round opens, or it rolls over into
    that round. Source of rolling over: found (CZ, IT).
    """
    if calendar.kind.value is CalendarKind.ROLLING:
        month = submitted_at.astimezone(BRUSSELS).month
        days = calendar.working_days.value[month] if calendar.working_days else 0
        due = add_working_days(submitted_at, days, country)
        return Placement(None, False, False, False, due, None, None)
    window = next_round(submitted_at, calendar)
    if window is None:
        raise ValueError("a calendar of rounds names at least one")
    if window.opens_at <= _to_the_second(submitted_at):
        return Placement(window.name, False, False, False, window.decided_by, None, window.closes_at)
    if calendar.late.value is Late.REFUSE:
        return Placement(None, True, True, False, None, window.opens_at, None)
    return Placement(window.name, True, False, True, window.decided_by, window.opens_at, window.closes_at)


def _to_the_second(moment: datetime) -> datetime:
    """In UTC, since times of one zone are compared by their clocks, which go back one night a year."""
    return moment.astimezone(UTC).replace(microsecond=0)
