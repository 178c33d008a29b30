"""Flows that run within a command: Prefect watches, and the terminal hears of it in words of our own."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from prefect.logging.handlers import PrefectConsoleHandler


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Prefect tells its server and not the terminal, which says in words of our own how it went."""
    names = ("prefect", "prefect.flow_runs", "prefect.task_runs")
    loud = [
        handler
        for name in names
        for handler in logging.getLogger(name).handlers
        if isinstance(handler, PrefectConsoleHandler)
    ]
    levels = [handler.level for handler in loud]
    for handler in loud:
        handler.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for handler, level in zip(loud, levels, strict=True):
            handler.setLevel(level)
