"""Steps: what is asked of whom, opened with a one-time code and closed with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session, object_session
from sqlalchemy.orm.attributes import set_committed_value

from labels.errors import NotFound
from labels.identifiers import step_id
from labels.people.persons import person as person_of
from labels.record.rows import enter, read
from labels.record.schema import (
    Application,
    Award,
    CycleLabel,
    Organisation,
    Person,
    Project,
    ReviewDraft,
    School,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.steps.codes import code_hash, review_code
from labels.steps.kinds import AWAITED
from labels.turn import Turn

_COUNT = sa.select(sa.func.count()).where(
    Step.application == sa.bindparam("application"), Step.kind == sa.bindparam("kind")
)


def open_step(
    turn: Turn,
    application: Application,
    kind: StepKind,
    person: str,
    *,
    due: datetime | None = None,
    seat: int = 1,
    organisation: str | None = None,
    asked_by: str | None = None,
    question: str | None = None,
    number: int | None = None,
    address: str | None = None,
) -> Step:
    """Opens a step for one person; its code is derived from `turn.key`, and only its hash is stored.

    `number` counts the application's steps of the kind, from 1, where the caller knows it. `address` is the
    person's present one, where the caller knows it.
    """
    if number is None:
        number = 1 + read(turn.session, _COUNT, {"application": application.id, "kind": kind}).scalar_one()
    identifier = step_id(application.id, kind, number)
    step = Step(
        id=identifier,
        application=application.id,
        kind=kind,
        number=number,
        instance=application.instance,
        seat=seat,
        person=person,
        organisation=organisation,
        state=StepState.OPEN,
        opened_at=turn.now,
        due_at=due,
        asked_by=asked_by,
        question=question,
        code_hash=code_hash(review_code(turn.key, identifier, 1)),
        code_number=1,
        code_failures=0,
    )
    set_committed_value(step, "assignee", address or person_of(turn.session, person).address)
    return enter(turn.session, step)


def renew_code(step: Step, key: bytes) -> None:
    """Makes the step's code void and a new one valid; the caller mails it."""
    step.code_number += 1
    step.code_failures = 0
    step.code_hash = code_hash(review_code(key, step.id, step.code_number))


def close_step(step: Step, state: StepState, now: datetime, because: str | None = None) -> None:
    """Ends a step; its code is void from then on, and so is the draft of a review.

    What a draft said is in the review by then, or is nobody's to read any more.
    """
    if step.kind is StepKind.REVIEW and (session := object_session(step)) is not None:
        session.flush()  # a draft that was saved in this transaction is there to be deleted
        session.connection().execute(_END_DRAFT, {"draft": step.id})
    step.state = state
    if step.typed is not None:
        step.typed = None
    step.closed_at = now
    step.closed_because = because


def void_open(turn: Turn, application: Application, kind: StepKind, because: str) -> None:
    """Ends every step of the kind that is still open, since nobody needs an answer any more."""
    for step in steps_of(turn.session, application, kind):
        if step.state is StepState.OPEN:
            close_step(step, StepState.VOID, turn.now, because)


_END_DRAFT = sa.delete(cast("sa.Table", ReviewDraft.__table__)).where(
    ReviewDraft.step == sa.bindparam("draft")
)


def every_step(session: Session, application: Application) -> list[Step]:
    """The steps of all the application's instances, oldest first."""
    return list(session.scalars(_STEPS, {"application": application.id}))


_STEPS = (
    sa.select(Step)
    .where(Step.application == sa.bindparam("application"))
    .order_by(Step.opened_at, Step.number)
)


def steps_of(session: Session, application: Application, *kinds: StepKind) -> list[Step]:
    """The steps of the application's present instance, oldest first; all kinds unless some are named."""
    return [
        step
        for step in every_step(session, application)
        if step.instance == application.instance and (not kinds or step.kind in kinds)
    ]


def open_steps(session: Session, application: Application) -> list[Step]:
    """The steps that the application waits for now."""
    return awaited_of(application, every_step(session, application))


def awaited_of(application: Application, steps: Iterable[Step]) -> list[Step]:
    """Those of the application's steps that it waits for now."""
    return [
        step
        for step in steps
        if step.kind in AWAITED and step.state is StepState.OPEN and step.instance == application.instance
    ]


def locked(session: Session, application_id: str) -> Application:
    """The application, locked until the end of the transaction: other writers wait.

    Raises:
        NotFound: there is none of that id.
    """
    return _found(session, application_id, _LOCKED)


def locked_alone(session: Session, application_id: str) -> Application:
    """The same for whoever asks for nothing of what the application is about, which costs half.

    Raises:
        NotFound: there is none of that id.
    """
    application = session.scalars(_LOCKED_ALONE, {"application": application_id}).first()
    if application is None:
        raise no_application(session, application_id)
    return application


def locked_by_step(session: Session, step_id: str) -> tuple[Application, Step]:
    """A step and its application, both locked until the end of the transaction: other writers wait.

    Raises:
        NotFound: there is no such step.
    """
    row = session.execute(_LOCKED_BY_STEP, {"step": step_id}).first()
    if row is None:
        raise NotFound(f"There is no step {step_id}.")
    _keep(session, row)
    return row.Application, row.Step


def seen(session: Session, application_id: str) -> Application:
    """The application, for reading.

    Raises:
        NotFound: there is none of that id.
    """
    return _found(session, application_id, _WHOLE)


_WHOLE = (
    sa.select(Application, Teacher, Person, School, Project, Organisation)
    .outerjoin(Teacher, Teacher.id == Application.teacher)
    .outerjoin(Person, Person.id == Teacher.person)
    .outerjoin(School, School.id == Application.school)
    .outerjoin(Project, Project.id == Application.project)
    .outerjoin(Organisation, Organisation.id == Application.organisation)
    .where(Application.id == sa.bindparam("application"))
    .execution_options(populate_existing=True)
)
"""An application with whom and what it is about: nearly everything that is done asks for all of them."""


_LOCKED = _WHOLE.with_for_update(of=Application)


_LOCKED_ALONE = (
    sa.select(Application)
    .where(Application.id == sa.bindparam("application"))
    .with_for_update()
    .execution_options(populate_existing=True)
)


_LOCKED_BY_STEP = (
    sa.select(Application, Step, Teacher, Person)
    .join(Step, Step.application == Application.id)
    .outerjoin(Teacher, Teacher.id == Application.teacher)
    .outerjoin(Person, Person.id == Teacher.person)
    .where(Step.id == sa.bindparam("step"))
    .with_for_update(of=(Application, Step))
    .execution_options(populate_existing=True)
)


def _found(
    session: Session,
    application_id: str,
    query: sa.Select[tuple[Application, Teacher, Person, School, Project, Organisation]],
) -> Application:
    row = session.execute(query, {"application": application_id}).first()
    if row is None:
        raise no_application(session, application_id)
    _keep(session, row)
    application: Application = row[0]
    return application


def no_application(session: Session, number: str) -> NotFound:
    """Says of a number of ours that no application has it; of a label from elsewhere that nobody judged it here."""
    ours = sa.select(CycleLabel.year).where(CycleLabel.european == number).limit(1)
    if session.get(Award, number) is None or session.scalar(ours) is not None:
        return NotFound(f"There is no application {number}.")
    return NotFound(
        f"{number} was awarded elsewhere or earlier: no application for it is in this record, and nobody judged it here."
    )


def _keep(session: Session, row: sa.Row[Any]) -> None:
    """Keeps a reference: a session drops what nobody refers to, and these rows are about to be asked for again."""
    session.info.setdefault("kept", []).append(row)
