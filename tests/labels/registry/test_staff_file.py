"""The staff's file: an organisation's own ids, who left, who is back, and who changed places."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from labels.people.persons import behind, former_addresses, person
from labels.people.staff import OPERATOR
from labels.record.engine import Record
from labels.record.schema import FormerStaff, FormerStaffSchool, Person, Staff
from labels.registry.importing import ImportReport, import_registry
from tests.support.small_registry import TODAY, faults_of, write

HEADER = "email,name,organisation,role,language,school,staff,left_on\n"
ADA = "ada@x.example,Ada Lis,NSS-PL,reviewer,pl,,17,\n"
JAN = "jan@x.example,Jan Kos,NSS-PL,reviewer,pl,,18,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "r"


def imported(record: Record, folder: Path, *rows: str, header: str = HEADER) -> ImportReport:
    return import_registry(record, write(folder, staff=header + "".join(rows)), TODAY)


def persons(record: Record) -> dict[str, str]:
    with record.reading() as session:
        return {row.email: row.person for row in session.scalars(sa.select(Staff))}


def test_an_id_is_the_same_person_whatever_name_and_address_are_corrected(
    record: Record, folder: Path
) -> None:
    imported(record, folder, ADA, JAN)
    before = persons(record)
    report = imported(record, folder, "nowak@new.example,Ada Nowak,NSS-PL,reviewer,pl,,17,\n", JAN)
    [told] = report.corrections
    assert (told.person, told.because) == (
        before["ada@x.example"],
        "staff.csv · same id, 17 · reviewer of NSS-PL",
    )
    assert persons(record) == {
        "nowak@new.example": before["ada@x.example"],
        "jan@x.example": before["jan@x.example"],
    }
    with record.reading() as session:
        ada = person(session, told.person)
        assert (ada.name, former_addresses(session, ada.id)) == ("Ada Nowak", ["ada@x.example"])
    assert not report.no_longer_named


def test_two_who_change_places_stay_who_they_are(record: Record, folder: Path) -> None:
    imported(record, folder, ADA, JAN)
    before = persons(record)
    imported(
        record,
        folder,
        "jan@x.example,Ada Lis,NSS-PL,reviewer,pl,,17,\n",
        "ada@x.example,Jan Kos,NSS-PL,reviewer,pl,,18,\n",
    )
    assert persons(record) == {
        "jan@x.example": before["ada@x.example"],
        "ada@x.example": before["jan@x.example"],
    }


def test_who_gets_the_address_of_somebody_else_is_not_them(record: Record, folder: Path) -> None:
    imported(record, folder, ADA)
    before = persons(record)
    report = imported(record, folder, "ada@x.example,Ewa Sowa,NSS-PL,reviewer,pl,,19,\n")
    assert persons(record)["ada@x.example"] != before["ada@x.example"]
    assert [(one.person, one.left_on) for one in report.left] == [(before["ada@x.example"], TODAY)]


def test_an_id_joins_two_roles_with_two_addresses(record: Record, folder: Path) -> None:
    imported(record, folder, ADA, "office@x.example,Ada Lis,NSS-PL,coordinator,pl,,17,\n")
    assert len(set(persons(record).values())) == 1


def test_two_ids_with_one_name_and_address_are_two_people(record: Record, folder: Path) -> None:
    """The organisation says that they are two; whether they are is told as doubtful, and decided by nobody here."""
    imported(record, folder, ADA, "ada@x.example,Ada Lis,NSS-PL,coordinator,pl,,27,\n")
    with record.reading() as session:
        assert len(behind(session, "ada@x.example")) == 2


def test_one_id_twice_in_a_role_is_a_fault(record: Record, folder: Path) -> None:
    imported(record, folder, ADA)
    both = HEADER + ADA + "lis@x.example,Ada Lis,NSS-PL,reviewer,pl,,17,\n"
    assert faults_of(record, write(folder, staff=both)) == {
        "staff.csv:3 · staff": "“17” stands on line 2 already, in the same role."
    }


def test_an_id_stays_where_a_later_file_does_not_say_it(record: Record, folder: Path) -> None:
    imported(record, folder, ADA, JAN)
    imported(record, folder, ADA.replace(",17,", ",,"), JAN)
    bare = HEADER.replace(",staff,left_on", "")
    imported(record, folder, ADA.replace(",17,\n", "\n"), header=bare)
    with record.reading() as session:
        assert session.get_one(Staff, ("ada@x.example", "reviewer")).id == "17"


def test_who_left_by_the_file_is_on_the_staff_no_longer_and_told_of_once(
    record: Record, folder: Path
) -> None:
    imported(record, folder, ADA, JAN)
    gone = ADA.replace(",17,", ",17,2026-03-01")
    report = imported(record, folder, gone, JAN)
    assert [(one.name, one.known) for one in report.left] == [("Ada Lis", True)]
    assert list(persons(record)) == ["jan@x.example"]
    assert not imported(record, folder, gone, JAN).left
    with record.reading() as session:
        assert session.scalars(sa.select(FormerStaff.left_on)).one().isoformat() == "2026-03-01"
        assert session.scalar(sa.select(sa.func.count()).where(Person.name == "Ada Lis")) == 1


def test_who_left_before_the_record_began_is_told_nothing(record: Record, folder: Path) -> None:
    [left] = imported(record, folder, ADA.replace(",17,", ",17,2026-03-01"), JAN).left
    assert not left.known


def test_who_leaves_later_stays_until_then(record: Record, folder: Path) -> None:
    later = ADA.replace(",17,", f",17,{TODAY + timedelta(days=9)}")
    assert not imported(record, folder, later, JAN).left
    assert set(persons(record)) == {"ada@x.example", "jan@x.example"}
    with record.reading() as session:
        assert session.get_one(Staff, ("ada@x.example", "reviewer")).left_on == TODAY + timedelta(days=9)


@pytest.mark.parametrize("row", [ADA, "lis@new.example,Ada Sowa,NSS-PL,reviewer,pl,,17,\n"])
def test_who_is_back_by_the_file_is_the_same_person(record: Record, folder: Path, row: str) -> None:
    imported(record, folder, ADA, JAN)
    before = persons(record)["ada@x.example"]
    imported(record, folder, ADA.replace(",17,", ",17,2026-03-01"), JAN)
    report = imported(record, folder, row, JAN)
    assert [one.role for one in report.returned] == ["reviewer"]
    assert before in persons(record).values()
    with record.reading() as session:
        assert session.scalars(sa.select(FormerStaff)).all() == []


def test_who_is_back_in_another_school_was_in_the_former_one_until_they_left(
    record: Record, folder: Path
) -> None:
    ada = ADA.replace(",pl,,17,", ",pl,S-1,17,")
    imported(record, folder, ada, JAN)
    imported(record, folder, ada.replace(",17,", ",17,2026-03-01"), JAN)
    imported(record, folder, ada.replace("S-1", "S-2"), JAN)
    with record.reading() as session:
        [kept] = session.scalars(sa.select(FormerStaffSchool)).all()
        assert (kept.school, kept.until.isoformat()) == ("S-1", "2026-03-01")
        assert session.get_one(Staff, ("ada@x.example", "reviewer")).school == "S-2"


def test_who_is_back_in_the_same_school_left_none(record: Record, folder: Path) -> None:
    ada = ADA.replace(",pl,,17,", ",pl,S-1,17,")
    imported(record, folder, ada, JAN)
    imported(record, folder, ada.replace(",17,", ",17,2026-03-01"), JAN)
    imported(record, folder, ada, JAN)
    with record.reading() as session:
        assert session.scalars(sa.select(FormerStaffSchool)).all() == []


def test_a_file_without_the_column_brings_nobody_back(record: Record, folder: Path) -> None:
    imported(record, folder, ADA, JAN)
    imported(record, folder, ADA.replace(",17,", ",17,2026-03-01"), JAN)
    bare = HEADER.replace(",staff,left_on", "")
    rows = (one.rpartition(",1")[0] + "\n" for one in (ADA, JAN))
    report = imported(record, folder, *rows, header=bare)
    assert [one.name for one in report.still_named] == ["Ada Lis"]
    assert list(persons(record)) == ["jan@x.example"]


def test_who_is_back_by_a_file_that_says_less_is_known_as_before(record: Record, folder: Path) -> None:
    whole = HEADER.replace("staff,", "staff,languages,subjects,ages,away_from,away_until,")
    imported(record, folder, ADA.replace(",17,", ",17,en,Art,6-11,2026-04-01,2026-04-10,"), header=whole)
    imported(record, folder, ADA.replace(",17,", ",17,2026-03-01"), JAN)
    assert list(persons(record)) == ["jan@x.example"]
    imported(record, folder, ADA.replace(",17,", ",,"), JAN)
    with record.reading() as session:
        ada = session.get_one(Staff, ("ada@x.example", "reviewer"))
        known = (ada.id, ada.languages, ada.subjects, ada.ages, str(ada.away_from), str(ada.away_until))
    assert known == ("17", "en", "Art", "6-11", "2026-04-01", "2026-04-10")


def test_what_was_said_by_hand_no_file_takes_back(record: Record, folder: Path) -> None:
    imported(record, folder, ADA, JAN)
    later = TODAY + timedelta(days=9)
    with record.writing() as session:
        row = session.get_one(Staff, ("ada@x.example", "reviewer"))
        row.left_on, row.left_by = later, OPERATOR
    imported(record, folder, ADA, JAN)
    with record.reading() as session:
        row = session.get_one(Staff, ("ada@x.example", "reviewer"))
        assert (row.left_on, row.left_by) == (later, OPERATOR)
    with record.writing() as session:
        session.get_one(Staff, ("ada@x.example", "reviewer")).left_on = TODAY
    imported(record, folder, JAN)
    report = imported(record, folder, ADA, JAN)
    assert [one.name for one in report.still_named] == ["Ada Lis"]
    assert list(persons(record)) == ["jan@x.example"]


CAN = "email,name,organisation,role,language,school,languages,subjects,ages\n"


def test_what_reviewers_read_and_teach_stays_until_a_file_says_otherwise(
    record: Record, folder: Path
) -> None:
    row = "ada@x.example,Ada Lis,NSS-PL,reviewer,pl,,uk; EN,Biology ;Art,6-11; 12 – 15\n"
    imported(record, folder, row, header=CAN)
    imported(record, folder, ADA)
    with record.reading() as session:
        ada = session.get_one(Staff, ("ada@x.example", "reviewer"))
        assert (ada.languages, ada.subjects, ada.ages) == ("uk;en", "Biology;Art", "6-11;12-15")
    imported(record, folder, "ada@x.example,Ada Lis,NSS-PL,reviewer,pl,,,,\n", header=CAN)
    with record.reading() as session:
        ada = session.get_one(Staff, ("ada@x.example", "reviewer"))
        assert (ada.languages, ada.subjects, ada.ages) == (None, None, None)


def test_what_is_no_language_subject_or_age_is_named(record: Record, folder: Path) -> None:
    rows = "".join(
        f"r{n}@x.example,R {n},NSS-PL,reviewer,pl,,{can}\n"
        for n, can in enumerate(("pl;Polish language,,", ",,15-6", ",,6 to 11"))
    )
    faults = faults_of(record, write(folder, staff=CAN + rows))
    assert list(faults) == [
        "staff.csv:2 · languages", "staff.csv:3 · ages", "staff.csv:4 · ages",
    ]  # fmt: skip
