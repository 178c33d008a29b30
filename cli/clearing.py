"""`labels gc`: documents that nobody claims."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from adapters.workspace import existing_workspace
from cli.output import emit, say, say_plainly
from cli.words import AsJson
from usecases.clearing import GRACE, clear


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; delete nothing.")] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="The store is this record's alone: said once in each home.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete documents that nobody claims.

    Those that no row of the record names and that have been in the store for eight days: what killed commands and forms
    that were never sent left. A store that another record clears, or that was never cleared from this home, is refused.
    """
    done = clear(existing_workspace(), dry=dry_run, adopt=adopt)
    if as_json:
        emit(asdict(done) | {"dry_run": dry_run})
        return
    say_plainly(f"{done.stored} documents in the store; the record names {done.claimed}.")
    if done.young:
        say_plainly(f"{done.young} that nobody claims are not {GRACE.days} days old.")
    what = f"{done.deleted} documents that nobody claims, {done.bytes / 1e6:.1f} MB"
    say(f"Nothing was deleted; it would be {what}." if dry_run else f"Deleted: {what}.", "green")
