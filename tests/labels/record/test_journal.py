"""The kinds of events: each is written by somebody, and none is spelled out anywhere but in its table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from labels.record.journal import Event
from labels.record.schema import Outcome
from labels.settings import PROJECT

ROOMS = ("labels", "usecases", "adapters", "tasks", "flows", "workers", "cli")


@cache
def _trees() -> dict[Path, ast.Module]:
    paths = (path for room in ROOMS for path in sorted((PROJECT / room).rglob("*.py")))
    return {path: ast.parse(path.read_bytes()) for path in paths if "migrations" not in path.parts}


def _events_in(node: ast.AST) -> Iterator[str]:
    """The events that code speaks of, except where it only compares with them, as a query does."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Compare):
            continue
        if (
            isinstance(child, ast.Attribute)
            and isinstance(child.value, ast.Name)
            and child.value.id == "Event"
        ):
            yield child.attr
        yield from _events_in(child)


def _values_of_enums(tree: ast.Module) -> set[ast.AST]:
    """The values of other enums' members: an outcome is called as the event of an application's end is."""
    return {
        line.value
        for one in ast.walk(tree)
        if isinstance(one, ast.ClassDef)
        for line in one.body
        if isinstance(line, ast.Assign)
    }


@pytest.mark.slow
def test_every_kind_of_event_is_written_by_some_code() -> None:
    written = {name for tree in _trees().values() for name in _events_in(tree)}
    ends = {Event.ending(outcome).name for outcome in Outcome}
    assert {event.name for event in Event} == ends | written & set(Event.__members__)


@pytest.mark.slow
def test_the_sentence_of_an_event_stands_in_the_table_of_events_alone() -> None:
    """One word is a name for many things; a sentence that stands elsewhere is an event that no query finds."""
    sentences = {event.value for event in Event if " " in event}
    spelled = [
        f"{path.relative_to(PROJECT)}:{node.lineno}: {node.value!r}"
        for path, tree in _trees().items()
        if path.name != "journal.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in sentences and node not in _values_of_enums(tree)
    ]
    assert spelled == []


@pytest.mark.slow
def test_no_code_compares_the_journal_with_a_text() -> None:
    compared = [
        f"{path.relative_to(PROJECT)}:{node.lineno}"
        for path, tree in _trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for side in ast.walk(node)
        if isinstance(side, ast.Attribute) and side.attr == "what"
        if any(isinstance(other, ast.Constant) and isinstance(other.value, str) for other in ast.walk(node))
    ]
    assert compared == []


def test_the_entries_that_records_made_before_are_searched_for_are_called_as_they_were() -> None:
    assert {event: event.value for event in (
        Event.SCREENED, Event.REVOKED, Event.MAIL_LATE, Event.CERTIFICATE_UNPRINTABLE,
    )} == {
        Event.SCREENED: "screened the proposal",
        Event.REVOKED: "revoked a label",
        Event.MAIL_LATE: "mail late",
        Event.CERTIFICATE_UNPRINTABLE: "a certificate can't be printed",
    }  # fmt: skip
