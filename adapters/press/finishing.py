"""What WeasyPrint leaves open of a file for PDF/A-3a and PDF/UA-1 to hold together, completed with pydyf's objects."""

from __future__ import annotations

from typing import Any

import pydyf

MEDIA_TYPE = "application/ld+json"
"""Of attached files: all are credentials."""

_UNIVERSAL_ACCESS = b"""<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about=""\
 xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfuaid:part="1"/>\
<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about=""\
 xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"\
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"\
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag>\
<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>\
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>\
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>\
<rdf:li rdf:parseType="Resource"><pdfaProperty:name>part</pdfaProperty:name>\
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>\
<pdfaProperty:category>internal</pdfaProperty:category>\
<pdfaProperty:description>Part of ISO 14289 that the file follows</pdfaProperty:description>\
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>"""
"""Says that the file follows PDF/UA-1 too, with the schema that PDF/A asks for before it may say so."""


def finish(pdf: Any) -> None:
    """Completes what WeasyPrint leaves open for PDF/A-3a and PDF/UA-1 to hold together."""
    say_universal_access(pdf)
    _make_running_feet_artifacts(pdf)
    _scope_headers(pdf)
    _name_attachments(pdf)


class _Settled(pydyf.Object):  # type: ignore[misc]  # pydyf has no types
    """An object whose bytes are known."""

    def __init__(self, one: Any) -> None:
        super().__init__()
        self.number, self.generation, self.free = one.number, one.generation, one.free
        self._compressible: bool = one.compressible
        self._data: bytes = one.data

    @property
    def data(self) -> bytes:
        """The bytes of the object."""
        return self._data

    @property
    def compressible(self) -> bool:
        """Whether the object may go into an object stream."""
        return self._compressible


def settle(pdf: Any) -> None:
    """Makes the bytes of every object once: pydyf makes and packs them for the file, and again for its identifier.

    Nothing of the file can be changed after that. The bytes of the file are the same.
    """
    pdf.objects[1:] = map(_Settled, pdf.objects[1:])  # the first is a placeholder without content


def _scope_headers(pdf: Any) -> None:
    """Says of each header of a table whether it heads its column or its row.

    WeasyPrint names the headers of each cell and leaves this out; not every program for reading aloud goes by the names.
    """
    for tag in pdf.objects:
        if isinstance(tag, dict) and tag.get("S") == "/TH":
            row = _object(pdf, tag["P"])
            heads_columns = _object(pdf, row["P"])["S"] == "/THead"
            tag["A"]["Scope"] = "/Column" if heads_columns else "/Row"


def _name_attachments(pdf: Any) -> None:
    """Names each attached file once, where WeasyPrint names it twice."""
    if "AF" in pdf.catalog:
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))
        for reference in pdf.catalog["AF"]:
            described = _object(pdf, reference)
            finish_attachment(_object(pdf, described["EF"]["F"]), described)


def finish_attachment(file: Any, described: Any) -> None:
    """Gives an attached file its media type, which WeasyPrint guesses, and its name in Unicode."""
    file.extra["Subtype"] = f"/{MEDIA_TYPE.replace('/', '#2f')}"
    described["EF"]["UF"] = file.reference


def _object(pdf: Any, reference: Any) -> Any:
    return pdf.objects[int(reference.split()[0])]


def say_universal_access(pdf: Any) -> None:
    """Completes the XMP metadata that WeasyPrint wrote for PDF/A."""
    stream = _object(pdf, pdf.catalog["Metadata"])
    stream.stream = [
        part.replace(b"</rdf:RDF>", _UNIVERSAL_ACCESS + b"</rdf:RDF>") if isinstance(part, bytes) else part
        for part in stream.stream
    ]


def _make_running_feet_artifacts(pdf: Any) -> None:
    """Marks page numbers in the margins as artifacts.

    WeasyPrint tags them but hangs their tags nowhere in the tree, which neither standard allows.
    """
    root = _object(pdf, pdf.catalog["StructTreeRoot"])
    hanging: set[int] = set()
    waiting = list(root["K"])
    while waiting:
        kid = waiting.pop()
        if isinstance(kid, int):
            continue
        hanging.add(int(kid.split()[0]))
        waiting.extend(_object(pdf, kid).get("K", ()))
    numbers = _object(pdf, root["ParentTree"])["Nums"]
    tags_of_page = dict(zip(numbers[::2], numbers[1::2], strict=True))
    for page in [entry for entry in pdf.objects if isinstance(entry, dict) and entry.get("Type") == "/Page"]:
        tags = tags_of_page[page["StructParents"]]
        loose = {index for index, tag in enumerate(tags) if int(tag.split()[0]) not in hanging}
        if not loose:
            continue
        operations = _object(pdf, page["Contents"]).stream
        for place, operation in enumerate(operations):
            if isinstance(operation, dict) and operation.get("MCID") in loose:
                operations[place - 1] = "/Artifact"
                operations[place] = type(operation)({"Type": "/Pagination"})
        for index in loose:
            tags[index] = "null"
        while tags[-1] == "null":
            tags.pop()
