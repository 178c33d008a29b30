"""`labels bounces`: mail that came back."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from adapters.mail.reports import LARGEST, ReadMail, read_file, read_folder, reports_in
from adapters.workspace import existing_workspace
from cli.output import emit, say, say_plainly, table
from cli.words import AsJson, address
from labels.errors import Fault, InvalidInput, LabelsError
from labels.mail.undelivered import Unreached
from usecases import bounces as usecases


def bounces(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|FOLDER]…",
            help="Mails, a Maildir, or - for one on standard input; else LABELS_BOUNCES.",
        ),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Only say of which addresses something was reported.")
    ] = False,
    lift: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Send mail to this address again: it is right.", callback=address
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Take in mail that came back; list addresses that take none.

    Reports of mail servers (RFC 3464) of messages that were sent from here. After one that the address takes no mail
    (5.1.x, 5.2.1) nothing is sent there until it is corrected, and its coordinators are told once. All others are counted.
    """
    here = existing_workspace()
    if list_:
        _list(usecases.reported(here), as_json=as_json)
        return
    if lift:
        usecases.lift(here, lift)
        say(f"Mail to {lift} goes out again.", "green")
        return
    folder = here.settings.bounces
    if not paths and folder is None:
        raise InvalidInput("bounces", [Fault("FILE", "is needed, where LABELS_BOUNCES names no folder.")])
    mails = _read(paths) if paths else read_folder(folder or Path())
    try:
        done = usecases.take_in(here, mails)
    except InvalidInput as error:
        raise LabelsError(f"{error} What was read before that is taken in.") from None
    if as_json:
        emit(asdict(done))
        return
    say_plainly(
        f"{done.mails} mails: {done.hard} reports of no such address, {done.soft} others; {done.ignored} were none of ours."
    )
    for one in done.stopped:
        say_plainly(f"Nothing is sent to {one} any more; its coordinators are told.")


def _read(paths: Sequence[str]) -> Iterator[ReadMail]:
    """The mails of files, which are all read now, and then those of folders, one at a time as they are taken in.

    Raises:
        InvalidInput: files can't be read.
    """
    folders = [Path(path) for path in paths if path != "-" and Path(path).is_dir()]
    files: list[ReadMail] = []
    faults: list[Fault] = []
    for path in paths:
        if path != "-" and Path(path) in folders:
            continue
        try:
            files.append(ReadMail("-", reports_in(_typed_in())) if path == "-" else read_file(Path(path)))
        except InvalidInput as error:
            faults.extend(error.faults)
    if faults:
        raise InvalidInput("bounces", faults)
    return chain(files, chain.from_iterable(map(read_folder, folders)))


def _typed_in() -> bytes:
    return sys.stdin.buffer.read(LARGEST)


def _list(found: list[Unreached], *, as_json: bool) -> None:
    if as_json:
        emit([asdict(one) for one in found])
        return
    table(
        "",
        ["address", "nothing is sent", "no such address", "others", "last", "what the server said"],
        [
            (
                one.address,
                "yes" if one.stopped else "no",
                one.hard,
                one.soft,
                one.last,
                f"{one.status} {one.said}",
            )
            for one in found
        ],
    )
