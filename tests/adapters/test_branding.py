"""An organisation's papers have its own drawings and words, everybody else's stay as they are."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from adapters.branding import check_branding
from adapters.documents.opening import open_store
from adapters.languages.own_words import LONGEST, read_words
from adapters.papers.certificates import Stamping, render_certificate
from adapters.papers.issuing import make
from adapters.papers.letters import render_letter
from adapters.workspace import Workspace
from labels.clock import frozen_clock
from labels.errors import InvalidInput
from labels.kinds import LabelKind
from labels.papers.facts import LetterKind
from labels.papers.issued import DuePaper
from labels.record import Record
from labels.record.schema import PaperKind
from labels.settings import Settings
from tests.support.papers import certificate, letter, text_of
from tests.support.people import NOW

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><rect width="100" height="100" fill="#ff0000"/></svg>'


def put(folder: Path, name: str, content: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def catalogue(*messages: tuple[str, str, str]) -> str:
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
    return head + "".join(
        f'\nmsgctxt "{context}"\nmsgid "{english}"\nmsgstr "{own}"\n' for context, english, own in messages
    )


def png(colour: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (50, 50), colour).save(content, "PNG")
    return content.getvalue()


def drawn_red(pdf: bytes) -> bool:
    """Whether something on the page is filled with pure red."""
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf)) as opened:
        streams = [one for one in opened.objects if isinstance(one, pikepdf.Stream) and "/Filter" in one]
        for one in streams:
            if one.get("/Subtype") == "/Image" and set(one.read_bytes()) == {255, 0}:
                return True
            if b"1 0 0 rg" in one.read_bytes() or b"1 0 0 scn" in one.read_bytes():
                return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content"), [("emblem-national.svg", SVG), ("emblem-national.png", png("red"))]
)
def test_an_emblem_is_on_the_papers_of_its_organisation_alone(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    put(tmp_path, f"NSS-PL/art/{name}", content)
    assert check_branding(tmp_path) == ["NSS-PL"]
    assert drawn_red(render_certificate(certificate(issuer="NSS-PL"), None, tmp_path))
    assert drawn_red(render_letter(letter(LetterKind.AWARD, issuer="NSS-PL"), tmp_path))
    assert not drawn_red(render_certificate(certificate(issuer="NSS-CZ"), None, tmp_path))
    assert not drawn_red(render_certificate(certificate(), None, tmp_path))


@pytest.mark.slow
def test_who_has_none_of_their_own_has_what_is_for_all(tmp_path: Path) -> None:
    put(tmp_path, "all/art/emblem-national.svg", SVG)
    (tmp_path / "NSS-CZ" / "art").mkdir(parents=True)
    assert drawn_red(render_certificate(certificate(issuer="NSS-PL"), None, tmp_path))
    assert not drawn_red(render_certificate(certificate(issuer="NSS-CZ"), None, tmp_path))


@pytest.mark.slow
def test_workspaces_with_different_folders_print_in_one_process(tmp_path: Path) -> None:
    put(tmp_path / "one", "NSS-PL/art/emblem-national.svg", SVG)
    put(
        tmp_path / "one",
        "NSS-PL/texts/en.po",
        catalogue(("national certificate", "is awarded to", "is given to")),
    )
    put(
        tmp_path / "two",
        "NSS-PL/texts/en.po",
        catalogue(("national certificate", "is awarded to", "goes to")),
    )
    facts = certificate(issuer="NSS-PL")
    papers = {name: render_certificate(facts, None, tmp_path / name) for name in ("one", "two")}
    assert drawn_red(papers["one"])
    assert not drawn_red(papers["two"])
    assert "is given to" in text_of(papers["one"])
    assert "goes to" in text_of(papers["two"])
    assert "is awarded to" in text_of(render_certificate(facts))


@pytest.mark.slow
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_paper_has_what_the_folder_of_its_workspace_says(
    settings: Settings, record: Record, tmp_path: Path
) -> None:
    put(tmp_path / "own", "NSS-PL/texts/en.po", catalogue(("letter", "Dear {holder},", "Hello {holder},")))
    settings = settings.model_copy(update={"branding": tmp_path / "own"})
    here = Workspace(settings, record, open_store(settings), settings.key, frozen_clock(NOW))
    facts = letter(issuer="NSS-PL", language="en")
    made = make(here, DuePaper(PaperKind.LETTER, facts.application, "letter.pdf", 1, facts, False))
    assert "Hello " in text_of(here.documents.get(made.key))


@pytest.mark.slow
def test_a_stamped_certificate_has_what_a_printed_one_does(tmp_path: Path) -> None:
    put(tmp_path, "NSS-PL/art/emblem-pupil.svg", SVG)
    put(tmp_path, "NSS-PL/texts/en.po", catalogue(("pupil certificate", "is awarded to", "is given to")))
    many = [
        certificate(label=LabelKind.PUPIL, holder=name, issuer=issuer)
        for name, issuer in (("Ana", "NSS-PL"), ("Bo", "NSS-CZ"), ("Cai", "NSS-PL"), ("Dee", "NSS-CZ"))
    ]
    assert Stamping(tmp_path).print(many, [None] * 4) == [
        render_certificate(one, None, tmp_path) for one in many
    ]
    assert "is given to" in text_of(render_certificate(many[0], None, tmp_path))
    assert "is awarded to" in text_of(render_certificate(many[1], None, tmp_path))


@pytest.mark.slow
def test_words_are_replaced_in_their_language_alone(tmp_path: Path) -> None:
    put(
        tmp_path,
        "NSS-PL/texts/pl.po",
        catalogue(("national certificate", "is awarded to", "otrzymuje z uznaniem")),
    )
    own = certificate(issuer="NSS-PL", language="pl")
    assert "otrzymuje z uznaniem" in text_of(render_certificate(own, None, tmp_path))
    assert "is awarded to" in text_of(
        render_certificate(certificate(issuer="NSS-PL", language="en"), None, tmp_path)
    )


def test_words_for_a_text_that_is_said_otherwise_by_now_stand_for_the_present_one(tmp_path: Path) -> None:
    own = catalogue(
        ("letter", "Your way forward", "Drogi i możliwości"), ("letter", "Dear {holder},", "Dzień dobry!")
    )
    put(tmp_path, "NSS-PL/texts/pl.po", own)
    assert read_words(tmp_path)["NSS-PL", "pl"] == {
        ("letter", "What you can do now"): "Drogi i\xa0możliwości",
        ("letter", "Dear {holder},"): "Dzień dobry!",
    }


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (("national certificate", "is awarded two", "x"), "no text of a certificate"),
        (("nowhere", "is awarded to", "x"), "“nowhere”"),
        (("certificate", "Check it at {address}", "Look it up"), "{address}"),
        (("national certificate", "is awarded to", "is awarded to {holder}"), "none"),
        (("national certificate", "is awarded to", "授予"), "CJK"),
        (("national certificate", "is awarded to", "x" * (LONGEST + 1)), "too long"),
    ],
)
def test_words_that_no_paper_can_say_are_refused_by_file_and_text(
    tmp_path: Path, message: tuple[str, str, str], said: str
) -> None:
    put(tmp_path, "NSS-PL/texts/en.po", catalogue(message))
    with pytest.raises(InvalidInput) as refused:
        read_words(tmp_path)
    assert any(said in f"{fault.problem} {fault.remedy}" for fault in refused.value.faults)
    assert all(fault.where.startswith("NSS-PL/texts/en.po") for fault in refused.value.faults)


@pytest.mark.parametrize("name", ["english.po", "xx.po", "en.txt"])
def test_words_in_a_language_without_papers_are_refused(tmp_path: Path, name: str) -> None:
    put(tmp_path, f"NSS-PL/texts/{name}", catalogue())
    with pytest.raises(InvalidInput, match=r"LANGUAGE\.po"):
        read_words(tmp_path)


def test_everything_that_is_wrong_is_told_before_anything_is_printed(tmp_path: Path) -> None:
    put(tmp_path, "NSS-PL/art/emblem-national.svg", "<svg")
    put(tmp_path, "NSS-CZ/texts/cs.po", catalogue(("certificate", "Logo", "Logo")))
    with pytest.raises(InvalidInput) as refused:
        check_branding(tmp_path)
    assert {fault.where.partition(" ")[0] for fault in refused.value.faults} == {
        "NSS-PL/art/emblem-national.svg",
        "NSS-CZ/texts/cs.po",
    }
