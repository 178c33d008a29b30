"""What files say against each other or against what was is told; what was stays."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.errors import InvalidInput
from labels.record.engine import Record
from labels.record.schema import Award, Member
from tests.support.moving_registry import MOVED, Registry


@pytest.fixture
def registry(record: Record, tmp_path: Path) -> Registry:
    return Registry(record, tmp_path / "registry")


def told(registry: Registry, on: date = MOVED) -> dict[str, str]:
    """What an import says that looks wrong, by where."""
    remarks = registry.imported(on).remarks
    assert all(one.remedy for one in remarks)
    return {one.where: one.problem for one in remarks}


def school_of_the_award(registry: Registry) -> str | None:
    with registry.record.reading() as session:
        return session.scalars(sa.select(Award.school)).one()


def test_a_sound_registry_has_nothing_to_tell(registry: Registry) -> None:
    assert told(registry) == {}
    assert told(registry) == {}


@pytest.mark.parametrize("filled", [False, True], ids=["into an empty record", "into a filled record"])
def test_a_label_of_somebody_who_is_no_member_of_the_project_is_a_fault(
    registry: Registry, filled: bool
) -> None:
    if filled:
        registry.imported()
    registry.change("awards", "national,T-1,P-1,,NSS-PL", "national,T-3,P-1,,NSS-PL")
    with pytest.raises(InvalidInput) as refused:
        registry.imported()
    [fault] = refused.value.faults
    assert fault.where == "awards.csv:2 · teacher"
    assert fault.problem == "“T-3” is no member of “P-1”, neither in the files nor in the record."
    assert fault.remedy == "Correct it, or add the membership to members.csv."


def test_a_membership_that_the_record_has_is_enough_for_a_label(registry: Registry) -> None:
    registry.imported()
    del registry.files["members"]
    (registry.folder / "members.csv").unlink()
    registry.imported()


def test_a_file_that_knows_todays_school_only_does_not_take_a_label_from_where_it_was_won(
    registry: Registry,
) -> None:
    registry.change("awards", "P-1,,NSS-PL", "P-1,PL-1,NSS-PL")
    registry.imported()
    registry.change("awards", "P-1,PL-1,NSS-PL", "P-1,PL-2,NSS-PL")
    registry.change("teachers", "anna@x.example,PL-1", "anna@x.example,PL-2")
    found = told(registry)
    assert found == {
        "awards.csv:2 · school": "T-1 teaches at PL-2 now, and was at PL-1 on 2025-09-10: that is kept."
    }
    assert school_of_the_award(registry) == "PL-1"


def test_a_labels_school_that_was_wrong_is_put_right(registry: Registry) -> None:
    registry.change("awards", "P-1,,NSS-PL", "P-1,PL-2,NSS-PL")
    registry.imported()
    registry.change("awards", "P-1,PL-2,NSS-PL", "P-1,PL-1,NSS-PL")
    assert told(registry) == {}
    assert school_of_the_award(registry) == "PL-1"
    registry.change("awards", "P-1,PL-1,NSS-PL", "P-1,,NSS-PL")
    assert told(registry) == {}
    assert school_of_the_award(registry) == "PL-1", "a file that says nothing of it takes nothing out"


def test_a_file_that_knows_todays_school_only_does_not_rewrite_a_membership(registry: Registry) -> None:
    members = "project,teacher,role,joined_on,school\nP-1,T-1,founder,2024-09-01,{}\nP-1,T-2,founder,2024-09-01,PT-1\n"
    registry.files["members"] = members.format("PL-1")
    registry.imported()
    registry.files["members"] = members.format("PT-1")
    registry.change("teachers", "anna@x.example,PL-1", "anna@x.example,PT-1")
    assert list(told(registry)) == ["members.csv:2 · school"]
    assert "european" not in registry.unmet()
    with registry.record.reading() as session:
        assert session.get_one(Member, ("P-1", "T-1")).school == "PL-1"


def test_a_label_from_before_its_teacher_joined_is_told(registry: Registry) -> None:
    registry.change("projects", "2025-06-30", "")
    registry.change("members", "P-1,T-1,founder,2024-09-01", "P-1,T-1,founder,2025-10-01")
    assert told(registry) == {
        "awards.csv · P-1": "the national label of T-1 is of 2025-09-10, and they joined the project on 2025-10-01 only."
    }
    del registry.files["awards"]
    (registry.folder / "awards.csv").unlink()
    assert list(told(registry)) == ["awards.csv · P-1"], "also where the file of awards is not there"


def test_a_label_of_somebody_who_left_before_the_end_is_told(registry: Registry) -> None:
    registry.files["members"] = (
        "project,teacher,role,joined_on,left_on\n"
        "P-1,T-1,founder,2024-09-01,2025-01-31\nP-1,T-2,founder,2024-09-01,2025-06-30\n"
    )
    assert told(registry) == {
        "awards.csv · P-1": "the national label of T-1 is of 2025-09-10, and they left the project on 2025-01-31, before it ended."
    }


def test_members_whom_the_file_no_longer_has_are_named_and_stay(registry: Registry) -> None:
    registry.imported()
    registry.change("members", "P-1,T-2,founder,2024-09-01\n", "")
    assert told(registry) == {
        "members.csv · P-1": "T-2 is in the record and no longer in the file; they stay a member."
    }
    assert "european" not in registry.unmet()


def test_a_school_that_was_closed_and_has_teachers_still_is_told(registry: Registry) -> None:
    registry.change("schools", "principal_email\n", "principal_email,succeeds\n")
    registry.files["schools"] = registry.files["schools"].replace(".example\n", ".example,\n")
    for number in ("PL-8", "PL-9"):
        registry.files["schools"] += (
            f"{number},Szkoła,PL,NSS-PL,Łódź,2026-02-01,Ewa Nowak,ewa@s1.example,PL-1\n"
        )
    remarks = registry.imported(MOVED).remarks
    assert [(one.where, one.problem) for one in remarks] == [
        ("schools.csv · PL-1", "it goes on as PL-8 and as PL-9: what it earned counts for both."),
        ("schools.csv · PL-1", "it goes on as PL-8; teachers who are still in it: 1."),
    ]


@pytest.mark.parametrize("filled", [False, True], ids=["into an empty record", "into a filled record"])
def test_a_school_at_the_time_of_joining_that_nobody_knows_is_told(registry: Registry, filled: bool) -> None:
    if filled:
        registry.imported()
    registry.files["teachers"] = (
        "teacher,name,email,school,registered_on,language,school_since\n"
        "T-1,Anna Lis,anna@x.example,PL-1,2016-09-01,pl,2025-01-01\n"
        "T-2,Berta Sá,berta@x.example,PT-1,2016-09-01,pt,2020-01-01\n"
        "T-3,Celina Maj,celina@x.example,PL-2,2016-09-01,pl,\n"
    )
    assert told(registry) == {
        "members.csv · P-1": "T-1 joined on 2024-09-01 and is at PL-1 since 2025-01-01; where they were then is not known, so PL-1 counts."
    }
