"""Patches that rest, as beside another version of the library or where they are switched off."""

from __future__ import annotations

import pytest

from adapters import patches


def let_rest(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Lets these patches rest in this test; all of them where none is named."""
    real = patches._rests
    monkeypatch.setattr(patches, "_rests", lambda name: not names or name in names or real(name))
