"""`labels keys`: which keys there are, and how they are replaced."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from adapters.workspace import Workspace, existing_workspace
from cli.output import emit, say, say_plainly, table
from cli.words import AsJson, day_given, plain
from labels.clock import end_of_day, in_words, start_of_day
from labels.errors import Fault, InvalidInput
from labels.record.schema import KeyKind
from labels.settings import SIGNING_FORMER
from labels.words.text import one_line
from usecases import keys as usecases

Action = Literal["list", "rotate", "end"]
_SHOWN = 20


def keys(
    action: Annotated[Action, typer.Argument(help="list, rotate or end.")] = "list",
    which: Annotated[
        str,
        typer.Argument(
            metavar="[KIND]",
            help="secret or signing; to end one, 8 letters of its mark at least.",
            callback=plain,
        ),
    ] = "",
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The new signing key, with its certificate.")
    ] = None,
    leaked: Annotated[
        bool, typer.Option("--leaked", help="Others may have it: what was made with it ends at once.")
    ] = False,
    since: Annotated[
        str,
        typer.Option(metavar="YYYY-MM-DD", help="Since when others may have a signing key.", callback=plain),
    ] = "",
    until: Annotated[
        str,
        typer.Option(
            metavar="YYYY-MM-DD", help="The last day on which a former secret key counts.", callback=plain
        ),
    ] = "",
    do: Annotated[bool, typer.Option("--do", help="Do it, not only say what it would do.")] = False,
    as_json: AsJson = False,
) -> None:
    """Which keys there are; replace one, or end a former one.

    rotate secret: a new secret.key. rotate signing FILE: another key for papers. end MARK: what a former key made counts
    no more. Without --do they only say what they would do. No output names a key itself.
    """
    _refuse_others(
        action, which, {"FILE": file, "--leaked": leaked, "--since": since, "--until": until, "--do": do}
    )
    here = existing_workspace()
    if action == "list":
        _list(here, as_json=as_json)
    elif action == "end":
        _end(here, which, do=do, as_json=as_json)
    elif which == "secret":
        _secret(here, leaked=leaked, until=until, do=do, as_json=as_json)
    else:
        if file is None:
            raise InvalidInput("keys", [Fault("FILE", "is needed: the new key, with its certificate.")])
        day = day_given("keys", "--since", since, "2026-09-01")
        from_day = start_of_day(day) if day else None
        if leaked and from_day is None:
            raise InvalidInput("keys", [Fault("--since", "is needed: since when others may have the key.")])
        _signing(here, file, from_day, do=do, as_json=as_json)


_BELONGS = {
    "list": frozenset[str](),
    "end": frozenset({"--do"}),
    "secret": frozenset({"--leaked", "--until", "--do"}),
    "signing": frozenset({"FILE", "--leaked", "--since", "--do"}),
}
"""What may be given with an action, or with the kind of key that is rotated."""


def _refuse_others(action: Action, which: str, given: dict[str, object]) -> None:
    """Refuses what would be left out of account.

    Raises:
        InvalidInput: the kind is none, or something was given that does not belong to the action.
    """
    if action == "rotate" and which not in list(KeyKind):
        problem = f"{one_line(which, 40) or 'nothing'} is no kind of key."
        raise InvalidInput("keys", [Fault("KIND", problem, "Write secret or signing.")])
    what = f"rotate {which}" if action == "rotate" else action
    faults = [
        Fault(name, f"does not go with {what}.")
        for name, one in given.items()
        if one and name not in _BELONGS[which if action == "rotate" else action]
    ]
    if action == "list" and which:
        faults.append(Fault(one_line(which, 40), "does not go with list, which takes no word."))
    if given["--since"] and not given["--leaked"] and not faults:
        faults.append(Fault("--since", "goes with --leaked: since when others may have the key."))
    if given["--until"] and given["--leaked"] and not faults:
        faults.append(Fault("--until", "does not go with --leaked, which ends all of it at once."))
    if faults:
        raise InvalidInput("keys", faults)


def _list(here: Workspace, *, as_json: bool) -> None:
    found = usecases.generations(here)
    if as_json:
        emit([asdict(one) for one in found])
        return
    table(
        "",
        ["kind", "mark", "in force from", "to", "counts until", "leaked", "here"],
        [
            (
                one.kind.value,
                one.mark[:16],
                _when(one.begun_at),
                _when(one.ended_at),
                _when(one.until),
                _when(one.leaked_from),
                "yes" if one.here else "no",
            )
            for one in found
        ],
    )


def _when(at: datetime | None) -> str:
    return in_words(at) if at else ""


def _secret(here: Workspace, *, leaked: bool, until: str, do: bool, as_json: bool) -> None:
    last = day_given("keys", "--until", until, "2026-09-01")
    plan = usecases.plan_secret(here, leaked=leaked, until=end_of_day(last) if last else None)
    if do:
        ended = usecases.rotate_secret(here, plan)
        done = asdict(plan) | {"ends": asdict(ended) if ended else None, "done": True}
    else:
        done = asdict(plan) | {"done": False}
    if as_json:
        emit(done)
        return
    say_plainly(usecases.told(plan))
    if do:
        say("The secret key is replaced.", "green")
        say(
            "Copy secret.key and secret.former to each other machine of this record, and to where keys are kept."
        )
    else:
        how = f"{' --leaked' if leaked else ''}{f' --until {until}' if until else ''}"
        say(f"Nothing was changed. To do it: labels keys rotate secret{how} --do")


def _signing(here: Workspace, file: Path, leaked_from: datetime | None, *, do: bool, as_json: bool) -> None:
    plan = usecases.plan_signing(here, file, leaked_from)
    if do:
        usecases.rotate_signing(here, plan)
    if as_json:
        emit(
            {
                "former": plan.former,
                "new": plan.new.fingerprint,
                "valid_until": plan.new.until,
                "leaked_from": plan.leaked_from,
                "doubtful": plan.doubtful,
                "done": do,
            }
        )
        return
    say_plainly(f"New certificate {plan.new.fingerprint[:16]}, valid until {in_words(plan.new.until)}.")
    if plan.leaked_from is None:
        say_plainly("The former one stays published: what it signed is checked as before.")
    else:
        say_plainly("The former one is published no more: credentials in wallets are to be fetched anew.")
        say_plainly(
            f"Papers that were signed since it leaked, which is said to whoever checks one: {len(plan.doubtful)}."
        )
        for paper in plan.doubtful[:_SHOWN]:
            say_plainly(f"  {paper}")
        if len(plan.doubtful) > _SHOWN:
            say_plainly("  … all of them with --json")
        say_plainly("A coordinator issues a certificate anew with `labels reissue`.")
    if do:
        say("The signing key is replaced.", "green")
        say(f"On this machine. {_elsewhere(here, leaked=leaked_from is not None)}")
    else:
        say_plainly(
            f"It replaces the file of this machine. {_elsewhere(here, leaked=leaked_from is not None)}"
        )
        say("Nothing was changed. The same with --do does it.")


def _elsewhere(here: Workspace, *, leaked: bool) -> str:
    """What is to be copied to other machines once the signing key is replaced; after a leak no certificate is kept."""
    key, former = here.settings.signing_key, here.settings.home / SIGNING_FORMER
    files = f"{key}" if leaked and not former.exists() else f"{key} and {former}"
    return (
        f"Copy {files} to each other machine with this record, into the file of its LABELS_SIGNING_KEY and its home, and to "
        "where keys are kept. Until then papers are signed with the former key there."
    )


def _end(here: Workspace, mark: str, *, do: bool, as_json: bool) -> None:
    plan = usecases.plan_end(here, mark)
    if do:
        usecases.end(here, plan)
    if as_json:
        emit({"kind": plan.kind, "mark": plan.mark, "until": plan.until, "done": do})
    elif do:
        say(f"The former {plan.kind.value} key {plan.mark[:16]} counts no more.", "green")
    else:
        if plan.kind is KeyKind.SECRET:
            ends = f"Links and forms that were made with the former secret key {plan.mark[:16]} would end at once"
            say_plainly(f"{ends}; otherwise on {_when(plan.until)}.")
        else:
            ends = f"The former signing key {plan.mark[:16]} would be published no more"
            say_plainly(f"{ends}: credentials that were signed with it would prove nothing.")
        say(f"Nothing was changed. To do it: labels keys end {plan.mark[:16]} --do")
