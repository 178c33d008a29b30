"""WeasyPrint's quick ways give byte for byte what its own give."""

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
from labels.papers.facts import Label
from labels.settings import PROJECT
from tests.support.papers import EVERY_LETTER, certificate, letter

# Only after our own module, which shows it our fonts.
from weasyprint.css import ComputedStyle  # isort: skip
from weasyprint.pdf import fonts  # isort: skip
from weasyprint.text import line_break  # isort: skip

STYLE = """
@page { size: A5; margin: 12mm; @bottom-right { content: counter(page) " of " counter(pages) } }
html { --ink: #204060; font: 11pt/1.4 "Noto Sans"; color: var(--ink); text-indent: calc(2% + 3px); letter-spacing: .02em }
em { font-variant-numeric: oldstyle-nums; letter-spacing: .1em } b { word-spacing: 1mm }
h1 { margin-block-start: 4mm; padding-inline-start: 7mm; border-inline-end: 1mm solid currentColor; text-decoration: underline }
h1 span { text-decoration: overline; direction: rtl; margin-inline-start: 3mm }
p { inset-inline-start: 2mm; position: relative; inline-size: 80%; max-block-size: 50mm }
p::before { content: "– "; float: left; margin-inline-end: 2mm }
ul { list-style: square inside; padding-inline-start: 9mm; border-start-end-radius: 2mm; border: .3mm dotted }
li[dir=rtl] { padding-inline-start: 4mm; margin-right: 1mm; text-indent: inherit; color: inherit; border-top: initial }
table { border-collapse: collapse; width: calc(100% - 10mm) } td { border-bottom: .2mm solid; vertical-align: top }
aside { page: aside; break-before: page; columns: 2; column-rule: .2mm solid }
"""
BODY = """
<h1>Word <i>in it</i> <span>word</span></h1><p>Text <em>within 12 <b>and 34 text</b></em> and on.</p>
<ul><li>One<li dir=rtl>Two<ul><li>Three</ul></ul>
<table><tr><th>Head<td>Cell<tr><td colspan=2><p dir=rtl>Cell</p></table>
<aside><p>Elsewhere</p><div style="display: flex; gap: 2mm"><i>a</i><i>b</i></div></aside>
"""


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_a_page_with_every_way_to_set_a_style(
    direction: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = tmp_path / "sheet.css"
    sheet.write_text(STYLE, encoding="utf-8")
    html = f"<html lang=en dir={direction}><title>Page</title><body>{BODY}"
    quick = pdf.Press().print(html, sheet)
    monkeypatch.setattr(pdf, "KNOWN", "another version")
    assert pdf.Press().print(html, sheet) == quick


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ar", "hy"])
def test_papers(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = [letter(kind, label=label, language=language) for kind, label in EVERY_LETTER]
    certificates = [certificate(label=label, language=language) for label in Label]
    quick = [*map(render_letter, letters), *map(render_certificate, certificates)]
    monkeypatch.setattr(pdf, "KNOWN", "another version")
    assert [*map(render_letter, letters), *map(render_certificate, certificates)] == quick


def test_weasyprint_is_as_it_was_before_and_after() -> None:
    def of_weasyprint() -> tuple[object, ...]:
        return fonts.ffi, line_break.pango, ComputedStyle.__missing__

    before = of_weasyprint()
    with pdf.press().alone():
        assert not set(map(id, before)) & set(map(id, of_weasyprint()))
        with pdf.press().alone():
            pass
        assert not set(map(id, before)) & set(map(id, of_weasyprint()))
    assert of_weasyprint() == before


def test_beside_another_weasyprint_its_inside_is_not_even_looked_at() -> None:
    program = """
import weasyprint, weasyprint.css
weasyprint.__version__ = "71.0"
del weasyprint.css.PHYSICAL_FUNCTIONS
weasyprint.css.PHYSICAL_FUNCTIONS_OF_71 = {}
from adapters.press import pdf
import sys
with pdf.press().alone():
    pass
assert "adapters.press.quick" not in sys.modules
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
