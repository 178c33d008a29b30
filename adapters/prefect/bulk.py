"""Asking Prefect's server for many things at once: a few at a time, again where it is busy, and nothing lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from itertools import islice
from typing import TypeVar

import httpx

from adapters.threads import begun

Item = TypeVar("Item")
Result = TypeVar("Result")

AT_ONCE = 4
"""Requests on their way at the same time: enough to keep one server busy, and no queue in it."""
BUSY = frozenset({408, 429, 502, 503, 504})
"""Answers that mean: not now."""
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0)
"""Seconds before each further try, on the average: two minutes altogether."""


def in_bulk(
    items: Sequence[Item],
    do: Callable[[Item], Result],
    *,
    shown: Callable[[int], None] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> list[Result]:
    """Does something for each of the items, which must be something that may be repeated.

    The results are in the order of the items. `shown` is called with how many are done. Where one fails for another
    reason than a busy server, no more are begun, those under way come to their end, and its error is raised. Ctrl-C
    waits for none of them.
    """
    results: dict[int, Result] = {}
    numbered = enumerate(items)
    if len(items) == 1:
        results[0] = _patiently(do, items[0], pause)
    else:
        under_way: dict[Future[Result], int] = {}

        def begin(some: Iterator[tuple[int, Item]]) -> None:
            for number, item in some:
                under_way[begun(partial(_patiently, do, item, pause), "bulk")] = number

        try:
            begin(islice(numbered, AT_ONCE))
            while under_way:
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for one in done:
                    results[under_way.pop(one)] = one.result()
                begin(islice(numbered, len(done)))
                if shown is not None:
                    shown(len(results))
        except Exception:
            wait(under_way)
            raise
    return [results[number] for number in range(len(items))]


def _patiently(do: Callable[[Item], Result], item: Item, pause: Callable[[float], None]) -> Result:
    for seconds in PAUSES:
        try:
            return do(item)
        except httpx.HTTPStatusError as error:
            if error.response.status_code not in BUSY:
                raise
        except httpx.TimeoutException:
            pass
        pause(seconds * random.uniform(0.5, 1.5))  # so that not all come again at once
    return do(item)
