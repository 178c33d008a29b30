"""`labels backup` and `labels restore`: copies of everything that can't be made again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from adapters.workspace import existing_workspace
from cli.output import emit, say, say_plainly, table
from cli.words import AsJson, plain
from labels.clock import in_words
from labels.errors import Fault, InvalidInput, NotAllowed, NotAsWritten
from labels.settings import load_settings
from usecases import backup as copying
from usecases.privacy import what_to_do_for
from usecases.sealing import verify_journal

Place = Annotated[
    str, typer.Argument(metavar="PLACE", help="A folder, or s3://bucket/prefix.", callback=plain)
]
_SHOWN = 5


def backup(
    place: Place,
    keys: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Copy the keys, too, into this folder; keep it elsewhere."),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(metavar="DAYS", min=1, max=36_500, help="Remove copies that are older than this."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy the record and new documents to a folder or bucket.

    Everything goes on meanwhile. Exit code 6 where a document is missing or damaged; the rest is kept.
    """
    here = existing_workspace()
    to = copying.open_place(place, here.settings)
    done = copying.back_up(here, to, keep=timedelta(days=keep) if keep else None)
    kept = _keys_into(keys, place) if keys else []
    if as_json:
        emit(asdict(done) | {"keys": [str(path) for path in kept]})
    else:
        say_plainly(
            f"Copy {done.copy.name}: the record and {done.copy.documents} documents, {done.added} of them new there."
        )
        for path in kept:
            say_plainly(f"Key: {path}")
        if keys is not None and not kept:
            say_plainly("No key lies in a file here: LABELS_SECRET is to be kept by itself.")
        if done.removed:
            say_plainly(f"Removed, since they are older: {', '.join(done.removed)}.")
    wrong = [f"Not in {here.documents}, or damaged: {_some(done.missing)}."] if done.missing else []
    if done.register:
        wrong.append(f"The copy is whole, but of the erasures beside the record {done.register}")
    if wrong:
        raise NotAsWritten(" ".join(wrong))
    say("Everything is kept.", "green")


def _keys_into(folder: Path, place: str) -> list[Path]:
    if "://" not in place and Path(place).absolute() in [folder.absolute(), *folder.absolute().parents]:
        problem = "is in the place of the copies: who finds those would have the keys."
        raise InvalidInput("backup", [Fault(str(folder), problem, "Name another folder.")])
    try:
        return copying.copy_keys(load_settings(), folder)
    except OSError as error:
        problem = f"can't be written: {error.strerror}."
        raise InvalidInput("backup", [Fault(str(folder), problem, "The copy itself is kept.")]) from None


def restore(
    place: Place,
    copy: Annotated[
        str, typer.Option(metavar="NAME", help="Which copy; else the newest.", callback=plain)
    ] = "",
    list_: Annotated[bool, typer.Option("--list", help="Only say which copies there are.")] = False,
    with_another_key: Annotated[
        bool, typer.Option("--with-another-key", help="Where the key of the copy is lost for ever.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make an installation from a copy, in an empty home or database.

    Put the keys back first. Afterwards `labels up`, which brings every open application back to its step.
    """
    settings = load_settings()
    of = copying.open_place(place, settings)
    if list_:
        _list(copying.copies(of), as_json=as_json)
        return
    done = copying.restore(settings, of, copy, another_key=with_another_key)
    here = existing_workspace()
    state = verify_journal(here, [])
    if as_json:
        emit(asdict(done) | {"findings": [str(one) for one in state.findings]})
    else:
        say_plainly(
            f"Restored from the copy of {in_words(done.copy.made_at)}: {done.applications} applications, "
            f"{done.documents} documents, {done.entries} entries of the journal."
        )
        for one in done.again:
            say_plainly(str(one))
    wrong = []
    if done.missing:
        wrong.append(f"Not in {of}, or damaged: {_some(done.missing)}.")
    if state.findings:
        wrong.append(f"The journal is not as it was written: {state.findings[0]}")
    if done.damaged:
        wrong.append(
            f"Erasures can’t be read in {_some(done.damaged)}; whoever is named in a line that can be is erased again. Look "
            f"for those lines in the other files of that name, add them to {settings.erasures_file}, and then labels up."
        )
    if left := [one for one in done.again if one.left_because]:
        why = "; ".join(map(str, left))
        wrong.append(
            f"Until this is done or deferred, labels up starts nothing: {why} {what_to_do_for(left)}"
        )
    if wrong:
        kind = NotAsWritten if len(wrong) > bool(left) else NotAllowed
        raise kind(f"All else is restored. {' '.join(wrong)}")
    say("The journal is as it was written. Go on with `labels up`.", "green")


def _list(found: list[copying.Copy], *, as_json: bool) -> None:
    if as_json:
        emit([asdict(one) for one in found])
        return
    table(
        "",
        ["copy", "made", "database", "schema", "documents"],
        [(one.name, one.made_at, one.database, one.revision, one.documents) for one in found],
    )


def _some(keys: tuple[str, ...]) -> str:
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return ", ".join(keys[:_SHOWN]) + more
