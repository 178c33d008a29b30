"""Which languages have a catalogue of translations."""

from __future__ import annotations

from pathlib import Path

import pytest

from labels.words import languages
from labels.words.languages import translated


def test_every_language_that_the_project_promises_has_a_catalogue() -> None:
    assert translated() >= {
        "en",
        "fr",
        "de",
        "es",
        "it",
        "pt",
        "pl",
        "ro",
        "el",
        "bg",
        "uk",
        "ka",
        "hy",
        "ar",
        "tr",
        "cs",
    }


def test_a_folder_without_catalogues_leaves_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "CATALOGUES", tmp_path)
    translated.cache_clear()
    try:
        assert translated() == {"en"}
    finally:
        translated.cache_clear()
