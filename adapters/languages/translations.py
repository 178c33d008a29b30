"""How the catalogues are maintained: what there is to translate, brought into every file, and what is still wrong."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import write_po

from adapters.languages import desk
from adapters.languages.catalogues import (
    DESK,
    DESK_TEMPLATE,
    DOMAIN,
    MEANING,
    TEMPLATE,
    faults,
    ids,
    key_of,
    read,
)
from adapters.languages.mails import CONTEXT, places_of_texts
from labels.rules.loading import RULES
from labels.settings import PROJECT
from labels.words.languages import CATALOGUES, ENGLISH, catalogue_of, translated

_KEYWORDS = {"say": None, "say_counted": (1, 2), "named": ((1, "c"), 2), "word": ((1, "c"), 2)}
"""The functions whose arguments are texts to translate; of `named` and `word` the first is the context."""
_SOURCES = ("adapters/languages", "labels")
_ITS_SOURCES = ("desk", "usecases")
"""Where the desk's pages find their words, besides their templates."""

_HEADER = """\
# The words of eTwinning's certificates, letters and mails.
# `labels translations --update` writes this file's msgids; see docs/languages.md.
"""


def collected() -> Catalog:
    """Everything that there is to translate, in a steady order, with the places where it is said."""
    template = Catalog(
        domain=DOMAIN, project="eTwinning labels", version="1", charset="utf-8", header_comment=_HEADER
    )
    for source in _SOURCES:
        for path in sorted((PROJECT / source).rglob("*.py")):
            where = path.relative_to(PROJECT).as_posix()
            for line, text, _, context in _said(path):
                template.add(text, locations=[(where, line)], context=context)
    for path, texts in places_of_texts():
        template.add(
            texts if len(texts) > 1 else texts[0],
            locations=[(path.relative_to(PROJECT).as_posix(), 0)],
            context=CONTEXT,
        )
    for context, name, where in _names_in_rules():
        template.add(name, locations=[(where, 0)], context=context)
    return template


def collected_for_desk() -> Catalog:
    """Everything that the desk's pages say themselves, in a steady order, without what papers and mails say too."""
    template = Catalog(
        domain=DESK, project="eTwinning labels", version="1", charset="utf-8", header_comment=_HEADER
    )
    shared = {ids(message)[0] for message in collected() if message.id and not message.context}
    said = [
        (path, text if isinstance(text, tuple) else (text,))
        for source in _ITS_SOURCES
        for path in sorted((PROJECT / source).rglob("*.py"))
        for _, text, _, _ in _said(path)
    ]
    for path, texts in [*said, *desk.places_of_texts()]:
        if texts[0] not in shared:
            template.add(
                texts if len(texts) > 1 else texts[0], locations=[(path.relative_to(PROJECT).as_posix(), 0)]
            )
    for text, where in _meanings_in_rules():
        template.add(text, context=MEANING, locations=[(where, 0)])
    return template


@cache
def _said(path: Path) -> list[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    """What a file of code says; the code of a process that runs does not change."""
    return list(extract_from_file("python", str(path), keywords=_KEYWORDS))


def _meanings_in_rules() -> Iterator[tuple[str, str]]:
    """What the rule files that ship say to people, besides names: a page shows it, no paper does."""
    for folder in ("criteria", "self_assessments"):
        for path in sorted((RULES / folder).glob("*.yaml")):
            rules, where = (
                yaml.safe_load(path.read_text(encoding="utf-8")),
                path.relative_to(PROJECT).as_posix(),
            )
            parts = [*rules.get("criteria", ()), *rules.get("pillars", ())]
            told = [
                *rules["points"].values(),
                *rules.get("levels", {}).values(),
                *(one["meaning"] for one in parts),
            ]
            told += [one["text"] for name in ("questions", "requirements") for one in rules.get(name, ())]
            told += [rules["plan"]] if "plan" in rules else []
            for text in told:
                yield text, where


def _names_in_rules() -> Iterator[tuple[str, str, str]]:
    """The names of criteria sets and of what reviewers give points for, out of the rule files that ship."""
    for folder, sets, parts in (
        ("criteria", "criteria set", "criteria"),
        ("self_assessments", "", "pillars"),
    ):
        for path in sorted((RULES / folder).glob("*.yaml")):
            rules = yaml.safe_load(path.read_text(encoding="utf-8"))
            where = path.relative_to(PROJECT).as_posix()
            if sets:
                yield sets, rules["name"], where
            for part in rules[parts]:
                yield "criterion", part["name"], where


def update() -> list[Path]:
    """Writes the template and brings every catalogue in step with it; returns the files that changed.

    A text of papers and mails whose English changed keeps its translation as `fuzzy`, which is not used until somebody
    looked.
    """
    papers, pages = collected(), collected_for_desk()
    written = {TEMPLATE: _as_text(papers), DESK_TEMPLATE: _as_text(pages)}
    for language in sorted(translated() - {ENGLISH}):
        for file, template in ((catalogue_of(language), papers), (catalogue_of(language, DESK), pages)):
            if not file.exists():
                continue
            kept = read(file, language)
            # A page that is not translated whole is in English: there a guess is nothing to go on from.
            kept.update(template, no_fuzzy_matching=template is pages)
            kept.obsolete.clear()
            kept.header_comment, kept.fuzzy = _HEADER, False
            written[file] = _as_text(kept)
    changed = []
    for file, text in written.items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            changed.append(file)
    return changed


def begin(language: str) -> Path:
    """A catalogue for a language that has none yet, with nothing translated."""
    file = CATALOGUES / language / TEMPLATE.with_suffix(".po").name
    new = Catalog(
        locale=Locale.parse(language),
        fuzzy=False,
        domain=DOMAIN,
        project="eTwinning labels",
        header_comment=_HEADER,
    )
    new.update(collected())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_as_text(new), encoding="utf-8")
    translated.cache_clear()
    return file


def _as_text(catalog: Catalog) -> str:
    """The file, without what would change each time it is written."""
    stream = io.BytesIO()
    write_po(stream, catalog, width=100, include_lineno=False, ignore_obsolete=True)
    passing = (
        "POT-Creation-Date",
        "PO-Revision-Date",
        "Last-Translator",
        "Language-Team",
        "Report-Msgid-Bugs-To",
        "Generated-By",
    )
    lines = stream.getvalue().decode("utf-8").splitlines()
    return (
        "\n".join(line for line in lines if not line.startswith(tuple(f'"{name}' for name in passing))) + "\n"
    )


@dataclass
class State:
    """How far a language is."""

    language: str
    texts: int
    missing: list[str] = field(default_factory=list)
    fuzzy: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Texts whose places or plural forms do not match, and how."""
    strange: list[str] = field(default_factory=list)
    """Texts of the file that are not translated any more."""

    @property
    def complete(self) -> bool:
        return not (self.missing or self.fuzzy or self.wrong or self.strange)


def states(domain: str = DOMAIN) -> list[State]:
    """How far each language is, compared with what there is to translate now.

    Raises:
        InvalidInput: a file is no catalogue.
    """
    catalog = collected() if domain == DOMAIN else collected_for_desk()
    template = [message for message in catalog if message.id]
    found = []
    for language in sorted(translated() - {ENGLISH}):
        if domain != DOMAIN and not catalogue_of(language, domain).exists():
            continue
        kept = read(catalogue_of(language, domain), language)
        given = {key_of(message): message for message in kept if message.id}
        state = State(language, len(template))
        for message in template:
            theirs = given.pop(key_of(message), None)
            problem = (
                ["missing"]
                if theirs is None or ids(theirs) != ids(message)
                else faults(theirs, kept.num_plurals)
            )
            match problem:
                case []:
                    pass
                case ["missing"]:
                    state.missing.append(ids(message)[0])
                case ["fuzzy"]:
                    state.fuzzy.append(ids(message)[0])
                case _:
                    state.wrong.append(f"{ids(message)[0]} – {problem[0]}")
        state.strange = [text for _, text in given]
        found.append(state)
    return found


def template_is_current() -> bool:
    """Whether the template in the repository holds what the code says now."""
    return all(
        file.exists() and file.read_text(encoding="utf-8") == _as_text(says)
        for file, says in ((TEMPLATE, collected()), (DESK_TEMPLATE, collected_for_desk()))
    )
