"""The problem of assigning reviewers as arrays: rows are people, columns are applications."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labels.reviews.choosing import Candidate
from labels.reviews.plan import Problem, Waiting
from labels.reviews.suiting import ALIKE, Drawback, Profile, general_costs, is_experienced, own_costs

Ints = NDArray[np.int32]
Long = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

DRAW = 1 << 16
"""How many values the draw has."""


def digest(salt: str, name: str) -> int:
    """A number of 64 bits by which people and applications are ordered, and drawn among equals."""
    return int.from_bytes(hashlib.sha256(f"{salt}\x1f{name}".encode()).digest()[:8], "big")


class Facts:
    """A problem as arrays, in the order of digests: the same whatever order it was given in."""

    def __init__(self, problem: Problem) -> None:
        salt = problem.salt
        self.people: Sequence[Candidate] = sorted(
            problem.people, key=lambda one: (digest(salt, one.person), one.person)
        )
        self.waiting: Sequence[Waiting] = sorted(
            problem.waiting, key=lambda one: (digest(salt, one.application), one.application)
        )
        self.row = {one.person: place for place, one in enumerate(self.people)}
        self.seats: Long = np.array([one.seats for one in self.waiting], dtype=np.int64)
        self.load: Long = np.array([one.load for one in self.people], dtype=np.int64)
        shape = len(self.people), len(self.waiting)
        self.cost: Ints = np.zeros(shape, dtype=np.int32)
        """What each pair costs, whoever sits beside."""
        self.free: Bools = np.ones(shape, dtype=np.bool_)
        general: dict[Profile, Ints] = {}
        for place, one in enumerate(self.waiting):
            profile = one.sought.profile
            if profile not in general:
                general[profile] = np.array(
                    [sum(general_costs(person, profile).values()) for person in self.people], dtype=np.int32
                )
            self.cost[:, place] = general[profile]
            if one.barred:
                self.free[[self.row[person] for person in one.barred if person in self.row], place] = False
            for person in {*one.sought.wishes, *one.sought.judged_partner, *one.alike} & self.row.keys():
                self.cost[self.row[person], place] = sum(self.alone(self.row[person], place).values())
        self.doubles = [
            (self.row[one], self.row[other])
            for one, other in sorted(problem.doubles)
            if one in self.row and other in self.row
        ]
        names = sorted({school for one in self.people for school in one.schools})
        self.school_names = {school: place for place, school in enumerate(names)}
        self.schools: Bools = np.zeros((shape[0], len(names)), dtype=np.bool_)
        for place, candidate in enumerate(self.people):
            self.schools[place, [self.school_names[school] for school in candidate.schools]] = True
        self.draw = self._drawn(salt)
        self._experienced: dict[int, Bools] = {}

    def _drawn(self, salt: str) -> Ints:
        people = np.array([[digest(salt, one.person)] for one in self.people], dtype=np.uint64)
        waiting = np.array([digest(salt, one.application) for one in self.waiting], dtype=np.uint64)
        mixed = people.reshape(-1, 1) ^ (waiting * np.uint64(0x9E3779B97F4A7C15))
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        drawn: Ints = ((mixed ^ (mixed >> np.uint64(32))) % np.uint64(DRAW)).astype(np.int32)
        return drawn

    def alone(self, person: int, place: int) -> dict[Drawback, int]:
        """What speaks against a person at an application, whoever sits beside."""
        one, candidate = self.waiting[place], self.people[person]
        costs = general_costs(candidate, one.sought.profile) | own_costs(candidate.person, one.sought)
        if candidate.person in one.alike:
            costs[Drawback.NAME] = ALIKE
        return {what: cost for what, cost in costs.items() if cost}

    def experienced(self, place: int) -> Bools:
        """Who counts as experienced by the rules of an application."""
        rules = self.waiting[place].sought.profile.rules
        assert rules is not None
        asked = rules.experienced_from.value
        if asked not in self._experienced:
            found = [is_experienced(one, rules) for one in self.people]
            self._experienced[asked] = np.array(found, dtype=np.bool_)
        return self._experienced[asked]

    def lacking(self, place: int) -> list[bool]:
        """The kinds, experienced or not, that an application has not yet and nobody can bring: they cost whatever is planned."""
        one = self.waiting[place]
        rules = one.sought.profile.rules
        if rules is None or not rules.one_sided.value or one.seats + len(one.beside) < 2:
            return []
        there = {is_experienced(each, rules) for each in one.beside}
        experienced, free = self.experienced(place), self.free[:, place]
        return [
            kind for kind in (True, False) if kind not in there and not (free & (experienced == kind)).any()
        ]

    def together(self, place: int, sitting: Sequence[int]) -> int:
        """What it costs who sits together at an application; an empty seat excuses no missing kind."""
        one = self.waiting[place]
        rules = one.sought.profile.rules
        everybody = [*one.beside, *(self.people[person] for person in sitting)]
        if rules is None or one.seats + len(one.beside) < 2:
            return 0
        schools = [school for each in everybody for school in each.schools]
        further = len(schools) - len(set(schools))
        missing = 2 - len({is_experienced(each, rules) for each in everybody})
        return rules.same_school.value * further + rules.one_sided.value * missing

    def joining(self, place: int, others: Sequence[int]) -> Ints:
        """What each person would cost beside `others`, up to a constant."""
        added = np.zeros(len(self.people), dtype=np.int32)
        one = self.waiting[place]
        rules = one.sought.profile.rules
        beside = [*one.beside, *(self.people[other] for other in others)]
        if rules is None or not beside:
            return added
        if rules.same_school.value:
            there = {self.school_names[s] for each in beside for s in each.schools if s in self.school_names}
            added += rules.same_school.value * self.schools[:, sorted(there)].sum(1).astype(np.int32)
        if rules.one_sided.value:
            kinds = {is_experienced(each, rules) for each in beside}
            if len(kinds) == 1:
                added += rules.one_sided.value * (self.experienced(place) == kinds.pop()).astype(np.int32)
        return added
