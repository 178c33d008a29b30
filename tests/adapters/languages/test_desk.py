"""What the desk's pages say in each language fits what they say in English."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from adapters.languages import translations
from adapters.languages.catalogues import DESK, desk_catalogue
from adapters.languages.desk import DeskTexts, languages, own_name
from labels.applications.uploads.inspecting import inspect
from labels.errors import InvalidInput
from labels.words.languages import ENGLISH
from labels.words.sentences import say

MIDNIGHT = datetime(2026, 3, 31, 23, tzinfo=UTC)
"""It is April in Brussels by then."""
WEEKDAYS = {
    "en": "Wednesday, 1\xa0April 2026",
    "ar": "الأربعاء، 1\xa0أبريل 2026",
    "bg": "Сряда, 1\xa0април 2026\xa0г.",
    "cs": "Středa 1.\xa0dubna 2026",
    "de": "Mittwoch, 1.\xa0April 2026",
    "el": "Τετάρτη 1\xa0Απριλίου 2026",
    "es": "Miércoles, 1\xa0de abril de 2026",
    "fr": "Mercredi 1er\xa0avril 2026",
    "hy": "Չորեքշաբթի, 1\xa0ապրիլի 2026\xa0թ.",
    "it": "Mercoledì 1\xa0aprile 2026",
    "ka": "ოთხშაბათი, 2026 წლის 1 აპრილი",
    "pl": "Środa, 1\xa0kwietnia 2026\xa0r.",
    "pt": "Quarta-feira, 1\xa0de abril de 2026",
    "ro": "Miercuri, 1\xa0aprilie 2026",
    "tr": "1\xa0Nisan 2026 Çarşamba",
    "uk": "Середа, 1\xa0квітня 2026\xa0р.",
}
"""The dates are those of letters in the language."""
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


@pytest.mark.sampled
@pytest.mark.parametrize("language", OTHERS)
def test_a_page_says_a_number_in_every_plural_form_that_stands_for_several_numbers(language: str) -> None:
    says = desk_catalogue(language)
    for message in translations.collected_for_desk():
        if not isinstance(message.id, str) and "{count}" in message.id[1] and says.says("", message.id[0]):
            for count in (3, 5, 11, 21, 100):
                assert "{count}" in says.pattern("", message.id[0], message.id[1], count), (message.id, count)


@pytest.mark.parametrize("language", WEEKDAYS)
def test_a_day_with_its_name_is_written_as_the_language_does(language: str) -> None:
    assert DeskTexts(language, {}).weekday(MIDNIGHT) == WEEKDAYS[language]


def test_every_language_of_the_desk_has_its_days_tested() -> None:
    assert set(languages()) == set(WEEKDAYS)


def test_a_day_and_its_time_are_parted_by_the_comma_of_the_language() -> None:
    assert DeskTexts("ar", {}).day_hour(MIDNIGHT) == "1\xa0أبريل 2026، 01:00"
    assert DeskTexts("cs", {}).day_hour(MIDNIGHT) == "1.\xa0dubna 2026, 01:00"


def test_a_language_is_named_as_it_stands_at_the_beginning_of_a_line() -> None:
    names = [own_name(language) for language in ("cs", "ka", "hy", "ar")]
    assert names == ["Čeština", "ქართული", "Հայերեն", "العربية"]


def test_a_word_of_one_letter_and_a_count_do_not_end_a_line_of_a_page() -> None:
    texts = DeskTexts("cs", {})
    assert "přihlášení kódem z\xa0e-mailu" in texts.say("signed in with a code by mail")
    assert texts.say_counted("in {count} day", "in {count} days", 3) == "za 3\xa0dny"


def test_a_criterion_of_ours_is_explained_in_the_readers_language_and_an_organisations_own_in_english() -> (
    None
):
    texts = DeskTexts("fr", {})
    assert texts.meaning("very good") == "très bon"
    assert texts.meaning("How brave it was <sic>") == (
        '<span lang="en" dir="ltr">How brave it was &lt;sic&gt;</span>'
    )
    assert DeskTexts(ENGLISH, {}).meaning("very good") == "very good"


def test_why_a_file_was_not_taken_is_said_in_the_readers_language() -> None:
    with pytest.raises(InvalidInput) as refused:
        inspect(("<b>.pdf", b"no PDF"))
    [fault] = refused.value.faults
    assert DeskTexts("de", {}).fault(fault) == (
        "&lt;b&gt;.pdf: Nach ihrem Inhalt ist das keine PDF-, PNG-, JPEG-, ODT-, DOCX- oder MP4-Datei. "
        "Speichern Sie sie in einem dieser Formate; eine andere Endung des Namens ändert nicht, was sie ist."
    )
    assert "يُرجى" in DeskTexts("ar", {}).fault(fault)


def test_what_a_language_lacks_is_in_english_and_marked() -> None:
    texts = DeskTexts("de", {})
    assert texts.say("Nobody translated {this}", this="<this>") == (
        '<span lang="en" dir="ltr">Nobody translated &lt;this&gt;</span>'
    )
    assert texts.say_counted("{count} stone", "{count} stones", 2) == (
        '<span lang="en" dir="ltr">2 stones</span>'
    )


def test_why_something_was_refused_is_said_in_the_readers_language_or_marked_as_english() -> None:
    late = say("You were awarded this label for this project on {day}.", day=date(2026, 4, 1))
    assert "1.\xa0dubna 2026" in DeskTexts("cs", {}).told(late)
    assert DeskTexts("cs", {}).told("Too <late>.") == '<span lang="en" dir="ltr">Too &lt;late&gt;.</span>'
    assert DeskTexts(ENGLISH, {}).told("Too <late>.") == "Too <late>."
