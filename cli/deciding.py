"""`labels decide --check`: whether every decision is the one that the record alone leads to."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import sqlalchemy as sa
import typer
from sqlalchemy.orm import Session

from adapters.workspace import existing_workspace
from cli.output import emit, say, say_plainly
from cli.words import AsJson, plain
from labels.errors import Fault, InvalidInput, NotAsWritten
from labels.european_label.freezing import repeat
from labels.record.schema import Application, Cycle, Decision
from labels.reviews.repeating import decided_again
from labels.views.numbers import application_named


def decide(
    which: Annotated[
        str,
        typer.Argument(
            metavar="[APPLICATION|YEAR]",
            help="One of them, or those of a calendar year; else all.",
            callback=plain,
        ),
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Make them again from the record alone, and compare.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Whether every decision is the one that the record leads to.

    Every decision by points is made again from its reviews and rules, every European ranking from its frozen list.
    Exit code 6 where one differs by a byte.
    """
    if not check:
        problem = "is needed: people and rules decide, and this only checks."
        raise InvalidInput("decide", [Fault("--check", problem)])
    here = existing_workspace()
    with here.record.reading() as session:
        found = list(decided_again(session, applications=_meant(session, which)))
        years = session.scalars(sa.select(Cycle.year).order_by(Cycle.year)).all()
        cycles = {year: repeat(session, year) for year in years if which in ("", str(year))}
    wrong = [f"{one.application} ({', '.join(one.differing)})" for one in found if not one.same]
    wrong += [f"the European Quality Label of {year}" for year, one in cycles.items() if not one.same]
    erased = [one.application for one in found if one.erased]
    if as_json:
        emit({"decisions": len(found), "cycles": len(cycles), "differing": wrong, "erased": erased})
    else:
        say_plainly(f"{len(found)} decisions by points and {len(cycles)} European rankings made again.")
        if erased:
            say_plainly(f"Left out, since what they rest on was erased: {', '.join(erased)}.")
    if wrong:
        raise NotAsWritten(f"Decided otherwise than the record says: {'; '.join(wrong)}.")
    say("All of them are what they were.", "green")


def _meant(session: Session, which: str) -> sa.Select[tuple[str]]:
    """The applications that somebody names: one by its number, those decided in a year, or all."""
    if not which:
        return sa.select(Application.id)
    if which.isdecimal() and len(which) == 4:
        begins, ends = date(int(which) or 1, 1, 1), date(int(which) or 1, 12, 31)
        return sa.select(Decision.application).where(sa.func.date(Decision.decided_at).between(begins, ends))
    return sa.select(Application.id).where(Application.id == application_named(session, which))
