"""The School Label's automatic check, held against a plain reading of the brief's three sentences."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from labels.errors import NotFound
from labels.preselection import Round, SchoolCheck, check_schools, round_on
from labels.record.engine import Record
from labels.record.schema import Activity, Award, Member, Organisation, Project, School, Teacher
from labels.rules import load_rules
from labels.rules.model import PreselectionRules, RuleEdition, Sourced

TODAY = date(2026, 3, 16)
TWO_YEARS_AGO = date(2024, 3, 16)
DAY = timedelta(days=1)

days = st.sampled_from(
    [TWO_YEARS_AGO + DAY * n for n in (-400, -1, 0, 1, 300)] + [TODAY - DAY, TODAY, TODAY + DAY]
)


@dataclass
class Registry:
    """A small registry: every school has a country, every teacher a school."""

    schools: list[tuple[str, date]]
    """Country and day of registration."""
    teachers: list[int]
    """The school of each."""
    projects: list[tuple[date, date | None]]
    members: list[tuple[int, int, str, date]]
    """Project, teacher, role and day of joining."""
    activities: list[tuple[int, date, bool]] = field(default_factory=list)
    awards: list[tuple[int, int, str, date]] = field(default_factory=list)
    """Project, teacher, label and day."""

    def write(self, session: Session) -> None:
        """Puts it into an empty record."""
        session.add(
            Organisation(id="NSS", country="PL", kind="NSS", name="NSS", email="n@x.example", language="pl")
        )
        session.flush()
        session.add_all(
            School(
                id=f"S-{n}", name=f"School {n}", country=country, organisation="NSS", city="X",
                registered_on=on, principal_name="P", principal_email="p@x.example",
            )
            for n, (country, on) in enumerate(self.schools)
        )  # fmt: skip
        session.flush()
        session.add_all(
            Teacher(
                id=f"T-{n}", name=f"Teacher {n}", email=f"t{n}@x.example", school=f"S-{school}",
                registered_on=date(2010, 1, 1), language="en",
            )
            for n, school in enumerate(self.teachers)
        )  # fmt: skip
        session.add_all(
            Project(id=f"P-{n}", title=f"Project {n}", started_on=start, ended_on=end)
            for n, (start, end) in enumerate(self.projects)
        )
        session.flush()
        session.add_all(
            Member(project=f"P-{project}", teacher=f"T-{teacher}", role=role, joined_on=on)
            for project, teacher, role, on in self.members
        )
        session.add_all(
            Activity(id=f"A-{n}", teacher=f"T-{teacher}", kind="workshop", title="W", on=on, confirmed=yes)
            for n, (teacher, on, yes) in enumerate(self.activities)
        )
        session.add_all(
            Award(
                id=f"L-{n}", label=label, teacher=f"T-{teacher}", project=f"P-{project}", school=None,
                organisation="NSS", awarded_on=on, score=None, valid_until=None, revoked_at=None,
            )
            for n, (project, teacher, label, on) in enumerate(self.awards)
        )  # fmt: skip

    # The brief, sentence by sentence.

    def registered(self, school: int) -> bool:
        """Registered in eTwinning for more than two years."""
        return self.schools[school][1] < TWO_YEARS_AGO

    def active(self, school: int) -> set[str]:
        """The teachers linked to the school who were involved in projects or other activities."""
        return {
            f"T-{teacher}"
            for teacher, own in enumerate(self.teachers)
            if own == school
            and (
                any(
                    who == teacher and joined <= TODAY and self._ran(project)
                    for project, who, _, joined in self.members
                )
                or any(
                    who == teacher and yes and TWO_YEARS_AGO <= on <= TODAY
                    for who, on, yes in self.activities
                )
            )
        }

    def labelled(self, school: int) -> bool:
        """Involved in a European project that was granted a National Quality Label in two years."""
        involved = {
            project
            for project, teacher, _, joined in self.members
            if self.teachers[teacher] == school and joined <= TODAY
        }
        return any(
            project in involved and label == "national" and TWO_YEARS_AGO <= on <= TODAY
            for project, _, label, on in self.awards
            if self._european(project)
        )

    def _ran(self, project: int) -> bool:
        start, end = self.projects[project]
        return start <= TODAY and (end is None or end >= TWO_YEARS_AGO)

    def _european(self, project: int) -> bool:
        countries = {
            self.schools[self.teachers[teacher]][0]
            for which, teacher, role, _ in self.members
            if which == project and role == "founder"
        }
        return len(countries) > 1


@st.composite
def registries(draw: st.DrawFn) -> Registry:
    schools = draw(st.lists(st.tuples(st.sampled_from(["PL", "PT"]), days), min_size=1, max_size=3))
    teachers = draw(st.lists(st.integers(0, len(schools) - 1), min_size=1, max_size=6))
    someone = st.integers(0, len(teachers) - 1)
    projects = [
        (start, max(start, end) if end else None)
        for start, end in draw(st.lists(st.tuples(days, st.none() | days), min_size=1, max_size=3))
    ]
    some_project = st.integers(0, len(projects) - 1)
    roles = st.sampled_from(["founder", "partner"])
    members = draw(
        st.lists(st.tuples(some_project, someone, roles, days), max_size=8, unique_by=lambda one: one[:2])
    )
    activities = draw(st.lists(st.tuples(someone, days, st.booleans()), max_size=4))
    labels = st.sampled_from(["national", "national", "european"])
    awards = draw(st.lists(st.tuples(some_project, someone, labels, days), max_size=3))
    return Registry(schools, teachers, projects, members, activities, awards)


RULES = load_rules("CSS", TODAY).school.preselection


def by_default(on: date) -> Round:
    return Round.by_rules(on, RULES)


def checked(session: Session, on: date = TODAY, school: str | None = None) -> dict[str, SchoolCheck]:
    return {one.school: one for one in check_schools(session, by_default(on), school)}


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(registry=registries())
def test_the_check_is_the_briefs_three_sentences(record: Record, registry: Registry) -> None:
    with record.reading() as session:  # what is written in it is thrown away
        registry.write(session)
        session.flush()
        found = checked(session)
    assert sorted(found) == sorted(f"S-{n}" for n in range(len(registry.schools)))
    for n in range(len(registry.schools)):
        conditions = found[f"S-{n}"].conditions
        active = registry.active(n)
        assert conditions["registered"].met is registry.registered(n)
        assert conditions["active_teachers"].met is (len(active) >= 2)
        assert all(teacher in conditions["active_teachers"].why for teacher in sorted(active)[:5])
        assert conditions["national_label"].met is registry.labelled(n)
        assert found[f"S-{n}"].eligible is all(one.met for one in conditions.values())


def _good() -> Registry:
    """A school that passes, and its partner abroad, which lacks a second active teacher."""
    return Registry(
        schools=[("PL", date(2020, 1, 1)), ("PT", date(2020, 1, 1))],
        teachers=[0, 0, 1],
        projects=[(date(2024, 9, 1), date(2025, 6, 30))],
        members=[(0, 0, "founder", date(2024, 9, 1)), (0, 2, "founder", date(2024, 9, 1))],
        activities=[(1, date(2025, 5, 5), True)],
        awards=[(0, 2, "national", date(2025, 10, 1))],
    )


def test_a_school_learns_why_in_plain_words(record: Record) -> None:
    with record.writing() as session:
        _good().write(session)
        found = checked(session)
    assert found["S-0"].eligible
    assert [one.why for one in found["S-0"].conditions.values()] == [
        "Registered on 2020-01-01, before 2024-03-16.",
        "2 teachers were active between 2024-03-16 and 2026-03-16 (T-0, T-1); 2 are needed.",
        "The European project “Project 0” (P-0) received a National Quality Label on 2025-10-01.",
    ]
    assert not found["S-1"].eligible
    assert found["S-1"].conditions["active_teachers"].why == (
        "One teacher was active between 2024-03-16 and 2026-03-16 (T-2); 2 are needed."
    )


def test_a_revoked_label_counts_for_nobody(record: Record) -> None:
    from datetime import UTC, datetime

    with record.writing() as session:
        _good().write(session)
        session.flush()
        session.get_one(Award, "L-0").revoked_at = datetime(2026, 1, 1, tzinfo=UTC)
        found = checked(session)
    assert not found["S-0"].conditions["national_label"].met


def test_one_school_can_be_asked_about_and_an_unknown_one_is_told(record: Record) -> None:
    with record.writing() as session:
        _good().write(session)
        assert list(checked(session, school="S-1")) == ["S-1"]
        with pytest.raises(NotFound, match="no school S-9"):
            checked(session, school="S-9")


@pytest.mark.parametrize(
    ("on", "registered", "enough"),
    [
        (date(2026, 3, 16), date(2024, 3, 15), True),
        (date(2026, 3, 16), date(2024, 3, 16), False),  # the anniversary itself is not *more* than two years
        (date(2026, 3, 1), date(2024, 2, 29), True),
        (date(2026, 2, 28), date(2024, 2, 29), False),
        (date(2028, 2, 29), date(2026, 2, 28), True),
        (date(2028, 2, 29), date(2026, 3, 1), False),
    ],
)
def test_more_than_two_years_are_counted_to_the_day(on: date, registered: date, enough: bool) -> None:
    assert (registered < by_default(on).registered_before) is enough


def test_the_windows_reach_back_two_years_that_day_included() -> None:
    for on in itertools.accumulate([date(2027, 12, 1)] + [DAY] * 150, lambda day, step: day + step):
        dates = by_default(on)
        assert dates.active_since == dates.labelled_since
        assert dates.active_since.year == on.year - 2
        assert (dates.active_since.month, dates.active_since.day) in {(on.month, on.day), (2, 28)}
    assert by_default(date(2028, 2, 29)).active_since == date(2026, 2, 28)


def test_a_round_may_publish_dates_of_its_own_and_ask_for_more_teachers() -> None:
    published = RULES.model_copy(
        update={
            "registered_before": Sourced(value=date(2024, 1, 1), source="assumption"),
            "labelled_since": Sourced(value=date(2023, 9, 1), source="assumption"),
            "active_teachers": Sourced(value=3, source="found: some rounds since 2022"),
        }
    )
    dates = Round.by_rules(TODAY, published)
    assert (dates.registered_before, dates.labelled_since) == (date(2024, 1, 1), date(2023, 9, 1))
    assert dates.active_since == TWO_YEARS_AGO, "what is not published is still counted back"
    assert dates.active_teachers == 3


def test_each_window_has_a_length_of_its_own() -> None:
    lengths = {"registered_years": 1, "active_years": 3, "label_years": 4}
    rules = PreselectionRules.model_validate(
        RULES.model_dump() | {name: {"value": n, "source": "assumption"} for name, n in lengths.items()}
    )
    dates = Round.by_rules(date(2027, 3, 1), rules)
    assert dates.registered_before == date(2026, 3, 1)
    assert dates.active_since == date(2024, 3, 1)
    assert dates.labelled_since == date(2023, 3, 1)


def test_one_country_s_rules_do_not_change_the_check_of_all(record: Record) -> None:
    asked = []

    def rules_for(whose: str) -> RuleEdition:
        asked.append(whose)
        return load_rules(whose, TODAY)

    with record.writing() as session:
        Registry([("PL", TWO_YEARS_AGO)], [], [], []).write(session)
        session.add(
            Organisation(id="CSS-EU", country="BE", kind="CSS", name="C", email="c@x.example", language="en")
        )
        session.flush()
        assert round_on(session, TODAY, rules_for) == by_default(TODAY)
    assert asked == ["CSS-EU"], "the Central Support Service's, whatever it is called"
