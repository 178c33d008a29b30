"""Who the people in the registry's files are: what is corrected, who is new, and who is one person."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.people.persons import Capacity, Held, addresses, behind, former_addresses, person, roles
from labels.record.engine import Record
from labels.record.schema import Address, Organisation, Person, School, Staff, Teacher
from labels.registry.importing import ImportReport, import_registry
from tests.support.small_registry import SOUND, TODAY, changed, write

STAFF = SOUND["staff.csv"]


def imported(record: Record, folder: Path, **files: str | None) -> ImportReport:
    return import_registry(record, write(folder, **files), TODAY)


def people(record: Record) -> int:
    with record.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Person)) or 0


def of_staff(session: Session, email: str) -> Person:
    found = session.scalars(sa.select(Staff.person).where(Staff.email == email)).all()
    assert len(set(found)) == 1
    return person(session, found[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "r"


def test_everybody_whom_the_registry_names_is_one_person(record: Record, folder: Path) -> None:
    imported(record, folder)
    with record.reading() as session:
        (ada,) = behind(session, "ADA@x.example ")
        assert (ada.name, ada.address, ada.language) == ("Ada Lis", "ada@x.example", "pl")
        assert roles(session, ada.id) == [
            Held(Capacity.COORDINATOR, "NSS-PL"),
            Held(Capacity.REVIEWER, "NSS-PL"),
        ]
        (teacher,) = behind(session, "eleni@s1.example")
        assert roles(session, teacher.id) == [Held(Capacity.TEACHER, "S-1", "T-1")]
        (principal,) = behind(session, "ewa@s1.example")
        assert (principal.name, principal.language) == ("Ewa Nowak", "pl")
        assert roles(session, principal.id) == [Held(Capacity.PRINCIPAL, "S-1")]
        (mailbox,) = behind(session, "nss@pl.example")
        assert roles(session, mailbox.id) == [Held(Capacity.ORGANISATION, "NSS-PL")]
    assert people(record) == 2 + 2 + 2 + 1
    imported(record, folder)
    assert people(record) == 7


def test_a_teacher_s_corrected_address_changes_the_person(record: Record, folder: Path) -> None:
    imported(record, folder)
    report = imported(record, folder, teachers=changed("teachers", "eleni@s1.example", "eleni@new.example"))
    (told,) = report.corrections
    assert (told.former, told.address, told.because) == (
        "eleni@s1.example",
        "eleni@new.example",
        "teachers.csv · T-1",
    )
    with record.reading() as session:
        (eleni,) = behind(session, "eleni@new.example")
        assert eleni.id == told.person == session.get_one(Teacher, "T-1").person
        assert former_addresses(session, eleni.id) == ["eleni@s1.example"]
        assert behind(session, "eleni@s1.example") == []
    assert people(record) == 7


def test_an_address_that_is_put_back_is_the_present_one_again(record: Record, folder: Path) -> None:
    imported(record, folder)
    imported(record, folder, teachers=changed("teachers", "eleni@s1.example", "eleni@new.example"))
    imported(record, folder)
    with record.reading() as session:
        (eleni,) = behind(session, "eleni@s1.example")
        assert addresses(session, eleni.id) == ["eleni@s1.example"]
        assert former_addresses(session, eleni.id) == ["eleni@new.example"]


def test_a_teacher_s_new_name_and_language_are_the_person_s(record: Record, folder: Path) -> None:
    imported(record, folder)
    imported(
        record, folder, teachers=changed("teachers", "Олена Шевченко", "Олена Бойко").replace(",uk", ",pl")
    )
    with record.reading() as session:
        (olena,) = behind(session, "olena@s2.example")
        assert (olena.name, olena.language) == ("Олена Бойко", "pl")


def test_a_corrected_address_of_staff_makes_no_second_person(record: Record, folder: Path) -> None:
    imported(record, folder)
    with record.reading() as session:
        before = of_staff(session, "ada@x.example").id
    report = imported(record, folder, staff=STAFF.replace("ada@x.example", "ada@new.example"))
    (told,) = report.corrections
    assert told.person == before
    assert told.because.startswith("staff.csv · same name, organisation and role")
    with record.reading() as session:
        assert session.scalars(sa.select(Staff.email)).all() == ["ada@new.example"] * 2
        assert of_staff(session, "ada@new.example").id == before
    assert people(record) == 7


def test_nobody_becomes_one_of_a_staff_who_reads_mail_elsewhere_too(record: Record, folder: Path) -> None:
    imported(record, folder)
    with record.writing() as session:
        session.add(Person(id="PER-TWO", name="Iga Wit", address="iga@x.example", language="pl"))
        session.flush()
        session.add(Address(person="PER-TWO", address="other@x.example", since=TODAY, until=None))
    imported(record, folder, staff=STAFF + "iga@x.example,Iga Wit,NSS-PL,coordinator,pl,\n")
    with record.reading() as session:
        assert of_staff(session, "iga@x.example").id != "PER-TWO"


def test_who_is_no_longer_in_the_file_is_named_and_stays(record: Record, folder: Path) -> None:
    assert not imported(record, folder).no_longer_named
    without = STAFF.replace("ada@x.example,Ada Lis,NSS-PL,coordinator,pl,\n", "")
    [gone] = imported(record, folder, staff=without).no_longer_named
    assert (gone.name, gone.role, gone.organisation) == ("Ada Lis", "coordinator", "NSS-PL")
    with record.reading() as session:
        assert len(session.scalars(sa.select(Staff.email)).all()) == 2
    moved = STAFF.replace("ada@x.example", "ada@new.example")
    assert not imported(record, folder, staff=moved).no_longer_named, "who was corrected is not gone"


def test_seven_corrected_addresses_are_still_seven_people(record: Record, folder: Path) -> None:
    row = "r{n}@{host}.example,Reviewer {letter},NSS-PL,reviewer,pl,\n"

    def staff(host: str) -> str:
        rows = (row.format(n=n, host=host, letter=letter) for n, letter in enumerate("ABCDEFG"))
        return "email,name,organisation,role,language,school\n" + "".join(rows)

    imported(record, folder, staff=staff("old"))
    before = people(record)
    assert len(imported(record, folder, staff=staff("new")).corrections) == 7
    assert people(record) == before
    with record.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Staff)) == 7


def test_a_second_row_beside_the_first_is_another_person(record: Record, folder: Path) -> None:
    """Nobody's row is gone, so nothing says that one is the other's correction."""
    imported(record, folder)
    twin = STAFF + "lis@new.example,Ada Lis,NSS-PL,reviewer,pl,\n"
    assert not imported(record, folder, staff=twin).corrections
    with record.reading() as session:
        assert of_staff(session, "lis@new.example").id != of_staff(session, "ada@x.example").id


def test_of_two_namesakes_neither_is_taken_for_the_other(record: Record, folder: Path) -> None:
    both = "email,name,organisation,role,language,school\n{}@x.example,Jan Kos,NSS-PL,reviewer,pl,\n{}@x.example,Jan Kos,NSS-PL,reviewer,pl,\n"
    imported(record, folder, staff=both.format("a", "b"))
    report = imported(record, folder, staff=both.format("c", "d"))
    assert not report.corrections


def test_who_takes_an_address_over_is_not_its_former_owner(record: Record, folder: Path) -> None:
    imported(record, folder)
    moved = STAFF.replace("ada@x.example", "ada@new.example")
    imported(record, folder, staff=moved)
    imported(record, folder, staff=moved + "ada@x.example,Ada Lis,NSS-PL,reviewer,pl,\n")
    with record.reading() as session:
        assert of_staff(session, "ada@x.example").id != of_staff(session, "ada@new.example").id


def test_a_teacher_on_the_staff_with_one_address_is_one_person(record: Record, folder: Path) -> None:
    teaches = STAFF + "olena@s2.example,Олена Шевченко,NSS-PL,reviewer,uk,S-2\n"
    imported(record, folder, staff=teaches)
    with record.reading() as session:
        (olena,) = behind(session, "olena@s2.example")
        assert {held.capacity for held in roles(session, olena.id)} == {Capacity.TEACHER, Capacity.REVIEWER}


@pytest.mark.parametrize("first", ["staff", "teachers"])
def test_it_does_not_matter_which_file_named_a_person_first(record: Record, folder: Path, first: str) -> None:
    teaches = STAFF + "olena@s2.example,Олена Шевченко,NSS-PL,reviewer,uk,S-2\n"
    others = {"members": None, "activities": None, "awards": None}
    if first == "staff":
        imported(record, folder, staff=teaches, teachers=None, **others)
    else:
        imported(record, folder, staff=None)
    imported(record, folder, staff=teaches)
    with record.reading() as session:
        (olena,) = behind(session, "olena@s2.example")
        assert {held.capacity for held in roles(session, olena.id)} == {Capacity.TEACHER, Capacity.REVIEWER}


def test_two_people_may_share_a_mailbox(record: Record, folder: Path) -> None:
    imported(record, folder, teachers=changed("teachers", "olena@s2.example", "eleni@s1.example"))
    with record.reading() as session:
        assert [(one.name, one.language) for one in behind(session, "eleni@s1.example")] == [
            ("Ελένη Ζέρβα", "el"),
            ("Олена Шевченко", "uk"),
        ]


def test_two_teachers_are_two_people_whatever_they_share(record: Record, folder: Path) -> None:
    twin = SOUND["teachers.csv"] + "T-3,Ελένη Ζέρβα,eleni@s1.example,S-1,2026-01-09,el\n"
    staff = STAFF + "eleni@s1.example,Ελένη Ζέρβα,NSS-PL,reviewer,el,\n"
    imported(record, folder, teachers=twin, staff=staff)
    with record.reading() as session:
        assert len(behind(session, "eleni@s1.example")) == 3


def test_another_principal_is_another_person(record: Record, folder: Path) -> None:
    imported(record, folder)
    with record.reading() as session:
        before = session.get_one(School, "S-1").principal
    imported(
        record, folder, schools=changed("schools", "Ewa Nowak,ewa@s1.example", "Jan Wilk,jan@s1.example")
    )
    with record.reading() as session:
        after = person(session, session.get_one(School, "S-1").principal)
        assert (after.name, after.address) == ("Jan Wilk", "jan@s1.example")
        assert person(session, before).name == "Ewa Nowak"
        assert roles(session, before) == []


def test_a_principal_s_corrected_address_changes_the_person(record: Record, folder: Path) -> None:
    imported(record, folder)
    report = imported(record, folder, schools=changed("schools", "ewa@s1.example", "ewa@szkola.example"))
    assert [(one.former, one.address) for one in report.corrections] == [
        ("ewa@s1.example", "ewa@szkola.example")
    ]


def test_a_principal_who_teaches_there_is_one_person(record: Record, folder: Path) -> None:
    imported(
        record, folder, schools=changed("schools", "Ewa Nowak,ewa@s1.example", "Ελένη Ζέρβα,eleni@s1.example")
    )
    with record.reading() as session:
        assert session.get_one(School, "S-1").principal == session.get_one(Teacher, "T-1").person


def test_an_organisation_s_mailbox_moves(record: Record, folder: Path) -> None:
    imported(record, folder)
    imported(record, folder, organisations=changed("organisations", "nss@pl.example", "biuro@pl.example"))
    with record.reading() as session:
        (mailbox,) = behind(session, "biuro@pl.example")
        assert session.get_one(Organisation, "NSS-PL").person == mailbox.id


def test_an_address_of_another_row_is_a_second_one(record: Record, folder: Path) -> None:
    """Mail goes where her staff's row says; what the teachers' row says is hers too."""
    teaches = STAFF + "olena@s2.example,Олена Шевченко,NSS-PL,reviewer,uk,S-2\n"
    imported(record, folder, staff=teaches)
    moved = teaches.replace("olena@s2.example", "olena@nss.example")
    imported(record, folder, staff=moved)
    imported(record, folder, staff=moved, teachers=changed("teachers", "olena@s2.example", "o@s2.example"))
    with record.reading() as session:
        (olena,) = behind(session, "olena@nss.example")
        assert addresses(session, olena.id) == ["olena@nss.example", "o@s2.example"]
        assert behind(session, "o@s2.example") == [olena]
        assert former_addresses(session, olena.id) == ["olena@s2.example"]
