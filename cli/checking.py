"""`labels check`: whether the record, the journal and the documents are whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from adapters.workspace import existing_workspace
from cli.output import emit, say, say_plainly, table
from cli.words import AsJson
from labels.errors import NotAsWritten
from usecases.checking import check as looked_through


def check(
    documents: Annotated[
        bool, typer.Option("--documents", help="Read every document, too, and hold it against its digest.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Whether the record, the journal and the documents are whole.

    One decision, one award and one certificate each, every paper stored, every open case somebody's. Exit code 6 where
    something does not hold, which is named. Changes nothing.
    """
    found = looked_through(existing_workspace(), read_documents=documents)
    if as_json:
        emit(asdict(found))
    else:
        say_plainly(f"{found.documents} documents and {found.entries} entries of the journal looked at.")
        if found.breaches:
            table(
                "",
                ["what must hold", "where", "what is wrong"],
                [(one.invariant.value, one.subject, one.problem) for one in found.breaches],
            )
    if found.breaches:
        raise NotAsWritten(f"{len(found.breaches)} found; the first: {found.breaches[0]}")
    say("Everything is whole.", "green")
