"""What `labels rules ORGANISATION` shows: the values in force, and what open applications go by."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adapters.workspace import existing_workspace
from cli.output import emit, say_plainly, table
from labels.clock import brussels_day
from labels.views.rules_in_force import in_force, of_case


def show(organisation: str, folder: Path | None, *, as_json: bool) -> None:
    """Every value in force for an organisation today, by its files or by those in a folder."""
    here = existing_workspace()
    with here.record.reading() as session:
        shown = in_force(session, organisation, brussels_day(here.now()), folder or here.settings.rules)
    if as_json:
        emit(asdict(shown))
        return
    table(
        shown.version,
        ["rule", "value", "source", "stands in"],
        [(one.name, _written(one.value), one.source, f"{one.file}:{one.line}") for one in shown.values],
    )
    for kept in shown.kept:
        applications = "1 application" if kept.cases == 1 else f"{kept.cases} applications"
        say_plainly(f"{applications}, such as {kept.first}, by {kept.version}:")
        if not kept.differences:
            say_plainly("  nothing else than this.")
        for one in kept.differences:
            say_plainly(f"  {one.name}: {_written(one.kept)} instead of {_written(one.now)}")


def show_case(application: str, *, as_json: bool) -> None:
    """The rules that an application keeps."""
    with existing_workspace().record.reading() as session:
        version, values = of_case(session, application)
    if as_json:
        emit(
            {
                "version": version,
                "values": [
                    {"name": name, "value": value, "source": source} for name, value, source in values
                ],
            }
        )
        return
    table(
        version,
        ["rule", "value", "source"],
        [(name, _written(value), source) for name, value, source in values],
    )


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
