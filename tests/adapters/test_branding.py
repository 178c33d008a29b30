"""An organisation's papers wear its own drawings and words, everybody else's stay as they are."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from adapters.branding import check_branding, forget_branding
from adapters.languages.own_words import LONGEST, read_words
from adapters.languages.wording import texts
from adapters.papers.certificates import Stamping, render_certificate
from adapters.papers.letters import render_letter
from labels.errors import InvalidInput
from labels.papers.facts import Label, LetterKind
from tests.support.papers import certificate, letter, text_of

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><rect width="100" height="100" fill="#ff0000"/></svg>'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LABELS_BRANDING", str(tmp_path))
    monkeypatch.setenv("LABELS_ENV_FILE", "")
    _forget()
    yield tmp_path
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    from adapters.press.pdf import press_of

    forget_branding()
    texts.cache_clear()
    press_of.cache_clear()


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


@pytest.mark.parametrize(
    ("name", "content"), [("emblem-national.svg", SVG), ("emblem-national.png", png("red"))]
)
def test_an_emblem_is_on_the_papers_of_its_organisation_alone(
    folder: Path, name: str, content: str | bytes
) -> None:
    put(folder, f"NSS-PL/art/{name}", content)
    assert check_branding() == ["NSS-PL"]
    assert drawn_red(render_certificate(certificate(issuer="NSS-PL")))
    assert drawn_red(render_letter(letter(LetterKind.AWARD, issuer="NSS-PL")))
    assert not drawn_red(render_certificate(certificate(issuer="NSS-CZ")))
    assert not drawn_red(render_certificate(certificate()))


def test_who_has_none_of_their_own_wears_what_is_for_all(folder: Path) -> None:
    put(folder, "all/art/emblem-national.svg", SVG)
    (folder / "NSS-CZ" / "art").mkdir(parents=True)
    assert drawn_red(render_certificate(certificate(issuer="NSS-PL")))
    assert not drawn_red(render_certificate(certificate(issuer="NSS-CZ")))


def test_a_stamped_certificate_wears_what_a_printed_one_does(folder: Path) -> None:
    put(folder, "NSS-PL/art/emblem-pupil.svg", SVG)
    put(folder, "NSS-PL/texts/en.po", catalogue(("pupil certificate", "is awarded to", "is given to")))
    many = [
        certificate(label=Label.PUPIL, holder=name, issuer=issuer)
        for name, issuer in (("Ana", "NSS-PL"), ("Bo", "NSS-CZ"), ("Cai", "NSS-PL"), ("Dee", "NSS-CZ"))
    ]
    assert Stamping().print(many, [None] * 4) == list(map(render_certificate, many))
    assert "is given to" in text_of(render_certificate(many[0]))
    assert "is awarded to" in text_of(render_certificate(many[1]))


def test_words_are_replaced_in_their_language_alone(folder: Path) -> None:
    put(
        folder,
        "NSS-PL/texts/pl.po",
        catalogue(("national certificate", "is awarded to", "otrzymuje z uznaniem")),
    )
    own = certificate(issuer="NSS-PL", language="pl")
    assert "otrzymuje z uznaniem" in text_of(render_certificate(own))
    assert "is awarded to" in text_of(render_certificate(certificate(issuer="NSS-PL", language="en")))


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


def test_everything_that_is_wrong_is_told_before_anything_is_printed(folder: Path) -> None:
    put(folder, "NSS-PL/art/emblem-national.svg", "<svg")
    put(folder, "NSS-CZ/texts/cs.po", catalogue(("certificate", "Logo", "Logo")))
    with pytest.raises(InvalidInput) as refused:
        check_branding()
    assert {fault.where.partition(" ")[0] for fault in refused.value.faults} == {
        "NSS-PL/art/emblem-national.svg",
        "NSS-CZ/texts/cs.po",
    }
