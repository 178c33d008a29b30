"""How many requests each token may make: a bucket for each, in the memory of a process."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Limits:
    """Each token has so many requests a minute, which may come at once."""

    per_minute: int
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    """For each token how many it has left, and when that was counted."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, token: str) -> int:
        """Takes one request of a token's; how many seconds it has to wait where there is none left, else nought."""
        now, a_second = time.monotonic(), self.per_minute / 60
        with self._lock:
            left, at = self._left.get(token, (float(self.per_minute), now))
            left = min(float(self.per_minute), left + (now - at) * a_second)
            if left < 1:
                self._left[token] = (left, now)
                return math.ceil((1 - left) / a_second)
            self._left[token] = (left - 1, now)
            return 0
