"""The command that plays a year on a copy, rehearse."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from adapters.workspace import existing_workspace
from cli.output import emit, say, say_plainly
from cli.words import AsJson, day_given, plain
from labels.errors import Fault, InvalidInput
from labels.views.rehearsal import Rehearsal
from labels.views.rehearsal_tables import cell_text, tables
from labels.words.sentences import english
from usecases.rehearsing import rehearsal
from usecases.rehearsing.rehearsal import Wishes


def rehearse(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new folder; all of the rehearsal stays in it.")
    ],
    organisation: Annotated[
        str, typer.Option(metavar="ORGANISATION", help="Whose year; without it, that of all.", callback=plain)
    ] = "",
    reviewers: Annotated[
        str,
        typer.Option(metavar="10,20,40", help="Numbers of reviewers, a year for each.", callback=plain),
    ] = "",
    deadline: Annotated[
        str,
        typer.Option(metavar="DATE,DATE", help="Last days of applications, a year for each.", callback=plain),
    ] = "",
    rules: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Rule files instead of those in force.")
    ] = None,
    factor: Annotated[
        float, typer.Option(help="Share of a year's applications, more than 0 and 1 at most.")
    ] = 1.0,
    applications: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="In a whole year; else as many as in the last twelve months."),
    ] = None,
    a_week: Annotated[float, typer.Option(help="Reviews that a reviewer manages in a week.")] = 4.0,
    seed: Annotated[int, typer.Option(help="Another seed is another year; the same one, the same.")] = 1,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep each year's record, to look at with LABELS_HOME.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Play a year on a copy: virtual people, and nothing that reaches anybody.

    The registry is copied without names, addresses and applications, by today's rules or others.
    """
    wishes = Wishes(
        organisation=organisation, reviewers=_numbers(reviewers), last_days=_days(deadline), rules=rules, factor=factor,
        applications=applications, a_week=a_week, seed=seed, keeps=keep,
    )  # fmt: skip
    done = rehearsal.rehearse(existing_workspace(), folder, wishes, say)
    if as_json:
        emit(done)
    else:
        say_plainly(_text(done))
        say(f"Mails, papers and a list of the cases are in {folder}.", "green")


def _numbers(text: str) -> tuple[int, ...]:
    parts = [one.strip() for one in text.split(",") if one.strip()]
    if wrong := [one for one in parts if not (one.isascii() and one.isdigit() and len(one) < 6)]:
        problem = f"“{wrong[0]}” is no number; expected numbers with commas between, such as 10,20,40."
        raise InvalidInput(rehearsal.SUBJECT, [Fault("--reviewers", problem)])
    return tuple(dict.fromkeys(map(int, parts)))


def _days(text: str) -> tuple[date, ...]:
    parts = map(str.strip, text.split(","))
    days = (day_given(rehearsal.SUBJECT, "--deadline", part, "2026-09-01") for part in parts)
    return tuple(dict.fromkeys(filter(None, days)))


# For people ---------------------------------------------------------------------------------------


def _text(done: Rehearsal) -> str:
    """The report as text, with tables of fixed columns."""
    lines = [
        f"Rehearsal of {done.name or 'all organisations'}: {done.begins} to {done.ends}, {done.factor:.0%} of a year’s "
        f"applications, {done.a_week:g} reviews a week of each reviewer, seed {done.seed}. Nobody in it is real.",
    ]
    for one in tables(done):
        heads = [cell_text(head) for head in one.heads]
        cells = [heads, *([cell_text(cell) for cell in row] for row in one.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines += ["", english(one.title)]
        lines += [
            "  ".join(
                text.rjust(width) if place else text.ljust(width)
                for place, (text, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
    for played in done.played:
        lines += ["", *(f"Refused in {played.name}: {line}" for line in played.refused[:_REFUSED])]
    return "\n".join(lines).rstrip() + "\n"


_REFUSED = 20
"""Lines of what was refused that are shown."""
