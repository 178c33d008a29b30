"""The command that finds teachers, schools, projects and cases, find."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.workspace import existing_workspace
from cli.output import emit, say, table
from cli.words import AsJson, SeenAs
from labels.views.applications import EVERYTHING, scope_at
from labels.views.finding import SHOWN
from usecases.finding import find as find_words


def find(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WORDS",
            help="Beginnings of words of a name or title, in any script; an address, or a number.",
        ),
    ],
    email: SeenAs = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Of each kind so many at most.")] = SHOWN,
    as_json: AsJson = False,
) -> None:
    """Find a teacher, school, project or case.

    Every word has to begin a word of the name or title, whichever script and spelling both are in.
    """
    here = existing_workspace()
    with here.record.reading() as session:
        scope = scope_at(session, email) if email else EVERYTHING
    found = find_words(here, " ".join(words), scope.organisations, shown=limit)
    if as_json:
        emit(
            [
                {
                    "kind": hit.kind, "id": hit.id, "name": hit.name, "beside": hit.beside,
                    "country": hit.country, "applications": list(hit.cases),
                }
                for hit in found.every
            ]
        )  # fmt: skip
        return
    if found.waits:
        say("The index of the registry is not made yet: the next upkeep makes it (labels upkeep).", "yellow")
        return
    if not found.every:
        say(f"Nothing is found by {found.words}.")
        return
    rows = [(hit.kind, hit.id, hit.name, hit.beside, hit.country, " ".join(hit.cases)) for hit in found.every]
    table("", ["", "number", "name", "", "country", "applications"], rows)
    if found.more:
        say(f"There are more of these: {', '.join(sorted(found.more))}. Give another word, or --limit.")
