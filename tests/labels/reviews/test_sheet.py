"""A review that is filled in without a connection: what is written comes back, and what is wrong is named by its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.errors import InvalidInput
from labels.reviews import sheet
from labels.rules.loading import load_rules
from labels.steps.answers import ReviewTyped
from labels.words.text import clean
from tests.support.people import CRITERIA, TODAY, points

CRITERIA_SET = load_rules("NSS-PL", TODAY).criteria_set
WORDS = sheet.Words(
    about=["Mosty przez Europę · NQL-1", "Write a number behind each colon."],
    criteria={one.id: [one.name, one.meaning] for one in CRITERIA_SET.criteria},
    comment="To the applicant",
    note="To the coordinator",
)


EMPTY = ReviewTyped()


def file(typed: ReviewTyped = EMPTY, number: int = 0) -> str:
    return sheet.written("STEP-9C3HMZ07RP", number, CRITERIA_SET.criteria, typed, WORDS)


def filled(text: str, **scores: object) -> bytes:
    for name, value in scores.items():
        text = text.replace(f"{name} (0-5):", f"{name} (0-5): {value}")
    return text.encode()


def test_a_sheet_says_what_each_criterion_means_and_comes_back_as_it_was_filled_in() -> None:
    text = file()
    assert "# How far" in text
    content = filled(text, **points(3)).replace(
        b"To the applicant\r\n", b"To the applicant\r\nBien fait.\r\n\r\n# 1 in the class!"
    )
    read = sheet.read(content, "review.txt")
    assert (read.step, read.after) == ("STEP-9C3HMZ07RP", 0)
    assert read.typed == ReviewTyped(scores=points(3), comment="Bien fait.\n\n# 1 in the class!")


LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40).map(clean)
TEXTS = st.lists(LINES.filter(lambda line: "[" not in line))


@given(
    st.dictionaries(st.sampled_from(CRITERIA), st.integers(0, 5)), TEXTS, TEXTS, st.integers(0, 999),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.sampled_from(["\r\n", "\n"]),
)  # fmt: skip
def test_what_was_typed_comes_back_whatever_the_editor_made_of_the_file(
    scores: dict[str, int], comment: list[str], note: list[str], number: int, encoding: str, ends: str
) -> None:
    def text(lines: list[str]) -> str:
        return "\n".join(line.rstrip() for line in clean("\n".join(lines)).split("\n")).strip("\n ")

    typed = ReviewTyped(scores=scores, comment=text(comment), note=text(note))
    read = sheet.read(file(typed, number).replace("\r\n", ends).encode(encoding), "review.txt")
    assert read == sheet.Sheet("STEP-9C3HMZ07RP", number, typed)


@pytest.mark.parametrize(
    ("content", "where", "problem"),
    [
        (filled(file(), **{CRITERIA[0]: "four"}), "line 9", "“four” is not a whole number"),
        (filled(file(), **{CRITERIA[0]: "4.5"}), "line 9", "“4.5” is not a whole number"),
        (file().replace("step: ", "stop ").encode(), "line 4", "is not “name: points”"),
        (b"\xff\xfe\x00", "(whole file)", "no text in UTF-8"),
        ("Żółw".encode("cp1250"), "(whole file)", "no text in UTF-8"),
        (b"x" * 300_000, "(whole file)", "larger than 200 kB"),
        (b"", "its first lines", "are missing"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(content: bytes, where: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        sheet.read(content, "review.txt")
    assert refused.value.faults[0].where == where
    assert problem in refused.value.faults[0].problem
