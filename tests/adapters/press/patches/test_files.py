"""The objects of a file become the file that pydyf writes of them."""

from __future__ import annotations

import pytest

from adapters.papers.certificates import SHEET
from adapters.press.pdf import press

from adapters.press.patches.files import Objects  # isort: skip  # after the press, which shows WeasyPrint our fonts


@pytest.mark.slow
def test_a_file_is_written_as_pydyf_writes_it() -> None:
    for body in ("<h1>Ţăranu</h1>", "<p>x</p>" * 2000):
        html = f"<html lang=en><title>A page</title><body>{body}"
        written, pdf, _ = press().print_open(html, SHEET, {}, None)
        assert Objects.of(pdf).file({}) == written
