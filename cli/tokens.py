"""`labels token`: tokens by which an organisation's platform calls the HTTP API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from adapters.workspace import existing_workspace
from cli.output import emit, say, say_plainly, table
from cli.words import AsJson, day_given, plain
from labels.clock import brussels_day
from labels.errors import Fault, InvalidInput
from labels.platform.tokens import MARK, TokenScope, counts
from labels.record.schema import PlatformToken
from usecases import platform

Action = Literal["make", "list", "end"]

A_YEAR = timedelta(days=365)


class ShownToken(BaseModel):
    """A token of a platform (`labels token`)."""

    number: str
    organisation: str
    scopes: list[str]
    purpose: str
    made_at: datetime
    expires_on: date
    """The last day on which it counts."""
    used_on: date | None
    """The day on which it was used last."""
    ended_at: datetime | None
    counts: bool
    """Whether it allows anything now."""
    token: str | None = None
    """The token itself: once, when it is made."""


def token(
    action: Annotated[Action, typer.Argument(help="make, list or end.")] = "list",
    what: Annotated[
        str,
        typer.Argument(
            metavar="[WHAT]",
            help="make and list: an organisation's id; end: a token's number, or itself.",
            callback=plain,
        ),
    ] = "",
    scope: Annotated[
        list[TokenScope] | None, typer.Option(help="What it allows; given again for each.")
    ] = None,
    purpose: Annotated[
        str, typer.Option("--for", metavar="TEXT", help="Which program has it, and what for.", callback=plain)
    ] = "",
    until: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="Its last day; else a year from today.", callback=plain)
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Tokens by which an organisation's platform calls the HTTP API.

    make prints the token, once: nothing here has it afterwards. end: it allows nothing from that moment on. It is the
    operator's to do: nobody's code is asked for.
    """
    here = existing_workspace()
    now = here.now()
    if action != "end" and what.startswith(MARK):  # no fault repeats what is secret
        raise InvalidInput("token", [Fault("WHAT", "is a token; expected the organisation's id.")])
    if action == "list":
        rows = platform.tokens_of(here, what)
        _show([_shown(row, now) for row in rows], as_json=as_json)
    elif not what:
        expected = (
            "is needed: the organisation's id." if action == "make" else "is needed: the token's number."
        )
        raise InvalidInput("token", [Fault("WHAT", expected)])
    elif action == "make":
        last = day_given("token", "--until", until, "2027-09-01") or brussels_day(now) + A_YEAR
        try:
            made = platform.make_token(here, what, scope or [], purpose, last)
        except InvalidInput as error:
            faults = [replace(one, where=_OPTIONS.get(one.where, one.where)) for one in error.faults]
            raise InvalidInput(error.subject, faults) from None
        if as_json:
            emit(_shown(made.row, now).model_copy(update={"token": made.text}))
            return
        say_plainly(made.text)
        say(f"This is shown once. It counts until {last}; to end it before: labels token end {made.row.id}")
    else:
        row = platform.end_token(here, what)
        if as_json:
            emit(_shown(row, now))
            return
        say(f"The token {row.id} of {row.organisation} allows nothing any more.", "green")


_OPTIONS = {"scope": "--scope", "purpose": "--for", "until": "--until"}
"""What the command line calls what a token is made of."""


def _shown(row: PlatformToken, now: datetime) -> ShownToken:
    return ShownToken(
        number=row.id,
        organisation=row.organisation,
        scopes=row.scopes.split(),
        purpose=row.purpose,
        made_at=row.made_at,
        expires_on=row.expires_on,
        used_on=row.used_on,
        ended_at=row.ended_at,
        counts=counts(row, now),
    )


def _show(rows: Sequence[ShownToken], *, as_json: bool) -> None:
    if as_json:
        emit([one.model_dump(exclude={"token"}) for one in rows])
        return
    table(
        "",
        ["number", "organisation", "allows", "for", "until", "used on", "ended"],
        [
            (
                one.number,
                one.organisation,
                ", ".join(one.scopes),
                one.purpose,
                one.expires_on,
                one.used_on,
                one.ended_at,
            )
            for one in rows
        ],
    )
