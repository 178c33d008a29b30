"""A letter says the decision, every reason and every way forward, on as many pages as it takes."""

from __future__ import annotations

import io
import logging
import re
from typing import Any

import pikepdf
import pytest
from pypdf import PdfReader

from adapters.papers.letters import render_letter
from labels.errors import InvalidInput
from labels.kinds import LabelKind
from labels.papers.facts import LetterKind
from tests.support.papers import EVERY_LETTER, letter, text_of


@pytest.mark.slow
def test_a_refusal_tells_points_comments_reasons_and_the_route_forward() -> None:
    text = text_of(render_letter(letter()))
    for said in (
        "Dear Zsófia Kovács-Ștefănescu,",
        "could not be awarded this time",
        "Collaboration between partner schools at least 3 needed 1.5 of 5",
        "Total 5.5 of 10",
        "Points needed for a label: 6.",
        "Reasons for the decision The total of 5.5 points is below the 6 that are needed.",
        "Form mixed teams.",
        "Proposals for improvement Let pupils evaluate the project.",
        "What you can do now You may apply once more until 30 June 2027.",
        "14 October 2026",
    ):
        assert said in text


def test_an_award_congratulates_and_names_no_failure() -> None:
    text = text_of(render_letter(letter(LetterKind.AWARD)))
    assert "Congratulations!" in text
    assert "could not be awarded" not in text


def test_an_ineligible_letter_says_what_to_do_for_each_condition() -> None:
    text = text_of(render_letter(letter(LetterKind.INELIGIBLE)))
    assert "The project has finished. What to do Apply again from April 2027 on." in text
    assert "The quality of your project has not been judged." in text


def test_a_receipt_proves_what_arrived_and_when() -> None:
    text = text_of(render_letter(letter(LetterKind.RECEIPT)))
    for said in (
        "Arrived: 14 October 2026, 09:30 (Brussels time)",
        "What you handed in File Size SHA-256 (its beginning)",
        "application.json 4 kB 0123456789abcdef Fotó a hídról.jpg 1.4 MB fedcba9876543210",
        "What happens next",
    ):
        assert said in text


def test_an_invitation_says_why_what_is_asked_and_until_when() -> None:
    text = text_of(render_letter(letter(LetterKind.INVITATION)))
    for said in (
        "Dear Ildikó Szűcs,",
        "The self-assessment is due by: 30 November 2026, 23:59 (Brussels time)",
        "Why your school is invited It has been registered for long enough.",
    ):
        assert said in text


@pytest.mark.sampled
@pytest.mark.parametrize("language", ["en", "pl", "ar"])
def test_a_letter_says_where_to_write_to(language: str) -> None:
    with_it = text_of(render_letter(letter(language=language, mailbox="nss@nss.example")))
    without = text_of(render_letter(letter(language=language)))
    assert "nss@nss.example" in with_it
    assert with_it.replace(" nss@nss.example", "", 1) == without


@pytest.mark.slow
@pytest.mark.parametrize("kind", [LetterKind.AWARD, LetterKind.REFUSAL])
def test_a_school_gets_a_letter_about_its_pillars_and_no_project(kind: LetterKind) -> None:
    text = text_of(render_letter(letter(kind, label=LabelKind.SCHOOL)))
    assert "Pillar Points" in text
    assert "eTwinning School Label" in text
    assert "eTwinning project" not in text
    assert "National Quality Label" not in text


@pytest.mark.parametrize("kind", [LetterKind.RECEIPT, LetterKind.INVITATION])
def test_a_name_that_cannot_be_printed_holds_up_no_application(kind: LetterKind) -> None:
    text = text_of(render_letter(letter(kind, holder="王", city="東京")))
    assert "Dear □," in text
    assert "□ stands for a character that cannot be printed in this letter" in text


@pytest.mark.slow
def test_a_long_letter_runs_over_pages_with_their_numbers_and_loses_no_word() -> None:
    evidence = "the evidence is on the third page of the blog. " * 12
    comments = [f"Remark {number}: {evidence}" for number in range(24)]
    pdf = render_letter(letter(comments=comments))
    pages = PdfReader(io.BytesIO(pdf)).pages
    assert len(pages) >= 4
    for number, page in enumerate(pages, 1):
        assert f"{number} / {len(pages)}" in page.extract_text()
    text = text_of(pdf)
    assert [int(n) for n in re.findall(r"Remark (\d+):", text)] == list(range(24))
    for number in range(1, len(pages) + 1):
        text = text.replace(
            f"NQL-7KQ4M9XT2A {number} / {len(pages)} ", ""
        )  # a page may end within a sentence
    assert text.count("third page of the blog.") == 24 * 12


def test_page_numbers_are_artifacts_and_every_other_text_hangs_in_the_tree() -> None:
    with pikepdf.open(io.BytesIO(render_letter(letter(comments=["word " * 900])))) as pdf:
        tree: dict[int, set[int]] = {}
        alt_missing = []

        def walk(element: Any, page: Any) -> None:
            if isinstance(element, pikepdf.Array):
                for kid in element:
                    walk(kid, page)
            elif isinstance(element, pikepdf.Dictionary):
                if element.get("/S") == "/Figure" and "/Alt" not in element:
                    alt_missing.append(element)
                here = element.get("/Pg", page)
                if "/K" in element:
                    walk(element.K, here)
            else:
                tree.setdefault(page.objgen[0], set()).add(int(element))

        walk(pdf.Root.StructTreeRoot.K, None)
        assert not alt_missing
        assert len(pdf.pages) >= 2
        parents = pdf.Root.StructTreeRoot.ParentTree.Nums
        for index, page in enumerate(pdf.pages):
            used = set()
            pagination = 0
            for instruction in pikepdf.parse_content_stream(page, "BDC"):
                if str(instruction.operator) == "BDC":
                    properties: Any = instruction.operands[1]
                    if "/MCID" in properties:
                        used.add(int(properties["/MCID"]))
                    pagination += properties.get("/Type") == "/Pagination"
            assert used == tree[page.obj.objgen[0]]
            assert pagination >= 2
            assert len(parents[2 * index + 1]) == max(used) + 1


@pytest.mark.parametrize("kind", [LetterKind.REFUSAL, LetterKind.RECEIPT])
def test_each_header_of_a_table_says_what_it_heads(kind: LetterKind) -> None:
    with pikepdf.open(io.BytesIO(render_letter(letter(kind)))) as pdf:
        headers = [
            (str(tag.P.P.S), str(tag.A.Scope))
            for tag in pdf.objects
            if isinstance(tag, pikepdf.Dictionary) and tag.get("/S") == "/TH"
        ]
    assert set(headers) == {("/THead", "/Column"), ("/TBody", "/Row")}


@pytest.mark.slow
def test_a_comment_with_emoji_and_foreign_letters_is_printed_and_says_what_is_missing() -> None:
    text = text_of(render_letter(letter(comments=["Well done 🎉 評価"])))
    assert "Well done [party popper] □□" in text
    assert "□ stands for a character that cannot be printed in this letter" in text
    assert "□" not in text_of(render_letter(letter()))


def test_a_name_that_cannot_be_printed_is_refused() -> None:
    with pytest.raises(InvalidInput, match="U\\+738B"):
        render_letter(letter(holder="王"))


@pytest.mark.slow
def test_weasyprint_finds_nothing_to_warn_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="weasyprint"):
        for kind, label in EVERY_LETTER:
            render_letter(letter(kind, label=label))
    assert [record.getMessage() for record in caplog.records] == []
