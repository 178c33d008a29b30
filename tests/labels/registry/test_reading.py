"""What is said of the form of the registry's files, and what becomes of text on its way in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labels.errors import InvalidInput
from labels.registry.files import registry_files
from labels.registry.reading import LISTED_FAULTS, Chunk, Faults, read_chunks

FILES = {file.table: file for file in registry_files(date(2026, 3, 16))}
PROJECT_HEADER = "project,title,started_on,ended_on\n"
TEACHER_HEADER = "teacher,name,email,school,registered_on,language\n"
AWARD_HEADER = "label,teacher,project,school,organisation,awarded_on,score\n"


def read(table: str, text: str | bytes, tmp_path: Path) -> tuple[list[Chunk], dict[str, str]]:
    """The chunks of a file with this text, and what is wrong with it, by where."""
    path = tmp_path / FILES[table].name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    faults = Faults()
    chunks = list(read_chunks(path, FILES[table], 0, faults))
    try:
        faults.refuse("import")
    except InvalidInput as refused:
        return chunks, {fault.where: fault.problem for fault in refused.faults}
    return chunks, {}


def wrong(table: str, text: str | bytes, tmp_path: Path) -> dict[str, str]:
    """What is wrong with a file."""
    return read(table, text, tmp_path)[1]


def test_a_row_that_is_sound_is_read_as_it_stands(tmp_path: Path) -> None:
    chunks, found = read(
        "project", PROJECT_HEADER + 'P-1,"Rivers, ""bridges"" and borders",2024-09-01,\n', tmp_path
    )
    assert not found
    [chunk] = chunks
    assert list(chunk.lines) == [2]
    assert [list(column) for column in chunk.columns] == [
        ["P-1"], ['Rivers, "bridges" and borders'], ["2024-09-01"], [""],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("", "projects.csv:1", "has no header; expected the header project,title,started_on,ended_on."),
        ("project,title,started_on\n", "projects.csv:1 · ended_on", "is missing; expected the header"),
        ("project,title,started_on,ended_on,x\n", "projects.csv:1", "“x” is not a column of this file;"),
        (
            "project,title,title,started_on,ended_on\n",
            "projects.csv:1 · title",
            "stands 2 times in the header",
        ),
        (
            "project:title:started_on:ended_on\n",
            "projects.csv:1",
            "“project:title:started_on:ended_on” is not",
        ),
        ("proj\u202eect,title,started_on,ended_on\n", "projects.csv:1", "“proj\\u202eect” is not a column"),
    ],
)
def test_a_header_that_is_not_the_contracts_is_refused(
    text: str, where: str, problem: str, tmp_path: Path
) -> None:
    assert wrong("project", text, tmp_path)[where].startswith(problem)


def test_what_is_not_utf_8_is_named_by_its_column_and_the_other_rows_are_read_on(tmp_path: Path) -> None:
    rows = "P-1,Žofie,2024-09-01,\nP-2,Łódź,2024-09-01,\n".encode("iso-8859-2") + b"P-3,,2024-09-01,\n"
    assert wrong("project", PROJECT_HEADER.encode() + rows, tmp_path) == {
        "projects.csv:2 · title": "is not UTF-8.",
        "projects.csv:3 · title": "is not UTF-8.",
        "projects.csv:4 · title": "is empty, but every row needs it.",
    }
    assert wrong("project", "prójekt\n".encode("cp1250"), tmp_path) == {"projects.csv:1": "is not UTF-8."}


def test_a_row_of_another_width_is_named_and_its_values_are_not_judged(tmp_path: Path) -> None:
    found = wrong("project", PROJECT_HEADER + "P-1,Rivers, bridges,2024-09-01,\nP-2\n\nP-3,x,y,\n", tmp_path)
    assert list(found) == ["projects.csv:2", "projects.csv:3", "projects.csv:5 · started_on"]
    assert found["projects.csv:2"] == "has 5 values; expected 4, one for each column of the header."


def test_a_quotation_mark_that_is_not_closed_is_named_where_it_stands(tmp_path: Path) -> None:
    rows = 'P-1,"two\nlines",2024-09-01,\nP-2,"open,2024-09-01,\nP-3,x,2024-09-01,\n'
    found = wrong("project", PROJECT_HEADER + rows, tmp_path)
    assert list(found) == ["projects.csv:2 · title", "projects.csv:4"]
    assert found["projects.csv:4"].startswith("is not CSV: unexpected end of data.")


def test_text_behind_a_closed_quotation_mark_is_no_csv(tmp_path: Path) -> None:
    found = wrong("project", PROJECT_HEADER + 'P-1,"a" b,2024-09-01,\n', tmp_path)
    assert found["projects.csv:2"].startswith("is not CSV:")


def test_a_value_of_megabytes_is_refused_in_few_words(tmp_path: Path) -> None:
    found = wrong("project", PROJECT_HEADER + f"P-1,{'x' * 10_000_000},2024-09-01,\n", tmp_path)
    assert found["projects.csv:2"].startswith("a value is longer than 131,072 characters")
    [problem] = wrong("project", PROJECT_HEADER + f"P-1,{'x' * 100_000},2024-09-01,\n", tmp_path).values()
    assert problem == "has 100,000 characters; at most 300 are allowed."
    [problem] = wrong("project", PROJECT_HEADER + f"P-1,x,{'9' * 100_000},\n", tmp_path).values()
    assert len(problem) < 200


def test_a_file_that_is_a_folder_of_that_name_or_unreadable_is_named(tmp_path: Path) -> None:
    path = tmp_path / "projects.csv"
    path.mkdir()
    faults = Faults()
    assert not list(read_chunks(path, FILES["project"], 0, faults))
    with pytest.raises(InvalidInput, match="can't be read"):
        faults.refuse("import")


TEACHER = {
    "teacher": "T-1", "name": "Ada", "email": "a@x.example", "school": "S-1",
    "registered_on": "2020-01-01", "language": "en",
}  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("teacher", "", "is empty, but every row needs it."),
        ("teacher", "T 1", "“T 1” has a space in it; an identifier has none."),
        ("teacher", "T" * 101, "has 101 characters; an identifier has at most 100."),
        ("teacher", "T\u00a01", "“T\\u00a01” has the character U+00A0 in it,"),
        ("teacher", "T-1\u200b", "“T-1\\u200b” has the character U+200B in it,"),
        ("name", "   ", "is empty, but every row needs it."),
        ("name", "Ada\x07", "“Ada\\u0007” has the character U+0007 in it,"),
        ("name", "Ada\0", "“Ada\\u0000” has the character U+0000 in it,"),
        ("name", '"Ada\nLis"', "“Ada\\u000aLis” has the character U+000A in it,"),
        ("name", "Ada\u202egpj", "“Ada\\u202egpj” has the character U+202E in it,"),
        ("name", "A" * 201, "has 201 characters; at most 200 are allowed."),
        ("email", "ada", "“ada” is not an e-mail address;"),
        ("email", "ada@x", "“ada@x” is not an e-mail address;"),
        ("email", "a@x.example\nBcc: b@x.example", None),
        ("email", "<a@x.example>", "“<a@x.example>” is not an e-mail address;"),
        ("email", "=cmd|' /C calc'!A0", "“=cmd|' /C calc'!A0” is not an e-mail address;"),
        ("registered_on", "2020-02-30", "“2020-02-30” is not a date;"),
        ("registered_on", "20200101", "“20200101” is not a date;"),
        ("registered_on", "٢٠٢٠-٠١-٠١", "“٢٠٢٠-٠١-٠١” is not a date;"),
        ("registered_on", "2026-03-17", "2026-03-17 is in the future; today is 2026-03-16."),
        ("language", "English", "“English” is not a language code;"),
    ],
)
def test_a_wrong_value_is_named_by_line_and_column(
    column: str, value: str, problem: str | None, tmp_path: Path
) -> None:
    row = ",".join({**TEACHER, column: value}.values())
    found = wrong("teacher", f"{TEACHER_HEADER}{','.join(TEACHER.values())}\n{row}\n", tmp_path)
    if problem is None:
        assert found
        return
    assert list(found) == [f"teachers.csv:3 · {column}"]
    assert found[f"teachers.csv:3 · {column}"].startswith(problem)


@pytest.mark.parametrize(
    ("table", "row", "where", "problem"),
    [
        ("school", "S,N,UK,O,C,2020-01-01,P,p@x.example", "country", "“UK” is not the code of United Kingdom here."),
        ("school", "S,N,EU,O,C,2020-01-01,P,p@x.example", "country", "“EU” is not the code of a country"),
        ("organisation", "O,PL,NGO,N,o@x.example,pl", "kind", "“NGO” is not known; expected NSS or PSA or CSS."),
        ("member", "P,T,guest,2020-01-01", "role", "“guest” is not known; expected founder or partner."),
        ("activity", "A,T,group,Title,2020-01-01,yes", "confirmed", "“yes” is not known; expected true or false."),
        ("staff", "a@x.example,N,O,boss,en,", "role", "“boss” is not known; expected reviewer or coordinator."),
        ("award", "national,T,P,S,O,2020-01-01,high", "score", "“high” is not a number of points;"),
        ("award", "national,T,P,S,O,2020-01-01,nan", "score", "“nan” is not a number of points;"),
        ("award", "gold,T,P,S,O,2020-01-01,", "label", "“gold” is not known; expected national or european or school."),
        ("award", "national,,P,S,O,2020-01-01,", "teacher", "is empty, but a national label is awarded to a teacher."),
        ("award", "european,T,,S,O,2020-01-01,", "project", "is empty, but a european label is awarded for a project."),
        ("award", "school,,,,O,2020-01-01,", "school", "is empty, but a school label is awarded to a school."),
        ("project", "P,T,2020-01-02,2020-01-01", "ended_on", "“2020-01-01” is before the project's start,"),
    ],
)  # fmt: skip
def test_each_file_knows_what_its_columns_may_hold(
    table: str, row: str, where: str, problem: str, tmp_path: Path
) -> None:
    file = FILES[table]
    found = wrong(table, f"{','.join(file.expected)}\n{row}\n", tmp_path)
    assert list(found) == [f"{file.name}:2 · {where}"]
    assert found[f"{file.name}:2 · {where}"].startswith(problem)


def test_a_projects_planned_end_may_lie_in_the_future(tmp_path: Path) -> None:
    assert not wrong("project", PROJECT_HEADER + "P-1,Rivers,2026-01-01,2027-01-01\n", tmp_path)


def test_lines_are_counted_right_behind_values_with_line_ends_and_over_many_chunks(tmp_path: Path) -> None:
    rows = "".join(f'P-{n},"a\r\nb",2024-09-01,\r\n' for n in range(1000))
    found = wrong("project", PROJECT_HEADER + rows + "P-x,,2024-09-01,\n", tmp_path)
    assert "projects.csv:2 · title" in found
    assert "projects.csv:2000 · title" in found
    assert "the files together" in found
    good = "".join(f"P-{n},Title,2024-09-01,\r\n" for n in range(1000))
    assert list(wrong("project", PROJECT_HEADER + good + "P-x,,2024-09-01,\n", tmp_path)) == [
        "projects.csv:1002 · title"
    ]


def test_faults_are_told_in_the_order_of_the_files_and_counted_beyond_the_limit(tmp_path: Path) -> None:
    rows = "".join(f"gold,T,P,S,O,2020-01-01,x{n}\n" for n in range(LISTED_FAULTS))
    found = wrong("award", AWARD_HEADER + rows, tmp_path)
    assert len(found) == LISTED_FAULTS + 1
    assert found["the files together"] == f"{LISTED_FAULTS:,} more faults are not listed."


pieces = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b",",
                b'"',
                b"\n",
                b"\r\n",
                b"\xef\xbb\xbf",
                b"\0",
                b"2024-09-01",
                b"\xff",
                PROJECT_HEADER.encode(),
            ]
        ),
        st.binary(max_size=8),
    ),
    max_size=30,
).map(b"".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from([b"", PROJECT_HEADER.encode()]), rest=pieces)
def test_whatever_bytes_a_file_holds_it_is_read_or_refused_in_words(
    start: bytes, rest: bytes, tmp_path: Path
) -> None:
    chunks, found = read("project", start + rest, tmp_path)
    for chunk in chunks:
        assert {len(column) for column in chunk.columns} == {len(chunk.lines)}
        assert list(chunk.lines) == sorted(chunk.lines)
        "".join(value for column in chunk.columns for value in column).encode()
    for where, problem in found.items():
        assert f"{where}: {problem}".isprintable()
