"""How long tests wait: one bound for all, which only what never comes reaches, also on the busiest machine."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 600.0
"""Seconds for what takes some on an idle machine, where ten times as much is to be done as it has processors for.

Whatever a test waits for has this bound, or one that is another kind of thing: a time that the test is about."""


def until(
    condition: Callable[[], object],
    what: str,
    seen: Callable[[], object] = lambda: "",
    *,
    progress: Callable[[], object] | None = None,
    every: float = 0.2,
) -> None:
    """Waits until `condition` holds; fails with `what` was awaited and what is `seen` then where it never does.

    Whenever `progress` returns something else, the waiting begins anew: for what takes many steps.
    """
    give_up, reached = time.monotonic() + PATIENCE, None
    while not condition():
        if progress is not None and (now := progress()) != reached:
            give_up, reached = time.monotonic() + PATIENCE, now
        assert time.monotonic() < give_up, f"not within {PATIENCE:.0f} s: {what}\n{seen()}"
        time.sleep(every)
