"""A process that dies at a chosen moment: before or after the Nth thing that it does to the world outside."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType

BEFORE, AFTER = "before", "after"

OURS = ("cli.", "desk.", "flows.", "tasks.", "usecases.", "adapters.", "labels.")
_PLUMBING = {"labels.record.engine"}


class Killed(BaseException):
    """The process is gone: no `except Exception` may notice, as none notices a SIGKILL."""


@dataclass(frozen=True, slots=True)
class Point:
    """A moment at which a process may die: before something took effect, or right after."""

    when: str
    what: str

    def __str__(self) -> str:
        return f"{self.when} {self.what}"


@dataclass
class Fate:
    """Counts the moments of a life and ends it at those that are chosen."""

    deaths: set[int] = field(default_factory=set)
    passed: list[Point] = field(default_factory=list)

    def meet(self, point: Point) -> None:
        """One moment of the life.

        Raises:
            Killed: it is a chosen one.
        """
        self.passed.append(point)
        if len(self.passed) in self.deaths:
            raise Killed(str(point))

    @contextlib.contextmanager
    def around(self, what: str) -> Iterator[None]:
        """The moments before and after something that takes effect at once or not at all."""
        self.meet(Point(BEFORE, what))
        yield
        self.meet(Point(AFTER, what))


def asker() -> str:
    """Which function of ours does it, as `tasks.national.ask`."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(OURS) and module not in _PLUMBING:
            return f"{module}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "a test"
