"""Many pages of one design, at forty times the rate of one after the other: the same bytes, made from parts.

WeasyPrint lays out and writes the first page of a kind. What such pages share of its file is cached: the
artwork, the colour profile, the tree of tags, and the page's content around the lines of text. For the next
page, its own lines are set by WeasyPrint's text layout in the places of the first one's, the fonts are cut
down to what this page uses, and what is a page's own is written anew: content, fonts, metadata, the square
code, the attached credential.

Since WeasyPrint's own parts write every object, in its order, a stamped page is byte for byte what WeasyPrint
would have printed. That is what is checked: the first page of each kind, and one more of every batch, are
printed plainly too and compared. So nobody can tell from a certificate who else was in the batch, and
falling back to plain printing changes nothing but the time.

Nothing of a page outlives `Stamps.print` but the frames, which hold no line of text: what they were made from
is cut out of them.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

import pydyf
from weasyprint import DEFAULT_OPTIONS
from weasyprint.pdf.anchors import write_pdf_attachment
from weasyprint.pdf.fonts import build_fonts_dictionary

from adapters.press.codes import SquareCode
from adapters.press.finishing import finish_attachment, say_universal_access
from adapters.press.patches.files import Objects
from adapters.press.patches.lines import NotSet, Place, Recorder, Run, Tally, blocks_around

MANY = 100
"""From so many pages on, a batch is worth another look: one page more of it is printed plainly and compared."""
FRAMES = 64
"""How many kinds of page are cached; a kind is one label in one language on one day, with one number of lines
for each text and one set of fonts."""

Fonts = Mapping[Hashable, Tally]


class Distrusted(RuntimeWarning):
    """Stamped pages would differ from printed ones; they are printed plainly, which takes longer."""


class Attachable(Protocol):
    """A file that a page carries (`adapters.press.pdf.Attached`)."""

    relationship: ClassVar[str]

    def file(self) -> Any:
        """As WeasyPrint takes it."""


class Printing(Protocol):
    """What prints a page plainly (`adapters.press.pdf.Press`)."""

    def alone(self) -> AbstractContextManager[None]:
        """Keeps other threads from WeasyPrint."""

    def print_open(self, html: str, sheet: Path, drawn: Any, attached: Any) -> tuple[bytes, Any, Any]:
        """The file, its objects and WeasyPrint's document."""

    def lay_out(self, html: str, sheet: Path) -> Any:
        """WeasyPrint's document of a page."""


@dataclass(frozen=True)
class Words:
    """A text on its lines, and what decides where they stand."""

    lines: tuple[str, ...]
    setting: Hashable
    """All that decides it but the text itself: tag, class, size, place. Equal ones stand alike."""
    alone: Any = None
    """What `Stamps.bare` puts on a bare page to have the text in its place; None where its place depends on
    what is around it, so that it is the same on all pages of a shape."""


@dataclass(frozen=True)
class Page:
    """A page to be stamped."""

    shape: Hashable
    """All of the page that is neither a text nor below; pages of a shape differ in these alone."""
    words: Sequence[Words]
    """Every text, in the order of the page."""
    title: str
    author: str
    description: str
    keywords: Sequence[str]
    code: SquareCode | None
    address: str
    """The alternative text of the code."""
    attached: Attachable | None
    described: Callable[[], tuple[str, Path, Mapping[str, Any]]] = field(compare=False, repr=False)
    """The page's HTML, its style sheet and the pictures on it, for printing it plainly."""


class _Anchor(NamedTuple):
    """A line's place in the page's content; or the code's, whose number is -1."""

    line: int


@dataclass
class _Frame:
    """What pages of one shape share."""

    pieces: list[bytes | _Anchor]
    places: list[Place | None]
    inks: dict[tuple[Hashable, ...], _File]
    """The file's objects, by the fonts in the order in which the page comes to use them."""


@dataclass
class _File:
    """The objects of a file: those that are shared as they are written, the places of the others."""

    objects: Objects
    content: int
    fonts: list[tuple[Hashable, list[int]]]
    metadata: int
    info: Mapping[str, Any]
    """What the file says of itself in the old way: its last object."""
    figure: tuple[int, Mapping[str, Any]] | None
    attached: list[int]
    names: Any
    """The document's metadata without what is a page's own."""


class _Numbers:
    """Takes objects where WeasyPrint's functions add them to a file, and gives them the numbers they had."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self.catalog: dict[str, Any] = {}
        self.objects: dict[int, Any] = {}
        self._numbers = iter(numbers)

    def add_object(self, thing: Any) -> None:
        thing.number = next(self._numbers)
        self.objects[thing.number] = thing


class Stamps:
    """Prints pages of one style sheet, stamping those of a shape that it has printed before."""

    def __init__(self, press: Printing, bare: Callable[[Sequence[Any]], tuple[str, Path]]) -> None:
        """`bare` describes a page with nothing but the given texts on it, each in its place."""
        self._press = press
        self._bare = bare
        self._frames: dict[Hashable, _Frame | None] = {}
        self._places: dict[Hashable, list[list[Place]]] = {}
        self._fonts: dict[Hashable, Any] = {}
        self._runs: dict[tuple[Hashable, tuple[str, ...]], list[Run]] = {}
        self._cut: dict[Hashable, list[bytes]] = {}

    def print(self, pages: Sequence[Page]) -> list[bytes]:
        """Each page as a file of its own, byte for byte as `Press.print` makes it.

        Raises:
            RefusedAddress: a page asked for anything but the project's own assets.
        """
        try:
            return self._print(pages)
        finally:
            self._runs.clear()
            self._cut.clear()

    def _print(self, pages: Sequence[Page]) -> list[bytes]:
        if len(self._frames) > FRAMES or len(self._places) > FRAMES * 40:
            self._frames.clear()
            self._places.clear()
        printed: dict[int, bytes] = {}
        compared = 0
        for index, page in enumerate(pages):
            if page.shape not in self._frames:
                printed[index], kept = self._printed(page)
                compared += kept
        rest = [index for index in range(len(pages)) if index not in printed]
        try:
            self._set_alone([pages[index] for index in rest])
        except Exception as error:  # as below
            self._distrust(f"WeasyPrint is otherwise inside than expected ({type(error).__name__})")
            return [printed.get(index) or self._plain(page)[0] for index, page in enumerate(pages)]
        stamped: dict[Hashable, list[int]] = {}
        for index in rest:
            made = self._stamped(pages[index])
            if made is None:
                made, kept = self._printed(pages[index])
                compared += kept
            else:
                stamped.setdefault(pages[index].shape, []).append(index)
            printed[index] = made
        if stamped and (not compared or len(pages) >= MANY):
            self._check(pages, printed, stamped)
        return [printed[index] for index in range(len(pages))]

    def _check(
        self, pages: Sequence[Page], printed: dict[int, bytes], stamped: Mapping[Hashable, list[int]]
    ) -> None:
        """Prints one stamped page plainly; if it is another one, all that were stamped are printed anew."""
        shape = max(stamped, key=lambda shape: len(stamped[shape]))
        sample = stamped[shape][-1]
        if self._plain(pages[sample])[0] == printed[sample]:
            return
        self._distrust("a page of the batch came out otherwise than WeasyPrint prints it")
        for index in (index for indexes in stamped.values() for index in indexes):
            printed[index] = self._plain(pages[index])[0]
        self._frames.update(dict.fromkeys(stamped))

    def _distrust(self, what: str) -> None:
        """Says that pages are printed plainly from now on, without a word of what stands on them."""
        warnings.warn(
            f"stamping: {what}. Pages of its kind are printed plainly, which takes ten times as long; the"
            " certificates are right.",
            Distrusted,
            stacklevel=2,
        )

    # ——— the plain way, and what is learned from it

    def _plain(self, page: Page) -> tuple[bytes, Any, Any]:
        """The page as WeasyPrint prints it, with the objects of its file and its document."""
        return self._press.print_open(*page.described(), page.attached)

    def _printed(self, page: Page) -> tuple[bytes, bool]:
        """The page as WeasyPrint prints it, and whether the next of its shape can be stamped.

        It can, if this one comes out the same when it is stamped.
        """
        made, pdf, document = self._plain(page)
        if self._frames.get(page.shape, ...) is None:
            return made, False
        try:
            with self._press.alone():
                frame = self._frames.get(page.shape) or self._frame(page, document, pdf)
                self._set_alone([page])
                runs = self._runs_on(page, frame)
                if runs is None:
                    return made, False
                if len(frame.inks) >= FRAMES:
                    frame.inks.clear()
                frame.inks[tuple(_used_by(runs))] = self._file(page, document, pdf)
                self._frames[page.shape] = frame
        except NotSet:
            return made, False
        except Exception as error:  # of WeasyPrint's inside, which must not keep a certificate away
            self._frames[page.shape] = None
            self._distrust(f"WeasyPrint is otherwise inside than expected ({type(error).__name__})")
            return made, False
        if self._stamped(page) == made:
            return made, True
        if self._frames[page.shape] is not None:
            self._frames[page.shape] = None
            self._distrust("a first page came out otherwise than WeasyPrint prints it")
        return made, False

    def _frame(self, page: Page, document: Any, pdf: Any) -> _Frame:
        """The content of a page around its lines, and where these stand.

        It takes the boxes in the order of the page for those whose content is drawn one after the other;
        were it another, the page would not come out the same when it is stamped.
        """
        (laid_out,) = document.pages
        drawn = pdf.objects[number_of(_page_of(pdf)["Contents"])].stream
        around = blocks_around(laid_out._page_box)
        texts = [line for words in page.words for line in words.lines]
        if [box.text for box in around] != texts:
            raise NotSet("the page has other lines")
        places = [Place.of(box, block) for box, block in around.items()]
        pieces: list[bytes | _Anchor] = []
        done = line = 0
        for start, end in _marked(drawn):
            inside = drawn[start:end]
            if b"BT" in inside:
                anchor = _Anchor(line)
                line += 1
                begin, finish = start + inside.index(b"BT"), start + inside.index(b"ET") + 1
            elif page.code is not None and page.code.path in inside:
                anchor = _Anchor(-1)
                begin = start + inside.index(page.code.path)
                finish = begin + 1
            else:
                raise NotSet("the page has a picture of another kind")
            pieces += [b"\n".join(map(_bytes, drawn[done:begin])), anchor]
            done = finish
        if line != len(places):
            raise NotSet("the page has other lines")
        pieces.append(b"\n".join(map(_bytes, drawn[done:])))
        self._learn(page, places)
        return _Frame(pieces, places, {})

    def _learn(self, page: Page, places: Sequence[Place | None]) -> None:
        """Keeps where the page's texts stand that can stand alone."""
        following = iter(places)
        for words in page.words:
            found = [next(following) for _ in words.lines]
            known = [place for place in found if place]
            if words.alone is not None and words.setting not in self._places and len(known) == len(found):
                self._places[words.setting] = [known]

    def _file(self, page: Page, document: Any, pdf: Any) -> _File:
        """The objects of a printed file, without those that are its page's own."""
        by_hash = {font.hash: key for key, font in document.fonts.items()}
        if len(by_hash) != len(document.fonts):
            raise NotSet("two fonts share a file")
        things = pdf.objects
        fonts: list[tuple[Hashable, list[int]]] = []
        listed = things[number_of(things[number_of(_page_of(pdf)["Resources"])]["Font"])]
        for name, reference in listed.items():
            font = things[number_of(reference)]
            (below,) = (things[number_of(one)] for one in font["DescendantFonts"])
            about = things[number_of(below["FontDescriptor"])]
            if things[number_of(about["FontFile2"])] is None or "CIDSet" in about:
                raise NotSet("a font is of another kind")
            numbers = [number_of(about["FontFile2"]), number_of(font["ToUnicode"]), about.number]
            fonts.append((by_hash[name], [*numbers, below.number, font.number]))
        figures = [one for one in things if isinstance(one, pydyf.Dictionary) and one.get("S") == "/Figure"]
        if len(figures) != (page.code is not None):
            raise NotSet("the page has other pictures")
        attached: list[int] = []
        if page.attached:
            (described,) = {number_of(one) for one in pdf.catalog["AF"]}
            attached = [number_of(things[described]["EF"]["F"]), described]
        names = copy.copy(document.metadata)
        names.title = names.description = None
        names.authors, names.keywords, names.attachments = [], [], []
        content, metadata = number_of(_page_of(pdf)["Contents"]), number_of(pdf.catalog["Metadata"])
        own = {content, metadata, pdf.info.number, *attached, *(one.number for one in figures)}
        own.update(number for _, numbers in fonts for number in numbers)
        return _File(
            Objects.of(pdf, own),
            content,
            fonts,
            metadata,
            {
                key: "" if key in ("Title", "Author", "Subject", "Keywords") else value
                for key, value in pdf.info.items()
            },
            (figures[0].number, {key: value for key, value in figures[0].items() if key != "Alt"})
            if figures
            else None,
            attached,
            names,
        )

    # ——— lines

    def _set_alone(self, pages: Sequence[Page]) -> None:
        """Sets every text that can stand alone: most in a known place, the others on one bare page."""
        wanted = {
            (words.setting, words.lines): words
            for page in pages
            for words in page.words
            if words.alone is not None
        }
        unknown = [words for words in wanted.values() if words.setting not in self._places]
        first = {words.setting: words for words in unknown}
        with self._press.alone():
            self._lay_out(list(first.values()))
            rest = []
            for key, words in wanted.items():
                if key not in self._runs:
                    found = self._in_known_place(words)
                    if found is None:
                        rest.append(words)
                    else:
                        self._runs[key] = found
            self._lay_out(rest)

    def _in_known_place(self, words: Words) -> list[Run] | None:
        recorder = Recorder(self._fonts)
        try:
            for places in self._places[words.setting]:
                runs = [recorder.line(text, place) for text, place in zip(words.lines, places, strict=True)]
                if None not in runs:
                    return [run for run in runs if run]
        except NotSet:
            return []
        return None

    def _lay_out(self, many: Sequence[Words]) -> None:
        """Has WeasyPrint lay texts out, all over each other on a bare page, and keeps their places."""
        if not many:
            return
        document = self._press.lay_out(*self._bare([words.alone for words in many]))
        (page,) = document.pages
        recorder = Recorder(self._fonts, page.width, page.height)
        page.paint(recorder, 0.75)
        around = blocks_around(page._page_box)
        slots = iter(recorder.slots)
        for words in many:
            places: list[Place] = []
            runs: list[Run] = []
            for text in words.lines:
                slot = next(slots)
                inside = recorder.stream[slot.start : slot.end]
                place = Place.of(slot.box, around[slot.box]) if slot.box in around else None
                if (
                    slot.box.text != text
                    or place is None
                    or any(font.missing for font in slot.fonts.values())
                ):
                    runs = []
                    break
                operators = inside[inside.index(b"BT") : inside.index(b"ET") + 1]
                places.append(place)
                runs.append(Run(b"\n".join(operators), slot.fonts))
            self._runs[words.setting, words.lines] = runs
            known = self._places.setdefault(words.setting, [])
            if runs and len(known) < 8:
                known.append(places)

    def _runs_on(self, page: Page, frame: _Frame) -> list[Run] | None:
        """Every line of a page, set; None where one of them cannot be."""
        found: list[Run] = []
        recorder = Recorder(self._fonts)
        for words in page.words:
            key = (page.shape, len(found)) if words.alone is None else words.setting, words.lines
            runs = self._runs.get(key)
            if runs is None and words.alone is None:
                places = frame.places[len(found) : len(found) + len(words.lines)]
                set_here = [
                    recorder.line(text, place) if place else None
                    for text, place in zip(words.lines, places, strict=True)
                ]
                runs = self._runs[key] = [run for run in set_here if run]
            if runs is None or len(runs) != len(words.lines):
                return None
            found += runs
        return found

    # ——— stamping

    def _stamped(self, page: Page) -> bytes | None:
        """The page made from its frame; None where there is none for it."""
        frame = self._frames.get(page.shape)
        if frame is None:
            return None
        try:
            with self._press.alone():
                runs = self._runs_on(page, frame)
                used = _used_by(runs or ())
                file = frame.inks.get(tuple(used))
                if runs is None or file is None:
                    return None
                return file.objects.file(self._own(page, frame, file, runs, used))
        except NotSet:
            return None
        except Exception as error:  # as there
            self._frames[page.shape] = None
            self._distrust(f"WeasyPrint is otherwise inside than expected ({type(error).__name__})")
            return None

    def _own(
        self, page: Page, frame: _Frame, file: _File, runs: Sequence[Run], used: Fonts
    ) -> dict[int, bytes]:
        """The objects that are this page's own."""
        own = {file.content: pydyf.Stream(_content(page, frame, runs), compress=True).data}
        for key, numbers in file.fonts:
            own.update(zip(numbers, self._cut_down(key, used[key], numbers), strict=True))
        own.update(_named(page, file))
        own.update(_figure(page, file))
        if page.attached:
            numbered = _Numbers(file.attached)
            described = write_pdf_attachment(numbered, page.attached.file(), True)
            described["AFRelationship"] = f"/{page.attached.relationship}"
            finish_attachment(numbered.objects[file.attached[0]], described)
            own.update({number: thing.data for number, thing in numbered.objects.items()})
        return own

    def _cut_down(self, key: Hashable, used: Tally, numbers: Sequence[int]) -> list[bytes]:
        """A font's objects with the letters of one page and no others."""
        letters = key, *numbers, *used.to_unicode.items()
        if letters not in self._cut:
            numbered = _Numbers(numbers)
            build_fonts_dictionary(numbered, {key: used.as_font()}, True, True, DEFAULT_OPTIONS)
            self._cut[letters] = [numbered.objects[number].data for number in numbers]
        return self._cut[letters]


def _used_by(runs: Iterable[Run]) -> dict[Hashable, Tally]:
    """What the lines of a page use of the fonts, together."""
    found: dict[Hashable, Tally] = {}
    for run in runs:
        for key, tally in run.fonts.items():
            if key not in found:
                found[key] = Tally(tally.font)
            together = found[key]
            for glyph, text in tally.to_unicode.items():
                together.to_unicode.setdefault(glyph, text)
            for glyph, width in tally.widths.items():
                together.widths.setdefault(glyph, width)
    return found


def _content(page: Page, frame: _Frame, runs: Sequence[Run]) -> list[bytes]:
    """What is drawn on the page."""
    code = page.code.path if page.code else b""
    return [
        (code if piece.line < 0 else runs[piece.line].operators) if isinstance(piece, _Anchor) else piece
        for piece in frame.pieces
    ]


def _figure(page: Page, file: _File) -> Iterator[tuple[int, bytes]]:
    """The tag of the code, with what it says."""
    if file.figure:
        number, figure = file.figure
        yield number, pydyf.Dictionary({**figure, "Alt": pydyf.String(page.address)}).data


def _named(page: Page, file: _File) -> Iterator[tuple[int, bytes]]:
    """The objects in which the file says of itself what it is."""
    names, info = _names(page, file)
    numbered = _Numbers([file.metadata])
    names.include_in_pdf(numbered, "a", 3, "A", True)
    say_universal_access(numbered)
    yield file.metadata, numbered.objects[file.metadata].data
    yield file.objects.count, pydyf.Dictionary(info).data


def _names(page: Page, file: _File) -> tuple[Any, dict[str, Any]]:
    """What the file says of itself, for XMP and in the old way."""
    names = copy.copy(file.names)
    names.title, names.authors = page.title, [page.author]
    names.description, names.keywords = page.description, list(page.keywords)
    told = {
        "Title": page.title,
        "Author": page.author,
        "Subject": page.description,
        "Keywords": ", ".join(page.keywords),
    }
    return names, {**file.info, **{key: pydyf.String(text) for key, text in told.items()}}


def _marked(drawn: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """From where to where the pieces of content go that have a tag."""
    for place, operation in enumerate(drawn):
        if operation == b"BDC":
            yield place + 1, drawn.index(b"EMC", place)


def number_of(reference: bytes | str) -> int:
    """The number of the object that is referred to."""
    return int(reference.split()[0])


def _page_of(pdf: Any) -> Any:
    return pdf.objects[pdf.pages["Kids"][0]]


def _bytes(operation: Any) -> bytes:
    return bytes(pydyf._to_bytes(operation))
