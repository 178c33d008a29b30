"""The tasks of the Pupil Quality Label, which learn a class's number and nobody's name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from prefect import task
from prefect.context import FlowRunContext

from adapters.prefect.retrying import RETRIED
from usecases import printing


def _shown(name: str) -> Callable[[Callable[[str], int]], Callable[[str], int]]:
    """A task where Prefect runs, the plain function where it is away: a class need not wait for it."""

    def decorate(function: Callable[[str], int]) -> Callable[[str], int]:
        options: dict[str, Any] = RETRIED | {"persist_result": False, "log_prints": False}
        in_prefect = task(name=name, **options)(function)

        @functools.wraps(function)
        def call(number: str) -> int:
            return in_prefect(number) if FlowRunContext.get() else function(number)

        return call

    return decorate


print_certificates = _shown("print the certificates")(printing.print_certificates)
hand_over = _shown("hand the certificates over")(printing.hand_over)
