"""Two persons of the record are made one, or said to be different: what moves, what forbids it, and who says so.

Merging is asked for by one coordinator with the word of the plan that they saw, and done when another one confirms
it: all of it in one transaction, or nothing. A plan is the merging itself, in a transaction that is thrown away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering.organisation_codes import deciding_on
from labels.answering.uniting import MATTERS, Pair, merge
from labels.clock import brussels_day
from labels.errors import NotAllowed, NotFound
from labels.identifiers import short_digest
from labels.kinds import LabelKind
from labels.mail import messages, outbox
from labels.mail.outbox import Envelope
from labels.people.named import Recipient
from labels.people.persons import person
from labels.people.staff import those_who_coordinate
from labels.record.chain import ERASED, canonical
from labels.record.journal import Event, note
from labels.record.schema import (
    Application,
    DifferentPersons,
    Member,
    Organisation,
    PersonMerge,
    Review,
    School,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.reviews.revealing import InConflict
from labels.turn import Turn
from labels.words.addresses import without_tag


@dataclass(frozen=True, slots=True)
class Plan:
    """What making two persons one moves, and what forbids it."""

    pair: Pair
    moves: Mapping[str, int]
    """How many of what."""
    blocked: tuple[str, ...] = ()
    reveals: tuple[InConflict, ...] = ()
    """Reviews of somebody of whom it is known only then that they have a conflict of interest."""

    @property
    def word(self) -> str:
        """By which it is asked for: another one where something else that matters would move, or come to light.

        A sign-in, a reminder or a message of the mean time is not worth asking anew.
        """
        what = {name: number for name, number in sorted(self.moves.items()) if name in MATTERS}
        said = [self.pair.gone, self.pair.kept, what, [[one.application, one.step] for one in self.reveals]]
        return hashlib.sha256(canonical(said)).hexdigest()[:12]


# Acts ---------------------------------------------------------------------------------------------


def ask(turn: Turn, plan: Plan, word: str, reason: str) -> PersonMerge:
    """Asks for a second coordinator's word on merging two persons, as the plan shows it.

    Raises:
        NotAllowed: something forbids it, or something else would move than in the plan of that word.
    """
    _must_be(plan, word)
    pair = plan.pair
    if turn.person in (pair.gone, pair.kept):
        raise NotAllowed("Nobody says of themselves that they are somebody else, too.")
    number = turn.session.scalar(sa.select(sa.func.count()).select_from(PersonMerge)) or 0
    turn.session.execute(
        sa.delete(PersonMerge).where(
            PersonMerge.gone == pair.gone, PersonMerge.kept == pair.kept, PersonMerge.confirmed_at.is_(None)
        )
    )
    asked = PersonMerge(
        id=f"MRG-{short_digest('merge', pair.gone, pair.kept, number, turn.now.isoformat())}",
        gone=pair.gone,
        kept=pair.kept,
        plan=word,
        reason=reason,
        asked_by=turn.person,
        asked_at=turn.now,
        confirmed_by=None,
        confirmed_at=None,
    )
    turn.session.add(asked)
    turn.session.flush()
    note(
        turn,
        None,
        turn.by,
        Event.ASKED_TO_MERGE,
        merge=asked.id,
        gone=pair.gone,
        kept=pair.kept,
        because=reason,
    )
    _ask_others(turn, asked)
    return asked


def merge_of(session: Session, identifier: str) -> PersonMerge:
    """What was asked for under an id, and is not done yet.

    Raises:
        NotFound: nothing was.
        NotAllowed: it is done.
    """
    asked = session.get(PersonMerge, identifier)
    if asked is None:
        raise NotFound(f"There is no merging {identifier}.")
    if asked.confirmed_at is not None:
        raise NotAllowed(f"{identifier} is done: {asked.gone} is {asked.kept}.")
    return asked


def confirm(turn: Turn, asked: PersonMerge, plan: Plan) -> Plan:
    """Makes two persons one, as another coordinator than the one who asked for it.

    Raises:
        NotAllowed: it is the same person, who may be them, or is one of the two; something forbids it, or something
            else would move than was shown.
    """
    first, second = person(turn.session, asked.asked_by), person(turn.session, turn.person)
    if first.id == second.id or without_tag(first.address) == without_tag(second.address):
        raise NotAllowed(f"{first.address} asked for it; somebody else confirms it.")
    if second.id in (asked.gone, asked.kept):
        raise NotAllowed("Nobody says of themselves that they are somebody else, too.")
    _must_be(plan, asked.plan)
    done = merge(turn, plan.pair)
    asked.kept, asked.confirmed_by, asked.confirmed_at = plan.pair.kept, turn.person, turn.now
    turn.session.flush()
    note(
        turn,
        None,
        turn.by,
        Event.MERGED_PERSONS,
        merge=asked.id,
        gone=plan.pair.gone,
        kept=plan.pair.kept,
        asked_by=first.id,
        because=asked.reason,
        moved=dict(done),
    )
    return plan


def tell_apart(turn: Turn, people: Sequence[str], reason: str) -> int:
    """Keeps that people who may be one are different; of how many pairs nobody had said it.

    Raises:
        NotAllowed: fewer than two different people are named.
    """
    if len(set(people)) < 2:
        raise NotAllowed("Two different people or more are needed.")
    new = 0
    for one, other in _pairs(people):
        if turn.session.get(DifferentPersons, (one, other)) is None:
            new += 1
            turn.session.add(
                DifferentPersons(one=one, other=other, said_by=turn.person, said_at=turn.now, reason=reason)
            )
    if new:
        note(turn, None, turn.by, Event.TOLD_APART, persons=sorted(set(people)), because=reason)
    return new


def take_back(turn: Turn, people: Sequence[str], reason: str) -> None:
    """Takes back that people are different: they may be one again.

    Raises:
        NotAllowed: nobody said it of any two of them.
    """
    rows = [
        row
        for one, other in _pairs(people)
        if (row := turn.session.get(DifferentPersons, (one, other))) is not None
    ]
    if not rows:
        raise NotAllowed("Nobody said of them that they are different.")
    for row in rows:
        turn.session.delete(row)
    note(turn, None, turn.by, Event.NOT_TOLD_APART, persons=sorted(set(people)), because=reason)


def _pairs(people: Collection[str]) -> Iterator[tuple[str, str]]:
    ordered = sorted(set(people))
    return ((one, other) for place, one in enumerate(ordered) for other in ordered[place + 1 :])


def _must_be(plan: Plan, word: str) -> None:
    if plan.blocked:
        raise NotAllowed(" ".join(plan.blocked))
    if plan.word != word:
        raise NotAllowed(f"Something else would move than in the plan {word}; look at a new one.")


def _ask_others(turn: Turn, asked: PersonMerge) -> None:
    """Tells the other coordinators that one is needed."""
    gone, kept = person(turn.session, asked.gone), person(turn.session, asked.kept)
    first = person(turn.session, asked.asked_by)
    told: set[str] = {first.id, gone.id, kept.id}
    for organisation in sorted(deciding_on(turn.session, [asked.gone, asked.kept])):
        message = messages.MergeAsked(
            merge=asked.id,
            organisation=organisation,
            organisation_name=turn.session.get_one(Organisation, organisation).name,
            gone=f"{gone.name} ({gone.address}, {gone.id})",
            kept=f"{kept.name} ({kept.address}, {kept.id})",
            by=first.address,
            reason=asked.reason,
        )
        for one in those_who_coordinate(turn.session, organisation):
            if one.id not in told:
                told.add(one.id)
                outbox.queue(turn, message, Envelope(Recipient.of(one), (one.id,)))


# What forbids it ----------------------------------------------------------------------------------


def blocked(session: Session, pair: Pair) -> tuple[str, ...]:
    """Why two persons can't be made one, one sentence each."""
    gone, kept = person(session, pair.gone), person(session, pair.kept)
    if gone.id == kept.id:
        return ("They are one person already.",)
    reasons = [f"The data of {one.id} was erased." for one in (gone, kept) if one.name == ERASED]
    reasons += [
        f"{one.name} is whoever reads the mail of {organisation}, not one person."
        for one in (gone, kept)
        for organisation in session.scalars(sa.select(Organisation.id).where(Organisation.person == one.id))
    ]
    if told := session.get(DifferentPersons, tuple(sorted((gone.id, kept.id)))):
        reasons.append(
            f"{person(session, told.said_by).name} said on {brussels_day(told.said_at):%Y-%m-%d} that they are"
            f" different: {told.reason} Whoever knows better takes that back first."
        )
    seats = {one.id: _parts(session, one.id) for one in (gone, kept)}
    for one, other in ((gone, kept), (kept, gone)):
        for application in sorted(seats[one.id].reviewed & seats[other.id].near):
            reasons.append(
                f"{one.name} reviews {application}, in which {other.name} applies or takes part: one person may not."
                f"{_way_out(session, application, one.id)}"
            )
    for application in sorted(seats[gone.id].reviewed & seats[kept.id].reviewed):
        reasons.append(
            f"Both review {application}: two seats are two people's."
            f"{_way_out(session, application, gone.id) or _way_out(session, application, kept.id)}"
        )
    reasons += [
        f"Both gave an award in {application}: two answers are two people's."
        for application in sorted(seats[gone.id].awarded & seats[kept.id].awarded)
    ]
    return tuple(reasons)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The applications in which somebody has a part."""

    reviewed: frozenset[str]
    near: frozenset[str]
    """As applicant, member of the project, or at the school that applies."""
    awarded: frozenset[str]


def _parts(session: Session, who: str) -> _Parts:
    def found(query: sa.Select[Any]) -> frozenset[str]:
        return frozenset(session.scalars(query))

    of_step = sa.select(Step.application).where(Step.person == who)
    counts = sa.or_(
        Step.state.in_([StepState.OPEN, StepState.ASKED]),
        sa.exists().where(Review.step == Step.id, Review.void_at.is_(None)),
    )
    teachers = list(session.scalars(sa.select(Teacher.id).where(Teacher.person == who)))
    projects = sa.select(Member.project).where(Member.teacher.in_(teachers))
    schools = [
        *session.scalars(sa.select(Teacher.school).where(Teacher.person == who)),
        *session.scalars(sa.select(School.id).where(School.principal == who)),
    ]
    return _Parts(
        found(of_step.where(Step.kind == StepKind.REVIEW, counts)),
        found(sa.select(Application.id).where(Application.teacher.in_(teachers)))
        | found(sa.select(Application.id).where(Application.project.in_(projects)))
        | found(
            sa.select(Application.id).where(
                Application.label == LabelKind.SCHOOL, Application.school.in_(schools)
            )
        ),
        found(of_step.where(Step.kind == StepKind.AWARDING, Step.state == StepState.ANSWERED)),
    )


def _way_out(session: Session, application: str, who: str) -> str:
    """What makes it possible: a review that is only asked for is given to somebody else."""
    step = session.scalar(
        sa.select(Step.id).where(
            Step.application == application,
            Step.person == who,
            Step.kind == StepKind.REVIEW,
            Step.state.in_([StepState.OPEN, StepState.ASKED]),
        )
    )
    return f" Give {step} to somebody else first." if step else ""
