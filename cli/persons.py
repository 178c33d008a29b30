"""`labels persons`: who may be one person, and what coordinators say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Literal, NamedTuple

import typer

from adapters.workspace import existing_workspace
from cli.acting import tell
from cli.output import emit, say, say_plainly, table
from cli.printed_people import ShownPlan
from cli.words import AsJson, WithoutAs, WithoutCode, WithoutReason, plain
from labels.answering.merging import Plan
from labels.errors import Fault, InvalidInput, NotAllowed
from labels.people.doubles import Found
from labels.steps.proof import Code
from labels.turn import Door
from usecases import merging as usecases
from usecases.acts import Act
from usecases.performing import perform

Action = Literal["list", "merge", "confirm", "different", "alike"]


def persons(
    action: Annotated[Action, typer.Argument(help="list, merge, confirm, different or alike.")] = "list",
    people: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PERSON]…", help="Ids (PER-…), addresses or teachers' numbers; or MRG-…."),
    ] = None,
    into: Annotated[
        str, typer.Option(metavar="PERSON", help="Who stays, of two who are one.", callback=plain)
    ] = "",
    word: Annotated[
        str,
        typer.Option("--plan", metavar="WORD", help="The word of the plan that was shown.", callback=plain),
    ] = "",
    email: WithoutAs = "",
    code: WithoutCode = "",
    reason: WithoutReason = "",
    as_json: AsJson = False,
) -> None:
    """Who may be one person, and what coordinators say of it.

    list: one name at a school or on a staff, one mailbox. merge A --into B: the plan; with --plan, --as, --code and
    --reason asks another coordinator, who confirms it. different A B: they are not one; alike A B takes that back. Codes: labels code ORGANISATION.
    """
    named = [plain(one) for one in people or []]
    match action:
        case "list":
            _list(as_json=as_json)
        case "merge":
            _needs(len(named) == 1 and bool(into), "PERSON and --into", "who goes and who stays")
            _merge(named[0], into, word, _Proof(email, code, reason), as_json=as_json)
        case "confirm":
            _needs(len(named) == 1, "MRG-…", "what was asked for")
            _confirm(named[0], _Proof(email, code, reason), as_json=as_json)
        case "different":
            _needs(len(named) > 1, "PERSON", "two or more who are different")
            _needs(bool(email and code and reason), "--as, --code and --reason", "who says so, and why")
            _do(usecases.tell_apart(named, reason), _Proof(email, code, reason), as_json=as_json)
        case "alike":
            _needs(len(named) > 1, "PERSON", "two or more who may be one after all")
            _needs(bool(email and code and reason), "--as, --code and --reason", "who says so, and why")
            _do(usecases.take_back(named, reason), _Proof(email, code, reason), as_json=as_json)


class _Proof(NamedTuple):
    """Who somebody says to be, their code, and their reason."""

    email: str
    code: str
    reason: str


def _needs(given: bool, what: str, why: str) -> None:
    if not given:
        raise InvalidInput("persons", [Fault(what, f"is needed: {why}.")])


def _do(act: Act, proof: _Proof, *, as_json: bool) -> None:
    by = Code(proof.code, proof.email)
    done = perform(existing_workspace(), act, by=by, door=Door.COMMAND_LINE)
    tell(done, done.accepted.made, as_json)


def _list(*, as_json: bool) -> None:
    found = usecases.who_may_be_one(existing_workspace())
    if as_json:
        emit([asdict(one) for one in found.groups])
    elif found.groups:
        tell_doubtful(found)
        say(
            "One person: labels persons merge PERSON --into PERSON. Not: labels persons different PERSON PERSON"
        )
    else:
        say("Nobody looks like somebody else.", "green")


def tell_doubtful(found: Found) -> None:
    """Who may be one person, a group under another."""
    rows: list[Sequence[object]] = []
    for group in found.groups:
        for place, one in enumerate(group.people):
            held = ", ".join(f"{each.capacity.value} {each.teacher or ''} {each.at}" for each in one.held)
            why = f"{group.because.value}, {group.where}" if not place else ""
            rows.append((why, one.name, one.address, " ".join(held.split()), one.person))
    table("\nMay be one person", ["because", "name", "address", "is", "person"], rows)
    if found.more:
        say("There are more: labels persons")


def _merge(gone: str, kept: str, word: str, proof: _Proof, *, as_json: bool) -> None:
    here = existing_workspace()
    pair = usecases.pair_of(here, gone, kept)
    if word:
        _needs(all(proof), "--as, --code and --reason", "who asks for it, and why")
        _do(usecases.ask(pair, word, proof.reason), proof, as_json=as_json)
        return
    shown = usecases.plan(here, pair)
    _show(shown, as_json=as_json)
    say(
        f"Nothing was changed. To ask for it: labels persons merge {pair.gone} --into {pair.kept} --plan {shown.word}"
        " --as EMAIL --code CODE --reason …"
    )


def _confirm(identifier: str, proof: _Proof, *, as_json: bool) -> None:
    here = existing_workspace()
    pair, reason = usecases.asked_for(here, identifier)
    if proof.code:
        _needs(bool(proof.email), "--as", "who confirms it")
        _do(usecases.confirm(identifier), proof, as_json=as_json)
        return
    _show(usecases.plan(here, pair), as_json=as_json)
    say(f"Asked for because: {reason}")
    say(f"Nothing was changed. To confirm it: labels persons confirm {identifier} --as EMAIL --code CODE")


def _show(shown: Plan, *, as_json: bool) -> None:
    if as_json:
        emit(
            ShownPlan(
                gone=shown.pair.gone,
                kept=shown.pair.kept,
                moves=dict(shown.moves),
                reveals=[one.worded for one in shown.reveals],
                blocked=list(shown.blocked),
                plan=None if shown.blocked else shown.word,
            )
        )
    else:
        say_plainly(f"{shown.pair.gone} becomes {shown.pair.kept}")
        if shown.moves:
            table("\nWhat moves", ["what", "how many"], list(shown.moves.items()))
        for one in shown.reveals:
            say_plainly(f"A conflict of interest comes to light: {one.worded}")
    if shown.blocked:
        raise NotAllowed(" ".join(shown.blocked))
