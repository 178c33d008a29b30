"""A self-assessment as single fields, so that what several people write into it can be put together field by field."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Field = tuple[str, ...]
"""Where a value stands: `("answers", "esafety", "rules", "text")`, `("confirmed", "members")`, `("links",)`."""

Fields = Mapping[Field, Any]

_DEPTH = {"confirmed": 2, "disputed": 2, "answers": 4, "requirements": 2, "plan": 2, "links": 1}
"""How many names lead to a value, by the first of them."""


def flat(body: Mapping[str, Any]) -> dict[Field, Any]:
    """Every value of a self-assessment, as it is or as a part of it, by its field."""
    return {
        field: value
        for name, depth in _DEPTH.items()
        if name in body
        for field, value in _leaves((name,), body[name], depth)
    }


def _leaves(field: Field, value: Any, depth: int) -> Iterator[tuple[Field, Any]]:
    if len(field) == depth:
        yield field, value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _leaves((*field, name), one, depth)


def nested(fields: Fields) -> dict[str, Any]:
    """The same the other way round."""
    body: dict[str, Any] = {}
    for field, value in fields.items():
        place = body
        for name in field[:-1]:
            place = place.setdefault(name, {})
        place[field[-1]] = value
    return body


def said(value: Any) -> Any:
    """A value, or None where nothing is said with it; the level 0 says something."""
    return None if value is None or value is False or value in ("", []) else value


def mark(value: Any) -> str:
    """By it a form knows again what it was drawn with."""
    text = json.dumps(said(value), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def named(field: Field) -> str:
    """A field as files, forms and people name it: `answers.esafety.rules.text`."""
    return ".".join(field)


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wrote into a field."""

    value: Any
    was: str
    """The mark of what stood there when they began."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that two people changed at once."""

    field: Field
    theirs: Any
    yours: Any


def changes(base: Fields, yours: Fields) -> dict[Field, Change]:
    """What was changed between two versions."""
    return {
        field: Change(said(yours.get(field)), mark(base.get(field)))
        for field in dict.fromkeys((*base, *yours))
        if said(yours.get(field)) != said(base.get(field))
    }


def merged(now: Fields, wanted: Mapping[Field, Change]) -> tuple[dict[Field, Any], tuple[Clash, ...]]:
    """What of some changes is new and can be taken over, and which fields somebody else changed meanwhile."""
    taken: dict[Field, Any] = {}
    clashes = []
    for field, change in wanted.items():
        there, value = said(now.get(field)), said(change.value)
        if there == value:
            continue
        if mark(there) == change.was:
            taken[field] = value
        else:
            clashes.append(Clash(field, there, value))
    return taken, tuple(clashes)
