"""Messages that were queued before each had a model, read as the models of today.

Their contexts were flat, with English text for every value: `due` was `2026-06-30 23:59 (Brussels)` or empty,
points and numbers were text, lists of things were lines, and what the sentences were made of stood beside them.
Nothing else reads values out of text; once no such row can wait in an outbox any more, this module can go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from labels.clock import BRUSSELS, ZONE
from labels.kinds import KINDS
from labels.mail.message import About, AboutStep, Message, OfApplication, OfStep, Template
from labels.words.sentences import KEPT, recalled

_INSTANT = re.compile(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d \({ZONE}\)")
_EMPTY = {"due": None, "decide_by": None, "more": 0, "more_overdue": 0}
"""What stood for an instant, or for a number, that there is none."""
_LABELS: Mapping[Any, str] = {kind.name: label for label, kind in KINDS.items()}


def values(model: type[Message], context: Mapping[str, Any]) -> dict[str, Any]:
    """What a model of today is made from, out of a former context."""
    given = {
        name: _EMPTY[name] if not value and name in _EMPTY else _value(value, context)
        for name, value in context.items()
        if name != KEPT
    }
    if change := _CHANGED.get(model.template):
        given |= change(given)
    if issubclass(model, OfApplication):
        about = AboutStep if issubclass(model, OfStep) else About
        given["label"] = _LABELS.get(given["label"], given["label"])
        given["about"] = {name: given[name] for name in about.model_fields if name in given}
    return given


def _value(value: Any, context: Mapping[str, Any]) -> Any:
    match value:
        case str() if _INSTANT.fullmatch(value):
            return datetime.strptime(value, f"%Y-%m-%d %H:%M ({ZONE})").replace(tzinfo=BRUSSELS)
        case str():
            return recalled(value, context)
        case list():
            return [_value(one, context) for one in value]
        case dict():
            return {name: _value(one, context) for name, one in value.items()}
    return value


def _proposed(line: str) -> dict[str, Any]:
    candidate, points, title = line.split(" · ", 2)
    number = points.removesuffix(" points")
    return {"candidate": candidate, "points": None if number == "no score" else number, "title": title}


def _result(line: str) -> dict[str, Any]:
    project, _, rest = line.partition(" · ")
    title, missed, why = rest.partition(": not awarded. ")
    return {"project": project, "title": title.removesuffix(": awarded"), "awarded": not missed, "why": why}


def _change(line: str) -> dict[str, str]:
    was, _, now = line.partition(" → ")
    return {name: "" if value == "–" else value for name, value in (("was", was), ("now", now))}


def _each(name: str, read: Callable[[str], Any]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda given: {name: [read(line) for line in given[name]]}


_CHANGED: Mapping[Template, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    Template.SCREENING_ASKED: _each("proposed", _proposed),
    Template.EUROPEAN_RESULT: lambda given: (
        {"nomination": given["application"]} | _each("results", _result)(given)
    ),
    Template.PAPER_REISSUED: lambda given: {"paper": given["application"]} | _each("changes", _change)(given),
    Template.SIMILARITY_WARNING: lambda given: {"percent": given["share"].removesuffix("%")},
    Template.SCHOOL_INVITED: lambda given: {"why": given["why"] or None},
}
"""Where a message tells more by its values than it did by its text."""
