"""What people hand in as answers: told apart, checked whole, and never anything but text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.errors import Fault, InvalidInput
from labels.steps.answers import (
    LONG_TEXT,
    Decline,
    Information,
    Question,
    ReviewAnswer,
    read_answer,
    read_model,
)

MARKER = {"__prefect_kind": "jinja", "template": "{{ 7 * 7 }}"}
"""What Prefect's server would render, were it ever handed on."""


def faults(raw: Any) -> dict[str, str]:
    """Where and what, of everything that is wrong with an answer."""
    with pytest.raises(InvalidInput) as told:
        read_answer(raw, "answer.json")
    assert told.value.subject == "answer.json"
    return {fault.where: fault.problem for fault in told.value.faults}


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        (
            {"scores": {"results": 4}, "comment": "Good.", "note": "n"},
            ReviewAnswer(scores={"results": 4}, comment="Good.", note="n"),
        ),
        ({"scores": {}}, ReviewAnswer(scores={})),
        ({"question": "How?"}, Question(question="How?")),
        ({"decline": "I know them.", "conflict": True}, Decline(decline="I know them.", conflict=True)),
        ({"decline": "No time."}, Decline(decline="No time.")),
        (
            {"text": "So.", "links": ["https://a.example/b?c=d"]},
            Information(text="So.", links=["https://a.example/b?c=d"]),
        ),
    ],
)
def test_an_answer_is_told_by_its_field(raw: dict[str, Any], answer: object) -> None:
    assert read_answer(raw) == answer


@pytest.mark.parametrize("raw", [None, [], "scores", 4, True, [{"scores": {}}]])
def test_what_is_no_object_is_no_answer(raw: Any) -> None:
    assert faults(raw) == {"(whole file)": "expected a JSON object."}


@pytest.mark.parametrize(
    "raw", [{}, {"comment": "x"}, {"scores": {}, "question": "?"}, {"text": "", "decline": ""}]
)
def test_an_answer_is_exactly_one_thing(raw: dict[str, Any]) -> None:
    assert faults(raw) == {
        "(whole file)": 'expected exactly one of the fields "scores", "question", "decline", "text", '
        '"declare", or "approve" and "strike", or "confirmed" and "answers".'
    }


def test_every_fault_is_told_at_once_with_its_place() -> None:
    found = faults(
        {
            "scores": {"results": "4", "technology": 3.5, "communication": True, "collaboration": None},
            "comment": 5,
            "note": "x" * (LONG_TEXT + 1),
            "by": "me",
        }
    )
    assert found.keys() == {
        "scores.results", "scores.technology", "scores.communication", "scores.collaboration",
        "comment", "note", "by",
    }  # fmt: skip
    assert found["by"] == "is not a field of this document."
    assert "10,000 characters" in found["note"]


@pytest.mark.parametrize(
    "raw",
    [
        {"question": ""},
        {"question": "\u200b\u202e\x00"},
        {"decline": "", "conflict": False},
        {"text": ""},
    ],
)
def test_what_no_eye_sees_says_nothing(raw: dict[str, Any]) -> None:
    [problem] = faults(raw).values()
    assert problem in ("is empty.", "says nothing; expected words that somebody can read.")


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        ({"question": MARKER}, {"question"}),
        ({"decline": MARKER}, {"decline"}),
        ({"text": MARKER}, {"text"}),
        ({"text": "x", "links": [MARKER]}, {"links.0"}),
        ({"text": "x", "links": MARKER}, {"links"}),
        ({"scores": MARKER}, {"scores.__prefect_kind", "scores.template"}),
        ({"scores": {"results": MARKER}}, {"scores.results"}),
        ({"scores": {}, "comment": MARKER}, {"comment"}),
        ({"scores": {}, "note": [MARKER]}, {"note"}),
        ({"scores": {}, **MARKER}, {"__prefect_kind", "template"}),
    ],
)
def test_what_prefect_would_render_is_refused_wherever_it_is(raw: dict[str, Any], where: set[str]) -> None:
    assert faults(raw).keys() == where


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)", "ftp://a.example", "https://", "https://a.example/ x", "//a.example", "a.example",
        'https://a.example/"onclick="x', "https://a.example/<b>", "https://" + "a" * 3000,
        "https://a.example/\n", "file:///etc/passwd", "https://a.example/{{7}}",
    ],
)  # fmt: skip
def test_a_link_leads_to_the_web_and_nowhere_else(link: str) -> None:
    assert faults({"text": "x", "links": [link]}).keys() == {"links.0"}


def test_there_are_at_most_twenty_links() -> None:
    assert faults({"text": "x", "links": ["https://a.example"] * 21}).keys() == {"links"}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<b>&amp;</b> {{ x }} {% y %}", "<b>&amp;</b> {{ x }} {% y %}"),
        ("=cmd()", "=cmd()"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("a\u202eb\u2066c\u200b", "abc"),
        ("one\r\ntwo", "one\ntwo"),
        ("a\ud800b", "ab"),
        ("Zoe\u0308", "Zoë"),
    ],
)
def test_hostile_text_is_kept_as_the_plain_text_that_people_see(written: str, kept: str) -> None:
    answer = read_answer({"question": written})
    assert isinstance(answer, Question)
    assert answer.question == kept
    answer.question.encode()


def test_the_names_of_fields_are_cleaned_too() -> None:
    answer = read_answer({"scores": {"results\u200b": 3}})
    assert isinstance(answer, ReviewAnswer)
    assert answer.scores == {"results": 3}


def test_what_is_nested_without_end_is_refused() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert faults({"scores": deep}) == {"(whole file)": "is nested too deeply."}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["scores", "question", "decline", "text", "links", "comment", "x"]), VALUES
    )
)
def test_whatever_is_handed_in_is_an_answer_or_refused_with_reasons(raw: dict[str, Any]) -> None:
    told: list[Fault] = []
    answer = None
    try:
        answer = read_answer(raw)
    except InvalidInput as error:
        told.extend(error.faults)
    assert all(fault.where and fault.problem for fault in told)
    if answer is None:
        assert told
    else:
        assert read_model(type(answer), answer.model_dump(mode="json"), "again") == answer


@pytest.mark.parametrize("text", ["", " \n", "\u200b\u2060", "\u2800\u3164", ". . .", "—", "\u00ad"])
def test_blank_or_invisible_text_is_no_question_no_reason_and_no_answer(text: str) -> None:
    for field in ("question", "decline", "text"):
        with pytest.raises(InvalidInput):
            read_answer({field: text})
    for field in ("question", "decline", "text"):
        read_answer({field: "Да."})
