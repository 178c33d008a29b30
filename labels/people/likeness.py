"""Compares the names of people: certainly one name, perhaps one person's, or the names of different people.

A name is compared by the ways in which it may be spelt with the letters of ASCII: `Müller` may be `Muller` or
`Mueller`, `Гончаренко` may be `Goncharenko` or `Honcharenko`. Scripts are transliterated by the library anyascii;
what stands here is how people deviate from it.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from anyascii import anyascii


class Likeness(Enum):
    """What two names say of the people who bear them."""

    SAME = "same"
    """One name, whichever way it is written."""
    MAYBE = "maybe"
    """Perhaps one person's: a part is left out or shortened, or letters were turned into others in some way."""
    OTHER = "other"


@functools.lru_cache(maxsize=16_384)
def likeness(one: str, other: str) -> Likeness:
    """Whether two names are one name, may be one person's, or neither; the order does not matter.

    `SAME` whatever the case, accents, order of the parts, hyphens, apostrophes, academic titles and script;
    `MAYBE` where one name lacks a part of the other, has initials, is written by another way to turn one script
    into another, or is in Arabic letters, which do not write vowels. Two names without letters are nobody's.
    The time is linear in the length of the names for all practical purposes: spellings are bounded.
    """
    first, second = _parsed(one), _parsed(other)
    if first.marks.isdisjoint(second.marks):
        return Likeness.MAYBE if _same_consonants(first, second) else Likeness.OTHER
    by_sound = not (first.latin and second.latin)
    if _agree(first, second, _spelt) or (by_sound and _agree(first, second, _sounding)):
        return Likeness.SAME
    if (
        _agree(first, second, _blurred)
        or _lacks_parts(first.words, second.words)
        or _lacks_parts(first.with_initials, second.with_initials)
        or _same_consonants(first, second)
    ):
        return Likeness.MAYBE
    return Likeness.OTHER


def same(one: str, other: str) -> bool:
    """Whether the likeness of two names is `SAME`: for asking of thousands, nearly all of whom are others."""
    return not index_keys(one).isdisjoint(index_keys(other)) and likeness(one, other) is Likeness.SAME


def index_keys(name: str) -> frozenset[str]:
    """Keys by which names are found that may be one: two names that are `SAME` have one in common.

    For finding pairs among many names without comparing each with each; `likeness` judges them.
    """
    return _parsed(name).keys


def signs(name: str) -> frozenset[str]:
    """What names are found by that may be one person's: two that are `SAME` or `MAYBE` have one in common.

    For finding pairs among many names without comparing each with each; `likeness` judges them.
    """
    parsed = _parsed(name)
    if len(parsed.words) < 2:
        return parsed.marks
    rings = (ring for ring in parsed.consonants if len(ring) >= _FEWEST_CONSONANTS)
    return parsed.marks.union(f"consonants {ring}" for ring in rings)


def sketch(name: str) -> str:
    """A key for finding pairs among a million names: those of one script that are `SAME` have the same one.

    It takes a hundredth of the time of `index_keys`, and many names that are not the same share it.
    """
    return "".join(sorted(set("".join(map(_sketch_of_word, name.split())))))


@functools.lru_cache(maxsize=65_536)
def _sketch_of_word(word: str) -> str:
    plain = word if word.isascii() else anyascii(_APOSTROPHES.sub("", word))
    parts = plain.lower().replace("'", "").translate(_SKETCHED).split()
    return "".join(part for part in parts if part not in _SKETCHED_TITLES)


def share_a_part(one: str, other: str) -> bool:
    """Whether two names have a word in common, whichever way it is written."""
    return not _parsed(one).marks.isdisjoint(_parsed(other).marks)


def sounds(word: str) -> frozenset[str]:
    """How one word sounds, in small letters of ASCII, for every way in which it may be spelt.

    Two words that are one in two scripts have a sound in common. Bounded; empty for a word that no letters spell.
    """
    spelt = (word.lower(),) if word.isascii() and word.isalnum() else _spellings(word)
    return frozenset(_replaced(form, _SOUNDS) if _SOUNDS_OTHERWISE.search(form) else form for form in spelt)


BEGUN = {"p": "f", "k": "h", "t": "c", "o": "u", "i": ""}
"""What the last letter of a word that is still being typed may turn into with the next: `p` with an `h` sounds as `f`."""


def consonants(word: str) -> frozenset[str]:
    """What Arabic letters write of a word, by which one in them and one in others are found alike."""
    sounding = (_replaced(form, _SOUNDS) for form in _spellings(word))
    return frozenset(filter(None, (_bare(form) for form in sounding)))


def _bare(sounding: str) -> str:
    return _NO_CONSONANT.sub("", re.sub("[sc]h", "s", sounding))


# Words ------------------------------------------------------------------------------------------

_OTHERWISE = {
    letters: tuple(ways.split("/"))
    for letters, ways in (
        pair.split("=")
        for line in (
            # Latin letters that a keyboard without them writes with two
            "ä=ae ö=oe ü=ue ø=oe å=aa đ=dj š=sh ş=sh č=ch ç=ch ž=zh ñ=ny ğ=gh ə=a",
            # Cyrillic: Ukrainian г, Bulgarian щ and ъ, Macedonian ѓ, ќ and ѕ, and what passports write
            "ье=ye г=h щ=sht ъ=a ё=yo ѓ=gj ќ=kj ѕ=z",
            # Greek letters that are read together (ELOT 743), or written otherwise by many
            "ου=ou αυ=av/af ευ=ev/ef γγ=ng γκ=gk/g μπ=b ντ=d/nt αι=e οι=i ει=i γι=yi γε=ye υ=i χ=h",
            # Armenian
            "ու=u",
        )
        for pair in line.split()
    )
}
"""Other ways to write letters than anyascii's, pairs of letters before single ones."""

_MOST_WAYS = 5
"""So many letters of a word are tried both ways: more have no real name, and each doubles the work."""

_MOST_FORMS = 64
"""So many spellings of a whole name are joined."""

_APOSTROPHES = re.compile("['’‘ʼʻʹ′`´ʾʿ՚׳＇]")
_UNSEEN = frozenset(("Cf", "Mn", "Me"))
"""The categories of what has no width, and of marks that no letter is made with."""

_GREEK_ACCENT = re.compile("(?<=[α-ω])\u0301")
_WORD = re.compile(r"[^\W_]+")
_TITLES = frozenset(("dr", "prof", "mr", "mrs", "ms", "mgr", "phd"))
_TITLES_WITH_DOT = frozenset(("ing", "mag", "dipl", "dott", "doc", "bc", "msc", "lic", "inż", "hab"))

_IN_A_SKETCH = "bcdfgklmnpqrstvwxz0123456789"
_SKETCHED: dict[int, str | None] = dict.fromkeys(range(128), " ")
_SKETCHED |= dict.fromkeys(map(ord, "aeoiuyhj"))
_SKETCHED |= {ord(letter): letter for letter in _IN_A_SKETCH} | {ord("w"): "v", ord("q"): "k"}
"""What a sketch makes of small letters: it leaves out those in which two ways to spell one letter differ."""
_SKETCHED_TITLES = frozenset(
    "".join(letter for letter in title if letter in _IN_A_SKETCH)
    for title in map(anyascii, (*_TITLES, *_TITLES_WITH_DOT))
)

_SOUNDS = [
    (re.compile(pattern), way)
    for pattern, way in (
        *[("ph", "f"), ("kh", "h"), ("ts", "c"), ("x", "ks"), ("q", "k"), ("w", "v"), ("[yj]", "i")],
        *[("ou", "u"), ("^ie", "e"), ("(?<=[aeou])i(?=e)", ""), (r"(.)\1+", r"\1")],
    )
]
"""What two ways to write one script in another differ by."""

_SOUNDS_OTHERWISE = re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in _SOUNDS[:-1]) + r"|(.)\1")
"""Whether any of these is in a word: most words have none."""

_BLURS = [
    (re.compile(pattern), way)
    for pattern, way in (
        *[("([aou])e", r"\1"), ("sh", "s"), ("ch", "c"), ("zh", "z"), ("d[ij](?=[aeiou])", "d")],
        (r"(.)\1+", r"\1"),
    )
]
"""Letters of two in place of one with a mark."""


@dataclass(frozen=True, slots=True)
class _Word:
    """A part of a name."""

    spelt: frozenset[str]
    """In small letters of ASCII, in every way it may be written."""
    sounding: frozenset[str]
    """The same, less what differs between ways to write one script in another."""
    blurred: frozenset[str]
    """The same again, where a letter of two stands for one with a mark."""
    short: bool = False
    """Whether it is an initial or ends in a dot: the beginning of a name."""


_Form = Callable[[_Word], frozenset[str]]


def _spelt(word: _Word) -> frozenset[str]:
    return word.spelt


def _sounding(word: _Word) -> frozenset[str]:
    return word.sounding


def _blurred(word: _Word) -> frozenset[str]:
    return word.blurred


class _Name:
    """A name in its parts, and what it is compared by."""

    def __init__(
        self, words: Sequence[_Word], with_initials: Sequence[_Word], scripts: frozenset[str]
    ) -> None:
        self.words = words
        self.with_initials = with_initials
        """The words, where `JP` stands for two names."""
        self.latin = scripts <= {"LATIN", "MODIFIER"}
        self.arabic = "ARABIC" in scripts
        self._rings: dict[_Form, frozenset[str]] = {}

    def ways(self, form: _Form) -> Iterator[tuple[str, ...]]:
        """The name in each way it may be written, by its words."""
        ways = itertools.product(*(sorted(form(word)) for word in self.words))
        return itertools.islice(ways, _MOST_FORMS)

    def rings(self, form: _Form) -> frozenset[str]:
        """Its letters without an end: `Ruairí O’Donnell` and `O Donnell Ruairí` are one ring."""
        if form not in self._rings:
            self._rings[form] = frozenset(_ring("".join(words)) for words in self.ways(form) if words)
        return self._rings[form]

    @functools.cached_property
    def all_rings(self) -> frozenset[str]:
        """Its rings in every form."""
        return self.rings(_spelt) | self.rings(_sounding) | self.rings(_blurred)

    @functools.cached_property
    def keys(self) -> frozenset[str]:
        """What it has in common with any name that is the same."""
        ordered = ("\x1f".join(sorted(words)) for words in self.ways(_blurred))
        return self.all_rings.union(ordered) if self.words else frozenset()

    @functools.cached_property
    def marks(self) -> frozenset[str]:
        """What it has in common with any name that may be the same, but for one in Arabic letters."""
        return self.all_rings.union(*map(_blurred, self.words))

    @functools.cached_property
    def consonants(self) -> frozenset[str]:
        """What Arabic letters write of a name."""
        return frozenset(_ring("".join(map(_bare, words))) for words in self.ways(_sounding))


@functools.lru_cache(maxsize=8192)
def _parsed(name: str) -> _Name:
    plain = unicodedata.normalize("NFKC", _APOSTROPHES.sub("", name))
    text = "".join(letter for letter in plain if unicodedata.category(letter) not in _UNSEEN)
    found = []
    for match in _WORD.finditer(text):
        dotted = text[match.end() : match.end() + 1] == "."
        found.append((match.group(), dotted))
    untitled = [(word, dotted) for word, dotted in found if not _is_title(word, dotted)]
    parts = untitled if len(untitled) > 1 else found
    if not any(map(str.isalpha, text)):
        parts = []
    mixed = not text.isupper()
    words: list[_Word] = []
    initials: list[_Word] = []
    for part, dotted in parts:
        word = _word(part, part.isalpha() and (len(part) == 1 or (dotted and len(part) <= 3)))
        words.append(word)
        several = mixed and 1 < len(part) <= 3 and part.isupper() and len(parts) > 1
        initials.extend([_word(letter, True) for letter in part] if several else [word])
    kept = [word for word in words if any(word.spelt)]
    scripts = frozenset(unicodedata.name(letter, "").split(" ")[0] for letter in text if letter.isalpha())
    return _Name(kept, initials, scripts)


def _is_title(word: str, dotted: bool) -> bool:
    small = word.lower()
    return small in _TITLES or (dotted and small in _TITLES_WITH_DOT)


def _word(part: str, short: bool) -> _Word:
    spelt = _spellings(part)
    sounding = frozenset(_replaced(form, _SOUNDS) for form in spelt)
    return _Word(spelt, sounding, frozenset(_replaced(form, _BLURS) for form in sounding), short)


def _spellings(part: str) -> frozenset[str]:
    # Unicode's small İ is an i and a dot of its own; an accent does not part two Greek letters.
    small = _GREEK_ACCENT.sub("", unicodedata.normalize("NFD", part.replace("İ", "i").lower()))
    small = unicodedata.normalize("NFC", small)
    forms = {small}
    if not small.isascii():
        for letters in [letters for letters in _OTHERWISE if letters in small][:_MOST_WAYS]:
            forms.update(form.replace(letters, way) for form in tuple(forms) for way in _OTHERWISE[letters])
    plain = ("".join(filter(str.isalnum, anyascii(form).lower())) for form in forms)
    return frozenset(filter(None, plain))


def _replaced(text: str, rules: Iterable[tuple[re.Pattern[str], str]]) -> str:
    for pattern, way in rules:
        text = pattern.sub(way, text)
    return text


# Comparing --------------------------------------------------------------------------------------


def _agree(one: _Name, other: _Name, form: _Form) -> bool:
    """Whether both have the same words in any order, or the same letters wherever words are parted."""
    if len(one.words) == len(other.words) and _matched(
        one.words, other.words, lambda a, b: not form(a).isdisjoint(form(b))
    ):
        return True
    return not one.rings(form).isdisjoint(other.rings(form))


def _matched(few: Sequence[_Word], many: Sequence[_Word], fits: Callable[[_Word, _Word], bool]) -> bool:
    """Whether each of the few has one of the many to itself."""
    left = list(many)
    for word in few:
        place = next((place for place, one in enumerate(left) if fits(word, one)), None)
        if place is None:
            return False
        del left[place]
    return True


def _ring(letters: str) -> str:
    """The first by alphabet of all turns of a text, by which turns of one another are recognised."""
    doubled = letters + letters
    return min((doubled[start : start + len(letters)] for start in range(len(letters))), default="")


def _lacks_parts(one: Sequence[_Word], other: Sequence[_Word]) -> bool:
    """Whether each part of the shorter name stands in the longer one, if only as its beginning."""
    few, many = sorted((one, other), key=len)
    if len(few) < 2 or not any(_alike(word, each) for word in few for each in many):
        return False
    # Whole words first, so that an initial does not take the place of a word that another needs.
    ordered = sorted(few, key=lambda word: (word.short, -max(map(len, word.sounding), default=0)))
    return _matched(ordered, sorted(many, key=lambda word: word.short), _may_shorten)


def _alike(one: _Word, other: _Word) -> bool:
    """Whether both are one whole word, of more than two letters."""
    return not (one.short or other.short) and any(len(form) > 2 for form in one.sounding & other.sounding)


def _may_shorten(one: _Word, other: _Word) -> bool:
    if one.short or other.short:
        pairs = itertools.chain(
            itertools.product(one.spelt, other.spelt), itertools.product(one.sounding, other.sounding)
        )
        return any(a.startswith(b) or b.startswith(a) for a, b in pairs)
    return not one.sounding.isdisjoint(other.sounding)


_FEWEST_CONSONANTS = 5
_NO_CONSONANT = re.compile(r"h\b|[aeiouyjvw]")


def _same_consonants(one: _Name, other: _Name) -> bool:
    """Whether a name in Arabic letters and another have the same consonants, and enough of them."""
    if not (one.arabic or other.arabic) or min(len(one.words), len(other.words)) < 2:
        return False
    common = one.consonants & other.consonants
    return any(len(ring) >= _FEWEST_CONSONANTS for ring in common)
