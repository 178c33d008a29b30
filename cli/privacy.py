"""`labels privacy`: what the record knows of a person is told to them, erased, kept for its period, or held."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from adapters.workspace import existing_workspace
from cli.output import emit, say, say_plainly, table
from cli.words import AsJson, WithoutReason, plain
from labels.errors import Fault, InvalidInput, NotAllowed
from labels.privacy.erasing import STAYS
from labels.privacy.retention import periods
from labels.words.text import has_words
from usecases import privacy as usecases

Action = Literal["export", "erase", "retention", "hold", "lift", "defer"]


def privacy(
    action: Annotated[Action, typer.Argument(help="export, erase, retention, hold, lift or defer.")],
    person: Annotated[
        str,
        typer.Argument(
            metavar="[PERSON]", help="An id (PER-…), an address, or a teacher's number.", callback=plain
        ),
    ] = "",
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="The ZIP of an export; else PERSON.zip.")
    ] = None,
    plan: Annotated[
        str,
        typer.Option(
            metavar="WORD", help="Erase as planned: the word that the plan ended with.", callback=plain
        ),
    ] = "",
    do: Annotated[
        bool, typer.Option("--do", help="Remove what is past its period, not only count it.")
    ] = False,
    reason: WithoutReason = "",
    as_json: AsJson = False,
) -> None:
    """What is known of a person: told, erased, kept.

    export: a ZIP for them. erase: a plan, and with --plan and --reason the erasure. retention: what is past its period.
    hold, lift: a legal hold, with --reason. defer: let the services run though whoever was erased came back with a restore.
    """
    if action == "retention":
        _retention(do=do, as_json=as_json)
        return
    if not person:
        raise InvalidInput(
            "privacy", [Fault("PERSON", "is needed: an id, an address, or a teacher's number.")]
        )
    if action == "export":
        _export(person, to, as_json=as_json)
    elif action == "erase":
        _erase(person, plan, reason, as_json=as_json)
    else:
        _hold(action, person, _needed(reason))


def _needed(reason: str) -> str:
    if not has_words(reason):
        raise InvalidInput("privacy", [Fault("--reason", "is needed: it stands in the journal.")])
    return reason


def _export(person: str, to: Path | None, *, as_json: bool) -> None:
    file = to or Path(f"{person.replace('/', '-')}.zip")
    documents = usecases.tell_person(existing_workspace(), person, file)
    if as_json:
        emit({"file": str(file), "documents": documents})
    else:
        say(f"{file}: data.json, your-data.txt and {documents} documents.", "green")


def _erase(person: str, word: str, reason: str, *, as_json: bool) -> None:
    here = existing_workspace()
    if word:
        erased, deleted = usecases.erase_person(here, person, word, _needed(reason))
        if as_json:
            emit({"person": erased.subject.person, "erased": dict(erased.counts), "left": deleted.left})
            return
        say(f"The data of {erased.subject.person} is erased.", "green")
        for outage in deleted.outages:
            say(f"Still to be deleted; upkeep tries again. {outage}", "yellow")
        return
    plan = usecases.plan_erasure(here, person)
    goes, blocked = dict(plan.erased.counts), list(plan.erased.blocked)
    if as_json:
        emit(
            {"person": plan.erased.subject.person, "goes": goes, "stays": STAYS, "blocked": blocked}
            | ({} if blocked else {"plan": plan.word})
        )
    else:
        say_plainly(f"Person {plan.erased.subject.person}")
        if goes:
            table("\nWhat goes", ["what", "how many"], list(goes.items()))
        table("\nWhat stays, and why", ["what", "why"], list(STAYS.items()))
    if blocked:
        raise NotAllowed(" ".join(blocked))
    say(f"Nothing was changed. To do it: labels privacy erase {person} --plan {plan.word} --reason …")


def _hold(action: Action, person: str, reason: str) -> None:
    here = existing_workspace()
    if action == "hold":
        subject = usecases.place_hold(here, person, reason)
        say(f"A legal hold lies on the data of {subject.person}.", "green")
    elif action == "defer":
        subject = usecases.defer_erasure(here, person, reason)
        say(f"labels up starts now; upkeep erases {subject.person} once nothing is in the way.", "green")
    else:
        subject = usecases.lift_hold(here, person, reason)
        say(f"The legal hold on the data of {subject.person} is lifted.", "green")


def _retention(*, do: bool, as_json: bool) -> None:
    here = existing_workspace()
    kept = periods(here.settings.retention)
    counts = usecases.let_periods_end(here, dry=not do)
    if as_json:
        emit({name: one.model_dump() | {"past": counts[name]} for name, one in kept.items()})
        return
    table(
        "",
        ["what", "days", "past its period", "purpose", "source"],
        [(one.what, one.days, counts[name], one.purpose, one.source) for name, one in kept.items()],
    )
    if do:
        say("What is past its period is removed.", "green")
    else:
        say("Nothing was changed; upkeep does it every night, and labels privacy retention --do now.")
