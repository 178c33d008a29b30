"""Who could have a conflict of interest is found among many reviewers as if each were looked at."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from labels.reviews.choosing import Candidate, Judged, conflicts_of_interest, may_be_one, names_alike
from labels.reviews.nearness import Nearness

NAMES = ("Anna Nowak", "A. Nowak", "NOWAK Anna", "Anna Maria Nowak", "Petra Lund", "Müller Jürgen", "Jurgen Mueller",
         "Гончаренко Олена", "Olena Honcharenko", "فاطمة الزهراء", "Fatima Alzahra", "Li")  # fmt: skip
EMAILS = tuple(f"{name}@s.example" for name in ("anna", "anna+labels", "petra", "li"))
SCHOOLS, PROJECTS, TEACHERS = ("S-1", "S-2", "S-3"), ("P-1", "P-2"), ("T-1", "T-2")


def some(values: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values), max_size=2)


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    return [
        Candidate(
            email=draw(st.sampled_from(EMAILS)),
            name=draw(st.sampled_from(NAMES)),
            schools=draw(some(SCHOOLS)),
            projects=draw(some(PROJECTS)),
            declared=frozenset((kind, one) for kind, one in draw(st.frozensets(declared, max_size=1))),
            load=0,
            person=f"PER-{number}",
            left=frozenset((school, date(2024, 9, 1)) for school in draw(some(SCHOOLS))),
            different=draw(some(("PER-8", "PER-9"))),
        )
        for number in range(draw(st.integers(0, 5)))
    ]


declared = st.sampled_from([("school", "S-1"), ("project", "P-1"), ("teacher", "T-1")])


@st.composite
def judgeds(draw: st.DrawFn) -> Judged:
    return Judged(
        applicant_email=draw(st.sampled_from(EMAILS)),
        school=draw(st.none() | st.sampled_from(SCHOOLS)),
        project=draw(st.sampled_from(PROJECTS)),
        project_schools=draw(some(SCHOOLS)),
        named=frozenset((person, draw(st.sampled_from(NAMES))) for person in ("PER-8", "PER-9")),
        member_emails=draw(some(EMAILS)),
        shared_projects=draw(some(PROJECTS)),
        teachers=draw(some(TEACHERS)),
        former_schools=draw(some(SCHOOLS)),
        since=draw(st.none() | st.just(date(2024, 1, 1))),
    )


@pytest.mark.slow
@examples(max_examples=300, deadline=None)
@given(people=candidates(), judged=judgeds())
def test_nearness_finds_what_looking_at_each_finds(people: list[Candidate], judged: Judged) -> None:
    near = Nearness(people)
    assert near.barred(judged) == {one.person for one in people if conflicts_of_interest(one, judged)}
    assert near.alike(judged) == {one.person for one in people if names_alike(one, judged)}
    found = {(one.person, other.person) for one, other in near.maybe_one(people)}
    assert found == {
        (one.person, other.person)
        for one in people
        for other in people
        if one is not other and may_be_one(one, other)
    }
