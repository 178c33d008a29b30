"""A plan of reviewers is the best there is: held against all plans that there are, of small problems."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from adapters.assignment.solving import solve
from labels.kinds import Wish
from labels.reviews.choosing import Candidate
from labels.reviews.plan import Plan, Problem, Waiting
from labels.reviews.suiting import Profile, Sought, costs_of, is_experienced
from labels.rules.loading import load_rules
from labels.rules.model import AssignmentRules

_SHIPPED = load_rules("NSS-PL", date(2026, 3, 16)).national.review.assignment
assert _SHIPPED is not None
RULES: AssignmentRules = _SHIPPED
APART = RULES.model_copy(
    update={
        name: getattr(RULES, name).model_copy(update={"value": 0}) for name in ("same_school", "one_sided")
    }
)
"""Rules by which it costs nothing who sits together."""
Measure = tuple[int, int, int]


def person(number: int, load: int = 0, **more: object) -> Candidate:
    blank = Candidate(
        email=f"r{number}@nss.example", name=f"Reviewer {number}", schools=frozenset(), projects=frozenset(),
        declared=frozenset(), load=load, person=f"PER-{number}",
    )  # fmt: skip
    return replace(blank, **more)  # type: ignore[arg-type]  # fields by their names


@st.composite
def problems(draw: st.DrawFn, rules: AssignmentRules = RULES) -> Problem:
    drawn = random.Random(draw(st.integers(0, 2**32)))
    people = [
        person(
            number,
            drawn.choice([0, 0, 1, 3]),
            schools=frozenset(drawn.sample(["S-1", "S-2"], drawn.choice([0, 1, 1]))),
            languages=frozenset(drawn.sample(["de", "fr", "pl"], drawn.choice([0, 1, 2]))),
            subjects=frozenset(drawn.sample(["art", "biology"], drawn.choice([0, 1]))),
            ages=frozenset(drawn.sample([(6, 11), (12, 18)], drawn.choice([0, 1]))),
            given=drawn.choice([0, 5]),
        )
        for number in range(drawn.randint(2, 5))
    ]
    ids = [one.person for one in people]
    waiting = []
    for number in range(drawn.randint(1, 4)):
        barred = frozenset(drawn.sample(ids, drawn.choice([0, 0, 1, 2])))
        beside = drawn.sample(people, 1) if drawn.random() < 0.2 else []
        sought = Sought(
            Profile(rules, drawn.choice(["de", "fr"]), frozenset({"art"}), drawn.choice([9.5, 14.0, None])),
            {
                one: drawn.choice([Wish.YES, Wish.MAYBE, Wish.RATHER_NOT])
                for one in ids
                if drawn.random() < 0.4
            },
            frozenset(one for one in ids if drawn.random() < 0.2),
        )
        waiting.append(
            Waiting(
                f"NQL-{number}",
                drawn.choice([1, 2, 2]),
                sought,
                barred | {one.person for one in beside},
                tuple(beside),
                frozenset(one for one in ids if drawn.random() < 0.05),
            )
        )
    doubles = frozenset({(ids[0], ids[1])} if drawn.random() < 0.2 else ())
    return Problem(people, waiting, doubles, f"NSS-PL {drawn.randint(0, 99)}")


Seating = Sequence[tuple[Candidate, ...]]
"""Who sits at each application, in their order."""


def every_seating(problem: Problem) -> Iterator[Seating]:
    """Every way to fill the seats, less than all of them included."""
    choices = []
    for one in problem.waiting:
        free = [candidate for candidate in problem.people if candidate.person not in one.barred]
        groups = [
            group
            for size in range(one.seats + 1)
            for group in itertools.combinations(free, size)
            if not any({left, right} <= {each.person for each in group} for left, right in problem.doubles)
        ]
        choices.append(groups)
    yield from itertools.product(*choices)


def cost_of(one: Waiting, sitting: Sequence[Candidate]) -> int:
    """By its definition: each person's own costs, each further one of a school, and each missing kind."""
    rules = one.sought.profile.rules
    assert rules is not None
    cost = sum(sum(costs_of(each, one.sought, alike=each.person in one.alike).values()) for each in sitting)
    everybody = [*one.beside, *sitting]
    if one.seats + len(one.beside) < 2:
        return cost
    schools = [school for each in everybody for school in each.schools]
    cost += rules.same_school.value * (len(schools) - len(set(schools)))
    return cost + rules.one_sided.value * (2 - len({is_experienced(each, rules) for each in everybody}))


def measured(problem: Problem, seating: Seating) -> Measure:
    """Empty seats, the sum of all levels of load, and the cost: less is better, the first before the others."""
    empty = sum(one.seats - len(here) for one, here in zip(problem.waiting, seating, strict=True))
    levels = 0
    for candidate in problem.people:
        more = sum(candidate in here for here in seating)
        levels += sum(range(candidate.load + 1, candidate.load + more + 1))
    cost = sum(cost_of(one, here) for one, here in zip(problem.waiting, seating, strict=True))
    return empty, levels, cost


def seating_of(problem: Problem, plan: Plan) -> Seating:
    by = {one.person: one for one in problem.people}
    return [
        tuple(by[choice.person] for choice in plan.choices if choice.application == one.application)
        for one in problem.waiting
    ]


@pytest.mark.slow
@pytest.mark.parametrize("rules", [APART, RULES], ids=["alone", "together"])
def test_no_plan_is_better(rules: AssignmentRules) -> None:
    @examples(max_examples=60, deadline=None)
    @given(problem=problems(rules))
    def check(problem: Problem) -> None:
        plan = solve(problem)
        seating = seating_of(problem, plan)
        found = measured(problem, seating)
        assert found == min(measured(problem, each) for each in every_seating(problem))
        assert plan.cost == found[2] == plan.bound
        assert sum(plan.empty.values()) == found[0]

    check()


@pytest.mark.slow
@examples(max_examples=60, deadline=None)
@given(problem=problems(), drawn=st.randoms(use_true_random=False))
def test_the_same_facts_in_any_order_give_the_same_plan(problem: Problem, drawn: random.Random) -> None:
    people, waiting = list(problem.people), list(problem.waiting)
    drawn.shuffle(people)
    drawn.shuffle(waiting)
    assert solve(replace(problem, people=people, waiting=waiting)) == solve(problem)


@pytest.mark.slow
@examples(max_examples=40, deadline=None)
@given(problem=problems(APART))
def test_extra_is_what_the_best_plan_without_the_choice_would_cost_more(problem: Problem) -> None:
    plan = solve(problem)
    best = measured(problem, seating_of(problem, plan))
    for choice in plan.choices[:3]:
        without = [
            measured(problem, each)
            for each in every_seating(problem)
            if choice.person not in _at(problem, each, choice.application)
        ]
        found = min(without)
        if choice.following is None:
            assert found[:2] > best[:2]
        else:
            assert found == (best[0], best[1], best[2] + choice.extra)


def _at(problem: Problem, seating: Seating, application: str) -> set[str]:
    place = [one.application for one in problem.waiting].index(application)
    return {one.person for one in seating[place]}


def test_nobody_judges_what_they_are_barred_from_however_many_seats_stay_empty() -> None:
    everybody = [person(number) for number in range(3)]
    one = Waiting("NQL-1", 2, Sought(Profile(RULES)), frozenset({"PER-0", "PER-1"}))
    plan = solve(Problem(everybody, [one]))
    assert [choice.person for choice in plan.choices] == ["PER-2"]
    assert plan.empty == {"NQL-1": 1}


def test_whoever_has_more_reviews_already_gets_the_fewest() -> None:
    people = [person(0, load=5), person(1), person(2)]
    waiting = [Waiting(f"NQL-{number}", 2, Sought(Profile(RULES))) for number in range(4)]
    assert solve(Problem(people, waiting)).loads == {"PER-0": 5, "PER-1": 4, "PER-2": 4}


def test_a_reviewer_is_found_who_reads_the_language_where_loads_allow_it() -> None:
    reads = person(0, languages=frozenset({"el", "en"}))
    others = [person(number, languages=frozenset({"pl"})) for number in (1, 2)]
    greek = Waiting("NQL-1", 1, Sought(Profile(RULES, "el")))
    polish = [Waiting(f"NQL-{number}", 1, Sought(Profile(RULES, "pl"))) for number in (2, 3)]
    plan = solve(Problem([reads, *others], [greek, *polish]))
    assert {one.application: one.person for one in plan.choices}["NQL-1"] == "PER-0"
    assert plan.cost == 3 * RULES.wishes.value.none


def test_rules_without_weights_share_the_load_and_nothing_else() -> None:
    people = [person(number) for number in range(4)]
    waiting = [Waiting(f"NQL-{number}", 2, Sought(Profile())) for number in range(6)]
    plan = solve(Problem(people, waiting))
    assert set(plan.loads.values()) == {3}
    assert plan.cost == 0


def test_nobody_and_nothing() -> None:
    waiting = Waiting("NQL-1", 2, Sought(Profile(RULES)))
    assert solve(Problem([], [])).choices == ()
    assert solve(Problem([], [waiting])).empty == {"NQL-1": 2}
    assert solve(Problem([person(1)], [])).loads == {"PER-1": 0}
