"""The command that finds teachers, schools, projects and cases, find."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.workspace import existing_workspace
from cli.output import emit, say, table
from cli.words import AsJson, plain
from labels.errors import NotAllowed
from labels.sessions.accounts import account_of
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
    email: Annotated[
        str,
        typer.Option("--as", metavar="EMAIL", help="Only what this coordinator may see.", callback=plain),
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Of each kind so many at most.")] = SHOWN,
    as_json: AsJson = False,
) -> None:
    """Find a teacher, school, project or case.

    Every word has to begin a word of the name or title, whichever script and spelling both are in.
    """
    here = existing_workspace()
    found = find_words(here, " ".join(words), _organisations(email), shown=limit)
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
    if not found.every:
        say(f"Nothing is found by {found.words}.")
        return
    rows = [(hit.kind, hit.id, hit.name, hit.beside, hit.country, " ".join(hit.cases)) for hit in found.every]
    table("", ["", "number", "name", "", "country", "applications"], rows)
    if found.more:
        say(f"There are more of these: {', '.join(sorted(found.more))}. Give another word, or --limit.")


def _organisations(email: str) -> tuple[str, ...] | None:
    """Of the operator all; of a coordinator their own."""
    if not email:
        return None
    with existing_workspace().record.reading() as session:
        account = account_of(session, email)
    if account is None or not account.coordinates:
        raise NotAllowed(f"{email} coordinates no organisation.")
    return None if account.central else account.coordinates
