"""The texts of the desk's pages: written in English in their templates, as `say("… {place} …")` or, for texts that
differ with a number, `say_counted("one …", "{count} …", number)`, and found there.

A page is in one language as a whole, or in English: in that of whoever reads it, if its catalogue has all that the
page says itself. What the domain says on it (a reason, a condition) is in that language where the catalogues have it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from markupsafe import Markup, escape

from adapters.languages.catalogues import DESK, MEANING, Catalogue, desk_catalogue
from adapters.languages.mails import CONTEXT as MAILS
from adapters.languages.mails import LABELS, Ids, texts_in
from adapters.languages.wording import Texts, direction_of
from labels.clock import BRUSSELS, brussels_day
from labels.errors import Fault
from labels.kinds import LabelKind
from labels.settings import PROJECT
from labels.words.languages import ENGLISH, catalogue_of, primary, translated
from labels.words.sentences import PLACE, Sentence, english

TEMPLATES = PROJECT / "templates" / "desk"
AROUND = ("layout.html.j2", "parts.html.j2")
"""What stands around every page, and what pages are made of."""
_TAKES = re.compile(r'{%-? *(?:extends|import|include|from) "([^"]+)"')
_WEEKDAYS = {
    "ar": "{weekday}، {day}",
    "tr": "{day} {weekday}",
    **dict.fromkeys(("cs", "el", "fr", "it"), "{weekday} {day}"),
}
"""How the name of a day stands beside its date, where that is not `Donnerstag, 1. Oktober 2026`. Source: CLDR's full dates."""


def places_of_texts() -> Iterator[tuple[Path, Ids]]:
    """Every text of the desk's templates, with the template that says it."""
    for path in sorted(TEMPLATES.rglob("*.html.j2")):
        for ids in texts_in(path):
            yield path, ids


@cache
def languages() -> tuple[str, ...]:
    """The languages that the desk can be read in: English, and each that has begun with the desk's words."""
    begun = (one for one in translated() - {ENGLISH} if catalogue_of(one, DESK).exists())
    return (ENGLISH, *sorted(begun))


@cache
def own_name(language: str) -> str:
    """What a language is called by those who speak it."""
    return _begun(str(Locale.parse(language).get_display_name(language)))


def _begun(text: str) -> str:
    """A text as it stands at the beginning of a line; Georgian letters, whose capitals are for titles alone, stay."""
    return text[:1].title() + text[1:]


@lru_cache(maxsize=4096)
def language_name(code: str, language: str) -> str:
    """What a language is called in another one; a code that is none is left as it is."""
    try:
        return str(Locale.parse(code).get_display_name(language) or code)
    except (ValueError, UnknownLocaleError):
        return code


@cache
def language_of_page(template: str, language: str) -> str:
    """The language that a page is in: the one asked for, where it has all that the page says, else English."""
    spoken = primary(language)
    if spoken not in languages():
        return ENGLISH
    says = desk_catalogue(spoken).says
    paths = (TEMPLATES / one for one in _made_of(template))
    return spoken if all(says("", text) for path in paths for text, *_ in texts_in(path)) else ENGLISH


def _made_of(template: str) -> set[str]:
    """A page's template, what stands around every page, and every template that one of these takes parts from."""
    found: set[str] = set()
    fresh = {template, *AROUND}
    while fresh:
        found |= fresh
        read = ((TEMPLATES / one).read_text("utf-8") for one in fresh)
        fresh = {one for text in read for one in _TAKES.findall(text)} - found
    return found


def language_for(wishes: list[str]) -> str:
    """The first of the languages that somebody wishes for which the desk has, else English."""
    return next((primary(one) for one in wishes if primary(one) in languages()), ENGLISH)


@dataclass(frozen=True)
class DeskTexts(Texts):
    """Everything that a page says, in its language, as HTML."""

    def say(self, text: str, **values: object) -> str:
        """A text of a template or of the desk's code, with its values; in English where the language lacks it."""
        if not values:
            return _said_alone(self.language, text)
        if not self._catalogue.says("", text):
            return self._in_english(DeskTexts(ENGLISH, {}).say(text, **values))
        return self._placed(self._catalogue.pattern("", text), values)

    def say_counted(self, one: str, many: str, count: int, **values: object) -> str:
        """A text that differs with a number, which stands in its place `{count}`."""
        if not self._catalogue.says("", one):
            return self._in_english(DeskTexts(ENGLISH, {}).say_counted(one, many, count, **values))
        return self._placed(self._catalogue.pattern("", one, many, count), {"count": count, **values})

    def shown(self, value: object) -> object:
        """A sentence in this language, in English where that lacks it; anything else as it is."""
        return self.told(value) if isinstance(value, Sentence) else value

    def told(self, text: str) -> str:
        """What the domain says, such as why it refuses something; English that has no translation is marked so."""
        if isinstance(text, Sentence) and not text.values:
            return _told_alone(self.language, text.context, text.pattern)
        return self._told(text)

    def _told(self, text: str) -> str:
        if isinstance(text, Sentence) and self.can_say([text]):
            return self.said(text)
        return text if self.language == ENGLISH else self._in_english(english(text))

    def meaning(self, text: str) -> str:
        """What rules say that a criterion or points mean; what an organisation wrote itself is in English, and marked so."""
        if self._catalogue.says(MEANING, text):
            return self._catalogue.pattern(MEANING, text)
        return self._in_english(text)

    def moment(self, instant: datetime) -> str:
        """An instant with its zone; English pages write it as official letters do."""
        if self.language == ENGLISH:
            here = instant.astimezone(BRUSSELS)
            return f"{self.day_of(instant)}, {here:%H:%M} (Brussels)"
        return super().moment(instant)

    def when(self, instant: datetime) -> Markup:
        """An instant on a page: told in Brussels time, and known to the page's script, which adds the reader's own."""
        code = instant.astimezone(UTC).isoformat(timespec="seconds")
        return Markup('<time datetime="{}" data-local>{}</time>').format(code, self.moment(instant))

    def weekday(self, instant: datetime) -> str:
        """The day of an instant in Brussels, with its name: `Monday, 30 March 2026`, `Понеделник, 30 март 2026 г.`."""
        day = brussels_day(instant)
        locale = {ENGLISH: "en_GB", "pt": "pt_PT"}.get(self.language, self.language)
        pattern = _WEEKDAYS.get(self.language, "{weekday}, {day}")
        name = format_date(day, "EEEE", locale=locale)
        return _begun(pattern.format(weekday=name, day=self.day(day)))

    def day_of(self, instant: datetime) -> str:
        """The day of an instant in Brussels: `30 March 2026`."""
        return self.day(brussels_day(instant))

    def day_hour(self, instant: datetime) -> str:
        """The day and the time in Brussels, where it need not be said whose: `30 March 2026, 14:03`."""
        comma = "،" if self.direction == "rtl" else ","
        return f"{self.day_of(instant)}{comma} {self.hour(instant)}"

    def hour(self, instant: datetime) -> str:
        """The time of day in Brussels: `14:03`."""
        return f"{instant.astimezone(BRUSSELS):%H:%M}"

    def label(self, kind: LabelKind) -> str:
        """What a label is called, as on its certificate."""
        word = LABELS[kind]
        return self._catalogue.pattern(word.context, word.text)

    def place(self, pattern: str, **values: str) -> str:
        """A pattern with its values, each in its own direction."""
        return self._placed(pattern, values)

    def fault(self, fault: Fault) -> Markup:
        """What is wrong with a file or field, and what to do about it."""
        where = Markup(escape(self.shown(fault.where)))  # a file's name or a number is of no language
        told = (self.told(part) if part else "" for part in (fault.problem, fault.remedy))
        problem, remedy = (Markup(escape(one)) for one in told)
        pattern = self._catalogue.pattern(MAILS, "{name}: {value}")
        return self._placed(
            pattern, {"name": where, "value": Markup("{} {}").format(problem, remedy).strip()}
        )

    @staticmethod
    def _in_english(text: str) -> Markup:
        return Markup('<span lang="en" dir="ltr">{}</span>').format(text)

    def _placed(self, pattern: str, values: Mapping[str, object]) -> Markup:
        def value(name: str) -> str:
            given = values[name]
            if isinstance(given, datetime):
                given = self.when(given)
            given = self.value(given) if isinstance(given, date | Decimal | tuple) else self.shown(given)
            if isinstance(given, str) and not isinstance(given, Markup):
                if direction_of(given) == way:
                    return str(escape(given))
                return str(Markup("<bdi>{}</bdi>").format(given))
            return str(escape(given))

        escaped, way = _prepared(pattern)
        return Markup(PLACE.sub(lambda place: value(place[1]), escaped))

    @property
    def _catalogue(self) -> Catalogue:
        return desk_catalogue(self.language)


@lru_cache(maxsize=16_384)
def _said_alone(language: str, text: str) -> Markup:
    """A text that has no values; a long list says the same few in each of its rows."""
    texts = DeskTexts(language, {})
    if not texts._catalogue.says("", text):
        return texts._in_english(_said_alone(ENGLISH, text))
    return texts._placed(texts._catalogue.pattern("", text), {})


@lru_cache(maxsize=16_384)
def _told_alone(language: str, context: str, pattern: str) -> str:
    """A sentence of the domain that has no values."""
    return DeskTexts(language, {})._told(Sentence(pattern, context=context))


@lru_cache(maxsize=16_384)
def _prepared(pattern: str) -> tuple[str, str]:
    """A pattern as HTML, and the direction of what it says itself."""
    return str(escape(pattern)), direction_of(PLACE.sub("", pattern))


@cache
def desk_texts(template: str, language: str) -> DeskTexts:
    """The texts of a page for somebody who reads a language."""
    return DeskTexts(language_of_page(template, language), {})
