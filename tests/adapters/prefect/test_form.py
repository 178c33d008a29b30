"""The Resume form: what it shows, and what is read from it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from adapters.prefect.form import BLANK, answer_in, form_for, is_blank
from labels.errors import InvalidInput
from labels.record.schema import Step, StepKind
from labels.rules import RuleEdition, load_rules
from labels.steps.answers import Decline, Information, Question, ReviewAnswer, Screening
from labels.views.brief import Brief
from tests.support.people import CRITERIA, points

BRIEF = Brief("Mosty", "First.\n\n- one\n- two", {CRITERIA[0]: "What was done."}, {})


@pytest.fixture(scope="module")
def rules() -> RuleEdition:
    return load_rules("NSS-PL", date(2026, 3, 16))


def step(kind: StepKind = StepKind.REVIEW, draft: dict[str, Any] | None = None) -> Step:
    return Step(kind=kind, draft=draft)


def shown(rules: RuleEdition, *steps: Step) -> dict[str, Any]:
    schema: dict[str, Any] = form_for(steps, rules, BRIEF).model_json_schema()
    return schema


def test_points_stand_beside_what_was_applied_with_and_what_they_mean(rules: RuleEdition) -> None:
    field = shown(rules, step())["properties"][f"points_{CRITERIA[0]}"]
    assert field["title"] == "Pedagogical innovation and creativity, 0 to 5"
    assert (field["minimum"], field["maximum"], field["type"]) == (0, 5, "integer")
    assert "How far teachers" in field["description"]
    assert "What was done." in field["description"]
    assert "**4** very good" in field["description"]


def test_only_the_code_is_asked_for(rules: RuleEdition) -> None:
    schema = shown(rules, step())
    assert schema["required"] == ["code"]
    assert "default" not in schema["properties"]["code"], "Prefect's UI does not ask for what has a default"


def test_lists_survive_the_line_ends_that_prefect_takes_away(rules: RuleEdition) -> None:
    assert "\n\n- one\n\n- two" in shown(rules, step())["properties"]["code"]["description"]


def test_a_refused_answer_is_proposed_again_where_only_its_author_is_awaited(rules: RuleEdition) -> None:
    draft = {"scores": points(3), "comment": "Good.", "note": ""}
    alone = shown(rules, step(draft=draft))["properties"]
    assert alone[f"points_{CRITERIA[1]}"]["default"] == 3
    assert alone["comment"]["default"] == "Good."
    among_others = shown(rules, step(draft=draft), step())["properties"]
    assert "default" not in among_others[f"points_{CRITERIA[1]}"]
    assert not among_others["comment"]["default"]


def test_what_is_proposed_and_not_sent_is_blank(rules: RuleEdition) -> None:
    draft = {"scores": points(3), "comment": "Good.", "note": ""}
    form = form_for([step(draft=draft)], rules, BRIEF)
    assert is_blank(form.model_validate(BLANK).model_dump(mode="json"))


def test_each_kind_of_answer_is_read() -> None:
    review = answer_in({f"points_{name}": 0 for name in CRITERIA} | {"comment": " Good. ", "code": "x"})
    assert review == ReviewAnswer(scores=points(0), comment="Good.")
    assert answer_in({"question": "Which?"}) == Question(question="Which?")
    assert answer_in({"decline": "A conflict of interest."}) == Decline(
        decline="A conflict of interest.", conflict=True
    )
    assert answer_in({"answer": "Maps.", "links": "https://a.example\nhttps://b.example"}) == Information(
        text="Maps.", links=["https://a.example", "https://b.example"]
    )


@pytest.mark.parametrize(
    ("filled", "why"),
    [
        ({"code": "x"}, "nothing was filled in"),
        ({"points_results": 4, "question": "Which?"}, "points and question were filled in together"),
        ({"points_results": "many"}, "valid integer"),
        ({"points_results": True}, "valid integer"),
        ({"points_results": {"__prefect_kind": "jinja"}}, "valid integer"),
    ],
)
def test_what_is_no_answer_is_refused_with_its_reason(filled: dict[str, object], why: str) -> None:
    assert not is_blank(filled)
    with pytest.raises(InvalidInput) as refused:
        answer_in(filled)
    assert why in str(refused.value)


def test_what_is_approved_and_struck_is_read_however_it_is_typed() -> None:
    given = answer_in(
        {
            "approve": "NQL-1, NQL-2\nNQL-3; All",
            "strike": "NQL-4: too late: it closed\n\n NQL-5 – copied\nNQL-6",
        }
    )
    assert given == Screening(
        approve=["NQL-1", "NQL-2", "NQL-3", "all"],
        strike={"NQL-4": "too late: it closed", "NQL-5": "copied", "NQL-6": ""},
    )
    assert answer_in({"approve": "", "strike": "P-0001: no"}) == Screening(strike={"P-0001": "no"})
    with pytest.raises(InvalidInput, match="filled in together"):
        answer_in({"approve": "all", "question": "Which?"})


def test_a_refused_screening_is_proposed_again_as_it_was_typed(rules: RuleEdition) -> None:
    draft = {"approve": ["all"], "strike": {"NQL-4": "too late", "NQL-5": ""}}
    fields = shown(rules, step(StepKind.SCREENING, draft))["properties"]
    assert list(fields) == ["code", "approve", "strike"]
    assert (fields["approve"]["default"], fields["strike"]["default"]) == ("all", "NQL-4: too late\nNQL-5: ")
