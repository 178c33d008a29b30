"""Every catalogue is complete, in step with the code, and fits the places and numbers of its sentences."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from adapters.fonts import missing_characters
from adapters.languages import catalogues, translations, wording
from adapters.languages.catalogues import Catalogue, catalogue, former, ours
from adapters.languages.words import PAPERS, words_of
from cli.translating import NAMED
from labels.words import languages
from labels.words.languages import ENGLISH, catalogue_of, translated
from labels.words.sentences import PLACE
from tests.support.typed import typed

OTHERS = sorted(translated() - {ENGLISH})


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    """Everything that there is to translate."""
    return list(translations.collected())


@pytest.fixture(scope="module")
def states() -> dict[str, translations.State]:
    """How far each language is."""
    return {state.language: state for state in translations.states()}


def test_the_template_is_in_step_with_the_code_and_the_rules() -> None:
    assert translations.template_is_current(), "call: labels translations --update"


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_is_complete_and_its_places_match(
    language: str, states: dict[str, translations.State]
) -> None:
    assert states[language].complete, states[language]


@pytest.mark.parametrize("language", OTHERS)
def test_every_letter_of_a_catalogue_can_be_printed(language: str) -> None:
    said = "".join(form for forms in catalogue(language).forms.values() for form in forms)
    assert missing_characters(said) == []


def test_every_former_text_has_a_present_one_with_the_same_places() -> None:
    for was, now in former().items():
        assert was not in ours(), was
        assert now in ours(), now
        assert set(PLACE.findall(was[1])) == set(PLACE.findall(now[1])), was


@pytest.mark.parametrize("language", OTHERS)
def test_a_former_text_is_said_as_what_replaced_it(language: str) -> None:
    says = catalogue(language)
    for was, now in former().items():
        assert says.pattern(*was) == says.pattern(*now)


@pytest.mark.slow
def test_only_a_salutation_may_leave_a_name_out(copies: Path) -> None:
    change(copies, "de", 'msgstr "Guten Tag {holder}!"', 'msgstr "Guten Tag!"')
    change(copies, "de", 'msgstr "Herzlichen Glückwunsch, {holder}"', 'msgstr "Herzlichen Glückwunsch"')
    [state] = [state for state in translations.states() if state.language == "de"]
    assert state.wrong == ["Congratulations to {holder} – must have the places holder"]


def test_the_papers_words_are_all_in_the_template() -> None:
    for folder, sections in PAPERS.items():
        for section in sections:
            assert {(one.context, one.text) for one in words_of(folder, section).values()} <= ours()


@pytest.mark.parametrize("language", OTHERS)
def test_a_number_is_in_every_plural_form_that_stands_for_several_numbers(
    language: str, messages: list[Message]
) -> None:
    says = catalogue(language)
    for message in messages:
        if not isinstance(message.id, str):
            for count in (2, 3, 5, 11, 21, 100):
                text = says.pattern(message.context or "", message.id[0], message.id[1], count)
                assert "{count}" in text or (language == "ar" and count == 2), (message.id, count)


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The catalogues in a folder of their own, where they may be spoilt."""
    folder = tmp_path / "languages"
    shutil.copytree(languages.CATALOGUES, folder)
    for module in (languages, translations):
        monkeypatch.setattr(module, "CATALOGUES", folder)
    for module in (catalogues, translations):
        monkeypatch.setattr(module, "TEMPLATE", folder / "labels.pot")
    forget()
    yield folder
    monkeypatch.undo()
    forget()


def forget() -> None:
    for cached in (translated, catalogue, ours, wording.texts):
        cached.cache_clear()


def change(folder: Path, language: str, old: str, new: str) -> None:
    file = folder / language / "labels.po"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.slow
def test_what_is_wrong_with_a_catalogue_is_named_and_the_command_fails(copies: Path) -> None:
    change(copies, "de", 'msgstr "Ihr Nationales Qualitätssiegel"', 'msgstr ""')
    change(copies, "fr", 'msgstr "{points} sur {maximum}"', 'msgstr "{point} sur {maximum}"')
    change(copies, "tr", 'msgid "Date"', 'msgid "Day"')
    run = typed("translations", "--json")
    states = {one["language"]: one for one in json.loads(run.stdout)}
    assert states["de"]["missing"] == ["Your National Quality Label"]
    assert states["fr"]["wrong"] == ["{points} of {maximum} – must have the places maximum, points"]
    assert (states["tr"]["missing"], states["tr"]["strange"]) == (["Date"], ["Day"])
    assert states["pl"]["complete"]
    assert run.exit_code == 2


@pytest.mark.slow
def test_a_complete_set_of_catalogues_is_no_fault() -> None:
    run = typed("translations")
    assert run.exit_code == 0
    assert "Armenian" in run.stdout


def test_updating_changes_nothing_where_all_is_in_step(copies: Path) -> None:
    assert translations.update() == []


@pytest.mark.slow
def test_a_text_that_changed_keeps_its_translation_in_doubt(copies: Path) -> None:
    change(copies, "de", 'msgid "Your National Quality Label"', 'msgid "Your National Quality Labels"')
    assert translations.update() == [copies / "de" / "labels.po"]
    [state] = [state for state in translations.states() if state.language == "de"]
    assert state.fuzzy == ["Your National Quality Label"]
    assert not catalogue("de").says("letter", "Your National Quality Label")


@pytest.mark.slow
def test_a_new_language_begins_with_everything_to_do_and_papers_in_english(copies: Path) -> None:
    run = typed("translations", "--begin", "sq")
    assert run.exit_code == 0
    assert f"{len(translations.collected())} texts to translate" in " ".join(run.output.split())
    left = typed("translations")
    assert left.exit_code == 2
    assert f"and {len(translations.collected()) - NAMED} more (--json names all)" in left.stderr
    assert catalogue_of("sq").exists()
    assert wording.texts("letters", "award", "sq").language == ENGLISH
    again = typed("translations", "--begin", "sq")
    assert again.exit_code == 2


@pytest.mark.parametrize("language", ["xx", "../x", "de", "pt-BR"])
def test_only_a_new_language_can_be_begun(language: str, copies: Path) -> None:
    run = typed("translations", "--begin", language)
    assert run.exit_code == 2
    assert len(list(copies.glob("*/labels.po"))) == len(OTHERS)


@pytest.mark.slow
def test_a_file_that_is_no_catalogue_is_named(copies: Path) -> None:
    (copies / "de" / "labels.po").write_bytes(b"\xff\xfe nothing")
    run = typed("translations")
    assert run.exit_code == 2
    assert isinstance(catalogue("fr"), Catalogue)
