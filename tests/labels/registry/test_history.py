"""Facts of their time: who moves takes nothing along, and leaves nothing that was not theirs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.errors import InvalidInput
from labels.european_label.freezing import preview
from labels.record.engine import Record, migrate, open_engine
from labels.record.migrating import upgrade
from labels.record.schema import Application, FormerSchool, FormerStaffSchool, Teacher
from labels.rules.loading import load_rules
from labels.school_label import prefilling
from tests.support.case import Case
from tests.support.moving_registry import MOVED, Registry
from tests.support.people import TODAY, populate


@pytest.fixture
def registry(record: Record, tmp_path: Path) -> Registry:
    return Registry(record, tmp_path / "registry")


def test_a_founder_who_moves_to_the_partners_country_leaves_the_project_european(registry: Registry) -> None:
    registry.imported()
    assert "european" not in registry.unmet()
    registry.change("teachers", "anna@x.example,PL-1", "anna@x.example,PT-1")
    assert registry.imported(MOVED).moved == 1
    assert "european" not in registry.unmet()
    assert registry.credited() >= {"PL-1", "PT-1"}


def test_a_founder_who_moves_abroad_makes_no_project_european_that_was_not(registry: Registry) -> None:
    registry.change("teachers", "berta@x.example,PT-1", "berta@x.example,PL-2")
    registry.imported()
    registry.change("teachers", "berta@x.example,PL-2", "berta@x.example,PT-1")
    registry.imported(MOVED)
    assert "european" in registry.unmet()
    assert registry.credited() == set()


def test_a_label_stays_with_the_school_that_its_teacher_has_left(registry: Registry) -> None:
    registry.imported()
    assert registry.credited() == {"PL-1", "PT-1"}
    registry.change("teachers", "anna@x.example,PL-1", "anna@x.example,PL-2")
    registry.imported(MOVED)
    assert registry.credited() == {"PL-1", "PT-1"}
    registry.imported(MOVED)  # the same files once more
    assert registry.credited() == {"PL-1", "PT-1"}


def test_a_school_to_which_a_member_came_while_the_project_ran_was_in_it(registry: Registry) -> None:
    registry.imported(date(2025, 9, 20))
    header, row = "language\n", ",pl\nT-2"
    registry.change("teachers", header, "language,school_since\n")
    registry.change("teachers", "anna@x.example,PL-1,2016-09-01" + row, "anna@x.example,PL-2,2016-09-01,pl,2025-02-01\nT-2")  # fmt: skip
    registry.change("teachers", ",pt\n", ",pt,\n")
    registry.files["teachers"] = registry.files["teachers"].removesuffix(",pl\n") + ",pl,\n"
    registry.imported(MOVED)
    assert registry.credited() == {"PL-1", "PL-2", "PT-1"}


@pytest.mark.parametrize(("since", "counts"), [("2025-06-30", True), ("2025-07-01", False)])
def test_a_school_to_which_a_member_came_after_the_project_was_never_in_it(
    registry: Registry, since: str, counts: bool
) -> None:
    registry.imported()
    registry.files["teachers"] = (
        "teacher,name,email,school,registered_on,language,school_since\n"
        f"T-1,Anna Lis,anna@x.example,PL-2,2016-09-01,pl,{since}\n"
    )
    registry.imported(MOVED)
    assert ("PL-2" in registry.credited()) is counts


@pytest.mark.parametrize(("joined", "counts"), [("2025-09-10", True), ("2025-09-11", False)])
def test_a_teacher_who_joined_after_the_label_brings_it_to_nobody(
    registry: Registry, joined: str, counts: bool
) -> None:
    registry.change("projects", "2025-06-30", "")
    registry.files["members"] += f"P-1,T-3,partner,{joined}\n"
    registry.imported(MOVED)
    assert ("PL-2" in registry.credited()) is counts


def test_a_school_was_involved_also_where_its_teacher_left_before_the_label(registry: Registry) -> None:
    registry.files["members"] = (
        "project,teacher,role,joined_on,left_on\n"
        "P-1,T-1,founder,2024-09-01,\nP-1,T-2,founder,2024-09-01,\nP-1,T-3,partner,2024-10-01,2025-01-31\n"
    )
    registry.imported()
    assert registry.credited() == {"PL-1", "PL-2", "PT-1"}


def test_who_left_the_project_before_its_end_is_no_member_of_it(registry: Registry) -> None:
    registry.imported()
    assert "member" not in registry.unmet("T-2")
    registry.files["members"] = (
        "project,teacher,role,joined_on,left_on\nP-1,T-2,founder,2024-09-01,2025-01-31\n"
    )
    registry.imported(MOVED)
    assert "member" in registry.unmet("T-2")
    assert {"european", "member"}.isdisjoint(registry.unmet("T-1")), "a founder who left has founded it"
    registry.change("members", "2025-01-31", "2025-06-30")
    registry.imported(MOVED)
    assert "member" not in registry.unmet("T-2"), "who was there to the end can apply"
    registry.change("members", "2025-06-30", "")
    registry.imported(MOVED)
    assert "member" not in registry.unmet("T-2")


def test_a_membership_may_say_its_school_and_is_not_rewritten_by_a_file_that_does_not(
    registry: Registry,
) -> None:
    before = registry.files["members"]
    registry.files["members"] = (
        "project,teacher,role,joined_on,school\nP-1,T-1,founder,2024-09-01,PL-2\nP-1,T-2,founder,2024-09-01,\n"
    )
    registry.imported()
    assert registry.credited() == {"PL-2", "PT-1"}
    registry.files["members"] = before
    registry.imported(MOVED)
    assert registry.credited() == {"PL-2", "PT-1"}


def test_a_membership_that_is_heard_of_late_is_of_the_school_of_its_day(registry: Registry) -> None:
    registry.imported()
    registry.change("teachers", "celina@x.example,PL-2", "celina@x.example,PT-1")
    registry.imported(MOVED)
    registry.files["members"] += "P-1,T-3,partner,2025-01-01\n"
    registry.imported(MOVED)
    assert registry.credited() == {"PL-1", "PL-2", "PT-1"}


def test_two_moves_leave_both_former_schools_known(registry: Registry) -> None:
    registry.imported(date(2025, 9, 10))
    registry.change("teachers", "anna@x.example,PL-1", "anna@x.example,PL-2")
    registry.imported(date(2025, 10, 1))
    registry.change("teachers", "anna@x.example,PL-2", "anna@x.example,PT-1")
    registry.imported(MOVED)
    with registry.record.reading() as session:
        rows = session.execute(
            sa.select(FormerSchool.until, FormerSchool.school).order_by(FormerSchool.until)
        )
        assert [tuple(row) for row in rows] == [(date(2025, 10, 1), "PL-1"), (MOVED, "PL-2")]
    assert "european" not in registry.unmet()


def test_a_move_that_is_taken_back_on_the_same_day_was_none(registry: Registry) -> None:
    registry.imported()
    registry.change("teachers", "anna@x.example,PL-1", "anna@x.example,PL-2")
    registry.imported(MOVED)
    registry.change("teachers", "anna@x.example,PL-2", "anna@x.example,PL-1")
    registry.imported(MOVED)
    with registry.record.reading() as session:
        assert session.scalars(sa.select(FormerSchool)).all() == []


def test_the_day_of_a_move_may_be_told_later(registry: Registry) -> None:
    registry.imported()
    registry.change("teachers", "anna@x.example,PL-1", "anna@x.example,PL-2")
    registry.imported(MOVED)
    registry.files["teachers"] = (
        "teacher,name,email,school,registered_on,language,school_since\n"
        "T-1,Anna Lis,anna@x.example,PL-2,2016-09-01,pl,2024-08-01\n"
    )
    assert registry.imported(MOVED).moved == 0
    with registry.record.reading() as session:
        assert session.scalars(sa.select(FormerSchool.until)).all() == [date(2024, 8, 1)]
        assert session.get_one(Teacher, "T-1").school_since == date(2024, 8, 1)
    assert registry.credited() == {"PL-2", "PT-1"}, "the project began when she was there"


def test_a_day_that_comes_before_the_last_move_is_told_and_not_taken(registry: Registry) -> None:
    registry.imported()
    registry.change("teachers", "anna@x.example,PL-1", "anna@x.example,PL-2")
    registry.imported(date(2025, 10, 1))
    registry.files["teachers"] = (
        "teacher,name,email,school,registered_on,language,school_since\n"
        "T-1,Anna Lis,anna@x.example,PT-1,2016-09-01,pl,2024-08-01\n"
    )
    [told] = registry.imported(MOVED).remarks
    assert told.where == "teachers.csv:2 · school_since"
    assert told.problem == "T-1 is in PT-1 since 2024-08-01, but came to PL-2 on 2025-10-01 only."


def test_a_school_that_a_reviewer_taught_at_is_kept_with_the_day(registry: Registry) -> None:
    registry.files["staff"] = (
        "email,name,organisation,role,language,school\nada@x.example,Ada Lis,NSS-PL,reviewer,pl,PL-1\n"
    )
    registry.imported()
    registry.change("staff", "PL-1", "PL-2")
    registry.imported(MOVED)
    with registry.record.reading() as session:
        [kept] = session.scalars(sa.select(FormerStaffSchool)).all()
        assert (kept.school, kept.until) == ("PL-1", MOVED)


def test_the_list_of_a_year_has_the_school_and_country_of_the_time_of_the_award(registry: Registry) -> None:
    registry.imported()
    registry.change("teachers", "anna@x.example,PL-1", "anna@x.example,PT-1")
    registry.imported(MOVED)
    with registry.record.reading() as session:
        found = preview(session, 2025, lambda whose: load_rules(whose, MOVED))
    assert [(one.school, one.country) for one in found.labels] == [("PL-1", "PL")]


def test_what_was_handed_in_is_judged_by_the_school_of_that_day(record: Record) -> None:
    with record.writing() as session:
        populate(session)
    case = Case(record)
    with record.writing() as session:
        session.add(FormerSchool(teacher="T-1", until=TODAY, school="S-1"))
        session.get_one(Teacher, "T-1").school = "S-2"
    assert case.conditions(), "the agency of the new school is not asked for"


def test_activities_and_projects_of_a_school_are_those_of_its_teachers_at_the_time(
    registry: Registry,
) -> None:
    registry.files["activities"] = (
        "activity,teacher,kind,title,on,confirmed\n"
        "A-1,T-1,workshop,Before,2025-05-05,true\nA-2,T-1,workshop,After,2026-03-20,true\n"
    )
    registry.imported(date(2026, 3, 20))
    registry.files["teachers"] = (
        "teacher,name,email,school,registered_on,language,school_since\n"
        "T-1,Anna Lis,anna@x.example,PL-2,2016-09-01,pl,2026-03-16\n"
    )
    registry.imported(date(2026, 3, 21))

    def filled(school: str) -> tuple[list[str], list[str]]:
        with registry.record.reading() as session:
            own = Application(school=school)
            since = date(2024, 3, 16)
            return (
                [one["id"] for one in prefilling._projects(session, own, since)],
                [one["id"] for one in prefilling._activities(session, own, since, prefilling.LEARNING)],
            )

    assert filled("PL-1") == (["P-1"], ["A-1"])
    assert filled("PL-2") == ([], ["A-2"])


SUCCESSOR = "PL-9,Zespół Szkół,PL,NSS-PL,Łódź,2026-02-01,Ewa Nowak,ewa@s1.example"


def reopened(registry: Registry) -> None:
    """PL-1 is closed, and goes on as PL-9 with its teacher."""
    header = "principal_email\n"
    registry.change("schools", header, "principal_email,succeeds\n")
    registry.files["schools"] = (
        registry.files["schools"].replace(".example\n", ".example,\n") + f"{SUCCESSOR},PL-1\n"
    )
    registry.change("teachers", "anna@x.example,PL-1", "anna@x.example,PL-9")


def test_what_a_school_earned_counts_for_the_one_that_goes_on_from_it(registry: Registry) -> None:
    registry.files["awards"] += "school,,,PL-1,CSS,2025-05-01,\n"
    registry.imported()
    reopened(registry)
    registry.imported(MOVED)
    assert "PL-9" in registry.credited()
    [found] = registry.checked("PL-9")
    assert found.conditions["registered"].met, "it is registered since the former one was"
    assert found.holds == registry.checked("PL-1")[0].holds is not None


def test_what_a_school_earned_counts_by_way_of_several_numbers(registry: Registry) -> None:
    registry.imported()
    reopened(registry)
    registry.imported(MOVED)
    registry.files["schools"] += SUCCESSOR.replace("PL-9", "PL-10") + ",PL-9\n"
    registry.change("teachers", "anna@x.example,PL-9", "anna@x.example,PL-10")
    registry.imported(MOVED)
    assert {"PL-1", "PL-9", "PL-10"} <= registry.credited()


def test_a_school_that_goes_on_from_nobody_inherits_nothing(registry: Registry) -> None:
    registry.imported()
    registry.files["schools"] += f"{SUCCESSOR}\n"
    registry.change("teachers", "anna@x.example,PL-1", "anna@x.example,PL-9")
    registry.imported(MOVED)
    assert "PL-9" not in registry.credited()
    [found] = registry.checked("PL-9")
    assert not found.conditions["registered"].met


@pytest.mark.parametrize("filled", [False, True], ids=["into an empty record", "into a filled record"])
def test_schools_that_go_on_from_each_other_are_a_fault(registry: Registry, filled: bool) -> None:
    if filled:
        registry.imported()
    reopened(registry)
    registry.change("schools", "ewa@s1.example,\n", "ewa@s1.example,PL-9\n")
    with pytest.raises(InvalidInput) as refused:
        registry.imported(MOVED)
    assert {fault.where for fault in refused.value.faults} == {
        "schools.csv:2 · succeeds",
        "schools.csv:5 · succeeds",
    }
    registry.change("schools", "ewa@s1.example,PL-9\n", "ewa@s1.example,PL-1\n")
    with pytest.raises(InvalidInput, match="it can't have followed upon itself"):
        registry.imported(MOVED)


@pytest.mark.slow
def test_of_a_record_made_before_todays_rows_are_the_facts_until_somebody_moves(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'record.db'}"
    engine = open_engine(url)
    upgrade(engine, "0024")
    with engine.begin() as connection:
        for statement in _BEFORE:
            connection.execute(sa.text(statement))
    engine.dispose()
    migrate(url)
    record = Record(open_engine(url))
    registry = Registry(record, tmp_path / "registry")
    registry.change("teachers", "anna@x.example,PL-1", "anna@x.example,PT-1")
    assert registry.imported(MOVED).moved == 1
    assert "european" not in registry.unmet()
    assert registry.credited() == {"PL-1", "PT-1"}
    with record.reading() as session:
        assert session.execute(sa.text("PRAGMA foreign_key_check")).all() == []
    record.engine.dispose()


_BEFORE = [
    "INSERT INTO person VALUES ('PER-O-NSS-PL', 'Biuro', 'nss@pl.example', 'pl'), ('PER-T-T-1', 'Anna Lis', 'anna@x.example', 'pl'),"
    " ('PER-T-T-2', 'Berta Sá', 'berta@x.example', 'pt'), ('PER-S-PL-1', 'Ewa Nowak', 'ewa@s1.example', 'pl'),"
    " ('PER-S-PT-1', 'Rui Sá', 'rui@s3.example', 'pt')",
    "INSERT INTO organisation VALUES ('NSS-PL', 'PL', 'NSS', 'Biuro', 'nss@pl.example', 'pl', 'PER-O-NSS-PL')",
    "INSERT INTO school VALUES"
    " ('PL-1', 'Szkoła 1', 'PL', 'NSS-PL', 'Łódź', '2015-01-08', 'Ewa Nowak', 'ewa@s1.example', 'PER-S-PL-1'),"
    " ('PT-1', 'Escola 1', 'PT', 'NSS-PL', 'Porto', '2015-01-08', 'Rui Sá', 'rui@s3.example', 'PER-S-PT-1')",
    "INSERT INTO teacher VALUES ('T-1', 'Anna Lis', 'anna@x.example', 'PL-1', '2016-09-01', 'pl', 'PER-T-T-1'),"
    " ('T-2', 'Berta Sá', 'berta@x.example', 'PT-1', '2016-09-01', 'pt', 'PER-T-T-2')",
    "INSERT INTO project VALUES ('P-1', 'Rivers', '2024-09-01', '2025-06-30')",
    "INSERT INTO member VALUES ('P-1', 'T-1', 'founder', '2024-09-01'), ('P-1', 'T-2', 'founder', '2024-09-01')",
    "INSERT INTO award (id, label, teacher, project, organisation, awarded_on)"
    " VALUES ('NQL-OLD', 'national', 'T-1', 'P-1', 'NSS-PL', '2025-09-10')",
]
"""A registry as it was kept when only today's school of a teacher was known."""
