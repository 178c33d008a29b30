"""A plan of reviewers for many applications at once, as values: what it is made from, and what it says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from labels.reviews.choosing import Candidate
from labels.reviews.suiting import Drawback, Sought

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An application with seats that nobody has."""

    application: str
    seats: int
    """How many of its seats are to be filled."""
    sought: Sought
    barred: frozenset[str] = frozenset()
    """Persons who may not judge it, or who were asked already."""
    beside: tuple[Candidate, ...] = ()
    """Those who have its other seats."""
    alike: frozenset[str] = frozenset()
    """Persons who may be the applicant or a member by name: they come last."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Who could review what: one organisation, one school year."""

    people: Sequence[Candidate]
    waiting: Sequence[Waiting]
    doubles: frozenset[Pair] = frozenset()
    """Two persons each who may be one: not both review one application."""
    salt: str = ""
    """What the draw among equals goes by; another one each year, so that nobody is always first."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Who is to have a seat, and why."""

    application: str
    person: str
    costs: Mapping[Drawback, int]
    """What speaks against this person here; only what costs something."""
    load: int
    """How many applications of the year they have been asked to judge by then."""
    following: str | None
    """Who would have the seat in the best plan without this choice, with loads as equal; None where nobody could."""
    extra: int
    """What that plan would cost more; 0 where the draw decided."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Reviewers for many applications: no seat empty that somebody could take, loads as equal as they can be, least cost."""

    choices: tuple[Choice, ...]
    """By application and person."""
    empty: Mapping[str, int] = field(default_factory=dict)
    """Seats that nobody can take, by application."""
    loads: Mapping[str, int] = field(default_factory=dict)
    """How many applications of the year each person has with this plan."""
    cost: int = 0
    bound: int = 0
    """No plan that fills as much and is as even costs less; equal to `cost` where that is proved."""

    @property
    def word(self) -> str:
        """By which a plan that was shown is recognised when it is to be carried out."""
        told = json.dumps(
            [[one.application, one.person] for one in self.choices] + [sorted(self.empty.items())]
        )
        return hashlib.sha256(told.encode()).hexdigest()[:12]
