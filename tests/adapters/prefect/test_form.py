"""The Resume form: what it shows, and what is read from it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from prefect.input import RunInput

from adapters.prefect.client import BLANK
from adapters.prefect.form import answer_in, completed, form_for, is_blank, what_was_typed
from labels.errors import InvalidInput
from labels.record.schema import StepKind
from labels.rules.loading import load_rules
from labels.rules.model import RuleEdition
from labels.steps.answers import Decline, Information, Question, ReviewAnswer, Screening
from labels.views.about import About, Documents, ProjectFacts, SchoolFacts
from labels.views.briefs.common import Asked, criteria_shown
from labels.views.briefs.national import NationalBrief
from tests.support.people import CRITERIA, points

ABOUT = About(
    application="NQL-1",
    organisation="Narodowe Biuro",
    rules="2026/NSS-PL",
    school=SchoolFacts("Szkoła nr 7", "Łódź", "PL", date(2015, 1, 1)),
    project=ProjectFacts("Zażółć Gęślą", "Mosty", date(2025, 9, 1), None, 24, 13, ("https://a.example",)),
)


@pytest.fixture(scope="module")
def rules() -> RuleEdition:
    return load_rules("NSS-PL", date(2026, 3, 16))


def asked(kind: StepKind = StepKind.REVIEW) -> Asked:
    return Asked(f"{kind.value}-1", kind, due_at=None)


DESK = "https://labels.example"


def form(rules: RuleEdition, *what: Asked) -> type[RunInput]:
    brief = NationalBrief(
        asked=what,
        about=ABOUT,
        description="Bridges.",
        likeness=(),
        exchanges=(),
        documents=Documents((), None),
        criteria=criteria_shown(rules, {CRITERIA[0]: "What was done."}, {}),
        points=rules.criteria_set.points,
    )
    return form_for(brief, lambda document, days: document.key, DESK)


def shown(rules: RuleEdition, *what: Asked) -> dict[str, Any]:
    schema: dict[str, Any] = form(rules, *what).model_json_schema()
    return schema


def test_points_stand_beside_what_was_applied_with_and_what_they_mean(rules: RuleEdition) -> None:
    field = shown(rules, asked())["properties"][f"points_{CRITERIA[0]}"]
    assert field["title"] == "Pedagogical innovation and creativity, 0 to 5"
    assert (field["minimum"], field["maximum"], field["type"]) == (0, 5, "integer")
    assert "How far teachers" in field["description"]
    assert r"What was done\." in field["description"]
    assert "**4** very good" in field["description"]


def test_fields_stand_in_the_order_in_which_one_needs_them(rules: RuleEdition) -> None:
    """What it is about and who answers; the points in the order of the criteria; what is said; what else one can do."""
    fields = [
        "code", *(f"points_{name}" for name in CRITERIA), "comment", "note", "question", "decline", "conflict",
    ]  # fmt: skip
    assert list(shown(rules, asked())["properties"]) == fields
    assert list(shown(rules, asked(StepKind.INFORMATION))["properties"]) == ["code", "answer", "links"]


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        (StepKind.REVIEW, "/reviews"),
        (StepKind.INFORMATION, "/applications/NQL-1"),
        (StepKind.ASSIGNMENT, "/"),
    ],
)
def test_the_form_says_where_one_sees_whether_an_answer_was_recorded(
    rules: RuleEdition, kind: StepKind, page: str
) -> None:
    said = shown(rules, asked(kind))["properties"]["code"]["description"]
    assert "Prefect shows the same green message whatever you send" in said
    assert f"<{DESK}{page}>" in said


def test_a_link_of_an_applicant_is_a_link_letter_by_letter(rules: RuleEdition) -> None:
    assert "**Link:** <https://a.example>" in shown(rules, asked())["properties"]["code"]["description"]


def test_only_the_code_is_asked_for(rules: RuleEdition) -> None:
    schema = shown(rules, asked())
    assert schema["required"] == ["code"]
    assert "default" not in schema["properties"]["code"], "Prefect's UI does not ask for what has a default"


def test_lists_survive_the_line_ends_that_prefect_takes_away(rules: RuleEdition) -> None:
    said = shown(rules, asked())["properties"]["code"]["description"]
    assert "Applied to:** Narodowe Biuro\n\n- **Application" in said


def test_no_field_but_the_code_proposes_anything(rules: RuleEdition) -> None:
    fields = shown(rules, asked())["properties"]
    assert {name for name, field in fields.items() if field.get("default")} == set()
    assert is_blank(form(rules, asked()).model_validate(BLANK).model_dump(mode="json"))


def test_what_is_left_empty_stays_as_the_same_person_had_it() -> None:
    first = {"code": "AAAA", "points_results": 4, "comment": "Good.", "note": " ", "conflict": False}
    kept = what_was_typed(first)
    assert kept == {"points_results": 4, "comment": "Good."}
    assert completed({"code": "BBBB"}, kept) == {"code": "BBBB", "points_results": 4, "comment": "Good."}
    again = completed({"code": "BBBB", "points_results": 3, "comment": ""}, kept)
    assert again == {"code": "BBBB", "points_results": 3, "comment": "Good."}
    only_a_note = completed({"code": "BBBB", "note": "See page 3."}, kept)
    assert (only_a_note["points_results"], only_a_note["note"]) == (4, "See page 3.")


def test_an_answer_of_another_kind_takes_nothing_of_what_was_kept() -> None:
    kept = {"points_results": 4, "comment": "Good."}
    assert completed({"code": "BBBB", "question": "Which?"}, kept) == {"code": "BBBB", "question": "Which?"}
    both = {"points_results": 4, "question": "Which?"}
    assert answer_in(completed({"code": "BBBB", "question": "Which?"}, both)) == Question(question="Which?")


def test_each_kind_of_answer_is_read() -> None:
    review = answer_in({f"points_{name}": 0 for name in CRITERIA} | {"comment": " Good. ", "code": "x"})
    assert review == ReviewAnswer(scores=points(0), comment="Good.")
    assert answer_in({"question": "Which?"}) == Question(question="Which?")
    assert answer_in({"answer": "Maps.", "links": "https://a.example\nhttps://b.example"}) == Information(
        text="Maps.", links=["https://a.example", "https://b.example"]
    )


@pytest.mark.parametrize(
    ("words", "ticked"),
    [
        ("I have no conflict of interest, but no time until May.", False),
        ("Ich bin befangen (Interessenkonflikt).", True),
        ("A conflict of interest.", False),
    ],
)
def test_a_conflict_of_interest_is_what_was_ticked_and_never_what_was_written(
    words: str, ticked: bool
) -> None:
    assert answer_in({"decline": words, "conflict": ticked}) == Decline(decline=words, conflict=ticked)
    assert answer_in({"decline": words}) == Decline(decline=words, conflict=False)


def test_a_conflict_that_is_ticked_without_a_reason_is_no_answer() -> None:
    with pytest.raises(InvalidInput, match="together with a reason to decline"):
        answer_in({"conflict": True, "comment": ""})
    assert is_blank({"code": "", "conflict": False, "decline": ""})
    assert not is_blank({"points_results": 0})


@pytest.mark.parametrize(
    ("filled", "why"),
    [
        ({"code": "x"}, "nothing was filled in"),
        ({"points_results": 4, "question": "Which?"}, "points and question were filled in together"),
        ({"points_results": "many"}, "expected a whole number"),
        ({"points_results": True}, "expected a whole number"),
        ({"points_results": {"__prefect_kind": "jinja"}}, "expected a whole number"),
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


def test_a_screening_asks_for_what_is_approved_and_struck(rules: RuleEdition) -> None:
    fields = shown(rules, asked(StepKind.SCREENING))["properties"]
    assert list(fields) == ["code", "approve", "strike"]
