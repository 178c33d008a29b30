"""Assigning reviewers to many applications at once: what is to be planned, read from the record, and a plan carried out."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import brussels_day
from labels.errors import NotAllowed
from labels.people.doubles import told_apart
from labels.people.persons import batches
from labels.record.journal import Event, note
from labels.record.schema import Application, Step, StepKind, StepState
from labels.reviews import conflicts
from labels.reviews.asking import Chosen, Vacancies, seat, settled, vacancies
from labels.reviews.choosing import Candidate, conflicts_of_interest
from labels.reviews.judged_together import AT_ONCE, judged_by_application
from labels.reviews.nearness import Nearness
from labels.reviews.plan import Choice, Plan, Problem, Waiting
from labels.reviews.seats import own_conflict
from labels.reviews.seeking import sought_by_application
from labels.steps.step import awaited_of, close_step, every_step, locked
from labels.turn import Turn
from labels.words.sentences import Sentence

_WAITING = (
    sa.select(Application)
    .where(
        Application.organisation == sa.bindparam("organisation"),
        Application.outcome.is_(None),
        sa.exists().where(
            Step.application == Application.id,
            Step.instance == Application.instance,
            Step.kind == StepKind.ASSIGNMENT,
            Step.state == StepState.OPEN,
        ),
    )
    .order_by(Application.id)
)


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be planned for an organisation: a problem for each school year, in which loads are counted."""

    organisation: str
    problems: tuple[Problem, ...]

    @property
    def digest(self) -> str:
        """By which it is known whether a plan was made from what the record says now."""
        return hashlib.sha256(repr([_told(one) for one in self.problems]).encode()).hexdigest()

    @property
    def seats(self) -> int:
        """How many seats are to be filled."""
        return sum(one.seats for problem in self.problems for one in problem.waiting)


def _told(problem: Problem) -> object:
    people = [
        (
            one.person,
            one.load,
            one.given,
            sorted(one.schools),
            sorted(one.languages),
            sorted(one.subjects),
            sorted(one.ages),
        )
        for one in sorted(problem.people, key=lambda one: one.person)
    ]
    waiting = [
        (
            one.application,
            one.seats,
            sorted(one.barred),
            sorted(one.alike),
            sorted(other.person for other in one.beside),
            one.sought.profile.rules.model_dump_json() if one.sought.profile.rules else "",
            one.sought.profile.language,
            sorted(one.sought.profile.subjects),
            one.sought.profile.age,
            sorted(one.sought.wishes.items()),
            sorted(one.sought.judged_partner),
        )
        for one in sorted(problem.waiting, key=lambda one: one.application)
    ]
    return problem.salt, sorted(problem.doubles), people, waiting


def task(session: Session, organisation: str, today: date) -> Task:
    """Every application of an organisation that waits for a coordinator to find reviewers, and who could review it;
    nobody is chosen who is away today."""
    by_year: dict[int, list[Vacancies]] = defaultdict(list)
    waiting = session.scalars(_WAITING, {"organisation": organisation}).all()
    judged = judged_by_application(session, waiting)
    for application in waiting:
        found = vacancies(session, application, judged[application.id])
        if found.seats:
            by_year[found.application.school_year].append(found)
    return Task(
        organisation,
        tuple(_problem(session, organisation, (year, today), by_year[year]) for year in sorted(by_year)),
    )


def _problem(
    session: Session, organisation: str, when: tuple[int, date], found: Sequence[Vacancies]
) -> Problem:
    year, today = when
    people = conflicts.reviewers(session, organisation, year, today)
    away = {one.person for one in people if one.away}
    near = Nearness(people)
    doubles = {
        (one.person, other.person)
        for one, other in near.maybe_one(people)
        if one.person < other.person and not told_apart(session, one.person, other.person)
    }
    by_person = {one.person: one for one in people}
    wanted = sought_by_application(session, [one.application for one in found])
    waiting = []
    for one in found:
        asked = {step.person for step in one.reviews} & by_person.keys()
        same = {right if left in asked else left for left, right in doubles if {left, right} & asked}
        elsewhere = {step.assignee for step in one.reviews}
        same_mailbox = {person.person for person in people if person.email in elsewhere}
        seated = {step.person for step in one.seated}
        waiting.append(
            Waiting(
                application=one.application.id,
                seats=len(one.seats),
                sought=wanted[one.application.id],
                barred=near.barred(one.judged) | asked | same | same_mailbox | away,
                beside=tuple(by_person[person] for person in sorted(seated & by_person.keys())),
                alike=near.alike(one.judged),
            )
        )
    return Problem(people, waiting, frozenset(doubles), f"{organisation} {year}")


def word(plans: Sequence[Plan]) -> str:
    """By which plans that were shown are recognised when they are to be carried out."""
    return hashlib.sha256(" ".join(one.word for one in plans).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Assigned:
    """What of a plan was carried out."""

    applications: tuple[str, ...]
    """Those that have new reviewers."""
    seats: int
    left: int
    """Applications that wait for another coordinator."""


def carry_out(turn: Turn, planned: Task, plans: Sequence[Plan]) -> Assigned:
    """Asks everybody to review as planned, all or nothing, but for applications with which whoever has it carried out
    has a conflict of interest: those wait for another coordinator.

    Raises:
        NotAllowed: the record says something else by now than what the plan was made from; or nothing is left.
    """
    session = turn.session
    _lock(session, planned)
    if task(session, planned.organisation, brussels_day(turn.now)).digest != planned.digest:
        raise _changed()
    named, near = word(plans), _near(turn, plans)
    changed: list[str] = []
    seats = 0
    for problem, plan in zip(planned.problems, plans, strict=True):
        people = {one.person: one for one in problem.people}
        for application, choices in _by_application(plan):
            if application in near:
                continue
            _seat_as_planned(turn, application, choices, people, plan, named)
            changed.append(application)
            seats += len(choices)
    if near and not changed:
        raise NotAllowed(next(iter(near.values())))
    note(
        turn,
        None,
        turn.by,
        Event.PLANNED_REVIEWERS,
        organisation=planned.organisation,
        plan=named,
        applications=len(changed),
        seats=seats,
    )
    return Assigned(tuple(changed), seats, len(near))


def _near(turn: Turn, plans: Sequence[Plan]) -> dict[str, Sentence]:
    """The applications with which the coordinator has a conflict of interest, and why."""
    session = turn.session
    ids = sorted({one.application for plan in plans for one in plan.choices})
    rows = [
        one
        for some in batches(ids, AT_ONCE)
        for one in session.scalars(sa.select(Application).where(Application.id.in_(some)))
    ]
    own = conflicts.anybody(session, {turn.person})[turn.person]
    return {
        application: own_conflict(why)
        for application, judged in judged_by_application(session, rows).items()
        if (why := conflicts_of_interest(own, judged))
    }


def _lock(session: Session, planned: Task) -> None:
    """Has other writers wait until the end of the transaction: first the applications, in order of their ids, then the
    organisation, as whoever asks about one application does; the other way round each would wait for the other.
    """
    ids = sorted(one.application for problem in planned.problems for one in problem.waiting)
    for some in batches(ids, AT_ONCE):
        session.execute(_LOCKED, {"applications": list(some)}).all()
    conflicts.lock_reviewers(session, planned.organisation)


_LOCKED = (
    sa.select(Application.id)
    .where(Application.id.in_(sa.bindparam("applications", expanding=True)))
    .order_by(Application.id)
    .with_for_update()
)


def _changed() -> NotAllowed:
    return NotAllowed(
        "Nothing was done: since the plan was made, applications, reviewers or conflicts of interest have changed. "
        "Have it planned again."
    )


def _by_application(plan: Plan) -> Iterator[tuple[str, list[Choice]]]:
    by: dict[str, list[Choice]] = defaultdict(list)
    for one in plan.choices:
        by[one.application].append(one)
    yield from by.items()


def _seat_as_planned(
    turn: Turn,
    application_id: str,
    choices: Collection[Choice],
    people: Mapping[str, Candidate],
    plan: Plan,
    named: str,
) -> None:
    application = locked(turn.session, application_id)
    found = vacancies(turn.session, application)
    if application.outcome is not None or len(found.seats) < len(choices):
        raise _changed()
    for step in awaited_of(application, found.steps):
        if step.kind is StepKind.ASSIGNMENT:  # this is the answer to it
            close_step(step, StepState.ANSWERED, turn.now)
    chosen = [
        Chosen(
            candidate=people[one.person],
            load=one.load,
            costs=one.costs,
            following=people[one.following] if one.following else None,
            following_load=plan.loads[one.following] if one.following else None,
            extra=one.extra if one.following else None,
            plan=named,
        )
        for one in choices
    ]
    asked = {step.assignee for step in found.reviews} | {one.candidate.email for one in chosen}
    seat(turn, found, chosen, list(people.values()), asked)
    settled(turn, application, every_step(turn.session, application))
