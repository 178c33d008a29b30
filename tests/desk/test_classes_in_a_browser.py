"""A teacher with a class in a real browser: pages for everybody, and thirty certificates at a press."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal
from tests.desk.test_in_chromium import address, opened, signs_in
from tests.support.accessibility import violations
from tests.support.browser import CHROMIUM

__all__ = ["address"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

AWARD = "NQL-CLASS00001"
LIST = "\n".join(
    [*(f"Uczeń{chr(97 + n % 26)} Numer{chr(97 + n)}" for n in range(26)), "JAN KOS", "Ewa", "Łucja Z", "12"]
)


@pytest.fixture
def label(terminal: Terminal) -> Terminal:
    terminal.awarded_elsewhere(AWARD)
    return terminal


@pytest.mark.looks_at("/classes", "/classes/{award}")
@pytest.mark.parametrize(("width", "language"), [(1280, "en-GB"), (390, "en-GB"), (390, "ar-TN")])
def test_the_pages_of_a_class_are_for_everybody(
    label: Terminal, address: str, width: int, language: str
) -> None:
    with opened(address, width=width, language=language) as page:
        signs_in(page, label, address)
        for path in ("/classes", f"/classes/{AWARD}"):
            page.goto(address + path)
            assert violations(page) == [], path
        for names in (LIST, "Anna;Nowak", ""):
            page.fill("#names", names)
            page.click("form[enctype] button[type=submit]")
            page.wait_for_load_state()
            assert violations(page) == [], names
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), names


def test_certificates_are_downloaded_at_once(label: Terminal, address: str, tmp_path: Path) -> None:
    with opened(address) as page:
        signs_in(page, label, address)
        page.goto(f"{address}/classes/{AWARD}")
        page.fill("#names", LIST)
        page.click("form[enctype] button[type=submit]")
        page.wait_for_selector("text=One row gets no certificate")
        with page.expect_download() as waiting:
            page.click("text=Make 29 certificates", no_wait_after=True)
        waiting.value.save_as(tmp_path / "class.zip")
        with zipfile.ZipFile(tmp_path / "class.zip") as archive:
            assert len(archive.namelist()) == 30
