"""`labels assign`: reviewers for all applications of an organisation that wait for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from adapters.workspace import existing_workspace
from cli.acting import tell
from cli.output import emit, say, say_plainly, table
from cli.printed_people import ShownAssignment
from cli.words import AsJson, WithoutAs, WithoutCode, plain
from labels.errors import Fault, InvalidInput
from labels.reviews.plan import Choice
from labels.reviews.suiting import Drawback
from labels.steps.proof import Code
from labels.turn import Door
from usecases import assigning
from usecases.assigning import Planned
from usecases.performing import perform


def assign(
    organisation: Annotated[str, typer.Argument(metavar="ORGANISATION", callback=plain)],
    word: Annotated[
        str,
        typer.Option("--plan", metavar="WORD", help="The word of the plan that was shown.", callback=plain),
    ] = "",
    wishes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="First keep what reviewers wish: a table of reviewer, application, wish (yes, maybe, rather not, none).",
        ),
    ] = None,
    email: WithoutAs = "",
    code: WithoutCode = "",
    as_json: AsJson = False,
) -> None:
    """Assign reviewers to all applications that wait for them, at once.

    Shows the plan first: nobody with a conflict of interest, loads as even as can be, then what the rules weigh. With
    --plan, --as and --code everybody in it is asked, or nobody. Codes: labels code ORGANISATION.
    """
    if (word or email or code) and not (word and email and code):
        remedy = "Nothing was done. Without any of them, the plan is shown."
        raise InvalidInput("assign", [Fault("--plan, --as and --code", "are needed together.", remedy)])
    here = existing_workspace()
    if wishes is not None:
        rows = assigning.take_over_wishes(here, organisation, wishes)
        say(f"{rows} wishes are kept.")
    planned = assigning.plan(here, organisation)
    if word:
        done = perform(here, assigning.assign(planned, word), by=Code(code, email), door=Door.COMMAND_LINE)
        tell(done, done.accepted.made, as_json)
    elif as_json:
        emit(_shown(planned))
    elif not planned.task.seats:
        say(f"No application of {organisation} waits for a reviewer.", "green")
    else:
        _tell(planned)


def _shown(planned: Planned) -> ShownAssignment:
    choices = [one for plan in planned.plans for one in plan.choices]
    return ShownAssignment(
        organisation=planned.task.organisation,
        plan=planned.word,
        choices=[
            ShownAssignment.Chosen(
                application=one.application,
                reviewer=planned.people[one.person][1],
                costs={what.value: cost for what, cost in one.costs.items()},
                reviews=one.load,
                next=planned.people[one.following][1] if one.following else None,
                extra=one.extra if one.following else None,
            )
            for one in choices
        ],
        empty={application: many for plan in planned.plans for application, many in plan.empty.items()},
        cost=sum(plan.cost for plan in planned.plans),
        at_least=sum(plan.bound for plan in planned.plans),
    )


def _tell(planned: Planned) -> None:
    choices = [one for plan in planned.plans for one in plan.choices]
    rows = [
        (one.application, planned.people[one.person][1], _against(one.costs), one.load, _next(planned, one))
        for one in choices
    ]
    table("Plan", ["application", "reviewer", "against", "reviews", "next, and what that would cost"], rows)
    empty = [(application, many) for plan in planned.plans for application, many in plan.empty.items()]
    if empty:
        table("\nNobody can take", ["application", "seats"], empty)
    loads = [load for plan in planned.plans for load in plan.loads.values()]
    cost, bound = sum(one.cost for one in planned.plans), sum(one.bound for one in planned.plans)
    proved = "the least there is" if cost <= bound else f"at least {bound}"
    say_plainly(f"\nReviews a person: {min(loads)} to {max(loads)}. Cost: {cost} ({proved}).")
    say("Nothing was changed. To have everybody asked:")
    organisation = planned.task.organisation
    say(f"  labels code {organisation} --as EMAIL")
    say(f"  labels assign {organisation} --plan {planned.word} --as EMAIL --code CODE")


def _against(costs: Mapping[Drawback, int]) -> str:
    return ", ".join(f"{what} {cost:+d}" for what, cost in costs.items()) or "nothing"


def _next(planned: Planned, one: Choice) -> str:
    if one.following is None:
        return "nobody else, without loads less even"
    return f"{planned.people[one.following][1]}, " + (f"{one.extra:+d}" if one.extra else "as good: drawn")
