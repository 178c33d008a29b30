"""The catalogues as papers use them: what a language says for an English text, or that it says nothing.

They are read once a process. A text that is empty, in doubt (`fuzzy`) or has other places than the English
one counts as untranslated: nobody gets a paper with a hole.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po

from adapters.languages.typography import unbroken
from labels.errors import Fault, InvalidInput
from labels.words.languages import CATALOGUES, ENGLISH, catalogue_of
from labels.words.sentences import COUNT, PLACE

DOMAIN = "labels"
"""The words of papers and mails, which every language has."""
DESK = "desk"
"""The words of the desk's pages, in the languages that have begun with them."""
MEANING = "meaning"
"""Tells apart what rules say to whoever judges or answers by them: what a criterion, points or a level mean."""
TEMPLATE = CATALOGUES / "labels.pot"
DESK_TEMPLATE = CATALOGUES / "desk.pot"
FORMER = CATALOGUES / "former.po"
"""English texts that are said otherwise by now, each with what replaced it."""

Key = tuple[str, str]
"""Context and English text."""

SALUTATIONS: frozenset[Key] = frozenset(
    {
        ("letter", "Dear {holder},"),
        ("mail", "Dear {to_name},"),
        ("", "Good morning, {name}"),
        ("", "Good day, {name}"),
        ("", "Good evening, {name}"),
    }
)
"""A translation may leave their name out: languages with a vocative would have to inflect it."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What one language says."""

    language: str
    forms: Mapping[Key, tuple[str, ...]]
    """For each text that is translated its wording, or one for each plural form."""
    form_of: Callable[[int], int]
    """Which plural form a number takes."""

    def says(self, context: str, text: str) -> bool:
        """Whether there is a wording for an English text."""
        return self.language == ENGLISH or (context, text) in self.forms

    def pattern(self, context: str, text: str, plural: str = "", count: int = 0) -> str:
        """The wording of an English text; for a plural, the one that fits `count`.

        Raises:
            KeyError: there is none.
        """
        if self.language == ENGLISH:
            return plural if plural and count != 1 else text
        forms = self.forms[context, text]
        return forms[self.form_of(count)] if plural else forms[0]


def read(file: Path, language: str | None = None) -> Catalog:
    """A catalogue's file; without a language, the template of all of them.

    Raises:
        InvalidInput: it is no catalogue.
    """
    try:
        with file.open("rb") as stream:
            return read_po(stream, locale=language, domain=DOMAIN, abort_invalid=True)
    except (OSError, PoFileError, ValueError) as error:
        raise InvalidInput(file.name, [Fault(str(file), f"is no catalogue of gettext: {error}.")]) from None


@cache
def catalogue(language: str) -> Catalogue:
    """What a language says; English says everything as it is.

    Raises:
        InvalidInput: its file is no catalogue.
    """
    if language == ENGLISH:
        return Catalogue(ENGLISH, {}, lambda count: int(count != 1))
    kept = read(catalogue_of(language), language)
    forms = _forms(kept, language)
    forms |= {was: forms[now] for was, now in former().items() if now in forms}
    form_of: Callable[[int], int] = gettext.c2py(kept.plural_expr)
    return Catalogue(language, forms, form_of)


@cache
def desk_catalogue(language: str) -> Catalogue:
    """What a language says on the desk's pages: their own words, and all that papers and mails say.

    Raises:
        InvalidInput: one of its files is no catalogue.
    """
    said = catalogue(language)
    file = catalogue_of(language, DESK)
    if language == ENGLISH or not file.exists():
        return said
    kept = read(file, language)
    return Catalogue(language, {**said.forms, **_forms(kept, language)}, said.form_of)


def _forms(kept: Catalog, language: str) -> dict[Key, tuple[str, ...]]:
    """What can be used of a catalogue's file."""
    return {
        key_of(message): tuple(unbroken(language, wording) for wording in wordings(message))
        for message in kept
        if message.id and not faults(message, kept.num_plurals)
    }


@cache
def former() -> Mapping[Key, Key]:
    """What is said by now in the place of each text that a stored sentence, or an organisation's own, goes by."""
    replaced = (message for message in read(FORMER) if message.id)
    return {key_of(message): (key_of(message)[0], wordings(message)[0]) for message in replaced}


@cache
def ours() -> frozenset[Key]:
    """Every text that catalogues translate; a name that is none of them, such as one in an organisation's own
    rules, is printed as it is."""
    return frozenset(key_of(message) for message in read(TEMPLATE) if message.id)


def key_of(message: Message) -> Key:
    """What a message is found by."""
    return str(message.context or ""), ids(message)[0]


def ids(message: Message) -> tuple[str, ...]:
    """A message's English text, and its plural if it has one."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def wordings(message: Message) -> tuple[str, ...]:
    """A message's translation, one text for each plural form."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def faults(message: Message, plurals: int) -> list[str]:
    """Why a translation cannot be used: `missing`, `fuzzy`, or what is wrong with its places or plural forms."""
    given = wordings(message)
    if not all(given):
        return ["missing"]
    if message.fuzzy:
        return ["fuzzy"]
    english = ids(message)
    if len(english) > 1 and len(given) != plurals:
        return [f"has {len(given)} plural forms, and the language {plurals}"]
    for wording in given:
        if not fits(key_of(message), english[-1], wording, counted=len(english) > 1):
            return [f"must have the places {', '.join(sorted(set(PLACE.findall(english[-1]))))}"]
    return []


def fits(key: Key, english: str, wording: str, *, counted: bool = False) -> bool:
    """Whether a wording has the places of the English text, save those that it may leave out."""
    wanted, given = set(PLACE.findall(english)), set(PLACE.findall(wording))
    spared = wanted if key in SALUTATIONS else {COUNT} if counted else set()  # "once" needs no number
    return given <= wanted <= given | spared
