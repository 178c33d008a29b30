"""Sentences that the domain says to applicants: English text that remembers what it was made of.

Whoever takes one for text reads English. Whoever words it in another language finds the English pattern,
by which catalogues are keyed, and the values of its `{places}` with their types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self, TypeAlias, Union

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from labels.clock import in_words
from labels.words.countries import country_name

PLACE = re.compile(r"\{([a-z_]+)\}")
"""Where a value stands in a pattern."""

COUNT = "count"
"""The place of the number by which a plural is chosen."""


@dataclass(frozen=True, slots=True)
class Country:
    """A country by its ISO code."""

    code: str


Value: TypeAlias = Union[str, int, Decimal, date, datetime, Country, tuple["Value", ...], "Sentence"]
"""What may stand in a place: a name as it is, a number, points, a day, an instant, a country, several of
these, or what is itself translatable."""


class Sentence(str):
    """An English sentence, or a name, with the pattern and values that it was made of.

    It equals and hashes like its English text.
    """

    pattern: str
    plural: str
    """The pattern for all counts but one; empty where nothing is counted."""
    context: str
    """Tells apart what is the same in English and is not in other languages."""
    values: Mapping[str, Value]

    def __new__(
        cls, pattern: str, values: Mapping[str, Value] | None = None, *, plural: str = "", context: str = ""
    ) -> Self:
        given = dict(values or {})
        chosen = plural if plural and given[COUNT] != 1 else pattern
        text = PLACE.sub(lambda place: english(given[place[1]]), chosen) if given else chosen
        made = super().__new__(cls, text)
        made.pattern, made.plural, made.context, made.values = pattern, plural, context, given
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, str]]:
        return (self.pattern, self.values), {"plural": self.plural, "context": self.context}

    def changed(self, change: Callable[[str], str]) -> Sentence:
        """The same sentence with every name in it changed, e.g. made printable."""

        def new(value: Value) -> Value:
            match value:
                case Sentence():
                    return value.changed(change)
                case str():
                    return change(value)
                case tuple():
                    return tuple(map(new, value))
            return value

        values = {place: new(value) for place, value in self.values.items()}
        return Sentence(self.pattern, values, plural=self.plural, context=self.context)

    def to_json(self) -> dict[str, Any]:
        """What it was made of, as a JSON value."""
        body: dict[str, Any] = {"pattern": self.pattern}
        if self.plural:
            body["plural"] = self.plural
        if self.context:
            body["context"] = self.context
        if self.values:
            body["values"] = {place: _kept(value) for place, value in self.values.items()}
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Sentence:
        """The sentence as it was stored.

        Raises:
            ValueError: it is none.
        """
        try:
            values = {str(place): _read(value) for place, value in body.get("values", {}).items()}
            return Sentence(
                str(body["pattern"]),
                values,
                plural=str(body.get("plural", "")),
                context=str(body.get("context", "")),
            )
        except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
            raise ValueError(f"is no sentence as the record keeps them: {error!r}") from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.union_schema(
            [
                core_schema.is_instance_schema(cls),
                core_schema.no_info_after_validator_function(cls, core_schema.str_schema()),
                core_schema.no_info_after_validator_function(cls.from_json, core_schema.dict_schema()),
            ],
            serialization=core_schema.plain_serializer_function_ser_schema(cls.to_json),
        )


def say(pattern: str, **values: Value) -> Sentence:
    """A sentence with values in its `{places}`."""
    return Sentence(pattern, values)


def say_counted(one: str, many: str, count: int, **values: Value) -> Sentence:
    """A sentence that differs with a number, which stands in its place `{count}`."""
    return Sentence(one, {COUNT: count, **values}, plural=many)


def named(context: str, name: str) -> Sentence:
    """A name of ours that is translated, such as that of a criterion."""
    return Sentence(name, context=context)


def one_after_another(*sentences: Sentence, between: str = " ") -> Sentence:
    """Several sentences as one; a pattern of places alone needs no translation."""
    places = {f"sentence_{chr(ord('a') + number)}": one for number, one in enumerate(sentences)}
    return Sentence(between.join(f"{{{place}}}" for place in places), places)


def listed(reasons: Iterable[Sentence]) -> Sentence:
    """Reasons that stand beside one another within a sentence."""
    return one_after_another(*reasons, between="; ")


def has_words_of_its_own(pattern: str) -> bool:
    """Whether a pattern says anything besides what stands in its places."""
    return any(letter.isalpha() for letter in PLACE.sub("", pattern))


def english(value: Value) -> str:
    """A value as English text has it."""
    match value:
        case str() | int():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case datetime():
            return in_words(value)
        case date():
            return value.isoformat()
        case Country():
            return country_name(value.code)
        case tuple():
            return ", ".join(map(english, value))


def _kept(value: Value) -> Any:
    match value:
        case Sentence():
            return value.to_json()
        case str() | int():
            return value
        case Decimal():
            return {"points": str(value)}
        case datetime():
            return {"instant": value.isoformat()}
        case date():
            return {"day": value.isoformat()}
        case Country():
            return {"country": value.code}
        case tuple():
            return [_kept(one) for one in value]


def _read(value: Any) -> Value:
    match value:
        case str() | int():
            return value
        case list():
            return tuple(map(_read, value))
        case {"points": points}:
            return Decimal(points)
        case {"instant": instant}:
            return datetime.fromisoformat(instant)
        case {"day": day}:
            return date.fromisoformat(day)
        case {"country": code}:
            return Country(str(code))
    return Sentence.from_json(value)


# What a decision stores of them ------------------------------------------------------------------

KEPT = "sentences"
"""The key in a verdict of what its sentences were made of, by their English text."""


def kept(sentences: Iterable[str]) -> dict[str, Any]:
    """What is stored in a verdict beside its English sentences, so that they can be said in other languages."""
    return {KEPT: {one: one.to_json() for one in sentences if isinstance(one, Sentence)}}


def recalled(text: str, verdict: Mapping[str, Any]) -> str:
    """A sentence of a verdict as it was made, or as English text alone where the verdict does not know more."""
    body = verdict.get(KEPT, {}).get(text)
    return Sentence.from_json(body) if body else text
