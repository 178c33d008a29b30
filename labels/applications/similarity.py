"""Where two texts read alike, in any script: the passages that stand in both, and fingerprints by which such texts are found.

A fingerprint is a digest of five words in a row, of which winnowing keeps few (Schleimer, Wilkerson, Aiken: "Winnowing: local
algorithms for document fingerprinting", SIGMOD 2003): two texts that share `SHINGLE + WINDOW - 1` words in a row have
one in common, wherever these stand.
"""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SHINGLE = 5
"""Words in a row that must be the same: fewer happen by chance, more miss small changes."""
WINDOW = 16
"""Of so many shingles in a row one is a fingerprint; fewer would find shorter copies, and fill the record."""
FINGERPRINT_BYTES = 6
"""Of a million sections, about one has a fingerprint in common with another by chance."""
MOST_REPEATED = 8
"""Places of one shingle that are tried; more of them are the same words again and again."""

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"  # Japanese, Chinese
)
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed"
"""Accents, vowel points and the stroke that lengthens Arabic words: some leave them out."""
_MARK = re.compile(f"[{_MARKS}]")
_HIDDEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
"""What has no width: between the letters of a word it would hide that word."""
_WORD = re.compile(rf"[{_UNSPACED}]|(?:[^\W_{_UNSPACED}]|[{_MARKS}{_HIDDEN}])+")
"""A run of letters and digits; a single letter in scripts that set no spaces between words."""
_HIDDEN_ONE = re.compile(f"[{_HIDDEN}]")

Shingle = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """Words that stand in two texts, one after the other: where, in characters, from the first to behind the last."""

    here: tuple[int, int]
    there: tuple[int, int]
    words: int


@dataclass(frozen=True, slots=True)
class Shared:
    """What two texts have in common."""

    share: float
    """Of the shorter one's words, how many stand in such passages: 0 to 1."""
    passages: tuple[Passage, ...]
    """In the order of the first text."""

    @property
    def longest(self) -> int:
        """Words of the longest passage."""
        return max((one.words for one in self.passages), default=0)


NOTHING_SHARED = Shared(0.0, ())


class Reading:
    """A text as it is compared: its words whatever their case, accents and punctuation, and where they stand."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = _words(text)

    @functools.cached_property
    def _spans(self) -> list[tuple[int, int]]:
        """Where each word stands; asked for where something was found."""
        return [match.span() for match in _WORD.finditer(self.text) if _plain(match[0])]

    @functools.cached_property
    def shingles(self) -> list[Shingle]:
        """Every five words in a row, by the place of the first."""
        return list(zip(*(self.words[start:] for start in range(SHINGLE)), strict=False))

    @functools.cached_property
    def different(self) -> frozenset[Shingle]:
        """Every one of them once."""
        return frozenset(self.shingles)

    @functools.cached_property
    def places(self) -> Mapping[Shingle, Sequence[int]]:
        """Where each of them stands; of one that stands very often, the first places."""
        places: dict[Shingle, list[int]] = defaultdict(list)
        for place, shingle in enumerate(self.shingles):
            if len(places[shingle]) < MOST_REPEATED:
                places[shingle].append(place)
        return dict(places)

    @functools.cached_property
    def fingerprints(self) -> Mapping[int, int]:
        """The place of each fingerprint to the fingerprint; a short text has one at least, below five words none."""
        digests = [_digest(one) for one in self.shingles]
        width = min(WINDOW, len(digests))
        chosen: dict[int, int] = {}
        least = -1
        for start in range(len(digests) - width + 1 if digests else 0):
            last = start + width - 1
            if least < start:  # the least of before is no longer in the window
                least = min(range(start, last + 1), key=lambda place: (digests[place], -place))
            elif digests[last] <= digests[least]:
                least = last
            chosen[least] = digests[least]
        return chosen

    def prepare(self) -> None:
        """Works out all that a comparison asks for, where there is time for it."""
        if self.different:
            _ = self.fingerprints

    def span(self, place: int, words: int) -> tuple[int, int]:
        """From which character to which some words go."""
        return self._spans[place][0], self._spans[place + words - 1][1]


@dataclass(frozen=True, slots=True)
class Everybodys:
    """Phrases that everybody uses: their being in two texts says nothing."""

    fingerprints: frozenset[int] = frozenset()
    """A passage is everybody's where it has fingerprints, and all of them are among these."""
    shingles: frozenset[Shingle] = frozenset()
    """Of texts that are known: the questions of the form."""


NOBODYS = Everybodys()


def number_of_words(text: str) -> int:
    """How many words a reading of a text has, or a few more: what is nothing but accents counts here."""
    return len(_WORD.findall(text))


def shared(one: Reading, other: Reading, everybodys: Everybodys = NOBODYS) -> Shared:
    """The passages of five words and more that stand in both, but for what is everybody's."""
    common = one.different & other.different
    if not common or common <= everybodys.shingles:
        return NOTHING_SHARED
    passages: list[Passage] = []
    place = 0
    while place < len(one.shingles):
        shingle = one.shingles[place]
        if shingle not in common or shingle in everybodys.shingles:
            place += 1
            continue
        length, there = max((_length(one, place, other, at), -at) for at in other.places[shingle])
        if not _is_everybodys(one, place, length, everybodys):
            words = length + SHINGLE - 1
            passages.append(Passage(one.span(place, words), other.span(-there, words), words))
        # What is in a passage is in no other: no word counts twice.
        place += length + SHINGLE - 1
    shorter = min(len(one.words), len(other.words))
    return Shared(min(1.0, sum(passage.words for passage in passages) / shorter), tuple(passages))


def _length(one: Reading, here: int, other: Reading, there: int) -> int:
    """How many shingles in a row are the same from two places on."""
    length, most = 0, min(len(one.shingles) - here, len(other.shingles) - there)
    while length < most and one.shingles[here + length] == other.shingles[there + length]:
        length += 1
    return length


def _is_everybodys(one: Reading, place: int, length: int, everybodys: Everybodys) -> bool:
    if not everybodys.fingerprints:
        return False
    within = [one.fingerprints[at] for at in range(place, place + length) if at in one.fingerprints]
    return bool(within) and everybodys.fingerprints.issuperset(within)


def _digest(shingle: Shingle) -> int:
    digest = hashlib.blake2b(" ".join(shingle).encode(), digest_size=FINGERPRINT_BYTES)
    return int.from_bytes(digest.digest(), "big")


def _words(text: str) -> list[str]:
    if text.isascii():
        return _WORD.findall(text.lower())
    return list(filter(None, map(_plain, _WORD.findall(text))))


@functools.lru_cache(maxsize=20_000)
def _plain(word: str) -> str:
    if word.isascii():
        return word.lower()
    return _MARK.sub("", unicodedata.normalize("NFKD", _HIDDEN_ONE.sub("", word).casefold()))
