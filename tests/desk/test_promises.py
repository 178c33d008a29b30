"""The table of `docs/desk.md`, which names a test for each promise of the desk, names tests that there are."""

from __future__ import annotations

import re

from labels.settings import PROJECT

_PROMISES = [
    *(f"I{n}" for n in range(1, 9)),
    *(f"A{n}" for n in (*range(1, 9), *range(10, 16), *range(17, 20))),
    *(f"R{n}" for n in (*range(1, 8), *range(9, 15), 16)),
    *(f"C{n}" for n in range(1, 14)),
]
"""Of signing in, applicants, schools, reviewers, coordinators and the Central Support Service."""


def test_each_promise_of_the_desk_has_a_test_that_is_there() -> None:
    rows = re.findall(
        r"^\| ((?:[IARC]\d+(?:, )?)+) \|.*\| (`test_.*`) \|$",
        (PROJECT / "docs" / "desk.md").read_text(),
        re.M,
    )
    named = {
        number: re.findall(r"`(test_\w+)`", tests)
        for numbers, tests in rows
        for number in numbers.split(", ")
    }
    assert sorted(named) == sorted(_PROMISES)
    there = {
        name
        for path in (PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.M)
    }
    assert {name for tests in named.values() for name in tests} - there == set()
