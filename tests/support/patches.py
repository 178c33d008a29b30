"""Patches that are off, as beside another version of the library or where they are switched off."""

from __future__ import annotations

import pytest

from adapters import patches


def switch_off(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Switches these patches off in this test; all of them where none is named."""
    real = patches._is_off
    monkeypatch.setattr(patches, "_is_off", lambda name: not names or name in names or real(name))
