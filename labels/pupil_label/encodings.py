"""In which encoding a list of names was saved: decided where the bytes leave no doubt, asked where they do.

A wrong guess would print wrong names that look right, so nothing is guessed by frequency: of the encodings
that programs of a country save in, the one is taken in which every letter is one of that country's. A letter that
is none, although the bytes can be read so, is taken where no other reading is possible.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise

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
    *("mac-croatian", "mac-romanian", "mac-iceland"),
    *("cp437", "cp737", "cp775", "cp850", "cp852", "cp855", "cp857", "cp866"),  # Excel's “CSV (MS-DOS)”
)
"""The names of encodings that are taken."""


@dataclass(frozen=True, slots=True)
class _Habit:
    """How programs of a country save text that is not Unicode."""

    encodings: Sequence[str]
    letters: str
    """The letters beyond ASCII that its names are written with."""
    older: Sequence[str] = ("macintosh", "cp850")
    """What Excel writes on a Macintosh, and as “CSV (MS-DOS)”: read where nothing else is possible."""
    respelt: Mapping[int, int] = field(default_factory=dict)
    """Letters that an encoding has in place of the right ones."""


_WEST = ("windows-1252", "iso-8859-15")
_CENTRE = ("windows-1250", "iso-8859-2")
_CYRILLIC = ("windows-1251", "iso-8859-5")
_GREEK = ("windows-1253", "iso-8859-7")
_TURKISH = ("windows-1254", "iso-8859-9")
_BALTIC = ("windows-1257", "iso-8859-13")
_ARABIC = ("windows-1256", "iso-8859-6")
_OLD_CENTRE = ("mac-latin2", "cp852")
_OLD_SOUTH = ("mac-croatian", "mac-latin2", "cp852")
_OLD_CYRILLIC = ("mac-cyrillic", "cp866", "cp855")
_OLD_BALTIC = ("mac-latin2", "cp775")

_SERBIAN = "абвгдђежзијклљмнњопрстћуфхцчџш"
_RUSSIAN = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_FRENCH = "àâæçèéêëîïôœùûüÿ"
_GERMAN = "äöüß"
_NORDIC = "æøåäöéèêóòôáü"
_ARABIC_LETTERS = "".join(map(chr, (*range(0x621, 0x63B), *range(0x641, 0x653))))
_ELSEWHERE = _Habit(_WEST, "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿœšžß")
_SERBIA = _Habit((*_CENTRE, *_CYRILLIC), "čćđšž" + _SERBIAN, (*_OLD_SOUTH, *_OLD_CYRILLIC))

_HABITS: Mapping[str, _Habit] = {
    "PL": _Habit(_CENTRE, "ąćęłńóśźż", _OLD_CENTRE),
    "CZ": _Habit(_CENTRE, "áčďéěíňóřšťúůýž", _OLD_CENTRE),
    "SK": _Habit(_CENTRE, "áäčďéíĺľňóôŕšťúýž", _OLD_CENTRE),
    "HU": _Habit(_CENTRE, "áéíóöőúüű", _OLD_CENTRE),
    "RO": _Habit(
        (*_CENTRE, "iso-8859-16"),
        "ăâîșț",
        ("mac-romanian", "cp852"),
        str.maketrans("ŞşŢţ", "ȘșȚț"),  # no cedillas
    ),
    "MD": _Habit(
        (*_CENTRE, "iso-8859-16", *_CYRILLIC),
        "ăâîșț" + _RUSSIAN,
        ("mac-romanian", "cp852", *_OLD_CYRILLIC),
        str.maketrans("ŞşŢţ", "ȘșȚț"),
    ),
    "SI": _Habit(_CENTRE, "čćđšž", _OLD_SOUTH),
    "HR": _Habit(_CENTRE, "čćđšž", _OLD_SOUTH),
    **dict.fromkeys(("RS", "ME", "BA"), _SERBIA),
    "XK": _Habit(
        (*_WEST, *_SERBIA.encodings), "ëç" + _SERBIA.letters, ("macintosh", "cp850", *_SERBIA.older)
    ),
    "AL": _Habit(_WEST, "ëç"),
    "MK": _Habit(_CYRILLIC, "абвгдѓежзѕијклљмнњопрстќуфхцчџш", _OLD_CYRILLIC),
    "BG": _Habit(_CYRILLIC, "абвгдежзийклмнопрстуфхцчшщъьюя", _OLD_CYRILLIC),
    "UA": _Habit(_CYRILLIC, "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя", _OLD_CYRILLIC),
    **dict.fromkeys(
        ("GR", "CY"), _Habit(_GREEK, "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ", ("mac-greek", "cp737"))
    ),
    "TR": _Habit(_TURKISH, "çğıöşüâîûİ", ("mac-turkish", "cp857")),
    "LT": _Habit(_BALTIC, "ąčęėįšųūž", _OLD_BALTIC),
    "LV": _Habit(_BALTIC, "āčēģīķļņšūž", _OLD_BALTIC),
    "EE": _Habit((*_BALTIC, *_WEST), "äõöüšž", (*_OLD_BALTIC, "macintosh", "cp850")),
    "MT": _Habit((*_WEST, "iso-8859-3"), "ċġħżàèìòù"),
    **dict.fromkeys(("TN", "LB", "JO", "PS"), _Habit((*_ARABIC, *_WEST), _ARABIC_LETTERS + _FRENCH)),
    **dict.fromkeys(("AM", "AZ", "GE"), _Habit((), "", ())),  # nothing but Unicode writes their letters
    "ES": _Habit(_WEST, "áéíóúüñçàèòïª"),
    "PT": _Habit(_WEST, "áâãàçéêíóôõúüª"),
    "IT": _Habit(_WEST, "àèéìíîòóùú"),
    "FR": _Habit(_WEST, _FRENCH),
    "BE": _Habit(_WEST, _FRENCH + "äöáíóú"),
    "LU": _Habit(_WEST, _FRENCH + _GERMAN),
    "NL": _Habit(_WEST, "áäèéêëíïóöúü"),
    **dict.fromkeys(("DE", "AT", "LI"), _Habit(_WEST, _GERMAN)),
    **dict.fromkeys(("IE", "GB"), _Habit(_WEST, "àáâèéêìíîòóôùúû")),
    **dict.fromkeys(("DK", "NO", "SE"), _Habit(_WEST, _NORDIC)),
    "FI": _Habit(_WEST, "åäöéšž"),
    "IS": _Habit(_WEST, "áðéíóúýþæö", ("mac-iceland", "cp850")),
}
"""By country (ISO 3166). Source: the code pages of Windows for each language, the ISO 8859 part beside it and
Apple's; CLDR's exemplar letters."""

_PUNCTUATION = frozenset("’‘“”„‚«»‹›–—·´¨º°…№\xa0")
_OTHER_FILES = {
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


class _Doubt(IntEnum):
    """How well a reading of a list can be one of names."""

    NONE = 0
    """Every letter is one of the country's."""
    SOME = 1
    """A letter is another country's, as a few names have."""
    IMPOSSIBLE = 2


def _by_habit(content: bytes, habit: _Habit) -> tuple[str, str]:
    """The one reading that is possible: by the country's encodings, or by older ones."""
    usual = _readings(content, habit.encodings, habit)
    older = _readings(content, habit.older, habit)
    sure = [text for text, (doubt, _) in usual.items() if doubt is _Doubt.NONE]
    others = [text for text, (doubt, _) in older.items() if doubt is _Doubt.NONE and text not in sure]
    if not sure and not others:
        others = [*older, *(text for text in usual if text not in older)]
    elif not sure:
        others += [text for text in usual if text not in others]
    match [*sure, *others]:
        case [text]:
            return text, (usual.get(text) or older[text])[1]
        case []:
            raise _refused(
                "is not UTF-8, nor in another encoding that is usual in the school's country.",
                _SAVE_AS,
                NameEncoding(),
            )
        case texts:
            named = " or ".join((usual.get(text) or older[text])[1] for text in texts)
            raise _refused(f"is not UTF-8, and may be {named}.", _SAVE_AS, NameEncoding())


def _readings(content: bytes, encodings: Sequence[str], habit: _Habit) -> dict[str, tuple[_Doubt, str]]:
    """The texts that the bytes may be, each with its doubt and the first encoding that gives it."""
    found: dict[str, tuple[_Doubt, str]] = {}
    for encoding in encodings:
        text = _read(content, encoding)
        if text is None:
            continue
        text = text.translate(habit.respelt)
        doubt = _doubt(text, frozenset(habit.letters + habit.letters.upper()))
        if doubt is not _Doubt.IMPOSSIBLE:
            found.setdefault(text, (doubt, encoding))
    return found


_SOMEWHERE = frozenset(
    letter for habit in (_ELSEWHERE, *_HABITS.values()) for letter in habit.letters + habit.letters.upper()
)
_NAME_PART = re.compile(r"[^\W\d_]+")
_MARK_IN_WORD = re.compile("(?<=[^\\W\\d_])[–—‚„“”«»‹›´¨º°…№\xa0](?=([^\\W\\d_]))")
_MARK_BEFORE_WORD = re.compile("(?<![^\\W\\d_])[–’‘‚„“”«»‹›]([^\\W\\d_]+)")
_NEVER_BY_LETTERS = re.compile(r"[^\W\d_][„‚…—]|[…—][^\W\d_]")
_APOSTROPHE_LATE = re.compile("[^\\W\\d_]{3}’([^\\W\\d_])")
_AFTER_APOSTROPHE = frozenset("nst")
"""`’t Hart` and `’s Gravesande` begin so."""


def _doubt(text: str, letters: frozenset[str]) -> _Doubt:
    if not _may_be_names(text) or _NEVER_BY_LETTERS.search(text):
        return _Doubt.IMPOSSIBLE
    if any(match[1].islower() for match in _MARK_IN_WORD.finditer(text)) or any(
        match[1].islower() and match[1] not in _AFTER_APOSTROPHE for match in _MARK_BEFORE_WORD.finditer(text)
    ):
        return _Doubt.IMPOSSIBLE
    doubts = [_doubt_of_word(word, letters) for word in set(_NAME_PART.findall(text)) if not word.isascii()]
    if any(match[1].islower() for match in _APOSTROPHE_LATE.finditer(text)):
        doubts.append(_Doubt.SOME)
    return max(doubts, default=_Doubt.NONE)


def _doubt_of_word(word: str, letters: frozenset[str]) -> _Doubt:
    if any(
        one.islower() and other.isupper() and not (one + other).isascii() for one, other in pairwise(word)
    ):
        return _Doubt.IMPOSSIBLE  # JosŽ, çNGELA
    foreign = [letter for letter in word if not letter.isascii() and letter not in letters]
    if not foreign:
        return _Doubt.NONE
    return _Doubt.SOME if len(foreign) == 1 and foreign[0] in _SOMEWHERE else _Doubt.IMPOSSIBLE


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
