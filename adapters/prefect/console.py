"""Flows that run within a command: Prefect watches, and the terminal hears of it in words of our own."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from prefect.logging.handlers import PrefectConsoleHandler


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Prefect tells its server and not the terminal, which says in words of our own how it went.

    What other libraries warn of is still shown: Prefect's handler for the terminal is the root logger's.
    """
    loud = [handler for handler in logging.getLogger().handlers if isinstance(handler, PrefectConsoleHandler)]
    for handler in loud:
        handler.addFilter(_of_another)
    try:
        yield
    finally:
        for handler in loud:
            handler.removeFilter(_of_another)


def _of_another(record: logging.LogRecord) -> bool:
    """Whether a line of the log is not Prefect's."""
    return record.name.partition(".")[0] != "prefect"
