"""The one door to WeasyPrint: what it may fetch, how it prints, and nothing beside it.

Import this module only when something is to be printed: it loads Pango, fontconfig and HarfBuzz.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from adapters.branding import drawings_of
from adapters.fonts import use_bundled_fonts
from adapters.patches import in_force
from adapters.press.finishing import MEDIA_TYPE, settle
from adapters.press.finishing import finish as finish_file
from labels.errors import LabelsError, OutOfReach
from labels.papers.branding import NO_DRAWINGS, SHIPPED, Brand, Drawing, Drawings
from labels.settings import PROJECT

use_bundled_fonts()

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # said in our own words below
        import weasyprint
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


def can_stamp() -> bool:
    """Whether pages may be stamped and texts measured one by one, with what is inside WeasyPrint."""
    return in_force("stamping") and subsets_with_harfbuzz()


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
            ValueError: any other address; it is recorded in `refused` and stops the paper at the end.
        """
        name = url.removeprefix(SCHEME)
        if name != url and (drawing := self.own.get(name)):
            return URLFetcherResponse(url, drawing.content, {"Content-Type": drawing.media_type})
        path = self.assets.get(name) if name != url else None
        if path is None:
            self.refused.append(url[:200])
            raise ValueError("refused: only the project's own assets are open to a page")
        return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": _CONTENT_TYPES[path.suffix]})


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
    media_type: ClassVar[str] = MEDIA_TYPE
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
    def finish(document: Any, pdf: Any) -> None:
        finish_file(pdf)
        settle(pdf)

    return _as_file(document, attached, finish)


def _written_open(document: Any, attached: Attached | None) -> tuple[bytes, Any]:
    """The document as a file, and the objects that the file was written from."""
    kept = []

    def finish(document: Any, pdf: Any) -> None:
        finish_file(pdf)
        kept.append(pdf)

    return _as_file(document, attached, finish), kept[0]


def _as_file(document: Any, attached: Attached | None, finish: Callable[[Any, Any], None]) -> bytes:
    document.metadata.attachments = [attached.file()] if attached else []
    written: bytes = document.write_pdf(pdf_variant="pdf/a-3a", finisher=finish)
    return written


_ONE_AT_A_TIME = threading.RLock()
"""For all presses: WeasyPrint's font map belongs to one thread, and `lists_that_end` takes the place of WeasyPrint's own
in the whole process."""


class Press:
    """Fonts, art and style sheets, loaded once; prints one page description after the other.

    One at a time: see `Press.alone`.
    """

    def __init__(self, art: Path = ART, own: Drawings = NO_DRAWINGS) -> None:
        self._door = door = AssetDoor(art, own)
        self._fonts = FontConfiguration()
        if in_force("lists"):
            from adapters.press.patches.lists import FeaturesOfEachLine

            self._fonts.font_features = FeaturesOfEachLine()
        self._sheets: dict[Path, weasyprint.CSS] = {}
        self._styles: dict[Path, dict[str, Any]] = {}
        self._pictures: dict[str, Any] = {}
        for name, path in door.assets.items():
            drawing = door.own.get(name) or Drawing(path.read_bytes(), _CONTENT_TYPES[path.suffix])
            if drawing.media_type == _CONTENT_TYPES[".svg"] and in_force("drawings"):
                from adapters.press.patches.drawings import Art

                self._pictures[SCHEME + name] = Art(SCHEME + name, drawing.content, door)

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
        if not can_stamp():
            return self._widths_laid_out(runs, sheet)
        from adapters.press.patches.lines import measured, styles_on

        with self.alone():
            styles = self._styles.setdefault(sheet, {})
            if new := sorted({style for style, _ in runs} - styles.keys()):
                (page,) = self._gauge([(style, "n") for style in new], sheet).pages
                found = styles_on(page)
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
        """Keeps other threads from WeasyPrint, which frees within what it would keep for ever."""
        with _ONE_AT_A_TIME:
            if not in_force("lists"):
                yield
                return
            from adapters.press.patches.lists import lists_that_end

            with lists_that_end():
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
    """The press with an organisation's own drawings; cached for the life of the process.

    Raises:
        InvalidInput: something in the organisation's folder can't be used; each file is named.
    """
    return Press(own=drawings_of(brand))


def instant_of(day: date) -> str:
    """The moment a paper of that day carries in its metadata: midnight UTC, whatever the machine's zone."""
    return f"{day.isoformat()}T00:00:00Z"
