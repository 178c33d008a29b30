"""The registry's files as spreadsheets write them: separators, encodings, dates, empty cells, XLSX and ODS."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from adapters.fonts import missing_characters
from labels.errors import InvalidInput
from labels.record.engine import Record
from labels.registry.files import registry_files
from labels.registry.importing import import_registry
from labels.registry.reading import Faults, read_chunks
from tests.support.small_registry import SOUND, TODAY, changed, everything, faults_of, write
from tests.support.workbooks import Cell, ods, xlsx

FILES = {file.table: file for file in registry_files(date(2026, 3, 16))}
HEADER = "teacher,name,email,school,registered_on,language"
ADA = "T-1,Ada Lis,ada@s.example,S-1,2023-02-09,en"
ROW = tuple(ADA.split(","))


def ada(old: str, new: str) -> str:
    """The teacher's file with one piece of her row changed."""
    return f"{HEADER}\n{ADA.replace(old, new)}\n"


def read(
    content: str | bytes, tmp_path: Path, table: str = "teacher"
) -> tuple[list[tuple[str, ...]], Faults]:
    """The rows of a file with this content, and what is found in it."""
    path = tmp_path / FILES[table].name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    faults = Faults(missing_characters)
    names = FILES[table].names
    rows: list[tuple[str, ...]] = []
    for chunk in read_chunks(path, FILES[table], 0, faults):
        there = [
            values for name, values in zip(names, chunk.columns, strict=True) if name not in chunk.absent
        ]
        rows += zip(*there, strict=True)
    return rows, faults


def told(faults: Faults) -> dict[str, str]:
    """The faults, by where."""
    try:
        faults.refuse("import")
    except InvalidInput as refused:
        return {fault.where: fault.problem for fault in refused.faults}
    return {}


def rows_of(content: str | bytes, tmp_path: Path, table: str = "teacher") -> list[tuple[str, ...]]:
    rows, faults = read(content, tmp_path, table)
    assert told(faults) == {}
    return rows


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\r\n{ADA}\r\n",
        f"\ufeff{HEADER}\n{ADA}\n",
        f"sep=,\r\n{HEADER}\r\n{ADA}\r\n",
        f'"sep=;"\r\n{HEADER}\r\n{ADA}\r\n'.replace(",", ";"),
        f"sep=;\r\n{HEADER}\r\n{ADA}\r\n",
        f"{HEADER}\n{ADA}\n".replace(",", ";"),
        f"{HEADER}\n{ADA}\n".replace(",", "\t"),
        f"{HEADER}\n{ADA}\n".replace(",", "|"),
        f"{HEADER},,\n{ADA},,\n",
        f"{HEADER},,\n{ADA}\n",
        f"{HEADER}\n{ADA}\n,,,,,\n",
        f"{HEADER}\n\n{ADA}\n , ,,,,\n\n",
        f"\n,,,\n{HEADER}\n{ADA}\n",
        f"Teacher, NAME ,E-Mail,School,Registered on,LANGUAGE\n{ADA}\n".replace("E-Mail", "Email"),
        f'"teacher","name","email","school","registered_on","language"\n{ADA}\n',
        ada(",", " , "),
        ada("Ada Lis", "Ada Lis\u00a0"),
        ada("2023-02-09", "09.02.2023"),
        ada("2023-02-09", "9. 2. 2023"),
        ada("2023-02-09", "2023. 02. 09."),
        ada("2023-02-09", "2023/2/9"),
        ada("2023-02-09", "2023-02-09 00:00:00"),
        ada(",en", ",EN"),
        ada("ada@s", "Ada@S"),
    ],
)
def test_what_a_spreadsheet_writes_otherwise_is_read_as_the_same_row(text: str, tmp_path: Path) -> None:
    assert rows_of(text, tmp_path) == [ROW]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_encoding_of_unicode_is_known(encoding: str, tmp_path: Path) -> None:
    text = f"{HEADER}\r\n{ADA.replace('Ada Lis', 'Żofia Łoś')}\r\n"
    assert rows_of(text.encode(encoding), tmp_path) == [(ROW[0], "Żofia Łoś", *ROW[2:])]


@pytest.mark.parametrize(
    ("dates", "read_as"),
    [
        (["09/02/2023", "13/02/2023"], ["2023-02-09", "2023-02-13"]),
        (["02/09/2023", "02/13/2023"], ["2023-02-09", "2023-02-13"]),
        (["9-2-2023", "28-2-2023"], ["2023-02-09", "2023-02-28"]),
        (["05/05/2023", "02/02/2023"], ["2023-05-05", "2023-02-02"]),
        (["2023-02-09", "13/02/2023"], ["2023-02-09", "2023-02-13"]),
    ],
)
def test_local_dates_are_read_where_the_column_leaves_no_doubt(
    dates: list[str], read_as: list[str], tmp_path: Path
) -> None:
    rows = "".join(f"P-{n},Rivers,{day},\n" for n, day in enumerate(dates))
    found = rows_of(f"project,title,started_on,ended_on\n{rows}", tmp_path, "project")
    assert [row[2] for row in found] == read_as


def test_the_proof_may_stand_thousands_of_rows_further_down(tmp_path: Path) -> None:
    rows = "".join(f"P-{n},Rivers,09/02/2023,\n" for n in range(1000))
    text = f"project,title,started_on,ended_on\n{rows}P-x,Rivers,31/01/2023,\n"
    assert {row[2] for row in rows_of(text, tmp_path, "project")} == {"2023-02-09", "2023-01-31"}


@pytest.mark.parametrize("other", ["", "P-x,Rivers,31/01/2023,\nP-y,Rivers,01/31/2023,\n"])
def test_a_column_of_dates_in_doubt_is_one_fault(other: str, tmp_path: Path) -> None:
    rows = "".join(f"P-{n},Rivers,09/02/2023,\n" for n in range(500))
    _, faults = read(f"project,title,started_on,ended_on\n{rows}{other}", tmp_path, "project")
    assert told(faults) == {
        "projects.csv:2 · started_on": "“09/02/2023” may be day/month or month/day. So are 499 more of this column."
    }


def test_a_local_date_that_there_is_not_is_a_fault_of_its_row(tmp_path: Path) -> None:
    _, faults = read("project,title,started_on,ended_on\nP-1,Rivers,31.02.2023,\n", tmp_path, "project")
    assert told(faults)["projects.csv:2 · started_on"].startswith("“2023-02-31” is not a date;")


def test_a_value_under_no_name_is_not_thrown_away(tmp_path: Path) -> None:
    _, faults = read(f"teacher,,{HEADER.partition(',')[2]}\nT-1,x,{ADA.partition(',')[2]}\n", tmp_path)
    assert told(faults) == {"teachers.csv:2": "has “x” in column 2, which has no name in the header."}


def test_what_excel_makes_of_truth_and_of_points_is_read_in_other_languages(tmp_path: Path) -> None:
    rows = "".join(
        f"A-{n},T-1,group,Title,2023-02-09,{word}\n" for n, word in enumerate(("TRUE", "WAHR", "faux"))
    )
    found = rows_of(f"activity,teacher,kind,title,on,confirmed\n{rows}", tmp_path, "activity")
    assert [row[5] for row in found] == ["true", "true", "false"]
    award = (
        "label;teacher;project;school;organisation;awarded_on;score\nnational;T;P;S;NSS-PL;09.02.2023;21,5\n"
    )
    assert rows_of(award, tmp_path, "award")[0][5:] == ("2023-02-09", "21.5")


def test_a_number_that_a_spreadsheet_shortened_is_no_identifier(tmp_path: Path) -> None:
    _, faults = read(ada("T-1", "1.23457E+12"), tmp_path)
    assert told(faults)["teachers.csv:2 · teacher"].startswith("“1.23457E+12” is what a spreadsheet makes of")


def test_an_address_with_other_letters_in_its_domain_is_taken(tmp_path: Path) -> None:
    for domain in ("bücher.example", "BÜCHER.example", "xn--bcher-kva.example"):
        [row] = rows_of(ada("s.example", domain), tmp_path)
        assert row[2] == "ada@bücher.example"


# Letters ----------------------------------------------------------------------------------------


def test_lost_letters_are_refused_with_row_and_column(tmp_path: Path) -> None:
    _, faults = read(ada("Ada Lis", "Za\ufffd\ufffd L?s"), tmp_path)
    assert told(faults) == {
        "teachers.csv:2 · name": "“Za\ufffd\ufffd L?s” has lost letters: � stands in their place."
    }


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Ada L?s", "has a question mark where a letter may have been lost."),
        ("?ukasz Lis", "has a question mark where a letter may have been lost."),
        ("Andr? Lis", "has a question mark where a letter may have been lost."),
        ("JosÃ© MuÃ±oz", "looks as if it was read in a wrong encoding."),
        ("Zdzb³o Ewa", "looks as if it was read in a wrong encoding."),
        ("£ukasz Lis", "looks as if it was read in a wrong encoding."),
        ("ÐÐ²Ð°Ð½", "looks as if it was read in a wrong encoding."),
        (
            "李 Ada",
            "has “李” (CJK UNIFIED IDEOGRAPH-674E, U+674E), which nothing here can print on a certificate.",
        ),
    ],
)
def test_a_name_that_looks_wrong_is_taken_and_told_with_row_and_column(
    name: str, problem: str, tmp_path: Path
) -> None:
    rows, faults = read(ada("Ada Lis", name), tmp_path)
    assert told(faults) == {}
    assert rows[0][1] == name
    assert [(one.where, one.problem) for one in faults.remarks] == [
        ("teachers.csv:2 · name", f"“{name}” {problem}")
    ]


@pytest.mark.parametrize(
    "name",
    [
        "Zoë O’Neill",
        "D´Angelo Rossi",
        "Ελένη Ζέρβα",
        "Школа „Дунав“",
        "ÆØÅ Åse",
        "João Conceição",
        "حدّاد",
        "Núria Col·lell",
    ],
)
def test_nothing_is_said_of_a_name_that_is_right(name: str, tmp_path: Path) -> None:
    rows, faults = read(ada("Ada Lis", name), tmp_path)
    assert rows[0][1] == name
    assert faults.remarks == ()


def test_a_title_may_ask_and_have_symbols(tmp_path: Path) -> None:
    header = "project,title,started_on,ended_on\n"
    for title in ("Who are we?", "¿Quiénes somos?", "Let’s go 🌍", "100 m² of garden", "Café — life"):
        rows, faults = read(f"{header}P-1,{title},2024-09-01,\n", tmp_path, "project")
        assert rows[0][1] == title
        assert faults.remarks == ()
    _, faults = read(f"{header}P-1,Sch?ler lesen,2024-09-01,\n", tmp_path, "project")
    assert len(faults.remarks) == 1


def test_letters_in_a_mathematical_style_become_plain(tmp_path: Path) -> None:
    header = "project,title,started_on,ended_on\n"
    rows, faults = read(f"{header}P-1,𝐄𝐜𝐨 𝓢𝓬𝓱𝓸𝓸𝓵 Ｌａｂ ﬁn,2024-09-01,\n", tmp_path, "project")
    assert rows[0][1] == "Eco School Lab fin"
    assert faults.remarks == ()


def test_an_import_reports_what_looks_wrong(record: Record, tmp_path: Path) -> None:
    teachers = changed("teachers", "Олена Шевченко", "JosÃ© 李")
    for again in (False, True):
        report = import_registry(
            record, write(tmp_path / "r", teachers=teachers), TODAY, missing=missing_characters
        )
        assert [one.where for one in report.remarks] == ["teachers.csv:3 · name"] * 2, again


# Spreadsheets -----------------------------------------------------------------------------------

SHEET: list[list[Cell]] = [
    ["Teacher", "name", "email", "school", "registered_on", "language", None],
    ["T-1", "Ελένη Ζέρβα", "eleni@s1.example", "S-1", date(2020, 9, 1), "el"],
    [None],
    [7.0, "Олена Шевченко", "olena@s2.example", "S-2", "1.9.2021", "uk"],
]


@pytest.mark.parametrize("packed", [xlsx({"Notes": [["x"]], "Teachers": SHEET}), ods(SHEET)])
def test_a_spreadsheet_is_read_like_csv(packed: bytes, tmp_path: Path) -> None:
    assert rows_of(packed, tmp_path) == [
        ("T-1", "Ελένη Ζέρβα", "eleni@s1.example", "S-1", "2020-09-01", "el"),
        ("7", "Олена Шевченко", "olena@s2.example", "S-2", "2021-09-01", "uk"),
    ]


def test_points_and_truth_come_out_of_a_spreadsheet(tmp_path: Path) -> None:
    awards: list[list[Cell]] = [
        ["label", "teacher", "project", "school", "organisation", "awarded_on", "score"],
        ["national", "T", "P", "S", "NSS-PL", date(2023, 2, 9), 21.5],
        ["national", "T2", "P", "S", "NSS-PL", date(2023, 2, 9), 24.0],
    ]
    assert [row[6] for row in rows_of(xlsx({"a": awards}), tmp_path, "award")] == ["21.5", "24"]
    activities: list[list[Cell]] = [
        ["activity", "teacher", "kind", "title", "on", "confirmed"],
        ["A", "T", "group", "Title", date(2023, 2, 9), True],
    ]
    assert rows_of(ods(activities), tmp_path, "activity")[0][5] == "true"


def test_a_fault_in_a_spreadsheet_is_named_by_its_row(record: Record, tmp_path: Path) -> None:
    sheet: list[list[Cell]] = [*SHEET[:3], ["T-2", "Olena", "nobody", "S-2", date(2021, 9, 1), "uk"]]
    folder = write(tmp_path / "r", teachers=None)
    (folder / "Teachers.XLSX").write_bytes(xlsx({"Sheet1": sheet}))
    found = faults_of(record, folder)
    assert found["Teachers.XLSX:4 · email"].startswith("“nobody” is not an e-mail address;")


def test_a_registry_of_spreadsheets_makes_the_same_record(record: Record, tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    for place, (name, text) in enumerate(SOUND.items()):
        rows = [
            line.replace('"Narodowe Biuro, Polska"', "Narodowe Biuro").split(",")
            for line in text.splitlines()
        ]
        packed = xlsx({"Sheet1": rows}) if place % 2 else ods(rows)
        (folder / f"{name.removesuffix('.csv')}{'.xlsx' if place % 2 else '.ods'}").write_bytes(packed)
    report = import_registry(record, folder, TODAY)
    assert report.files["teachers.ods"] == 2
    assert [row[1] for row in everything(record)["teacher"]] == ["Ελένη Ζέρβα", "Олена Шевченко"]


def test_a_table_in_two_files_is_refused(record: Record, tmp_path: Path) -> None:
    folder = write(tmp_path / "r")
    (folder / "teachers.xlsx").write_bytes(xlsx({"Sheet1": SHEET}))
    assert faults_of(record, folder) == {"teachers.xlsx": "is there beside teachers.csv."}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"PK\x03\x04 and no more", "is no spreadsheet that can be read, or has a password."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is an Excel file of the old kind."),
        (xlsx({"Sheet1": []}), "has no header;"),
    ],
)
def test_what_is_no_spreadsheet_is_refused_in_words(content: bytes, problem: str, tmp_path: Path) -> None:
    _, faults = read(content, tmp_path)
    [said] = told(faults).values()
    assert said.startswith(problem)
