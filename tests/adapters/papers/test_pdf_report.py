"""Papers hold all of PDF/A-3a and PDF/UA-1 that can be checked here; and the checks notice what is missing."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import pikepdf
import pytest

from adapters.papers.certificates import render_certificate, render_certificates
from adapters.papers.letters import render_letter
from labels.kinds import CERTIFIED, LabelKind
from labels.papers.facts import LetterKind
from tests.support.papers import certificate, letter
from tests.support.pdf_report import main, wrong

CODED = {"code": "7KQ4-M9XT-2A5B", "check_url": "https://labels.example.eu/verify"}


@pytest.mark.slow
@pytest.mark.parametrize("label", CERTIFIED)
def test_a_certificate_of_every_label_holds_what_can_be_checked(label: LabelKind) -> None:
    assert wrong(render_certificate(certificate(label=label, **CODED), b'{"id": 1}')) == []


@pytest.mark.slow
def test_a_certificate_from_right_to_left_and_one_in_two_lines_hold_it() -> None:
    arabic = certificate(holder="فاطمة الزهراء بن عاشور", language="ar", **CODED)
    assert wrong(render_certificate(arabic)) == []
    assert wrong(render_certificate(certificate(holder="Anna Maria " * 8, language="ka"))) == []


@pytest.mark.slow
def test_the_file_for_printing_and_letters_hold_it() -> None:
    class_of = [certificate(label="pupil", holder=name, **CODED) for name in ("Ada", "ნინო", "Bo " * 30)]
    assert wrong(render_certificates(class_of)[1]) == []
    for kind in LetterKind:
        assert wrong(render_letter(letter(kind))) == []


def _tags(pdf: pikepdf.Pdf, kind: str) -> list[Any]:
    return [one for one in pdf.objects if isinstance(one, pikepdf.Dictionary) and one.get("/S") == f"/{kind}"]


def _font(pdf: pikepdf.Pdf) -> Any:
    return next(iter(pdf.pages[0].obj.Resources.Font.values()))


def _drop_alternative(pdf: pikepdf.Pdf) -> None:
    del _tags(pdf, "Figure")[0]["/Alt"]


def _drop_letters(pdf: pikepdf.Pdf) -> None:
    del _font(pdf)["/ToUnicode"]


def _drop_font(pdf: pikepdf.Pdf) -> None:
    del _font(pdf).DescendantFonts[0].FontDescriptor["/FontFile2"]


def _drop_number(pdf: pikepdf.Pdf) -> None:
    numbers = pdf.Root.StructTreeRoot.ParentTree.Nums[1]
    del numbers[len(numbers) - 1]


def _swap_tags(pdf: pikepdf.Pdf) -> None:
    numbers = pdf.Root.StructTreeRoot.ParentTree.Nums[1]
    numbers[0], numbers[1] = numbers[1], numbers[0]


def _odd_tag(pdf: pikepdf.Pdf) -> None:
    _tags(pdf, "H1")[0].S = pikepdf.Name("/Title")


def _draw_loosely(pdf: pikepdf.Pdf) -> None:
    content = pdf.pages[0].Contents
    content.write(content.read_bytes() + b"\n0 0 5 5 re f")


def _use_cmyk(pdf: pikepdf.Pdf) -> None:
    content = pdf.pages[0].Contents
    content.write(content.read_bytes() + b"\n1 0 0 0 k")


def _drop_intent(pdf: pikepdf.Pdf) -> None:
    del pdf.Root["/OutputIntents"]


def _drop_language(pdf: pikepdf.Pdf) -> None:
    del pdf.Root["/Lang"]


def _other_title(pdf: pikepdf.Pdf) -> None:
    pdf.docinfo["/Title"] = "Another title"


def _other_standard(pdf: pikepdf.Pdf) -> None:
    metadata = pdf.Root.Metadata
    metadata.write(metadata.read_bytes().replace(b'conformance="A"', b'conformance="B"'))


def _other_file(pdf: pikepdf.Pdf) -> None:
    file = pdf.attachments["credential.json"].obj.EF.F
    file.write(b'{"id": 2}')


def _unrelated_file(pdf: pikepdf.Pdf) -> None:
    del pdf.Root["/AF"]


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        (_drop_alternative, "no alternative text"),
        (_drop_letters, "does not tell its letters"),
        (_drop_font, "is not embedded"),
        (_drop_number, "other pieces than the tree of numbers"),
        (_swap_tags, "looked up to another tag"),
        (_odd_tag, "Title is no standard tag"),
        (_draw_loosely, "neither tagged nor an artifact"),
        (_use_cmyk, "in CMYK"),
        (_drop_intent, "0 output intents"),
        (_drop_language, "language is not told"),
        (_other_title, "/Title is Another title"),
        (_other_standard, "conformance is B"),
        (_other_file, "not what was attached"),
        (_unrelated_file, "not in /AF"),
    ],
)
def test_what_is_missing_is_noticed(change: Callable[[pikepdf.Pdf], None], noticed: str) -> None:
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(_sound())) as pdf:
        change(pdf)
        pdf.save(written)
    assert noticed in " ".join(wrong(written.getvalue()))


@cache
def _sound() -> bytes:
    """One certificate for all changes."""
    return render_certificate(certificate(**CODED), b'{"id": 1}')


def test_the_report_can_be_read(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sound.pdf").write_bytes(_sound())
    (tmp_path / "none.pdf").write_bytes(b"no PDF")
    assert main([str(tmp_path / "sound.pdf")]) == 0
    assert main([str(tmp_path / "none.pdf")]) == 1
    told = capsys.readouterr().out
    assert "ok     pikepdf   it says PDF/A-3a and PDF/UA-1" in told
    assert "cannot be opened" in told
    assert "not checked:" in told
