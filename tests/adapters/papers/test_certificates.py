"""A certificate shows the whole of every name, in every script, in its place on one page."""

from __future__ import annotations

import io
import logging
import shutil
import subprocess
import xml.etree.ElementTree as ET
from datetime import date
from typing import Any

import pikepdf
import pytest
from pypdf import PdfReader

from adapters.papers.certificates import SHEET, render_certificate, render_certificates
from adapters.papers.fitting import Room, fit
from adapters.press.pdf import press
from labels.kinds import CERTIFIED, LabelKind
from tests.support.papers import certificate, text_of

NAMES = {
    "two letters": "Bo",
    "Latin": "Zsófia Kovács-Ștefănescu",
    "Greek": "Αικατερίνη Παπαδοπούλου",
    "Cyrillic": "Олександра Ґудзь-Їжакевич",
    "Georgian": "ნინო გელაშვილი",
    "Armenian": "Անահիտ Տեր-Պետրոսյան",
    "mixed": "Μαρία O’Neill-Ђорђевић",
    "120 Latin": "Maria de los Ángeles Fernández-Villaverde y Ruiz de la Prada, condesa viuda de Åkerström af Þingvellir og Łódź-Świętokrz",
    "120 Greek": "Αικατερίνη-Ευαγγελία Παπαδοπούλου-Χατζηαντωνίου του Κωνσταντίνου και της Αλεξάνδρας Παπακωνσταντίνου-Βαρθολομαίου Γεωργ",
    "120 without a break": "W" * 120,
    "200 without a break": "Щ" * 200,
    "combining marks": "Q\u0307\u0323uyê\u0303n Łu\u0328kasz",
}


def squeezed(text: str) -> str:
    return "".join(text.split())


def words_with_boxes(pdf: bytes) -> list[tuple[float, float, float, float, str]]:
    """Every word with its box in points, as poppler sees it."""
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not installed (Debian: poppler-utils)")
    done = subprocess.run(["pdftotext", "-bbox", "-", "-"], input=pdf, capture_output=True, check=True)
    root = ET.fromstring(done.stdout.decode())
    return [
        (
            float(w.attrib["xMin"]),
            float(w.attrib["yMin"]),
            float(w.attrib["xMax"]),
            float(w.attrib["yMax"]),
            w.text or "",
        )
        for w in root.iter("{http://www.w3.org/1999/xhtml}word")
    ]


@pytest.mark.sampled
@pytest.mark.parametrize("kind", NAMES)
def test_a_name_is_whole_and_inside_the_frame(kind: str) -> None:
    holder = certificate(holder=NAMES[kind]).holder
    pdf = render_certificate(certificate(holder=holder))
    assert squeezed(holder) in squeezed(text_of(pdf))
    assert len(PdfReader(io.BytesIO(pdf)).pages) == 1
    left, right = (62 + 16.1) / 25.4 * 72, (297 - 16.1) / 25.4 * 72
    for x, _, end, _, word in words_with_boxes(pdf):
        if squeezed(word) and squeezed(word) in squeezed(holder):
            assert left <= x < end <= right, word


@pytest.mark.slow
def test_an_arabic_certificate_is_mirrored_and_whole() -> None:
    pdf = render_certificate(certificate(holder="فاطمة الزهراء بن عاشور", language="ar"))
    reader = PdfReader(io.BytesIO(pdf))
    assert str(reader.root_object["/Lang"]) == "ar"
    (number,) = [box for box in words_with_boxes(pdf) if box[4] == "NQL-7KQ4M9XT2A"]
    assert number[0] > (297 - 62) / 25.4 * 72  # the band is on the right
    read = subprocess.run(["pdftotext", "-raw", "-", "-"], input=pdf, capture_output=True, check=True)
    assert "فاطمة" in read.stdout.decode()


@pytest.mark.slow
def test_everything_at_its_longest_still_fits_one_page_without_touching() -> None:
    long: dict[str, Any] = dict.fromkeys(
        [
            "holder",
            "school",
            "city",
            "country",
            "organisation",
            "coordinator",
            "coordinator_role",
            "criteria_set",
        ],
        ("Ministry of Éducation " * 20)[:200],
    )
    pdf = render_certificate(certificate(**long, project=("Learning together across rivers " * 20)[:300]))
    assert len(PdfReader(io.BytesIO(pdf)).pages) == 1
    for x, y, end, bottom, word in words_with_boxes(pdf):
        assert 0 <= x < end <= 842, word
        assert 0 <= y < bottom <= 595 - 20, word
    boxes = [b for b in words_with_boxes(pdf) if b[0] > (62 + 16) / 25.4 * 72]
    for a in boxes:
        for b in boxes:
            if a < b:
                across = min(a[2], b[2]) - max(a[0], b[0])
                down = min(a[3], b[3]) - max(a[1], b[1])
                height = min(a[3] - a[1], b[3] - b[1])
                assert across <= 0.5 or down <= height * 0.45, (a, b)  # line boxes may overlap, letters not


@pytest.mark.parametrize("language", ["en", "ar", "ka"])
def test_nothing_stands_where_a_printer_may_not_reach(language: str) -> None:
    coded = {"code": "7KQ4-M9XT-2A5B", "check_url": "https://labels.example.eu/verify"}
    edge = 5 / 25.4 * 72
    for x, y, end, bottom, word in words_with_boxes(
        render_certificate(certificate(language=language, **coded))
    ):
        assert edge <= x <= end <= 842 - edge, word
        assert edge <= y <= bottom <= 595 - edge, word


@pytest.mark.sampled
@pytest.mark.parametrize("language", ["en", "ar", "de", "el", "hy", "ka", "pt"])
def test_no_text_is_too_small_to_be_read_on_paper(language: str) -> None:
    """Eight points, the size of a footnote, also for the address and the criteria set."""
    coded = {"code": "7KQ4-M9XT-2A5B-C8DW", "check_url": "https://labels.etwinning.example.eu/verify"}
    sizes: dict[str, float] = {}

    def look(text: str, cm: list[float], tm: list[float], font: object, size: float) -> None:
        if text.strip():
            sizes[text.strip()] = size * abs(tm[3]) * abs(cm[3])

    content = render_certificate(certificate(language=language, **coded))
    PdfReader(io.BytesIO(content)).pages[0].extract_text(visitor_text=look)
    assert len(sizes) > 10
    assert {text: size for text, size in sizes.items() if size < 8} == {}


def test_a_longer_name_is_never_set_larger() -> None:
    room = Room("holder", 187, 25, 40, 25, leading=1.12)
    names = [
        "Ana",
        "Ana Maria Kovács",
        "Ana Maria Kovács " * 3,
        "Ana Maria Kovács " * 7,
        "Ana Maria Kovács " * 11,
    ]
    settings = fit([(name.strip(), room) for name in names], lambda runs: press().widths(runs, SHEET))
    sizes = [setting.size for setting in settings]
    assert sizes[0] == 40
    assert sizes == sorted(sizes, reverse=True)
    assert [len(setting.lines) for setting in settings][:2] == [1, 1]
    assert len(settings[-1].lines) > 1
    assert all(setting.height <= room.height for setting in settings)
    assert " ".join(settings[-1].lines) == names[-1].strip()


@pytest.mark.parametrize("label", CERTIFIED)
def test_every_label_has_its_certificate(label: LabelKind) -> None:
    text = text_of(render_certificate(certificate(label=label, project="Rivers")))
    assert {"national": "National", "european": "European", "pupil": "Pupil", "school": "School"}[
        label
    ] in text


def test_a_school_label_that_begins_after_its_award_says_from_when_until_when() -> None:
    days = {"valid_from": date(2026, 11, 1), "valid_until": date(2028, 10, 31)}
    text = text_of(render_certificate(certificate(label="school", project="", **days)))
    assert squeezed("1 November 2026 – 31 October 2028") in squeezed(text)


def test_the_title_and_the_metadata_are_those_of_the_award() -> None:
    reader = PdfReader(io.BytesIO(render_certificate(certificate())))
    assert reader.metadata is not None
    assert reader.metadata.title == "National Quality Label – Zsófia Kovács-Ștefănescu"
    assert reader.metadata.author == "National Support Organisation Hungary"
    assert "14 October 2026" in text_of(render_certificate(certificate()))


def test_a_language_without_a_catalogue_is_answered_in_english_throughout() -> None:
    text = text_of(render_certificate(certificate(label="pupil", language="xx", country="DE")))
    for said in ("Pupil Quality Label", "Date of award", "14 October 2026", "Szeged, Germany"):
        assert said in text


@pytest.mark.slow
def test_weasyprint_finds_nothing_to_warn_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="weasyprint"):
        render_certificate(certificate())
        render_certificate(certificate(language="ar"))
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.slow
def test_certificates_that_are_laid_out_together_are_the_same_as_one_by_one() -> None:
    names = ["Zsófia Kovács", "Αικατερίνη Παπαδοπούλου", "ნინო გელაშვილი", "فاطمة الزهراء"]
    facts = [certificate(label="pupil", holder=name, criteria_set="") for name in names]
    each, together = render_certificates(facts)
    assert each == [render_certificate(one) for one in facts]
    pages = PdfReader(io.BytesIO(together)).pages
    assert [squeezed(name) in squeezed(page.extract_text()) for name, page in zip(names, pages, strict=True)][
        :3
    ] == [True] * 3
    assert len(together) < sum(map(len, each))  # fonts and art are in it once


def test_the_file_for_printing_says_no_name_of_itself() -> None:
    facts = [certificate(label="pupil", holder=name) for name in ("Ada Quick", "Bo Slow")]
    reader = PdfReader(io.BytesIO(render_certificates(facts)[1]))
    assert reader.metadata is not None
    assert reader.metadata.title == "Pupil Quality Label (2)"
    assert "Ada" not in str(reader.metadata) + str(reader.root_object.get("/Outlines"))


def test_certificates_of_several_labels_are_not_laid_out_together() -> None:
    with pytest.raises(ValueError, match="one label"):
        render_certificates([certificate(), certificate(label="pupil")])


CREDENTIAL = '{"@context": ["https://www.w3.org/ns/credentials/v2"], "name": "Zsófia"}'.encode()


def test_the_credential_is_attached_as_pdf_a_3_asks() -> None:
    with pikepdf.open(io.BytesIO(render_certificate(certificate(), CREDENTIAL))) as pdf:
        attached = pdf.attachments["credential.json"]
        assert attached.get_file().read_bytes() == CREDENTIAL
        assert attached.get_file().mime_type == "application/ld+json"
        assert attached.description == "National Quality Label, NQL-7KQ4M9XT2A (JSON-LD)"
        assert attached.obj.AFRelationship == "/Data"
        assert [one.objgen for one in pdf.Root.AF] == [attached.obj.objgen]
        stream = attached.obj.EF.F
        assert str(stream.Params.ModDate) == str(stream.Params.CreationDate) == "D:20261014000000Z"
        assert int(stream.Params.Size) == len(CREDENTIAL)


@pytest.mark.slow
def test_each_of_many_carries_its_own_credential_and_the_file_for_printing_none() -> None:
    facts = [certificate(label="pupil", holder=name) for name in ("Ada Quick", "Bo Slow", "Cy Late")]
    credentials = [CREDENTIAL, None, b"{}"]
    each, together = render_certificates(facts, credentials)
    assert each == list(map(render_certificate, facts, credentials))
    carried = [list(PdfReader(io.BytesIO(pdf)).attachments) for pdf in (*each, together)]
    assert carried == [["credential.json"], [], ["credential.json"], []]
