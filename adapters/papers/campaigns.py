"""Certificates of a whole campaign: any number of them, on all cores, in the memory of a few hundred."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from adapters.papers.certificates import Stamping
from adapters.supervision import end_with_parent
from labels.errors import InvalidInput
from labels.papers.facts import CertificateFacts

BATCH = 200
"""Certificates that are made together: enough for what they share to weigh nothing, 13 MB of files."""

Wanted = tuple[CertificateFacts, bytes | None]
"""What a certificate states, and its credential where it carries one."""


def render_each(
    wanted: Iterable[Wanted], *, processes: int | None = None, branding: Path | None = None
) -> Iterator[bytes | InvalidInput]:
    """The certificates in the order in which they are wanted; for one that can't be printed, what is wrong with it.

    Facts are taken as they are needed, and a few batches at a time are made, so neither they nor the
    files pile up; nothing is written anywhere. `branding` is the folder of what organisations have of their own. With one process they are made in this one. Close the
    iterator to stop before its end.
    """
    many = processes or os.cpu_count() or 1
    batches = _batches(wanted)
    if many == 1:
        stamping = Stamping(branding)
        for batch in batches:
            yield from _print(stamping, batch)
        return
    # A process that has threads, fonts and a database open is not one to be forked.
    with ProcessPoolExecutor(many, get_context("spawn"), initializer=end_with_parent) as pool:
        yield from _in_order(pool, batches, 2 * many, branding)


def _batches(wanted: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    waiting = iter(wanted)
    while batch := list(islice(waiting, BATCH)):
        yield batch


def _print(stamping: Stamping, batch: Sequence[Wanted]) -> list[bytes | InvalidInput]:
    """A batch; where one of it can't be printed, the others are printed all the same."""
    try:
        return [*stamping.print([facts for facts, _ in batch], [credential for _, credential in batch])]
    except InvalidInput as error:
        if len(batch) == 1:
            return [error]
    half = len(batch) // 2
    return _print(stamping, batch[:half]) + _print(stamping, batch[half:])


def _in_order(
    pool: ProcessPoolExecutor, batches: Iterator[list[Wanted]], ahead: int, branding: Path | None
) -> Iterator[bytes | InvalidInput]:
    """The files of the batches one after the other, while at most so many are under way."""
    under_way: deque[Future[list[bytes | InvalidInput]]] = deque()
    try:
        for batch in batches:
            under_way.append(pool.submit(_print_here, batch, branding))
            if len(under_way) == ahead:
                yield from under_way.popleft().result()
        while under_way:
            yield from under_way.popleft().result()
    finally:
        for future in under_way:
            future.cancel()


@cache
def _shared(branding: Path | None) -> Stamping:
    """What the batches of a process of the pool share; it ends with the process."""
    return Stamping(branding)


def _print_here(batch: list[Wanted], branding: Path | None) -> list[bytes | InvalidInput]:
    return _print(_shared(branding), batch)
