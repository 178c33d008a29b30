"""`labels webhook`: where platforms are told that something happened."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from adapters.workspace import existing_workspace
from cli.output import emit, say, say_plainly, table
from cli.words import AsJson, day_given, plain
from labels.clock import start_of_day
from labels.errors import Fault, InvalidInput
from labels.platform.signing import shown
from labels.platform.webhooks import Waiting
from labels.record.schema import PlatformWebhook
from usecases import webhooks as usecases

Action = Literal["add", "list", "rotate", "end", "replay"]


class ShownWebhook(BaseModel):
    """A webhook of a platform (`labels webhook`)."""

    webhook: str
    organisation: str
    address: str
    made_at: datetime
    ended_at: datetime | None
    ended_because: str | None
    waiting: int
    """Changes that are still to be told."""
    failing: int
    """Of these, those that were tried in vain."""
    given_up: int
    """Changes that could not be told for three days."""
    last_error: str | None
    secret: str | None = None
    """With which its requests are signed: once, when it is made."""
    told_again: int | None = None
    """How many changes `replay` has told again."""


def webhook(
    action: Annotated[Action, typer.Argument(help="add, list, rotate, end or replay.")] = "list",
    what: Annotated[
        str,
        typer.Argument(
            metavar="[WHAT]",
            help="add and list: an organisation's id; else a webhook's (WH-…).",
            callback=plain,
        ),
    ] = "",
    address: Annotated[
        str, typer.Argument(metavar="[ADDRESS]", help="add: https://…, where it is told.", callback=plain)
    ] = "",
    since: Annotated[
        str,
        typer.Option(
            metavar="YYYY-MM-DD", help="replay: all from this day on; else what was given up.", callback=plain
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Where platforms are told that something happened.

    add and rotate print the secret with which requests are signed, once; for a week after rotate, the former one signs,
    too. end: nothing is told there any more. replay: told again, under the same ids. It is the operator's to do: nobody's
    code is asked for.
    """
    _refuse_others(action, address, since)
    here = existing_workspace()
    if action == "list":
        _list(what, as_json=as_json)
        return
    if not what:
        expected = "the organisation's id" if action == "add" else "the webhook's id (WH-…)"
        raise InvalidInput("webhook", [Fault("WHAT", f"is needed: {expected}.")])
    match action:
        case "add":
            added = usecases.add(here, what, address)
            _tell(added.row, shown(added.secret), f"{added.row.id} is told from now on.", as_json=as_json)
        case "rotate":
            added = usecases.rotate(here, what)
            until = "For a week, the former secret signs, too."
            _tell(added.row, shown(added.secret), until, as_json=as_json)
        case "end":
            row = usecases.end(here, what)
            _tell(row, None, f"{row.id} is told nothing any more.", as_json=as_json)
        case "replay":
            day = day_given("webhook", "--since", since, "2026-09-01")
            row, again = usecases.replay(here, what, start_of_day(day) if day else None)
            changes = "1 change" if again == 1 else f"{again} changes"
            _tell(row, None, f"{row.id} is told {changes} again.", again, as_json=as_json)


def _refuse_others(action: Action, address: str, since: str) -> None:
    """Refuses what would be left out of account.

    Raises:
        InvalidInput: something was given that does not belong to the action.
    """
    faults = []
    if address and action != "add":
        faults.append(Fault("ADDRESS", f"does not go with {action}."))
    if since and action != "replay":
        faults.append(Fault("--since", f"does not go with {action}."))
    if faults:
        raise InvalidInput("webhook", faults)


def _tell(
    row: PlatformWebhook, secret: str | None, said: str, again: int | None = None, *, as_json: bool
) -> None:
    if as_json:
        how = usecases.waiting(existing_workspace(), row.id)
        emit(_shown(row, how).model_copy(update={"secret": secret, "told_again": again}))
        return
    if secret:
        say_plainly(secret)
        said = f"This is shown once. {said}"
    say(said, "green")


def _shown(row: PlatformWebhook, how: Waiting | None) -> ShownWebhook:
    return ShownWebhook(
        webhook=row.id,
        organisation=row.organisation,
        address=row.address,
        made_at=row.made_at,
        ended_at=row.ended_at,
        ended_because=row.ended_because,
        waiting=how.waiting if how else 0,
        failing=how.failing if how else 0,
        given_up=how.given_up if how else 0,
        last_error=how.last_error if how else None,
    )


def _list(organisation: str, *, as_json: bool) -> None:
    found = usecases.listed(existing_workspace(), organisation)
    rows = [_shown(row, how) for row, how in found]
    if as_json:
        emit([one.model_dump(exclude={"secret", "told_again"}) for one in rows])
        return
    table(
        "",
        ["webhook", "organisation", "address", "waiting", "failing", "given up", "last error", "ended"],
        [
            (
                one.webhook,
                one.organisation,
                one.address,
                one.waiting,
                one.failing,
                one.given_up,
                one.last_error or one.ended_because,
                one.ended_at,
            )
            for one in rows
        ],
    )
