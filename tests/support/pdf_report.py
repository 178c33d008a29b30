"""What of PDF/A-3a and PDF/UA-1 can be checked here: by pikepdf, by pypdf, and in the structure itself.

    .venv/bin/python -m tests.support.pdf_report FILE…

This is no validator: veraPDF is, and it was not there to be asked. What is printed is what was looked at, and at
the end what was not.
"""

from __future__ import annotations

import hashlib
import io
import re
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
from fontTools.ttLib import TTFont
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, IndirectObject

UNCHECKED = (
    "every rule of ISO 19005-3 and ISO 14289-1: only those above were looked at",
    "whether colours, letters and pictures look right, and whether the words and alternative texts are good ones",
    "the ICC profile beyond its kind, and the outlines of the glyphs",
    "what a screen reader makes of it",
)

Check = Callable[[Any], Iterator[str]]
"""What is wrong with a file, or with what a library made of it."""

_STANDARD = frozenset(
    [
        "Document",
        "Part",
        "Art",
        "Sect",
        "Div",
        "BlockQuote",
        "Caption",
        "TOC",
        "TOCI",
        "Index",
        "NonStruct",
        "Private",
        "P",
        "H",
        "H1",
        "H2",
        "H3",
        "H4",
        "H5",
        "H6",
        "L",
        "LI",
        "Lbl",
        "LBody",
        "Table",
        "TR",
        "TH",
        "TD",
        "THead",
        "TBody",
        "TFoot",
        "Span",
        "Quote",
        "Note",
        "Reference",
        "BibEntry",
        "Code",
        "Link",
        "Annot",
        "Ruby",
        "RB",
        "RT",
        "RP",
        "Warichu",
        "WT",
        "WP",
        "Figure",
        "Formula",
        "Form",
    ]
)
_PAINTS = frozenset(
    ["f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh", "Do", "Tj", "TJ", "'", '"', "BI", "EI"]
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    by: str
    what: str
    wrong: tuple[str, ...]
    """What is not as it should be; nothing where all is."""

    def __str__(self) -> str:
        if not self.wrong:
            return f"  ok     {self.by:9} {self.what}"
        more = f" (and {len(self.wrong) - 3} more)" if len(self.wrong) > 3 else ""
        return f"  WRONG  {self.by:9} {self.what}: {'; '.join(self.wrong[:3])}{more}"


def report(content: bytes) -> list[Finding]:
    """All findings about a file.

    Raises:
        pikepdf.PdfError: it cannot even be opened.
    """
    findings = [Finding("structure", what, tuple(check(content))) for what, check in _RAW.items()]
    with pikepdf.open(io.BytesIO(content)) as pdf:
        findings += [Finding("pikepdf", what, tuple(check(pdf))) for what, check in _PIKEPDF.items()]
        findings += [Finding("structure", what, tuple(check(pdf))) for what, check in _STRUCTURE.items()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reader = PdfReader(io.BytesIO(content), strict=True)
        findings += [Finding("pypdf", what, tuple(check(reader))) for what, check in _PYPDF.items()]
    return findings


def wrong(content: bytes) -> list[str]:
    """What is not as it should be, in words."""
    return [str(finding) for finding in report(content) if finding.wrong]


# ——— the bytes


def _framed(content: bytes) -> Iterator[str]:
    if not re.match(rb"%PDF-1\.7\n%[\x80-\xff]{4}", content):
        yield "it does not begin with a version and four bytes that tell it from text"
    if not content.endswith(b"%%EOF\n"):
        yield "something follows its end"
    found = re.search(rb"startxref\n(\d+)\n%%EOF\n$", content)
    if not found or not re.match(rb"\d+ 0 obj\s*<<\s*/Type /XRef", content[int(found[1]) :]):
        yield "its end does not lead to the table of objects"


# ——— by pikepdf


def _sound(pdf: Any) -> Iterator[str]:
    yield from map(str, pdf.check_pdf_syntax())
    if pdf.is_encrypted:
        yield "it is encrypted"
    if "/ID" not in pdf.trailer:
        yield "it has no name of its own (/ID)"
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Stream):
            filters: Any = thing.get("/Filter", pikepdf.Array())
            for one in [filters] if isinstance(filters, pikepdf.Name) else filters:
                if one in ("/LZWDecode", "/Crypt"):
                    yield f"a stream is packed with {one}"
            if "/F" in thing:
                yield "a stream lies outside of the file"
    for forbidden in ("/OpenAction", "/AA", "/NeedsRendering"):
        if forbidden in pdf.Root:
            yield f"it does something by itself ({forbidden})"


def _identified(pdf: Any) -> Iterator[str]:
    metadata = pdf.open_metadata()  # not entered: leaving it would write
    wanted = {"pdfaid:part": "3", "pdfaid:conformance": "A", "pdfuaid:part": "1"}
    for key, value in wanted.items():
        if metadata.get(key) != value:
            yield f"{key} is {metadata.get(key)}"
    tree = pdf.Root.Metadata.read_bytes()
    if b"pdfuaid" in tree and not re.search(rb"namespaceURI>http://www.aiim.org/pdfua/ns/id/<", tree):
        yield "pdfuaid is not told of as an extension"
    if "/Filter" in pdf.Root.Metadata and pdf.Root.Metadata.Filter not in ("/FlateDecode",):
        yield "the metadata are packed in an odd way"


def _told_twice_alike(pdf: Any) -> Iterator[str]:
    metadata = pdf.open_metadata()  # not entered: leaving it would write
    pairs = {"/Title": "dc:title", "/Creator": "xmp:CreatorTool", "/Producer": "pdf:Producer"}
    for old, new in pairs.items():
        if str(pdf.docinfo.get(old)) != metadata.get(new):
            yield f"{old} is {pdf.docinfo.get(old)} and {new} {metadata.get(new)}"
    for old, new in {"/CreationDate": "xmp:CreateDate", "/ModDate": "xmp:ModifyDate"}.items():
        digits = [re.sub(r"\D", "", str(value)) for value in (pdf.docinfo.get(old), metadata.get(new))]
        if digits[0] != digits[1]:
            yield f"{old} and {new} differ"
    if not metadata.get("dc:title"):
        yield "it has no title"


def _shown_as_asked(pdf: Any) -> Iterator[str]:
    if not re.fullmatch(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*", str(pdf.Root.get("/Lang", ""))):
        yield "its language is not told"
    if not pdf.Root.get("/MarkInfo", {}).get("/Marked"):
        yield "it is not said to be tagged"
    if not pdf.Root.get("/ViewerPreferences", {}).get("/DisplayDocTitle"):
        yield "its title is not what a window shows"
    for page in pdf.pages:
        if page.obj.get("/Tabs") != "/S":
            yield "the tab key does not follow the tags"


def _colours(pdf: Any) -> Iterator[str]:
    intents = [one for one in pdf.Root.get("/OutputIntents", []) if one.get("/S") == "/GTS_PDFA1"]
    if len(intents) != 1:
        yield f"it has {len(intents)} output intents for PDF/A"
    for intent in intents:
        profile = intent.DestOutputProfile.read_bytes()
        if profile[12:20] not in (b"mntrRGB ", b"prtrRGB ") or profile[8] >= 5 or profile[36:40] != b"acsp":
            yield "its profile is not one for RGB up to version 4"
        if intent.DestOutputProfile.N != 3:
            yield "its profile is said to have other than three colours"


def _attached(pdf: Any) -> Iterator[str]:
    named = [one.objgen for one in pdf.Root.get("/AF", [])]
    if len(named) != len(set(named)):
        yield "an attached file is named twice in /AF"
    for name, attached in dict(pdf.attachments).items():
        described, file = attached.obj, attached.obj.EF.F
        for key in ("/F", "/UF", "/AFRelationship", "/Desc"):
            if not str(described.get(key, "")):
                yield f"{name} has no {key}"
        if described.objgen not in named:
            yield f"{name} is not in /AF"
        if not re.fullmatch(r"/[-\w.]+/[-\w.+]+", str(file.get("/Subtype", ""))):
            yield f"{name} has no media type"
        content = file.read_bytes()
        if int(file.Params.get("/Size", -1)) != len(content) or "/ModDate" not in file.Params:
            yield f"{name} is told of wrongly"
        if bytes(file.Params.CheckSum) != hashlib.md5(content, usedforsecurity=False).digest():
            yield f"{name} is not what was attached"
    if len(named) != len(pdf.attachments):
        yield f"{len(named)} files in /AF, {len(pdf.attachments)} by name"


# ——— in the structure


def _drawings(pdf: Any) -> Iterator[tuple[Any, Any]]:
    """Each page's and each form's content with its resources."""
    seen = set()
    for page in pdf.pages:
        yield page, page.obj.Resources
    for thing in pdf.objects:
        if (
            isinstance(thing, pikepdf.Stream)
            and thing.get("/Subtype") == "/Form"
            and thing.objgen not in seen
        ):
            seen.add(thing.objgen)
            yield thing, thing.get("/Resources", pikepdf.Dictionary())


def _instructions(drawing: Any, only: str = "") -> Iterator[tuple[Any, str]]:
    """The operands and the name of each operator."""
    for instruction in pikepdf.parse_content_stream(drawing, only):
        yield instruction.operands, str(instruction.operator)


_KINDS = {"Do": "/XObject", "gs": "/ExtGState", "Tf": "/Font", "sh": "/Shading"}


def _content(pdf: Any) -> Iterator[str]:
    for drawing, resources in _drawings(pdf):
        depth = deepest = 0
        for operands, name in _instructions(drawing):
            depth += (name == "q") - (name == "Q")
            deepest = max(deepest, depth)
            if depth < 0:
                yield "a state is restored that was not saved"
            if name in ("k", "K"):
                yield "a colour is in CMYK"
            if name in _KINDS and str(operands[0]) not in resources.get(_KINDS[name], {}):
                yield f"{operands[0]} is used and not there"
        if depth:
            yield "a state is saved and never restored"
        if deepest > 28:
            yield f"states are saved {deepest} deep"


def _all_marked(pdf: Any) -> Iterator[str]:
    for number, page in enumerate(pdf.pages, 1):
        depth = 0
        for _, name in _instructions(page):
            depth += (name in ("BMC", "BDC")) - (name == "EMC")
            if depth > 1:
                yield f"page {number} has marks within marks"
            if name in _PAINTS and not depth:
                yield f"page {number} draws with {name} what is neither tagged nor an artifact"


def _tags(pdf: Any) -> Iterator[Any]:
    """Every tag of the tree."""
    waiting = [pdf.Root.StructTreeRoot.K]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, pikepdf.Array):
            waiting.extend(thing)
        elif isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") not in ("/MCR", "/OBJR"):
            yield thing
            if "/K" in thing:
                waiting.append(thing.K)


def _numbers(tag: Any) -> Iterator[int]:
    """The pieces of content that hang on a tag itself."""
    kids = tag.get("/K", pikepdf.Array())
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if not isinstance(kid, pikepdf.Object):
            yield int(kid)


def _tree(pdf: Any) -> Iterator[str]:
    tree = pdf.Root.StructTreeRoot
    listed = list(tree.ParentTree.Nums)
    by_page = dict(zip(map(int, listed[::2]), listed[1::2], strict=True))
    hanging: dict[tuple[Any, int], Any] = {}
    for tag in _tags(pdf):
        for number in _numbers(tag):
            if (tag.Pg.objgen, number) in hanging:
                yield f"piece {number} hangs on two tags"
            hanging[tag.Pg.objgen, number] = tag.objgen
    drawn: Counter[tuple[Any, int]] = Counter()
    for page in pdf.pages:
        for operands, _ in _instructions(page, "BDC"):
            if isinstance(operands[1], pikepdf.Dictionary) and "/MCID" in operands[1]:
                drawn[page.obj.objgen, int(operands[1].MCID)] += 1
        numbers = by_page.get(int(page.obj.get("/StructParents", -1)))
        if numbers is None:
            yield "a page is not in the tree of numbers"
            continue
        for number, tag in enumerate(numbers):
            if hanging.get((page.obj.objgen, number)) != (tag.objgen if tag is not None else None):
                yield f"piece {number} is looked up to another tag than it hangs on"
        if len(numbers) != sum(where == page.obj.objgen for where, _ in drawn):
            yield "a page has other pieces than the tree of numbers"
    if drawn.keys() != hanging.keys() or any(count > 1 for count in drawn.values()):
        yield "what is drawn and what is tagged are not the same"


def _tagged_well(pdf: Any) -> Iterator[str]:
    headings = []
    for tag in _tags(pdf):
        kind = str(tag.S)[1:]
        if kind not in _STANDARD:
            yield f"{kind} is no standard tag"
        if kind == "Figure":
            if not str(tag.get("/Alt", "")):
                yield "a figure has no alternative text"
            if "/BBox" not in tag.get("/A", {}):
                yield "a figure does not say where it is"
        if re.fullmatch("H[1-6]", kind):
            headings.append(int(kind[1]))
    headings.reverse()  # the tree is walked from its end
    if headings and headings[0] != 1:
        yield "the first heading is not of the first level"
    if any(after > before + 1 for before, after in pairwise(headings)):
        yield "a level of headings is left out"
    for page in pdf.pages:
        for annotation in page.obj.get("/Annots", []):
            if "/StructParent" not in annotation or "/Contents" not in annotation:
                yield "an annotation has no tag or no words"


def _fonts(pdf: Any) -> Iterator[str]:
    used: dict[Any, set[int]] = {}
    for drawing, resources in _drawings(pdf):
        font = None
        for operands, name in _instructions(drawing, "Tf Tj TJ"):
            if name == "Tf":
                font = resources.Font[str(operands[0])]
                used.setdefault(font.objgen, set())
            elif font is not None:
                for piece in operands[0] if name == "TJ" else [operands[0]]:
                    if isinstance(piece, pikepdf.String):
                        codes = bytes(piece)
                        used[font.objgen].update(
                            int.from_bytes(codes[at : at + 2]) for at in range(0, len(codes), 2)
                        )
    for reference, glyphs in used.items():
        yield from _font(pdf.get_object(reference), glyphs)


def _font(font: Any, glyphs: set[int]) -> Iterator[str]:
    name = str(font.BaseFont)[1:]
    if font.Subtype != "/Type0" or font.Encoding != "/Identity-H":
        yield f"{name} is a font of another kind"
        return
    below = font.DescendantFonts[0]
    file = below.FontDescriptor.get("/FontFile2")
    if file is None:
        yield f"{name} is not embedded"
        return
    if below.get("/CIDToGIDMap") != "/Identity":
        yield f"{name} has no map of its glyphs"
    if "/ToUnicode" not in font:
        yield f"{name} does not tell its letters"
    else:
        told = dict(re.findall(rb"<([0-9a-f]{4})> <([0-9a-f]*)>", font.ToUnicode.read_bytes()))
        for glyph in sorted(glyphs):
            letters = told.get(b"%04x" % glyph)
            if not letters or any(
                code in (b"0000", b"feff", b"fffe") for code in re.findall(rb"....", letters)
            ):
                yield f"{name} does not tell the letter of glyph {glyph}"
    with TTFont(io.BytesIO(file.read_bytes())) as program:
        order, metrics = program.getGlyphOrder(), program["hmtx"]
        scale = 1000 / program["head"].unitsPerEm
        for glyph, width in _widths(below.get("/W", [])):
            if glyph >= len(order):
                yield f"{name} has no glyph {glyph}"
            elif abs(width - metrics[order[glyph]][0] * scale) > 1:
                yield f"{name} tells another width of glyph {glyph} than it has"
        if missing := glyphs - {glyph for glyph, _ in _widths(below.get("/W", []))}:
            yield f"{name} does not tell the width of glyph {min(missing)}"


def _widths(listed: Any) -> Iterator[tuple[int, float]]:
    things = iter(listed)
    for first in things:
        for offset, width in enumerate(next(things)):
            yield int(first) + offset, float(width)


# ——— by pypdf


def _read(reader: Any) -> Iterator[str]:
    for number, page in enumerate(reader.pages, 1):
        text = page.extract_text()
        if not text.strip():
            yield f"page {number} has no text"
        if "\ufffd" in text or any("\ue000" <= letter <= "\uf8ff" for letter in text):
            yield f"page {number} has letters that are none"


def _says(reader: Any) -> Iterator[str]:
    metadata, root = reader.xmp_metadata, reader.root_object
    if metadata is None or not metadata.dc_title:
        yield "it has no title in XMP"
    elif reader.metadata is None or metadata.dc_title.get("x-default") != reader.metadata.title:
        yield "its titles differ"
    for key in ("/Lang", "/StructTreeRoot", "/MarkInfo", "/OutputIntents", "/Metadata"):
        if key not in root:
            yield f"it has no {key}"


def _embeds(reader: Any) -> Iterator[str]:
    for page in reader.pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            for below in font.get_object()["/DescendantFonts"]:
                if "/FontFile2" not in below.get_object()["/FontDescriptor"]:
                    yield f"{font.get_object()['/BaseFont']} is not embedded"


def _carries(reader: Any) -> Iterator[str]:
    related = reader.root_object.get("/AF", [])
    described: list[Any] = [one.get_object() for one in related]
    names = [one["/UF"] for one in described]
    if sorted(names) != sorted(reader.attachments):
        yield f"{names} are associated, {list(reader.attachments)} attached"
    for name, contents in reader.attachments.items():
        if not all(contents):
            yield f"{name} is empty"


def _has_tags(reader: Any) -> Iterator[str]:
    waiting: list[Any] = [reader.root_object.get("/StructTreeRoot")]
    kinds: Counter[str] = Counter()
    while waiting:
        thing = waiting.pop()
        thing = thing.get_object() if isinstance(thing, IndirectObject) else thing
        if isinstance(thing, DictionaryObject):
            kinds[str(thing.get("/S"))] += 1
            if thing.get("/S") == "/Figure" and not thing.get("/Alt"):
                yield "a figure has no alternative text"
            waiting.append(thing.get("/K"))
        elif isinstance(thing, list):
            waiting += thing
    if kinds["/Document"] != 1 or not kinds["/P"]:
        yield "it has no tree of paragraphs"


_RAW: dict[str, Check] = {"header, end and table of objects": _framed}
_PIKEPDF: dict[str, Check] = {
    "it is sound, not encrypted, and does nothing by itself": _sound,
    "it says PDF/A-3a and PDF/UA-1, as an extension": _identified,
    "XMP and the old information say the same": _told_twice_alike,
    "language, tags, title in the window, order of the tab key": _shown_as_asked,
    "one output intent, an RGB profile": _colours,
    "attached files: named, related, typed, dated, whole": _attached,
}
_STRUCTURE: dict[str, Check] = {
    "content: states balanced, resources there, no CMYK": _content,
    "all that is drawn is tagged or an artifact": _all_marked,
    "content ↔ tags ↔ tree of numbers": _tree,
    "standard tags, alternative texts, levels of headings": _tagged_well,
    "fonts: embedded, every glyph with its letter and its width": _fonts,
}
_PYPDF: dict[str, Check] = {
    "every page has text, every letter is one": _read,
    "title, language, tags, output intent": _says,
    "fonts are embedded": _embeds,
    "what is associated is attached": _carries,
    "tags and alternative texts": _has_tags,
}


def main(paths: list[str]) -> int:
    """Prints the report of each file; 1 where something is wrong."""
    wrong = 0
    for path in paths:
        print(path)
        try:
            findings = report(Path(path).read_bytes())
        except pikepdf.PdfError as error:
            print(f"  WRONG  pikepdf   it cannot be opened: {error}")
            wrong += 1
            continue
        print(*findings, sep="\n")
        wrong += sum(bool(finding.wrong) for finding in findings)
    print("not checked:", *UNCHECKED, sep="\n  ")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
