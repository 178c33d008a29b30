"""What keeps everything going, by hand, and what does not go on: upkeep, stuck, recover."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from adapters.mail.post import send_due
from adapters.prefect.client import prefect_client
from adapters.workspace import existing_workspace
from cli.mending import command, said
from cli.output import emit, say, say_plainly, table
from cli.printed import ShownStuck
from cli.words import AsJson, plain, seconds
from labels.people.staff import known_organisation
from labels.views.stuck import Stuck
from usecases.recovering import PATIENCE, recover
from usecases.upkeep import keep_up, look_for_stuck
from usecases.webhooks import Called


def upkeep(as_json: AsJson = False) -> None:
    """Do now what upkeep does every ten minutes.

    Deadlines, reminders, lost runs, mail; twice is as once.
    """
    kept = keep_up(existing_workspace())
    left_out = said(kept.left_out) if kept.left_out else ""
    if as_json:
        not_stamped = said(kept.not_stamped) if kept.not_stamped else None
        emit(asdict(kept) | {"left_out": left_out or None, "not_stamped": not_stamped})
        return
    done = [("staff", one) for one in kept.left]
    done += [("deadline", one) for one in kept.deadlines]
    done += [("reminded", one) for one in kept.reminded]
    done += [("run", f"{application}: {did}") for application, did in kept.recovered.items()]
    done += [("gallery", str(year)) for year in kept.galleries]
    if done:
        table("", ["what", "which"], done)
    say(f"Mail: {kept.mail.sent} sent, {kept.mail.postponed} to be tried again, {kept.mail.failed} refused.")
    if kept.platforms != Called():
        say(f"Webhooks: {kept.platforms}.", "yellow" if kept.platforms.failed else "")
    if kept.sealed:
        say("Journal: one entry sealed." if kept.sealed == 1 else f"Journal: {kept.sealed} entries sealed.")
    for wrong in kept.wrong:
        say(wrong, "yellow")
    if kept.not_stamped:
        say(f"The head of the journal has no time stamp yet. {said(kept.not_stamped)}", "yellow")
    if left_out:
        say(f"Runs were left out. {left_out}", "yellow")
    else:
        say("Upkeep is done.", "green")


def stuck(
    organisation: Annotated[
        str, typer.Option(metavar="ID", help="Only what is of one organisation.", callback=plain)
    ] = "",
    as_json: AsJson = False,
) -> None:
    """What does not go on by itself.

    Why, whose turn it is, and the command that mends it.
    """
    here = existing_workspace()
    if organisation:
        with here.record.reading() as session:
            known_organisation(session, organisation)
    found = look_for_stuck(here)
    if organisation:
        found = [one for one in found if one.organisation in (organisation, None)]
    if as_json:
        emit([_shown(one) for one in found])
    elif found:
        table(
            "",
            ["what", "stands at", "awaits", "why", "what mends it"],
            [(one.subject, one.stage, one.awaits, one.reason, command(one.mend)) for one in found],
        )
    else:
        say_plainly("Nothing is stuck.")


def recover_(
    patience: Annotated[
        float, typer.Option(help="Seconds after which a run under way counts as lost.", callback=seconds)
    ] = PATIENCE.total_seconds(),
    as_json: AsJson = False,
) -> None:
    """Bring every open application back to its step.

    For after Prefect or a machine was lost.
    """
    here = existing_workspace()
    with prefect_client() as client:
        done = recover(here, client, patience=timedelta(seconds=patience))
    send_due(here)
    if as_json:
        emit([{"application": one.application, "did": one.did} for one in done])
    elif done:
        table("", ["application", "what was done"], [(one.application, one.did) for one in done])
    else:
        say("Every open application has its run.", "green")


def _shown(one: Stuck) -> ShownStuck:
    """What is stuck, with the command that mends it."""
    return ShownStuck(
        subject=one.subject,
        organisation=one.organisation,
        stage=one.stage,
        awaits=one.awaits,
        since=one.since,
        problem=one.problem,
        reason=one.reason,
        mend=command(one.mend),
    )
