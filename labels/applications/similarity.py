"""Whether two applications read alike: a warning for a coordinator, never a verdict."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

SHINGLE = 5
"""Words in a row that must be the same: fewer happen by chance, more miss small changes."""

WARN_FROM = 0.5
"""Half of the shorter text stands in the other too (assumption)."""

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"  # Japanese, Chinese
)
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed"
"""Accents, vowel points and the stroke that lengthens Arabic words: some leave them out."""
_MARK = re.compile(f"[{_MARKS}]")
_WORD = re.compile(rf"[{_UNSPACED}]|(?:[^\W_{_UNSPACED}]|[{_MARKS}])+")
"""A run of letters and digits; a single letter in scripts that set no spaces between words."""

Shingle = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike two applications are, and where."""

    share: float
    """Of the shorter text's runs of five words, how many stand in the other: 0 to 1."""
    shares: Mapping[str, float]
    """The same for each section that both have."""
    sections: tuple[str, ...]
    """Sections that are alike by `WARN_FROM` or more, the most alike first."""


def similar(one: Mapping[str, str], other: Mapping[str, str]) -> Similarity:
    """How much of the shorter application stands in the other, whatever case, accents or punctuation.

    Text that moved into another section counts in `share` as well.
    """
    ones = {name: _shingles(text) for name, text in one.items()}
    others = {name: set(_shingles(text)) for name, text in other.items()}
    all_of_one: set[Shingle] = set().union(*ones.values())
    all_of_other: set[Shingle] = set().union(*others.values())
    shares = {name: _share(set(ones[name]), others[name]) for name in ones if name in others}
    alike = [name for name, share in shares.items() if share >= WARN_FROM]
    return Similarity(
        share=_share(all_of_one, all_of_other),
        shares=shares,
        sections=tuple(sorted(alike, key=lambda name: -shares[name])),
    )


def _shingles(text: str) -> list[Shingle]:
    words = [_plain(word) for word in _WORD.findall(text)]
    return list(zip(*(words[start:] for start in range(SHINGLE)), strict=False))


def _plain(word: str) -> str:
    if word.isascii():
        return word.lower()
    return _MARK.sub("", unicodedata.normalize("NFKD", word.casefold()))


def _share(one: set[Shingle], other: set[Shingle]) -> float:
    shorter = min(len(one), len(other))
    return len(one & other) / shorter if shorter else 0.0
