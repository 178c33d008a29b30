"""Two persons of the record are made one, or said to be different: what moves, what forbids it, and who says so.

Merging is asked for by one coordinator with the word of the plan that they saw, and done when another one confirms
it: all of it in one transaction, or nothing. A plan is the merging itself, in a transaction that is thrown away.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering.following import follow
from labels.answering.organisation_codes import deciding_on
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
    Address,
    Application,
    Award,
    Base,
    DifferentPersons,
    Member,
    Organisation,
    OrganisationCode,
    Person,
    PersonMerge,
    Review,
    School,
    SignIn,
    Staff,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.registry.entering import Correction
from labels.turn import Turn
from labels.words.addresses import without_tag


@dataclass(frozen=True, slots=True)
class Pair:
    """Two persons who are one: the one whose id goes, and the one who stays."""

    gone: str
    kept: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What making two persons one moves, and what forbids it."""

    pair: Pair
    moves: Mapping[str, int]
    """How many of what."""
    blocked: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """By which it is asked for: another one where something else would move."""
        what = [self.pair.gone, self.pair.kept, dict(sorted(self.moves.items()))]
        return hashlib.sha256(canonical(what)).hexdigest()[:12]


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
    """Keeps that people who may be one are different; how many pairs that is news of.

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
    note(turn, None, turn.by, Event.TOLD_APART, persons=sorted(set(people)), because=reason)
    return new


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


# What moves ---------------------------------------------------------------------------------------


def merge(turn: Turn, pair: Pair) -> Counter[str]:
    """Makes two persons one in the turn's transaction: all that refers to the one refers to the other; how many of what."""
    session = turn.session
    session.flush()
    moved = _counted(session, pair.gone)
    _follow_to_the_address(turn, pair)
    _keep_differences(session, pair)
    session.execute(sa.delete(OrganisationCode).where(OrganisationCode.person == pair.gone))
    session.execute(
        sa.delete(PersonMerge).where(
            PersonMerge.confirmed_at.is_(None),
            sa.or_(
                PersonMerge.gone == pair.kept,
                PersonMerge.kept == pair.gone,
                sa.and_(PersonMerge.gone == pair.gone, PersonMerge.kept != pair.kept),
            ),
        )
    )
    for column in referring():
        moved[_WHAT.get(column.table.name, column.table.name.replace("_", " "))] += _move(
            session, column, pair
        )
    kept = session.get_one(Person, pair.kept)
    session.execute(sa.delete(Address).where(Address.person == kept.id, Address.address == kept.address))
    session.execute(sa.delete(Person).where(Person.id == pair.gone))
    session.expire_all()
    return Counter({what: number for what, number in moved.items() if number})


_WHAT = {
    "teacher": "numbers of a teacher",
    "school": "schools that they lead",
    "staff": "places on a staff",
    "former_staff": "former places on a staff",
    "former_staff_school": "former schools",
    "step": "steps",
    "conflict": "conflicts of interest",
    "mail": "messages",
    "notice": "notices",
    "provider_account": "accounts of identity providers",
    "sign_in": "sessions",
    "address": "other addresses",
    "legal_hold": "legal holds",
    "kept_form": "forms that were kept",
}
"""What a plan calls the rows of a table."""


def referring() -> Iterator[sa.Column[Any]]:
    """Every column of the record that names a person by their id and is changed when two are made one."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            names_one = any(key.column is Person.__table__.c.id for key in column.foreign_keys)
            if names_one or column is SignIn.__table__.c.person:
                yield column


def _move(session: Session, column: sa.Column[Any], pair: Pair) -> int:
    """Gives the rows of one person to another, less those that the other has already."""
    table = column.table
    keys = [set(table.primary_key.columns)]
    keys += [set(one.columns) for one in table.constraints if isinstance(one, sa.UniqueConstraint)] + [
        set(one.columns) for one in table.indexes if one.unique
    ]
    for key in keys:
        if column not in key:
            continue
        theirs = table.alias()
        same = [theirs.c[one.name] == one for one in key if one is not column]
        session.execute(
            sa.delete(table).where(
                column == pair.gone,
                sa.exists(sa.select(1).select_from(theirs).where(theirs.c[column.name] == pair.kept, *same)),
            )
        )
    done = session.execute(sa.update(table).where(column == pair.gone).values({column: pair.kept}))
    return cast("sa.CursorResult[Any]", done).rowcount


def _counted(session: Session, gone: str) -> Counter[str]:
    """What moves with a teacher's number or a step, and has no column of its own for the person."""
    teachers = list(session.scalars(sa.select(Teacher.id).where(Teacher.person == gone)))

    def number(query: sa.Select[Any]) -> int:
        return session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0

    return Counter(
        {
            "reviews": number(
                sa.select(Review.step).join(Step, Step.id == Review.step).where(Step.person == gone)
            ),
            "applications": number(sa.select(Application.id).where(Application.teacher.in_(teachers))),
            "awards": number(sa.select(Award.id).where(Award.teacher.in_(teachers))),
            "memberships of projects": number(
                sa.select(Member.project, Member.teacher).where(Member.teacher.in_(teachers))
            ),
        }
    )


def _follow_to_the_address(turn: Turn, pair: Pair) -> None:
    """What is asked of them goes to the address that stays, with new codes; their own is read still, if a row has it."""
    session = turn.session
    gone, kept = session.get_one(Person, pair.gone), session.get_one(Person, pair.kept)
    former = gone.address
    gone.name, gone.language = kept.name, kept.language
    if former == kept.address:
        session.flush()
        return
    gone.address = kept.address
    session.flush()
    follow(turn, [Correction(gone.id, kept.name, former, kept.address, "merged")])
    session.execute(sa.delete(Address).where(Address.person == kept.id, Address.address == former))
    until = None if _is_named(session, former) else brussels_day(turn.now)
    session.add(Address(person=kept.id, address=former, since=None, until=until))
    session.flush()


def _is_named(session: Session, address: str) -> bool:
    return any(
        session.scalar(sa.select(sa.literal(1)).where(column == address).limit(1))
        for column in (Staff.email, Teacher.email, School.principal_email)
    )


def _keep_differences(session: Session, pair: Pair) -> None:
    """Of whom the one is different, the other is; of each other they are not."""
    rows = session.scalars(
        sa.select(DifferentPersons).where(
            sa.or_(DifferentPersons.one == pair.gone, DifferentPersons.other == pair.gone)
        )
    ).all()
    for row in rows:
        third = row.other if row.one == pair.gone else row.one
        one, other = sorted((third, pair.kept))
        if third != pair.kept and session.get(DifferentPersons, (one, other)) is None:
            session.add(
                DifferentPersons(
                    one=one, other=other, said_by=row.said_by, said_at=row.said_at, reason=row.reason
                )
            )
        session.delete(row)
    session.flush()
