"""How commands speak: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NoReturn

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.mending import said
from labels.clock import ZONE, in_words
from labels.errors import InvalidInput, LabelsError
from labels.words.text import clean

PIPED = 160
"""Columns of a table that goes into a file or another program, where no window folds it."""
SHORT = 20
"""Characters up to which a value is never folded: identifiers and codes are there to be copied."""

out = Console(
    highlight=False, markup=False, emoji=False, soft_wrap=False, width=None if sys.stdout.isatty() else PIPED
)
err = Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(text: str, style: str = "") -> None:
    """A message for people, on standard error; markup in it is text."""
    err.print(Text(clean(text)), style=style, soft_wrap=True)


def say_plainly(text: str) -> None:
    """A line of a result for people, on standard output; markup in it is text."""
    out.print(Text(clean(text)), soft_wrap=True)


def emit(document: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(_plain(document), ensure_ascii=False, indent=2) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value


def heading(text: str) -> None:
    """What stands over a part of a result, on a line of its own; a line break before it stays."""
    if text.startswith("\n"):
        out.print()
    out.print(Text(clean(text).strip()), style="italic", soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for people, on standard output."""
    if title:
        heading(title)
    grid = Table(header_style="bold", box=None, pad_edge=False, show_header=any(columns))
    rows = list(rows)
    texts: list[Iterable[Text]] = []
    for place, column in enumerate(columns):
        timed = any(isinstance(row[place], datetime) for row in rows)
        over = f"{column} ({ZONE})" if column and timed else column
        cells = [_cell(row[place], zoned=not column) for row in rows]
        grid.add_column(over, overflow="fold", no_wrap=max(map(len, [over, *cells])) <= SHORT)
        texts.append(map(Text, cells))
    for line in zip(*texts, strict=True):
        grid.add_row(*line)
    out.print(grid)


def _cell(value: object, *, zoned: bool) -> str:
    """A value as people read it; an instant goes without its zone below a heading that names it."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return in_words(value) if zoned else in_words(value).removesuffix(f" ({ZONE})")
    return clean(str(value))


def fail(error: LabelsError, hint: str = "") -> NoReturn:
    """Says what was wrong, every fault on a line of its own, and a hint below, and ends with its exit code."""
    if isinstance(error, InvalidInput):
        count = "one fault" if len(error.faults) == 1 else f"{len(error.faults)} faults"
        say(f"{error.subject}: {count}; nothing was changed.", "bold red")
        for fault in error.faults:
            say(f"  {said(fault)}")
    else:
        say(said(error), "bold red")
    if hint:
        say(hint)
    raise typer.Exit(error.exit_code)


def emit_each(documents: Iterable[BaseModel]) -> None:
    """A JSON list on standard output, written as it comes: it may be longer than memory."""
    separator = "["
    for document in documents:
        sys.stdout.write(f"{separator}\n{document.model_dump_json()}")
        separator = ","
    sys.stdout.write("[]\n" if separator == "[" else "\n]\n")
