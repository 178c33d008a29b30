"""The square code of a certificate is read by a telephone, and says no more than what stands under it."""

from __future__ import annotations

import io
import shutil
import subprocess

import pikepdf
import pytest
import zxingcpp
from PIL import Image

from adapters.papers.certificates import render_certificate
from adapters.press.codes import QUIET, SquareCode
from labels.kinds import CERTIFIED, LabelKind
from tests.support.papers import certificate, text_of

CODED = {"code": "7KQ4-M9XT-2A5B", "check_url": "https://labels.example.eu/verify"}
ADDRESS = "https://labels.example.eu/verify/7KQ4-M9XT-2A5B"


def picture_of(pdf: bytes, *, dots_an_inch: int = 100, grey: bool = False) -> Image.Image:
    """The first page as poppler paints it."""
    if not shutil.which("pdftoppm"):
        pytest.skip("pdftoppm is not installed (Debian: poppler-utils)")
    command = ["pdftoppm", "-r", str(dots_an_inch), "-png", "-singlefile", *(["-gray"] if grey else []), "-"]
    return Image.open(io.BytesIO(subprocess.run(command, input=pdf, capture_output=True, check=True).stdout))


def read(picture: Image.Image) -> list[str]:
    """What a reader of square codes finds in a picture."""
    return [found.text for found in zxingcpp.read_barcodes(picture)]


@pytest.mark.slow
@pytest.mark.parametrize("grey", [False, True], ids=["in colour", "in black and white"])
@pytest.mark.parametrize("label", CERTIFIED)
def test_the_code_on_the_printed_page_leads_to_the_check_page(label: LabelKind, grey: bool) -> None:
    pdf = render_certificate(certificate(label=label, **CODED))
    assert read(picture_of(pdf, grey=grey)) == [ADDRESS]


@pytest.mark.slow
def test_the_code_is_read_from_a_crooked_and_coarse_copy_too() -> None:
    page = picture_of(render_certificate(certificate(**CODED)), dots_an_inch=66, grey=True)
    copied = page.rotate(7, expand=True, fillcolor="white").point(lambda grey: 90 + grey // 2)
    assert read(copied) == [ADDRESS]


@pytest.mark.slow
@pytest.mark.parametrize("length", [1, 60, 200])
def test_an_address_of_any_length_is_read(length: int) -> None:
    url = ("https://labels.example.eu/" + "verify/" * 40)[: 25 + length].rstrip("/")[:200]
    pdf = render_certificate(certificate(code="7KQ4-M9XT-2A5B", check_url=url))
    assert read(picture_of(pdf, dots_an_inch=130)) == [f"{url}/7KQ4-M9XT-2A5B"]


def test_the_code_is_large_enough_and_has_its_quiet_zone() -> None:
    code = SquareCode.of(ADDRESS)
    runs = [tuple(map(int, run.split()[:4])) for run in code.path.splitlines()[:-1]]
    assert min(x for x, _, _, _ in runs) == min(y for _, y, _, _ in runs) == QUIET
    assert max(x + width for x, _, width, _ in runs) == code.modules - QUIET
    assert 36 * (code.modules - 2 * QUIET) / code.modules >= 26  # millimetres of the 36 that it is shown with


def test_code_and_address_can_be_read_by_eye_and_by_ear() -> None:
    pdf = render_certificate(certificate(**CODED))
    assert "7KQ4-M9XT-2A5B" in text_of(pdf)
    assert "Check it at labels.example.eu/verify" in text_of(pdf)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        figures = [
            thing
            for thing in opened.objects
            if isinstance(thing, pikepdf.Dictionary) and thing.get("/S") == "/Figure"
        ]
        assert [str(figure.Alt) for figure in figures] == [ADDRESS]


@pytest.mark.slow
def test_a_certificate_without_a_code_shows_none() -> None:
    pdf = render_certificate(certificate())
    assert "Verification code" not in text_of(pdf)
    assert read(picture_of(pdf)) == []
