"""The process of an application as a picture: its stations as its flow has them, and where it stands."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.kinds import LabelKind
from labels.record.schema import Application, Outcome, Review, Stage, Step, StepKind, StepState


class Station(StrEnum):
    """One station of a process."""

    RECEIVED = "received"
    CONDITIONS = "conditions"
    SELF_ASSESSMENT = "self-assessment"
    REVIEW = "review"
    QUESTION = "question"
    """Beside the reviews: a reviewer asked the applicant something."""
    ASSIGNMENT = "assignment"
    """Beside the reviews: a reviewer is missing."""
    SCREENING = "screening"
    AWARDING = "awarding"
    DECISION = "decision"
    PAPERS = "papers"
    END = "end"


LINES: dict[LabelKind, tuple[tuple[Station, str], ...]] = {
    LabelKind.NATIONAL: (
        (Station.RECEIVED, "register"),
        (Station.CONDITIONS, "conditions_met"),
        (Station.REVIEW, "ask"),
        (Station.DECISION, "decide"),
        (Station.PAPERS, "issue_papers"),
        (Station.END, "close"),
    ),
    LabelKind.SCHOOL: (
        (Station.RECEIVED, "register"),
        (Station.SELF_ASSESSMENT, "ask_the_school"),
        (Station.REVIEW, "ask"),
        (Station.DECISION, "decide"),
        (Station.PAPERS, "issue_papers"),
        (Station.END, "close"),
    ),
    LabelKind.NOMINATION: (
        (Station.RECEIVED, "register"),
        (Station.SCREENING, "ask_for_the_screening"),
        (Station.DECISION, "put_forward"),
        (Station.END, "close"),
    ),
}
"""The stations of each process in order, each with the task of the flow that it stands for."""

BESIDE: dict[Station, tuple[tuple[Station, StepKind], ...]] = {
    Station.REVIEW: (
        (Station.QUESTION, StepKind.INFORMATION),
        (Station.ASSIGNMENT, StepKind.ASSIGNMENT),
    )
}
"""Where a station sends an application for a while, by the step that waits there."""
_BESIDE_REVIEW = frozenset(station for station, _ in BESIDE[Station.REVIEW])

_AT: dict[Stage, Station] = {
    Stage.SUBMITTED: Station.CONDITIONS,
    Stage.SELF_ASSESSMENT: Station.SELF_ASSESSMENT,
    Stage.REVIEW: Station.REVIEW,
    Stage.INFORMATION: Station.QUESTION,
    Stage.ASSIGNMENT: Station.ASSIGNMENT,
    Stage.SCREENING: Station.SCREENING,
    Stage.AWARDING: Station.AWARDING,
    Stage.DECIDED: Station.PAPERS,
    Stage.CLOSED: Station.END,
}


class State(StrEnum):
    """How a station lies to an application."""

    DONE = "done"
    HERE = "here"
    AHEAD = "ahead"
    PASSED_BY = "passed by"
    """It ended without coming there."""


@dataclass(frozen=True, slots=True)
class Box:
    """One station as it is drawn."""

    station: Station
    state: State


@dataclass(frozen=True, slots=True)
class Process:
    """A process as it is drawn: a line of stations, and what stands beside one of them.

    It may stand at two: while one reviewer waits for an answer, another one reviews.
    """

    line: tuple[Box, ...]
    beside: tuple[Box, ...]
    """Below the station in the line at `branch`."""
    branch: int
    given: int
    """Reviews that were given and count."""
    asked: int
    """Seats of reviewers, given or awaited."""

    @property
    def here(self) -> Station:
        """Where the application stands."""
        return next(one.station for one in (*self.line, *self.beside) if one.state is State.HERE)


def process_of(session: Session, application: Application) -> Process | None:
    """The process of an application with its place in it; None where its kind has none of its own."""
    line = LINES.get(application.label)
    if line is None:
        return None
    stations = [station for station, _ in line]
    steps = session.execute(
        sa.select(Step.kind, Step.state)
        .where(Step.application == application.id, Step.instance == application.instance)
        .distinct()
    ).all()
    kinds = {one.kind for one in steps}
    waiting = {one.kind for one in steps if one.state is StepState.OPEN}
    counted = sa.select(sa.func.count()).select_from(Review).where(Review.application == application.id)
    given = session.scalar(counted.where(Review.void_at.is_(None))) or 0
    beside = [(station, kind) for of in stations for station, kind in BESIDE.get(of, ())]
    waited = {station for station, kind in beside if kind in waiting}
    here = Station.DECISION if StepKind.DECISION in waiting else _at(application.stage, stations, waited)
    place = stations.index(Station.REVIEW if here in waited else here)
    skipped = _skipped(application, kinds)

    def state(station: Station) -> State:
        at = stations.index(station)
        if station is here:
            return State.HERE
        if at < place and station not in skipped:
            return State.DONE
        return State.PASSED_BY if at < place else State.AHEAD

    return Process(
        line=tuple(Box(one, state(one)) for one in stations),
        beside=tuple(
            Box(
                station,
                State.HERE if kind in waiting else State.DONE if kind in kinds else State.AHEAD,
            )
            for station, kind in beside
        ),
        branch=stations.index(Station.REVIEW) if Station.REVIEW in stations else 0,
        given=given,
        asked=_seats(session, application),
    )


def _at(stage: Stage, stations: Sequence[Station], waited: Collection[Station]) -> Station:
    """Where an application of a stage stands: in the line, or beside it where a step waits there."""
    here = _AT[stage]
    if here in stations or here in waited:
        return here
    if stage is Stage.SUBMITTED:
        return Station.RECEIVED
    if here in _BESIDE_REVIEW and Station.REVIEW in stations:
        return Station.REVIEW  # it was answered, and goes on as soon as its run does
    return Station.END


def _skipped(application: Application, kinds: set[StepKind]) -> frozenset[Station]:
    """The stations to which an application that ended never came."""
    found = set()
    if application.outcome is not None and StepKind.REVIEW not in kinds:
        found.add(Station.REVIEW)
    if application.outcome in (Outcome.INELIGIBLE, Outcome.WITHDRAWN, Outcome.EXPIRED):
        found.add(Station.DECISION)
    return frozenset(found)


def _seats(session: Session, application: Application) -> int:
    query = sa.select(sa.func.count(sa.distinct(Step.seat))).where(
        Step.application == application.id,
        Step.instance == application.instance,
        Step.kind == StepKind.REVIEW,
    )
    return session.scalar(query) or 0
