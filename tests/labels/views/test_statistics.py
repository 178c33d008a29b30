"""The statistics against a count of the facts themselves, and which of their numbers are shown."""

from __future__ import annotations

import re
import statistics as arithmetic
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from labels.errors import InvalidInput, NotFound
from labels.kinds import LabelKind
from labels.record import Record
from labels.record.schema import (
    Application,
    Award,
    Conflict,
    Organisation,
    Outcome,
    Person,
    School,
    Staff,
    Stage,
    Teacher,
)
from labels.registry import search_index
from labels.reviews.conflicts import own_conflicts
from labels.views.applications import EVERYTHING, Scope
from labels.views.counts import COUNTED, Count
from labels.views.own_conflicts import in_conflict
from labels.views.small_numbers import LEAST
from labels.views.statistic_sheet import figures
from labels.views.statistics import Filters, Line, Middle, Statistics, statistics
from tests.support.case import Case, open_case
from tests.support.past_years import Europe, Fact
from tests.support.people import populate

NOW = datetime(2026, 3, 16, 9, tzinfo=UTC)
YEARS = range(2016, 2026)
DAY = timedelta(days=1)


def europe(record: Record, sizes: dict[str, int], seed: int = 1) -> list[Fact]:
    with record.writing() as session:
        populate(session)
        session.add(
            Organisation(
                id="CSS", country="EU", kind="CSS", name="Central", email="css@eu.example", language="en"
            )
        )
        session.flush()
        return Europe(sizes, YEARS, NOW, seed).fill(session)


@pytest.fixture
def facts(record: Record) -> list[Fact]:
    return europe(record, {"NSS-AA": 60, "NSS-BB": 25, "NSS-CC": 6})


def told(record: Record, organisation: str, **filters: Any) -> Statistics:
    with record.reading() as session:
        return statistics(session, EVERYTHING, organisation, NOW, Filters(**filters))


_HOW: dict[Count, Callable[[Fact], bool]] = {
    Count.RECEIVED: lambda one: True,
    Count.DECIDED: lambda one: one.outcome in (Outcome.AWARDED, Outcome.REFUSED),
    Count.AWARDED: lambda one: one.outcome is Outcome.AWARDED,
    Count.REFUSED: lambda one: one.outcome is Outcome.REFUSED,
    Count.INELIGIBLE: lambda one: one.outcome is Outcome.INELIGIBLE,
    Count.WITHDRAWN: lambda one: one.outcome is Outcome.WITHDRAWN,
    Count.EXPIRED: lambda one: one.outcome is Outcome.EXPIRED,
    Count.OPEN: lambda one: one.outcome is None,
    Count.CHECKED: lambda one: one.outcome is None and one.stage is Stage.SUBMITTED,
    Count.REVIEWED: lambda one: one.outcome is None and one.stage is Stage.REVIEW,
    Count.ASKED: lambda one: one.outcome is None and one.stage is Stage.INFORMATION,
    Count.UNASSIGNED: lambda one: one.outcome is None and one.stage is Stage.ASSIGNMENT,
    Count.REVOKED: lambda one: one.revoked,
    Count.APPEALS: lambda one: one.appeal is not None or one.pending,
    Count.UPHELD: lambda one: one.appeal is Outcome.AWARDED,
    Count.NOT_UPHELD: lambda one: one.appeal is Outcome.REFUSED,
    Count.PENDING: lambda one: one.pending,
}


def counted(facts: list[Fact], count: Count, year: int) -> int:
    if count is Count.REVIEWS:
        return sum(len(one.reviews) for one in facts) if year >= 2024 else 0
    return sum(1 for one in facts if _HOW[count](one))


def middle(numbers: list[float]) -> Middle | None:
    if len(numbers) < LEAST:
        return None
    return Middle(arithmetic.median(numbers), pytest.approx(arithmetic.mean(numbers)))  # type: ignore[arg-type]  # compares as a number


def agrees(line: Line, facts: list[Fact], year: int) -> int:
    """How many numbers of a line are shown, each of which is that of the facts."""
    facts = [one for one in facts if one.declared]
    shown = {count: number for count, number in line.counts.items() if number is not None}
    assert shown == {count: counted(facts, count, year) for count in shown}
    waits = [min(one.given for one in fact.reviews) - fact.submitted for fact in facts if fact.reviews]
    assert line.first_review == middle([wait // DAY for wait in waits])
    if Count.DECIDED in shown:
        took = [
            (one.decided - one.submitted) // DAY for one in facts if _HOW[Count.DECIDED](one) and one.decided
        ]
        assert line.decision == middle(list(map(float, took)))
    else:
        assert line.decision is None
    return len(shown)


@pytest.mark.slow
@pytest.mark.parametrize("label", [None, *COUNTED])
def test_every_number_is_that_of_the_facts(
    record: Record, facts: list[Fact], label: LabelKind | None
) -> None:
    ours = [one for one in facts if label in (None, one.label)]
    shown = 0
    for organisation in ("NSS-AA", "NSS-BB", "NSS-CC", "CSS"):
        found = told(record, organisation, label=label, year=2025)
        own = [one for one in ours if organisation in ("CSS", one.organisation)]
        assert list(found.years) == list(YEARS)
        for year, line in found.years.items():
            shown += agrees(line, [one for one in own if one.year == year], year)
        for one, (this, last) in found.labels.items():
            of_label = [fact for fact in own if fact.label is one]
            shown += agrees(this, [fact for fact in of_label if fact.year == 2025], 2025)
            shown += agrees(last, [fact for fact in of_label if fact.year == 2024], 2024)
        for whose, line in found.organisations:
            there = [fact for fact in own if fact.organisation == whose.id and fact.year == 2025]
            shown += agrees(line, there, 2025)
    assert shown > 300


@pytest.mark.slow
def test_reviewers_load_time_and_agreement_are_those_of_the_facts(record: Record, facts: list[Fact]) -> None:
    for organisation in ("NSS-AA", "CSS"):
        found = told(record, organisation)
        for year, reviewing in found.reviewing.items():
            own = [
                one
                for one in facts
                if one.declared and one.year == year and organisation in ("CSS", one.organisation)
            ]
            given = [review for one in own for review in one.reviews]
            people = {review.person for review in given}
            assert reviewing.reviewers == len(people)
            assert reviewing.each == middle(
                [float(sum(one.person == who for one in given)) for who in people]
            )
            assert reviewing.days == middle([float((one.given - one.opened) // DAY) for one in given])
            pairs = [one.reviews for one in own if len(one.reviews) == 2]
            assert reviewing.pairs == len(pairs)
            # each criterion has the same points, of five that can be reached
            assert reviewing.apart == middle([20.0 * abs(one.points - two.points) for one, two in pairs])


@pytest.mark.slow
def test_two_labels_and_the_parts_of_each_add_up_where_all_are_shown(
    record: Record, facts: list[Fact]
) -> None:
    found = told(record, "NSS-AA", year=2020)
    line = found.line.counts
    parts = (
        Count.AWARDED, Count.REFUSED, Count.INELIGIBLE, Count.WITHDRAWN, Count.EXPIRED, Count.OPEN,
    )  # fmt: skip
    hidden = [count for count in parts if line[count] is None]
    assert len(hidden) != 1, "one number that is not shown follows from the others"
    received = line[Count.RECEIVED]
    if received is not None:
        left = received - sum(line[one] or 0 for one in parts)
        assert left >= LEAST if hidden else left == 0


@pytest.mark.slow
def test_another_country_has_no_statistics_for_a_coordinator(record: Record, facts: list[Fact]) -> None:
    own = frozenset({"NSS-AA"})
    with record.reading() as session:
        assert statistics(session, Scope(own, own), "NSS-AA", NOW).organisation.id == "NSS-AA"
        for other in ("NSS-BB", "CSS", "NSS-ZZ"):
            with pytest.raises(NotFound, match=f"There is no organisation {other}"):
                statistics(session, Scope(own, own), other, NOW)


@pytest.mark.sampled
@pytest.mark.parametrize(
    "filters", [{"year": 2026}, {"year": 1}, {"label": LabelKind.EUROPEAN}, {"label": LabelKind.PUPIL}]
)
def test_a_year_to_come_and_a_label_that_nobody_applies_for_are_refused(
    record: Record, facts: list[Fact], filters: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput, match="statistics"):
        told(record, "NSS-AA", **filters)


def test_a_record_without_applications_has_statistics_too(record: Record) -> None:
    europe(record, {})
    found = told(record, "NSS-PL")
    assert {number for line in found.years.values() for number in line.counts.values()} == {0}
    assert not found.hides
    assert [one.value for one in figures(found) if one.value] == []


@pytest.mark.slow
def test_a_label_that_is_said_to_be_revoked_elsewhere_stands_until_it_is_taken_back_here(
    record: Record, facts: list[Fact]
) -> None:
    ours = [one for one in facts if one.organisation == "NSS-AA"]
    before = told(record, "NSS-AA")
    with record.writing() as session:
        standing = sa.update(Award).where(Award.revoked_at.is_(None))
        changed = session.execute(standing.values(revoked_on=NOW.date()).returning(Award.id)).all()
        assert changed
    after = told(record, "NSS-AA")
    assert after.years == before.years
    revoked = {year: line.counts[Count.REVOKED] for year, line in after.years.items()}
    assert any(number is not None for number in revoked.values())
    assert sum(number or 0 for number in revoked.values()) <= sum(one.revoked for one in ours)


def test_what_somebody_is_near_to_takes_no_more_queries_where_there_is_more_of_it(record: Record) -> None:
    def queries() -> tuple[int, int]:
        """How many are asked, and how many applications they find."""
        asked: list[str] = []

        def counts(_: Any, __: Any, statement: str, *___: Any) -> None:
            asked.append(statement)

        with record.reading() as session:
            person = session.scalars(sa.select(Staff.person).where(Staff.role == "coordinator")).one()
            sa.event.listen(record.engine, "before_cursor_execute", counts)
            try:
                found = in_conflict(session, person)
            finally:
                sa.event.remove(record.engine, "before_cursor_execute", counts)
        assert not any(re.search(r"application\.content\b", one) for one in asked)
        return len(asked), len(found)

    open_case(record)
    with record.writing() as session:
        Europe({"NSS-PL": 4}, [2024], NOW, seed=4).fill(session)
        search_index.fill(session.connection())
        coordinator = session.scalars(sa.select(Staff).where(Staff.role == "coordinator")).one()
        coordinator.school = "S-NSS-PL"
    few, some = queries()
    with record.writing() as session:
        case = session.scalars(sa.select(Application).where(Application.school == "S-NSS-PL").limit(1)).one()
        columns = [one.key for one in sa.inspect(Application).column_attrs]
        row = {one: getattr(case, one) for one in columns} | {"outcome": Outcome.REFUSED}
        for number in range(30):
            session.add(Application(**row | {"id": f"{case.id}-{number}"}))
    many, more = queries()
    assert more == some + 30
    assert many == few


def test_what_somebody_is_in_conflict_with_is_in_none_of_their_numbers(record: Record) -> None:
    case: Case = open_case(record)
    year = Europe({"NSS-PL": 40}, [2025], NOW, seed=3)
    with record.writing() as session:
        year.fill(session)
        search_index.fill(session.connection())
    own = frozenset({"NSS-PL"})

    def received(person: str) -> tuple[int | None, int]:
        with record.reading() as session:
            found = statistics(session, Scope(own, own), "NSS-PL", NOW, person=person)
        return found.line.counts[Count.RECEIVED], found.left_out

    with record.reading() as session:
        [coordinator] = session.query(Staff.person).filter(Staff.role == "coordinator").one()
    everything, none = received(coordinator)
    assert everything is not None
    assert (everything > 20, none) == (True, 0)
    with record.writing() as session:
        session.add(
            Conflict(
                person=coordinator, kind="project", target=case.row().project or "", reason="a friend",
                declared_by="c", declared_at=NOW,
            )
        )  # fmt: skip
    assert received(coordinator) == (everything - 1, 1)
    assert received("") == (everything, 0)


@pytest.mark.parametrize("near", ["school", "namesake", "mailbox", "principal"])
def test_whoever_teaches_is_in_conflict_with_their_school_and_their_own(record: Record, near: str) -> None:
    """The same as reviewers are chosen by: each application on its own, looked at one after the other."""
    open_case(record)
    with record.writing() as session:
        Europe({"NSS-PL": 30, "NSS-AA": 5}, [2025], NOW, seed=4).fill(session)
        search_index.fill(session.connection())
        coordinator = session.scalars(sa.select(Staff).where(Staff.role == "coordinator")).one()
        if near == "school":
            coordinator.school = "S-NSS-PL"
        elif near == "namesake":
            session.get_one(Person, coordinator.person).name = coordinator.name = "Teacher of NSS-PL"
        elif near == "mailbox":
            teacher = session.get_one(Teacher, "T-NSS-PL")
            session.get_one(Person, coordinator.person).address = session.get_one(
                Person, teacher.person
            ).address
        else:
            school = session.scalars(
                sa.select(Application.school).where(Application.label == LabelKind.SCHOOL).limit(1)
            ).one()
            session.get_one(School, school).principal = coordinator.person
    with record.reading() as session:
        person = session.scalars(sa.select(Staff.person).where(Staff.role == "coordinator")).one()
        found = in_conflict(session, person)
        one_by_one = {
            one.id for one in session.scalars(sa.select(Application)) if own_conflicts(session, one, person)
        }
    assert found == one_by_one
    assert found
