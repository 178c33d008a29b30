"""What people typed, made plain: text that no screen, sheet or terminal reads as anything but text.

`clean` is for what comes in; the others word it for one place it goes to, and clean it again on the
way, so that no caller can forget.
"""

from __future__ import annotations

import re
import string
import unicodedata

LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
"""Everything that some program takes for the end of a line."""

_UNWANTED = dict.fromkeys(
    [
        *(set(range(0x20)) - {0x09, 0x0A}),  # controls, but for tab and newline
        *range(0x7F, 0xA0),
        0x00AD,  # soft hyphen
        0x034F,  # combining grapheme joiner
        0x061C,  # the bidirectional controls: they make text read as other than it is
        *range(0x200E, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x2070),
        0x180E,  # what has no width
        0x200B,
        *range(0x2060, 0x2066),
        0xFEFF,
        0x115F,  # letters that are drawn as nothing
        0x1160,
        0x17B4,
        0x17B5,
        0x2800,
        0x3164,
        0xFFA0,
        *range(0x180B, 0x180E),  # variation selectors, but for the two that emoji use
        0x180F,
        *range(0xFE00, 0xFE0E),
        *range(0xE0100, 0xE01F0),
        *range(0xFFF9, 0xFFFC),  # interlinear annotations
        *range(0x1D173, 0x1D17B),  # musical controls
        *range(0xE0000, 0xE0080),  # tags
        *range(0xD800, 0xE000),  # half a character
        *range(0xFDD0, 0xFDF0),  # not characters
        *(plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)),
    ]
)

_PERHAPS_UNWANTED = re.compile(
    "[{}\u2028\u2029]".format("".join(chr(one) for one in _UNWANTED if one < 0x10000))
)
"""A character that goes, or ends a line otherwise than `\\n` does."""
_RARE = re.compile("[\U00010000-\U0010ffff]")
"""Of these, too, some go; apart, for together the search takes sixty times as long."""

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_EMOJI_STYLE = "\ufe0e\ufe0f"
_JOINING_SCRIPTS = frozenset(
    [
        *["ARABIC", "SYRIAC", "NKO", "MANDAIC", "MONGOLIAN", "THAANA"],
        *["DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA"],
        *["MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "TIBETAN"],
    ]
)
"""The scripts in which a joiner changes how a word is written; elsewhere it only hides."""

_MARKS_A_LETTER = 6
"""More marks than this on one letter are no writing system, but ink over the lines above and below."""

_CLUSTER = re.compile(r"[\s\S]?[^\w\s\x00-\u02ff]+")
_COUNTED_AS_NOTHING = re.compile(r"[^\w\s\x00-\u02ff]")


_STYLED = re.compile(
    "[\u2102\u210a-\u2113\u2115\u2119-\u211d\u2124\u2128\u212a-\u212d\u212f-\u2131\u2133-\u2138\u213c-\u213f\u2145-\u2149"
    "\ufb00-\ufb06\ufb13-\ufb17\ufb50-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdc7\ufe80-\ufefc\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
    "\U0001d400-\U0001d7ff\U0001f130-\U0001f149\u24b6-\u24e9]"
)
"""Letters that are other letters in a style: mathematical, of full width, in a circle, ligatures, forms of Arabic ones."""


def has_styled_letters(text: str) -> bool:
    """Whether some letters are others in a style, which fonts lack and searches miss: `𝓐𝓷𝓷𝓪`."""
    return bool(_STYLED.search(text))


def plain_letters(text: str) -> str:
    """`text` with plain letters in place of those in a style (NFKC of these alone): `𝓐𝓷𝓷𝓪` is `Anna`."""
    return _STYLED.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)


DECORATION = frozenset(("So", "Sk", "Sm", "Me"))
"""The Unicode categories of what decorates a title and may be left out of it: symbols and emoji."""


def described(character: str) -> str:
    """A character as a person can find it: `“語” (CJK UNIFIED IDEOGRAPH-8A9E, U+8A9E)`."""
    name = unicodedata.name(character, "no Unicode name")
    return f"“{character}” ({name}, U+{ord(character):04X})"


def clean(text: str) -> str:
    """`text` as plain Unicode text (NFC) with `\\n` line ends, without anything invisible that acts.

    Removed: control characters but tab and newline, bidirectional controls, whatever has no width,
    more marks on a letter than any script uses. Joiners stay where a script or an emoji needs them.
    Letters in a style become plain. Cleaning twice changes nothing.
    """
    # To look for one takes a tenth of taking them out, and few texts have any.
    if _PERHAPS_UNWANTED.search(text) or _RARE.search(text):
        text = LINE_ENDS.sub("\n", text).translate(_UNWANTED)
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", plain_letters(text))
    if not _COUNTED_AS_NOTHING.search(text):
        return text
    return unicodedata.normalize("NFC", _CLUSTER.sub(_tidy_cluster, text))


def _tidy_cluster(match: re.Match[str]) -> str:
    """A character and the marks, joiners and symbols behind it, without those that have no business there."""
    kept: list[str] = []
    base, marks, joined, styled, joiner = "", 0, False, False, ""
    for character in match.group():
        if character in (_ZWNJ, _ZWJ):
            if _joins(base) and not joined:
                kept.append(character)
                joined = True
            elif character == _ZWJ and _is_symbol(base):
                joiner = _ZWJ  # kept once a symbol follows
        elif character in _EMOJI_STYLE:
            if _is_symbol(base) and not styled:
                kept.append(character)
                styled = True
        elif unicodedata.category(character) in ("Mn", "Me"):
            marks += 1
            if marks <= _MARKS_A_LETTER:
                kept.append(character)
        else:
            if joiner and _is_symbol(character):
                kept.append(joiner)
            kept.append(character)
            base, marks, joined, styled, joiner = character, 0, False, False, ""
    return "".join(kept)


def _joins(base: str) -> bool:
    return bool(base) and unicodedata.name(base, "").split(" ")[0] in _JOINING_SCRIPTS


def _is_symbol(base: str) -> bool:
    return bool(base) and (unicodedata.category(base) in ("So", "Sk", "Sm") or base in "0123456789#*")


def has_words(text: str) -> bool:
    """Whether somebody can read anything in it: a letter or a number, not only space, marks or what no eye sees."""
    return any(character.isalnum() for character in clean(text))


def one_line(text: str, limit: int = 200) -> str:
    """`text` on a single line of at most `limit` characters, cut with an ellipsis where it is longer."""
    line = " ".join(clean(text).split())
    if len(line) <= limit:
        return line
    return cut(line, limit - 1).rstrip() + "…"


def cut(text: str, limit: int) -> str:
    """The first `limit` characters, less the letter that would lose its marks at the cut."""
    if len(text) <= limit:
        return text
    end = max(limit, 0)
    while end and (_leans(text[end]) or text[end - 1] == _ZWJ):
        end -= 1
    return text[:end]


def _leans(character: str) -> bool:
    """Whether it belongs to the character before it."""
    return character in (_ZWNJ, _ZWJ) or unicodedata.category(character) in ("Mn", "Mc", "Me")


_ESCAPED = {ord(mark): f"\\{mark}" for mark in string.punctuation}
_WORD_JOINER = "\u2060"
_LINK_START = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)(?=[-\w])", re.IGNORECASE)


def markdown_plain(text: str) -> str:
    """`text` as one line of Markdown that shows as exactly that text, in a paragraph, list or table cell.

    Every punctuation mark is escaped, which Markdown shows and does not act on (nor does Jinja find its
    braces); character references would do in theory, but Prefect's UI shows them as they are typed.
    Renderers that make links of bare addresses look at the text *after* that, so addresses get a word
    joiner, which takes no room, where such a link would start.
    """
    line = " ".join(clean(text).split())
    return _LINK_START.sub(_WORD_JOINER, line).translate(_ESCAPED)


_ADDRESS = re.compile(r"https?://[^\s<>\"'`{}|\\^]{1,2000}")


_ACTING_IN_A_LINK = re.compile(r"[*_~\[\]]")


def markdown_link(address: str) -> str:
    """An address as Markdown that shows it and leads there; anything that is none as plain text.

    What it is made of can act on nothing: no braces, no quotes, no escapes. Prefect's UI shows an ampersand between
    angle brackets as it is written in HTML; such an address is a link with a text, whose marks are written as RFC 3986
    has them.
    """
    if not _ADDRESS.fullmatch(address):
        return markdown_plain(address)
    if "&" not in address:
        return f"<{address}>"
    written = _ACTING_IN_A_LINK.sub(lambda mark: f"%{ord(mark[0]):02X}", address)
    return f"[{written}](<{written}>)"


def markdown_paragraphs(text: str) -> str:
    """Like `markdown_plain`, with every line of `text` a paragraph of its own; not for table cells."""
    return "\n\n".join(filter(None, map(markdown_plain, clean(text).split("\n"))))


_FORMULA = re.compile(r'(^|[\n;])((?:[^\S\n]|")*)(?=[=+\-@＝＋－＠﹢﹣﹫﹦])')


def csv_plain(text: str) -> str:
    """`text` as the content of a CSV cell that no spreadsheet takes for a formula.

    An apostrophe goes before whatever could start one: at the beginning, and after a line end or
    semicolon, where a spreadsheet set to another separator would see a new cell. Quoting is the CSV
    writer's: this is the cell's content. Source: OWASP, "CSV Injection".
    """
    return _FORMULA.sub(r"\1\2'", clean(text).replace("\t", " "))


_WORD = re.compile(
    r"(?:https?://|www\.)\S+"  # an address
    r"|\d+(?:[.,:]\d+)+"  # 3.5 or 12:30
    r"|[^\W_]+(?:['’ʼ‘`´\-‐‑·][^\W_]+)*",
    re.IGNORECASE,
)


def word_count(text: str) -> int:
    """How many words a person counts: `l'école` and `peer-to-peer` are one, so are `3.5` and an address."""
    letters = _COUNTED_AS_NOTHING.sub(_without_marks, clean(text))
    return len(_WORD.findall(letters))


def _without_marks(match: re.Match[str]) -> str:
    return "" if _leans(match.group()) else match.group()
