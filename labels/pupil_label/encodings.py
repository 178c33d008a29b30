"""In which encoding a list of names was saved: decided where the bytes leave no doubt, asked where they do.

A wrong guess would print wrong names that look right, so nothing is guessed by frequency: of the encodings
that programs of a country save in, the one is taken in which every letter is one of that country's.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from labels.errors import Fault, InvalidInput
from labels.mending import Mend, NameEncoding

SUBJECT = "The list of names"
_SAVE_AS = 'Save it as "CSV UTF-8" and try again, or say which encoding it has.'

KNOWN = (
    "utf-8",
    "utf-16",
    *(f"windows-125{page}" for page in range(9)),
    *(f"iso-8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 9, 10, 13, 14, 15, 16)),
    *("koi8-r", "koi8-u", "macintosh", "mac-latin2", "mac-cyrillic", "mac-greek", "mac-turkish"),
)
"""The names of encodings that are taken."""


@dataclass(frozen=True, slots=True)
class _Habit:
    """How programs of a country save text that is not Unicode."""

    encodings: Sequence[str]
    letters: str
    """The letters beyond ASCII that its names are written with."""
    respelt: Mapping[int, int] = field(default_factory=dict)
    """Letters that an encoding has in place of the right ones."""


_WEST = ("windows-1252", "iso-8859-15")
_CENTRE = ("windows-1250", "iso-8859-2")
_CYRILLIC = ("windows-1251", "iso-8859-5")
_GREEK = ("windows-1253", "iso-8859-7")
_TURKISH = ("windows-1254", "iso-8859-9")
_BALTIC = ("windows-1257", "iso-8859-13")
_ARABIC = ("windows-1256", "iso-8859-6")

_SERBIAN = "абвгдђежзијклљмнњопрстћуфхцчџш"
_FRENCH = "àâæçèéêëîïôœùûüÿ"
_ARABIC_LETTERS = "".join(map(chr, (*range(0x621, 0x63B), *range(0x641, 0x653))))
_ELSEWHERE = _Habit(_WEST, "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿœšžß")

_HABITS: Mapping[str, _Habit] = {
    "PL": _Habit(_CENTRE, "ąćęłńóśźż"),
    "CZ": _Habit(_CENTRE, "áčďéěíňóřšťúůýž"),
    "SK": _Habit(_CENTRE, "áäčďéíĺľňóôŕšťúýž"),
    "HU": _Habit(_CENTRE, "áéíóöőúüű"),
    **dict.fromkeys(
        ("RO", "MD"),
        _Habit((*_CENTRE, "iso-8859-16"), "ăâîșț", str.maketrans("ŞşŢţ", "ȘșȚț")),  # no cedillas
    ),
    "SI": _Habit(_CENTRE, "čćđšž"),
    "HR": _Habit(_CENTRE, "čćđšž"),
    **dict.fromkeys(("RS", "ME", "BA", "XK"), _Habit((*_CENTRE, *_CYRILLIC), "čćđšž" + _SERBIAN)),
    "MK": _Habit(_CYRILLIC, "абвгдѓежзѕијклљмнњопрстќуфхцчџш"),
    "BG": _Habit(_CYRILLIC, "абвгдежзийклмнопрстуфхцчшщъьюя"),
    "UA": _Habit(_CYRILLIC, "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"),
    **dict.fromkeys(("GR", "CY"), _Habit(_GREEK, "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ")),
    "TR": _Habit(_TURKISH, "çğıöşüâîûİ"),
    "LT": _Habit(_BALTIC, "ąčęėįšųūž"),
    "LV": _Habit(_BALTIC, "āčēģīķļņšūž"),
    "EE": _Habit((*_BALTIC, *_WEST), "äõöüšž"),
    "MT": _Habit((*_WEST, "iso-8859-3"), "ċġħżàèìòù"),
    **dict.fromkeys(("TN", "LB", "JO", "PS"), _Habit((*_ARABIC, *_WEST), _ARABIC_LETTERS + _FRENCH)),
    **dict.fromkeys(("AM", "AZ", "GE"), _Habit((), "")),  # nothing but Unicode writes their letters
}
"""By country (ISO 3166); elsewhere as in the west of Europe. Source: the code pages of Windows for each
language and the ISO 8859 part beside it."""

_PUNCTUATION = frozenset("’‘“”„‚«»‹›–—·´¨º°…№\xa0")
_OTHER_FILES = {
    b"PK\x03\x04": "is a spreadsheet or an archive, not CSV.",
    b"\xd0\xcf\x11\xe0": "is an old spreadsheet, not CSV.",
    b"%PDF": "is a PDF, not CSV.",
    b"{\\rtf": "is a text document, not CSV.",
}


def decoded(content: bytes, country: str, encoding: str = "") -> tuple[str, str]:
    """The text of a list, and the encoding in which it was read.

    Args:
        country: where it was saved (ISO 3166).
        encoding: as the teacher says; empty: by a byte order mark, UTF-8, or the habits of the country.

    Raises:
        InvalidInput: it is no text, not in the encoding that was said, or could be in several.
    """
    for magic, problem in _OTHER_FILES.items():
        if content.startswith(magic):
            raise _refused(problem, 'Save it as "CSV UTF-8" and try again.')
    for mark, marked in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return _strictly(content, marked), marked.removesuffix("-sig")
    if encoding:
        if encoding.casefold() not in KNOWN:
            fault = Fault("encoding", f"is unknown; expected one of {', '.join(KNOWN)}.")
            raise InvalidInput("encoding", [fault])
        return _strictly(content, encoding), encoding.casefold()
    if 0 in content:
        ending = "le" if content[1::2].count(0) >= content[::2].count(0) else "be"
        return _strictly(content, f"utf-16-{ending}"), "utf-16"
    if (text := _read(content, "utf-8")) is not None:
        return text, "utf-8"
    return _by_habit(content, _HABITS.get(country, _ELSEWHERE))


def _by_habit(content: bytes, habit: _Habit) -> tuple[str, str]:
    possible: dict[str, str] = {}
    for encoding in habit.encodings:
        text = _read(content, encoding)
        if text is not None and _may_be_names(text):
            text = text.translate(habit.respelt)
            possible.setdefault(text, encoding)
    if len(possible) > 1:
        differ = {place for place, letters in enumerate(zip(*possible, strict=True)) if len(set(letters)) > 1}
        letters = frozenset(habit.letters + habit.letters.upper())
        sure = {
            text: encoding
            for text, encoding in possible.items()
            if all(text[place] in letters for place in differ)
        }
        if len(sure) != 1:
            named = " or ".join((sure or possible).values())
            raise _refused(f"is not UTF-8, and may be {named}.", _SAVE_AS, NameEncoding())
        possible = sure
    if not possible:
        raise _refused(
            "is not UTF-8, nor in another encoding that is usual in the school's country.",
            _SAVE_AS,
            NameEncoding(),
        )
    [(text, encoding)] = possible.items()
    return text, encoding


def _may_be_names(text: str) -> bool:
    """Whether all beyond ASCII is letters and what stands between them, and no word is of two scripts."""
    if any(
        not character.isascii()
        and character not in _PUNCTUATION
        and unicodedata.category(character)[0] not in "LM"
        for character in text
    ):
        return False
    return all(
        len({unicodedata.name(letter, "").split(" ")[0] for letter in word if letter.isalpha()}) < 2
        for word in re.findall(r"[^\W\d_]+", text)
    )


def _strictly(content: bytes, encoding: str) -> str:
    text = _read(content, encoding)
    if text is None:
        line = 1 + _readable(content, encoding).count("\n")
        raise _refused(f"is not {encoding.removesuffix('-sig')} (line {line}).", _SAVE_AS, NameEncoding())
    return text


def _read(content: bytes, encoding: str) -> str | None:
    """The text, or none; the error that Python raises holds all of it, and goes no further than here."""
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _readable(content: bytes, encoding: str) -> str:
    """As much of it as comes before the first fault."""
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        return content[: error.start].decode(encoding, "ignore")


def _refused(problem: str, remedy: str, mend: Mend | None = None) -> InvalidInput:
    return InvalidInput(SUBJECT, [Fault("(whole file)", problem, remedy, mend)])
