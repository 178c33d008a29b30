"""What coordinators do about many applications at once: a plan that is shown first, and carried out as one act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy.orm import Session

from adapters.workspace import Workspace
from labels.answering import many
from labels.answering.carrying_out import carry_out
from labels.answering.many import MOST, Chosen, What, Wish
from labels.answering.many_file import read
from labels.errors import NotAllowed, NotFound
from labels.people.persons import named
from labels.steps.outcome import Accepted, Refusal
from labels.steps.proof import Proof
from labels.turn import Turn
from labels.views.applications import Filters, Scope, those_of
from labels.views.many import PAGE, PlanShown, not_kept, shown
from labels.words.sentences import say
from usecases.acts import Act, as_coordinator_of, needs_words

__all__ = ["PAGE", "WOKEN", "Selection", "confirm", "look", "plan", "plan_again", "plan_of"]

WOKEN = 5
"""Applications whose runs look at the record at once; upkeep sees to the others within ten minutes."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which applications somebody chose: all that filters leave, some by their numbers, or the rows of a file."""

    filters: Filters = field(default_factory=Filters)
    numbers: tuple[str, ...] = ()
    file: Path | None = None
    file_name: str = ""


def plan(here: Workspace, who: str, organisations: Sequence[str], wish: Wish, which: Selection) -> str:
    """Keeps a plan of what would be done, for the coordinator `who`; its id. Nothing else is changed.

    Raises:
        LabelsError: as `labels.answering.many.plan`; nothing is chosen, or there is no reason.
    """
    needs_words(wish.reason)
    with here.record.reading() as session:
        made = _made(here, session, who, organisations, wish, which)
    return _keep(here, who, made)


def _keep(here: Workspace, who: str, made: many.Plan) -> str:
    """Keeps a plan that was made while others wrote: what has changed since is found when it is carried out."""
    with here.record.writing() as session:
        return many.keep(session, who, made, here.now())


def look(here: Workspace, who: str, organisations: Sequence[str], wish: Wish, which: Selection) -> PlanShown:
    """The same plan whole, kept nowhere.

    Raises:
        LabelsError: as `plan`.
    """
    with here.record.reading() as session:
        made = _made(here, session, who, organisations, wish, which)
        return not_kept(session, who, made, here.now())


def _made(
    here: Workspace,
    session: Session,
    who: str,
    organisations: Sequence[str],
    wish: Wish,
    which: Selection,
) -> many.Plan:
    now = here.now()
    own = frozenset(organisations)
    if which.file is not None:
        chosen = read(which.file, which.file_name or which.file.name)
    elif which.numbers:
        chosen = [Chosen(one) for one in dict.fromkeys(which.numbers)]
    else:
        found = those_of(session, Scope(own, own), now, which.filters, MOST + 1)
        chosen = [Chosen(one) for one in found]
    if not chosen:
        raise NotAllowed(say("No application is chosen."))
    if wish.what is What.REASSIGN and not wish.whose and which.filters.reviewer:
        wish = replace(wish, whose=which.filters.reviewer)
    return many.plan(session, who, own, wish, chosen, now)


def plan_of(
    here: Workspace, identifier: str, who: str, *, first: int = 0, limit: int | None = None
) -> PlanShown:
    """A plan as it was shown to whoever made it; whole, or a page from a row on.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    with here.record.reading() as session:
        somebody = named(session, who)
        if somebody is None:
            raise NotFound(f"There is no plan {identifier}.")
        return shown(session, identifier, somebody.id, first=first, limit=limit)


def plan_again(here: Workspace, identifier: str, who: str, organisations: Sequence[str]) -> str:
    """The same plan as things are now: each row as it was planned, where it still can be done; its id.

    Where the rules chose who reviews, they choose again.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    with here.record.reading() as session:
        _, former = many.kept(session, identifier, who)
        chosen = [
            Chosen(one.application, one.step, "" if one.why else one.to, one.until) for one in former.rows
        ]
        made = many.plan(session, who, frozenset(organisations), former.wish, chosen, here.now())
    return _keep(here, who, made)


def confirm(identifier: str) -> Act:
    """Carries out what was planned, all of it or nothing; done before, it stays so."""

    def do(turn: Turn) -> Accepted:
        done = carry_out(turn, identifier)
        if done.already:
            return Accepted("", "It was carried out already.", made=identifier, concerned=())
        tasks = "1 task" if done.number == 1 else f"{done.number} tasks"
        later = len(done.applications) - WOKEN
        rest = " The runs of some follow with the next upkeep." if later > 0 else ""
        return Accepted(
            "",
            f"{identifier} is carried out: {tasks}.{rest}",
            made=identifier,
            concerned=done.applications[:WOKEN],
        )

    def act(turn: Turn, proof: Proof) -> Accepted | Refusal:
        organisations = many.organisations_of(turn.session, identifier)
        if not organisations:
            raise NotFound(f"There is no plan {identifier}.")
        return as_coordinator_of(lambda session: organisations, do)(turn, proof)

    return act
