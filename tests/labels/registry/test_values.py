"""A look at a whole column finds what a look at each of its values would find."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.registry.files import ACTING_OR_LOST, Identifier
from labels.registry.letters import Letters
from labels.registry.values import Values

_LETTERS = st.sampled_from("aZ9 .?'’ßłΩЖ中\u00a0\u00ad\u061c\u200e\u2028\ufffd\x00\t\x7f\x85Ã©e\u0301")
_COLUMNS = st.lists(st.text(_LETTERS, max_size=12), max_size=8)


@pytest.mark.slow
def test_every_character_that_acts_or_stands_for_a_lost_one_is_seen() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    found = ACTING_OR_LOST.findall(every)
    assert len(found) > 2_000
    assert not any(Values(["Ana", one, "Bo"]).harmless for one in found)
    assert Values(["Ana", "", "Bo Ł. 中"]).harmless


@given(_COLUMNS)
def test_blanks_around_values_go_and_nothing_else(column: list[str]) -> None:
    assert list(Values.bare(column).each) == [value.strip() for value in column]


@given(st.lists(st.text(st.sampled_from("aé\n"), max_size=9), min_size=1, max_size=9), st.integers(1, 8))
def test_values_are_as_long_as_they_are_one_by_one(column: list[str], limit: int) -> None:
    assert Values(column).are_at_most(limit) == (max(map(len, column)) <= limit)


def test_identifiers_with_spaces_of_other_scripts_are_looked_at() -> None:
    for blank in " \u00a0\u1680\u2003\u3000\ufeff\u00ad":
        assert not Identifier().sound(Values(["T-1", f"T{blank}2"]))


@given(st.lists(_COLUMNS, max_size=4))
def test_words_that_were_seen_before_hide_nothing(columns: list[list[str]]) -> None:
    letters = Letters()
    for column in columns:
        values = Values.bare(column)
        odd = Letters().is_odd(values.joined) or any(map(ACTING_OR_LOST.search, values.each))
        remarked = list(Letters().remarks(values.each, title=False))
        if letters.are_known(values):
            assert not odd
            assert not remarked
