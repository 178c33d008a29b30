"""A list of names reads as the teacher meant it, or says by row what is wrong, and never by name."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels.errors import InvalidInput
from labels.pupil_label.names import LARGEST, LARGEST_UNPACKED, SPREADSHEET, NameList, Pupil, read_names
from tests.support.workbooks import Cell, ods, xlsx

CLASS = ["Łucja Źdźbło", "Tomáš Dvořák", "O’Neill-Ђорђевић", "D'Arcy", "Bo"]


def no_chinese(text: str) -> list[str]:
    return [letter for letter in dict.fromkeys(text) if "\u4e00" <= letter <= "\u9fff" or letter == "🙂"]


def read(text: str | bytes, **how: object) -> NameList:
    content = text.encode() if isinstance(text, str) else text
    return read_names(content, "PL", no_chinese, **how)  # type: ignore[arg-type]  # as a command gives it


def names(found: NameList) -> list[str]:
    assert found.faults == ()
    return [pupil.name for pupil in found.pupils]


def fault(text: str | bytes, **how: object) -> str:
    with pytest.raises(InvalidInput) as raised:
        read(text, **how)
    [only] = raised.value.faults
    return str(only)


# Whatever program wrote it ----------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_one_name_a_row_in_any_unicode(encoding: str, end: str) -> None:
    assert names(read((end.join(CLASS) + end).encode(encoding))) == CLASS


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize(
    "header", ["Imię;Nazwisko;Klasa", "Nazwisko;Imię;Klasa", "klasa;FIRST NAME;Surname:"]
)
def test_given_and_family_name_are_found_by_the_header(header: str, mark: str) -> None:
    titles = header.split(";")
    cells = {
        "imię": "Łucja",
        "first name": "Łucja",
        "nazwisko": "Źdźbło",
        "surname:": "Źdźbło",
        "klasa": "5b",
    }
    text = f"{mark.join(titles)}\n{mark.join(cells[title.casefold()] for title in titles)}"
    assert names(read(text)) == ["Łucja Źdźbło"]


@pytest.mark.parametrize(
    ("header", "row", "name"),
    [
        ("Vezetéknév;Keresztnév", "Kovács;Zsófia", "Kovács Zsófia"),
        ("Name;Vorname", "Berg;Anna", "Anna Berg"),
        ("Name,Surname", "Anna,Berg", "Anna Berg"),
        ("Apellidos;Nombre", "Ruiz Gil;Ana", "Ana Ruiz Gil"),
        ("№;Име и фамилия", "1;Иван Петров", "Иван Петров"),
        ("sep=;\nname;x", "Anna;1", "Anna"),
    ],
)
def test_a_name_is_put_together_as_the_country_writes_it(header: str, row: str, name: str) -> None:
    assert names(read(f"{header}\n{row}")) == [name]


def test_several_columns_without_a_header_are_asked_about() -> None:
    assert fault("Łucja;Źdźbło\nBo;Li") == (
        "(whole file): has 2 columns and no header that tells which of them is the name."
        ' Write "name" above that column, or say which it is.'
    )
    assert names(read("Źdźbło;Łucja\nLi;Bo", columns=["2", "1"])) == ["Łucja Źdźbło", "Bo Li"]
    assert names(read("A;Kto\n1;Bo", columns=["kto"])) == ["Bo"]
    assert "there is no column 3: the list has 2 columns" in fault("a;b", columns=["3"])


def test_whether_the_first_row_is_a_header_can_be_said() -> None:
    assert names(read("name\nBo", header=False)) == ["name", "Bo"]
    assert names(read("5b\nBo", header=True)) == ["Bo"]


def test_empty_rows_are_passed_over_and_counted_as_the_sheet_does() -> None:
    found = read("name\n\nAda\n;;\n\n   \nBo")
    assert found.pupils == (Pupil(3, "Ada"), Pupil(7, "Bo"))


def test_a_cell_in_quotation_marks_may_hold_anything() -> None:
    assert names(read('name;notes\n"Quick; Ada";"two\nlines"\n"Bo ""B"" Li";')) == ["Quick; Ada", 'Bo "B" Li']


@given(st.lists(st.text("aŁβЖ' -.,;\"", max_size=20).filter(lambda t: any(map(str.isalpha, t))), min_size=1))
def test_what_a_spreadsheet_quotes_is_read_as_it_was(written: list[str]) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["name", "class"])
    writer.writerows([name, "5b"] for name in written)
    assert names(read(out.getvalue())) == [" ".join(name.split()) for name in written]


@pytest.mark.parametrize(
    "text", ["=cmd()|' /C calc'!A0", "<script>alert(1)</script>", "{{ holder }}", "%s%n"]
)
def test_hostile_text_is_a_name_like_any_other(text: str) -> None:
    assert names(read(text)) == [text]


def test_what_nobody_sees_is_taken_away() -> None:
    assert names(read("name\nA\u202eda\u200b  \x07Quick")) == ["Ada Quick"]


# What is wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("王芳", "has a name with 2 characters that no bundled font can print (Chinese)."),
        ("Ada 🙂", "has a name with a character that no bundled font can print (a symbol)."),
        ("x" * 121, "has a name of 121 characters; at most 120 fit."),
        ("123", "has no letter in its name."),
        ('"Ada', "has a quotation mark that is not closed."),
        ("Kov?cs", "whose letters were lost or changed"),
        ("Kov\ufffdcs", "whose letters were lost or changed"),
        ("JosÃ©", "whose letters were lost or changed"),
        ("Ada;Bo", "has several columns where the first row has one."),
        ("Ada,Bo", "has 2 columns where the first row has 1."),
    ],
)
def test_a_faulty_row_is_told_by_its_number_and_the_others_are_read(row: str, says: str) -> None:
    found = read(f"name\nEva\n{row}\nBo")
    [only] = found.faults
    assert only.where == "row 3"
    assert says in only.problem
    assert row.strip('"') not in str(only)
    assert [pupil.name for pupil in found.pupils] == ["Eva", "Bo"]


def test_two_pupils_may_have_one_name_and_the_teacher_is_told_the_row() -> None:
    found = read("Anna Nowak\nBo\nANNA NOWAK")
    assert len(found.pupils) == 3
    assert found.repeated == (3,)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "has no names."),
        (b"\n\n", "has no names."),
        (b"name\n", "has a header and no names."),
        (b"PK\x03\x04", "is no spreadsheet that can be read, or has a password."),
        (xlsx({"Sheet1": []}), "has no names."),
        (b"x" * (LARGEST + 1), "is larger than 1 MiB"),
    ],
)
def test_what_is_no_list_is_told(content: bytes, says: str) -> None:
    assert says in fault(content)


def test_nobody_is_named_where_a_pupil_is_shown() -> None:
    assert "Ada" not in repr(read("Ada Quick"))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_or_told_why_not(content: bytes) -> None:
    try:
        found = read(content)
    except InvalidInput:
        return
    assert found.pupils or found.faults
    assert all(0 < len(pupil.name) <= 120 for pupil in found.pupils)


SHEET: list[list[Cell]] = [
    ["Nr", "Vorname", "Nachname", None],
    [1.0, "Zoë", "Müller"],
    [None],
    [2.0, "Łucja", "Źdźbło"],
    [3.0, None, None],
]


@pytest.mark.parametrize("packed", [xlsx({"Class": SHEET, "Other": [["x"]]}), ods(SHEET)])
def test_a_spreadsheet_is_read_like_its_csv(packed: bytes) -> None:
    listed = read(packed)
    assert [(pupil.row, pupil.name) for pupil in listed.pupils] == [(2, "Zoë Müller"), (4, "Łucja Źdźbło")]
    assert [one.where for one in listed.faults] == ["row 5"]
    assert listed.encoding == SPREADSHEET


@pytest.mark.slow
def test_a_spreadsheet_that_unpacks_without_end_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("content.xml", b" " * (LARGEST_UNPACKED + 1))
    assert "is larger than 64 MiB when it is unpacked." in fault(packed.getvalue())


@pytest.mark.parametrize(("rows", "columns"), [(2, 1_000_000), (1_000_000, 2), (1_048_576, 16_384)])
def test_a_cell_that_is_repeated_without_end_is_refused(rows: int, columns: int) -> None:
    repeated = (
        f'<table:table-row table:number-rows-repeated="{rows}"><table:table-cell office:value-type="string"'
        f' table:number-columns-repeated="{columns}"><text:p>x</text:p></table:table-cell></table:table-row>'
    )
    packed = ods([["x"]], more=repeated)
    assert "has more cells than any table here." in fault(packed)


def test_a_cell_at_the_far_end_of_a_spreadsheet_is_refused() -> None:
    packed = rewritten(xlsx({"Sheet1": [["x"], ["y"]]}), b'r="A2"', b'r="XFD1048576"')
    assert "has a cell so far to the right or down" in fault(packed)
    near = rewritten(xlsx({"Sheet1": [["x"], ["Ada Lis"]]}), b'r="A2"', b'r="A40"')
    assert [pupil.row for pupil in read(near, header=False).pupils] == [1, 40]


def rewritten(packed: bytes, old: bytes, new: bytes) -> bytes:
    """The same archive with a piece of its files changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, zipfile.ZipFile(out, "w") as changed:
        for name in archive.namelist():
            changed.writestr(name, archive.read(name).replace(old, new))
    return out.getvalue()
