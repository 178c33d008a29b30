"""What follows when somebody leaves a staff: what is open goes to others, codes and sessions end, each is told once."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import brussels_day
from labels.errors import NotAllowed, NotFound
from labels.european_label import awarding, screening
from labels.mail import messages, outbox
from labels.mail.message import Template
from labels.mail.outbox import Envelope
from labels.people.leaving import Left, come_back, take_effect
from labels.people.named import Recipient, recipient
from labels.people.persons import behind, surviving
from labels.people.roles import Role
from labels.people.staff import OPERATOR, coordinates, coordinators, has_role
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import (
    Application,
    FormerStaff,
    Mail,
    Organisation,
    Person,
    Project,
    School,
    Staff,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.reviews import asking
from labels.sessions import session as sessions
from labels.steps.kinds import STEPS, Power
from labels.steps.step import close_step, locked, steps_of
from labels.turn import Turn
from labels.words.sentences import Sentence, named


@dataclass(frozen=True, slots=True)
class Departure:
    """Somebody who left the staff of an organisation, or has one role less there, and where what was asked of them
    goes to somebody else."""

    person: str
    name: str
    address: str
    organisation: str
    roles: tuple[str, ...]
    """Those that ended."""
    left_on: date
    applications: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    """The roles that they have there still."""
    handed: tuple[messages.ColleagueLeft.Handed, ...] = ()
    """What others have now, and who."""

    @property
    def ended(self) -> tuple[str, ...]:
        """The roles that they have no longer: with two addresses, one row of a role may end and the role go on."""
        return tuple(role for role in self.roles if role not in self.stays)

    @property
    def worded(self) -> str:
        """What they are not any more, for the operator's lists and the reasons that the record keeps."""
        if not self.stays:
            return f"no longer on the staff of {self.organisation}"
        what = " and ".join(self.ended) or "with two addresses on the staff"
        return f"no longer {what} of {self.organisation}"


def settle(turn: Turn, left: Iterable[Left]) -> list[Departure]:
    """Does what follows from roles that ended, for each person and organisation at once."""

    def who(one: Left) -> tuple[str, str]:
        return one.organisation, one.person

    turn.session.expire_all()  # the rows went behind the session's back
    by_person = sorted(left, key=who)
    _lock(turn.session, by_person)
    return [_settle(turn, list(roles)) for _, roles in itertools.groupby(by_person, key=who)]


def end_due(turn: Turn) -> list[Departure]:
    """Lets everybody leave whose day has come, as upkeep does."""
    return settle(turn, take_effect(turn.session.connection(), brussels_day(turn.now)))


# By hand ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose place on a staff is meant, and which where they have several; all of them where nothing else is said."""

    named: str
    """An address, or a person's id."""
    organisation: str = ""
    role: str = ""


def leave(turn: Turn, whose: Whose, on: date) -> list[Departure]:
    """Somebody leaves a staff, now or on a day to come; what followed now. Whose day has come besides is upkeep's.

    Raises:
        NotFound: nobody of that name is on such a staff.
        NotAllowed: several people read that address.
    """
    rows = _meant(turn.session, Staff, whose)
    if not rows:
        raise NotFound(f"{whose.named} is on no such staff.")
    for row in rows:
        row.left_on, row.left_by = on, OPERATOR
        _note(turn, Event.TO_LEAVE_A_STAFF, row, left_on=on.isoformat())
    turn.session.flush()
    today, person = brussels_day(turn.now), rows[0].person
    left = take_effect(turn.session.connection(), today, organisation=whose.organisation, person=person)
    return settle(turn, left)


class AddressTaken(NotAllowed):
    """Somebody can't be back on a staff: their address is on a staff in that role as somebody else's."""

    def __init__(self, former: FormerStaff, now: Staff) -> None:
        self.former, self.now = former, now
        super().__init__(
            f"{former.email} is {now.name}'s now, as {now.role} of {now.organisation}: import a staff.csv"
            f" with another address of {former.name}."
        )


def rejoin(turn: Turn, whose: Whose) -> list[Staff]:
    """Somebody who left a staff, or is to leave it, is on it; the rows that they have.

    Raises:
        NotFound: nobody of that name left such a staff.
        AddressTaken: it is somebody else's in that role now.
        NotAllowed: several people read that address, or they had that role with it in several organisations.
    """
    staying = [row for row in _meant(turn.session, Staff, whose) if row.left_on]
    former = _meant(turn.session, FormerStaff, whose)
    if not staying and not former:
        raise NotFound(f"{whose.named} left no such staff.")
    for one in former:
        other = turn.session.get(Staff, (one.email, one.role))
        if other is not None:
            raise AddressTaken(one, other)
    for (email, role), rows in _by_key(former).items():
        if len(rows) > 1:
            where = " and ".join(one.organisation for one in rows)
            raise NotAllowed(
                f"{email} was {role} of {where}, and can be {role} of one of them: name the organisation."
            )
    for row in staying:
        row.left_on = row.left_by = None
    keys = [(row.email, row.role) for row in (*staying, *former)]
    come_back(turn.session.connection(), former)
    turn.session.flush()
    turn.session.expire_all()
    back = [turn.session.get_one(Staff, key) for key in keys]
    for row in back:
        _note(turn, Event.REJOINED_A_STAFF, row)
    return back


def _by_key(former: Iterable[FormerStaff]) -> dict[tuple[str, str], list[FormerStaff]]:
    """Former rows by address and role, of which the staff has one row at a time."""
    found: dict[tuple[str, str], list[FormerStaff]] = defaultdict(list)
    for one in former:
        found[one.email, one.role].append(one)
    return found


def _note(turn: Turn, event: Event, row: Staff, **details: Any) -> None:
    details |= {"person": row.person, "organisation": row.organisation, "role": row.role}
    details |= {"persons": [row.person]}  # the entry's `person` is who did it, where a person did
    note(turn, None, turn.by or SYSTEM, event, **details)


def _meant(session: Session, table: type[Any], whose: Whose) -> list[Any]:
    """The rows of `Staff` or `FormerStaff` that are meant.

    Raises:
        NotAllowed: they are of several people.
    """
    named = whose.named.strip()
    people = [surviving(session, named), *(one.id for one in behind(session, named))]
    query = sa.select(table).where(sa.or_(table.person.in_(people), table.email == named.lower()))
    if whose.organisation:
        query = query.where(table.organisation == whose.organisation)
    if whose.role:
        query = query.where(table.role == whose.role)
    rows = session.scalars(query.order_by(table.organisation, table.role, table.email)).all()
    if len({row.person for row in rows}) > 1:
        who = ", ".join(sorted({f"{row.name} ({row.person})" for row in rows}))
        raise NotAllowed(f"Several people read {named.lower()}: {who}. Name one of them by that id.")
    return list(rows)


# Before ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Open:
    """What awaits somebody by an entry of a staff."""

    application: str
    title: str
    """Of the project, or the school's name; empty where an organisation applies."""
    what: Sentence


def open_with(session: Session, person: str, organisation: str, role: str) -> list[Open]:
    """What awaits somebody by one of their entries on a staff; reads only."""
    powers = (Power.REVIEWER,) if role == Role.REVIEWER else (Power.COORDINATOR, Power.OTHER_COORDINATOR)
    found = session.execute(_OPEN, {"person": person, "organisation": organisation}).tuples()
    return [
        Open(application.id, _title(session, application), _what(step))
        for application, step in found
        if STEPS[step.kind].awaited and STEPS[step.kind].power in powers
    ]


def _title(session: Session, application: Application) -> str:
    project = session.get(Project, application.project) if application.project else None
    school = session.get(School, application.school) if application.school else None
    return project.title if project else school.name if school else ""


def _what(step: Step) -> Sentence:
    return STEPS[step.kind].worded or named("awaited", step.kind.value)


# What follows -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Handed:
    """One step of somebody who left."""

    application: Application
    step: Step


def _lock(session: Session, left: Sequence[Left]) -> None:
    """Locks the applications that wait for any of them, before the first is asked of somebody else, which locks the
    organisation too (`conflicts.lock_reviewers`)."""
    people = sorted({one.person for one in left})
    organisations = sorted({one.organisation for one in left})
    if people:
        session.execute(_LOCKED, {"persons": people, "organisations": organisations}).all()


def _settle(turn: Turn, roles: Sequence[Left]) -> Departure:
    one = roles[0]
    departure = _departure(turn.session, roles)
    handed = [
        _Handed(application, step)
        for application, step in turn.session.execute(
            _OPEN, {"person": one.person, "organisation": one.organisation}
        ).tuples()
        if not _may_still(turn.session, step, one)
    ]
    for each in handed:
        locked(turn.session, each.application.id)
        if each.step.kind in _QUIETLY:
            close_step(each.step, StepState.VOID, turn.now, departure.worded)
        else:
            asking.take_back(turn, each.application, each.step, departure.worded, SYSTEM)
    turn.session.flush()
    for application, ask in dict.fromkeys(
        (each.application.id, _ASKS[each.step.kind]) for each in handed if each.step.kind in _ASKS
    ):
        try:
            ask(turn, application)
        except NotAllowed:  # nobody is left who could be asked; its run says so, and `labels stuck`
            continue
    turn.session.flush()
    waited = [each for each in handed if STEPS[each.step.kind].awaited]
    departure = replace(
        departure,
        applications=tuple(dict.fromkeys(each.application.id for each in waited)),
        handed=tuple(_line(turn.session, each) for each in waited),
    )
    note(
        turn,
        None,
        SYSTEM,
        Event.LEFT_A_STAFF,
        person=one.person,
        organisation=one.organisation,
        roles=list(departure.roles),
        left_on=one.left_on.isoformat(),
        applications=list(departure.applications),
    )
    _stop_mail(turn, departure, [each.step.id for each in handed])
    sessions.end_all(turn, one.person, departure.worded)
    if departure.ended and any(each.known for each in roles):
        _tell(turn, departure, waited)
    return departure


def _departure(session: Session, roles: Sequence[Left]) -> Departure:
    one = roles[0]
    stays = tuple(role for role in Role if has_role(session, one.person, one.organisation, role))
    if Role.COORDINATOR not in stays and coordinates(session, one.person, one.organisation):
        stays += (Role.COORDINATOR,)
    ended = tuple(sorted({each.role for each in roles}))
    return Departure(one.person, one.name, one.email, one.organisation, ended, one.left_on, stays=stays)


_LOCKED = (
    sa.select(Application.id)
    .where(
        Application.organisation.in_(sa.bindparam("organisations", expanding=True)),
        sa.exists().where(
            Step.application == Application.id,
            Step.person.in_(sa.bindparam("persons", expanding=True)),
            Step.state.in_([StepState.OPEN, StepState.ASKED]),
        ),
    )
    .order_by(Application.id)
    .with_for_update(of=Application)
)
_OPEN = (
    sa.select(Application, Step)
    .join(Step, Step.application == Application.id)
    .where(
        Step.person == sa.bindparam("person"),
        Step.state.in_([StepState.OPEN, StepState.ASKED]),
        Application.organisation == sa.bindparam("organisation"),
    )
    .order_by(Application.id, Step.id)
)

_ASKS: dict[StepKind, Callable[[Turn, str], object]] = {
    StepKind.REVIEW: asking.ask,
    StepKind.ASSIGNMENT: asking.ask,
    StepKind.DECISION: asking.ask,
    StepKind.SCREENING: screening.ask,
    StepKind.AWARDING: awarding.ask,
}
"""Who asks the next person, by what was asked of the one who left."""
_QUIETLY = frozenset((StepKind.COORDINATION,))
"""A right that nobody waits for: nothing is taken back from an application."""


def _may_still(session: Session, step: Step, left: Left) -> bool:
    """Whether a step is still theirs: as a teacher's or principal's, or by another role that they have."""
    match STEPS[step.kind].power:
        case Power.NAMED:
            return True
        case Power.REVIEWER:
            return has_role(session, left.person, left.organisation)
    return coordinates(session, left.person, left.organisation)


def _stop_mail(turn: Turn, one: Departure, steps: Sequence[str]) -> None:
    """Mail that waits for them as one of the staff is not sent; what is theirs as a teacher is."""
    theirs: list[sa.ColumnElement[bool]] = [Mail.step.in_(steps)]
    if not has_role(turn.session, one.person, one.organisation):
        own = sa.select(Application.id).join(Teacher, Teacher.id == Application.teacher)
        own = own.where(Teacher.person == one.person)
        of_staff = sa.select(Application.id).where(
            Application.organisation == one.organisation, Application.id.not_in(own)
        )
        others = sa.select(Step.id).where(Step.person == one.person, Step.id.not_in(steps))
        not_of_others = sa.or_(Mail.step.is_(None), Mail.step.not_in(others))
        theirs.append(sa.and_(Mail.application.in_(of_staff), not_of_others))
    if turn.session.scalar(sa.select(Staff.email).where(Staff.person == one.person).limit(1)) is None:
        theirs.append(Mail.template.in_((Template.OVERDUE, Template.JOURNAL_HEAD)))
    waiting = turn.session.scalars(
        sa.select(Mail.reason).where(Mail.person == one.person, Mail.sent_at.is_(None), sa.or_(*theirs))
    ).all()
    for reason in waiting:
        outbox.mark_obsolete(turn.session, reason, turn.now, f"They are {one.worded}.")


# Telling ------------------------------------------------------------------------------------------


def _tell(turn: Turn, one: Departure, handed: Sequence[_Handed]) -> None:
    """The one who left is told once, and the coordinators are where something of theirs is others' now."""
    organisation = turn.session.get_one(Organisation, one.organisation)
    parts = (one.organisation, one.left_on.isoformat(), turn.now.isoformat())
    farewell = messages.LeftStaff(
        person=one.person,
        organisation_name=organisation.name,
        left_on=one.left_on,
        steps=len(handed),
        ended=one.ended,
        stays=one.stays,
    )
    outbox.queue(turn, farewell, Envelope(recipient(turn.session, one.person), parts))
    if not handed:
        return
    message = messages.ColleagueLeft(
        person=one.person,
        organisation_name=organisation.name,
        name=one.name,
        email=one.address,
        left_on=one.left_on,
        ended=one.ended,
        stays=one.stays,
        number=len(handed),
        handed=one.handed[: messages.ColleagueLeft.MOST],
    )
    for whom in coordinators(turn.session, one.organisation):
        if whom.id != one.person:
            outbox.queue(turn, message, Envelope(Recipient.of(whom), (*parts, whom.id)))


def _line(session: Session, handed: _Handed) -> messages.ColleagueLeft.Handed:
    application, former = handed.application, handed.step
    now = [
        step
        for step in steps_of(session, application, *_ASKS)
        if step.state in (StepState.OPEN, StepState.ASKED) and step.seat == former.seat
    ]
    return messages.ColleagueLeft.Handed(
        application=application.id,
        what=_what(former),
        title=_title(session, application),
        now=tuple(f"{session.get_one(Person, step.person).name} ({step.assignee})" for step in now),
        chooses=bool(now) and all(step.kind is StepKind.ASSIGNMENT for step in now),
    )
