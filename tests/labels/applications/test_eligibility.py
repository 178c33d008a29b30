"""The conditions before anybody judges: every failed one at once, each with what to do."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.applications.eligibility import PRECONDITIONS, Facts, FailedCondition, check
from labels.rules.calendars import place
from labels.rules.loading import load_rules
from labels.rules.model import Precondition, RuleEdition

TODAY = date(2026, 3, 16)
NOON = datetime(2026, 3, 16, 11, 0, tzinfo=UTC)
SECTIONS = (
    "pedagogical_innovation", "curricular_integration", "communication", "collaboration", "technology", "results",
)  # fmt: skip


def rules(organisation: str = "NSS-PL") -> RuleEdition:
    return load_rules(organisation, TODAY)


def placed(at: datetime = NOON, organisation: str = "NSS-PL") -> Any:
    return place(at, rules(organisation).national.calendar, organisation[-2:])


def facts(**changes: Any) -> Facts:
    """Those of a good application in Poland, with changes."""
    good = Facts(
        is_member=True,
        european=True,
        founder_countries=frozenset({"PL", "PT"}),
        project_ended_on=date(2026, 3, 1),
        teacher_organisation="NSS-PL",
        teacher_country="PL",
        organisation="NSS-PL",
        organisation_kind="NSS",
        organisation_country="PL",
        preconditions=dict.fromkeys(map(str, Precondition), True),
        placement=placed(),
        earlier_this_year=0,
        labelled_on=None,
        earlier_refusals=0,
        attempt=1,
        named_criteria=None,
        description="A project on bridges.",
        sections=dict.fromkeys(SECTIONS, "Pupils worked in mixed teams."),
        submitted_at=datetime(2026, 3, 16, 9, tzinfo=UTC),
    )
    return replace(good, **changes)


def failed(by: str = "NSS-PL", /, **changes: Any) -> list[FailedCondition]:
    """The conditions that fail by the rules of an organisation."""
    return check(facts(**changes), rules(by))


def words(number: int) -> str:
    return " ".join(["rzeka"] * number)


def without(**preconditions: bool) -> dict[str, bool]:
    return dict.fromkeys(map(str, Precondition), True) | preconditions


def test_a_good_application_meets_all_conditions() -> None:
    assert failed() == []


ONE_EACH: list[tuple[dict[str, Any], str, str, str]] = [
    (
        {"is_member": False},
        "member",
        "You are not a member of this project in eTwinning.",
        "Ask a founder of the project to add you, or check that you named the right project.",
    ),
    (
        {"organisation": "NSS-PT", "organisation_country": "PT"},
        "organisation",
        "NSS-PT takes applications only from its own schools (Portugal), and yours is not among them.",
        "Apply to NSS-PL, which is responsible for your school (Poland).",
    ),
    (
        {"organisation": "CSS", "organisation_kind": "CSS"},
        "organisation",
        "CSS does not award National Quality Labels.",
        "Apply to NSS-PL, which is responsible for your school (Poland).",
    ),
    (
        {"organisation": "NSS-ZZ", "organisation_kind": "unknown"},
        "organisation",
        "NSS-ZZ does not award National Quality Labels.",
        "Apply to NSS-PL, which is responsible for your school (Poland).",
    ),
    (
        {"european": False, "founder_countries": frozenset({"PL"})},
        "european",
        "The label is for European projects, and the founders of this one are all from one country: Poland.",
        "Apply with a project that was founded by teachers from two countries.",
    ),
    (
        {"preconditions": without(finished=False)},
        "precondition.finished",
        "The condition “the project is finished or in its last stages” is not met.",
        "Apply again once the project is in its last stages.",
    ),
    (
        {"placement": placed(datetime(2026, 6, 15, tzinfo=UTC), "NSS-DE")},
        "late",
        "Applications were not being taken when yours arrived.",
        "You can apply again from 2026-12-01 00:00 (Brussels).",
    ),
    (
        {"earlier_this_year": 4},
        "limit",
        "You have already applied 4 times in this school year; the limit is 4.",
        "You can apply again from 1 September 2026.",
    ),
    (
        {"labelled_on": date(2025, 6, 1)},
        "labelled",
        "You were awarded this label for this project on 2025-06-01.",
        "Nothing is left to do: the label stays yours.",
    ),
    (
        {"earlier_refusals": 2, "attempt": 3},
        "reapplication",
        "The rules allow one re-application for a project whose application was refused.",
        "Apply with another project.",
    ),
    (
        {"description": words(151)},
        "description",
        "The description has 151 words; at most 150 are allowed.",
        "Shorten it by 1 word.",
    ),
    (
        {"description": " \n "},
        "description",
        "The description is empty.",
        "Write it, in at most 150 words.",
    ),
    (
        {"sections": dict.fromkeys(SECTIONS, "Text.") | {"results": words(230)}},
        "sections.results",
        "The section “Results, impact and documentation” has 230 words; at most 200 are allowed.",
        "Shorten it by 30 words.",
    ),
    (
        {"sections": dict.fromkeys(SECTIONS[:-1], "Text.")},
        "sections.results",
        "The section “Results, impact and documentation” is empty.",
        "Write it, in at most 200 words.",
    ),
    (
        {"sections": dict.fromkeys((*SECTIONS, "luck"), "Text.")},
        "sections.luck",
        "“luck” is not a section of the form in force.",
        f"Use {', '.join(SECTIONS)}.",
    ),
]


@pytest.mark.parametrize(("changes", "code", "problem", "remedy"), ONE_EACH)
def test_a_failed_condition_says_what_is_wrong_and_what_to_do(
    changes: dict[str, Any], code: str, problem: str, remedy: str
) -> None:
    assert failed(**changes) == [FailedCondition(code=code, problem=problem, remedy=remedy)]


def test_every_failed_condition_comes_at_once() -> None:
    found = failed(
        is_member=False,
        organisation="NSS-PT",
        european=False,
        preconditions={},
        placement=placed(datetime(2026, 6, 15, tzinfo=UTC), "NSS-DE"),
        earlier_this_year=7,
        labelled_on=TODAY,
        earlier_refusals=3,
        description="",
        sections={"luck": "x"},
    )
    assert [one.code for one in found] == [
        "member", "organisation", "european",
        "precondition.shared_plan", "precondition.finished", "precondition.contributed",
        "precondition.collaborative", "precondition.safe",
        "late", "limit", "labelled", "reapplication",
        "description", *(f"sections.{section}" for section in SECTIONS), "sections.luck",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("earlier", "allowed"), [(0, True), (3, True), (4, False), (5, False)]
)  # fmt: skip
def test_four_applications_in_a_school_year_are_the_most(earlier: int, allowed: bool) -> None:
    assert (failed(earlier_this_year=earlier) == []) is allowed


def test_what_counts_as_words_is_what_people_count() -> None:
    assert failed(description=words(150)) == []
    assert failed(sections=dict.fromkeys(SECTIONS, words(200))) == []
    assert failed(description=" ".join(["peer-to-peer", "l'école", "გაკვეთილი", "مدرسة", "3.5"] * 30)) == []


def test_a_late_application_that_rolled_over_fails_no_condition() -> None:
    placement = placed(datetime(2026, 7, 15, tzinfo=UTC), "NSS-IT")
    assert placement.rolled_over
    assert failed(placement=placement) == []
    [limit] = failed(placement=placement, earlier_this_year=4)
    assert "for the school year 2026/2027" in limit.problem
    assert limit.remedy == "You can apply again from 1 September 2027."


@pytest.mark.parametrize("answer", [False, None, "yes", 1])
def test_only_a_yes_meets_a_precondition(answer: Any) -> None:
    codes = [one.code for one in failed(preconditions=without(safe=answer))]
    assert codes == ["precondition.safe"]


def test_only_the_preconditions_of_the_rules_are_asked_for() -> None:
    body = rules().to_json()
    body["national"]["preconditions"]["value"] = ["finished"]
    assert check(facts(preconditions={"finished": True}), RuleEdition.from_json(body)) == []


def test_each_precondition_has_its_words() -> None:
    assert set(PRECONDITIONS) == set(Precondition)


def test_a_project_of_one_country_counts_where_the_rules_allow_it() -> None:
    body = rules().to_json()
    body["national"]["limits"]["european_only"]["value"] = False
    assert check(facts(european=False), RuleEdition.from_json(body)) == []


# Re-application ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("organisation", "refusals", "named", "codes"),
    [
        ("NSS-PL", 1, None, []),
        ("NSS-PL", 2, None, ["reapplication"]),
        ("NSS-ES", 0, None, []),  # a first application names nothing
        ("NSS-ES", 1, None, ["reapplication.criteria"]),
        ("NSS-ES", 1, {}, ["reapplication.criteria"]),
        ("NSS-ES", 1, {"technology": "Page 4 of the atlas."}, []),
        ("NSS-ES", 1, {"technology": "Page 4.", "luck": "Page 5."}, ["reapplication.criteria.luck"]),
        ("NSS-ES", 1, {"technology": "Page 4.", "results": " "}, ["reapplication.criteria.results"]),
        ("NSS-ES", 2, {"technology": "Page 4."}, ["reapplication"]),
    ],
)
def test_a_reapplication_is_made_as_the_rules_allow(
    organisation: str, refusals: int, named: dict[str, str] | None, codes: list[str]
) -> None:
    found = failed(organisation, earlier_refusals=refusals, attempt=refusals + 1, named_criteria=named)
    assert [one.code for one in found] == codes


def test_where_no_reapplication_is_allowed_it_is_said_so() -> None:
    body = rules().to_json()
    body["national"]["reapplication"]["times"]["value"] = 0
    [one] = check(facts(earlier_refusals=1), RuleEdition.from_json(body))
    assert one.problem == "The rules allow no re-application for a project whose application was refused."


def test_a_knock_out_has_no_section_of_its_own_but_can_be_named_again() -> None:
    sections = dict.fromkeys([one for one in SECTIONS if one != "communication"], "Text.")
    assert failed("NSS-FR", sections=sections) == []
    assert [one.code for one in failed("NSS-FR", sections=sections | {"safety_and_rights": "Text."})] == [
        "sections.safety_and_rights"
    ]
    body = rules("NSS-FR").to_json()
    body["national"]["reapplication"]["name_criteria"]["value"] = True
    named = {"safety_and_rights": "Page 2 of the plan."}
    again = facts(sections=sections, earlier_refusals=1, attempt=2, named_criteria=named)
    assert check(again, RuleEdition.from_json(body)) == []


# Any facts at all -------------------------------------------------------------------------------

_texts = st.text(max_size=80)


@functools.cache
def _sentences() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "is_member": st.booleans(),
            "organisation": _texts,
            "organisation_kind": st.sampled_from(["NSS", "PSA", "CSS", "unknown"]),
            "european": st.booleans(),
            "earlier_this_year": st.integers(0, 9),
            "earlier_refusals": st.integers(0, 3),
            "named_criteria": st.none() | st.dictionaries(_texts, _texts, max_size=3),
            "description": _texts,
            "sections": st.dictionaries(_texts | st.sampled_from(SECTIONS), _texts, max_size=8),
        }
    )


@given(changes=_sentences(), organisation=st.sampled_from(["NSS-PL", "NSS-ES", "NSS-RS"]))
def test_whatever_the_facts_each_failed_condition_is_one_line_and_its_remedy_another(
    changes: dict[str, Any], organisation: str
) -> None:
    found = failed(organisation, **changes)
    assert found == failed(organisation, **changes)
    for one in found:
        assert one.code
        for text in (one.problem, one.remedy):
            assert text.endswith(".")
            assert "\n" not in text
            assert len(text) < 300
