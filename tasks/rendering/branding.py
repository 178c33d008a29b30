"""Which organisation's own drawings a paper wears, by the settings of this process."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from labels.branding import EVERYBODY, NO_DRAWINGS, Drawings, read_branding
from labels.settings import load_settings


@cache
def branding() -> Mapping[str, Drawings]:
    """All organisations' own drawings, read and checked once a process.

    Raises:
        InvalidInput: something in `LABELS_BRANDING` can't be used; each file is named.
    """
    folder = load_settings().branding
    return read_branding(folder) if folder else {}


def worn(issuer: str | None) -> str:
    """Whose drawings the papers of an organisation wear: its own, everybody's, or ours (an empty text)."""
    return next((name for name in (issuer, EVERYBODY) if name and branding().get(name)), "")


def own_drawings(wearer: str) -> Drawings:
    """The drawings of an organisation in the place of ours; all others stay ours."""
    return branding().get(wearer, NO_DRAWINGS)
