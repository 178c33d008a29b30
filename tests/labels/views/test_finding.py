"""Finding: any script and spelling, addresses and numbers, of one's own organisations alone."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from labels.people.searching import typed_words, words_of
from labels.record import Record
from labels.record.schema import FormerSchool, Member, Organisation, Project, School, SearchWord, Teacher
from labels.registry import search_index
from labels.views import finding
from labels.views.finding import find
from tests.support.case import Case
from tests.support.people import NOW


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Олена Гончаренко", "Honcharenko"),
        ("Олена Гончаренко", "goncharenko ol"),
        ("Olena Honcharenko", "Гончаренко"),
        ("Ελένη Παπαδοπούλου", "papadopoulou"),
        ("Ελένη Παπαδοπούλου", "papadopo"),
        ("Eleni Papadopoulou", "Παπαδοπούλου"),
        ("ليلى الخطيب", "Layla Khatib"),
        ("ليلى الخطيب", "al-khatib"),
        ("ليلى الخطيب", "خطيب"),
        ("Ruairí O’Donnell", "o'donnell"),
        ("Ruairí O’Donnell", "O Donnell Ruairi"),
        ("Ruairí O’Donnell", "donnell"),
        ("Jürgen Müller-Weiß", "Mueller"),
        ("Jürgen Müller-Weiß", "weiss muller"),
        ("Łucja Źdźbło", "lucja zdzb"),
        ("ნინო ბერიძე", "Beridze"),
        ("Անահիտ Սարգսյան", "sargsyan"),
        ("Stephan Thöm", "step"),
        ("Цветелина Йорданова", "Tsvetelina Jordanova"),
        ("İbrahim Çelik", "ibrahim celik"),
    ],
)
def test_a_name_is_found_by_any_spelling_of_its_beginnings(name: str, typed: str) -> None:
    there = {word for piece in name.split() for word in words_of(piece)}
    assert all(any(word.startswith(tuple(one)) for word in there) for one in typed_words(typed))


@pytest.mark.parametrize(
    ("name", "typed"), [("Anna Nowak", "nna"), ("Anna Nowak", "Anna Kowalska"), ("Anna", "Anne")]
)
def test_another_name_is_not(name: str, typed: str) -> None:
    there = {word for piece in name.split() for word in words_of(piece)}
    assert not all(any(word.startswith(tuple(one)) for word in there) for one in typed_words(typed))


@pytest.fixture
def filled(case: Case) -> Record:
    with case.record.writing() as session:
        search_index.fill(session.connection())
    return case.record


def ids(record: Record, words: str, *organisations: str) -> list[str]:
    with record.reading() as session:
        return [hit.id for hit in find(session, words, organisations or None).every]


def test_teachers_schools_and_projects_are_found_together(filled: Record) -> None:
    assert ids(filled, "zazolc") == ["T-1"]
    assert ids(filled, "szkola podst") == ["S-1"]
    assert ids(filled, "mosty eur") == ["P-1"]
    assert ids(filled, "mosty xyz") == []
    assert ids(filled, "   ") == []


def test_another_countrys_are_not_there(filled: Record) -> None:
    assert ids(filled, "joao") == ["T-2"] == ids(filled, "joao", "NSS-PT")
    assert ids(filled, "joao", "NSS-PL") == []
    assert ids(filled, "T-2", "NSS-PL") == []
    assert ids(filled, "escola", "NSS-PL") == []
    assert ids(filled, "mosty", "NSS-PT") == ["P-1"], "one of its members is theirs"
    assert ids(filled, "rios", "NSS-PT") == []
    assert ids(filled, "mosty", "NSS-CZ") == []


def test_an_address_finds_teacher_and_principal(filled: Record) -> None:
    assert ids(filled, "T-1@School.example") == ["T-1"]
    assert ids(filled, "t-1@sch", "NSS-PL") == ["T-1"]
    assert ids(filled, "t-1@sch", "NSS-PT") == []
    with filled.reading() as session:
        principal = session.get_one(School, "S-1").principal_email
    assert "S-1" in ids(filled, principal, "NSS-PL")


def test_a_number_finds_its_case_or_its_row(filled: Record, case: Case) -> None:
    assert ids(filled, case.id.lower()) == [case.id]
    assert ids(filled, case.id[:8], "NSS-PL") == [case.id]
    assert ids(filled, case.id, "NSS-PT") == []
    assert ids(filled, "p-1") == ["P-1"]
    [hit] = _hits(filled, "T-1")
    assert hit.cases == (case.id,)


def test_a_school_is_found_with_what_its_teachers_applied_for_there(filled: Record, case: Case) -> None:
    [hit] = _hits(filled, "S-1")
    assert hit.cases == (case.id,)
    with filled.writing() as session:
        session.get_one(Teacher, "T-1").school = "S-2"
        session.add(FormerSchool(teacher="T-1", until=NOW.date(), school="S-1"))
    assert [hit.cases for hit in _hits(filled, "S-1")] == [(case.id,)], "it stays the school's"
    assert [hit.cases for hit in _hits(filled, "S-2")] == [()], "and comes along to no other"


def _hits(record: Record, words: str) -> tuple[finding.Hit, ...]:
    with record.reading() as session:
        return find(session, words, None).every


@pytest.mark.slow
def test_of_very_many_some_are_shown_and_it_is_said(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    with record.writing() as session:
        session.add_all(
            Organisation(id=f"NSS-{c}", country=c, kind="NSS", name=c, email=f"{c}@x.example", language="en")
            for c in ("PL", "PT")
        )
        session.flush()
        for n in range(700):
            session.add(
                School(
                    id=f"S-{n}", name=f"Liceum nr {n}", country="PL", organisation="NSS-PL" if n else "NSS-PT",
                    city="Kraków" if n == 650 else "Łódź", registered_on=NOW.date(), principal_name="X",
                    principal_email=f"x{n}@x.example",
                )
            )  # fmt: skip
        session.flush()
        search_index.fill(session.connection())
    assert ids(record, "liceum krakow") == ["S-650"]
    with record.reading() as session:
        found = find(session, "lic", ["NSS-PL"])
    assert len(found.hits["school"]) == finding.SHOWN
    assert found.more == {"school"}
    # Where too many have a word for comparing them, the names themselves are looked at.
    monkeypatch.setattr(finding, "_MOST_COMPARED", 4)
    assert ids(record, "liceum lodz 3", "NSS-PL")
    assert ids(record, "liceum krakow", "NSS-PL") == ["S-650"]


def test_the_rows_of_the_index_that_are_read_are_the_same_in_whatever_order_a_database_has_them(
    filled: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = {"kind": "teacher", "organisations": ["NSS-PL", "NSS-PT"], "beginning": "", "end": "\x7f"}
    with filled.reading() as session:
        if session.get_bind().dialect.name == "sqlite":
            session.execute(sa.text("PRAGMA reverse_unordered_selects = ON"))
        some = session.execute(finding._WORDS, read).all()
        if session.get_bind().dialect.name == "sqlite":
            session.execute(sa.text("PRAGMA reverse_unordered_selects = OFF"))
        in_order = sa.select(SearchWord.word, SearchWord.subjects).where(SearchWord.kind == "teacher")
        in_order = in_order.order_by(SearchWord.organisation, SearchWord.word, SearchWord.first)
        assert some == session.execute(in_order).all()


def test_a_project_without_members_here_is_nobodys(filled: Record) -> None:
    with filled.writing() as session:
        session.execute(sa.delete(Member).where(Member.project == "P-1", Member.teacher == "T-2"))
        assert session.get(Teacher, "T-2")
        assert session.get(Project, "P-1")
    assert ids(filled, "mosty", "NSS-PT") == []
