"""What is wrong with a value that somebody typed, in the words of the form: what was expected, what it says, what to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labels.words.text import one_line

Worded = tuple[str, str]
"""The problem and the remedy."""


def worded(fault: Mapping[str, Any]) -> Worded:
    """A fault that Pydantic found, for people who write a file by hand."""
    kind = str(fault["type"])
    if (of_kind := _BY_KIND.get(kind)) is not None:
        return of_kind(fault)
    message = str(fault["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{message}{_says(fault)}.", ""


def _says(fault: Mapping[str, Any]) -> str:
    """What stands there, where it is short enough to be recognised."""
    given = fault.get("input")
    if isinstance(given, bool):
        return f"; it says {str(given).lower()}"
    if isinstance(given, int | float):
        return f"; it says {given:g}" if abs(given) < 1e9 else ""
    if isinstance(given, str) and given.strip():
        return f"; it says “{one_line(given, 40)}”"
    return ""


def _number(fault: Mapping[str, Any], expected: str) -> Worded:
    given = fault.get("input")
    plain = str(given).strip().replace(",", ".") if isinstance(given, str) else ""
    remedy = f"Write {plain}" if plain.replace(".", "", 1).isascii() and _is_number(plain) else ""
    comma = isinstance(given, str) and "," in given
    how = " with a point and without quotes." if comma else " without quotes."
    return f"expected {expected}{_says(fault)}.", f"{remedy}{how}" if remedy else ""


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _yes_or_no(fault: Mapping[str, Any]) -> Worded:
    return f"expected true or false{_says(fault)}.", "Write true for yes or false for no, without quotes."


def _text(fault: Mapping[str, Any]) -> Worded:
    return f"expected text in quotes{_says(fault)}.", ""


def _pattern(fault: Mapping[str, Any]) -> Worded:
    given = str(fault.get("input", ""))
    if "https?" in str(fault.get("ctx", {}).get("pattern", "")):
        plain = given.strip().split("://")[-1]
        remedy = f"Write https://{one_line(plain, 100)}" if "." in plain and " " not in plain else ""
        return f"is no link: it begins with neither https:// nor http://{_says(fault)}.", remedy
    return f"is not written as expected{_says(fault)}.", ""


def _language(fault: Mapping[str, Any]) -> Worded:
    return f"expected the code of a language, such as “pl” or “pt-PT”{_says(fault)}.", ""


def _bound(fault: Mapping[str, Any]) -> Worded:
    limits = fault.get("ctx", {})
    for name, words in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than")):
        if name in limits:
            return f"expected {words} {limits[name]:,}{_says(fault)}.", ""
    return f"is out of range{_says(fault)}.", ""


def _length(fault: Mapping[str, Any]) -> Worded:
    limits = fault.get("ctx", {})
    of = "characters" if str(fault["type"]).startswith("string") else "entries"
    if "max_length" in limits:
        return f"is longer than {limits['max_length']:,} {of}, the most that is taken.", "Shorten it."
    return "is empty.", "Fill it in."


_BY_KIND: Mapping[str, Callable[[Mapping[str, Any]], Worded]] = {
    "extra_forbidden": lambda _: ("is not a field of this document.", ""),
    "missing": lambda _: ("is missing.", ""),
    "bool_type": _yes_or_no,
    "int_type": lambda fault: _number(fault, "a whole number, such as 24"),
    "float_type": lambda fault: _number(fault, "a number, such as 13.5"),
    "string_type": _text,
    "string_pattern_mismatch": lambda fault: (
        _language(fault) if fault["loc"][-1:] == ("language",) else _pattern(fault)
    ),
    "list_type": lambda fault: (f"expected a list, [ … ]{_says(fault)}.", ""),
    "dict_type": lambda fault: (f"expected names with values, {{ … }}{_says(fault)}.", ""),
    "model_type": lambda fault: (f"expected names with values, {{ … }}{_says(fault)}.", ""),
    "greater_than": _bound,
    "greater_than_equal": _bound,
    "less_than": _bound,
    "less_than_equal": _bound,
    "string_too_long": _length,
    "too_long": _length,
    "string_too_short": _length,
    "too_short": _length,
    "finite_number": lambda _: ("expected a number, such as 13.5.", ""),
}
