"""`labels pupils`: certificates of the Pupil Quality Label for a class."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from adapters.fonts import missing_characters
from adapters.prefect.address import prefect_answers
from adapters.prefect.console import quietly
from adapters.workspace import Workspace, existing_workspace
from cli.output import emit, say
from cli.words import As, AsJson, Code, plain
from flows.quality_label.pupil import pupil_quality_label
from labels.errors import Fault, InvalidInput, LabelsError
from labels.files import contents
from labels.pupil_label.classes import Begun
from labels.pupil_label.encodings import SUBJECT
from labels.pupil_label.names import LARGEST, SPREADSHEET, read_names
from labels.pupil_label.report import ClassReport, report
from labels.record.schema import PupilClass
from labels.steps import proof
from labels.turn import Door
from usecases import printing
from usecases.printing import ClassInHand, file_names, in_hand


def pupils(
    award: Annotated[str, typer.Argument(metavar="AWARD", callback=plain, help="Your label, NQL-….")],
    names: Annotated[
        Path,
        typer.Argument(metavar="NAMES", help="One name a row, as CSV, XLSX or ODS; - reads standard input."),
    ],
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the certificates.")],
    email: As,
    code: Code,
    strict: Annotated[bool, typer.Option(help="Make none if a row has a fault.")] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Where the name stands: a number or a word of the header; may be repeated."),
    ] = None,
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="Whether the first row is one.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="How the list was saved, where that can't be told.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make certificates for the pupils of a labelled teacher.

    A ZIP, and one file to print.
    """
    here, by = existing_workspace(), proof.Code(code, email)
    rules, country = printing.rules_of_award(here, award, by=by, door=Door.COMMAND_LINE)
    listed = read_names(
        _content(names), country, missing_characters, encoding=encoding, columns=column or (), header=header
    )
    if listed.faults and (strict or len(listed.faults) > len(listed.pupils)):
        another = Fault(
            "(whole file)", "has more rows that are no names than names.", "Is it the right file?"
        )
        raise InvalidInput(SUBJECT, [*([] if strict else [another]), *listed.faults])
    printing.few_enough(listed, rules)
    _make_room(folder)
    begun = printing.begin(here, award, listed, by=by, door=Door.COMMAND_LINE)
    _make(here, award, begun, ClassInHand(here, begun, by.known_by, listed.pupils, folder, Door.COMMAND_LINE))
    files = [str(folder / name) for name in file_names(begun.id)]
    _tell(report(begun.id, award, files, listed), as_json)


def _content(path: Path) -> bytes:
    try:
        if str(path) == "-":
            return sys.stdin.buffer.read(LARGEST + 1)
        return contents(path, LARGEST)
    except OSError as error:
        problem = f"can't be read: {error.strerror}."
    raise InvalidInput(SUBJECT, [Fault("(whole file)", problem)])


def _make_room(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    except FileExistsError:
        problem = "is a file; expected a folder."
    except OSError as error:
        problem = f"can't be made: {error.strerror}."
    raise InvalidInput("OUT", [Fault(str(folder), problem, "Name another folder.")])


def _make(here: Workspace, award: str, begun: Begun, given: ClassInHand) -> None:
    """Runs the flow in this process; without Prefect where that is away, since only its window is missing."""
    with in_hand(given):
        if prefect_answers():
            try:
                with quietly():
                    pupil_quality_label(award, begun.id, len(given.pupils))
                return
            except LabelsError:
                raise
            except Exception as error:  # Prefect's own: our tasks let nothing else out
                say(f"Prefect failed meanwhile ({type(error).__name__}); going on without it.")
            with here.record.reading() as session:
                if session.get_one(PupilClass, begun.id).made_at:
                    return
        else:
            say("Prefect's server is out of reach: this run will not be seen there. The record counts it.")
        pupil_quality_label.fn(award, begun.id, len(given.pupils))


def _tell(made: ClassReport, as_json: bool) -> None:
    if as_json:
        emit(made)
        return
    for one in made.left_out:
        say(f"Left out: row {one.row} {one.problem} {one.remedy}", "yellow")
    if made.repeated:
        say(f"The same name as further up, in row {', '.join(map(str, made.repeated))}: made all the same.")
    if made.read_as not in ("utf-8", "utf-16", SPREADSHEET):
        say(f"The list was read as {made.read_as}: look at the letters on a certificate or two.")
    archive, print_file = made.files
    say(f"{made.certificates} certificates ({made.number}): {archive} and, to print, {print_file}.", "green")
    say(
        "Their names are kept nowhere else. Delete the list and the certificates when you have given them out."
    )
