"""The texts of mails: written in English in their templates, as `say("… {place} …")` or, for texts that differ
with a number, `say_counted("one …", "{count} …", number)`, and found there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, meta, nodes
from markupsafe import Markup, escape

from adapters.languages.catalogues import Key, catalogue, ours
from adapters.languages.wording import Texts, speaks
from adapters.languages.words import CERTIFICATES, Word
from labels.kinds import LabelKind
from labels.mail.message import Message, Values
from labels.settings import PROJECT
from labels.words.languages import ENGLISH, primary, translated
from labels.words.sentences import PLACE, Sentence, Value, english

CONTEXT = "mail"
"""Tells the texts of mails apart from the same English elsewhere."""

Ids = tuple[str, ...]
"""A text in English, and what it is for all counts but one where it is counted."""

_SAYING = {"say": 1, "say_counted": 2}
"""The functions by which templates say a text, and how many texts each takes."""

TEMPLATES = PROJECT / "templates" / "mail"
MESSAGES = TEMPLATES / "messages"
"""What each message says."""
_AROUND = TEMPLATES / "text"
"""What stands around every message; its twin for HTML says the same."""
DOORS = TEMPLATES / "doors"
"""What is said of how to act, to applicants and to staff."""

LABELS: Mapping[LabelKind, Word] = {
    LabelKind.NATIONAL: CERTIFICATES["national"]["title"],
    LabelKind.NOMINATION: CERTIFICATES["european"]["title"],
    LabelKind.EUROPEAN: CERTIFICATES["european"]["title"],
    LabelKind.SCHOOL: CERTIFICATES["school"]["title"],
}
"""What the labels are called in mails, as on their certificates."""


def places_of_texts() -> Iterator[tuple[Path, Ids]]:
    """Every text of the translated mails, with the template that says it."""
    for path in sorted([*MESSAGES.glob("*.j2"), *_AROUND.glob("*.j2"), *DOORS.glob("*.j2")]):
        for ids in texts_in(path):
            yield path, ids


@cache
def texts_in(path: Path) -> tuple[Ids, ...]:
    """The texts that one template says.

    Raises:
        ValueError: it says something that is no text but computed, so that nobody could translate it.
    """
    found: dict[Ids, None] = {}
    parsed = Environment(autoescape=True).parse(path.read_text("utf-8"))
    for call in parsed.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in _SAYING:
            said = call.args[: _SAYING[call.node.name]]
            texts = tuple(str(text.value) for text in said if isinstance(text, nodes.Const))
            if len(texts) != _SAYING[call.node.name]:
                raise ValueError(f"{path.name} says what is no text, in line {call.lineno}")
            found[texts] = None
    return tuple(found)


def _doors_of(template: str) -> list[Path]:
    """The files on how to act that a message reads from."""
    parsed = Environment(autoescape=True).parse((MESSAGES / f"{template}.j2").read_text("utf-8"))
    doors = (DOORS / name for name in meta.find_referenced_templates(parsed) if name)
    return [path for path in doors if path.exists()]


@cache
def _templates() -> frozenset[str]:
    return frozenset(path.stem for path in MESSAGES.glob("*.j2"))


@cache
def _speaks(language: str, template: str) -> bool:
    """Whether a language has everything that a message says around its values."""
    paths = [MESSAGES / f"{template}.j2", *_doors_of(template), *_AROUND.glob("*.j2")]
    keys: list[Key] = [(CONTEXT, text) for path in paths for text, *_ in texts_in(path)]
    awaited = [key for key in ours() if key[0] == "awaited"]  # a reminder names steps
    return speaks(language, [*keys, *awaited, *((one.context, one.text) for one in LABELS.values())])


def language_of(message: Message, language: str) -> str:
    """The language that a message is worded in: its recipient's, where that has all of it, else English."""
    spoken, template = primary(language), message.template.value
    if spoken not in translated() or template not in _templates() or not _speaks(spoken, template):
        return ENGLISH
    return spoken if MailTexts(spoken, {}).can_say(_sentences(message)) else ENGLISH


def _sentences(value: object) -> Iterator[Sentence]:
    match value:
        case Sentence():
            yield value
        case Values():
            for _, one in value:
                yield from _sentences(one)
        case tuple():
            for one in value:
                yield from _sentences(one)


@dataclass(frozen=True)
class MailTexts(Texts):
    """Everything of a mail in its language, as text or as HTML."""

    html: bool = False

    def pattern(self, text: str, plural: str = "", count: int = 0) -> str:
        """A text of a template in this language; of a counted one the form for `count`."""
        return catalogue(self.language).pattern(CONTEXT, text, plural, count)

    def place(self, pattern: str, **values: str) -> str:
        """A pattern with its values; in HTML each is a text of its own, whose direction stays inside."""
        if not self.html:
            return PLACE.sub(lambda place: str(values[place[1]]), pattern)
        return Markup(PLACE.sub(lambda place: str(isolated(values[place[1]])), str(escape(pattern))))

    def value(self, value: Value) -> str:
        """As on paper; English mails tell dates and deadlines as their templates and the commands do."""
        return english(value) if self.language == ENGLISH else super().value(value)

    def label(self, kind: LabelKind) -> str:
        """What a label is called."""
        word = LABELS[kind]
        return catalogue(self.language).pattern(word.context, word.text)


def isolated(value: str) -> Markup:
    """A value on its own in HTML: its script's direction stays inside, whatever it says."""
    return value if isinstance(value, Markup) else Markup("<bdi>{}</bdi>").format(value)
