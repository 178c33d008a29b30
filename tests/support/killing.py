"""A process that dies at a chosen moment: before or after the Nth thing that it does to the world outside."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

BEFORE, AFTER = "before", "after"

OURS = ("cli.", "desk.", "flows.", "tasks.", "usecases.", "adapters.", "labels.")
_PLUMBING = {"labels.record.engine"}


@contextlib.contextmanager
def ctrl_c() -> Iterator[Callable[[], None]]:
    """Presses Ctrl-C from whichever thread; the main one has it, also where the tests were started in the background."""
    main = threading.main_thread().ident
    assert main is not None
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield lambda: signal.pthread_kill(main, signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, former)


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
    seen: Callable[[], None] = lambda: None
    """Called at each moment."""

    def meet(self, point: Point) -> None:
        """One moment of the life.

        Raises:
            Killed: it is a chosen one.
        """
        self.passed.append(point)
        self.seen()
        if len(self.passed) in self.deaths:
            raise Killed(str(point))

    @contextlib.contextmanager
    def around(self, what: str) -> Iterator[None]:
        """The moments before and after something that takes effect at once or not at all."""
        self.meet(Point(BEFORE, what))
        yield
        self.meet(Point(AFTER, what))


_PAGE = 4096
"""Bytes of a file that are kept once, however often they are read: a database changes a few of them at a time."""


class Disk:
    """Folders as they were at moments that one may go back to, as a process that is killed leaves them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pages: dict[bytes, bytes] = {}

    def read(self) -> dict[Path, tuple[int, list[bytes]] | None]:
        """Each file of the folder, when it was written and what is in it, and each folder.

        SQLite's index of its write-ahead log is left out: it is memory that processes share.
        """
        return {
            path.relative_to(self._folder): None
            if path.is_dir()
            else (path.stat().st_mtime_ns, self._read(path))
            for path in sorted(self._folder.rglob("*"))
            if not path.name.endswith("-shm")
        }

    def _read(self, path: Path) -> list[bytes]:
        content = path.read_bytes()
        pages = (content[start : start + _PAGE] for start in range(0, len(content), _PAGE))
        return [self._pages.setdefault(page, page) for page in pages]

    def write(self, content: dict[Path, tuple[int, list[bytes]] | None]) -> None:
        """Makes the folder what it was; nobody may have a file of it open."""
        shutil.rmtree(self._folder)
        self._folder.mkdir()
        for name, file in content.items():
            path = self._folder / name
            if file is None:
                path.mkdir()
            else:
                written, pages = file
                path.write_bytes(b"".join(pages))
                os.utime(path, ns=(written, written))


def asker() -> str:
    """Which function of ours does it, as `tasks.national.ask`."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(OURS) and module not in _PLUMBING:
            return f"{module}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "a test"
