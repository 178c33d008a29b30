"""What the desk's pages say in each language fits what they say in English."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.languages import translations
from adapters.languages.catalogues import DESK, desk_catalogue
from adapters.languages.desk import DeskTexts, languages
from labels.words.languages import ENGLISH

OTHERS = [one for one in languages() if one != ENGLISH]


@pytest.fixture(scope="module")
def states() -> dict[str, translations.State]:
    """How far each language of the desk is."""
    return {state.language: state for state in translations.states(DESK)}


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_translated_of_the_desk_has_the_places_and_plural_forms_of_the_english(
    language: str, states: dict[str, translations.State]
) -> None:
    state = states[language]
    assert (state.wrong, state.fuzzy, state.strange) == ([], [], [])


@pytest.mark.parametrize("language", OTHERS)
def test_a_page_says_a_number_in_every_plural_form_that_stands_for_several_numbers(language: str) -> None:
    says = desk_catalogue(language)
    for message in translations.collected_for_desk():
        if not isinstance(message.id, str) and says.says("", message.id[0]):
            for count in (3, 5, 11, 21, 100):
                assert "{count}" in says.pattern("", message.id[0], message.id[1], count), (message.id, count)


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "Wednesday, 1 April 2026"),
        ("fr", "mercredi 1er avril 2026"),
        ("de", "Mittwoch, 1. April 2026"),
        ("es", "miércoles, 1 de abril de 2026"),
        ("cs", "středa 1. dubna 2026"),
        ("ar", "الأربعاء، 1 أبريل 2026"),
    ],
)
def test_a_day_with_its_name_is_written_as_the_language_does(language: str, written: str) -> None:
    assert DeskTexts(language, {}).weekday(datetime(2026, 3, 31, 23, tzinfo=UTC)) == written


def test_a_criterion_of_ours_is_explained_in_the_readers_language_and_an_organisations_own_in_english() -> (
    None
):
    texts = DeskTexts("fr", {})
    assert texts.meaning("very good") == "très bon"
    assert texts.meaning("How brave it was <sic>") == (
        '<span lang="en" dir="ltr">How brave it was &lt;sic&gt;</span>'
    )
    assert DeskTexts(ENGLISH, {}).meaning("very good") == "very good"
