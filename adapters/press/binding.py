"""Stamped pages bound into one file for printing: artwork and fonts once, every page with its tags.

What a printed file of one page consists of is told apart by what it is: the objects of its page, and the
objects that a file has once. Bound are those of the first, and the page's objects of all.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar

import pydyf
from weasyprint import DEFAULT_OPTIONS
from weasyprint.pdf.fonts import build_fonts_dictionary

from adapters.press.files import Objects
from adapters.press.pdf import say_universal_access

T = TypeVar("T", bound=Any)
_REFERENCE = re.compile(rb"\b(\d+) 0 R\b")


class _Written(pydyf.Object):  # type: ignore[misc]  # pydyf has no types
    """An object whose bytes are known, or will be once all have their numbers."""

    def __init__(self, compressible: bool) -> None:
        super().__init__()
        self.written = b""
        self._compressible = compressible

    @property
    def data(self) -> bytes:
        return self.written

    @property
    def compressible(self) -> bool:
        return self._compressible


def number_of(reference: bytes | str) -> int:
    """The number of the object that is referred to."""
    return int(reference.split()[0])


@dataclass(frozen=True)
class Sheet:
    """A file of one page, told apart."""

    once: Mapping[int, bytes]
    """The objects that a file has once, but those that are named below."""
    streams: frozenset[int]
    """Which of them are streams."""
    leaf: Mapping[int, bytes]
    """The objects of its page: the page, its heading in the outline, its tags."""
    page: int
    content: int
    heading: int
    pages: int
    resources: int
    fonts: int
    outline: int
    root: int
    document: int
    """The tree of tags, and its trunk."""
    top: Sequence[int]
    """The tags that the page hangs on it."""
    tags: Sequence[int]
    """The tag of each piece of content."""
    numbers: int
    """The tree that finds them."""
    catalog: Mapping[str, Any]
    catalog_number: int
    metadata: int

    @classmethod
    def of(cls, pdf: Any, own: Iterable[int], attached: Iterable[int]) -> Sheet:
        """The objects of a printed file; `own` are those that are written anew for each page.

        Raises:
            KeyError, ValueError, TypeError: the file is of another kind.
        """
        things, catalog = pdf.objects, pdf.catalog
        root = things[number_of(catalog["StructTreeRoot"])]
        document = things[number_of(root["K"][0])]
        page = things[pdf.pages["Kids"][0]]
        outline = things[number_of(catalog["Outlines"])]
        heading = number_of(outline["First"])
        if outline["Last"] != outline["First"]:
            raise ValueError("the page has more than one heading")
        tree = things[number_of(root["ParentTree"])]
        below, waiting = [], list(document["K"])
        while waiting:
            tag = waiting.pop()
            if not isinstance(tag, int):
                below.append(number_of(tag))
                waiting.extend(things[below[-1]].get("K", ()))
        leaf = {page.number, heading, *below}
        resources = things[number_of(page["Resources"])]
        named = catalog.get("Names", {}).get("EmbeddedFiles")
        left_out = {*own, *attached, *leaf, *([number_of(named)] if named else ())}
        left_out |= {0, pdf.catalog.number, pdf.info.number, pdf.pages.number, outline.number}
        left_out |= {document.number, tree.number, number_of(resources["Font"])}
        last = pdf.info.number
        return cls(
            once={one.number: one.data for one in things[:last] if one.number not in left_out},
            streams=frozenset(one.number for one in things[1:last] if not one.compressible),
            leaf={number: things[number].data for number in sorted(leaf)},
            page=page.number,
            content=number_of(page["Contents"]),
            heading=heading,
            pages=pdf.pages.number,
            resources=resources.number,
            fonts=number_of(resources["Font"]),
            outline=outline.number,
            root=root.number,
            document=document.number,
            top=[number_of(tag) for tag in document["K"]],
            tags=[number_of(tag) for tag in tree["Nums"][1]],
            numbers=tree.number,
            catalog={key: value for key, value in catalog.items() if key not in ("AF", "Names")},
            catalog_number=catalog.number,
            metadata=number_of(catalog["Metadata"]),
        )


class Leaf(NamedTuple):
    """One page of a file that is bound."""

    sheet: Sheet
    content: bytes
    """Its content, as an object."""
    own: Mapping[int, bytes]
    """Those objects of its page that are its own."""


def bind(leaves: Sequence[Leaf], fonts: Mapping[Hashable, Any], names: Any, told: Mapping[str, Any]) -> bytes:
    """The pages in one file with the fonts that they use, and what the file says of itself, twice."""
    first = leaves[0].sheet
    pdf = pydyf.PDF()
    catalog = pdf.catalog = pdf.objects[pdf.catalog.number] = _numbered(_Written(True), pdf.catalog.number)
    once = {old: _added(pdf, _Written(old not in first.streams)) for old in first.once}
    outline, document, tree = (_added(pdf, pydyf.Dictionary()) for _ in range(3))
    inks = _added(pdf, build_fonts_dictionary(pdf, fonts, True, True, DEFAULT_OPTIONS))
    say = SimpleNamespace(catalog={}, objects=pdf.objects, add_object=pdf.add_object)
    names.include_in_pdf(say, "a", 3, "A", True)
    say_universal_access(say)

    def found(sheet: Sheet, leaf: Mapping[int, _Written]) -> dict[int, int]:
        """The new numbers of what a page's objects refer to."""
        own = {old: thing.number for old, thing in leaf.items()}
        places = {sheet.pages: pdf.pages.number, sheet.outline: outline.number}
        return own | places | {sheet.document: document.number, sheet.resources: once[first.resources].number}

    numbers = {old: thing.number for old, thing in once.items()} | found(first, {})
    numbers |= {first.fonts: inks.number, first.numbers: tree.number, first.catalog_number: catalog.number}
    numbers[first.metadata] = number_of(say.catalog["Metadata"])
    for old, thing in once.items():
        thing.written = _referring(first.once[old], numbers)
    catalog.written = _referring(pydyf.Dictionary(first.catalog).data, numbers)

    document.update({"Type": "/StructElem", "S": "/Document", "K": pydyf.Array()})
    document["P"] = b"%d 0 R" % numbers[first.root]
    tree["Nums"] = pydyf.Array()
    headings = []
    for index, (sheet, content, own) in enumerate(leaves):
        drawn = _added(pdf, _Written(False))
        drawn.written = content
        leaf = {old: _added(pdf, _Written(True)) for old in sheet.leaf}
        new = found(sheet, leaf) | {sheet.content: drawn.number}
        for old, thing in leaf.items():
            thing.written = _referring(own.get(old) or sheet.leaf[old], new)
        page = leaf[sheet.page]
        page.written = page.written.replace(b"/StructParents 0", b"/StructParents %d" % index)
        pdf.pages["Kids"].extend([page.number, 0, "R"])
        document["K"].extend(leaf[tag].reference for tag in sheet.top)
        tree["Nums"].extend([index, pydyf.Array(leaf[tag].reference for tag in sheet.tags)])
        headings.append(leaf[sheet.heading])
    pdf.pages["Count"] = len(leaves)
    for index, heading in enumerate(headings):
        beside = [("Prev", headings[index - 1])] if index else []
        beside += [("Next", headings[index + 1])] if index + 1 < len(headings) else []
        more = b"".join(b"/%b %b" % (way.encode(), other.reference) for way, other in beside)
        heading.written = heading.written.removesuffix(b">>") + more + b">>"
    outline.update({"Count": len(headings), "First": headings[0].reference, "Last": headings[-1].reference})
    pdf.info = _added(pdf, pydyf.Dictionary(told))
    return Objects.of(pdf).file({})


def _added(pdf: Any, thing: T) -> T:
    pdf.add_object(thing)
    return thing


def _numbered(thing: T, number: int) -> T:
    thing.number = number
    return thing


def _referring(data: bytes, numbers: Mapping[int, int]) -> bytes:
    """An object that refers to others by their new numbers; what a stream contains is left alone."""
    head, stream, body = data.partition(b"\nstream\n")
    return _REFERENCE.sub(lambda old: b"%d 0 R" % numbers[int(old[1])], head) + stream + body
