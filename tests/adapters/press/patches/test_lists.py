"""Lines whose lists end with them give byte for byte what WeasyPrint's own give, and leave nothing behind."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.papers.certificates import SHEET, render_certificate
from adapters.papers.letters import render_letter
from adapters.press import pdf
from labels.kinds import CERTIFIED
from labels.settings import PROJECT
from tests.support.papers import EVERY_LETTER, certificate, letter
from tests.support.patches import switch_off

# Only after our own module, which shows it our fonts.
from weasyprint.text import line_break  # isort: skip


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ar", "hy"])
def test_papers(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = [letter(kind, label=label, language=language) for kind, label in EVERY_LETTER]
    certificates = [certificate(label=label, language=language) for label in CERTIFIED]
    quick = [*map(render_letter, letters), *map(render_certificate, certificates)]
    switch_off(monkeypatch)
    assert [*map(render_letter, letters), *map(render_certificate, certificates)] == quick


def test_weasyprint_is_as_it_was_before_and_after() -> None:
    before = line_break.pango
    with pdf.press().alone():
        assert line_break.pango is not before
        with pdf.press().alone():
            pass
        assert line_break.pango is not before
    assert line_break.pango is before


@pytest.mark.slow
def test_beside_another_weasyprint_its_inside_is_not_even_looked_at() -> None:
    program = """
import weasyprint.text.line_break
del weasyprint.text.line_break.pango
from adapters import patches
patches.version = lambda name: "71.0"
from adapters.press import pdf
import sys
with pdf.press().alone():
    pass
assert not [name for name in sys.modules if name.startswith("adapters.press.patches.")]
"""
    subprocess.run([sys.executable, "-c", program], cwd=PROJECT, check=True)


@pytest.mark.slow
def test_a_line_of_fonts_that_keep_their_features_is_left_alone() -> None:
    """Freed with it, the features of the next line would be anybody's memory."""
    program = """
from adapters.press import pdf
with pdf.press().alone():
    for _ in range(3):
        html = pdf.weasyprint.HTML(string="<p style='font-variant-numeric: oldstyle-nums'>1 2 3" * 50)
        html.write_pdf()
"""
    subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, check=True, env=os.environ | {"MALLOC_PERTURB_": "165"}
    )


@pytest.mark.slow
def test_lines_leave_nothing_behind() -> None:
    """A line with features of a font kept 150 bytes for ever: six megabytes for so many."""

    def measure(lines: int) -> None:
        for _ in range(lines // 1000):
            pdf.press().widths([("holder", "Ada Quick")] * 1000, SHEET)

    measure(5000)
    before = resident()
    measure(40_000)
    assert resident() - before < 2 * 1024 * 1024


def resident() -> int:
    """Bytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
