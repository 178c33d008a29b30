"""`labels certificates`: all certificates of a label and a year, to hand out and to print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from adapters.prefect.address import prefect_answers
from adapters.prefect.console import quietly
from adapters.workspace import existing_workspace
from cli.output import emit, say
from cli.words import AsJson, plain
from flows.certificates import gather_certificates
from labels.errors import Fault, InvalidInput
from labels.kinds import LabelKind
from labels.papers.gathering import certificates_of
from usecases.gathering import gather


class Gathered(BaseModel):
    """What `labels certificates` put into a folder."""

    certificates: int
    volumes: list[str]
    """The files for printing."""


def certificates(
    label: Annotated[
        str, typer.Argument(metavar="LABEL", help="national, european or school.", callback=plain)
    ],
    year: Annotated[
        int,
        typer.Argument(
            metavar="YEAR", help="In which the labels were awarded; of the European one, its cycle's."
        ),
    ],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go.")],
    organisation: Annotated[str, typer.Option(help="Only this one's, NSS-PL.", callback=plain)] = "",
    as_json: AsJson = False,
) -> None:
    """Gather a year's certificates, also bound for printing.

    Each as it was issued, and a hundred to a file for printing, by organisation, school and name. Given again
    after an interruption, it goes on where it was.
    """
    here = existing_workspace()
    with here.record.reading() as session:
        certificates_of(session, label, year, organisation or None)
    wanted = label, year, organisation or None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if prefect_answers():
            with quietly():
                count = gather_certificates(*wanted, str(folder.absolute()))
        else:
            say("Prefect's server is out of reach: this run will not be seen there.")
            count = gather(here, *wanted, folder)
    except FileExistsError:
        raise InvalidInput("FOLDER", [Fault(str(folder), "is a file.", "Name another folder.")]) from None
    except OSError as error:
        remedy = "Give the command again: it goes on where it was."
        problem = f"can't be written to: {error.strerror}."
        raise InvalidInput("FOLDER", [Fault(str(folder), problem, remedy)]) from None
    volumes = sorted(str(path) for path in folder.glob(f"print-{label}-{year}-*.pdf"))
    if as_json:
        emit(Gathered(certificates=count, volumes=volumes))
    elif count:
        many = "1 certificate" if count == 1 else f"{count} certificates"
        say(f"{many} in {folder}; to print: {', '.join(volumes)}", "green")
    else:
        counted = "the year of the cycle" if label == LabelKind.EUROPEAN else "the year of the award"
        say(f"No certificate of a {label} label was issued for {year}, {counted}.")
