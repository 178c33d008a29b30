"""Certificates for a class at the desk: a list is looked through, comes back as certificates, and is kept nowhere (A19)."""

from __future__ import annotations

import html
import io
import json
import logging
import os
import re
import tempfile
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from labels.record.schema import Award, Journal, KeptForm, PupilClass
from labels.turn import Door
from tests.cli.conftest import TEACHER, Terminal
from tests.desk.conftest import Browser, words
from tests.desk.test_case import decided
from tests.desk.test_signing_in import at
from tests.e2e.test_pupils import Heard, anywhere
from tests.support.workbooks import ods, xlsx

Opens = Callable[..., Browser]
AWARD = "NQL-CLASS00001"
PAGE = f"/classes/{AWARD}"
CANARIES = ["Wisława Brzęczyszczykiewicz", "Αικατερίνη Χατζηαντωνίου", "Kanarienvogel Quintillian"]


@pytest.fixture
def teacher(terminal: Terminal, browser: Opens) -> Browser:
    """A teacher who holds a label."""
    terminal.awarded_elsewhere(AWARD)
    return browser().signs_in(TEACHER)


def previews(person: Browser, names: str = "", **more: Any) -> Any:
    return person.sends(PAGE, {"names": names}, **more)


def carried(page: Any) -> dict[str, str]:
    """What the preview's form brings back."""
    [text] = re.findall(r'<textarea hidden name="carried">(.*?)</textarea>', page.text, re.S)
    return {"carried": html.unescape(text), "make": "1"}


def made(terminal: Terminal) -> list[PupilClass]:
    with terminal.here.record.reading() as session:
        return list(session.scalars(sa.select(PupilClass)))


def test_a19_a_pasted_list_is_shown_by_rows_with_what_is_odd(teacher: Browser, terminal: Terminal) -> None:
    page = previews(teacher, "name\nAnna Nowak\n\nJAN KOWALSKI\nŁucja\nanna nowak\n12345\nEwa 2 Zając\n")
    told = words(page)
    assert "Anna Nowak 2" in told
    assert "JAN KOWALSKI 4 is written in capitals" in told
    assert "Łucja 5 is a single word" in told
    assert "anna nowak 6 stands further up too" in told
    assert "Row 7 : has no letter in its name." in told or "Row 7: has no letter in its name." in told
    assert "Ewa 2 Zając 8 has a digit in it" in told
    assert "Make 5 certificates" in told
    assert page.headers["cache-control"] == "no-store"
    assert made(terminal) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("class.csv", "Vorname;Nachname\nAnna;Nowak\nJan;Kos\n".encode("windows-1250")),
        ("class.xlsx", xlsx({"Klasse": [["Vorname", "Nachname"], ["Anna", "Nowak"], ["Jan", "Kos"]]})),
        ("class.ods", ods([["Vorname", "Nachname"], ["Anna", "Nowak"], ["Jan", "Kos"]])),
    ],
)
def test_a19_a_file_of_each_kind_is_read(teacher: Browser, name: str, content: bytes) -> None:
    page = previews(teacher, files={"list": (name, content, "application/octet-stream")})
    assert json.loads(carried(page)["carried"]) == [[2, "Anna Nowak"], [3, "Jan Kos"]]


@pytest.mark.slow
def test_a19_the_certificates_come_at_once_in_one_file_and_are_counted(
    teacher: Browser, terminal: Terminal
) -> None:
    page = previews(teacher, "Anna Nowak\nJan Kos\n")
    answer = teacher.sends(PAGE, carried(page))
    assert answer.status_code == 200, words(answer)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    [one] = made(terminal)
    assert answer.headers["content-disposition"].startswith(f"attachment; filename={one.id}.zip") or (
        f"{one.id}.zip" in answer.headers["content-disposition"]
    )
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["row-001.pdf", "row-002.pdf", f"{one.id}-print.pdf"]
        assert archive.read("row-001.pdf").startswith(b"%PDF")
    assert (one.pupils, one.made_at is not None) == (2, True)
    with terminal.here.record.reading() as session:
        entry = session.scalars(sa.select(Journal).where(Journal.what.contains("class"))).one()
    assert (entry.details["pupils"], entry.details["door"]) == (2, Door.DESK.value)
    assert one.id in words(teacher.opens("/classes"))


@pytest.mark.slow
def test_a19_no_name_is_left_anywhere_whether_certificates_were_made_or_not(
    teacher: Browser, terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, heard = tmp_path / "temporary", tmp_path / "heard"
    for folder in (temporary, heard):
        folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    handler = Heard(heard / "all.log")
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    written: list[str] = []
    opening = os.open

    def watched(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written.append(str(path))
        return opening(path, flags, *rest, **more)

    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", watched)
            padding = "\n".join(f"Pupil {'Ab'[n % 2]}cd Number" for n in range(5_000)).encode()
            big = (
                "\n".join(CANARIES).encode() + b"\n" + padding
            )  # larger than what other forms keep in memory
            assert len(big) > 65_536
            sent = previews(teacher, files={"list": ("class.csv", big, "text/csv")})
            assert sent.status_code == 422, "too many for one class"
            page = previews(teacher, "\n".join(CANARIES))
            assert CANARIES[0] in words(page)
            with patch.context() as broken:
                broken.setattr("adapters.papers.certificates.render_certificates", _says_names)
                failed = teacher.sends(PAGE, carried(page))
                assert failed.status_code == 409
            with patch.context() as broken:
                broken.setattr("desk.classes.looked_through", _says_names)
                assert teacher.sends(PAGE, carried(page)).status_code in (409, 500)
            late = at(teacher, timedelta(hours=13))
            lapsed = late.sends(PAGE, carried(page), token=teacher.token("/account"))
            assert lapsed.status_code == 303
            assert teacher.sends(PAGE, carried(page)).status_code == 200
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    with terminal.here.record.reading() as session:
        assert session.scalars(sa.select(KeptForm)).all() == []
    home = terminal.here.settings.home
    assert anywhere(CANARIES, [home, temporary, heard, terminal.folder]) == []
    assert not [one for one in written if one.startswith(str(temporary))], (
        "nothing passed through a temporary file"
    )


def _says_names(*_: Any, **__: Any) -> Any:
    raise ValueError(f"no room for {CANARIES!r}")


def test_a19_a_list_that_can_not_be_read_says_what_to_do_and_keeps_what_was_typed(teacher: Browser) -> None:
    page = previews(teacher, "Anna;Nowak\nJan;Kos\n")
    assert page.status_code == 422
    assert "no header that tells which of them is the name" in words(page)
    assert "Anna;Nowak" in page.text
    assert "Make 2 certificates" in words(
        teacher.sends(PAGE, {"names": "Anna;Nowak\nJan;Kos\n", "column": "1"})
    )
    assert previews(teacher, "").status_code == 422
    zipped = previews(teacher, files={"list": ("x.xlsx", b"PK\x03\x04 broken", "x/y")})
    assert zipped.status_code == 422


def test_a19_another_teachers_label_is_answered_like_nothing(teacher: Browser, browser: Opens) -> None:
    stranger = browser().signs_in("t-2@school.example")
    assert stranger.opens(PAGE).status_code == stranger.opens("/classes/NQL-NOTHERE").status_code == 404
    assert stranger.sends(PAGE, {"names": "Anna Nowak"}).status_code == 404
    assert stranger.sends(PAGE, {"carried": '[[1, "Anna Nowak"]]', "make": "1"}).status_code == 404
    assert "No label yet" in words(stranger.opens("/classes"))


@pytest.mark.slow
def test_a19_hostile_forms_make_nothing(teacher: Browser, terminal: Terminal) -> None:
    for text in ("", "{", "[]", "[1]", '[["x", "y"]]', '{"a": 1}', "null", "[[1, 2, 3]]"):
        assert teacher.sends(PAGE, {"carried": text, "make": "1"}).status_code == 404, text
    assert (
        teacher.sends(PAGE, {"carried": '[[1, "Anna Nowak"]]', "make": "1"}, token="forged").status_code
        == 403
    )
    marked = previews(teacher, "<script>alert(1)</script> Nowak\n")
    assert "<script>alert(1)" not in marked.text
    large = previews(teacher, files={"list": ("class.csv", b"x" * (3 << 20), "text/csv")})
    assert large.status_code == 413
    assert made(terminal) == []


def test_a19_a_label_that_was_taken_back_gives_no_certificates(teacher: Browser, terminal: Terminal) -> None:
    with terminal.here.record.writing() as session:
        award = session.get_one(Award, AWARD)
        award.revoked_at = terminal.here.now()
    assert teacher.opens(PAGE).status_code == 404


@pytest.mark.slow
def test_an_awarded_application_leads_to_the_certificates_for_ones_pupils(
    terminal: Terminal, browser: Opens
) -> None:
    application = terminal.submitted()
    terminal.asked(application)
    person = browser().signs_in(TEACHER)
    page = f"/applications/{application}"
    assert "/classes/" not in person.opens(page).text.partition("<main")[2]
    decided(terminal, application)
    opened = person.opens(page)
    assert f'href="/classes/{application}"' in opened.text
    assert person.opens(f"/classes/{application}").status_code == 200
