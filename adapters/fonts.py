"""The bundled fonts: how they are made the only ones there are, and which characters they have.

The same PDF comes out of every machine because fontconfig is shown this project's folder alone.
"""

from __future__ import annotations

import os
import stat
import tempfile
import unicodedata
from functools import cache
from hashlib import sha256
from pathlib import Path
from xml.sax.saxutils import escape

from labels.errors import Fault, OutOfReach
from labels.settings import PROJECT
from labels.words.text import DECORATION, described

FONTS = PROJECT / "templates" / "assets" / "fonts"

_CONFIGURATION = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
  <config><rescan><int>0</int></rescan></config>
</fontconfig>
"""


def use_bundled_fonts() -> Path:
    """Points fontconfig of this process at the bundled fonts alone; call it before WeasyPrint is imported.

    The configuration and fontconfig's cache lie in a folder that only this user can write, shared by
    this user's processes, so that no process reads the fonts twice and none leaves a folder behind.

    Raises:
        OutOfReach: the fonts are missing from the checkout.
    """
    if not any(FONTS.glob("*.ttf")):
        raise OutOfReach("the bundled fonts", f"no font file in {FONTS}: restore it from the repository.")
    folder = _private_folder()
    path = folder / "fonts.conf"
    text = _CONFIGURATION.format(fonts=escape(str(FONTS)), cache=escape(str(folder / "cache")))
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        draft = folder / f".fonts-{os.getpid()}.conf"
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    os.environ["FONTCONFIG_FILE"] = str(path)
    os.environ.pop("FONTCONFIG_PATH", None)
    os.environ.pop("FONTCONFIG_SYSROOT", None)
    return path


def _private_folder() -> Path:
    owner = os.getuid()
    digest = sha256(str(FONTS).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"etwinning-labels-fonts-{owner}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != owner or not stat.S_ISDIR(found.st_mode) or stat.S_IMODE(found.st_mode) & 0o022:
        return Path(tempfile.mkdtemp(prefix="etwinning-labels-fonts-"))  # somebody else got there first
    return folder


@cache
def printable_characters() -> frozenset[int]:
    """Every code point that some bundled font has a glyph for."""
    from fontTools.ttLib import TTFont

    covered: set[int] = set()
    for path in sorted(FONTS.glob("*.ttf")):
        with TTFont(path, lazy=True) as font:
            covered.update(font.getBestCmap())
    return frozenset(covered)


def _needs_no_glyph(character: str) -> bool:
    return character.isspace() or character in "\u200c\u200d\ufe0e\ufe0f"


def missing_characters(text: str) -> list[str]:
    """The characters of `text` that no bundled font can print, each once, in their order."""
    covered = printable_characters()
    return [
        character
        for character in dict.fromkeys(text)
        if ord(character) not in covered and not _needs_no_glyph(character)
    ]


def unprintable(where: str, text: str) -> list[Fault]:
    """One fault for each character of a field that no bundled font has."""
    return [
        Fault(
            where,
            f"no bundled font has the character {described(character)}.",
            "Write it in Latin, Greek, Cyrillic, Georgian, Armenian or Arabic letters.",
        )
        for character in missing_characters(text)[:20]
    ]


PLACEHOLDER = "\u25a1"
"""□, which stands for a letter that no bundled font has, where refusing would silence a person."""


def with_placeholders(text: str) -> str:
    """`text` with every character that cannot be printed shown as such.

    A symbol or emoji becomes its name in brackets, a letter of a script without a font becomes □: a
    reader sees that something stood there. The record keeps the text as it was written.
    """
    missing = set(missing_characters(text))
    if not missing:
        return _without_emoji_style(text)
    parts = []
    for character in text:
        if character not in missing:
            parts.append(character)
        elif unicodedata.category(character) in ("So", "Sm", "Sk", "Po"):
            parts.append(f"[{unicodedata.name(character, PLACEHOLDER).lower()}]")
        elif unicodedata.category(character) not in ("Mn", "Me"):
            parts.append(PLACEHOLDER)
    return _without_emoji_style("".join(parts))


def without_decoration(text: str) -> str:
    """`text` without the symbols and emoji that no bundled font has; missing letters stay to be refused."""
    missing = set(missing_characters(text))
    kept = (c for c in text if c not in missing or unicodedata.category(c) not in DECORATION)
    return " ".join(_without_emoji_style("".join(kept)).split())


def _without_emoji_style(text: str) -> str:
    """Without the invisible characters that only a colour font understands."""
    return text.replace("\ufe0f", "").replace("\ufe0e", "")
