"""Certificates: from the facts of an award to a page that can be framed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.fonts import unprintable, without_decoration
from adapters.languages.wording import filled
from adapters.papers.environment import TEMPLATES, Texts, direction_of, paper_environment, texts
from adapters.papers.fitting import Gauge, Room, Setting, fit
from adapters.papers.volumes import bind
from adapters.press.codes import SquareCode
from labels.errors import Fault, InvalidInput
from labels.kinds import LabelKind
from labels.papers.branding import Brand, brand_of
from labels.papers.facts import CertificateFacts

if TYPE_CHECKING:
    from adapters.press.patches.stamping import Page, Stamps
    from adapters.press.pdf import Attached

SHEET = TEMPLATES / "certificates" / "certificate.css"

_COLUMN = 181.0
"""Millimetres between the margins of the text inside the frame."""
_TOP, _BOTTOM = 69.0, 159.0
"""Millimetres from the top of the page between which the award is stated."""
_TALL = re.compile(r"[\u0600-\u06ff\u0750-\u077f\ufb50-\ufeff]")
"""Arabic letters, which reach higher and lower than others of the same size."""
_WIDE = re.compile(r"[\u0530-\u058f\u10a0-\u10ff\u1c90-\u1cbf]")
"""Armenian and Georgian letters, which look larger and heavier than others of the same size."""
_UPRIGHT = re.compile(r"[\u0530-\u06ff\u0750-\u077f\u10a0-\u10ff\u1c90-\u1cbf\u2d00-\u2d2f\ufb13-\ufeff]")
"""Armenian, Arabic and Georgian letters, which have no italic."""


@dataclass(frozen=True)
class Block:
    """One text at its place on the page."""

    tag: str
    style: str
    setting: Setting
    top: float
    """Millimetres from the top of the page."""


@dataclass(frozen=True)
class Check:
    """How a stranger finds out whether the certificate is genuine."""

    picture: str
    """The address under which the page shows the square code."""
    address: str
    """What the square code says."""
    square: SquareCode
    code: Setting
    where: Setting
    """The sentence that tells the page's address."""


@dataclass(frozen=True)
class Sheet:
    """One certificate with every text at its place."""

    facts: CertificateFacts
    blocks: Sequence[Block]
    signature: Setting
    signature_note: Setting
    criteria: Setting
    check: Check | None = None


def render_certificate(
    facts: CertificateFacts, credential: bytes | None = None, branding: Path | None = None
) -> bytes:
    """The certificate as PDF/A-3a and PDF/UA-1; the same facts and credential give the same bytes.

    `credential` is the same award as JSON-LD, for machines; it is attached as `credential.json`.
    `branding` is the folder of what organisations have of their own.
    A project title's emoji and symbols without a glyph are left out: they are no part of the wording.

    Raises:
        InvalidInput: a name or title has a letter that no bundled font can print; each is named.
    """
    from adapters.press.pdf import press_of

    brand = brand_of(branding, facts.issuer)
    words = texts("certificates", facts.label.value, facts.language, brand)
    described = _worded(_sheets([facts], words), words, _titled(facts, words))
    return press_of(brand).print(*described, _attached(facts, credential, words))


def render_certificates(
    many: Sequence[CertificateFacts],
    credentials: Sequence[bytes | None] | None = None,
    branding: Path | None = None,
) -> tuple[list[bytes], bytes]:
    """Certificates of one label in one language: each as a file of its own, and all in one for printing.

    Each file carries its credential, where there is one, and has the bytes that `render_certificate` makes;
    the file for printing carries none, and no name stands in what it says of itself.

    Raises:
        InvalidInput: a name or title has a letter that no bundled font can print; each is named.
        ValueError: there are none, or not all are of one label, organisation, language and day.
    """
    if len({(facts.label, facts.issuer, facts.language, facts.awarded_on) for facts in many}) != 1:
        raise ValueError("certificates are laid out together for one label, organisation, language and day")
    words = texts("certificates", many[0].label.value, many[0].language, brand_of(branding, many[0].issuer))
    each = Stamping(branding).print(many, credentials or [None] * len(many))
    return each, bind(each, f"{words.words['title']} ({len(many)})")


class Stamping:
    """Prints certificates of any kind, those of one kind at a multiple of the rate of a single one.

    It keeps what certificates of a kind share, so one is made for a class or a campaign and dropped after it.
    """

    def __init__(self, branding: Path | None = None) -> None:
        self._branding = branding
        self._stamps: dict[tuple[Brand, str], Stamps] = {}

    def print(self, many: Sequence[CertificateFacts], credentials: Sequence[bytes | None]) -> list[bytes]:
        """Each certificate as `render_certificate` makes it, byte for byte.

        Raises:
            InvalidInput: a name or title has a letter that no bundled font can print; each is named.
        """
        from adapters.press.pdf import can_stamp

        if not can_stamp():
            return [render_certificate(*one, self._branding) for one in zip(many, credentials, strict=True)]
        kinds: dict[tuple[LabelKind, str | None, str], list[int]] = {}
        for index, facts in enumerate(many):
            kinds.setdefault((facts.label, facts.issuer, facts.language), []).append(index)
        printed: dict[int, bytes] = {}
        for (label, issuer, language), places in kinds.items():
            brand = brand_of(self._branding, issuer)
            words = texts("certificates", label.value, language, brand)
            sheets = _sheets([many[index] for index in places], words)
            pages = [
                _page(sheet, words, credentials[index]) for sheet, index in zip(sheets, places, strict=True)
            ]
            printed.update(zip(places, self.stamps_for(words, brand).print(pages), strict=True))
        return [printed[index] for index in range(len(many))]

    def stamps_for(self, words: Texts, brand: Brand) -> Stamps:
        """What stamps the pages of a language that have the same drawings."""
        from adapters.press.patches.stamping import Stamps
        from adapters.press.pdf import press_of

        kind = brand, words.language
        if kind not in self._stamps:
            bare = paper_environment().get_template("certificates/bare.html.j2")
            self._stamps[kind] = Stamps(
                press_of(brand), lambda blocks: (bare.render(blocks=blocks, words=words), SHEET)
            )
        return self._stamps[kind]


def _page(sheet: Sheet, words: Texts, credential: bytes | None) -> Page:
    """The certificate as `stamping` takes it."""
    from adapters.press.patches.stamping import Page, Words

    facts, say = sheet.facts, words.words

    def plain(text: str) -> Words:
        return Words((text,), None)

    def fixed(setting: Setting) -> Words:
        return Words(setting.lines, _shaped(setting))

    written = [plain(say["programme"])]
    written += [
        Words(
            block.setting.lines,
            (words.language, block.tag, block.style, block.top, _shaped(block.setting)),
            block,
        )
        for block in sheet.blocks
    ]
    written += [fixed(sheet.signature), fixed(sheet.signature_note), plain(facts.school_year)]
    written += [plain(words.day(facts.awarded_on)), plain(say["awarded_on"])]
    if sheet.check:
        written += [plain(say["code"]), fixed(sheet.check.code), fixed(sheet.check.where)]
    written += [plain(say["number"]), plain(facts.application)]
    if facts.criteria_set:
        written.append(fixed(sheet.criteria))
    shape = (
        (facts.label, words.language, facts.awarded_on, bool(sheet.check), credential is not None),
        tuple((block.tag, len(block.setting.lines)) for block in sheet.blocks),
        tuple(one.setting for one in written if one.alone is None),
    )
    return Page(
        shape=shape,
        words=written,
        title=_titled(facts, words),
        author=facts.organisation,
        description=f"{say['programme']}: {say['title']}, {facts.application}",
        keywords=[facts.application],
        code=sheet.check.square if sheet.check else None,
        address=sheet.check.address if sheet.check else "",
        attached=_attached(facts, credential, words),
        described=lambda: _worded([sheet], words, _titled(facts, words)),
    )


def _shaped(setting: Setting) -> tuple[object, ...]:
    """All of a setting but its text."""
    return setting.size, setting.leading, tuple(map(direction_of, setting.lines))


def _attached(facts: CertificateFacts, credential: bytes | None, words: Texts) -> Attached | None:
    if credential is None:
        return None
    from adapters.press.pdf import Attached

    return Attached(credential, f"{words.words['title']}, {facts.application} (JSON-LD)", facts.awarded_on)


def _titled(facts: CertificateFacts, words: Texts) -> str:
    return f"{words.words['title']} – {facts.holder}"


def _sheets(many: Sequence[CertificateFacts], words: Texts) -> list[Sheet]:
    """Certificates of one label and language, each checked and every text set to its room.

    Raises:
        InvalidInput: a name or title has a letter that no bundled font can print; each is named.
    """
    from adapters.press.pdf import press

    printed = []
    for facts in many:
        project = without_decoration(facts.project)
        check_printable(facts, project)
        in_words = {
            "project": project,
            "country": words.country(facts.country),
            "criteria_set": words.named("criteria set", facts.criteria_set),
        }
        printed.append(facts.model_copy(update=in_words))
    return _composed(printed, words, lambda runs: press().widths(runs, SHEET))


def _worded(sheets: Sequence[Sheet], words: Texts, title: str) -> tuple[str, Path, dict[str, SquareCode]]:
    """The pages of certificates as HTML, with their style sheet and the square codes that they show."""
    from adapters.press.pdf import instant_of

    html: str = (
        paper_environment()
        .get_template("certificates/certificate.html.j2")
        .render(
            facts=sheets[0].facts,
            sheets=sheets,
            words=words,
            say=words.words,
            title=title,
            instant=instant_of(sheets[0].facts.awarded_on),
        )
    )
    return html, SHEET, {sheet.check.picture: sheet.check.square for sheet in sheets if sheet.check}


def check_printable(facts: CertificateFacts, project: str) -> None:
    """Refuses, before anything is printed, every character that no bundled font has.

    Raises:
        InvalidInput: one fault for each such character, with its field and its Unicode name.
    """
    faults: list[Fault] = []
    fields = ("holder", "school", "city", "country", "organisation", "coordinator", "coordinator_role")
    for field in (*fields, "school_year", "criteria_set"):
        faults += unprintable(field, getattr(facts, field))
    faults += unprintable("project", project)
    if facts.project and not project:
        faults.append(Fault("project", "the title has no character that can be printed.", "Give it letters."))
    if faults:
        raise InvalidInput(f"certificate {facts.application}", faults)


def _slanted(style: str, text: str) -> str:
    """The style, upright for scripts that have no italic."""
    return f"{style} upright" if _UPRIGHT.search(text) else style


def _composed(many: Sequence[CertificateFacts], words: Texts, gauge: Gauge) -> list[Sheet]:
    """Every text of every certificate set to its room, measured together."""
    stated = [_stated(facts, words) for facts in many]
    around = [_around(facts, words) for facts in many]
    checked = [_check(facts, words) for facts in many]
    wanted = [
        place
        for rows, fixed, check in zip(stated, around, checked, strict=True)
        for place in (*fixed, *check, *((row.text, row.room) for row in rows))
    ]
    settings = iter(fit(wanted, gauge))
    addresses = [f"{facts.check_url}/{facts.code}" for facts in many if facts.code]
    squares = iter(zip(addresses, SquareCode.of_many(addresses), strict=True))
    sheets = []
    for index, (facts, rows, check) in enumerate(zip(many, stated, checked, strict=True)):
        heading, signature, note, criteria = (next(settings) for _ in range(4))
        shown = None
        if check:
            shown = Check(f"code:{index}", *next(squares), next(settings), next(settings))
        blocks = _spread(heading, rows, [_kept_high(row, next(settings)) for row in rows])
        sheets.append(Sheet(facts, blocks, signature, note, criteria, shown))
    return sheets


@dataclass(frozen=True)
class _Line:
    """One line of what is stated in the middle of the page."""

    tag: str
    style: str
    text: str
    room: Room
    after: float
    """The space after it, in shares of what is left."""


def _stated(facts: CertificateFacts, words: Texts) -> list[_Line]:
    say = words.words
    school = "" if facts.label is LabelKind.SCHOOL else facts.school
    lines = [
        _Line("p", "lead", say["lead"], _room(15, 8), 0.6),
        _Line("p", "holder", facts.holder, _holder_room(facts.holder), 0.75),
        _Line("p", "school-name", school, Room("school-name", 176, 10.5, 15, 12, leading=1.2), 0.12),
        _Line("p", "place", _place(facts), Room("place", 176, 9, 13, 10.5, leading=1.2), 1.7),
        _Line("p", "phrase", say["before_project"], _room(13.5, 8), 0.45),
        _Line("p", _slanted("project", facts.project), facts.project, _project_room(facts.project), 0.5),
        _Line("p", "phrase", say["after_project"], _room(13.5, 13), 0.8 if facts.valid_until else 0),
        _Line("p", "place", _valid(facts, words), Room("place", 176, 9, 13, 10.5, leading=1.2), 0),
    ]
    return [row for row in lines if row.text]


def _valid(facts: CertificateFacts, words: Texts) -> str:
    """From when until when the label is valid, where it ends."""
    if facts.valid_until is None:
        return ""
    if facts.valid_from is not None:
        return f"{words.day(facts.valid_from)} – {words.day(facts.valid_until)}"
    return filled(words.words["valid"], valid_until=words.day(facts.valid_until))


def _around(facts: CertificateFacts, words: Texts) -> list[tuple[str, Room]]:
    """The title, the signature with its note, and the criteria set."""
    say = words.words
    issuer = facts.coordinator or facts.organisation
    note = facts.organisation if facts.coordinator else say["organisation"]
    if facts.coordinator and facts.coordinator_role:
        note = f"{facts.coordinator_role}, {facts.organisation}"
    criteria = filled(say["criteria"], criteria_set=facts.criteria_set)
    return [
        (say["title"], Room("title", _COLUMN, 21, 43, 30, leading=1.05)),
        (issuer, Room("who", 68, 13.5, 14, 10.5, leading=1.15)),
        (note, Room("below", 68, 13, 9, 8.4, leading=1.3)),
        (criteria, Room("criteria small", 42, 16, 8.6, 8.5, leading=1.3)),
    ]


def _kept_high(row: _Line, setting: Setting) -> Setting:
    """A holder's name on one line takes the same height whatever its size, so that nothing else moves."""
    if row.style != "holder" or len(setting.lines) > 1:
        return setting
    return replace(setting, leading=round(row.room.largest * row.room.leading / setting.size, 4))


def _check(facts: CertificateFacts, words: Texts) -> list[tuple[str, Room]]:
    """The code and the sentence that says where to check it; nothing where there is no code."""
    if facts.code is None or facts.check_url is None:
        return []
    address = re.sub("^https?://", "", facts.check_url)
    if words.direction == "rtl":  # an address of digits would be taken apart there
        address = f"\u200e{address}\u200e"
    where = filled(words.words["check"], address=address)
    return [
        # So small that the widest letters fit: a class has one size, so that its pages are made of the same parts.
        (facts.code, Room("code", 39.5, 8.4, 9, 8.5, leading=1.2)),
        (where, Room("where small", 41.5, 16, 8.6, 8.5, leading=1.3)),
    ]


def _spread(heading: Setting, lines: Sequence[_Line], body: Sequence[Setting]) -> list[Block]:
    """The title, and the award spread evenly over the height that is left."""
    blocks = [Block("h1", "title", heading, _two(57.5 - heading.height - _drop(heading)))]
    left = _BOTTOM - _TOP - sum(setting.height for setting in body)
    shares = sum(row.after for row in lines)
    unit = max(0.0, min(left / (shares + 1.1), 10.0))
    top = _TOP + (left - unit * shares) * 0.42
    for row, setting in zip(lines, body, strict=True):
        blocks.append(Block(row.tag, row.style, setting, _two(top)))
        top += setting.height + unit * row.after
    return blocks


def _room(size: float, height: float) -> Room:
    return Room("phrase", 176, height, size, size - 1.5, leading=1.25)


def _holder_room(name: str) -> Room:
    if _TALL.search(name):
        return Room("holder", _COLUMN, 27, 38, 25, leading=1.4)
    return Room("holder", _COLUMN, 25, 34 if _WIDE.search(name) else 40, 25, leading=1.12)


def _place(facts: CertificateFacts) -> str:
    """City and country, with the comma of their script, or a dot between two directions of writing."""
    parts = list(filter(None, (facts.city, facts.country)))
    directions = {direction_of(part) for part in parts}
    if len(directions) > 1:
        return " · ".join(parts)
    return ("، " if "rtl" in directions else ", ").join(parts)


def _project_room(title: str) -> Room:
    room = Room("project", 176, 19, 20, 15, leading=1.18)
    return replace(room, style=_slanted("project", title))


def _drop(heading: Setting) -> float:
    """A title on one line sits a little higher than its box would have it."""
    return 1.5 if len(heading.lines) == 1 else 0.0


def _two(value: float) -> float:
    return round(value, 2)
