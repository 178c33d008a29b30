"""Every language prints a certificate of each label and a letter of each kind, whole and in its own words."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader

from adapters.languages.wording import texts
from adapters.papers.certificates import render_certificate
from adapters.papers.letters import render_letter
from labels.kinds import CERTIFIED
from labels.papers.facts import LetterKind
from labels.words.languages import translated
from labels.words.sentences import Sentence, named, one_after_another, recalled, say
from tests.support.papers import EVERY_LETTER, certificate, letter, text_of

PILLARS = (
    "eSafety and its awareness in the school",
    "Teaching and learning, interdisciplinary and project work",
)

ENGLISH = ("is awarded to", "Date of award", "Criteria set", "Certificate number", "Quality Label", "2026-")
"""What stands in no paper that is in another language."""


def worded_letter(kind: LetterKind, language: str, **changes: Any) -> bytes:
    closes = say("The next round closes on {closes}.", closes=datetime(2026, 6, 30, 21, 59, tzinfo=UTC))
    again = say("You may apply again for this project, with what the comments propose.")
    facts: dict[str, Any] = {"language": language, "country": "HU", "written_on": date(2026, 10, 1)}
    if kind is LetterKind.RECEIPT:
        until = datetime(2027, 1, 15, 22, 59, 59, tzinfo=UTC)
        facts |= {"route_forward": [say("The decision is due by: {until}.", until=until)]}
    elif kind is LetterKind.INVITATION:
        active = say("Teachers who have been active since {day}: {count}.", day=date(2024, 10, 1), count=4)
        pillars = tuple(say("“{pillar}”", pillar=named("criterion", name)) for name in PILLARS)
        asked = say("Your school answers questions about these pillars: {pillars}.", pillars=pillars)
        facts |= {"reasons": [active], "route_forward": [asked]}
    elif kind is LetterKind.INELIGIBLE:
        facts |= {
            "route_forward": [],
            "failed_conditions": [
                {
                    "condition": say("The description is empty."),
                    "what_to_do": say("Apply with another project."),
                }
            ],
        }
    else:
        scored = say(
            "The application scored {points} of {maximum}; the label is awarded from {pass_mark}.",
            points=Decimal("5.5"),
            maximum=10,
            pass_mark=6,
        )
        facts |= {
            "reasons": [scored],
            "comments": [],
            "criteria_set": "2014 (six criteria)",
            "route_forward": [one_after_another(again, closes)],
            "scores": [{"criterion": "Use of technology", "points": "4.5", "maximum": 5}],
        }
    return render_letter(letter(kind, **(facts | changes)))


def has_a_foreign_font(pdf: bytes) -> bool:
    """Whether a character was taken from a font that is not bundled; that all have a glyph, other tests tell."""
    fonts = set()
    for page in PdfReader(io.BytesIO(pdf)).pages:
        resources: Any = page["/Resources"]
        fonts |= {str(font.get_object()["/BaseFont"]) for font in resources["/Font"].values()}
    return not all(any(family in font for family in ("Garamond", "Noto", "Amiri")) for font in fonts)


@pytest.mark.slow
@pytest.mark.parametrize("language", sorted(translated()))
def test_a_language_prints_every_paper_in_its_own_words(language: str) -> None:
    country = texts("letters", "award", language).country("HU")
    for label in CERTIFIED:
        pdf = render_certificate(certificate(label=label, language=language, country="HU"))
        assert str(PdfReader(io.BytesIO(pdf)).root_object["/Lang"]) == language
        assert not has_a_foreign_font(pdf)
        if language not in ("ar", "en"):  # pypdf does not join Arabic letters again
            text = text_of(pdf)
            assert country in text
            assert not [word for word in ENGLISH if word in text]
    for kind, label in EVERY_LETTER:
        pdf = worded_letter(kind, language, label=label)
        assert str(PdfReader(io.BytesIO(pdf)).root_object["/Lang"]) == language, (kind, label)
        assert not has_a_foreign_font(pdf)


@pytest.mark.slow
def test_a_letter_in_german_says_no_word_of_english() -> None:
    text = text_of(worded_letter(LetterKind.REFUSAL, "de"))
    for said in (
        "Guten Tag Zsófia",
        "Ungarn",
        "Einsatz von Technologien",
        "4,5 von 5",
        "Die Bewerbung erhielt 5,5 von 10 Punkten; das Siegel wird ab 6 verliehen.",
        "Die nächste Runde endet am 30. Juni 2026, 23:59 Uhr (Brüsseler Zeit).",
        "1. Oktober 2026",
        "Kriterien: 2014 (sechs Kriterien)",
    ):
        assert said in text


KEPT_BEFORE = {
    "routes": [
        "If the procedure was not followed, you may appeal until 2026-04-15 23:59 (Brussels): other people will then "
        "judge your application. The mail about this decision has the code and the command for it."
    ],
    "reasons": ["“Use of technology” received 1.33 of 5 points; it needs at least 2."],
    "sentences": {
        "If the procedure was not followed, you may appeal until 2026-04-15 23:59 (Brussels): other people will then "
        "judge your application. The mail about this decision has the code and the command for it.": {
            "pattern": "If the procedure was not followed, you may appeal until {until}: other people will then judge "
            "your application. The mail about this decision has the code and the command for it.",
            "values": {"until": {"instant": "2026-04-15T21:59:59+00:00"}},
        },
        "“Use of technology” received 1.33 of 5 points; it needs at least 2.": {
            "pattern": "“{criterion}” received {points} of {maximum} points; it needs at least {minimum}.",
            "values": {
                "criterion": {"pattern": "Use of technology", "context": "criterion"},
                "points": {"points": "1.33"},
                "maximum": 5,
                "minimum": 2,
            },
        },
    },
}
"""A verdict of the record, with sentences that are said otherwise by now."""


@pytest.mark.slow
def test_a_decision_made_before_its_sentences_changed_gives_its_letter_in_its_language() -> None:
    said = {
        "reasons": [recalled(one, KEPT_BEFORE) for one in KEPT_BEFORE["reasons"]],
        "route_forward": [recalled(one, KEPT_BEFORE) for one in KEPT_BEFORE["routes"]],
    }
    german = text_of(worded_letter(LetterKind.REFUSAL, "de", **said))
    assert "„Einsatz von Technologien“ erhielt 1,33 von 5 Punkten; nötig sind mindestens 2." in german
    assert "können Sie bis zum 15. April 2026, 23:59 Uhr (Brüsseler Zeit) Einspruch erheben" in german
    english = text_of(worded_letter(LetterKind.REFUSAL, "en", **said))
    assert "“Use of technology” received 1.33 of 5 points; it needs at least 2." in english, (
        "as it was decided"
    )


@pytest.mark.parametrize(
    ("language", "greeting"),
    [("en", "Dear Sir or Madam,"), ("de", "Guten Tag!"), ("cs", "Vážená paní, vážený pane,")],
)
def test_a_school_without_a_principal_on_record_is_not_greeted_by_its_own_name(
    language: str, greeting: str
) -> None:
    school = "Petőfi Sándor Gimnázium"
    text = text_of(worded_letter(LetterKind.INVITATION, language, holder=school, school=school))
    assert greeting in text
    assert f"Dear {school}" not in text


@pytest.mark.slow
def test_a_name_in_the_vocative_is_left_out_of_a_salutation() -> None:
    text = text_of(worded_letter(LetterKind.REFUSAL, "cs"))
    assert "Vážená paní, vážený pane, děkujeme" in text


def test_an_invitation_in_arabic_shows_no_markup() -> None:
    assert "span" not in text_of(worded_letter(LetterKind.INVITATION, "ar"))


def test_a_receipt_in_german_names_each_file() -> None:
    text = text_of(worded_letter(LetterKind.RECEIPT, "de"))
    for said in (
        "Eingegangen: 14. Oktober 2026, 09:30 Uhr (Brüsseler Zeit)",
        "application.json 4 kB 0123456789abcdef",
        "Fotó a hídról.jpg 1,4 MB fedcba9876543210",
        "Frist für die Entscheidung: 15. Januar 2027, 23:59 Uhr (Brüsseler Zeit).",
    ):
        assert said in text.replace("\xa0", " ")


@pytest.mark.parametrize(
    "reason", [say("Nobody translated this."), "The English of a verdict that was stored before."]
)
def test_a_letter_with_one_sentence_that_is_not_translated_is_english_throughout(reason: str) -> None:
    text = text_of(worded_letter(LetterKind.REFUSAL, "de", reasons=[reason]))
    for said in ("Dear Zsófia", "Hungary", "Use of technology", "4.5 of 5", "1 October 2026", reason):
        assert said in text
    assert "Technologien" not in text


def test_a_name_inside_a_sentence_that_cannot_be_printed_is_shown_as_such() -> None:
    odd = say("“{name}” is not a criterion.", name="評価 🎉")
    failed = [{"condition": odd, "what_to_do": say("Use {known}.", known=("technology", "results"))}]
    text = text_of(worded_letter(LetterKind.INELIGIBLE, "fr", failed_conditions=failed))
    assert "« □□ [party popper] » n’est pas un critère." in text.replace("\xa0", " ")
    assert "Utilisez technology, results." in text


def test_a_sentence_keeps_its_parts_in_the_facts_of_a_letter() -> None:
    facts = letter(
        reasons=[say("The section “{criterion}” is empty.", criterion=named("criterion", "Results"))]
    )
    again = type(facts).model_validate_json(facts.model_dump_json())
    assert again == facts
    assert isinstance(again.reasons[0], Sentence)
    assert again.reasons[0].values == {"criterion": "Results"}
    assert again.digest == facts.digest
