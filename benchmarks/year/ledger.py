"""What a year costs: processor seconds by part, and how often each part was done in which hour of the year."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime

from labels.clock import brussels_day


class Ledger:
    """Seconds of processor, told apart by what they were spent on."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._inner = 0.0
        self.parts: dict[str, float] = defaultdict(float)
        self.times: Counter[str] = Counter()
        self.hours: dict[datetime, Counter[str]] = defaultdict(Counter)

    @contextlib.contextmanager
    def part(self, name: str, times: Callable[[], int] = lambda: 1) -> Iterator[None]:
        """Counts what is done within for this part; parts within parts count for themselves only.

        `times` says afterwards how many things were done.
        """
        outer, self._inner = self._inner, 0.0
        began = time.process_time()
        try:
            yield
        finally:
            whole = time.process_time() - began
            self.add(name, whole - self._inner, times())
            self._inner = outer + whole

    def add(self, name: str, seconds: float, times: int = 1) -> None:
        """Notes seconds that were spent now."""
        self.parts[name] += seconds
        self.times[name] += times
        self.hours[self._now().replace(minute=0, second=0, microsecond=0)][name] += times

    def each(self) -> dict[str, float]:
        """Mean seconds of each part."""
        return {name: seconds / max(self.times[name], 1) for name, seconds in self.parts.items()}

    def busiest(self, prices: dict[str, float], day: date | None = None) -> tuple[datetime, float]:
        """The hour of the year, or of a day in Brussels, with most seconds, at so many for each time a part is done."""
        spent = {
            hour: sum(prices.get(name, 0.0) * times for name, times in parts.items())
            for hour, parts in self.hours.items()
            if day is None or brussels_day(hour) == day
        }
        return max(spent.items(), key=lambda one: (one[1], one[0]))
