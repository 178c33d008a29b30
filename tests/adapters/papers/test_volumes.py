"""Certificates bound for printing: what every page shows and says stays, what belongs to one certificate alone does not."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from adapters.papers.certificates import render_certificate
from adapters.papers.signing import signer_of
from adapters.papers.volumes import bind
from labels.settings import Settings
from tests.support.authority import authority
from tests.support.papers import certificate
from tests.support.pdf_report import wrong

CODED = {"code": "7KQ4-M9XT-2A5B", "check_url": "https://labels.example.eu/verify"}


def each() -> list[bytes]:
    """A certificate in one language, one in another that is read from the right, and one without a code."""
    facts = [
        certificate(holder="Ada Quick", **CODED),
        certificate(label="pupil", holder="فاطمة الزهراء", language="ar", criteria_set="", **CODED),
        certificate(label="european", holder="Bo Li"),
    ]
    return [render_certificate(one, b'{"id": 1}') for one in facts]


def said_by(tag: Any) -> Any:
    """A tag with its alternative text, and what hangs below it: the numbers of pieces of content are left as they are."""
    if not isinstance(tag, pikepdf.Dictionary):
        return int(tag)
    return str(tag.S), str(tag.get("/Alt")), [said_by(kid) for kid in tag.K]


def pages_of(document: bytes) -> list[Any]:
    """Each page's content and what its tags say, as they are found from the page itself."""
    with pikepdf.open(io.BytesIO(document)) as opened:
        numbers = opened.Root.StructTreeRoot.ParentTree.Nums
        found = dict(zip(map(int, list(numbers)[::2]), list(numbers)[1::2], strict=True))
        told = []
        for page in opened.pages:
            tags = found[int(page.obj.StructParents)]
            assert all(tag.Pg.objgen == page.obj.objgen for tag in tags)
            top = tags[0]
            while top.P.S != "/Document":
                top = top.P
            told.append((page.Contents.read_bytes(), said_by(top), list(map(said_by, tags))))
        return told


@pytest.mark.slow
def test_every_page_and_its_tags_are_those_of_its_certificate() -> None:
    alone = each()
    volume = bind(alone, "Three")
    assert pages_of(volume) == [pages_of(one)[0] for one in alone]
    assert wrong(volume) == []


def test_a_page_keeps_the_language_of_its_certificate() -> None:
    with pikepdf.open(io.BytesIO(bind(each(), "Three"))) as volume:
        assert str(volume.Root.Lang) == "en"
        assert [str(part.get("/Lang")) for part in volume.Root.StructTreeRoot.K[0].K] == ["None", "ar", "en"]


def test_a_volume_says_its_title_and_nothing_of_its_first_certificate() -> None:
    volume = bind(each(), "National Quality Label (3)")
    with pikepdf.open(io.BytesIO(volume)) as opened:
        assert str(opened.docinfo["/Title"]) == "National Quality Label (3)"
        said = str(opened.docinfo) + opened.Root.Metadata.read_bytes().decode()
        assert not opened.attachments
        assert "/AF" not in opened.Root
    assert "Ada" not in said
    assert certificate().application not in said


@pytest.mark.slow
def test_a_signed_certificate_is_bound_without_its_signature(tmp_path: Path) -> None:
    with authority() as made:
        settings = Settings(
            _env_file=None,
            home=tmp_path,
            signing_key=made.pkcs12(tmp_path / "key.p12"),
            signing_password="a password",
        )
        signer = signer_of(settings)
        assert signer is not None
        signed = [signer.sign(one, made.now) for one in each()]
    volume = bind(signed, "Three")
    assert pages_of(volume) == [pages_of(one)[0] for one in signed]
    assert wrong(volume) == []
    with pikepdf.open(io.BytesIO(volume)) as opened:
        assert "/AcroForm" not in opened.Root
        assert not any("/Annots" in page for page in opened.pages)


def test_a_volume_of_one_certificate_is_one() -> None:
    [first, *_] = each()
    assert pages_of(bind([first], "One")) == pages_of(first)


def test_the_same_certificates_give_the_same_bytes() -> None:
    alone = each()
    assert bind(alone, "Three") == bind(alone, "Three")
