"""What `labels translations` says: how far each language is, and what is wrong with it."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError
from pydantic import BaseModel, ConfigDict

from adapters.languages import translations
from adapters.languages.catalogues import TEMPLATE
from cli.output import emit, say, table
from labels.errors import Fault, InvalidInput
from labels.words.languages import translated


class LanguageState(BaseModel):
    """How far one language is."""

    model_config = ConfigDict(from_attributes=True)

    language: str
    texts: int
    complete: bool
    missing: list[str]
    fuzzy: list[str]
    """In doubt, since the English text changed; not used until somebody looked."""
    wrong: list[str]
    """Places or plural forms that do not match, and how."""
    strange: list[str]
    """Translated, and not said any more."""


NAMED = 20
"""Texts of a language that are named for each thing that is wrong with it."""


def report(*, update: bool, begin: str, as_json: bool) -> None:
    """Reports on every language, after what was asked to be done.

    Raises:
        InvalidInput: a language is not complete, or the template is not in step with the code.
    """
    if begin:
        _begin(begin)
    if update:
        for file in translations.update():
            say(f"Written: {file.parent.name}/{file.name}")
    states = [LanguageState.model_validate(state) for state in translations.states()]
    if as_json:
        emit(states)
    elif not begin:
        table(
            "",
            ["Language", "Texts", "Missing", "Fuzzy", "Wrong", "Strange"],
            [
                [
                    f"{state.language}  {Locale.parse(state.language).english_name}",
                    *map(
                        str,
                        (
                            state.texts,
                            len(state.missing),
                            len(state.fuzzy),
                            len(state.wrong),
                            len(state.strange),
                        ),
                    ),
                ]
                for state in states
            ],
        )
    if begin:
        return
    faults = []
    if not translations.template_is_current():
        faults.append(
            Fault(TEMPLATE.name, "is not in step with the code.", "Call: labels translations --update")
        )
    for state in states:
        for problem in ("missing", "fuzzy", "wrong", "strange"):
            texts = getattr(state, problem)
            faults += [Fault(f"{state.language} · {problem}", text) for text in texts[:NAMED]]
            if len(texts) > NAMED:
                faults.append(
                    Fault(
                        f"{state.language} · {problem}", f"and {len(texts) - NAMED} more (--json names all)."
                    )
                )
    if faults:
        raise InvalidInput("translations", faults)


def _begin(language: str) -> None:
    try:
        Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        fault = Fault(
            "--begin", f"“{language}” is no language that CLDR knows.", "Write its ISO 639 code: sq"
        )
        raise InvalidInput("translations", [fault]) from None
    if not language.isalpha() or language in translated():
        fault = Fault(
            "--begin", f"“{language}” has a catalogue, or names a region.", "Name a new language: sq"
        )
        raise InvalidInput("translations", [fault])
    file = translations.begin(language)
    say(
        f"Begun: {file} – {len(translations.collected())} texts to translate; until then papers in it are English."
    )
