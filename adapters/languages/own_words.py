"""An organisation's own words on its papers: a few texts of the catalogues, said otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from adapters.fonts import missing_characters
from adapters.languages.catalogues import Key, fits, former, ids, key_of, read, wordings
from adapters.languages.typography import unbroken
from adapters.languages.words import CERTIFICATES, LETTERS
from labels.errors import Fault, InvalidInput
from labels.papers.branding import Brand
from labels.words.languages import ENGLISH, translated
from labels.words.sentences import PLACE
from labels.words.text import described

LONGEST = 600
"""Characters of a text; the longest of ours has half of them."""

Words = Mapping[Key, str]
"""By context and English text."""
_NONE: Words = {}


@cache
def own_words(folder: Path | None) -> Mapping[tuple[str, str], Words]:
    """All organisations' own words in a folder, by organisation and language, read once a process.

    Raises:
        InvalidInput: something in the folder can't be used; each text is named.
    """
    return read_words(folder) if folder else {}


def own_words_of(brand: Brand, language: str) -> Words:
    """What an organisation says in a language in the place of what ships."""
    return own_words(brand.folder).get((brand.name, language), _NONE)


def read_words(folder: Path) -> Mapping[tuple[str, str], Words]:
    """Every organisation's own words: `FOLDER/ORGANISATION/texts/LANGUAGE.po`, a catalogue of a few texts.

    Raises:
        InvalidInput: everything that is wrong, by file and text: a language without papers, a text that no
            paper says, other places than the English text has, a letter that no bundled font can print.
    """
    faults: list[Fault] = []
    found: dict[tuple[str, str], Words] = {}
    for path in sorted(folder.glob("*/texts/*")):
        where = str(path.relative_to(folder))
        if path.name.startswith("."):
            continue
        if path.suffix != ".po" or path.stem not in translated():
            languages = ", ".join(sorted(translated()))
            problem = f"is no catalogue that is read; expected LANGUAGE.po with one of {languages}."
            faults.append(Fault(where, problem, "Rename it, or move it away."))
            continue
        try:
            catalogue = read(path, None if path.stem == ENGLISH else path.stem)
        except InvalidInput as error:
            faults += [Fault(where, fault.problem) for fault in error.faults]
            continue
        said: dict[Key, str] = {}
        for message in catalogue:
            if not message.id or not any(wordings(message)):
                continue
            key, text = key_of(message), wordings(message)[0]
            key = former().get(key, key)
            problems = list(_refusals(key, text, counted=len(ids(message)) > 1))
            faults += [Fault(f"{where} · {key[1][:60]}", *problem) for problem in problems]
            said[key] = unbroken(path.stem, text)
        found[path.parent.parent.name, path.stem] = said
    if faults:
        raise InvalidInput("branding", faults)
    return found


@cache
def _replaceable() -> frozenset[Key]:
    sections = (*CERTIFICATES.values(), *LETTERS.values())
    return frozenset((one.context, one.text) for section in sections for one in section.values())


def _refusals(key: Key, text: str, *, counted: bool) -> Iterator[tuple[str, str]]:
    """What keeps a text from being used."""
    if key not in _replaceable() or counted:
        context = f" with the context “{key[0]}”" if key[0] else ""
        yield (
            f"is no text of a certificate or letter{context}.",
            "Copy msgctxt and msgid from the catalogue of its language.",
        )
        return
    if not fits(key, key[1], text):
        places = ", ".join(f"{{{place}}}" for place in sorted(set(PLACE.findall(key[1])))) or "none"
        yield "has other places than the English text.", f"It must have these: {places}."
    if len(text) > LONGEST or "\n" in text:
        yield f"is too long; at most {LONGEST} characters on one line are taken.", "Shorten it."
    for character in missing_characters(text):
        yield f"has {described(character)}, which no bundled font can print.", "Write it otherwise."
