"""Who is one person: two coordinators make two persons one, or one says that they are different."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from adapters.workspace import Workspace
from labels.answering import merging
from labels.answering.merging import Plan
from labels.answering.organisation_codes import deciding_on
from labels.answering.uniting import Pair, merge
from labels.errors import NotAllowed
from labels.mending import ReopenDecision
from labels.people.doubles import Found, doubtful
from labels.people.persons import behind, person
from labels.privacy.subject import find
from labels.record.schema import Cause, PersonMerge
from labels.reviews.revealing import in_conflict
from labels.steps.outcome import Accepted
from labels.turn import Turn
from usecases.acts import Act, as_coordinator_of, needs_words


class _PlanOnly(Exception):
    """Takes a plan out of the part of a transaction in which it was made, which is thrown away."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("only planned")
        self.plan = plan


def who_may_be_one(here: Workspace, most: int | None = None) -> Found:
    """Everybody who may be somebody else of the record; at most `most` groups in full."""
    with here.record.reading() as session:
        return doubtful(session, most)


def pair_of(here: Workspace, gone: str, kept: str) -> Pair:
    """Two persons whom somebody names by ids, addresses or teachers' numbers.

    Raises:
        NotFound: nobody is known by one of these.
        NotAllowed: several people are, or both are one person already.
    """
    with here.record.reading() as session:
        pair = Pair(find(session, gone).person, find(session, kept).person)
    if pair.gone == pair.kept:
        raise NotAllowed(f"{gone} and {kept} are one person already.")
    return pair


def asked_for(here: Workspace, identifier: str) -> tuple[Pair, str]:
    """The two persons of a merging that waits for a second coordinator, and its reason.

    Raises:
        NotFound, NotAllowed: there is none, or it is done.
    """
    with here.record.reading() as session:
        asked = merging.merge_of(session, identifier)
        return Pair(asked.gone, asked.kept), asked.reason


def plan(here: Workspace, pair: Pair) -> Plan:
    """What making two persons one would move; changes nothing."""
    try:
        with here.record.writing() as session:
            raise _PlanOnly(_planned(here.turn(session), pair))
    except _PlanOnly as planned:
        return planned.plan


def _planned(turn: Turn, pair: Pair) -> Plan:
    """The plan, by doing it in a part of the transaction that is thrown away."""
    person(turn.session, pair.gone), person(turn.session, pair.kept)
    if why := merging.blocked(turn.session, pair):
        return Plan(pair, {}, why)
    people = _who_reads_their_mail(turn.session, pair)
    known = {one.step for one in in_conflict(turn.session, people)}
    try:
        with turn.session.begin_nested():
            moves = merge(turn, pair)
            then = in_conflict(turn.session, people - {pair.gone})
            reveals = tuple(one for one in then if one.step not in known)
            raise _PlanOnly(Plan(pair, moves, reveals=reveals))
    except _PlanOnly as planned:
        turn.session.expire_all()
        return planned.plan


def _who_reads_their_mail(session: Session, pair: Pair) -> set[str]:
    """Both, and everybody with an address of theirs, to whom the same people are close."""
    people = [person(session, pair.gone), person(session, pair.kept)]
    return {each.id for one in people for each in behind(session, one.address)} | {one.id for one in people}


def ask(pair: Pair, word: str, reason: str) -> Act:
    """A coordinator says that two persons are one, as in the plan of that word; another one is asked to confirm it."""

    def do(turn: Turn) -> Accepted:
        needs_words(reason)
        asked = merging.ask(turn, _planned(turn, pair), word, reason)
        remark = f"{asked.id}: another coordinator has to confirm it."
        return Accepted("", remark, made=asked.id, concerned=())

    return as_coordinator_of(lambda session: deciding_on(session, [pair.gone, pair.kept]), do)


def confirm(identifier: str) -> Act:
    """Another coordinator confirms it: two persons are one from then on."""

    def asked(session: Session) -> PersonMerge:
        return merging.merge_of(session, identifier)

    def do(turn: Turn) -> Accepted:
        one = asked(turn.session)
        pair = Pair(one.gone, one.kept)
        done = merging.confirm(turn, one, _planned(turn, pair))
        remark = f"{pair.gone} is {pair.kept} now."
        if done.reveals:
            found = " ".join(each.worded for each in done.reveals)
            remark = f"{remark} With it a conflict of interest came to light. {found}"
        decided = [each.application for each in done.reveals if each.outcome is not None]
        return Accepted(
            "",
            remark,
            made=pair.kept,
            concerned=tuple(dict.fromkeys(each.application for each in done.reveals if each.outcome is None)),
            mend=ReopenDecision(decided[0], Cause.CONFLICT) if decided else None,
        )

    def whose(session: Session) -> frozenset[str]:
        one = asked(session)
        return deciding_on(session, [one.gone, one.kept])

    return as_coordinator_of(whose, do)


def tell_apart(people: Sequence[str], reason: str) -> Act:
    """A coordinator says that people who may be one are different."""

    def do(turn: Turn) -> Accepted:
        needs_words(reason)
        ids = [find(turn.session, one).person for one in people]
        new = merging.tell_apart(turn, ids, reason)
        known = "" if new else ", as was known"
        return Accepted("", f"{len(set(ids))} people are different{known}.", concerned=())

    return as_coordinator_of(_deciding_on(people), do)


def take_back(people: Sequence[str], reason: str) -> Act:
    """A coordinator takes back that people are different, whoever said it."""

    def do(turn: Turn) -> Accepted:
        needs_words(reason)
        ids = [find(turn.session, one).person for one in people]
        merging.take_back(turn, ids, reason)
        return Accepted("", f"{len(set(ids))} people may be one again.", concerned=())

    return as_coordinator_of(_deciding_on(people), do)


def _deciding_on(people: Sequence[str]) -> Callable[[Session], frozenset[str]]:
    return lambda session: deciding_on(session, [find(session, one).person for one in people])
