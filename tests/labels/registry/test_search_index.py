"""The index of words is as the registry is: after an import, another one, and a change by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.registry_generator import LAST_DAY, generate_registry
from labels.errors import InvalidInput
from labels.record.engine import Record
from labels.record.schema import School, SearchWord, Teacher
from labels.registry import bulk, search_index
from labels.registry.importing import import_registry
from labels.registry.search_index import Entry, Kind
from labels.settings import PROJECT
from tests.support.small_registry import TODAY, changed, write


def index_of(record: Record) -> set[tuple[str, str, str, str]]:
    """Who has which word."""
    with record.reading() as session:
        return {
            (row.kind, row.organisation, row.word, subject)
            for row in session.scalars(sa.select(SearchWord))
            for subject in row.subjects.split("\n")
        }


def made_anew(record: Record) -> set[tuple[str, str, str, str]]:
    with record.writing() as session:
        search_index.fill(session.connection())
    return index_of(record)


def test_an_import_fills_it_with_all_words(record: Record, tmp_path: Path) -> None:
    import_registry(record, write(tmp_path / "r"), TODAY)
    there = index_of(record)
    with record.reading() as session:
        teacher = session.get_one(Teacher, "T-1")
        organisation = session.get_one(School, teacher.school).organisation
    assert {("teacher", organisation, word, "T-1") for word in ("eleni", "zerva")} <= there
    assert ("project", "", "bridges", "P-2") in there
    assert made_anew(record) == there


def test_another_import_changes_what_has_changed(record: Record, tmp_path: Path) -> None:
    folder = write(tmp_path / "r")
    import_registry(record, folder, TODAY)
    teachers = changed("teachers", "T-2,Олена Шевченко", "T-2,Олена Бойко")
    write(folder, teachers=teachers + "T-3,Žofie Nováková,c@x.example,S-1,2022-01-01,en\n")
    import_registry(record, folder, TODAY)
    there = index_of(record)
    words = {word for kind, _, word, _ in there if kind == "teacher"}
    assert {"boiko", "zofie", "novakova"} <= words
    assert not {word for word in words if word.startswith(("shev", "sev"))}
    assert made_anew(record) == there


def test_teachers_move_with_their_school_to_another_organisation(record: Record, tmp_path: Path) -> None:
    import_registry(record, PROJECT / "examples" / "registry", TODAY.replace(year=2026, month=12))
    with record.reading() as session:
        teacher = session.scalars(
            sa.select(Teacher).join(School).where(School.organisation == "NSS-PL")
        ).first()
        assert teacher
    source = (PROJECT / "examples" / "registry" / "schools.csv").read_text()
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "schools.csv").write_text(
        "\n".join(
            line.replace(",NSS-PL,", ",NSS-CZ,") if line.startswith(teacher.school + ",") else line
            for line in source.splitlines()
        )
    )
    import_registry(record, moved, TODAY.replace(year=2026, month=12))
    there = index_of(record)
    assert {of for kind, of, _, subject in there if (kind, subject) == ("teacher", teacher.id)} == {"NSS-CZ"}
    assert made_anew(record) == there


def test_very_many_changes_make_it_anew(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "r")
    import_registry(record, folder, TODAY)
    monkeypatch.setattr(search_index, "MANY", 1)
    write(folder, teachers=changed("teachers", "T-2,Олена Шевченко", "T-2,Олена Бойко"))
    import_registry(record, folder, TODAY)
    assert made_anew(record) == index_of(record)


def test_what_does_not_fit_into_memory_at_once_is_written_while_rows_come_in(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate_registry(tmp_path / "r", teachers=300, schools=100, projects=60)
    monkeypatch.setattr(search_index, "AT_ONCE", 50)
    monkeypatch.setattr(bulk, "TOGETHER", 7)
    import_registry(record, tmp_path / "r", LAST_DAY)
    there = index_of(record)
    monkeypatch.undo()
    assert {kind for kind, *_ in there} == {"school", "teacher", "project"}
    assert made_anew(record) == there


def test_a_refused_import_leaves_it_as_it_was(record: Record, tmp_path: Path) -> None:
    folder = write(tmp_path / "r")
    import_registry(record, folder, TODAY)
    before = index_of(record)
    write(folder, teachers=changed("teachers", "T-2,Олена Шевченко,", "T-2,Олена Бойко,no address"))
    with pytest.raises(InvalidInput):
        import_registry(record, folder, TODAY)
    assert index_of(record) == before


@pytest.mark.slow
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30))), min_size=1, max_size=6))
def test_a_word_has_after_any_changes_those_who_came_and_did_not_go(
    record: Record, changes: list[tuple[set[int], set[int]]]
) -> None:
    def entries(numbers: set[int]) -> set[Entry]:
        return {Entry("NSS-PL", "anna", f"T-{number:02}") for number in numbers}

    have: set[int] = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_index, "IN_A_ROW", 3)
        with record.writing() as session:
            connection = session.connection()
            search_index.fill(connection)
            for gone, come in changes:
                search_index.change(connection, Kind.TEACHER, entries(gone & have), entries(come))
                have = have - gone | come
            rows = session.scalars(sa.select(SearchWord).order_by(SearchWord.first)).all()
            there = [one for row in rows for one in row.subjects.split("\n")]
            assert all(row.subjects.split("\n")[0] == row.first for row in rows)
            assert all(len(row.subjects.split("\n")) <= search_index.IN_A_ROW for row in rows)
    assert there == sorted(f"T-{number:02}" for number in have)
