"""What waits in the outbox tells its values as values: until each message had a model, they were English text."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_MAIL = sa.table(
    "mail",
    *(sa.column(name) for name in ("reason", "template", "sent_at")),
    sa.column("context", sa.JSON(none_as_null=True)),
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d \(Brussels\)")
_EMPTY: dict[str, Any] = {"due": None, "decide_by": None, "more": 0, "more_overdue": 0}
"""What stood for an instant, or for a number, that there is none."""
_LABELS: dict[Any, str] = {
    "National Quality Label": "national",
    "School Label": "school",
    "European Quality Label": "european",
}
_ABOUT = ("application", "label", "project_title", "holder", "organisation_name", "step", "due")
_SENTENCES = "sentences"
"""Where a context had what its sentences were made of, by their English text."""
_SAID = {"purpose", "warnings", "problem", "remedy", "reasons", "routes", "overdue", "items"}
"""What is a sentence of ours, or several; anything else is somebody's words, or a value."""


def upgrade() -> None:
    connection = op.get_bind()
    waiting = sa.select(_MAIL.c.reason, _MAIL.c.template, _MAIL.c.context).where(_MAIL.c.sent_at.is_(None))
    for row in connection.execute(waiting).all():
        if "message" not in row.context:
            message = {"message": values(row.template, row.context)}
            connection.execute(sa.update(_MAIL).where(_MAIL.c.reason == row.reason).values(context=message))


def values(template: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """What a message tells, out of a context of texts."""
    made = context.get(_SENTENCES, {})
    given = {
        name: _EMPTY[name] if not value and name in _EMPTY else _value(name, value, made)
        for name, value in context.items()
        if name != _SENTENCES
    }
    if change := _CHANGED.get(template):
        given |= change(given)
    if "label" in given:
        given["label"] = _LABELS.get(given["label"], given["label"])
    return given | {"about": {name: given[name] for name in _ABOUT if name in given}}


def _value(name: str, value: Any, made: Mapping[str, Any]) -> Any:
    match value:
        case str() if _INSTANT.fullmatch(value):
            instant = datetime.strptime(value, "%Y-%m-%d %H:%M (Brussels)")
            return instant.replace(tzinfo=ZoneInfo("Europe/Brussels")).isoformat()
        case str() if name in _SAID:
            return made.get(value, value)
        case list():
            return [_value(name, one, made) for one in value]
        case dict():
            return {name: _value(name, one, made) for name, one in value.items()}
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


_CHANGED: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "screening_asked": _each("proposed", _proposed),
    "european_result": lambda given: {"nomination": given["application"]} | _each("results", _result)(given),
    "paper_reissued": lambda given: {"paper": given["application"]} | _each("changes", _change)(given),
    "similarity_warning": lambda given: {"percent": given["share"].removesuffix("%")},
    "school_invited": lambda given: {"why": given["why"] or None},
}
"""Where a message tells more by its values than it did by its text."""
