"""The door to WeasyPrint: what it lets through, what it prints, and that it prints it the same each time."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest

from adapters.press.pdf import ART, AssetDoor, Press, RefusedAddress, press, subsets_with_harfbuzz
from labels.settings import PROJECT

SHEET = PROJECT / "templates" / "certificates" / "certificate.css"


def page(body: str) -> str:
    return f'<html lang="en"><head><title>A page</title></head><body>{body}</body></html>'


def test_the_harfbuzz_subsetter_is_loaded_because_without_it_nothing_is_deterministic() -> None:
    assert subsets_with_harfbuzz()


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://127.0.0.1:1/x",
        "https://example.org/x.svg",
        "ftp://example.org/x.svg",
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>",
        "asset:../../../pyproject.toml",
        "asset:/etc/passwd",
        "asset:%2e%2e/make_art.py",
        "asset:band-national.svg/../../make_art.py",
        "asset:",
        "asset:make_art.py",
        "ASSET:band-national.svg",
        "band-national.svg",
        "",
    ],
)
def test_every_address_but_the_name_of_an_asset_is_refused(address: str) -> None:
    door = AssetDoor(ART)
    with pytest.raises(ValueError, match="refused"):
        door.fetch(address)
    assert door.refused == [address]


def test_an_asset_comes_with_its_content_and_type() -> None:
    response = AssetDoor(ART).fetch("asset:emblem-national.svg")
    assert response.content_type == "image/svg+xml"
    assert response.read() == (ART / "emblem-national.svg").read_bytes()


def test_a_link_that_leads_out_of_the_folder_is_not_an_asset(tmp_path: Path) -> None:
    secret = tmp_path / "secret.svg"
    secret.write_text("<svg/>")
    art = tmp_path / "art"
    art.mkdir()
    (art / "good.svg").write_text("<svg/>")
    (art / "sly.svg").symlink_to(secret)
    door = AssetDoor(art)
    assert set(door.assets) == {"good.svg"}
    with pytest.raises(ValueError, match="refused"):
        door.fetch("asset:sly.svg")


def test_a_page_that_asks_for_anything_else_is_not_printed() -> None:
    with pytest.raises(RefusedAddress, match="file:///etc/hostname"):
        press().print(page('<img alt="" src="file:///etc/hostname">'), SHEET)
    assert press().print(page("<p>the next page is not harmed</p>"), SHEET).startswith(b"%PDF-1.7")


def test_a_width_is_measured_with_joining_letters_and_grows_with_the_text() -> None:
    one, two, joined, apart = press().widths(
        [("holder", "Zoë"), ("holder", "Zoë Zoë"), ("holder", "بيت"), ("holder", "ب ي ت")], SHEET
    )
    assert 0 < one < two / 2 < two
    assert joined < apart


PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from tests.support.papers import certificate, letter
from adapters.papers.certificates import render_certificate
from adapters.papers.letters import render_letter
import hashlib
facts = certificate(code="7KQ4-M9XT-2A5B", check_url="https://labels.example.eu/verify")
for paper in {order}:
    pdf = render_certificate(facts, b"{{}}") if paper == "certificate" else render_letter(letter())
    print(paper, hashlib.sha256(pdf).hexdigest())
"""


@pytest.mark.slow
def test_the_same_facts_give_the_same_bytes_in_any_process_time_zone_locale_and_order(tmp_path: Path) -> None:
    worlds = [
        ("Pacific/Kiritimati", "C", "0", ["certificate", "letter", "certificate"]),
        ("America/Adak", "C.UTF-8", "12345", ["letter", "certificate"]),
    ]
    digests: set[tuple[str, str]] = set()
    for zone, locale, seed, order in worlds:
        program = PROGRAM.format(root=str(PROJECT), order=order)
        environment = os.environ | {"TZ": zone, "LC_ALL": locale, "PYTHONHASHSEED": seed, "LANG": locale}
        environment |= {"HOME": str(tmp_path), "FONTCONFIG_FILE": "/nowhere.conf", "TMPDIR": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        digests |= {(line.split()[0], line.split()[1]) for line in done.stdout.splitlines()}
    assert {paper for paper, _ in digests} == {"certificate", "letter"}
    assert len(digests) == 2, digests


def test_a_fresh_press_prints_what_the_warm_one_prints() -> None:
    html = page("<h1>Ţăranu – Ελλάδα – საქართველო</h1>")
    printed = {hashlib.sha256(p.print(html, SHEET)).hexdigest() for p in (Press(), press(), press())}
    assert len(printed) == 1


def test_the_file_says_pdf_a_and_pdf_ua_and_carries_what_they_ask_for() -> None:
    with pikepdf.open(io.BytesIO(press().print(page("<p>x</p>"), SHEET))) as opened:
        with opened.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "3"
            assert metadata["pdfaid:conformance"] == "A"
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == "A page"
        assert str(opened.Root.Lang) == "en"
        assert bool(opened.Root.MarkInfo.Marked)
        assert bool(opened.Root.ViewerPreferences.DisplayDocTitle)
        assert str(opened.Root.OutputIntents[0].S) == "/GTS_PDFA1"
