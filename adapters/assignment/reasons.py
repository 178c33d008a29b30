"""Why each choice of a plan was made: who was next, and what the whole plan would have cost then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adapters.assignment.facts import DRAW, Bools, Facts, Long

_FAR = np.int64(1) << 40
"""A cost that stands for "can't"."""

Seat = tuple[int, int]
"""A person and an application, by their places."""


def following(facts: Facts, taken: Bools) -> dict[Seat, tuple[int, int]]:
    """Who could have each seat instead and what that would cost, others moving where that is cheaper.

    `swap[i, j]` is what it costs that i takes the cheapest seat of j; its shortest chains tell what a whole plan
    without a choice would cost. Exact where it costs nothing who sits together, else an estimate.
    """
    people = len(facts.people)
    load: Long = facts.load + taken.sum(1)
    swap: Long = np.full((people, people), _FAR)
    entering: dict[Seat, Long] = {}
    for place, sitting in enumerate(_by_application(taken)):
        for one in sitting:
            others = [other for other in sitting if other != one]
            added = facts.cost[:, place].astype(np.int64) + facts.joining(place, others)
            change = np.where(facts.free[:, place], added - added[one], _FAR)
            change[sitting] = _FAR
            for left, right in facts.doubles:
                if left in others or right in others:
                    change[[left, right]] = _FAR
            entering[one, place] = change
            swap[:, one] = np.minimum(swap[:, one], change)
    # Where one has a review more than another, they may change loads and nobody is worse off.
    swap = np.where(load[:, None] == load[None, :] + 1, np.minimum(swap, 0), swap)
    np.fill_diagonal(swap, 0)
    for middle in range(people):
        np.minimum(swap, swap[:, middle, None] + swap[None, middle, :], out=swap)
    found = {}
    for (one, place), change in entering.items():
        whole = change + swap[one]
        other = int((whole * DRAW + facts.draw[:, place]).argmin())
        if whole[other] < _FAR // 2:
            found[one, place] = other, int(whole[other])
    return found


def _by_application(taken: Bools) -> Sequence[list[int]]:
    return [np.flatnonzero(taken[:, place]).tolist() for place in range(taken.shape[1])]
