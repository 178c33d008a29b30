"""One-time codes: made from a step and a key, read however they are typed, and kept as a hash alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.steps.codes import code_hash, code_matches, review_code

KEY = b"a key"


@given(st.text(max_size=30), st.integers(1, 99))
def test_a_code_is_the_same_every_time_and_proves_itself_however_it_is_typed(step: str, number: int) -> None:
    code = review_code(KEY, step, number)
    assert code == review_code(KEY, step, number)
    kept = code_hash(code)
    for typed in (code, code.lower(), code.replace("-", ""), code.replace("-", " "), f" {code}\n"):
        assert code_matches(typed, kept)


@given(st.text(max_size=30), st.integers(1, 99))
def test_a_code_has_no_letter_that_is_misread(step: str, number: int) -> None:
    code = review_code(KEY, step, number)
    assert [len(part) for part in code.split("-")] == [4, 4, 2]
    assert not set(code) & set("01ILOU")


def test_another_step_another_number_or_another_key_make_another_code() -> None:
    codes = {
        review_code(KEY, "STEP-1", 1),
        review_code(KEY, "STEP-1", 2),
        review_code(KEY, "STEP-11", 1),
        review_code(b"another key", "STEP-1", 1),
    }
    assert len(codes) == 4


@pytest.mark.parametrize("wrong", ["", "-", "AAAA-AAAA-AA", "7KQ4", "x" * 100_000, "ＡＢＣＤ", "'; --"])
def test_what_is_not_the_code_proves_nothing(wrong: str) -> None:
    kept = code_hash(review_code(KEY, "STEP-1", 1))
    assert not code_matches(wrong, kept)
    assert not code_matches(kept, kept)


def test_the_hash_that_is_kept_does_not_show_the_code() -> None:
    code = review_code(KEY, "STEP-1", 1)
    assert code.replace("-", "") not in code_hash(code).upper()
    assert len(code_hash(code)) == 64
