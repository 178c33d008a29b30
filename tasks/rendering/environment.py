"""The closed Jinja environment of the papers: own templates only, every value plain text.

Values are escaped wherever they land, never compiled; a name that is not given stops the rendering.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from jinja2 import FileSystemLoader, PrefixLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from labels.errors import Fault, InvalidInput
from labels.settings import PROJECT

TEMPLATES = PROJECT / "templates"
FOLDERS = ("certificates", "letters", "gallery")

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_PLACE = re.compile(r"\{([a-z_]+)\}")


def _refuse_nothing(value: Any) -> Any:
    if value is None:
        raise TypeError("a template printed a value that is not there")
    return value


@cache
def paper_environment() -> ImmutableSandboxedEnvironment:
    """The one environment that certificates, letters and galleries are worded in."""
    environment = ImmutableSandboxedEnvironment(
        loader=PrefixLoader({name: FileSystemLoader(TEMPLATES / name) for name in FOLDERS}),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_refuse_nothing,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.clear()
    for name in ("safe", "xmlattr", "urlize", "map", "attr", "tojson"):
        environment.filters.pop(name, None)  # each of them can make markup or reach past a value
    environment.filters["direction"] = direction_of
    environment.filters["placed"] = placed
    environment.filters["points"] = points
    return environment


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


def placed(pattern: str, **values: str) -> Markup:
    """A sentence of the catalogue with values in its `{places}`, each escaped and in its own direction."""

    def value(match: re.Match[str]) -> str:
        text = values[match[1]]
        # a word wider than the line breaks only inside a box of its own
        style = "long" if max(map(len, text.split()), default=0) > 40 else "value"
        return str(Markup('<span dir="{}" class="{}">{}</span>').format(direction_of(text), style, text))

    return Markup(_PLACE.sub(value, str(escape(pattern))))


def points(value: Decimal) -> str:
    """Points without needless zeros: `4`, `4.5`, `3.67`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True)
class Texts:
    """The words of one kind of paper in one language."""

    language: str
    words: Mapping[str, Any]
    months: Sequence[str]
    date_pattern: str

    @property
    def direction(self) -> str:
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    def day(self, day: date) -> str:
        """A date as it is written in this language."""
        return self.date_pattern.format(day=day.day, month=self.months[day.month - 1], year=day.year)


def _leaves(words: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in words.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, Mapping):
            found |= _leaves(value, here)
        else:
            found[here] = value
    return found


def _places(sentence: str) -> set[str]:
    return set(_PLACE.findall(sentence))


def _differences(words: Mapping[str, Any], model: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Where a catalogue departs from the English one: keys, or the places inside a sentence."""
    ours, theirs = _leaves(words), _leaves(model)
    wrong = [(key, "is missing") for key in theirs.keys() - ours.keys()]
    wrong += [(key, "is not a text of the English catalogue") for key in ours.keys() - theirs.keys()]
    for key in ours.keys() & theirs.keys():
        if type(ours[key]) is not type(theirs[key]):
            wrong.append((key, "is of another type than in English"))
        elif isinstance(ours[key], str) and _places(ours[key]) != _places(theirs[key]):
            wrong.append((key, f"must have the places {sorted(_places(theirs[key]))}"))
        elif isinstance(ours[key], list) and len(ours[key]) != len(theirs[key]):
            wrong.append((key, f"must have {len(theirs[key])} entries"))
    return sorted(wrong)


@cache
def catalogue(folder: str, language: str) -> Mapping[str, Any]:
    """The catalogue of a language, checked against the English one, section by section.

    Raises:
        InvalidInput: the file is not TOML, or a section lacks a text or a place of the English one.
        A whole section may be absent: papers of that section are then in English.
    """
    path = TEMPLATES / folder / "texts" / f"{language}.toml"
    try:
        words = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(path.name, [Fault(str(path), f"is not TOML: {error}.")]) from None
    if language != "en":
        english = catalogue(folder, "en")
        present = {key: value for key, value in english.items() if key in words or key in ("date", "common")}
        if wrong := _differences(words, present):
            raise InvalidInput(path.name, [Fault(f"{path.name} · {key}", f"{what}.") for key, what in wrong])
    return words


def languages(folder: str) -> frozenset[str]:
    """The languages that have a catalogue in this folder of templates."""
    return frozenset(path.stem for path in (TEMPLATES / folder / "texts").glob("*.toml"))


def texts(folder: str, section: str, language: str) -> Texts:
    """The words for one section in the language asked for, else all of them in English, never mixed."""
    spoken = language.split("-")[0].lower()
    if spoken not in languages(folder) or section not in catalogue(folder, spoken):
        spoken = "en"
    words = catalogue(folder, spoken)
    return Texts(spoken, words["common"] | words[section], words["date"]["months"], words["date"]["pattern"])
