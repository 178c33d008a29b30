"""Severity: who judges strictly, how far that may be believed, and whom it would have cost a nomination."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.european_label.severity import Ranked, changes, severities


def ranked(organisation: str, *scores: float, proposed: int = 1) -> list[Ranked]:
    best = sorted(scores, reverse=True)[:proposed]
    return [Ranked(organisation, f"{organisation}-{n}", s, s in best) for n, s in enumerate(scores)]


def test_a_severe_organisation_lies_below_everybody() -> None:
    strict, mild = severities(ranked("A", 18, 19, 20) + ranked("B", 26, 27, 28))
    assert (strict.organisation, strict.mean, strict.shift) == ("A", 19, -4)
    assert mild.shift == 4
    assert -4 < strict.shrunken_shift < -3.5, "nearly believed: the two hardly overlap"


def test_the_fewer_the_labels_the_less_their_mean_is_believed() -> None:
    many = ranked("A", *[20, 22, 24] * 30) + ranked("C", *[22, 24, 26] * 30)
    found = {s.organisation: s for s in severities(many + ranked("B", 28))}
    one, ninety = found["B"], found["A"]
    assert one.shrunken_shift / one.shift < ninety.shrunken_shift / ninety.shift < 1


def test_what_differs_by_chance_only_is_not_believed_at_all() -> None:
    same = severities(ranked("A", 18, 24, 30) + ranked("B", 18, 24, 30))
    assert [s.shrunken_shift for s in same] == [0, 0]


def test_a_nomination_that_only_its_country_makes_is_named_with_every_reading() -> None:
    found = changes(ranked("MILD", 27, 28, 29, proposed=1) + ranked("STRICT", 18, 19, 20, proposed=1))
    by_candidate = {change.candidate: change for change in found}
    strict = by_candidate["STRICT-2"]
    assert strict.proposed
    assert not strict.by_raw
    assert strict.by_standardised
    mild = by_candidate["MILD-1"]
    assert not mild.proposed
    assert mild.by_raw
    assert not mild.by_standardised


def test_nobody_and_one_alone_have_no_severity() -> None:
    assert severities([]) == []
    assert changes([]) == []
    [alone] = severities(ranked("A", 20))
    assert (alone.shift, alone.shrunken_shift, alone.deviation) == (0, 0, 0)
    assert changes(ranked("A", 20)) == []


@given(st.lists(st.tuples(st.sampled_from("ABCD"), st.integers(0, 30)), max_size=30))
def test_shrinking_never_turns_a_shift_round_nor_makes_it_larger(points: list[tuple[str, int]]) -> None:
    several = [Ranked(o, str(n), s, False) for n, (o, s) in enumerate(points)]
    for one in severities(several):
        assert abs(one.shrunken_shift) <= abs(one.shift) + 1e-9
        assert one.shift * one.shrunken_shift >= -1e-9
    assert sum(s.shift * s.number for s in severities(several)) == pytest.approx(0, abs=1e-6)
