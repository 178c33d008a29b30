"""How the journal's details read for people."""

from __future__ import annotations

from typing import Any

import pytest

from cli.showing import LONGEST, told


@pytest.mark.parametrize(
    ("details", "read"),
    [
        ({}, ""),
        ({"inputs": "3f2a", "rules": "9c", "documents": ["sha256/aa"]}, ""),
        ({"because": "ill", "reviewer": "r1@a.example", "seat": 2}, "r1@a.example · seat 2 · because: ill"),
        ({"until": "2026-04-20T21:59:59+00:00"}, "until 2026-04-20 23:59"),
        ({"until": "soon"}, "until soon"),
        ({"conflict": False, "left": 0}, "tries left: 0"),
        ({"conflict": True}, "conflict of interest: yes"),
        (
            {"score": 55 / 3, "sections": ["results", "technology"]},
            "points: 18.33 · in results, technology",
        ),
        ({"because": "one\ntwo"}, "because: one two"),
    ],
)
def test_details_that_people_read_are_told_in_one_line(details: dict[str, Any], read: str) -> None:
    assert told(details) == read


def test_a_long_detail_is_cut() -> None:
    assert len(told({"grounds": "word " * 10_000})) <= len("grounds: ") + LONGEST
