"""Time as the project tells it: instants in UTC, deadlines in Europe/Brussels.

The domain never asks the wall clock: it is handed an instant. Only the edge (a command, a task)
asks a `Clock`, so that tests and demonstrations can hold time still or set it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

from labels.errors import Fault, InvalidInput
from labels.files import contents

BRUSSELS = ZoneInfo("Europe/Brussels")
"""Every deadline is written in this zone (brief: all times Central European)."""

Clock = Callable[[], datetime]
"""Returns the present instant, aware, in UTC."""


def wall_clock() -> datetime:
    """The machine's own time."""
    return datetime.now(UTC)


class ClockWatch:
    """Notices that the machine's clock was put back while a process runs."""

    def __init__(self) -> None:
        self._begun = self._since()

    def step_back(self) -> timedelta | None:
        """By how much it was put back since it was asked the last time; None for less than a minute."""
        since, before = self._since(), self._begun
        self._begun = since
        return before - since if before - since >= timedelta(minutes=1) else None

    @staticmethod
    def _since() -> timedelta:
        """The wall clock's distance from one that nobody sets."""
        return timedelta(seconds=round(wall_clock().timestamp() - monotonic()))


def clock_on(day: date, since: date | None = None) -> Clock:
    """A clock that shows `day` with the wall clock's time of day (`LABELS_TODAY`).

    At midnight it shows the same day again: what was put off until a moment before is due a day later. With `since`,
    the real day that is shown as `day`, it goes on to the next, and is the same to every process.
    """
    if since is not None:
        ahead = start_of_day(day) - start_of_day(since)
        return lambda: wall_clock() + ahead

    def now() -> datetime:
        here = datetime.now(BRUSSELS)
        return datetime.combine(day, here.time(), BRUSSELS).astimezone(UTC)

    return now


def start_of_day(day: date) -> datetime:
    """The first moment of a day in Brussels, in UTC."""
    return datetime.combine(day, time(), BRUSSELS).astimezone(UTC)


def frozen_clock(instant: datetime) -> Clock:
    """A clock that stands still, for tests and simulations."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return lambda: instant.astimezone(UTC)


_LONGEST_INSTANT = 200
"""Bytes."""


def clock_in(file: Path) -> Clock:
    """A clock that shows the instant written in a file, the same to every process (`LABELS_CLOCK_FILE`).

    An instant without a zone is Brussels time. Asked for the time, the clock raises InvalidInput where the file can't
    be read or says none.
    """

    def now() -> datetime:
        try:
            written = contents(file, _LONGEST_INSTANT).decode("utf-8-sig").strip()
        except OSError as error:
            raise _no_clock(f"{file} can't be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise _no_clock(f"{file} is no text.") from None
        try:
            return in_utc(datetime.fromisoformat(written))
        except (ValueError, OverflowError):
            raise _no_clock(f"{file} says no instant, but “{written[:40]}”.") from None

    return now


def _no_clock(problem: str) -> InvalidInput:
    remedy = "Write one into it, such as 2026-03-16T09:00+01:00, or leave the setting out."
    return InvalidInput("settings", [Fault("LABELS_CLOCK_FILE", problem, remedy)])


def in_utc(instant: datetime) -> datetime:
    """An instant as people type it, in UTC; without a zone it is Brussels time.

    Raises:
        OverflowError: no calendar reaches that far.
    """
    return (instant if instant.tzinfo else instant.replace(tzinfo=BRUSSELS)).astimezone(UTC)


def brussels_day(instant: datetime) -> date:
    """The calendar day on which `instant` falls in Brussels."""
    return instant.astimezone(BRUSSELS).date()


def end_of_day(day: date) -> datetime:
    """The last second of `day` in Brussels, in UTC: a deadline that names only a day."""
    return datetime.combine(day, time(23, 59, 59), BRUSSELS).astimezone(UTC)


def read_deadline(text: str) -> datetime:
    """A deadline as people type it, in UTC: a day, to its end in Brussels, or a day with a time.

    Raises:
        ValueError: it is neither.
    """
    typed = text.strip()
    try:
        return end_of_day(date.fromisoformat(typed))
    except ValueError:
        pass
    try:
        return in_utc(datetime.fromisoformat(typed))
    except (ValueError, OverflowError):
        raise ValueError(f'"{typed}" is no date; expected YYYY-MM-DD or YYYY-MM-DDTHH:MM') from None


ZONE = "Brussels"
"""What people read for the zone of every instant."""


def in_words(instant: datetime) -> str:
    """An instant as people read it, with its zone: `2026-06-30 23:59 (Brussels)`."""
    return f"{instant.astimezone(BRUSSELS):%Y-%m-%d %H:%M} ({ZONE})"
