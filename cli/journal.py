"""`labels journal`: whether the journal is as it was written, and what a verifier elsewhere needs of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from adapters.workspace import Workspace, existing_workspace
from cli.output import emit, say, say_plainly, table
from cli.showing import told
from cli.words import AsJson, SeenAs
from labels.errors import Fault, InvalidInput, NotAsWritten
from labels.views import exports
from labels.views.looker import reach_of
from usecases.sealing import JournalState, export_journal, read_head, verify_journal

_SHOWN = 20
"""Findings that are printed one by one; all of them are in `--json`."""


def journal(
    verify: Annotated[
        bool, typer.Option("--verify", help="Exit code 6 where anything is not as it was written.")
    ] = False,
    head: Annotated[
        list[str] | None,
        typer.Option(help="A head that was given out: on a letter, in a mail; more than once for several."),
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="All of it, for the verifier: labels/record/chain.py.")
    ] = None,
    email: SeenAs = "",
    as_json: AsJson = False,
) -> None:
    """Whether the journal is as it was written.

    Its entries, what they tell of, and the heads of its chain that were given out. With `--as`, the entries
    that this person may see.
    """
    here = existing_workspace()
    if email:
        if verify or head or export is not None:
            expected = "is the operator's, of the whole journal; leave out --as."
            raise InvalidInput("journal", [Fault("--verify, --head, --export", expected)])
        _entries_for(here, email, as_json)
        return
    heads = [read_head(one, "--head") for one in head or ()]
    state = verify_journal(here, heads)
    if export is not None:
        size = export_journal(here, export)
        say(f"{export}: {size:,} bytes; `python labels/record/chain.py {export.name}` verifies it anywhere.")
    if as_json:
        emit(asdict(state))
    else:
        _print(state)
    if state.findings and verify:
        raise NotAsWritten(f"{state.findings[0]}")


def _entries_for(here: Workspace, email: str, as_json: bool) -> None:
    with here.record.reading() as session:
        entries = list(exports.export(session, "journal", reach_of(session, email)))
    if as_json:
        emit(entries)
    else:
        rows = [
            (e["at"], e["who"], e["what"], e["application"], e["step"], told(e["details"])) for e in entries
        ]
        table("", ["at", "who", "what", "application", "step", "details"], rows)


def _print(state: JournalState) -> None:
    waiting = state.entries - state.sealed
    later = f", {waiting} to be sealed by the next upkeep" if waiting > 0 else ""
    say_plainly(f"{state.entries} entries, {state.sealed} of them sealed{later}.")
    if state.sealed:
        say_plainly(f"Head: {state.head}")
    if state.stamped:
        say_plainly(f"Last head with a time stamp: {state.stamped}")
    for finding in state.findings[:_SHOWN]:
        say_plainly(f"· {finding}")
    if len(state.findings) > _SHOWN:
        say_plainly(f"  and {len(state.findings) - _SHOWN} more.")
    for one in state.put_back[-_SHOWN:]:
        say(one, "yellow")
    if not state.findings:
        say("Everything is as it was written.", "green")
