"""Merging: what a project needs, which half of it failed, and that no order matters."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.european_label.merging import Holder, Nomination, Project, merge
from tests.support.european import european_rules


def one(nominations: list[Nomination], holders: list[Holder], **changes: object) -> Project:
    [project] = merge(nominations, holders, european_rules(**changes))
    return project


PL, PT = Holder("P-1", "T-1", "PL", "S-1"), Holder("P-1", "T-2", "PT", "S-2")
NOMINATED = [Nomination("P-1", "NSS-PL")]


def test_a_project_needs_one_organisation_and_two_labelled_partners() -> None:
    project = one(NOMINATED, [PL, PT])
    assert project.qualifies
    assert project.why == "Proposed by NSS-PL; 2 of at least 2 labelled partners."
    assert (project.proposed_by, project.labelled_partners, project.countries) == (("NSS-PL",), 2, 2)


def test_a_project_that_fails_says_which_half_failed() -> None:
    assert one(NOMINATED, [PL]).why == (
        "Proposed by NSS-PL, but it has only 1 of at least 2 labelled partners."
    )
    assert one([], [PL, PT]).why == (
        "No organisation put it forward; it would have 2 of at least 2 labelled partners."
    )
    assert one([], [PL]).why == (
        "No organisation put it forward, and it has only 1 of at least 2 labelled partners."
    )
    assert one(NOMINATED, []).why == "Proposed by NSS-PL, but it has none of 2 labelled partners."


def test_two_labels_of_one_teacher_are_one_partner() -> None:
    assert not one(NOMINATED, [PL, PL, PL]).qualifies


def test_teachers_of_one_country_are_partners_and_not_countries() -> None:
    same = [PL, Holder("P-1", "T-3", "PL", "S-3")]
    assert one(NOMINATED, same).qualifies
    project = one(NOMINATED, same, together="countries")
    assert not project.qualifies
    assert project.why == "Proposed by NSS-PL, but it has only 1 of at least 2 countries with a label."
    assert one(NOMINATED, [PL, PT], together="countries").qualifies


def test_two_colleagues_of_one_school_are_one_partner_unless_the_rules_count_teachers() -> None:
    colleagues = [PL, Holder("P-1", "T-3", "PL", "S-1")]
    project = one(NOMINATED, colleagues)
    assert (project.qualifies, project.labelled_partners) == (False, 1)
    assert project.why == (
        "Proposed by NSS-PL, but it has only 1 of at least 2 labelled partners (colleagues of one school are one)."
    )
    assert one(NOMINATED, colleagues, together="partners").qualifies
    assert one(NOMINATED, [*colleagues, PT]).qualifies
    unknown = [Holder("P-1", "T-1", "PL"), Holder("P-1", "T-2", "PL")]
    assert one(NOMINATED, unknown).qualifies, "where no school is known, each teacher is a partner"


def test_a_national_project_qualifies_only_where_the_rules_do_not_ask_for_a_european_one() -> None:
    national = [label._replace(country="PL", founded_in=1) for label in (PL, PT)]
    project = one(NOMINATED, national)
    assert not project.qualifies
    assert "It is a national project: its founders are all of one country" in project.why
    assert one(NOMINATED, national, european_only=False).qualifies
    assert one(NOMINATED, [label._replace(founded_in=2) for label in (PL, PT)]).qualifies
    assert one(NOMINATED, [label._replace(founded_in=0) for label in (PL, PT)]).qualifies, "not known"


few = st.sampled_from(["a", "b", "c"])
lists = st.tuples(
    st.lists(st.builds(Nomination, few, few), max_size=8),
    st.lists(st.builds(Holder, few, few, few), max_size=12),
)


@pytest.mark.slow
@given(lists, st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_what_is_merged_change_nothing(
    given_: tuple[list[Nomination], list[Holder]], chance: random.Random
) -> None:
    nominations, holders = given_
    first = merge(nominations, holders, european_rules())
    chance.shuffle(nominations)
    chance.shuffle(holders)
    assert merge([*nominations, *nominations], [*holders, *holders], european_rules()) == first
    for project in first:
        assert project.qualifies == (bool(project.proposed_by) and project.labelled_partners >= 2)
