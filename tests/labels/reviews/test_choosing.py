"""Conflicts of interest and the even choice of reviewers, as rules without a record."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labels.reviews.choosing import (
    Candidate,
    Judged,
    choose_reviewer,
    conflicts_of_interest,
    names_alike,
)

JUDGED = Judged(
    applicant_email="ada@school.example",
    school="S-1",
    project="P-1",
    project_schools=frozenset({"S-1", "S-2"}),
    named=frozenset({("PER-1", "Ada Kowalska"), ("PER-2", "João Conceição")}),
    member_emails=frozenset({"ada@school.example", "joao@school.example"}),
    shared_projects=frozenset({"P-1", "P-7"}),
    teachers=frozenset({"T-1", "T-2"}),
)


STRANGER = Candidate(
    email="vera@nss.example",
    name="Vera Nowak",
    schools=frozenset({"S-9"}),
    projects=frozenset({"P-9"}),
    declared=frozenset(),
    load=0,
)


def only(*values: str) -> frozenset[str]:
    return frozenset(values)


def test_nothing_speaks_against_a_stranger() -> None:
    assert conflicts_of_interest(STRANGER, JUDGED) == []


@pytest.mark.parametrize(
    ("candidate", "found"),
    [
        (replace(STRANGER, email="ada@school.example"), "is the applicant"),
        (replace(STRANGER, email="joao@school.example"), "is a member of the project"),
        (replace(STRANGER, name="KOWALSKA Ada"), "has the name of a member of the project"),
        (replace(STRANGER, name="Conceicao, Joao"), "has the name of a member of the project"),
        (replace(STRANGER, schools=only("S-1")), "teaches at the applicant's school"),
        (replace(STRANGER, schools=only("S-9", "S-2")), "teaches at a school of the project"),
        (replace(STRANGER, projects=only("P-1")), "is a member of the project"),
        (replace(STRANGER, projects=only("P-7", "P-9")), "shares or shared a project with the applicant"),
        (replace(STRANGER, declared=frozenset({("teacher", "T-1")})), "has a declared conflict of interest"),
        (replace(STRANGER, declared=frozenset({("teacher", "T-2")})), "has a declared conflict of interest"),
        (replace(STRANGER, declared=frozenset({("project", "P-1")})), "has a declared conflict of interest"),
        (replace(STRANGER, declared=frozenset({("school", "S-1")})), "has a declared conflict of interest"),
        (replace(STRANGER, declared=frozenset({("school", "S-2")})), "has a declared conflict of interest"),
    ],
)
def test_each_thing_that_stands_between_is_found_and_named(candidate: Candidate, found: str) -> None:
    assert conflicts_of_interest(candidate, JUDGED) == [found]


def test_everything_that_stands_between_is_named_and_nothing_twice() -> None:
    near = Candidate(
        email="joao@school.example",
        name="Joao Conceicao",
        schools=only("S-2"),
        projects=only("P-1", "P-7"),
        declared=frozenset({("teacher", "T-1"), ("school", "S-1")}),
        load=0,
    )
    assert conflicts_of_interest(near, JUDGED) == [
        "is a member of the project",
        "has the name of a member of the project",
        "teaches at a school of the project",
        "has a declared conflict of interest",
    ]


@pytest.mark.parametrize("declared", [("teacher", "T-9"), ("project", "T-1"), ("school", "P-1")])
def test_what_was_declared_about_somebody_else_does_not_count(declared: tuple[str, str]) -> None:
    assert conflicts_of_interest(replace(STRANGER, declared=frozenset({declared})), JUDGED) == []


def test_an_application_for_no_project_is_in_no_conflict_over_projects() -> None:
    school = replace(JUDGED, project="", shared_projects=frozenset())
    assert conflicts_of_interest(STRANGER, school) == []


def staff(*loads: int) -> list[Candidate]:
    return [
        replace(STRANGER, email=f"r{n}@nss.example", name=f"Reviewer {n}", load=load)
        for n, load in enumerate(loads)
    ]


def test_the_least_loaded_is_asked_first() -> None:
    chosen = choose_reviewer(staff(3, 1, 2), JUDGED, (), "NQL-1")
    assert chosen
    assert chosen.email == "r1@nss.example"


def test_a_name_in_another_script_or_spelling_is_in_the_way_of_judging_a_member_of_the_project() -> None:
    greek = replace(JUDGED, named=frozenset({("PER-1", "Γιώργος Παπαδόπουλος"), ("PER-2", "Anna Müller")}))
    for name in ("Giorgos Papadopoulos", "MUELLER Anna"):
        found = conflicts_of_interest(replace(STRANGER, name=name), greek)
        assert found == ["has the name of a member of the project"]


def test_who_may_be_a_member_by_name_is_named_and_not_in_the_way() -> None:
    perhaps = replace(STRANGER, name="A. Kowalska-Nowak")
    assert conflicts_of_interest(perhaps, JUDGED) == []
    assert names_alike(perhaps, JUDGED) == ("Ada Kowalska",)
    assert names_alike(STRANGER, JUDGED) == ()


def test_among_equals_who_may_be_a_member_by_name_is_asked_last() -> None:
    perhaps = replace(STRANGER, email="a@nss.example", name="A. Kowalska")
    for salt in ("NQL-1", "NQL-2", "NQL-3", "NQL-4"):
        assert choose_reviewer([perhaps, *staff(0)], JUDGED, (), salt) == staff(0)[0]
    assert choose_reviewer([perhaps, *staff(1)], JUDGED, (), "NQL-1") == perhaps


def test_nobody_is_asked_who_was_asked_or_has_a_conflict() -> None:
    people = [*staff(0, 0), replace(STRANGER, email="ada@school.example")]
    assert choose_reviewer(people, JUDGED, {"r0@nss.example", "r1@nss.example"}, "NQL-1") is None
    assert choose_reviewer([], JUDGED, (), "NQL-1") is None


@given(st.permutations(staff(0, 0, 0, 0, 0)), st.text(max_size=12))
def test_the_choice_is_the_same_in_whatever_order_people_are_read(people: list[Candidate], salt: str) -> None:
    assert choose_reviewer(people, JUDGED, (), salt) == choose_reviewer(people[::-1], JUDGED, (), salt)


def test_among_equals_nobody_is_first_by_alphabet() -> None:
    people = staff(*[0] * 4)
    first = [choose_reviewer(people, JUDGED, (), f"NQL-{n}") for n in range(200)]
    share = {one.email: first.count(one) for one in people}
    assert min(share.values()) > 25, share


@pytest.mark.slow
@settings(max_examples=50)
@given(people=st.integers(2, 9), applications=st.integers(1, 60), seats=st.integers(1, 2))
def test_however_many_are_asked_the_loads_stay_within_one_of_each_other(
    people: int, applications: int, seats: int
) -> None:
    loads = {one.email: one for one in staff(*[0] * people)}
    for number in range(applications):
        asked: set[str] = set()
        for _ in range(seats):
            chosen = choose_reviewer(loads.values(), JUDGED, asked, f"NQL-{number}")
            assert chosen
            asked.add(chosen.email)
            loads[chosen.email] = replace(chosen, load=chosen.load + 1)
    found = [one.load for one in loads.values()]
    assert max(found) - min(found) <= 1
    assert sum(found) == applications * seats


def test_a_namesake_may_judge_who_is_said_to_be_somebody_else_and_nobody_of_that_name_besides() -> None:
    namesake = replace(STRANGER, name="Ada Kowalska", different=only("PER-1"))
    assert conflicts_of_interest(namesake, JUDGED) == []
    another = replace(JUDGED, named=JUDGED.named | {("PER-3", "Ada Kowalska")})
    assert conflicts_of_interest(namesake, another) == ["has the name of a member of the project"]
    alike = replace(STRANGER, name="A. Kowalska")
    assert names_alike(alike, JUDGED) == ("Ada Kowalska",)
    assert names_alike(replace(alike, different=only("PER-1")), JUDGED) == ()
