"""Whether two applications read alike: a warning for a coordinator, never a verdict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from labels.text import one_line

SHINGLE = 5
"""Words in a row that must be the same: fewer happen by chance, more miss small changes."""

WARN_FROM = 0.5
"""Half of the shorter text stands in the other too (assumption)."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike two applications are, and where."""

    share: float
    """Of the shorter text's runs of five words, how many stand in the other: 0 to 1."""
    sections: tuple[str, ...]
    """Sections that are alike by `WARN_FROM` or more, the most alike first."""
    passages: tuple[str, ...]
    """Up to three passages that stand in both."""


def _shingles(text: str) -> dict[tuple[str, ...], None]:
    words = _WORD.findall(text.casefold())
    return dict.fromkeys(tuple(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1))


def _share(one: Mapping[tuple[str, ...], None], other: Mapping[tuple[str, ...], None]) -> float:
    shorter = min(len(one), len(other))
    return len(one.keys() & other.keys()) / shorter if shorter else 0.0


def similar(one: Mapping[str, str], other: Mapping[str, str]) -> Similarity:
    """How much of the shorter application stands in the other, whatever case or punctuation."""
    ones = {name: _shingles(text) for name, text in one.items()}
    others = {name: _shingles(text) for name, text in other.items()}
    everything = [dict.fromkeys(s for part in parts.values() for s in part) for parts in (ones, others)]
    alike = {name: _share(ones[name], others[name]) for name in ones if name in others}
    common = [s for s in everything[0] if s in everything[1]]
    return Similarity(
        share=_share(everything[0], everything[1]),
        sections=tuple(sorted((n for n, s in alike.items() if s >= WARN_FROM), key=lambda n: -alike[n])),
        passages=tuple(
            one_line(" ".join(shingle), 200) for shingle in common[:: max(1, len(common) // 3)][:3]
        ),
    )
