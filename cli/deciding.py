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
from labels.clock import start_of_day
from labels.errors import Fault, InvalidInput, NotAsWritten
from labels.european_label.awarding import merged_otherwise
from labels.european_label.freezing import FIRST_YEAR, LAST_YEAR, repeat
from labels.record.schema import Application, Cycle, CycleOrganisation, Decision
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

    Every decision by points is made again from its reviews and rules, every one for conditions from what the registry said
    then, every European ranking from its frozen list, and every merging from what was put forward.
    Exit code 6 where one differs by a byte.
    """
    if not check:
        problem = "is needed: people and rules decide, and this only checks."
        raise InvalidInput("decide", [Fault("--check", problem)])
    here = existing_workspace()
    with here.record.reading() as session:
        found = list(decided_again(session, applications=_meant(session, which)))
        cycles = {year: repeat(session, year) for year in _years(session, which)}
        merged = {year: merged_otherwise(session, year) for year in cycles}
    wrong = [f"{one.application} ({', '.join(one.differing)})" for one in found if not one.same]
    wrong += [f"the European Quality Label of {year}" for year, one in cycles.items() if not one.same]
    wrong += [f"{one} in the European Quality Label of {year}" for year in merged for one in merged[year]]
    erased = [one.application for one in found if one.erased]
    if as_json:
        emit({"decisions": len(found), "cycles": len(cycles), "differing": wrong, "erased": erased})
    else:
        say_plainly(
            f"{len(found)} decisions and {len(cycles)} years of the European Quality Label made again."
        )
        if erased:
            say_plainly(f"Left out, since what they rest on was erased: {', '.join(erased)}.")
    if wrong:
        raise NotAsWritten(f"Decided otherwise than the record says: {'; '.join(wrong)}.")
    say("All of them are what they were.", "green")


def _years(session: Session, which: str) -> list[int]:
    """The years of the European Quality Label that somebody names: one of them, by its award's or a nomination's number, or all."""
    known = sa.select(Cycle.year).order_by(Cycle.year)
    if not which:
        return list(session.scalars(known))
    if _is_year(which):
        return list(session.scalars(known.where(Cycle.year == int(which))))
    named = application_named(session, which)
    nominated = sa.select(CycleOrganisation.year).where(CycleOrganisation.nomination == named)
    return list(session.scalars(known.where(sa.or_(Cycle.application == named, Cycle.year.in_(nominated)))))


def _is_year(which: str) -> bool:
    return which.isdecimal() and len(which) == 4


def _meant(session: Session, which: str) -> sa.Select[tuple[str]]:
    """The applications that somebody names: one by its number, those decided in a year, or all."""
    if not which:
        return sa.select(Application.id)
    if _is_year(which):
        if not FIRST_YEAR <= int(which) <= LAST_YEAR:
            problem = f"{which} is no year of eTwinning; expected {FIRST_YEAR} to {LAST_YEAR}."
            raise InvalidInput("decide", [Fault("YEAR", problem)])
        begins, ends = (start_of_day(date(int(which) + later, 1, 1)) for later in (0, 1))
        return sa.select(Decision.application).where(
            Decision.decided_at >= begins, Decision.decided_at < ends
        )
    return sa.select(Application.id).where(Application.id == application_named(session, which))
