"""The School Label's automatic check, held against a plain reading of the brief's three sentences."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from labels.clock import end_of_day
from labels.errors import NotAllowed, NotFound
from labels.record.engine import Record
from labels.record.schema import Activity, Award, Member, Organisation, Project, School, Teacher
from labels.rules.loading import load_rules
from labels.rules.model import PreselectionRules, RuleEdition, Sourced
from labels.school_label import rounds, validity
from labels.school_label.preselection import CutOffs, SchoolCheck, check_schools, cut_offs_on
from labels.turn import Turn
from tests.support.people import KEY

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
        session.add_all(
            Organisation(
                id=kind, country="PL", kind=kind, name=kind, email=f"{kind}@x.example", language="pl"
            )
            for kind in ("CSS", "NSS")
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
        """Involved in a European project that was granted a National Quality Label in two years: by the day of the label,
        for a label is nobody's who comes after it."""
        return any(
            label == "national" and TWO_YEARS_AGO <= on <= TODAY and self._involved(school, project, on)
            for project, _, label, on in self.awards
            if self._european(project)
        )

    def _involved(self, school: int, project: int, on: date) -> bool:
        return any(
            which == project and self.teachers[teacher] == school and joined <= on
            for which, teacher, _, joined in self.members
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


SCHOOL = load_rules("CSS", TODAY).school
RULES = SCHOOL.preselection


def by_default(on: date) -> CutOffs:
    return CutOffs.by_rules(on, SCHOOL)


def checked(session: Session, on: date = TODAY, school: str | None = None) -> dict[str, SchoolCheck]:
    return {one.school: one for one in check_schools(session, by_default(on), school)}


def round_checked(session: Session, on: date = TODAY) -> int:
    """The year of the round that began and checked every school on that day."""
    now = end_of_day(on)
    one = rounds.begin(Turn(session, now, KEY), on, lambda whose: load_rules(whose, on))
    rounds.check(Turn(session, now, KEY), one.year)
    return one.year


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(registry=registries())
def test_the_check_is_the_briefs_three_sentences(record: Record, registry: Registry) -> None:
    with record.reading() as session:  # what is written in it is thrown away
        registry.write(session)
        session.flush()
        found = checked(session)
        kept = [one.check for one in rounds.results(session, round_checked(session))]
        by_country = rounds.by_country(session, TODAY.year)
    assert {one.school: one for one in kept} == found, "what is kept is what the check found"
    assert sum(one.checked for one in by_country) == len(found)
    assert sum(one.eligible for one in by_country) == sum(one.eligible for one in found.values())
    for reason, counted in (
        ("registered", sum(one.too_young for one in by_country)),
        ("active_teachers", sum(one.too_few_active for one in by_country)),
        ("national_label", sum(one.no_label for one in by_country)),
    ):
        assert counted == sum(not one.conditions[reason].met for one in found.values())
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
    dates = CutOffs.by_rules(TODAY, SCHOOL.model_copy(update={"preselection": published}))
    assert (dates.registered_before, dates.labelled_since) == (date(2024, 1, 1), date(2023, 9, 1))
    assert dates.active_since == TWO_YEARS_AGO, "what is not published is still counted back"
    assert dates.active_teachers == 3


def test_each_window_has_a_length_of_its_own() -> None:
    lengths = {"registered_years": 1, "active_years": 3, "label_years": 4}
    rules = PreselectionRules.model_validate(
        RULES.model_dump() | {name: {"value": n, "source": "assumption"} for name, n in lengths.items()}
    )
    dates = CutOffs.by_rules(date(2027, 3, 1), SCHOOL.model_copy(update={"preselection": rules}))
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
        session.flush()
        session.delete(session.get_one(Organisation, "CSS"))
        session.add(
            Organisation(id="CSS-EU", country="BE", kind="CSS", name="C", email="c@x.example", language="en")
        )
        session.flush()
        assert cut_offs_on(session, TODAY, rules_for) == by_default(TODAY)
    assert asked == ["CSS-EU"], "the Central Support Service's, whatever it is called"


def _labelled(session: Session, on: date, valid_until: date | None, identifier: str = "SCH-1") -> None:
    session.flush()
    session.add(
        Award(
            id=identifier, label="school", teacher=None, project=None, school="S-0", organisation="CSS",
            awarded_on=on, score=None, valid_until=valid_until, revoked_at=None,
        )
    )  # fmt: skip
    session.flush()


LABELS_BEGIN = by_default(TODAY).held_from
"""When the last decision of the round is due, at the latest."""


def two_years_before(day: date) -> date:
    return day.replace(year=day.year - 2)


@pytest.mark.parametrize(
    ("awarded_on", "valid_until", "holds"),
    [
        (date(2025, 1, 1), LABELS_BEGIN, True),  # its last day is the one on which those of the round begin
        (date(2025, 1, 1), LABELS_BEGIN - DAY, False),  # it ends before: the school may apply for the next
        (two_years_before(LABELS_BEGIN) + DAY, None, True),  # names no end: it is valid for two years
        (two_years_before(LABELS_BEGIN), None, False),
        (date(2026, 3, 17), None, False),  # not awarded yet
    ],
)
def test_who_holds_a_valid_label_is_told_so(
    record: Record, awarded_on: date, valid_until: date | None, holds: bool
) -> None:
    with record.reading() as session:
        _good().write(session)
        _labelled(session, awarded_on, valid_until)
        found = checked(session)
        round_checked(session)
        [pl, _] = rounds.by_country(session, TODAY.year)
    assert found["S-0"].eligible, "that is no condition"
    assert found["S-0"].holds == ("SCH-1" if holds else None)
    assert pl.holding == holds


def test_a_round_stays_as_it_began(record: Record) -> None:
    with record.reading() as session:
        _good().write(session)
        year = round_checked(session)
        before = list(rounds.results(session, year))
        session.get_one(School, "S-1").registered_on = TODAY
        session.get_one(Award, "L-0").awarded_on = date(2020, 1, 1)
        session.flush()
        again = rounds.begin(
            Turn(session, end_of_day(TODAY + DAY), KEY), TODAY + DAY, lambda whose: load_rules(whose, TODAY)
        )
        assert (again.year, again.on) == (year, TODAY)
        assert not rounds.check(Turn(session, end_of_day(TODAY + DAY), KEY), year)
        assert list(rounds.results(session, year)) == before
        [one] = rounds.results(session, year, "S-0")
        assert one == before[0]
        assert not checked(session)["S-0"].eligible, "the live check sees today"


def test_a_round_that_is_none_is_told(record: Record) -> None:
    def begin(on: date, days: int = 0) -> None:
        rounds.begin(
            Turn(session, end_of_day(TODAY + DAY * days), KEY), on, lambda whose: load_rules(whose, TODAY)
        )

    with record.reading() as session:
        _good().write(session)
        with pytest.raises(NotAllowed, match="still to come"):
            begin(TODAY + DAY)
        with pytest.raises(NotFound, match="no round of 2026"):
            list(rounds.results(session, 2026))
        begin(TODAY)
        with pytest.raises(NotFound, match="not checked the schools yet"):
            list(rounds.results(session, 2026))
        rounds.check(Turn(session, end_of_day(TODAY), KEY), 2026)
        with pytest.raises(NotFound, match="no school S-9"):
            list(rounds.results(session, 2026, "S-9"))
        session.add(
            School(
                id="S-9", name="New", country="PL", organisation="NSS", city="X", registered_on=TODAY,
                principal_name="P", principal_email="p@x.example",
            )
        )  # fmt: skip
        session.flush()
        with pytest.raises(NotFound, match="registered later"):
            list(rounds.results(session, 2026, "S-9"))


def test_a_deadline_is_the_last_second_of_a_day_in_brussels_whatever_the_clocks_do() -> None:
    from datetime import UTC, datetime

    def by(day: date) -> datetime:
        return validity.deadline(
            SCHOOL.model_copy(update={"answer_by": Sourced(value=day, source="assumption")}), TODAY
        )

    assert by(date(2026, 3, 28)) == datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC)
    assert by(date(2026, 3, 29)) == datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC)  # an hour was left out
    assert by(date(2026, 10, 25)) == datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC)  # an hour came twice
    assert validity.deadline(SCHOOL, date(2026, 8, 30)) == by(date(2026, 10, 25))
