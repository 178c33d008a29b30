"""How long tests wait: one bound for all, which only what never comes reaches, also on the busiest machine."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 600.0
"""Seconds for what takes some on an idle machine, where ten times as much is to be done as it has processors for."""


def until(
    condition: Callable[[], object], what: str, seen: Callable[[], object] = lambda: "", every: float = 0.2
) -> None:
    """Waits until `condition` holds; fails with `what` was awaited and what is `seen` then where it never does."""
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up, f"not within {PATIENCE:.0f} s: {what}\n{seen()}"
        time.sleep(every)
