"""`labels status`: how each part of an installation is, for people and for monitors."""

from __future__ import annotations

from dataclasses import asdict, replace

import typer

from adapters.roles import EVERYTHING, Role, roles_of
from adapters.workspace import existing_workspace
from cli.environment import home
from cli.output import emit, say, table
from cli.services import running_services
from cli.words import AsJson
from labels.errors import OutOfReach
from labels.settings import load_settings
from usecases.watching import Health
from usecases.watching import status as looked_at

LOOK = 1
"""The exit code that monitors take for a warning."""


def status(as_json: AsJson = False) -> None:
    """How each part is: processes, Prefect, desk, record, documents, outbox, late cases.

    On one of several machines, of what it has and needs.
    Exit code 0 where all is well, 1 where somebody should look at something, 5 where a part is down. Changes nothing.
    """
    known = running_services(home())
    roles = roles_of(known.get("roles", [])) if known else EVERYTHING
    listens: dict[str, str] = {name: known[name] for name in ("listen", "gate") if known and name in known}
    settings = load_settings().model_copy(update=listens)
    here = None if roles == {Role.API} else replace(existing_workspace(), settings=settings)
    found = looked_at(here, settings, roles, supervised=known is not None)
    if as_json:
        emit([asdict(one) for one in found])
    else:
        table(
            "",
            ["part", "", "", "what to do"],
            [(one.part, one.health.value, one.detail, one.remedy) for one in found],
        )
    if down := [one.part for one in found if one.health is Health.DOWN]:
        raise OutOfReach("A part", f"{', '.join(down)}.")
    if look := [one.part for one in found if one.health is Health.LOOK]:
        say(f"Look at: {', '.join(look)}.", "yellow")
        raise typer.Exit(LOOK)
    say("All is well.", "green")
