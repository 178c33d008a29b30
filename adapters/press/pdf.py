"""The one door to WeasyPrint: what it may fetch, how it prints, and nothing beside it.

Import this module only when something is to be printed: it loads Pango, fontconfig and HarfBuzz.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree
from zlib import compress

from adapters.branding import drawings_of
from adapters.fonts import use_bundled_fonts
from adapters.press.files import KNOWN as KNOWN_PDF
from adapters.press.files import Objects
from labels.errors import LabelsError, OutOfReach
from labels.papers.branding import NO_DRAWINGS, SHIPPED, Brand, Drawing, Drawings
from labels.settings import PROJECT

use_bundled_fonts()

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # said in our own words below
        import pydyf
        import weasyprint
        from weasyprint.images import SVGImage
        from weasyprint.text import ffi
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import URLFetcher, URLFetcherResponse
except OSError as error:
    raise OutOfReach(
        "WeasyPrint",
        f"a system library is missing ({error}). Install Debian's libpango-1.0-0, libpangoft2-1.0-0"
        " and libharfbuzz-subset0.",
    ) from error


def subsets_with_harfbuzz() -> bool:
    """Whether HarfBuzz's subsetter is there: without it output is slow and not deterministic."""
    return ffi.harfbuzz_subset is not None


if not subsets_with_harfbuzz():
    warnings.warn(
        "libharfbuzz-subset is not installed (Debian: libharfbuzz-subset0): PDFs take eight times longer"
        " and are not byte for byte the same on every run.",
        RuntimeWarning,
        stacklevel=2,
    )

KNOWN = "70.0"
"""The version of WeasyPrint whose inside `lines`, `stamping` and `quick` know; beside another one, they rest."""


def knows_weasyprint() -> bool:
    """Whether the ways that lean on WeasyPrint's inside may be used."""
    versions = str(weasyprint.__version__), str(pydyf.__version__)
    return versions == (KNOWN, KNOWN_PDF) and subsets_with_harfbuzz()


ART = PROJECT / "templates" / "assets" / "art"
SCHEME = "asset:"
_CONTENT_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}


class RefusedAddress(LabelsError):
    """A page asked for something that is not one of the project's own assets; nothing was printed."""


class AssetDoor(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Hands out the project's art by name (`asset:band-national.svg`) and refuses every other address.

    The names are read once, when the door is made: no path is ever built from what a page asks for,
    so there is nothing to climb out of. A link that leads out of the folder is not on the list. An
    organisation's own drawings take the place of ours under the same names.
    """

    def __init__(self, folder: Path, own: Drawings = NO_DRAWINGS) -> None:
        super().__init__(allowed_protocols=(), allow_redirects=False)
        root = folder.resolve()
        self.own = {f"{name}.svg": drawing for name, drawing in own.items()}
        self.assets = {
            path.name: path.resolve()
            for path in sorted(folder.iterdir())
            if path.suffix in _CONTENT_TYPES and path.is_file() and path.resolve().parent == root
        }
        self.refused: list[str] = []

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        """The asset of that name.

        Raises:
            ValueError: any other address; it is kept in `refused` and stops the paper at the end.
        """
        name = url.removeprefix(SCHEME)
        if name != url and (drawing := self.own.get(name)):
            return URLFetcherResponse(url, drawing.content, {"Content-Type": drawing.media_type})
        path = self.assets.get(name) if name != url else None
        if path is None:
            self.refused.append(url[:200])
            raise ValueError("refused: only the project's own assets are open to a page")
        return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": _CONTENT_TYPES[path.suffix]})


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


def _finish(_document: Any, pdf: Any) -> None:
    """Completes what WeasyPrint leaves open for PDF/A-3a and PDF/UA-1 to hold together."""
    say_universal_access(pdf)
    _make_running_feet_artifacts(pdf)
    _name_attachments(pdf)


def _name_attachments(pdf: Any) -> None:
    """Names each attached file once, where WeasyPrint names it twice."""
    if "AF" in pdf.catalog:
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))
        for reference in pdf.catalog["AF"]:
            described = _object(pdf, reference)
            finish_attachment(_object(pdf, described["EF"]["F"]), described)


def finish_attachment(file: Any, described: Any) -> None:
    """Gives an attached file its media type, which WeasyPrint guesses, and its name in Unicode."""
    file.extra["Subtype"] = f"/{Attached.media_type.replace('/', '#2f')}"
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


@dataclass(frozen=True)
class _Form:
    """A drawing as PDF operators, free of the file that it was first drawn for."""

    operators: bytes
    box: tuple[float, ...]
    states: Mapping[str, Mapping[str, Any]]
    forms: Mapping[str, _Form]
    blends: bool
    """Whether it is laid down as one, because it can be seen through."""

    @classmethod
    def of(cls, stream: Any, *, blends: bool = True) -> _Form | None:
        """What a stream has drawn; None where that needs more than this can carry over."""
        needs = stream._resources
        forms = {name: cls.of(form) for name, form in needs["XObject"].items()}
        if needs["Pattern"] or needs["Shading"] or None in forms.values():
            return None
        if any("SMask" in state for state in needs["ExtGState"].values()):
            return None
        drawn = pydyf.Stream(stream.stream).data
        operators = drawn[drawn.index(b"stream\n") + 7 : drawn.rindex(b"\nendstream")]
        return cls(
            operators=compress(operators, 9),
            box=tuple(stream.extra["BBox"]),
            states={name: dict(state) for name, state in needs["ExtGState"].items()},
            forms={name: form for name, form in forms.items() if form},
            blends=blends,
        )

    def object(self, colours: Any) -> Any:
        """The drawing as an object of another file; `colours` is that file's space for blending."""
        extra = pydyf.Dictionary(
            {
                "Type": "/XObject",
                "Subtype": "/Form",
                "BBox": pydyf.Array(self.box),
                "Filter": "/FlateDecode",
                "Resources": pydyf.Dictionary(
                    {
                        "ExtGState": pydyf.Dictionary(
                            {name: pydyf.Dictionary(state) for name, state in self.states.items()}
                        ),
                        "XObject": pydyf.Dictionary(
                            {name: form.object(colours) for name, form in self.forms.items()}
                        ),
                        "Font": None,  # WeasyPrint sets it
                    }
                ),
            }
        )
        if self.blends:
            extra["Group"] = pydyf.Dictionary(
                {"Type": "/Group", "S": "/Transparency", "I": "true", "CS": colours}
            )
        return pydyf.Stream([self.operators], extra)


@dataclass(frozen=True)
class _Placed:
    """A form as WeasyPrint places a picture: once a file, however often a page shows it."""

    id: str
    form: _Form
    colours: Any

    def get_x_object(self, _interpolate: bool, _resolution: float) -> Any:
        return self.form.object(self.colours)


class _Art:
    """A drawing that is traced once a process and placed once a file.

    WeasyPrint traces an SVG anew for every place on every page: half the time of a certificate.
    """

    def __init__(self, url: str, content: bytes, door: AssetDoor) -> None:
        self._url = url
        self._drawing = SVGImage(ElementTree.fromstring(content), url, door, None)
        self._forms: dict[tuple[float, float], _Form | None] = {}

    def get_intrinsic_size(self, resolution: float, font_size: float) -> Any:
        return self._drawing.get_intrinsic_size(resolution, font_size)

    def draw(self, stream: Any, width: float, height: float, style: Any) -> None:
        """Puts the drawing, `width` by `height` pixels large, where the stream stands."""
        size = width, height
        if size not in self._forms:
            self._forms[size] = self._traced(stream, width, height, style)
        if form := self._forms[size]:
            name = f"{self._url.removeprefix(SCHEME)}-{width:g}-{height:g}-"
            placed = _Placed(
                "".join(c if c.isalnum() else "-" for c in name), form, stream._default_color_space
            )
            stream.draw_x_object(stream.add_image(placed, False, 1))
        else:
            self._drawing.draw(stream, width, height, style)

    def _traced(self, stream: Any, width: float, height: float, style: Any) -> _Form | None:
        names = ("ExtGState", "XObject", "Pattern", "Shading")
        resources = pydyf.Dictionary({name: pydyf.Dictionary() for name in names} | {"ColorSpace": None})
        extra = pydyf.Dictionary({"BBox": pydyf.Array((0, 0, width, height))})
        sheet = stream.clone(resources=resources, extra=extra)
        self._drawing.draw(sheet, width, height, style)
        return _Form.of(sheet, blends=False)


Pictures = Mapping[str, Any]
"""Objects that WeasyPrint can draw, by address. No address is fetched for them."""
_NONE: Pictures = {}


@cache
def _shut() -> AssetDoor:
    return AssetDoor(ART)


@dataclass(frozen=True)
class Attached:
    """The machine-readable credential that a paper carries inside."""

    content: bytes = field(repr=False)
    """JSON-LD."""
    description: str
    on: date
    """The day of the paper, whose first moment is the file's date."""

    name: ClassVar[str] = "credential.json"
    media_type: ClassVar[str] = "application/ld+json"
    relationship: ClassVar[str] = "Data"
    """The credential holds the data that the page presents. It is not the page's source: both are made
    from the same facts, and neither from the other."""

    def file(self) -> weasyprint.Attachment:
        """As WeasyPrint takes it."""
        instant = datetime.combine(self.on, time())
        return weasyprint.Attachment(
            string=self.content,
            name=self.name,
            description=self.description,
            created=instant,
            modified=instant,
            relationship=self.relationship,
            url_fetcher=_shut(),
        )


def _written(document: Any, attached: Attached | None = None) -> bytes:
    return _written_open(document, attached)[0]


def _as_file(pdf: Any) -> bytes:
    """What `pdf.write` would write."""
    pdf.add_object(pdf.info)
    return Objects.of(pdf).file({})


def _written_open(document: Any, attached: Attached | None) -> tuple[bytes, Any]:
    """The document as a file, and the objects that the file was written from."""
    kept = []

    def finish(document: Any, pdf: Any) -> None:
        _finish(document, pdf)
        kept.append(pdf)
        if knows_weasyprint():
            pdf.write = lambda output, *_: output.write(_as_file(pdf))

    document.metadata.attachments = [attached.file()] if attached else []
    written: bytes = document.write_pdf(pdf_variant="pdf/a-3a", finisher=finish)
    return written, kept[0]


_ONE_AT_A_TIME = threading.RLock()
"""For all presses: WeasyPrint's font map belongs to one thread, and the quick ways take the places of WeasyPrint's own
in the whole process."""


class Press:
    """Fonts, art and style sheets, loaded once; prints one page description after the other.

    One at a time: see `Press.alone`.
    """

    def __init__(self, art: Path = ART, own: Drawings = NO_DRAWINGS) -> None:
        self._door = door = AssetDoor(art, own)
        self._fonts = FontConfiguration()
        if knows_weasyprint():
            from adapters.press.quick import FeaturesOfEachLine

            self._fonts.font_features = FeaturesOfEachLine()
        self._sheets: dict[Path, weasyprint.CSS] = {}
        self._styles: dict[Path, dict[str, Any]] = {}
        self._pictures: dict[str, Any] = {}
        for name, path in door.assets.items():
            drawing = door.own.get(name) or Drawing(path.read_bytes(), _CONTENT_TYPES[path.suffix])
            if drawing.media_type == _CONTENT_TYPES[".svg"]:
                self._pictures[SCHEME + name] = _Art(SCHEME + name, drawing.content, door)

    def _sheet(self, path: Path) -> weasyprint.CSS:
        if path not in self._sheets:
            self._sheets[path] = weasyprint.CSS(
                string=path.read_text(encoding="utf-8"),
                base_url=SCHEME,
                url_fetcher=self._door,
                font_config=self._fonts,
            )
        return self._sheets[path]

    def _page(self, html: str) -> weasyprint.HTML:
        return weasyprint.HTML(string=html, base_url=SCHEME, url_fetcher=self._door)

    def widths(self, runs: Sequence[tuple[str, str]], sheet: Path) -> list[float]:
        """How wide each run of text (class of the style sheet, text) is, in ems of its own size.

        Measured as they are laid out, so ligatures, joining letters and fallback fonts all count.
        """
        if not knows_weasyprint():
            return self._widths_laid_out(runs, sheet)
        from adapters.press.lines import measured, styles_on

        with self.alone():
            styles = self._styles.setdefault(sheet, {})
            if new := sorted({style for style, _ in runs} - styles.keys()):
                (page,) = self._gauge([(style, "n") for style in new], sheet).pages
                found = styles_on(page._page_box)
                styles |= {style: found[f"measured {style}"] for style in new}
            lines = (measured(text, styles[style]) for style, text in runs)
            return [line.width / 100 if line else 0.0 for line in lines]

    def _widths_laid_out(self, runs: Sequence[tuple[str, str]], sheet: Path) -> list[float]:
        """The same with nothing but what WeasyPrint's manual knows: four times the time."""
        if not runs:
            return []
        with self.alone():
            found = {
                int(target): box[2]
                for page in self._gauge(runs, sheet).pages
                for kind, target, box, _ in page.links
                if kind == "internal"
            }
        return [found[index] / 100 for index in range(len(runs))]

    def _gauge(self, runs: Sequence[tuple[str, str]], sheet: Path) -> Any:
        """Every run alone on one line."""
        from markupsafe import Markup

        body = Markup("").join(
            Markup('<a href="#{}" class="measured {}">{}</a>').format(index, style, text)
            for index, (style, text) in enumerate(runs)
        )
        html = Markup("<html lang=en><body class=gauge>{}</body></html>").format(body)
        return self._page(html).render(stylesheets=[self._sheet(sheet)], font_config=self._fonts)

    def print(
        self, html: str, sheet: Path, drawn: Pictures = _NONE, attached: Attached | None = None
    ) -> bytes:
        """The page as PDF/A-3a and PDF/UA-1, the same bytes for the same page.

        `drawn` are pictures made for this page alone, by the address that the page shows them with.

        Raises:
            RefusedAddress: the page asked for anything but the project's own assets.
        """
        with self.alone():
            return _written(self._laid_out(html, sheet, drawn), attached)

    def print_open(
        self, html: str, sheet: Path, drawn: Pictures, attached: Attached | None
    ) -> tuple[bytes, Any, Any]:
        """What `print` gives, with WeasyPrint's document and the objects of the file."""
        with self.alone():
            document = self._laid_out(html, sheet, drawn)
            return *_written_open(document, attached), document

    def lay_out(self, html: str, sheet: Path) -> Any:
        """WeasyPrint's document of a page without pictures of its own."""
        with self.alone():
            return self._laid_out(html, sheet, _NONE)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other threads from WeasyPrint, which takes less time within for the same outcome, if it is a known one."""
        with _ONE_AT_A_TIME:
            if not knows_weasyprint():
                yield
                return
            from adapters.press.quick import quick_ways

            with quick_ways():
                yield

    def _laid_out(self, html: str, sheet: Path, drawn: Pictures) -> Any:
        self._door.refused.clear()
        document = self._page(html).render(
            stylesheets=[self._sheet(sheet)],
            font_config=self._fonts,
            cache={**self._pictures, **drawn},
            pdf_variant="pdf/a-3a",
        )
        if refused := self._door.refused:
            raise RefusedAddress(
                "a page asked for what is not one of the project's own assets: " + ", ".join(refused)
            )
        return document


def press() -> Press:
    """The press of this process with the drawings that ship."""
    return press_of(SHIPPED)


@cache
def press_of(brand: Brand) -> Press:
    """The press with an organisation's own drawings; kept for the life of the process.

    Raises:
        InvalidInput: something in the organisation's folder can't be used; each file is named.
    """
    return Press(own=drawings_of(brand))


def instant_of(day: date) -> str:
    """The moment a paper of that day carries in its metadata: midnight UTC, whatever the machine's zone."""
    return f"{day.isoformat()}T00:00:00Z"
