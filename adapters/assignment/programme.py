"""The linear programme of an assignment, in HiGHS: pairs become columns as they are worth it, and rows about who sits
together as they are needed.

Of millions of pairs few can be in a best plan. So the programme begins with the cheapest of each application and
person, and whenever it is solved, its prices tell which other pairs would improve it (column generation). What two
people cost together is added where a solution has such two (lazy rows). Both end with the optimum of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from adapters.assignment.facts import DRAW, Bools, Facts, Floats, Ints, Long

_EPS = 1e-6
_CHEAPEST = 10
"""So many pairs more than it has seats are tried of each application at first, and at most so many are added at once."""
_NEAR = 0.005
"""A search for whole seats ends where nothing could be cheaper by more than this part."""
_NODES = 200
"""So far a search for whole seats goes; after it, what was found is taken, and the bound says how good it is."""
_WIDEST = 200_000
"""At most so many pairs are added to find out whether a whole plan could be cheaper."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What is made least."""

    pairs: Ints | None
    """What each pair costs; None where pairs cost nothing."""
    balance: bool = False
    """Whether empty seats and unequal loads cost what the programme says of them."""
    together: bool = False
    """Whether it costs who sits together."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What loads and empty seats cost: columns of a person each."""

    person: Long
    cost: Floats
    low: Floats
    high: Floats
    empty: float


@dataclass(frozen=True, slots=True)
class _Group:
    """Pairs of one application of which there should be `wanted`."""

    place: int
    members: Bools
    """Of all people."""
    wanted: int
    more: int | None
    """What each one more costs; None where there may be no more."""
    fewer: int
    """What each one fewer costs."""


class NoPlan(RuntimeError):
    """The solver gave none, which the programme can't be the cause of."""


class Programme:
    """The programme as it grows. Rows: the seats of an application, the load of a person, then groups; all equations."""

    def __init__(self, facts: Facts, balance: Balance) -> None:
        self.facts, self.balance = facts, balance
        self.applications, self.people = len(facts.waiting), len(facts.people)
        self.allowed = facts.free.copy()
        """Pairs that may still be in a plan as good as the best in the aims so far."""
        self._inside: Bools = np.zeros(facts.free.shape, dtype=np.bool_)
        self._who: Long = np.zeros(0, dtype=np.int64)
        self._what: Long = np.zeros(0, dtype=np.int64)
        self._column: Long = np.zeros(0, dtype=np.int64)
        self._groups: dict[tuple[int, str], _Group] = {}
        """By application and name, in the order of their rows."""
        self._in_order: list[_Group] = []
        self._of_groups: list[int] = []
        """The first of the two columns of each group."""
        self._settled = False
        """Whether the costs are fixed: what sits together may cost no more from then on."""
        self._whole = False
        self._highs: Any = _quiet()
        wanted = np.concatenate([facts.seats, np.zeros(self.people)]).astype(float)
        self._highs.addRows(
            len(wanted), wanted, wanted, 0,
            np.zeros(len(wanted), dtype=np.int32), np.zeros(0, dtype=np.int32), np.zeros(0),
        )  # fmt: skip
        self._add_columns(
            np.arange(self.applications), np.ones(self.applications),
            np.zeros(self.applications), facts.seats.astype(float),
        )  # fmt: skip
        self._add_columns(
            self.applications + balance.person, -np.ones(len(balance.person)), balance.low, balance.high
        )

    # Solving ----------------------------------------------------------------------------------------

    def reach(self, aim: Aim) -> Floats:
        """The best solution for an aim among those that the aims before it left; each pair's share, by `pairs`."""
        self._set_costs(aim)
        while True:
            self._run()
            if self._add_pairs_worth_it(aim) or self._add_groups_that_matter(aim):
                continue
            return self._shares()

    def settle(self) -> None:
        """Keeps exactly the solutions that are as good as the present one: what has a price stays where it is."""
        reduced = self._reduced(self._aim)
        self.allowed &= self._inside | (reduced <= _EPS)
        solution, programme = self._highs.getSolution(), self._highs.getLp()
        price = np.array(solution.col_dual)
        low, high = np.array(programme.col_lower_), np.array(programme.col_upper_)
        high = np.where(price > _EPS, low, high)
        low = np.where(price < -_EPS, high, low)
        every = np.arange(len(low), dtype=np.int32)
        self._highs.changeColsBounds(len(every), every, low, high)
        self._settled = self._settled or self._aim.together

    def whole(self, least: float) -> tuple[Floats, float]:
        """The best solution with whole seats, where the present one has parts of them, and what none is better than.

        `least` is the objective of the present one. A pair that costs more by its price than a whole solution is worse
        can be in none that is better: the others are tried, too.
        """
        reduced = self._reduced(self._aim)
        self._whole = True
        columns = self._column.astype(np.int32)
        self._highs.changeColsIntegrality(
            len(columns), columns, np.full(len(columns), highspy.HighsVarType.kInteger)
        )
        objective, bound = self._search()
        most = objective - np.ceil(least - _EPS)
        if most > _EPS:
            who, what = np.nonzero(self.allowed & ~self._inside & (reduced <= most - 1 + _EPS))
            proved = len(who) <= _WIDEST
            if proved and len(who):
                self._add_pairs(who, what, self._aim)
                objective, bound = self._search()
            bound = bound if proved else least
        return self._shares(), max(min(bound, objective), least)

    def _search(self) -> tuple[float, float]:
        self._run()
        while self._add_groups_that_matter(self._aim):
            self._run()
        info = self._highs.getInfo()
        return float(info.objective_function_value), float(info.mip_dual_bound)

    def count_from(self, offset: float) -> None:
        """Adds a constant to what is made least, by which a search for whole seats judges what is near enough."""
        self._highs.changeObjectiveOffset(offset)

    def objective(self) -> float:
        """What the present solution costs by the present aim."""
        return float(self._highs.getInfo().objective_function_value)

    def is_balanced(self, wanted: Floats) -> bool:
        """Whether no seat is empty and every column of the balance has the value that is wanted; -1: any."""
        value = np.array(self._highs.getSolution().col_value)
        empty = value[: self.applications]
        steps = value[self.applications : self.applications + len(wanted)]
        return bool(empty.sum() < 0.5 and (np.abs(steps - wanted)[wanted >= 0] < 0.5).all())

    def taken(self, shares: Floats) -> Bools:
        """Who sits where, of whole seats."""
        taken: Bools = np.zeros(self.facts.free.shape, dtype=np.bool_)
        chosen = shares > 0.5
        taken[self._who[chosen], self._what[chosen]] = True
        return taken

    def _shares(self) -> Floats:
        value: Floats = np.array(self._highs.getSolution().col_value)[self._column]
        return value

    def _run(self) -> None:
        self._highs.run()
        status = self._highs.getModelStatus()
        found = {highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kSolutionLimit}
        if status not in found:
            raise NoPlan(f"no plan was found: {self._highs.modelStatusToString(status)}")

    # Columns ----------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Takes in the cheapest pairs of each application and of each person."""
        facts = self.facts
        key = facts.cost.astype(np.int64) * DRAW + facts.draw
        key[~facts.free] = np.iinfo(np.int64).max
        chosen: Bools = np.zeros(facts.free.shape, dtype=np.bool_)
        of_each = min(int(facts.seats.max()) + _CHEAPEST, self.people)
        chosen[np.argpartition(key, of_each - 1, axis=0)[:of_each], np.arange(self.applications)] = True
        of_each = min(int(facts.seats.sum()) // self.people + _CHEAPEST, self.applications)
        chosen[np.arange(self.people)[:, None], np.argpartition(key, of_each - 1, axis=1)[:, :of_each]] = True
        who, what = np.nonzero(chosen & facts.free)
        self._add_pairs(who, what, Aim(None))

    def _add_columns(self, row: Long, entry: Floats, low: Floats, high: Floats) -> int:
        """Columns of one entry each, which cost nothing so far; returns the first."""
        first = int(self._highs.getNumCol())
        count = len(row)
        self._highs.addCols(
            count, np.zeros(count), low.astype(float), high.astype(float), count,
            np.arange(count, dtype=np.int32), row.astype(np.int32), entry.astype(float),
        )  # fmt: skip
        return first

    def _add_pairs(self, who: Long, what: Long, aim: Aim) -> None:
        count, first = len(who), int(self._highs.getNumCol())
        rows = [what, self.applications + who]
        owners = [np.arange(count), np.arange(count)]
        by_place = np.argsort(what, kind="stable")
        starts = np.searchsorted(what[by_place], np.arange(self.applications + 1))
        for number, group in enumerate(self._in_order):
            here = by_place[starts[group.place] : starts[group.place + 1]]
            inside = here[group.members[who[here]]]
            if len(inside):
                owners.append(inside)
                rows.append(np.full(len(inside), self.applications + self.people + number))
        owner, row = np.concatenate(owners), np.concatenate(rows)
        order = np.argsort(owner, kind="stable")
        starts = np.searchsorted(owner[order], np.arange(count))
        cost = np.zeros(count) if aim.pairs is None else aim.pairs[who, what].astype(float)
        self._highs.addCols(
            count, cost, np.zeros(count), np.ones(count), len(row),
            starts.astype(np.int32), row[order].astype(np.int32), np.ones(len(row)),
        )  # fmt: skip
        if self._whole:
            columns = np.arange(first, first + count, dtype=np.int32)
            self._highs.changeColsIntegrality(count, columns, np.full(count, highspy.HighsVarType.kInteger))
        self._inside[who, what] = True
        self._who = np.concatenate([self._who, who])
        self._what = np.concatenate([self._what, what])
        self._column = np.concatenate([self._column, np.arange(first, first + count)])

    def _reduced(self, aim: Aim) -> Floats:
        """What each pair would change if it were added, by the prices of the present solution."""
        price = np.array(self._highs.getSolution().row_dual)
        seats = price[: self.applications]
        loads = price[self.applications : self.applications + self.people]
        reduced: Floats = -(seats[None, :] + loads[:, None])
        if aim.pairs is not None:
            reduced += aim.pairs
        of_groups = price[self.applications + self.people :]
        for number in np.flatnonzero(np.abs(of_groups) > _EPS):
            group = self._in_order[number]
            reduced[group.members, group.place] -= of_groups[number]
        return reduced

    def _add_pairs_worth_it(self, aim: Aim) -> bool:
        reduced = self._reduced(aim)
        who, what = np.nonzero(self.allowed & ~self._inside & (reduced < -_EPS))
        if not len(who):
            return False
        order = np.lexsort((self.facts.draw[who, what], reduced[who, what], what))
        who, what = who[order], what[order]
        rank = np.arange(len(what)) - np.searchsorted(what, what)
        best = rank < _CHEAPEST
        self._add_pairs(who[best], what[best], aim)
        return True

    def _set_costs(self, aim: Aim) -> None:
        self._aim = aim
        cost = np.zeros(self._highs.getNumCol())
        if aim.balance:
            cost[: self.applications] = self.balance.empty
            cost[self.applications : self.applications + len(self.balance.cost)] = self.balance.cost
        if aim.pairs is not None:
            cost[self._column] = aim.pairs[self._who, self._what]
        if aim.together:
            for group, first in zip(self._in_order, self._of_groups, strict=True):
                cost[first], cost[first + 1] = group.more or 0, group.fewer
        every = np.arange(len(cost), dtype=np.int32)
        self._highs.changeColsCost(len(cost), every, cost)

    # Who sits together ------------------------------------------------------------------------------

    def _add_groups_that_matter(self, aim: Aim) -> bool:
        """Adds a row for whatever of who sits together costs something, or may not be, and has none yet."""
        shares = self._shares()
        there = np.flatnonzero(shares > _EPS)
        order = np.argsort(self._what[there], kind="stable")
        there = there[order]
        starts = np.searchsorted(self._what[there], np.arange(self.applications + 1))
        found: dict[tuple[int, str], _Group] = {}
        counts = aim.together or self._settled
        for place in range(self.applications):
            here = there[starts[place] : starts[place + 1]]
            found |= self._grouped(place, self._who[here], shares[here], counts)
        new = {name: group for name, group in found.items() if name not in self._groups}
        if new:
            self._add_groups(new, aim)
        return bool(new)

    def _grouped(self, place: int, who: Long, share: Floats, counts: bool) -> dict[tuple[int, str], _Group]:
        facts, one = self.facts, self.facts.waiting[place]
        found: dict[tuple[int, str], _Group] = {}
        for number, (left, right) in enumerate(facts.doubles):
            if share[(who == left) | (who == right)].sum() > 1 + _EPS:
                members: Bools = np.zeros(self.people, dtype=np.bool_)
                members[[left, right]] = True
                found[place, f"double {number}"] = _Group(place, members, 1, None, 0)
        rules = one.sought.profile.rules
        if not counts or rules is None or one.seats + len(one.beside) < 2:
            return found
        if rules.same_school.value:
            there = share @ facts.schools[who]
            beside = self._beside(place)
            for school in np.flatnonzero(there + beside > 1 + _EPS):
                if there[school] > _EPS:
                    wanted = max(0, 1 - int(beside[school]))
                    found[place, f"school {school}"] = _Group(
                        place, facts.schools[:, school], wanted, rules.same_school.value, 0
                    )
        if rules.one_sided.value:
            experienced = facts.experienced(place)
            present = {other.given >= rules.experienced_from.value for other in one.beside}
            for kind in {True, False} - present - set(facts.lacking(place)):
                members = experienced == kind
                if share[members[who]].sum() < 1 - _EPS:
                    found[place, f"kind {kind}"] = _Group(place, members, 1, 0, rules.one_sided.value)
        return found

    def _beside(self, place: int) -> Long:
        """How many of those who have the other seats are of each school."""
        counts: Long = np.zeros(self.facts.schools.shape[1], dtype=np.int64)
        for other in self.facts.waiting[place].beside:
            for school in other.schools & self.facts.school_names.keys():
                counts[self.facts.school_names[school]] += 1
        return counts

    def _add_groups(self, new: Mapping[tuple[int, str], _Group], aim: Aim) -> None:
        groups, first = list(new.values()), int(self._highs.getNumRow())
        by_place = np.argsort(self._what, kind="stable")
        starts = np.searchsorted(self._what[by_place], np.arange(self.applications + 1))
        members = []
        for group in groups:
            here = by_place[starts[group.place] : starts[group.place + 1]]
            members.append(here[group.members[self._who[here]]])
        lengths = np.array([len(one) for one in members])
        wanted = np.array([float(group.wanted) for group in groups])
        entries = np.concatenate(members)
        self._highs.addRows(
            len(groups), wanted, wanted, len(entries), (np.cumsum(lengths) - lengths).astype(np.int32),
            self._column[entries].astype(np.int32), np.ones(len(entries)),
        )  # fmt: skip
        most = float(self.people)
        bounds = [(self._most(group.more, most), self._most(group.fewer, most)) for group in groups]
        rows = np.repeat(np.arange(first, first + len(groups)), 2)
        columns = self._add_columns(
            rows, np.tile([-1.0, 1.0], len(groups)), np.zeros(len(rows)), np.array(bounds).ravel()
        )
        self._groups |= new
        self._in_order += groups
        self._of_groups += range(columns, columns + len(rows), 2)
        if aim.together:
            costs = np.array([(group.more or 0, group.fewer) for group in groups], dtype=float).ravel()
            every = np.arange(columns, columns + len(rows), dtype=np.int32)
            self._highs.changeColsCost(len(every), every, costs)

    def _most(self, cost: int | None, most: float) -> float:
        """How many more or fewer there may be: none where that may not be, or would cost more than the best plan."""
        return 0.0 if cost is None or (self._settled and cost) else most


def is_whole(shares: Floats) -> bool:
    """Whether every seat is had by one person."""
    return bool((np.abs(shares - shares.round()) < _EPS).all())


def _quiet() -> Any:
    highs = highspy.Highs()  # type: ignore[no-untyped-call]  # ships no annotation for this one
    settings = {
        "output_flag": False, "threads": 1, "random_seed": 0, "mip_rel_gap": _NEAR, "mip_abs_gap": 0.99, "mip_max_nodes": _NODES,
    }  # fmt: skip
    for option, setting in settings.items():
        highs.setOptionValue(option, setting)
    return highs


def even_steps(level: int, loads: Sequence[int] | Long, dear: float) -> tuple[Balance, Floats]:
    """Columns by which everybody has `level` or one more, where that can be; with the values that show that it can."""
    loads = np.asarray(loads)
    people = np.arange(len(loads))
    base = np.maximum(level - loads, 0)
    one = (loads <= level).astype(float)
    balance = Balance(
        person=np.concatenate([people, people, people]),
        cost=np.concatenate([np.full(len(loads), -dear), np.zeros(len(loads)), np.full(len(loads), dear)]),
        low=np.zeros(3 * len(loads)),
        high=np.concatenate([base.astype(float), one, np.full(len(loads), np.inf)]),
        empty=dear,
    )
    return balance, np.concatenate([base.astype(float), np.full(len(loads), -1.0), np.zeros(len(loads))])


def level_steps(top: int, loads: Sequence[int] | Long, seats: int) -> Balance:
    """Columns of a person and a level of load each, which cost their level; and one for what is above all levels."""
    loads = np.asarray(loads)
    ladders = [range(int(load) + 1, top + 1) for load in loads]
    climber = np.repeat(np.arange(len(loads)), [len(one) for one in ladders])
    level = np.array([step for ladder in ladders for step in ladder], dtype=float)
    worst = float(max(top, int(loads.max(initial=0))) + 1)
    return Balance(
        person=np.concatenate([climber, np.arange(len(loads))]).astype(np.int64),
        cost=np.concatenate([level, np.full(len(loads), worst)]),
        low=np.zeros(len(level) + len(loads)),
        high=np.concatenate([np.ones(len(level)), np.full(len(loads), float(seats))]),
        empty=worst + 1,
    )
