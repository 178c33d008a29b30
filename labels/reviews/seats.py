"""Who may take a reviewer's seat, and why somebody may not: of one application, or of thousands that are read together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import Session

from labels.people.doubles import apart
from labels.people.persons import batches
from labels.record.schema import Application, Outcome, Reopening, Step, StepKind, StepState
from labels.reviews import conflicts
from labels.reviews.asking import seated_since
from labels.reviews.choosing import Candidate, Judged, conflicts_of_interest, may_be_one
from labels.reviews.judged_together import judged_by_application
from labels.words.sentences import Sentence, listed, say

UNDER_WAY = (StepState.OPEN, StepState.ASKED)
"""A review that somebody has, or that waits for the applicant's answer."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A reviewer's seat of an application, by the step that asks for a review or for a reviewer."""

    application: Application
    step: Step
    steps: tuple[Step, ...]
    """All of the application's."""
    judged: Judged
    judging: frozenset[str]
    """The addresses of those who judge it or judged it."""
    seated: tuple[Step, ...]
    """The reviews that count in its present instance."""
    neighbours: tuple[Candidate, ...]
    """Who has the other seats."""
    different: frozenset[frozenset[str]]
    """Pairs of persons who were said to be different."""

    @property
    def open(self) -> Sentence | None:
        """Why nobody can be given this seat now; None where somebody can."""
        if self.application.outcome is not None:
            return decided(self.application)
        step = self.step
        if step.kind is StepKind.REVIEW and step.state not in UNDER_WAY:
            return say("{step} is over: there is nothing to reassign.", step=step.id)
        if step.kind not in (StepKind.REVIEW, StepKind.ASSIGNMENT):
            return say("{step} is no review.", step=step.id)
        if step.kind is StepKind.ASSIGNMENT and not self._is_free:
            return say(
                "{step} is done: somebody reviews in that seat, or nobody is needed there.", step=step.id
            )
        return None

    @property
    def _is_free(self) -> bool:
        """Whether a reviewer is missing where this coordinator was asked for one; by now they may have said whom."""
        asked = self.step.state in (StepState.OPEN, StepState.ANSWERED)
        taken = {one.seat for one in self.seated}
        return asked and self.step.instance == self.application.instance and self.step.seat not in taken

    @property
    def asked_before(self) -> frozenset[str]:
        """Everybody who was ever asked to review the application, whatever came of it."""
        return frozenset(one.person for one in self.steps if one.kind is StepKind.REVIEW)

    def unfit(self, who: Candidate) -> Sentence | None:
        """Why somebody can't be given this seat; None where they can."""
        if self.application.organisation not in who.organisations:
            return not_on_staff(who.email, self.application.organisation)
        if why := conflicts_of_interest(who, self.judged):
            return in_conflict(who.email, why)
        if who.email in self.judging:
            return say("{reviewer} judges or judged this application already.", reviewer=who.email)
        for other in self.neighbours:
            if may_be_one(who, other) and frozenset((who.person, other.person)) not in self.different:
                return say(
                    "{reviewer} may be {other}, who judges this application already.",
                    reviewer=who.email,
                    other=other.email,
                )
        return None


def decided(application: Application) -> Sentence:
    """That nothing is left to be done about an application that has an outcome."""
    return say(
        "{application} has an outcome already: {outcome}.",
        application=application.id,
        outcome=_OUTCOMES.get(application.outcome, application.outcome.value) if application.outcome else "",
    )


_OUTCOMES = {
    Outcome.AWARDED: say("awarded"),
    Outcome.REFUSED: say("not awarded"),
    Outcome.INELIGIBLE: say("conditions not met"),
    Outcome.WITHDRAWN: say("withdrawn"),
}


def in_conflict(reviewer: str, why: Sequence[Sentence]) -> Sentence:
    """Why somebody may not judge."""
    return say("{reviewer} has a conflict of interest: {reasons}.", reviewer=reviewer, reasons=listed(why))


def own_conflict(why: Sequence[Sentence]) -> Sentence:
    """Why a coordinator may not decide anything about an application."""
    return say("You have a conflict of interest: {why}. Somebody else coordinates it.", why=listed(why))


def not_on_staff(reviewer: str, organisation: str) -> Sentence:
    """That somebody can't be meant."""
    return say(
        "{reviewer} is not on the staff of {organisation}.", reviewer=reviewer, organisation=organisation
    )


def seats_of(
    session: Session, steps: Collection[str], *, locked: bool = False, whole: bool = False
) -> dict[str, Seat]:
    """The seats of these steps; of one that is not there, nothing.

    Args:
        session: the transaction.
        steps: reviews and assignments, by id.
        locked: whether other writers wait until the end of the transaction.
        whole: whether the applications' own texts are read, too.
    """
    return {
        seat.step.id: seat
        for some in batches(sorted(set(steps)), AT_ONCE)
        for seat in _read(session, some, locked, whole)
    }


AT_ONCE = 1_000


def _read(session: Session, steps: Sequence[str], locked: bool, whole: bool) -> Iterator[Seat]:
    wanted = (
        sa.select(Application, Step)
        .join(Step, Step.application == Application.id)
        .where(Step.id.in_(steps))
        .order_by(Application.id, Step.id)
        .execution_options(populate_existing=True)
    )
    if not whole:
        wanted = wanted.options(orm.defer(Application.content))
    if locked:
        wanted = wanted.with_for_update(of=(Application, Step))
    found = session.execute(wanted).all()
    applications = list({one.id: one for one, _ in found}.values())
    ids = [one.id for one in applications]
    of: dict[str, list[Step]] = defaultdict(list)
    for step in session.scalars(
        sa.select(Step)
        .where(Step.application.in_(ids), Step.kind.in_(_OF_REVIEWS))
        .order_by(Step.opened_at, Step.number)
    ):
        of[step.application].append(step)
    since = _counted_from(session, applications)
    judged = judged_by_application(session, applications)
    seated = {one.id: tuple(seated_since(since[one.id], one, of[one.id])) for one in applications}
    near = conflicts.near(session, {step.person for some in seated.values() for step in some})
    different = apart(session, near)
    for application, step in found:
        if application.id not in judged:
            continue
        there = seated[application.id]
        others = {one.person for one in there} - {step.person}
        yield Seat(
            application,
            step,
            tuple(of[application.id]),
            judged[application.id],
            frozenset(one.assignee for one in of[application.id] if _is_judged(one)),
            there,
            tuple(near[one] for one in sorted(others) if one in near),
            different,
        )


def _is_judged(step: Step) -> bool:
    return step.kind is StepKind.REVIEW and step.state in (*UNDER_WAY, StepState.ANSWERED)


_OF_REVIEWS = (StepKind.REVIEW, StepKind.ASSIGNMENT, StepKind.INFORMATION)


def _counted_from(session: Session, applications: Sequence[Application]) -> Mapping[str, int]:
    """The first instance whose reviews count in the present one, of each application."""
    since = {one.id: one.instance for one in applications}
    again = [one.id for one in applications if one.instance > 1]
    began = sa.select(Reopening.application, Reopening.counted_from).join(
        Application,
        sa.and_(Application.id == Reopening.application, Application.instance == Reopening.instance),
    )
    if again:
        for application, first in session.execute(began.where(Reopening.application.in_(again))):
            since[application] = first
    return since
