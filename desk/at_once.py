"""How many things of a kind are worked on at the same time, in threads of the loop that serves the desk."""

from __future__ import annotations

import anyio
from anyio.lowlevel import RunVar


def limiter_of(kept: RunVar[anyio.CapacityLimiter], most: int) -> anyio.CapacityLimiter:
    """The limiter of the running loop that `kept` has, made for so many at its first use: it belongs to that loop alone."""
    try:
        return kept.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(most)
        kept.set(limiter)
        return limiter
