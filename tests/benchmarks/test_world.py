"""Europe's volumes by a factor: how many apply where, and when."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from benchmarks.year.world import APPLICATIONS, BY_SIZE, LARGEST, SEASON, SMALLEST, calendar_of, shares
from labels.words.countries import COUNTRIES
from usecases.rehearsing.season import arrivals, rushes


@pytest.mark.parametrize("scale", [1.0, 0.1, 0.001, 0.0002])
def test_the_countries_share_the_whole(scale: float) -> None:
    assert sum(shares(scale).values()) == round(APPLICATIONS * scale)


def test_the_largest_and_the_smallest_are_as_europe_has_them() -> None:
    whole = shares(1.0)
    assert (whole[BY_SIZE[0]], whole[BY_SIZE[-1]]) == (LARGEST, SMALLEST)
    assert set(BY_SIZE) <= set(COUNTRIES)


def test_a_tenth_comes_on_the_last_day_and_most_in_eight_weeks() -> None:
    [(opens, closes)] = rushes(calendar_of("NSS-IT"), SEASON)
    times = list(arrivals([(opens, closes)], 4_000, random.Random(1)))
    on_the_last_day = sum(closes - timedelta(days=1) <= at <= closes for at in times) / len(times)
    in_eight_weeks = sum(closes - timedelta(weeks=8) <= at <= closes for at in times) / len(times)
    assert 0.08 < on_the_last_day < 0.12
    assert 0.57 < in_eight_weeks < 0.64


def test_rounds_have_their_own_last_days() -> None:
    assert len(rushes(calendar_of("NSS-FI"), SEASON)) == 3
    assert len(rushes(calendar_of("NSS-CZ"), SEASON)) == 1
