"""What arrives in the bodies of requests, within bounds: of one person, of all who have signed in, and of strangers.

A body is on the disk, never in memory, while it arrives; whoever leaves many of them unfinished must not fill the disk,
nor take all the files that may be open.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException

from labels.applications.uploads.limits import MIB

STRANGERS = ""
"""In the place of an address: all who have not signed in, together."""

Counted = Callable[[int], None]
"""Takes the bytes of a piece that has arrived; raises `HTTPException` (503) where they are too many."""


@dataclass
class Arriving:
    """The bodies that are arriving at a process, or are being worked on; used by its event loop alone."""

    of_all: int = 2048 * MIB
    of_each: int = 220 * MIB
    """Bytes of one person: two forms with as many files as the rules let an application have."""
    of_strangers: int = 128 * MIB
    forms: int = 200
    """Bodies at once."""
    _bytes: Counter[str] = field(default_factory=Counter)
    _forms: int = 0

    @contextlib.contextmanager
    def body(self, whose: str) -> Iterator[Counted]:
        """Counts a body for the length of a `with` block.

        Raises:
            HTTPException: as many as may be are arriving already (503).
        """
        if self._forms >= self.forms:
            raise HTTPException(503)
        most, mine = (self.of_each if whose else self.of_strangers), 0

        def count(size: int) -> None:
            nonlocal mine
            if self._bytes[whose] + size > most or self._bytes.total() + size > self.of_all:
                raise HTTPException(503)
            self._bytes[whose] += size
            mine += size

        self._forms += 1
        try:
            yield count
        finally:
            self._forms -= 1
            self._bytes[whose] -= mine
            if not self._bytes[whose]:
                del self._bytes[whose]
