"""The language that a paper is written in: the applicant's, else one that the rules name, else English."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from labels.settings import PROJECT

CATALOGUES = PROJECT / "templates" / "languages"
"""A folder for each language, with its catalogue."""


ENGLISH = "en"
"""The language that everything is written in first, and the one to fall back to."""


def catalogue_of(language: str, domain: str = "labels") -> Path:
    """The file that translates into a language: the words of papers and mails, or those of the `desk`."""
    return CATALOGUES / language / f"{domain}.po"


@cache
def translated() -> frozenset[str]:
    """The languages that papers can be written in, English among them."""
    return frozenset({ENGLISH, *(path.parent.name for path in CATALOGUES.glob("*/labels.po"))})


def primary(language: str) -> str:
    """A language without its region or script: `pt` for `pt-PT`."""
    return language.split("-")[0].lower()
