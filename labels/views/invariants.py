"""What must hold of every record at any time, whatever failed before: looked for with one query each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.european_label.awarding import merged_otherwise
from labels.european_label.freezing import repeat
from labels.kinds import KINDS, Applicant
from labels.record.schema import (
    Application,
    Award,
    Cycle,
    Decision,
    Document,
    Issued,
    Outcome,
    PaperKind,
    Review,
    Stage,
    Step,
    StepKind,
    StepState,
)
from labels.reviews.repeating import decided_again
from labels.steps.kinds import AWAITED
from labels.views.stuck import Problem, stuck


class Invariant(StrEnum):
    """What must hold, for programs."""

    ONE_DECISION = "one decision"
    REPEATABLE = "decisions can be repeated"
    ONE_AWARD = "one award"
    ONE_CERTIFICATE = "one certificate"
    PAPERS_STORED = "papers stored"
    ONE_REVIEW = "one review a seat"
    NOTHING_ASKED_AT_THE_END = "nothing asked at the end"
    OWNED = "open cases owned"
    REFERENCES = "references"
    DOCUMENTS = "documents there"
    JOURNAL = "journal whole"


@dataclass(frozen=True, slots=True, order=True)
class Breach:
    """One place at which something does not hold."""

    invariant: Invariant
    subject: str
    problem: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.problem}"


def breaches(session: Session, now: datetime) -> list[Breach]:
    """Everything that the record alone shows not to hold; nothing in a whole one. Documents and the journal are others' to look at.

    It reads every decision once, so that it takes longer with each year; upkeep does not wait for it.
    """
    looks: tuple[Callable[[Session], Iterator[Breach]], ...] = (
        _decisions,
        _ended_without_outcome,
        _repeated,
        _awards,
        _certificates,
        _papers,
        _reviews,
        _seats,
        _asked_at_the_end,
        _references,
    )
    found = [one for look in looks for one in look(session)]
    return sorted({*found, *_unowned(session, now)})


_DECIDED_ALONE = [
    kind for kind, row in KINDS.items() if row.applicant in (Applicant.TEACHER, Applicant.SCHOOL)
]
"""The labels whose applications are decided each by itself; the others are decided in their year's ranking."""


def _decisions(session: Session) -> Iterator[Breach]:
    """An outcome is that of the decision of the present instance, and there is none before it."""
    rows = session.execute(
        sa.select(Application.id, Application.outcome, Decision.outcome.label("decided"))
        .outerjoin(
            Decision,
            sa.and_(Decision.application == Application.id, Decision.instance == Application.instance),
        )
        .where(Application.label.in_(_DECIDED_ALONE), Application.outcome.is_distinct_from(Decision.outcome))
    )
    for row in rows:
        outcome, decided = (one.value if one else "nothing" for one in (row.outcome, row.decided))
        yield Breach(
            Invariant.ONE_DECISION, row.id, f"its outcome is {outcome}, and its decision says {decided}."
        )


def _ended_without_outcome(session: Session) -> Iterator[Breach]:
    ended = Application.stage.in_((Stage.DECIDED, Stage.CLOSED))
    for identifier, stage in session.execute(
        sa.select(Application.id, Application.stage).where(ended != Application.outcome.is_not(None))
    ):
        yield Breach(
            Invariant.ONE_DECISION, identifier, f"its stage, {stage.value}, is not that of its outcome."
        )


def _repeated(session: Session) -> Iterator[Breach]:
    for one in decided_again(session, applications=sa.select(Application.id)):
        if not one.same:
            differing = ", ".join(one.differing)
            yield Breach(Invariant.REPEATABLE, one.application, f"made again, it differs in {differing}.")
    for year in session.scalars(sa.select(Cycle.year).order_by(Cycle.year)):
        if not repeat(session, year).same:
            yield Breach(Invariant.REPEATABLE, f"cycle {year}", "ranked again, its places differ.")
        if otherwise := merged_otherwise(session, year):
            projects = ", ".join(otherwise)
            yield Breach(Invariant.REPEATABLE, f"cycle {year}", f"merged again, it differs in {projects}.")


def _awards(session: Session) -> Iterator[Breach]:
    """Whoever was awarded holds a label, and nobody else does; what was taken back since stays in its row."""
    awarded = Application.outcome == Outcome.AWARDED
    rows = session.execute(
        sa.select(Application.id, Award.id.label("award"))
        .outerjoin(Award, Award.id == Application.id)
        .where(
            Application.label.in_(_DECIDED_ALONE),
            sa.or_(
                sa.and_(awarded, Award.id.is_(None)),
                sa.and_(
                    sa.not_(sa.func.coalesce(awarded, False)),
                    Award.id.is_not(None),
                    Award.revoked_at.is_(None),
                ),
            ),
        )
    )
    for row in rows:
        problem = (
            "awarded, and no label is held." if row.award is None else "not awarded, and a label is held."
        )
        yield Breach(Invariant.ONE_AWARD, row.id, problem)


_COUNTS_STILL = (
    Issued.kind == PaperKind.CERTIFICATE,
    Issued.superseded_by.is_(None),
    Issued.revoked_at.is_(None),
)


_CERTIFIED_BEFORE = sa.exists().where(
    Document.kind == PaperKind.CERTIFICATE.value,
    Document.paper.is_(None),
    sa.func.coalesce(Document.award, Document.application) == Award.id,
)
"""Whether the certificate is from before papers were entered one by one."""


def _certificates(session: Session) -> Iterator[Breach]:
    """A label that was awarded here has one certificate that counts, once its application is closed."""
    counting = sa.func.count(Issued.paper)
    rows = session.execute(
        sa.select(Award.id, counting.label("certificates"))
        .join(Application, Application.id == Award.id)
        .outerjoin(Issued, sa.and_(Issued.award == Award.id, *_COUNTS_STILL))
        .where(Application.stage == Stage.CLOSED, Award.revoked_at.is_(None), ~_CERTIFIED_BEFORE)
        .group_by(Award.id)
        .having(counting != 1)
    )
    for row in rows:
        yield Breach(Invariant.ONE_CERTIFICATE, row.id, f"{row.certificates} certificates of it count.")


def _papers(session: Session) -> Iterator[Breach]:
    """A paper that was issued is among the documents; a class's certificates are kept nowhere."""
    for paper in session.scalars(
        sa.select(Issued.paper).where(
            Issued.kind != PaperKind.CLASS,
            Issued.application.is_not(None),
            ~sa.exists().where(Document.paper == Issued.paper),
        )
    ):
        yield Breach(Invariant.PAPERS_STORED, paper, "it was issued, and no document is that paper.")


def _reviews(session: Session) -> Iterator[Breach]:
    """An answered review has its row, which counts, and only that."""
    rows = session.execute(
        sa.select(Step.id, Review.step, Step.state)
        .outerjoin(Review, Review.step == Step.id)
        .where(
            Step.kind == StepKind.REVIEW,
            sa.or_(
                sa.and_(
                    Step.state == StepState.ANSWERED,
                    sa.or_(Review.step.is_(None), Review.void_at.is_not(None)),
                ),
                sa.and_(Step.state != StepState.ANSWERED, Review.step.is_not(None), Review.void_at.is_(None)),
            ),
        )
    )
    for identifier, review, state in rows:
        if state is StepState.ANSWERED:
            problem = "answered, and " + ("there is no review." if review is None else "its review is void.")
        else:
            problem = "not answered, and a review counts."
        yield Breach(Invariant.ONE_REVIEW, identifier, problem)


def _seats(session: Session) -> Iterator[Breach]:
    """A seat is one person's at a time."""
    taken = sa.func.count()
    rows = session.execute(
        sa.select(Step.application, Step.instance, Step.seat, taken)
        .where(
            Step.kind == StepKind.REVIEW,
            Step.state.in_((StepState.OPEN, StepState.ASKED, StepState.ANSWERED)),
        )
        .group_by(Step.application, Step.instance, Step.seat)
        .having(taken > 1)
    )
    for application, _, seat, several in rows:
        yield Breach(Invariant.ONE_REVIEW, application, f"seat {seat} is taken by {several} reviews.")


def _asked_at_the_end(session: Session) -> Iterator[Breach]:
    for identifier in session.scalars(
        sa.select(Step.id)
        .join(Application, Application.id == Step.application)
        .where(
            Application.outcome.is_not(None),
            Step.kind.in_(AWAITED),
            Step.instance == Application.instance,
            Step.state.in_((StepState.OPEN, StepState.ASKED)),
        )
    ):
        yield Breach(Invariant.NOTHING_ASKED_AT_THE_END, identifier, "still asked, after the outcome.")


_NOBODYS = (Problem.NO_RUN, Problem.NOT_SEEN, Problem.IDLE, Problem.NOBODY_AWAITED)


def _unowned(session: Session, now: datetime) -> Iterator[Breach]:
    for one in stuck(session, now):
        if one.problem in _NOBODYS:
            yield Breach(Invariant.OWNED, one.subject, one.reason)


def _references(session: Session) -> Iterator[Breach]:
    """Nothing refers to a row that is not there; PostgreSQL never lets it, SQLite can be told to."""
    if session.get_bind().dialect.name == "sqlite":
        for table, row, of, _ in session.connection().exec_driver_sql("PRAGMA foreign_key_check"):
            yield Breach(Invariant.REFERENCES, f"{table}, row {row}", f"refers to a {of} that is not there.")
