"""A paper is written in the applicant's language, else in one of the organisation's, else in English."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from labels.rules import RuleEdition, load_rules
from labels.rules.paper_language import paper_language
from labels.words import languages
from labels.words.languages import translated

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("organisation", "spoken", "language"),
    [
        ("NSS-FR", "fr", "fr"),
        ("NSS-FR", "de", "de"),
        ("NSS-DE", "pt-PT", "pt"),
        ("NSS-DE", "nb", "de"),  # no catalogue: the organisation's own
        ("PSA-MD", "gag", "ro"),
        ("NSS-FI", "fi", "en"),
        ("CSS", "mk", "en"),
    ],
)
def test_the_language_of_a_paper(organisation: str, spoken: str, language: str) -> None:
    assert paper_language(spoken, load_rules(organisation, TODAY)) == language


def test_rules_that_were_kept_before_papers_had_languages_mean_english_and_keep_their_digest() -> None:
    now = load_rules("NSS-DE", TODAY)
    before = RuleEdition.from_json({k: v for k, v in now.to_json().items() if k != "papers"})
    assert paper_language("nb", before) == "en"
    assert paper_language("fr", before) == "fr"
    assert "papers" not in before.to_json()
    assert before.digest != now.digest


def test_rules_that_were_kept_before_signatures_were_one_ask_for_none_and_keep_their_digest() -> None:
    body = load_rules("NSS-DE", TODAY).to_json()
    assert not RuleEdition.from_json(body).must_be_signed
    asking = body["papers"] | {"signed": {"value": True, "source": "assumption"}}
    assert RuleEdition.from_json(body | {"papers": asking}).must_be_signed
    del body["papers"]["signed"]
    before = RuleEdition.from_json(body)
    assert not before.must_be_signed
    assert before.to_json() == body


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
