"""A teacher's class: from a list out of a spreadsheet to certificates, and to a count in the record."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

import usecases.printing
from adapters.fonts import missing_characters
from adapters.mail.folder import MailFolder, codes_in, plain_text
from labels.pupil_label.names import read_names
from labels.pupil_label.report import ClassReport
from labels.record.journal import Event
from labels.record.schema import Award, Journal, PupilClass
from labels.settings import PROJECT
from tests.cli.conftest import TEACHER, Terminal
from tests.support.papers import text_of
from tests.support.typed import typed

AWARD = "NQL-0123456789"
NAMES = [
    "Zażółć Gęślą",
    "Αικατερίνη Παπαδοπούλου",
    "Ґанна Їжак",
    "ნინო გელაშვილი",
    "Անահիտ Տեր-Պետրոսյան",
    "فاطمة",
]


@pytest.fixture
def awarded(terminal: Terminal) -> Terminal:
    """A teacher who holds a label."""
    terminal.awarded_elsewhere(AWARD)
    return terminal


def mailed_code(terminal: Terminal) -> str:
    """The code in the newest mail, after it was asked for."""
    said = terminal.run("code", AWARD, "--as", TEACHER)
    assert said.exit_code == 0, said.output
    newest = MailFolder(terminal.here.settings.mail_folder).messages()[-1]
    return codes_in(plain_text(newest))[0]


def made(terminal: Terminal, code: str, *words: str, names: str = "") -> dict[str, Any]:
    terminal.file("names.csv", names or "\n".join(NAMES))
    found: dict[str, Any] = terminal.json(
        "pupils", AWARD, "names.csv", "out", "--as", TEACHER, "--code", code, *words
    )
    return found


def counted(terminal: Terminal) -> list[tuple[int, int, bool]]:
    with terminal.here.record.reading() as session:
        rows = session.execute(sa.select(PupilClass.pupils, PupilClass.left_out, PupilClass.made_at))
        return [(row.pupils, row.left_out, row.made_at is not None) for row in rows]


@pytest.mark.slow
def test_a_class_gets_a_zip_and_a_file_to_print_and_the_record_its_count(awarded: Terminal) -> None:
    done = made(awarded, mailed_code(awarded))
    archive, print_file = (awarded.folder / name for name in done["files"])
    with zipfile.ZipFile(archive) as opened:
        assert opened.namelist() == [f"row-{n:03}.pdf" for n in range(1, 7)]
        texts = [text_of(opened.read(name)) for name in opened.namelist()]
    for name, text in zip(NAMES[:5], texts, strict=False):
        assert name in text
        assert "Uczniowska Odznaka Jakości" in text  # its teacher speaks Polish
        assert "Mosty przez Europę" in text
        assert done["number"] in text
    assert len(PdfReader(io.BytesIO(print_file.read_bytes())).pages) == 6
    assert {path.stat().st_mode & 0o777 for path in (archive, print_file)} == {0o600}
    assert sorted(path.name for path in (awarded.folder / "out").iterdir()) == sorted(
        Path(name).name for name in done["files"]
    )
    assert counted(awarded) == [(6, 0, True)]
    with awarded.here.record.reading() as session:
        [entry] = session.scalars(sa.select(Journal).where(Journal.what == Event.CLASS_MADE))
    assert (entry.who, entry.details["pupils"], entry.details["number"]) == (TEACHER, 6, done["number"])


def test_a_faulty_row_is_left_out_and_named_by_its_number_alone(awarded: Terminal) -> None:
    awarded.file("names.csv", "name;class\nAda Quick;5b\n王小芳;5b\nBo;5b")
    said = awarded.run("pupils", AWARD, "names.csv", "out", "--as", TEACHER, "--code", mailed_code(awarded))
    assert said.exit_code == 0
    assert (
        "Left out: row 3 has a name with 3 characters that no bundled font can print (Chinese)."
        in said.stderr
    )
    assert not re.search("[王小芳]|Ada|Bo", said.output)
    assert counted(awarded) == [(2, 1, True)]


def test_a_strict_command_makes_none_and_its_code_still_works(awarded: Terminal) -> None:
    code = mailed_code(awarded)
    awarded.file("names.csv", "Ada Quick\n123")
    said = awarded.fails(2, "pupils", AWARD, "names.csv", "out", "--as", TEACHER, "--code", code, "--strict")
    assert "row 2: has no letter in its name." in said
    assert not (awarded.folder / "out").exists()
    assert made(awarded, code)["certificates"] == 6


@pytest.mark.slow
def test_the_same_list_twice_is_the_same_bytes_and_needs_a_code_each_time(awarded: Terminal) -> None:
    code = mailed_code(awarded)
    first = made(awarded, code)
    said = awarded.fails(3, "pupils", AWARD, "names.csv", "out", "--as", TEACHER, "--code", code)
    assert "This code was used 2026-03-16" in said
    assert f"labels code {AWARD} --as {TEACHER}" in said
    second = made(awarded, mailed_code(awarded))
    assert second["number"] != first["number"]
    assert counted(awarded) == [(6, 0, True), (6, 0, True)]


@pytest.mark.parametrize(
    ("award", "email", "code", "exit_code", "says"),
    [
        (AWARD, TEACHER, "AAAA-AAAA-AA", 3, "4 more tries"),
        (AWARD, "t-2@school.example", "", 3, "4 more tries"),
        ("NQL-NONE", TEACHER, "", 4, "There is no award NQL-NONE."),
    ],
)
def test_only_the_teacher_who_holds_the_award_is_served(
    awarded: Terminal, award: str, email: str, code: str, exit_code: int, says: str
) -> None:
    code = code or mailed_code(awarded)
    mailed_code(awarded)
    awarded.file("names.csv", "Ada Quick")
    said = awarded.run("pupils", award, "names.csv", "out", "--as", email, "--code", code)
    assert said.exit_code == exit_code
    assert says in said.stderr
    assert counted(awarded) == []


def test_a_code_is_mailed_to_the_teacher_alone(awarded: Terminal) -> None:
    said = awarded.fails(3, "code", AWARD, "--as", "t-2@school.example")
    assert said.strip() == f"t-2@school.example is not the teacher who holds {AWARD}."


def test_a_revoked_award_gives_no_certificates(awarded: Terminal) -> None:
    code = mailed_code(awarded)
    with awarded.here.record.writing() as session:
        session.get_one(Award, AWARD).revoked_at = awarded.here.now()
    awarded.file("names.csv", "Ada Quick")
    said = awarded.fails(3, "pupils", AWARD, "names.csv", "out", "--as", TEACHER, "--code", code)
    assert f"{AWARD} was revoked" in said


def test_too_long_a_list_is_told_before_anything_is_made(awarded: Terminal) -> None:
    awarded.file("names.csv", "Ada Quick\n" * 101)
    said = awarded.fails(
        2, "pupils", AWARD, "names.csv", "out", "--as", TEACHER, "--code", mailed_code(awarded)
    )
    assert "has 101 names; at most 100 are taken at a time. Make a list for each class." in said


def test_a_folder_that_cannot_be_written_leaves_the_code_and_the_count_as_they_were(
    awarded: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = mailed_code(awarded)

    def full(path: Path, content: bytes) -> None:
        if path.suffix == ".pdf":
            raise OSError(28, "No space left on device")
        path.write_bytes(content)

    with monkeypatch.context() as broken:
        broken.setattr(usecases.printing, "place", full)
        awarded.file("names.csv", "Ada Quick")
        said = awarded.run("pupils", AWARD, "names.csv", "out", "--as", TEACHER, "--code", code)
    assert said.exit_code == 5
    assert "No space left on device" in said.stderr
    assert list((awarded.folder / "out").iterdir()) == []
    assert counted(awarded) == [(1, 0, False)]
    assert made(awarded, code)["certificates"] == 6
    assert counted(awarded) == [(6, 0, True)]


def test_a_place_that_is_no_folder_is_told_before_anything_is_made(awarded: Terminal) -> None:
    awarded.file("names.csv", "Ada Quick")
    awarded.file("taken", "")
    code = mailed_code(awarded)
    for place in ("taken", "taken/below"):
        said = awarded.fails(2, "pupils", AWARD, "names.csv", place, "--as", TEACHER, "--code", code)
        assert "Name another folder." in said


def test_a_list_may_come_through_a_pipe(awarded: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["pupils", AWARD, "-", "out", "--as", TEACHER, "--code", mailed_code(awarded), "--json"]
    said = typed(*words, input="Ada Quick\nBo".encode("utf-16"))
    assert ClassReport.model_validate_json(said.stdout).certificates == 2


def test_another_file_is_told_from_a_list_and_costs_no_code(awarded: Terminal) -> None:
    code = mailed_code(awarded)
    awarded.file(
        "README.md", "# A project\n" + "".join(f"row {number}, with 100 % of a text\n" for number in range(9))
    )
    words = ("pupils", AWARD, "README.md", "out", "--as", TEACHER, "--code", code)
    said = awarded.fails(2, *words)
    assert "has more rows that are no names than names. Is it the right file?" in said
    awarded.file("README.md", "Ada Quick\nBo Slow\n")
    assert awarded.run(*words).exit_code == 0


def test_the_class_of_the_examples_reads_without_a_fault() -> None:
    listed = read_names((PROJECT / "examples/class.csv").read_bytes(), "IS", missing_characters)
    assert (len(listed.pupils), listed.faults, listed.encoding) == (8, (), "utf-8")
