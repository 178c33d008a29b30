"""Assigning reviewers to many applications at once: a plan that is shown, and that plan carried out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from adapters.workspace import Workspace
from labels.clock import brussels_day
from labels.errors import Fault, InvalidInput, NotAllowed
from labels.people.staff import known_organisation
from labels.record.schema import Person
from labels.reviews import planning, wishing
from labels.reviews.plan import Plan, Problem
from labels.reviews.planning import Task
from labels.steps.outcome import Accepted
from labels.turn import Door, Turn
from labels.words.sentences import say
from usecases.acts import Act, as_coordinator_of


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan of reviewers for an organisation; nothing of it is in the record."""

    task: Task
    plans: tuple[Plan, ...]
    """One for each school year."""
    people: dict[str, tuple[str, str]]
    """Name and address of everybody in it, by their ids."""

    @property
    def word(self) -> str:
        """By which it is asked for."""
        return planning.word(self.plans)


def plan(here: Workspace, organisation: str) -> Planned:
    """The best plan for all applications of an organisation that wait for reviewers; changes nothing.

    Raises:
        NotFound: there is no such organisation.
    """
    with here.record.reading() as session:
        found = planning.task(session, known_organisation(session, organisation).id, brussels_day(here.now()))
        named = session.execute(
            sa.select(Person.id, Person.name, Person.address).where(
                Person.id.in_({one.person for problem in found.problems for one in problem.people})
            )
        )
        people = {row.id: (row.name, row.address) for row in named}
    return Planned(found, tuple(map(_solved, found.problems)), people)


def _solved(problem: Problem) -> Plan:
    # Here, because numpy takes a tenth of a second to import, which only a plan needs.
    from adapters.assignment.solving import solve

    return solve(problem)


def assign(planned: Planned, word: str) -> Act:
    """A coordinator has a plan carried out that they were shown: everybody in it is asked to review, or nobody.

    Applications with which they have a conflict of interest themselves wait for another coordinator.
    """

    def do(turn: Turn) -> Accepted:
        if word != planned.word:
            raise NotAllowed(
                say(
                    "Nothing was done: since the plan was shown, applications, reviewers or conflicts of interest have "
                    "changed. Have it planned again."
                )
            )
        done = planning.carry_out(turn, planned.task, planned.plans)
        remark = f"{done.seats} reviews are asked for, of {len(done.applications)} applications."
        if done.left:
            remark += f" {done.left} wait for another coordinator: you have a conflict of interest there."
        return Accepted("", remark, made=planned.word, concerned=done.applications)

    return as_coordinator_of(lambda _: [planned.task.organisation], do)


def take_over_wishes(here: Workspace, organisation: str, path: Path) -> int:
    """Keeps what reviewers wish, from a file; how many rows it has.

    Raises:
        InvalidInput: the file can't be read, or rows of it are wrong; nothing was kept.
        NotFound: there is no such organisation.
    """
    try:
        with here.record.writing() as session:
            found = known_organisation(session, organisation).id
            return wishing.take_over(here.turn(session, Door.COMMAND_LINE), found, path)
    except OSError as error:
        raise InvalidInput(str(path), [Fault("(file)", f"can't be read: {error.strerror}.")]) from error
