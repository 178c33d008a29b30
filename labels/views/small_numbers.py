"""Which numbers of a table are shown, so that no number of fewer than five people can be found out from the others.

A count of one to four people is not shown (primary suppression). Nor is whatever it would follow from by adding and
subtracting (secondary suppression): each number is offered in turn, the more useful first, and is shown unless a
hidden count, or the sum of several that together have fewer than five, would then be a combination of what is shown.
Zero is shown: nobody stands behind it.

Source: the threshold rule as the OECD's Glossary of Statistical Terms has it, 2005 ("some agencies require at least five
respondents in a cell, others require three"), and secondary suppression by Gaussian elimination, as Statistics Norway
does it (Ø. Langsrud, 2024); both are in the Handbook on Statistical Disclosure Control, second edition, 2024. Five
is our assumption.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

LEAST = 5
"""People who stand behind a number that is shown, at least."""

Vector = dict[Hashable, int]
"""A number as the sum of parts that nobody knows yet: how often each part is in it."""

_PRIME = 2**61 - 1
"""Coefficients are counted modulo this prime: they stay short, and a sum that is zero is zero here too."""


class Table:
    """What is shown of some numbers so far, and what must not follow from it."""

    def __init__(self, known: Iterable[Table] = ()) -> None:
        """An empty table, or one that begins with what others show, which have no part in common."""
        self._shown: dict[Hashable, Vector] = {}
        """In reduced echelon form: each row by the one part that no other row has."""
        self._secrets: list[Vector] = []
        """As far as they do not follow from what is shown."""
        for one in known:
            self._shown |= one._shown
            self._secrets += one._secrets

    def copy(self) -> Table:
        """The same table, to which more can be added."""
        new = Table()
        new._shown = {part: dict(row) for part, row in self._shown.items()}
        new._secrets = [dict(one) for one in self._secrets]
        return new

    def keep_secret(self, parts: Iterable[Hashable]) -> None:
        """Says of the sum of some parts that it must not follow from what is shown. Before anything is offered."""
        if secret := self._left_of(dict.fromkeys(parts, 1)):
            self._secrets.append(secret)

    def offer(self, parts: Iterable[Hashable]) -> bool:
        """Shows the sum of some parts, unless a secret would follow from it; returns whether it is shown."""
        new = self._left_of(dict.fromkeys(parts, 1))
        if not new:
            return True  # it follows from what is shown already
        if any(_multiples(new, secret) for secret in self._secrets):
            return False
        pivot = min(new, key=repr)
        inverse = pow(new[pivot], -1, _PRIME)
        new = {part: value * inverse % _PRIME for part, value in new.items()}
        for row in self._shown.values():
            _subtract(row, new, pivot)
        self._shown[pivot] = new
        for secret in self._secrets:
            _subtract(secret, new, pivot)
        return True

    def _left_of(self, vector: Vector) -> Vector:
        """What of a number does not follow from what is shown."""
        for pivot in [part for part in vector if part in self._shown]:
            _subtract(vector, self._shown[pivot], pivot)
        return vector


def _subtract(vector: Vector, row: Vector, pivot: Hashable) -> None:
    """Takes a row out of a vector as often as its pivot is in it."""
    times = vector.get(pivot)
    if not times:
        return
    for part, value in row.items():
        left = (vector.get(part, 0) - times * value) % _PRIME
        if left:
            vector[part] = left
        else:
            vector.pop(part, None)


def _multiples(one: Vector, other: Vector) -> bool:
    if one.keys() != other.keys():
        return False
    part = next(iter(one))
    return all(one[part] * other[key] % _PRIME == other[part] * one[key] % _PRIME for key in one)


def small(people: int) -> bool:
    """Whether so few people stand behind a number that it is not shown."""
    return 0 < people < LEAST


P = TypeVar("P", bound=Hashable)


def small_sums(people: Mapping[P, int]) -> Iterable[tuple[P, ...]]:
    """The parts behind which few people stand, and every few of them that have fewer than five together."""
    few = sorted((part for part, number in people.items() if small(number)), key=repr)
    for size in range(1, LEAST):
        for parts in itertools.combinations(few, size):
            if small(sum(people[part] for part in parts)):
                yield parts
