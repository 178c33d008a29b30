"""What organisations have of their own on their papers, each folder read and checked once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from adapters.languages.own_words import read_words
from labels.errors import Fault, InvalidInput
from labels.papers import branding
from labels.papers.branding import NO_DRAWINGS, Brand, Drawings


@cache
def _drawings(folder: Path) -> Mapping[str, Drawings]:
    return branding.read_drawings(folder)


def drawings_of(brand: Brand) -> Drawings:
    """The drawings that take the place of those that ship.

    Raises:
        InvalidInput: something in the folder can't be used; each file is named.
    """
    return _drawings(brand.folder).get(brand.name, NO_DRAWINGS) if brand.folder else NO_DRAWINGS


def check_branding(folder: Path | None) -> list[str]:
    """The organisations that have something of their own, once all of it was found good.

    Raises:
        InvalidInput: everything in the folder that can't be used, by file.
    """
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
