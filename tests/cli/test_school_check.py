"""`labels school-check`: what the check found, for people and for programs."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Terminal


def test_the_document_has_every_school_with_three_reasons(terminal: Terminal) -> None:
    found = terminal.json("school-check", "--on", "2026-03-16")
    assert [one["school"] for one in found] == sorted(one["school"] for one in found)
    assert len(found) > 1
    for one in found:
        conditions = one["conditions"]
        assert list(conditions) == ["registered", "active_teachers", "national_label"]
        assert one["eligible"] is all(condition["met"] for condition in conditions.values())
        assert all(condition["why"].endswith(".") for condition in conditions.values())


def test_one_school_reads_in_plain_words(terminal: Terminal) -> None:
    [one] = terminal.json("school-check", "--school", "S-1", "--on", "2026-03-16")
    told = terminal.run("school-check", "--school", "S-1", "--on", "2026-03-16").stdout
    assert told.startswith("S-1 is not eligible on 2026-03-16:")
    assert all(condition["why"] in told for condition in one["conditions"].values())


def test_all_schools_make_a_table(terminal: Terminal) -> None:
    result = terminal.run("school-check")
    assert result.exit_code == 0
    assert "national label" in result.stdout
    assert "schools are eligible on" in result.stderr


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_an_unknown_school_and_a_day_that_is_none_are_told(terminal: Terminal, as_json: list[str]) -> None:
    assert "no school S-999" in terminal.fails(4, "school-check", "--school", "S-999", *as_json)
    assert "“2026-02-30” is not a date; expected year-month-day" in terminal.fails(
        2, "school-check", "--on", "2026-02-30", *as_json
    )


def test_a_round_answers_for_what_it_found(terminal: Terminal) -> None:
    assert "no round of 2026" in terminal.fails(4, "school-check", "--round", "2026")
    assert "Leave one out" in terminal.fails(2, "school-check", "--round", "2026", "--on", "2026-03-16")
