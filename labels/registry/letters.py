"""Looks at the letters of names and titles: lost ones, those read in a wrong encoding, and those that nothing prints."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from labels.registry.files import ACTING_OR_LOST, Objection, shown
from labels.registry.values import Values
from labels.words.text import DECORATION, described, has_styled_letters, plain_letters

Missing = Callable[[str], Sequence[str]]
"""The characters of a text that no font prints."""

_SECOND_HALVES = (
    "\x80-\xbf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6-\u02dd\u2013-\u203a\u20ac\u2122\u2026"
)
"""What the second byte of a letter in UTF-8 becomes in the code pages of Windows."""

_FIRST_HALVES = "À-ÖØ-Þà-ãĂĐĹŃŘВГДЕРСТУΒΓΔΕΞΟ"
"""The same of its first byte, in the pages of the west, the centre, Cyrillic and Greek."""

_READ_TWICE = re.compile(f"[{_FIRST_HALVES}][{_SECOND_HALVES}]")
_OF_ANOTHER_PAGE = "¢£¤¥¦§¨©¬®¯±²³¶¸¹¼½¾×÷†‡‰€"
_SYMBOL_IN_WORD = re.compile(
    rf"[^\W\d_][{_OF_ANOTHER_PAGE}]+[^\W\d_]|(?<!\S)[{_OF_ANOTHER_PAGE}]+[^\W\d_]{{2}}", re.UNICODE
)
_ASKED = {True: re.compile(r"\w\?+\w|(?<!\S)\?+\w"), False: re.compile(r"\w\?|\?\w")}
"""A question mark where a letter may have stood, in titles and in names."""

_MOST_KNOWN = 200_000
"""Words that are remembered at once."""

_SAVE = "If so, save the file as “CSV UTF-8” or XLSX and import again."


def nothing_missing(text: str) -> Sequence[str]:
    """Stands for fonts that have every letter."""
    return ()


class Letters:
    """Judges the letters of columns; remembers those that are nothing to speak of, which is nearly all."""

    def __init__(self, missing: Missing = nothing_missing) -> None:
        self._missing = missing
        self._sound: set[str] = set(map(chr, range(128)))
        self._fresh = re.compile("[^\x00-\x7f]")
        self._unprintable: set[str] = set()
        self._words: set[str] = set()

    def are_known(self, values: Values) -> bool:
        """Whether nothing in a column of names or titles has to be looked at value by value.

        They are made of few words: each is looked at once.
        """
        if values.joined.isascii():
            return "?" not in values.joined and values.harmless
        if not values.are_lines:
            return False
        # Parted by the blank alone: others are halves of letters that were read in a wrong encoding.
        fresh = {*values.joined.replace("\n", " ").split(" ")} - self._words
        if fresh:
            text = " ".join(fresh)
            plain = unicodedata.is_normalized("NFC", text) and not ACTING_OR_LOST.search(text)
            if not plain or self.is_odd(text):
                return False
            if len(self._words) > _MOST_KNOWN:
                self._words.clear()
            self._words |= fresh
        values.are_known_harmless()
        return True

    def is_odd(self, joined: str) -> bool:
        """Whether anything in the text of a whole column has to be looked at value by value."""
        if joined.isascii():
            return "?" in joined
        odd = False
        if self._fresh.search(joined):
            fresh = set(joined) - self._sound
            unsound = {letter for letter in fresh if self._is_odd(letter)}
            odd = bool(unsound)
            if fresh != unsound:
                self._sound |= fresh - unsound
                self._fresh = re.compile(f"[^{re.escape(''.join(sorted(self._sound)))}]")
        return odd or "?" in joined or bool(_READ_TWICE.search(joined))

    def _is_odd(self, letter: str) -> bool:
        if "\ud800" <= letter <= "\udfff":
            return True
        if self._missing(plain_letters(letter)):
            self._unprintable.add(letter)
            return True
        return letter in _OF_ANOTHER_PAGE or has_styled_letters(letter)

    def remarks(self, values: Sequence[str], title: bool) -> Iterator[tuple[int, Objection]]:
        """What looks wrong in values, with their places. They are taken all the same."""
        for place, value in enumerate(values):
            if "?" in value and _ASKED[title].search(value):
                problem = f"{shown(value)} has a question mark where a letter may have been lost."
                yield place, Objection(problem, _SAVE)
            if not value.isascii():
                yield from ((place, objection) for objection in self._not_ascii(value, title))

    def _not_ascii(self, value: str, title: bool) -> Iterator[Objection]:
        if (not title and _SYMBOL_IN_WORD.search(value)) or (_READ_TWICE.search(value) and _is_bad(value)):
            yield Objection(f"{shown(value)} looks as if it was read in a wrong encoding.", _SAVE)
        for letter in dict.fromkeys(value) if not self._unprintable.isdisjoint(value) else ():
            if letter in self._unprintable and not (title and unicodedata.category(letter) in DECORATION):
                problem = (
                    f"{shown(value)} has {described(letter)}, which nothing here can print on a certificate."
                )
                yield Objection(
                    problem, "Write it in letters that are printed: Latin, Greek, Cyrillic and others."
                )


def _is_bad(value: str) -> bool:
    from ftfy.badness import is_bad  # takes longer to import than most commands take

    return is_bad(value)
