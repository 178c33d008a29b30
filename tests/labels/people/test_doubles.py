"""Who may be one person: one name at a school or on a staff, one mailbox; and who was said to be different."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from labels.people.doubles import Because, doubtful
from labels.people.likeness import Likeness, likeness, sketch
from labels.record.engine import Record
from labels.record.schema import DifferentPersons
from labels.registry.importing import import_registry
from tests.support.people import NOW
from tests.support.small_registry import SOUND, TODAY, write

STAFF = "email,name,organisation,role,language,school\n"


def groups(record: Record, folder: Path, **files: str) -> list[tuple[Because, list[str]]]:
    import_registry(record, write(folder, **files), TODAY)
    with record.reading() as session:
        return [(one.because, [each.name for each in one.people]) for one in doubtful(session).groups]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "r"


def test_in_a_sound_registry_nobody_looks_like_somebody_else(record: Record, folder: Path) -> None:
    assert groups(record, folder) == []


def test_two_ids_of_a_teacher_with_one_name_at_one_school(record: Record, folder: Path) -> None:
    twin = SOUND["teachers.csv"] + "T-3,Eleni Zerva,zerva@gmail.example,S-1,2026-01-09,el\n"
    assert groups(record, folder, teachers=twin) == [(Because.SCHOOL, ["Ελένη Ζέρβα", "Eleni Zerva"])]


def test_two_addresses_of_one_name_on_one_staff(record: Record, folder: Path) -> None:
    twins = STAFF + (
        "maria.lis@old.example,Maria Lis,NSS-PL,reviewer,pl,\nmaria.lis@new.example,Lis Maria,NSS-PL,reviewer,pl,\n"
    )
    [(because, names)] = groups(record, folder, staff=twins)
    assert (because, sorted(names)) == (Because.STAFF, ["Lis Maria", "Maria Lis"])


def test_a_teacher_and_the_principal_of_one_name(record: Record, folder: Path) -> None:
    schools = SOUND["schools.csv"].replace("Ewa Nowak,ewa@s1.example", "Ελένη Ζέρβα,dyrekcja@s1.example")
    assert [because for because, _ in groups(record, folder, schools=schools)] == [Because.SCHOOL]


@pytest.mark.parametrize("address", ["eleni@s1.example", "eleni+labels@s1.example"])
def test_one_mailbox_with_or_without_a_tag(record: Record, folder: Path, address: str) -> None:
    shared = SOUND["teachers.csv"].replace("olena@s2.example", address)
    assert groups(record, folder, teachers=shared) == [(Because.MAILBOX, ["Ελένη Ζέρβα", "Олена Шевченко"])]


def test_an_organisation_s_mailbox_is_nobody_s_double(record: Record, folder: Path) -> None:
    own = STAFF + "nss@pl.example,Ada Lis,NSS-PL,coordinator,pl,\n"
    assert groups(record, folder, staff=own) == []


def test_who_was_said_to_be_different_is_not_told_again(record: Record, folder: Path) -> None:
    twin = SOUND["teachers.csv"] + "T-3,Eleni Zerva,zerva@gmail.example,S-1,2026-01-09,el\n"
    groups(record, folder, teachers=twin)
    with record.writing() as session:
        session.add(
            DifferentPersons(
                one="PER-T-T-1", other="PER-T-T-3", said_by="PER-T-T-1", said_at=NOW, reason="Sisters."
            )
        )
    with record.reading() as session:
        assert doubtful(session).groups == ()


def test_names_that_are_the_same_have_one_sketch() -> None:
    ways = (
        ("Łukasz Źdźbło", "Lukasz Zdzblo", "ZDZBLO Lukasz"),
        ("Søren Ørsted", "Soren Orsted", "Soeren Oersted"),
        ("Anna Müller", "Anna Mueller", "Müller, Anna", "Dr. Anna Muller"),
        ("Ruairí O’Donnell", "Ruairi ODonnell", "O Donnell Ruairi"),
        ("Đorđe Šćepanović", "Dorde Scepanovic", "Djordje Scepanovic"),
        ("Γιώργος Παπαδόπουλος", "ΠΑΠΑΔΟΠΟΥΛΟΣ ΓΙΩΡΓΟΣ"),
        ("Олена Шевченко", "ШЕВЧЕНКО Олена"),
    )
    for one, other in itertools.chain.from_iterable(itertools.combinations(names, 2) for names in ways):
        if likeness(one, other) is Likeness.SAME:
            assert sketch(one) == sketch(other), (one, other)
    assert all(likeness(*names[:2]) is Likeness.SAME for names in ways)
