"""Where a line of a language must not end: the spaces that stay beside a word."""

from __future__ import annotations

import re
from functools import cache

NO_BREAK = "\N{NO-BREAK SPACE}"

_ONE_LETTER_WORDS = {"cs": "aikosuvz", "pl": "aiouwz", "bg": "авикосуя", "uk": "абвжзійоуєя"}
"""Prepositions, conjunctions and pronouns of one letter, which may not end a line. Source for Czech: ČSN 01 6910."""


def unbroken(language: str, text: str) -> str:
    """A text of a catalogue in which words of one letter, and a count, stay with the word after them."""
    text = text.replace("{count} ", f"{{count}}{NO_BREAK}")
    words = _one_letter_words(language)
    return words.sub(rf"\1{NO_BREAK}", text) if words else text


@cache
def _one_letter_words(language: str) -> re.Pattern[str] | None:
    letters = _ONE_LETTER_WORDS.get(language)
    return re.compile(rf"(?<![^\s(„«–])([{letters}{letters.upper()}]) (?=\S)") if letters else None


def unbroken_day(written: str) -> str:
    """A date whose day, where it comes first, stays with the month: `1. září`, `1er octobre`."""
    return re.sub(r"^(\d{1,2}(?!\d)\S*) ", rf"\1{NO_BREAK}", written)
