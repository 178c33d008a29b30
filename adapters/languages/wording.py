"""Everything of a paper in its language: words, sentences with their values, dates, points and countries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from markupsafe import Markup, escape

from adapters.languages.catalogues import Catalogue, Key, catalogue, ours
from adapters.languages.own_words import own_words_of
from adapters.languages.typography import NO_BREAK, unbroken_day
from adapters.languages.words import MOMENT, word, words_of
from labels.clock import BRUSSELS, brussels_day
from labels.papers.branding import SHIPPED, Brand
from labels.words.countries import COUNTRIES, country_name
from labels.words.languages import ENGLISH, primary, translated
from labels.words.sentences import COUNT, PLACE, Country, Sentence, Value, has_words_of_its_own

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})

_LOCALES = {ENGLISH: "en_GB", "pt": "pt_PT"}
"""Where a language without a region would mean another continent's dates and names of countries."""
_DATES = {ENGLISH: "d MMMM y", "pl": "d MMMM y\xa0'r.'", "ka": "y 'წლის' d MMMM", "hy": "d MMMM y\xa0'թ.'"}
"""Where official letters write dates otherwise than CLDR's long form."""
_OTHER_NAMES = {"PS": word("country", "Palestine")}
"""The countries that the field names otherwise than CLDR: these names are in the catalogues."""


def direction_of(text: str) -> str:
    """`rtl` where the first letter with a direction runs from right to left, else `ltr`."""
    from unicodedata import bidirectional

    for character in text:
        kind = bidirectional(character)
        if kind == "L":
            return "ltr"
        if kind in ("R", "AL"):
            return "rtl"
    return "ltr"


def filled(pattern: str, **values: str) -> str:
    """A sentence of a catalogue with values in its `{places}` as they are, for text that is drawn."""
    return PLACE.sub(lambda match: values[match[1]], pattern)


def placed(pattern: str, **values: str) -> Markup:
    """A sentence of a catalogue with values in its `{places}`, each escaped and in its own direction.

    A value that is markup already is a sentence of its own, and stands as it is; so does one that runs the
    way of the sentence: lines break better around text than around a box.
    """
    way = direction_of(PLACE.sub("", pattern))

    def value(match: re.Match[str]) -> str:
        text = values[match[1]]
        if isinstance(text, Markup):
            return str(text)
        # a word wider than the line breaks only inside a box of its own
        long = max(map(len, text.split()), default=0) > 40
        if direction_of(text) == way and not long:
            return str(escape(text))
        style = "long" if long else "value"
        return str(Markup('<span dir="{}" class="{}">{}</span>').format(direction_of(text), style, text))

    return Markup(PLACE.sub(value, str(escape(pattern))))


_ANYWHERE = frozenset({"country", "criteria set", "criterion", "condition", "moment"})
"""The contexts of what may stand in any paper."""


@dataclass(frozen=True)
class Texts:
    """The words of one kind of paper in one language, and everything else as that language has it."""

    language: str
    words: Mapping[str, str]

    @property
    def direction(self) -> str:
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    def day(self, day: date) -> str:
        """A date as it is written in this language."""
        return _day(self.language, day)

    def moment(self, instant: datetime) -> str:
        """A deadline: the day, the time and whose time it is."""
        here = instant.astimezone(BRUSSELS)
        values = {"day": self.day(brussels_day(instant)), "hour": f"{here:%H}", "minute": f"{here:%M}"}
        pattern = self._catalogue.pattern(MOMENT.context, MOMENT.text)
        return PLACE.sub(lambda place: values[place[1]], pattern)

    def points(self, points: Decimal) -> str:
        """Points without needless zeros: `4`, `4.5`, `3,67`."""
        return format_decimal(points, "0.##", locale=_locale(self.language))

    def whole(self, number: float) -> str:
        """A count: `1,284`, `1.284`."""
        return self._spaced(format_decimal(round(number), "#,##0", locale=_locale(self.language)))

    def decimal(self, number: float) -> str:
        """A number with one digit after the point, where that is none: `38`, `41.2`."""
        return self._spaced(format_decimal(round(number, 1), "#,##0.#", locale=_locale(self.language)))

    def percent(self, number: float) -> str:
        """A part of a hundred: `71.1%`, `71,1 %`."""
        pattern = _locale(self.language).percent_formats[None].pattern.replace("##0", "##0.#")
        return self._spaced(format_percent(round(number, 1) / 100, pattern, locale=_locale(self.language)))

    @staticmethod
    def _spaced(written: str) -> str:
        # not every font has CLDR's narrow space
        return written.replace("\u202f", NO_BREAK)

    def size(self, size: int) -> str:
        """How large a file is: `312 kB`, `1,4 Mo`."""
        number, unit, digits = (
            (size / 1000, "kilobyte", "0") if size < 999_500 else (size / 1e6, "megabyte", "0.0")
        )
        if size < 1000:
            number, unit = size, "byte"
        said = format_unit(number, f"digital-{unit}", "short", digits, locale=_locale(self.language))
        return said.replace("\u202f", NO_BREAK)

    def country(self, country: str) -> str:
        """The name of a country by its code; what is no code is left as it is."""
        if self.language == ENGLISH or country not in COUNTRIES:
            return country_name(country)
        if other := _OTHER_NAMES.get(country):
            return self.named(other.context, other.text)
        return str(_locale(self.language).territories[country])

    def named(self, context: str, name: str) -> str:
        """A name of ours, such as that of a criterion; one that is not is left as it is."""
        return self._catalogue.pattern(context, name) if self._catalogue.says(context, name) else name

    def said(self, text: str) -> str:
        """A sentence of the domain in this language, as markup; any other text as it is."""
        if not isinstance(text, Sentence):
            return text
        if text.context:
            return self.named(text.context, text.pattern)
        if not has_words_of_its_own(text.pattern):
            pattern = text.pattern.replace("; ", "؛ ") if self.direction == "rtl" else text.pattern
        else:
            count = text.values.get(COUNT, 0)
            number = count if isinstance(count, int) else 0
            pattern = self._catalogue.pattern("", text.pattern, text.plural, number)
        return self.place(pattern, **{place: self.value(value) for place, value in text.values.items()})

    def place(self, pattern: str, **values: str) -> str:
        """A pattern with its values, as this kind of paper shows them."""
        return placed(pattern, **values)

    def way(self, text: str) -> str:
        """The direction of a sentence of the domain, or of any other text."""
        return self.direction if isinstance(text, Sentence) else direction_of(text)

    def value(self, value: Value) -> str:
        """What stands in a place of a sentence."""
        match value:
            case Sentence():
                return self.said(value)
            case Decimal():
                return self.points(value)
            case datetime():
                return self.moment(value)
            case date():
                return self.day(value)
            case Country():
                return self.country(value.code)
            case tuple():
                comma, said = "، " if self.direction == "rtl" else ", ", [*map(self.value, value)]
                whole = any(isinstance(one, Markup) for one in said)
                return Markup(comma).join(said) if whole else comma.join(said)
        return str(value)

    def can_say(self, texts: Iterable[str]) -> bool:
        """Whether this language has every one of these sentences of the domain."""
        if self.language == ENGLISH:
            return True
        return all(map(self._has, texts))

    def _has(self, text: str) -> bool:
        if not isinstance(text, Sentence):
            return False  # English that nothing more is known of, from a verdict of an earlier release
        if text.context:
            known = True  # a name: ours are translated, or nothing is; others stay as they are
        else:
            known = not has_words_of_its_own(text.pattern) or self._catalogue.says("", text.pattern)
        return known and all(
            self._has(value) for value in text.values.values() if isinstance(value, Sentence)
        )

    @property
    def _catalogue(self) -> Catalogue:
        return catalogue(self.language)


@lru_cache(maxsize=4096)
def _day(language: str, day: date) -> str:
    written = format_date(day, _DATES.get(language, "long"), locale=_locale(language))
    if language == "fr" and day.day == 1:
        written = f"1er{written.removeprefix('1')}"
    # not every font has CLDR's narrow space
    return unbroken_day(written.replace("\u202f", NO_BREAK))


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(_LOCALES.get(language, language))


@cache
def texts(folder: str, section: str, language: str, brand: Brand = SHIPPED) -> Texts:
    """The words for one section in the language asked for, else all of them in English, never mixed.

    Those that an organisation says otherwise are its own.
    """
    words = words_of(folder, section)
    spoken = primary(language)
    if spoken not in translated() or not speaks(spoken, ((one.context, one.text) for one in words.values())):
        spoken = ENGLISH
    says, own = catalogue(spoken), own_words_of(brand, spoken)
    said = {
        name: own.get((one.context, one.text)) or says.pattern(one.context, one.text)
        for name, one in words.items()
    }
    return Texts(spoken, said)


def speaks(language: str, texts: Iterable[Key]) -> bool:
    """Whether a language has all these texts, and every name and text that may stand anywhere."""
    says = catalogue(language).says
    names = (key for key in ours() if key[0] in _ANYWHERE)
    return all(says(*text) for text in texts) and all(says(*name) for name in names)
