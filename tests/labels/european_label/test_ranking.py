"""The ranking: shares, their rounding, ties, marks, and who moves up."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.european_label.ranking import Barred, Candidate, Place, moving_up, quota, rank
from labels.rules.model import Rounding
from tests.support.european import european_rules

NAMES = {"collaboration": "Collaboration between partner schools", "results": "Results"}


def candidates(*scores: float | None) -> list[Candidate]:
    return [Candidate(f"NQL-{n}", f"P-{n}", f"T-{n}", score) for n, score in enumerate(scores)]


def proposed(places: list[Place]) -> list[str]:
    return [place.candidate.id for place in places if place.proposed]


def ranked(*scores: float | None, **changes: Any) -> list[Place]:
    return rank(candidates(*scores), european_rules(**changes), NAMES)


@pytest.mark.parametrize(
    ("number", "share", "rounding", "expected"),
    [
        (0, "1/3", "up", 0),
        (1, "1/3", "up", 1),
        (3, "1/3", "up", 1),
        (4, "1/3", "up", 2),
        (4, "1/3", "nearest", 1),
        (5, "1/3", "nearest", 2),
        (2, "25%", "nearest", 1),
        (5, "1/3", "down", 1),
        (2, "1/3", "down", 0),
        (45_000, "30%", "up", 13_500),
        (7, "100%", "down", 7),
    ],
)
def test_a_share_of_a_number_is_a_whole_number(number: int, share: str, rounding: str, expected: int) -> None:
    assert quota(number, share, Rounding(rounding)) == expected


@given(st.integers(0, 50_000), st.integers(1, 100), st.sampled_from(Rounding))
def test_a_rounded_share_is_within_one_of_the_exact_one_and_never_more_than_all(
    number: int, percent: int, rounding: Rounding
) -> None:
    found, exact = quota(number, f"{percent}%", rounding), Fraction(percent, 100) * number
    assert 0 <= found <= number
    assert abs(found - exact) < 1
    assert quota(number, f"{percent}%", Rounding.DOWN) <= found <= quota(number, f"{percent}%", Rounding.UP)


def test_the_best_third_is_proposed_and_every_place_says_why() -> None:
    places = ranked(20, 28, 24, 22)
    assert [(p.place, p.candidate.id, p.proposed) for p in places] == [
        (1, "NQL-1", True), (2, "NQL-2", True), (3, "NQL-3", False), (4, "NQL-0", False),
    ]  # fmt: skip
    assert places[0].why == "Place 1 of 4 with 28 points: within the share of 1/3 (2 of 4 labels)."
    assert places[2].why == (
        "Place 3 of 4 with 22 points: the share of 1/3 (2 of 4 labels) ends with 24 points."
    )


def test_no_labels_make_no_ranking_and_one_label_is_proposed() -> None:
    assert ranked() == []
    assert proposed(ranked(18)) == ["NQL-0"]
    assert proposed(ranked(18, rounding="down")) == []


def test_equals_at_the_cut_go_in_together_unless_the_rules_say_otherwise() -> None:
    together = ranked(28, 24, 24, 20, share="50%")
    assert proposed(together) == ["NQL-0", "NQL-1", "NQL-2"]
    assert [p.place for p in together] == [1, 2, 2, 4]
    assert "2 with equal points stand where the share of 50% (2 of 4 labels) ends, and all" in together[2].why
    assert proposed(ranked(28, 24, 24, 20, share="50%", ties="apart")) == ["NQL-0"]
    assert len(proposed(ranked(*[24] * 9, tie_bound="100%"))) == 9, "all with equal points"


def test_equals_go_in_together_only_up_to_a_bound_and_are_told_apart_beyond_it() -> None:
    alike = [Candidate(f"NQL-{n:02}", "P", "T", 24, {"results": n % 20}, "") for n in range(40)]
    places = rank(alike, european_rules(), NAMES)
    assert sum(place.proposed for place in places) == 14, "the third of 40, told apart by their results"
    assert "ahead of others with equal points by the points for “Results”" in places[13].why
    nothing_tells_apart = ranked(*[24] * 40)
    assert proposed(nothing_tells_apart) == []
    assert (
        "with all of them it would be more than 27, the most that the rules allow"
        in nothing_tells_apart[0].why
    )
    assert len(proposed(ranked(*[28] * 13, *[24] * 14, *[20] * 13))) == 27, (
        "up to the bound they go in together"
    )
    assert len(proposed(ranked(*[28] * 13, *[24] * 15, *[20] * 12))) == 13
    assert len(proposed(ranked(24, 24))) == 2
    assert proposed(ranked(24)) == ["NQL-0"]


def test_what_is_barred_is_counted_and_neither_proposed_nor_moves_up() -> None:
    national, second, third = candidates(30, 28, 20)
    barred = national._replace(barred=Barred.NATIONAL)
    places = rank([barred, second, third], european_rules(move_up=True), NAMES)
    assert proposed(places) == ["NQL-1"]
    assert places[-1].candidate.id == "NQL-0"
    assert places[-1].why.startswith("It is a national project: its founders are all of one country")
    up = moving_up(places, {"NQL-1"}, european_rules(move_up=True))
    assert [place.candidate.id for place in up] == ["NQL-2"]


def test_a_chain_tells_equals_apart_and_names_what_did() -> None:
    pair = [
        Candidate("A", "P", "T", 24, {"collaboration": 4, "results": 3}, "2026-01-02"),
        Candidate("B", "P", "T", 24, {"collaboration": 4, "results": 5}, "2026-01-03"),
        Candidate("C", "P", "T", 24, {}, "2025-12-01"),
    ]
    places = rank(pair, european_rules(ties="chain"), NAMES)
    assert [(p.place, p.candidate.id, p.proposed) for p in places] == [
        (1, "B", True), (2, "A", False), (3, "C", False),
    ]  # fmt: skip
    assert places[0].why.endswith("ahead of others with equal points by the points for “Results”.")
    assert "behind others with equal points by the points for “Results”" in places[1].why
    assert "by the points for “Collaboration between partner schools”" in places[2].why
    earlier = rank(pair[:2], european_rules(ties="chain", tie_chain=["earlier"]), NAMES)
    assert proposed(earlier) == ["A"]
    assert "by the earlier application" in earlier[0].why


def test_those_that_the_chain_cannot_tell_apart_go_in_together() -> None:
    assert len(proposed(ranked(24, 24, 24, ties="chain", tie_bound="100%"))) == 3


def test_points_are_compared_as_they_are_printed() -> None:
    assert len(proposed(ranked(70 / 3, 23.33, 20))) == 2
    assert proposed(ranked(23.34, 23.33, 20)) == ["NQL-0"]


def test_only_more_than_the_mark_is_proposed_and_the_share_counts_all() -> None:
    places = ranked(21, 20, 19, 18, share="50%", above=20)
    assert proposed(places) == ["NQL-0"]
    assert places[1].why == "Place 2 of 4 with 20 points: the rules ask for more than 20."


def test_a_label_without_a_score_is_counted_and_never_proposed() -> None:
    places = ranked(None, 18, share="100%")
    assert proposed(places) == ["NQL-1"]
    assert places[-1].why == "No quality score is on record, so it can't be ranked."
    assert proposed(ranked(None, None)) == []


scores = st.lists(st.one_of(st.none(), st.integers(0, 60).map(lambda n: n / 2)), max_size=40)


@given(
    scores,
    st.sampled_from(["up", "nearest", "down"]),
    st.sampled_from(["together", "apart", "chain"]),
    st.randoms(use_true_random=False),
)
def test_neither_order_nor_luck_decides(
    points: list[float | None], rounding: str, ties: str, chance: random.Random
) -> None:
    rules = european_rules(rounding=rounding, ties=ties, tie_bound="100%")
    several = candidates(*points)
    first = rank(several, rules, NAMES)
    chance.shuffle(several)
    assert rank(several, rules, NAMES) == first
    inside = [p.candidate.score for p in first if p.proposed]
    outside = [p.candidate.score or -1 for p in first if not p.proposed]
    assert not inside or not outside or min(s for s in inside if s is not None) > max(outside)
    cut = quota(len(several), rules.share.value, rules.rounding.value)
    assert (
        len(inside) <= cut if ties == "apart" else len(inside) >= min(cut, len(points) - points.count(None))
    )


def test_the_next_in_rank_moves_up_where_the_rules_say_so() -> None:
    places = ranked(28, 26, 24, 22, 20, 18, move_up=True)
    rules = european_rules(move_up=True)
    assert proposed(places) == ["NQL-0", "NQL-1"]
    assert [p.candidate.id for p in moving_up(places, {"NQL-0"}, rules)] == ["NQL-2"]
    assert [p.candidate.id for p in moving_up(places, {"NQL-0", "NQL-2"}, rules)] == ["NQL-2", "NQL-3"]
    assert moving_up(places, set(), rules) == []
    assert moving_up(places, {"NQL-0"}, european_rules()) == []


def test_equals_move_up_together_and_nothing_below_the_mark_does() -> None:
    places = ranked(28, 24, 24, 19, above=20)
    rules = european_rules(move_up=True, above=20)
    assert proposed(places) == ["NQL-0", "NQL-1", "NQL-2"]
    assert moving_up(places, {"NQL-0"}, rules) == []
    apart = ranked(28, 24, 24, 19, ties="apart")
    assert moving_up(apart, {"NQL-0"}, european_rules(move_up=True, ties="apart")) == []
    assert len(moving_up(apart, {"NQL-0"}, european_rules(move_up=True))) == 2


@pytest.mark.slow
@given(scores, st.data())
def test_whoever_moves_up_is_the_best_of_those_left(points: list[float | None], data: st.DataObject) -> None:
    rules = european_rules(move_up=True)
    places = rank(candidates(*points), rules, NAMES)
    inside = proposed(places)
    struck = set(data.draw(st.lists(st.sampled_from(inside), unique=True))) if inside else set()
    up = moving_up(places, struck, rules)
    stays = [p for p in places if not p.proposed and p not in up and p.candidate.score is not None]
    assert len(up) >= min(len(struck), sum(p.candidate.score is not None and not p.proposed for p in places))
    assert all(u.place < s.place for u in up for s in stays)
    assert not {p.candidate.id for p in up} & set(inside)
