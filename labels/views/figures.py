"""What took how long and who reviewed, by organisation and school year: read once, and again only where something happened.

Each application counts the journal's entries about it (`revision`), so the sum of a year's counts moves with whatever
changes a figure of that year. What was read stays in the process that read it and is never stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.kinds import LabelKind
from labels.record.schema import Application, PersonMerge
from labels.views import statistic_queries as queries
from labels.views.counts import COUNTED, Label
from labels.views.statistic_queries import Asked, Counted, Place, T

Stamp = tuple[int, int, int]
"""How many applications there are, entries of the journal about them, and persons of the record who were made one."""


@dataclass(frozen=True)
class Figures:
    """The figures of some school years of some organisations."""

    first_review: Counted[int]
    """How many applications took how many days from being received to the first review that counts."""
    decision: Counted[int]
    """The same to the first decision, of those that are decided now."""
    reviewers: Counted[str]
    """How many reviews each person gave, of the last year and the one before."""
    review_days: Counted[int]
    """How many of these took how many days."""
    apart: Counted[float]
    """How many pairs of them lie so far apart, in points of a hundred."""


def of_year(counted: Counted[T], year: int, label: Label, organisation: str | None = None) -> Counter[T]:
    """What is counted in a year, for a label or all, at an organisation or all."""
    found: Counter[T] = Counter()
    for (one, whose), by_label in counted.items():
        if one == year and organisation in (None, whose):
            for own in COUNTED if label is None else (label,):
                found.update(by_label.get(own, {}))
    return found


def figures(session: Session, asked: Asked) -> Figures:
    """The figures of what is asked for, as the record has it now."""
    stamps = _stamps(session, asked)
    lately = {place: stamp for place, stamp in stamps.items() if place[0] >= asked.last - 1}
    days, reviews = _KNOWN.setdefault(
        session.get_bind().engine, (_Kept(queries.days, 2), _Kept(queries.reviews, 3))
    )
    first_review, decision = days.of(session, asked, stamps)
    reviewers, took, apart = reviews.of(session, replace(asked, first=asked.last - 1), lately)
    return Figures(first_review, decision, reviewers, took, apart)


def _stamps(session: Session, asked: Asked) -> dict[Place, Stamp]:
    """Of each place, what changes with whatever changes a figure."""
    merged = sa.select(sa.func.count()).select_from(PersonMerge).where(PersonMerge.confirmed_at.is_not(None))
    persons, place = session.scalar(merged) or 0, (Application.school_year, Application.organisation)
    entries = sa.select(*place, sa.func.count(), sa.func.sum(Application.revision)).where(*asked.wherever())
    return {
        (year, organisation): (applications, moved, persons)
        for year, organisation, applications, moved in session.execute(entries.group_by(*place))
    }


ByLabel = Mapping[LabelKind, Counter[Any]]


class _Kept:
    """What was read of each place, with the stamp that the place had before."""

    def __init__(self, read: Callable[[Session, Asked], tuple[Counted[Any], ...]], kinds: int) -> None:
        self._read, self._kinds = read, kinds
        self._places: dict[Place, tuple[Stamp, tuple[ByLabel, ...]]] = {}

    def of(
        self, session: Session, asked: Asked, stamps: Mapping[Place, Stamp]
    ) -> tuple[dict[Place, ByLabel], ...]:
        """What is read of these places, each kind of it, less what is not counted."""
        known = {place: self._places.get(place) for place in stamps}
        if behind := [place for place, there in known.items() if not there or there[0] != stamps[place]]:
            read = self._read(session, asked.at(behind))
            for place in behind:
                known[place] = stamps[place], tuple(counted.get(place, {}) for counted in read)
            self._places |= {place: there for place, there in known.items() if there}
        found: tuple[dict[Place, ByLabel], ...] = tuple(
            {place: there[1][kind] for place, there in known.items() if there} for kind in range(self._kinds)
        )
        if asked.without:
            left_out = self._read(session, asked.left_out())
            for counted, less in zip(found, left_out, strict=True):
                counted |= {place: _less(counted[place], less[place]) for place in less}
        return found


def _less(counted: ByLabel, less: ByLabel) -> ByLabel:
    return {label: counter - less.get(label, Counter()) for label, counter in counted.items()}


_KNOWN: WeakKeyDictionary[sa.Engine, tuple[_Kept, _Kept]] = WeakKeyDictionary()
"""By record."""
