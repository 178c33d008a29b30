"""A paper is written in the applicant's language, else in one of the organisation's, else in English."""

from __future__ import annotations

from datetime import date

import pytest

from labels.rules.loading import load_rules
from labels.rules.model import RuleEdition
from labels.rules.paper_language import paper_language

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
