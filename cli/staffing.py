"""`labels staff`: who is on the staff of organisations, who leaves and who is on it again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Literal

import sqlalchemy as sa
import typer

from adapters.workspace import existing_workspace
from cli.output import emit, fail, say, table
from cli.printed_people import ShownStaff
from cli.words import AsJson, address, day_given, plain
from labels.answering.leaving import Departure, Whose
from labels.errors import Fault, InvalidInput
from labels.people.staff import known_organisation
from labels.record.schema import FormerStaff, Staff
from usecases import staffing as usecases

Action = Literal["list", "leave", "rejoin"]


def staff(
    action: Annotated[Action, typer.Argument(help="list, leave or rejoin.")] = "list",
    person: Annotated[
        str, typer.Argument(metavar="[ADDRESS]", help="An address, or an id (PER-…).", callback=plain)
    ] = "",
    on: Annotated[
        str,
        typer.Option(metavar="YYYY-MM-DD", help="The first day without them; else today.", callback=plain),
    ] = "",
    organisation: Annotated[
        str, typer.Option(metavar="ID", help="Only the staff of this organisation.", callback=plain)
    ] = "",
    role: Annotated[str, typer.Option(help="Only as reviewer, or as coordinator.", callback=plain)] = "",
    as_json: AsJson = False,
) -> None:
    """Who is on the staff of organisations; leaving, and coming back.

    leave: what is open goes to others, sessions and codes end, mail stops, on that day. rejoin: on the staff as
    before. It is the operator's to do: nobody's code is asked for.
    """
    if action == "list":
        if person:
            problem = f"{person} is not needed: list shows a whole staff."
            raise InvalidInput(
                "staff", [Fault("ADDRESS", problem, "Name an organisation with --organisation ID.")]
            )
        _list(organisation, as_json=as_json)
        return
    if not person:
        raise InvalidInput("staff", [Fault("ADDRESS", "is needed: whose place on the staff is meant.")])
    whose = Whose(person if person.startswith("PER-") else address(person), organisation, role)
    if action == "rejoin":
        _rejoin(whose, as_json=as_json)
    else:
        _leave(whose, day_given("staff", "--on", on, "2026-09-01"), as_json=as_json)


def _list(organisation: str, *, as_json: bool) -> None:
    with existing_workspace().record.reading() as session:
        if organisation:
            known_organisation(session, organisation)
        present = session.scalars(sa.select(Staff).order_by(Staff.organisation, Staff.role, Staff.email))
        former = session.scalars(
            sa.select(FormerStaff).order_by(FormerStaff.organisation, FormerStaff.role, FormerStaff.email)
        )
        rows = [
            ShownStaff(
                person=row.person,
                name=row.name,
                email=row.email,
                role=row.role,
                organisation=row.organisation,
                left_on=row.left_on,
                left=isinstance(row, FormerStaff),
            )
            for row in (*present, *former)
            if organisation in ("", row.organisation)
        ]
    if as_json:
        emit(rows)
        return
    table(
        "",
        ["name", "address", "role", "organisation", "left on", "person"],
        [(one.name, one.email, one.role, one.organisation, one.left_on, one.person) for one in rows],
    )


def _leave(whose: Whose, on: date | None, *, as_json: bool) -> None:
    done = usecases.leave(existing_workspace(), whose, on)
    if as_json:
        emit([{k: v for k, v in asdict(one).items() if k != "handed"} for one in done.departures])
    elif done.departures:
        tell_departures(done.departures)
    else:
        say(f"{whose.named} leaves the staff on {on}; upkeep sees to it on that day.", "green")
    if done.performed and done.performed.outage:
        fail(done.performed.outage)


def tell_departures(departures: tuple[Departure, ...]) -> None:
    """Who left, in which roles, which they have still, and what of theirs is others' now."""
    table(
        "\nLeft the staff",
        ["name", "address", "roles", "organisation", "on", "still", "given to others"],
        [
            (
                one.name,
                one.address,
                ", ".join(one.roles),
                one.organisation,
                one.left_on,
                ", ".join(one.stays) or None,
                ", ".join(one.applications) or None,
            )
            for one in departures
        ],
    )


def _rejoin(whose: Whose, *, as_json: bool) -> None:
    back = usecases.rejoin(existing_workspace(), whose)
    if as_json:
        emit([{"person": one.person, "role": one.role, "organisation": one.organisation} for one in back])
        return
    for one in back:
        say(f"{one.name} is {one.role} of {one.organisation}.", "green")
