"""Dates, points, countries and sentences stand as people write them in each language, and none is mixed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from adapters.languages.catalogues import catalogue
from adapters.languages.typography import unbroken
from adapters.languages.wording import texts
from labels.applications.eligibility import PRECONDITIONS
from labels.rules.model import Precondition
from labels.words.languages import translated
from labels.words.sentences import Country, Sentence, named, say, say_counted

DAYS = {
    "en": ["1\xa0January 2026", "14\xa0May 2026", "31\xa0August 2026"],
    "fr": ["1er\xa0janvier 2026", "14\xa0mai 2026", "31\xa0août 2026"],
    "de": ["1.\xa0Januar 2026", "14.\xa0Mai 2026", "31.\xa0August 2026"],
    "es": ["1\xa0de enero de 2026", "14\xa0de mayo de 2026", "31\xa0de agosto de 2026"],
    "it": ["1\xa0gennaio 2026", "14\xa0maggio 2026", "31\xa0agosto 2026"],
    "pt": ["1\xa0de janeiro de 2026", "14\xa0de maio de 2026", "31\xa0de agosto de 2026"],
    "pl": ["1\xa0stycznia 2026\xa0r.", "14\xa0maja 2026\xa0r.", "31\xa0sierpnia 2026\xa0r."],
    "ro": ["1\xa0ianuarie 2026", "14\xa0mai 2026", "31\xa0august 2026"],
    "el": ["1\xa0Ιανουαρίου 2026", "14\xa0Μαΐου 2026", "31\xa0Αυγούστου 2026"],
    "bg": ["1\xa0януари 2026\xa0г.", "14\xa0май 2026\xa0г.", "31\xa0август 2026\xa0г."],
    "uk": ["1\xa0січня 2026\xa0р.", "14\xa0травня 2026\xa0р.", "31\xa0серпня 2026\xa0р."],
    "ka": ["2026 წლის 1 იანვარი", "2026 წლის 14 მაისი", "2026 წლის 31 აგვისტო"],
    "hy": ["1\xa0հունվարի 2026\xa0թ.", "14\xa0մայիսի 2026\xa0թ.", "31\xa0օգոստոսի 2026\xa0թ."],
    "ar": ["1\xa0يناير 2026", "14\xa0مايو 2026", "31\xa0أغسطس 2026"],
    "tr": ["1\xa0Ocak 2026", "14\xa0Mayıs 2026", "31\xa0Ağustos 2026"],
    "cs": ["1.\xa0ledna 2026", "14.\xa0května 2026", "31.\xa0srpna 2026"],
}
"""The months in the genitive where a day asks for it; Arabic with the months of CLDR's `ar` and Latin digits."""


@pytest.mark.parametrize("language", DAYS)
def test_a_date_is_written_as_people_write_it(language: str) -> None:
    words = texts("letters", "award", language)
    days = [date(2026, 1, 1), date(2026, 5, 14), date(2026, 8, 31)]
    assert [words.day(day) for day in days] == DAYS[language]


def test_every_language_has_its_dates_tested() -> None:
    assert set(DAYS) == translated()


def test_points_have_the_decimal_sign_of_their_language() -> None:
    said = {language: texts("letters", "award", language).points(Decimal("18.30")) for language in DAYS}
    assert {language for language, points in said.items() if points == "18.3"} == {"en", "ar"}
    assert set(said.values()) == {"18.3", "18,3"}
    assert texts("letters", "award", "de").points(Decimal("5.00")) == "5"


def test_a_country_is_named_in_the_papers_language() -> None:
    names = {
        language: texts("letters", "award", language).country("DE")
        for language in ("en", "fr", "el", "ar", "tr")
    }
    assert names == {"en": "Germany", "fr": "Allemagne", "el": "Γερμανία", "ar": "ألمانيا", "tr": "Almanya"}
    assert texts("letters", "award", "pt").country("CZ") == "Chéquia"
    assert texts("letters", "award", "fr").country("PS") == "Palestine"
    assert texts("letters", "award", "fr").country("Ruritania") == "Ruritania"


def test_a_sentence_is_said_with_its_values_in_the_language() -> None:
    words = texts("letters", "refusal", "de")
    reason = say(
        "“{criterion}” scored {points} of {maximum}; at least {minimum} is needed.",
        criterion=named("criterion", "Use of technology"),
        points=Decimal("1.33"),
        maximum=5,
        minimum=2,
    )
    assert (
        words.said(reason)
        == "„Einsatz von Technologien“ erhielt 1,33 von 5 Punkten; nötig sind mindestens 2."
    )
    closes = datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC)
    route = say("The next round closes on {closes}.", closes=closes)
    assert words.said(route) == "Die nächste Runde endet am 30.\xa0Juni 2026, 23:59 Uhr (Brüsseler Zeit)."
    english = texts("letters", "refusal", "en").said(route)
    assert english == "The next round closes on 30\xa0June 2026, 23:59 (Brussels time)."


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("pl", 1, "o 1 słowo."), ("pl", 3, "o 3 słowa."), ("pl", 12, "o 12 słów."), ("pl", 22, "o 22 słowa."),
        ("uk", 21, "на 21 слово."), ("uk", 5, "на 5 слів."), ("ro", 20, "cu 20 de cuvinte."), ("ro", 19, "cu 19 cuvinte."),
        ("ar", 2, "بكلمتين."), ("ar", 3, "كلمات."), ("ar", 11, "11 كلمة."), ("ka", 1, "1 სიტყვით."), ("fr", 2, "de 2 mots."),
    ],
)  # fmt: skip
def test_a_number_takes_the_plural_form_of_its_language(language: str, count: int, said: str) -> None:
    sentence = say_counted("Shorten it by {count} word.", "Shorten it by {count} words.", count)
    text = texts("letters", "ineligible", language).said(sentence)
    assert (
        text.replace('<span dir="ltr" class="value">', "")
        .replace("</span>", "")
        .replace("\xa0", " ")
        .endswith(said)
    )


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("fr", "30\xa0juin 2026 à 23\xa0h\xa059 (heure de Bruxelles)"),
        ("pt", "30\xa0de junho de 2026, às 23h59 (hora de Bruxelas)"),
        ("pl", "30\xa0czerwca 2026\xa0r., godz. 23:59 (czasu brukselskiego)"),
    ],
)
def test_the_time_is_told_as_the_language_tells_it(language: str, told: str) -> None:
    instant = datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC)
    assert texts("letters", "refusal", language).moment(instant) == told


@pytest.mark.parametrize(
    ("language", "text", "unbroken_text"),
    [
        ("cs", "Přišla v červnu a s ní i úspěch.", "Přišla v\xa0červnu a\xa0s\xa0ní i\xa0úspěch."),
        ("pl", "Z nim i o nim (w szkole).", "Z\xa0nim i\xa0o\xa0nim (w\xa0szkole)."),
        ("bg", "Проект с ученици в училище.", "Проект с\xa0ученици в\xa0училище."),
        ("uk", "Знак „я і ти“ з {day}.", "Знак „я\xa0і\xa0ти“ з\xa0{day}."),
        ("de", "Zeile a b", "Zeile a b"),
        ("ka", "{count} სიტყვით.", "{count}\xa0სიტყვით."),
        ("cs", "Trasa A vede k cíli, část s je krátká", "Trasa A\xa0vede k\xa0cíli, část s\xa0je krátká"),
        ("pl", "klasa 3a lub 4b i", "klasa 3a lub 4b i"),
    ],
)
def test_no_line_ends_in_a_word_of_one_letter_or_a_number(
    language: str, text: str, unbroken_text: str
) -> None:
    assert unbroken(language, text) == unbroken_text
    assert unbroken(language, unbroken_text) == unbroken_text


@pytest.mark.parametrize("language", sorted(translated()))
def test_a_date_never_has_two_full_stops(language: str) -> None:
    words = texts("letters", "ineligible", language)
    for pattern in (
        "You were awarded this label for this project on {day}.",
        "Your school has been registered since this day: {day}.",
    ):
        assert ".." not in words.said(say(pattern, day=date(2026, 10, 1)))


def test_hostile_values_in_a_sentence_stay_text() -> None:
    hostile = '<img src=x onerror="1">{maximum}{{ 7*7 }}'
    for language in ("en", "fr", "ar"):
        said = texts("letters", "ineligible", language).said(
            say("“{name}” is not a criterion.", name=hostile)
        )
        assert "<img" not in said
        assert "&lt;img" in said
        assert "{maximum}{{ 7*7 }}" in said


def test_a_language_that_lacks_a_sentence_does_not_say_it() -> None:
    words = texts("letters", "refusal", "de")
    known = say("Apply with another project.")
    assert words.can_say([known])
    assert not words.can_say([known, say("Nobody translated this.")])
    assert not words.can_say([say("Use {known}.", known=say("Nobody translated this."))])
    assert not words.can_say(["English of an earlier release."])
    assert texts("letters", "refusal", "en").can_say(["English of an earlier release."])


def test_a_name_that_is_not_ours_stays_as_it_is() -> None:
    words = texts("letters", "refusal", "el")
    assert words.named("criterion", "Ours alone") == "Ours alone"
    assert words.can_say(
        [say("The section “{criterion}” is empty.", criterion=named("criterion", "Ours alone"))]
    )


@pytest.mark.parametrize("language", sorted(translated() - {"en"}))
def test_every_condition_of_the_form_has_its_words(language: str) -> None:
    for name in Precondition:
        condition, remedy = PRECONDITIONS[name]
        assert catalogue(language).says("condition", condition.pattern)
        assert catalogue(language).says("", remedy.pattern)


def test_a_list_of_countries_has_the_comma_of_its_script() -> None:
    sentence = say("Use {known}.", known=(Country("TN"), Country("LB")))
    assert "تونس، لبنان" in texts("letters", "ineligible", "ar").said(sentence)
    assert isinstance(sentence, Sentence)
