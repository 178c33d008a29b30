"""What the papers of an organisation wear by the settings of this process, read and checked once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from adapters.languages.own_words import own_words, read_words
from labels.errors import Fault, InvalidInput
from labels.papers import branding
from labels.papers.branding import NO_DRAWINGS, Drawings
from labels.settings import load_settings


@cache
def _drawings() -> Mapping[str, Drawings]:
    folder = load_settings().branding
    return branding.read_drawings(folder) if folder else {}


@cache
def worn(issuer: str | None) -> str:
    """Whose drawings and words the papers of an organisation wear: its own, everybody's, or ours (an empty text).

    Raises:
        InvalidInput: `LABELS_BRANDING` is no folder.
    """
    return branding.worn(load_settings().branding, issuer)


def own_drawings(wearer: str) -> Drawings:
    """The drawings that take the place of ours; all others stay ours.

    Raises:
        InvalidInput: something in `LABELS_BRANDING` can't be used; each file is named.
    """
    return _drawings().get(wearer, NO_DRAWINGS)


def check_branding() -> list[str]:
    """The organisations that have something of their own, once all of it was found good.

    Raises:
        InvalidInput: everything in `LABELS_BRANDING` that can't be used, by file.
    """
    folder = load_settings().branding
    if folder is None:
        return []
    faults: list[Fault] = []
    for read in (branding.read_drawings, read_words):
        try:
            read(folder)
        except InvalidInput as error:
            faults += error.faults
    if faults:
        raise InvalidInput("branding", faults)
    return sorted(branding.organisations_in(folder))


def forget_branding() -> None:
    """Reads the folder anew at the next paper."""
    for kept in (worn, _drawings, own_words, branding.organisations_in):
        kept.cache_clear()
