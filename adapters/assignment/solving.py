"""The best plan of reviewers for many applications: four aims, each only as far as those before it allow.

No seat stays empty that somebody could take; loads are as equal as they can be; the costs by the rules' weights are
least; a digest breaks ties. The same facts, in any order, give the same plan.
"""

from __future__ import annotations

import math

import numpy as np

from adapters.assignment.facts import Bools, Facts
from adapters.assignment.programme import Aim, Programme, even_steps, is_whole, level_steps
from adapters.assignment.reasons import following
from labels.reviews.plan import Choice, Plan, Problem

_DEAR = 100_000.0
"""What an empty seat or an uneven load costs while it is tried whether there need be none."""
_MORE_LEVELS = 8
"""Loads are told apart up to this far above the mean."""


def solve(problem: Problem, *, explain: bool = True) -> Plan:
    """The best plan; `explain` finds who was next for each seat, too.

    Raises:
        NoPlan: the solver fails, which no problem should be the cause of.
    """
    facts = Facts(problem)
    taken: Bools = np.zeros(facts.free.shape, dtype=np.bool_)
    bound = 0
    if facts.free.any() and facts.seats.sum():
        taken, bound = _solved(facts)
    for place, one in enumerate(facts.waiting):
        if rules := one.sought.profile.rules:
            bound += rules.one_sided.value * len(facts.lacking(place))
    return _told(facts, taken, bound, explain)


def _solved(facts: Facts) -> tuple[Bools, int]:
    """Who sits where, and what no plan as full and as even costs less than."""
    balance, wanted = even_steps(_level(facts), facts.load, _DEAR)
    programme = Programme(facts, balance)
    programme.begin()
    programme.count_from(
        float(_DEAR * balance.high[wanted > 0].sum())
    )  # what loads bring in wherever all are even
    cost = Aim(facts.cost, balance=True, together=True)
    shares = programme.reach(cost)
    if not programme.is_balanced(wanted):
        top = -(-int(facts.seats.sum() + facts.load.sum()) // len(facts.people)) + _MORE_LEVELS
        programme = Programme(facts, level_steps(top, facts.load, int(facts.seats.sum())))
        programme.begin()
        programme.reach(Aim(None, balance=True))
        programme.settle()
        cost = Aim(facts.cost, together=True)
        shares = programme.reach(cost)
    least = programme.objective()
    if not is_whole(shares):
        shares, least = programme.whole(least)
        return programme.taken(shares), math.ceil(least - 1e-4)
    taken = programme.taken(shares)
    programme.settle()
    drawn = programme.reach(Aim(facts.draw))
    if is_whole(drawn):  # else the solver's own choice among equals stands, the order of digests before it
        taken = programme.taken(drawn)
    return taken, math.ceil(least - 1e-4)


def _level(facts: Facts) -> int:
    """The load to which everybody comes if nobody had a conflict of interest; some have one more."""
    level, need = 0, int(facts.seats.sum())
    while np.maximum(level + 1 - facts.load, 0).sum() <= need:
        level += 1
    return level


def _told(facts: Facts, taken: Bools, bound: int, explain: bool) -> Plan:
    load = facts.load + taken.sum(1)
    instead = following(facts, taken) if explain else {}
    choices, empty, cost = [], {}, 0
    for place, one in enumerate(facts.waiting):
        sitting = np.flatnonzero(taken[:, place]).tolist()
        cost += facts.together(place, sitting)
        if len(sitting) < one.seats:
            empty[one.application] = one.seats - len(sitting)
        for person in sitting:
            costs = facts.alone(person, place)
            cost += sum(costs.values())
            other, extra = instead.get((person, place), (None, 0))
            choices.append(
                Choice(
                    application=one.application,
                    person=facts.people[person].person,
                    costs=costs,
                    load=int(load[person]),
                    following=None if other is None else facts.people[other].person,
                    extra=extra,
                )
            )
    return Plan(
        choices=tuple(sorted(choices, key=lambda one: (one.application, one.person))),
        empty=empty,
        loads={one.person: int(load[place]) for place, one in enumerate(facts.people)},
        cost=cost,
        bound=bound,
    )
