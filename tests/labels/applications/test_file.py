"""The application file: what may stand in it."""

from __future__ import annotations

from typing import Any

import pytest

from labels.applications.file import read_application
from labels.errors import InvalidInput
from tests.support.people import application_file


@pytest.mark.parametrize("language", ["pl", "pt-PT", "sr-Latn"])
def test_an_application_is_in_any_language_that_the_registry_knows(language: str) -> None:
    assert read_application(application_file(language=language), "application.json").language == language
    with pytest.raises(InvalidInput, match="language"):
        read_application(application_file(language="Polish"), "application.json")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"preconditions": {"shared_plan": "yes"}},
            "preconditions.shared_plan: expected true or false; it says “yes”. Write true for yes or false for no",
        ),
        (
            {"links": ["www.twinspace.example/x"]},
            "links.0: is no link: it begins with neither https:// nor http://",
        ),
        ({"links": ["www.twinspace.example/x"]}, "Write https://www.twinspace.example/x"),
        (
            {"pupils": {"count": "24", "average_age": 13}},
            "pupils.count: expected a whole number, such as 24; it says “24”",
        ),
        (
            {"pupils": {"count": 24, "average_age": "13,5"}},
            "expected a number, such as 13.5; it says “13,5”. Write 13.5 with a point and without quotes.",
        ),
        ({"pupils": {"count": -1, "average_age": 99}}, "pupils.count: expected at least 0; it says -1"),
        ({"pupils": {"count": -1, "average_age": 99}}, "pupils.average_age: expected at most 30"),
        ({"language": "Polish"}, "expected the code of a language, such as “pl”"),
        ({"description": 7}, "description: expected text in quotes; it says 7"),
        ({"sections": "text"}, "sections: expected names with values, { … }; it says “text”"),
        (
            {"description": "x" * 20_001},
            "is longer than 20,000 characters, the most that is taken. Shorten it.",
        ),
        ({"colour": "red"}, "colour: is not a field of this document."),
    ],
)
def test_a_fault_is_told_in_the_words_of_the_form(changes: dict[str, Any], said: str) -> None:
    file = application_file()
    if "preconditions" in changes:
        changes = {"preconditions": file["preconditions"] | changes["preconditions"]}
    with pytest.raises(InvalidInput) as raised:
        read_application(file | changes, "application.json")
    assert said in str(raised.value)
    assert "Input should" not in str(raised.value)


def test_a_label_that_nobody_applies_for_hides_no_other_fault() -> None:
    with pytest.raises(InvalidInput) as raised:
        read_application(application_file() | {"label": "nation", "links": ["x"]}, "application.json")
    assert [fault.where for fault in raised.value.faults] == ["label", "links.0"]
