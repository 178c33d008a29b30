"""Steps: what is asked of whom, opened with a one-time code and closed with a reason."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import NotFound
from labels.identifiers import step_id
from labels.people import code_hash, review_code
from labels.record.schema import (
    Application,
    Organisation,
    Project,
    Staff,
    Step,
    StepKind,
    StepState,
    Teacher,
)

AWAITED = (StepKind.REVIEW, StepKind.INFORMATION, StepKind.ASSIGNMENT)
"""The kinds of step that an application waits for; the others are rights that nobody waits for."""


def open_step(
    session: Session,
    application: Application,
    kind: StepKind,
    assignee: str,
    *,
    now: datetime,
    key: bytes,
    due: datetime | None = None,
    seat: int = 1,
    organisation: str | None = None,
    asked_by: str | None = None,
    question: str | None = None,
) -> Step:
    """Opens a step for one person; its code is derived from `key` and only its hash is kept."""
    earlier = session.scalar(
        sa.select(sa.func.count()).where(Step.application == application.id, Step.kind == kind)
    )
    number = 1 + (earlier or 0)
    identifier = step_id(application.id, kind, number)
    step = Step(
        id=identifier,
        application=application.id,
        kind=kind,
        number=number,
        instance=application.instance,
        seat=seat,
        assignee=assignee,
        organisation=organisation,
        state=StepState.OPEN,
        opened_at=now,
        due_at=due,
        asked_by=asked_by,
        question=question,
        code_hash=code_hash(review_code(key, identifier, 1)),
        code_number=1,
        code_failures=0,
    )
    session.add(step)
    session.flush()
    return step


def renew_code(step: Step, key: bytes) -> None:
    """Makes the step's code void and a new one valid; the caller mails it."""
    step.code_number += 1
    step.code_failures = 0
    step.code_hash = code_hash(review_code(key, step.id, step.code_number))


def close_step(step: Step, state: StepState, now: datetime, because: str | None = None) -> None:
    """Ends a step; its code is void from then on."""
    step.state = state
    step.closed_at = now
    step.closed_because = because


def steps_of(session: Session, application: Application, *kinds: StepKind) -> list[Step]:
    """The steps of the application's present instance, oldest first; all kinds unless some are named."""
    query = sa.select(Step).where(Step.application == application.id, Step.instance == application.instance)
    if kinds:
        query = query.where(Step.kind.in_(kinds))
    return list(session.scalars(query.order_by(Step.opened_at, Step.number)))


def open_steps(session: Session, application: Application) -> list[Step]:
    """The steps that the application waits for now."""
    return [s for s in steps_of(session, application, *AWAITED) if s.state is StepState.OPEN]


def held(session: Session, application_id: str) -> Application:
    """The application, held against other writers until the end of the transaction.

    Raises:
        NotFound: there is none of that id.
    """
    application = session.get(Application, application_id, with_for_update=True)
    if application is None:
        raise NotFound(f"There is no application {application_id}.")
    return application


def common_context(session: Session, application: Application) -> dict[str, str]:
    """What every mail about an application can tell."""
    project = session.get(Project, application.project) if application.project else None
    return {
        "application": application.id,
        "label": "National Quality Label",
        "project_title": project.title if project else "",
        "holder": session.get_one(Teacher, application.teacher).name,
        "organisation_name": session.get_one(Organisation, application.organisation).name,
    }


def person_named(session: Session, email: str) -> tuple[str, str]:
    """Name and language of the person with that address; the address itself if unknown."""
    found = (
        session.execute(sa.select(Staff.name, Staff.language).where(Staff.email == email).limit(1)).first()
        or session.execute(
            sa.select(Teacher.name, Teacher.language).where(Teacher.email == email).limit(1)
        ).first()
    )
    return (found[0], found[1]) if found else (email, "en")
