"""The words by which people, schools and projects are found, whichever script and spelling they are typed in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from labels.people.likeness import BEGUN, consonants, sounds

LONGEST = 40
"""Characters of a word that are kept: nobody types more of one to find it."""

SKELETON = "~"
"""Begins the form of a word that has its consonants alone, as Arabic letters write it."""

_FEWEST_CONSONANTS = 2
_WORD = re.compile(r"[^\W_]+")
_PARTING = re.compile("['’‘ʼʻʹ′`´ʾʿ՚׳＇]")
_ARABIC = re.compile("[\u0600-\u06ff]")
_ARTICLE = "ال"
_ARTICLE_SAID = frozenset(("al", "el"))
_MOST_KNOWN = 200_000


def typed_words(text: str) -> list[frozenset[str]]:
    """What somebody typed, word by word: for each the beginnings, one of which a word that is meant has."""
    return [wanted for word in _words(text) if (wanted := _wanted(word))]


def matches(wanted: Iterable[frozenset[str]], *texts: str) -> bool:
    """Whether each typed word is the beginning of a word of these texts."""
    there = [form for text in texts for piece in text.split() for form in words_of(piece)]
    return all(any(form.startswith(tuple(one)) for form in there) for one in wanted)


def _forms_of(piece: str) -> tuple[str, ...]:
    found: set[str] = set()
    for word in [piece] if piece.isascii() and piece.isalpha() else _words(piece):
        found |= sounds(word)
        if _ARABIC.search(word):
            bare = word.removeprefix(_ARTICLE)
            found |= sounds(bare) | _skeletons(word) | _skeletons(bare)
            found |= _ARTICLE_SAID if bare != word else set()
    if _PARTING.search(piece):
        for part in _PARTING.split(piece):
            for word in _words(part):
                found |= sounds(word)
    return tuple(sorted(form[:LONGEST] for form in found if form))


class _Known(dict[str, tuple[str, ...]]):
    """What `words_of` said of the last pieces: names are made of few words, and making the forms of one takes long."""

    def __missing__(self, piece: str) -> tuple[str, ...]:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        forms = self[piece] = _forms_of(piece)
        return forms


words_of = _Known().__getitem__
"""The forms of what stands between two spaces of a name, as the index keeps them: small letters of ASCII."""


def _wanted(word: str) -> frozenset[str]:
    found = sounds(word)
    # A word may be typed to its end or not: what its last letter becomes together with the next is looked for too.
    found |= {one[:-1] + BEGUN[one[-1]] for one in found if len(one) > 1 and one[-1] in BEGUN}
    if not _ARABIC.search(word):
        found |= _skeletons(word)
    return frozenset(form[:LONGEST] for form in found)


def _skeletons(word: str) -> frozenset[str]:
    return frozenset(SKELETON + one for one in consonants(word) if len(one) >= _FEWEST_CONSONANTS)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", _PARTING.sub("", text))
    seen = "".join(one for one in plain if unicodedata.category(one) not in ("Cf", "Me"))
    return _WORD.findall(unicodedata.normalize("NFC", seen))
