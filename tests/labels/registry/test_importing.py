"""Importing the registry: all of it or nothing, with every fault named, again and again."""

from __future__ import annotations

import csv
import unicodedata
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from benchmarks.registry_generator import LAST_DAY, generate_registry
from labels.errors import InvalidInput
from labels.record.engine import Record
from labels.record.schema import (
    Application,
    Award,
    Member,
    Outcome,
    Project,
    RuleText,
    School,
    Stage,
    Teacher,
)
from labels.registry import filling
from labels.registry.importing import import_registry
from labels.settings import PROJECT
from tests.support.small_registry import ROWS, SOUND, TODAY, changed, everything, faults_of, write

TABLES = ("award", "staff", "activity", "member", "project", "teacher", "school", "organisation")
"""The registry's, in an order in which they can be emptied."""

sqlite_only = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


def test_the_files_become_the_record(record: Record, tmp_path: Path) -> None:
    report = import_registry(record, write(tmp_path / "r"), TODAY)
    assert (report.rows, report.inserted, report.updated) == (ROWS, ROWS, 0)
    assert report.files["members.csv"] == 3
    rows = everything(record)
    assert rows["teacher"][0] == (
        "T-1", "Ελένη Ζέρβα", "eleni@s1.example", "S-1", date(2020, 9, 1), "el", "PER-T-T-1", None, None,
    )  # fmt: skip
    assert rows["project"][1] == ("P-2", "Bridges", date(2025, 9, 1), None)
    assert [row[-1] for row in rows["activity"]] == [True, False]
    assert {row[1]: row[5] for row in rows["staff"]} == {"coordinator": None, "reviewer": "S-2"}
    scores = {row[1]: row[7] for row in rows["award"]}
    assert scores == {"national": 21.5, "school": None}


def test_importing_the_same_again_changes_nothing(record: Record, tmp_path: Path) -> None:
    folder = write(tmp_path / "r")
    import_registry(record, folder, TODAY)
    before = everything(record)
    report = import_registry(record, folder, TODAY)
    assert (report.rows, report.inserted, report.updated) == (ROWS, 0, 0)
    assert everything(record) == before


def test_the_examples_can_be_imported_and_imported_again(record: Record) -> None:
    folder, day = PROJECT / "examples" / "registry", date(2026, 12, 31)
    first = import_registry(record, folder, day)
    assert first.inserted == first.rows > 900
    again = import_registry(record, folder, day)
    assert (again.inserted, again.updated) == (0, 0)


def test_a_changed_row_is_updated_and_a_new_one_inserted(record: Record, tmp_path: Path) -> None:
    folder = write(tmp_path / "r")
    import_registry(record, folder, TODAY)
    teachers = (
        changed("teachers", "T-2,Олена Шевченко", "T-2,Олена Бойко") + "T-3,C,c@x.example,S-1,2022-01-01,en\n"
    )
    write(folder, teachers=teachers, projects=changed("projects", "2025-09-01,", "2025-09-01,2026-06-30"))
    report = import_registry(record, folder, TODAY)
    assert (report.inserted, report.updated) == (1, 2)
    rows = everything(record)
    assert [row[1] for row in rows["teacher"]] == ["Ελένη Ζέρβα", "Олена Бойко", "C"]
    assert rows["project"][1][3] == date(2026, 6, 30)


def test_a_value_taken_out_of_a_file_is_taken_out_of_the_record(record: Record, tmp_path: Path) -> None:
    folder = write(tmp_path / "r")
    import_registry(record, folder, TODAY)
    write(folder, projects=changed("projects", "2025-06-30", ""))
    assert import_registry(record, folder, TODAY).updated == 1
    assert everything(record)["project"][0][3] is None


def test_rows_that_the_files_no_longer_have_stay(record: Record, tmp_path: Path) -> None:
    folder = write(tmp_path / "r")
    import_registry(record, folder, TODAY)
    before = everything(record)
    for path in folder.iterdir():
        path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    report = import_registry(record, folder, TODAY)
    assert (report.rows, report.inserted, report.updated) == (0, 0, 0)
    assert everything(record) == before


def test_one_file_alone_may_refer_to_the_record(record: Record, tmp_path: Path) -> None:
    import_registry(record, write(tmp_path / "all"), TODAY)
    folder = tmp_path / "one"
    folder.mkdir()
    folder.joinpath("teachers.csv").write_text(
        "teacher,name,email,school,registered_on,language\nT-9,N,n@x.example,S-2,2022-01-01,en\n"
    )
    assert import_registry(record, folder, TODAY).inserted == 1
    folder.joinpath("teachers.csv").write_text(
        "teacher,name,email,school,registered_on,language\nT-9,N,n@x.example,S-8,2022-01-01,en\n"
    )
    assert faults_of(record, folder) == {
        "teachers.csv:2 · school": "“S-8” is no school, neither in the files nor in the record."
    }


def test_columns_may_stand_in_any_order_and_the_file_may_begin_with_a_mark(
    record: Record, tmp_path: Path
) -> None:
    text = (
        "title,ended_on,started_on,project\r\nRivers,2025-06-30,2024-09-01,P-1\r\nBridges,,2025-09-01,P-2\r\n"
    )
    folder = write(tmp_path / "r", projects=b"\xef\xbb\xbf" + text.encode())
    import_registry(record, folder, TODAY)
    assert everything(record)["project"][0] == ("P-1", "Rivers", date(2024, 9, 1), date(2025, 6, 30))


def test_accents_are_composed_and_addresses_are_in_small_letters(record: Record, tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "Zoë Łucja Çelik")
    assert name != unicodedata.normalize("NFC", name)
    teachers = changed("teachers", "Ελένη Ζέρβα,eleni@s1.example", f"{name},Eleni@S1.Example")
    import_registry(record, write(tmp_path / "r", teachers=teachers), TODAY)
    assert everything(record)["teacher"][0][1:3] == ("Zoë Łucja Çelik", "eleni@s1.example")


def test_identifiers_that_are_alike_but_for_their_accents_form_are_one(
    record: Record, tmp_path: Path
) -> None:
    schools = SOUND["schools.csv"].replace("S-1,", unicodedata.normalize("NFD", "S-Ł-é") + ",")
    teachers = changed("teachers", ",S-1,", ",S-Ł-é,")
    awards = changed("awards", ",S-1,", ",S-Ł-é,")
    import_registry(record, write(tmp_path / "r", schools=schools, teachers=teachers, awards=awards), TODAY)
    assert everything(record)["teacher"][0][3] == "S-Ł-é"


def test_text_that_a_spreadsheet_or_a_template_would_run_stays_text(record: Record, tmp_path: Path) -> None:
    hostile = "=HYPERLINK(1) {{ x }} <script>'; DROP TABLE teacher;--"
    import_registry(record, write(tmp_path / "r", projects=changed("projects", "Rivers", hostile)), TODAY)
    assert everything(record)["project"][0][1] == hostile


def test_every_fault_of_every_file_is_named_at_once(record: Record, tmp_path: Path) -> None:
    folder = write(
        tmp_path / "r",
        organisations=changed("organisations", "NSS-PL,PL", "NSS-PL,Poland"),
        schools=changed("schools", "2016-01-08", "8.1.16"),
        teachers=changed("teachers", "olena@s2.example", "olena at s2"),
        projects=changed("projects", "2025-06-30", "2024-06-30"),
        members=changed("members", "P-2,T-1,partner", "P-2,T-7,guest"),
        activities=changed("activities", "2025-01-15,true", "2027-01-15,yes"),
        staff=changed(
            "staff", "ada@x.example,Ada Lis,NSS-PL,coordinator", "ada@x.example,Ada Lis,NSS-PL,reviewer"
        ),
        awards=changed("awards", "national,T-1", "national,"),
    )
    found = faults_of(record, folder)
    assert list(found) == [
        "organisations.csv:3 · country",
        "schools.csv:3 · registered_on",
        "teachers.csv:3 · email",
        "projects.csv:2 · ended_on",
        "members.csv:4 · role",
        "members.csv:4 · teacher",
        "activities.csv:2 · on",
        "activities.csv:2 · confirmed",
        "staff.csv:3 · email",
        "awards.csv:2 · teacher",
    ]
    assert "expected year-month-day" in found["schools.csv:3 · registered_on"]
    assert found["projects.csv:2 · ended_on"] == "“2024-06-30” is before the project's start, “2024-09-01”."
    assert found["members.csv:4 · teacher"] == "“T-7” is no teacher, neither in the files nor in the record."
    assert found["activities.csv:2 · on"] == "2027-01-15 is in the future; today is 2026-03-16."
    assert found["staff.csv:3 · email"] == "“ada@x.example” and “reviewer” stands on line 2 already."
    assert found["awards.csv:2 · teacher"] == "is empty, but a national label is awarded to a teacher."


@pytest.mark.parametrize("filled", [False, True], ids=["into an empty record", "into a filled record"])
@pytest.mark.parametrize(
    ("file", "old", "new", "where", "problem"),
    [
        ("schools", "NSS-PL,Łódź", "NSS-X,Łódź", "schools.csv:2 · organisation", "“NSS-X” is no organisation"),
        ("teachers", ",S-2,", ",S-7,", "teachers.csv:3 · school", "“S-7” is no school"),
        ("members", "P-2,", "P-7,", "members.csv:4 · project", "“P-7” is no project"),
        ("activities", "A-2,T-2", "A-2,T-7", "activities.csv:3 · teacher", "“T-7” is no teacher"),
        ("staff", "S-2", "S-7", "staff.csv:2 · school", "“S-7” is no school"),
        ("awards", "P-1", "P-7", "awards.csv:2 · project", "“P-7” is no project"),
        ("awards", "CSS", "CSC", "awards.csv:3 · organisation", "“CSC” is no organisation"),
        ("schools", "S-2", "S-1", "schools.csv:3 · school", "“S-1” stands on line 2 already."),
        ("projects", "P-2", "P-1", "projects.csv:3 · project", "“P-1” stands on line 2 already."),
        ("activities", "A-2", "A-1", "activities.csv:3 · activity", "“A-1” stands on line 2 already."),
        (
            "members",
            "P-1,T-2",
            "P-1,T-1",
            "members.csv:3 · project",
            "“P-1” and “T-1” stands on line 2 already.",
        ),
        (
            "teachers",
            "T-2,",
            "T-1,",
            "teachers.csv:3 · school",
            "“T-1” is in school “S-1” on line 2; a teacher belongs to one school.",
        ),
        (
            "awards",
            "school,,,S-2,CSS,2025-02-01,",
            "national,T-1,P-1,S-1,NSS-PL,2025-09-11,",
            "awards.csv:3 · label",
            "“national” and “T-1” and “P-1” and “S-1” stands on line 2 already.",
        ),
        (
            "members",
            "2024-09-02",
            "2025-07-01",
            "members.csv:3 · joined_on",
            "2025-07-01 is after the project's end, 2025-06-30.",
        ),
    ],
)  # fmt: skip
def test_what_rows_say_of_each_other_is_checked(
    record: Record, tmp_path: Path, filled: bool, file: str, old: str, new: str, where: str, problem: str
) -> None:
    folder = write(tmp_path / "r")
    if filled:
        import_registry(record, folder, TODAY)
    (folder / f"{file}.csv").write_text(changed(file, old, new), encoding="utf-8")
    found = {at: said for at, said in faults_of(record, folder).items() if at == where}
    assert found.get(where, "").startswith(problem)


def test_a_faulty_row_is_found_by_what_refers_to_it(record: Record, tmp_path: Path) -> None:
    folder = write(
        tmp_path / "r",
        schools=changed("schools", "S-1,Szkoła nr 1,PL,", "S-1,Szkoła nr 1,"),
        teachers=changed("teachers", "T-2,Олена Шевченко,olena@s2.example", "T-2,,olena"),
    )
    assert list(faults_of(record, folder)) == [
        "schools.csv:2",
        "teachers.csv:3 · name",
        "teachers.csv:3 · email",
    ]


def test_nothing_is_said_of_references_to_a_file_that_could_not_be_read_to_its_end(
    record: Record, tmp_path: Path
) -> None:
    folder = write(tmp_path / "r", schools=changed("schools", "S-2,Szkoła", 'S-2,"Szkoła'))
    assert list(faults_of(record, folder)) == ["schools.csv:3"]


def test_very_many_faults_are_counted_and_the_first_thousand_named(record: Record, tmp_path: Path) -> None:
    rows = "".join(f"S-{n},Name,PL,NSS-PL,City,never,Name,n@x.example\n" for n in range(1500))
    header = SOUND["schools.csv"].splitlines()[0]
    folder = write(tmp_path / "r", schools=f"{header}\n{rows}")
    with pytest.raises(InvalidInput) as refused:
        import_registry(record, folder, TODAY)
    assert len(refused.value.faults) == 1001
    assert refused.value.faults[0].where == "schools.csv:2 · registered_on"
    assert str(refused.value.faults[-1]).startswith("the files together: 500 more faults are not listed.")
    assert everything(record)["school"] == []


def test_a_folder_without_a_registry_is_refused(record: Record, tmp_path: Path) -> None:
    for folder, problem in ((tmp_path, "holds no registry file."), (tmp_path / "no", "is not a folder.")):
        with pytest.raises(InvalidInput) as refused:
            import_registry(record, folder, TODAY)
        assert refused.value.faults[0].where == str(folder)
        assert refused.value.faults[0].problem == problem


def test_an_award_decided_here_is_known_by_its_application(record: Record, tmp_path: Path) -> None:
    folder = write(tmp_path / "r")
    (folder / "awards.csv").unlink()
    import_registry(record, folder, TODAY)
    with record.writing() as session:
        instant = datetime(2026, 1, 1, tzinfo=UTC)
        session.add(RuleText(digest="D", version="1", body={}))
        session.flush()
        for identifier, label, teacher, project, school, organisation, day in (
            ("NQL-HERE", "national", "T-1", "P-1", "S-1", "NSS-PL", date(2025, 9, 9)),
            ("SCH-HERE", "school", None, None, "S-2", "CSS", date(2025, 2, 1)),
        ):
            session.add(
                Application(
                    id=identifier, label=label, teacher="T-1", project=project, school="S-1",
                    organisation=organisation, country="PL", language="pl", attempt=1, content={},
                    content_digest="", rules="D", submitted_at=instant, school_year=2025,
                    stage=Stage.CLOSED, stage_since=instant, outcome=Outcome.AWARDED,
                )
            )  # fmt: skip
            session.flush()
            session.add(
                Award(
                    id=identifier, label=label, teacher=teacher, project=project, school=school,
                    organisation=organisation, awarded_on=day, score=25,
                )
            )  # fmt: skip
    write(folder)
    report = import_registry(record, folder, TODAY)
    assert (report.inserted, report.updated) == (0, 0)
    assert {row[0]: row[7] for row in everything(record)["award"]} == {"NQL-HERE": 25, "SCH-HERE": 25}


def test_a_date_put_right_changes_the_award_and_makes_no_second_one(record: Record, tmp_path: Path) -> None:
    folder = write(tmp_path / "r")
    import_registry(record, folder, TODAY)
    write(folder, awards=changed("awards", "2025-09-10", "2025-09-11"))
    report = import_registry(record, folder, TODAY)
    assert (report.inserted, report.updated) == (0, 1)
    assert {row[6] for row in everything(record)["award"]} == {date(2025, 2, 1), date(2025, 9, 11)}
    assert len(everything(record)["award"]) == 2


def test_progress_is_told_for_each_file(record: Record, tmp_path: Path) -> None:
    told: dict[str, int] = {}
    report = import_registry(record, write(tmp_path / "r"), TODAY, told.__setitem__)
    assert told == report.files


def test_the_record_checks_references_again_after_an_import(record: Record, tmp_path: Path) -> None:
    import_registry(record, write(tmp_path / "r"), TODAY)
    with pytest.raises(IntegrityError), record.writing() as session:
        session.add(Member(project="P-9", teacher="T-9", role="founder", joined_on=TODAY))
    with pytest.raises(InvalidInput):
        import_registry(record, write(tmp_path / "r", teachers="x\n"), TODAY)
    with pytest.raises(IntegrityError), record.writing() as session:
        session.add(
            Teacher(id="T-9", name="N", email="n@x.example", school="S-9", registered_on=TODAY, language="en")
        )


@sqlite_only
def test_indexes_made_late_are_all_there_again(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def indexes() -> set[str]:
        with record.reading() as session:
            return set(
                session.scalars(sa.text("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql <> ''"))
            )

    before = indexes()
    monkeypatch.setattr(filling, "MANY", 0)
    with pytest.raises(InvalidInput):
        import_registry(record, write(tmp_path / "r", members=changed("members", "P-2", "P-9")), TODAY)
    assert indexes() == before
    import_registry(record, write(tmp_path / "r"), TODAY)
    assert indexes() == before
    with record.reading() as session:
        assert session.scalars(sa.text("PRAGMA integrity_check")).all() == ["ok"]
        assert session.execute(sa.text("PRAGMA foreign_key_check")).all() == []


@pytest.mark.slow
@sqlite_only
def test_filling_an_empty_record_and_staging_the_rows_make_the_same_record(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate_registry(tmp_path / "g", teachers=900, schools=300, projects=200)
    import_registry(record, tmp_path / "g", LAST_DAY)
    filled = everything(record)
    with record.writing() as session:
        for table in (*TABLES, "person"):
            session.execute(sa.text(f"DELETE FROM {table}"))
    monkeypatch.setattr("labels.registry.importing.fill_empty", lambda *_: None)
    import_registry(record, tmp_path / "g", LAST_DAY)
    assert everything(record) == filled
    with record.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(School)) == 300


registries = st.dictionaries(
    st.sampled_from(["P", "P-1", "p-1", "Ж", "Ω", "=P", "é"]),
    st.tuples(
        st.sampled_from(["Rivers", "Мости, „и“", 'a "b"', "null"]),
        st.sampled_from(["", "2025-01-01", "2026-12-31"]),
    ),
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=registries, second=registries)
def test_the_record_holds_what_the_last_file_that_had_it_says(
    record: Record, tmp_path: Path, first: dict[str, tuple[str, str]], second: dict[str, tuple[str, str]]
) -> None:
    with record.writing() as session:
        session.execute(sa.delete(Project))
    for held, files in (({}, first), (first, second)):
        with (tmp_path / "projects.csv").open("w", encoding="utf-8", newline="") as stream:
            rows = [(key, title, "2024-01-01", end) for key, (title, end) in files.items()]
            csv.writer(stream).writerows([("project", "title", "started_on", "ended_on"), *rows])
        report = import_registry(record, tmp_path, TODAY)
        assert report.inserted == len(files.keys() - held.keys())
        assert report.updated == sum(held[key] != files[key] for key in files.keys() & held.keys())
    found = {row[0]: (row[1], str(row[3] or "")) for row in everything(record)["project"]}
    assert found == first | second
