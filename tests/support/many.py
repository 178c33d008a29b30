"""Several applications like one, each with its reviews open: for what is done with many at once."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Application, Project, Step, StepKind, StepState


def copied(session: Session, application: str, number: int) -> list[str]:
    """So many applications of the same teacher for other projects, each asked of the same people; the first is the given one."""
    of = session.get_one(Application, application)
    columns = {c.name: getattr(of, c.name) for c in Application.__table__.columns}
    steps = session.scalars(
        sa.select(Step).where(
            Step.application == application, Step.kind == StepKind.REVIEW, Step.state == StepState.OPEN
        )
    ).all()
    made = [application]
    for n in range(1, number):
        session.add(Project(id=f"P-{n}m", title=f"Rzeki {n}", started_on=date(2025, 9, 1), ended_on=None))
        session.flush()
        made.append(f"NQL-{n:010}")
        session.add(Application(**columns | {"id": made[-1], "project": f"P-{n}m"}))
        session.flush()
        for step in steps:
            session.add(
                Step(
                    id=f"STEP-{n:08}{step.seat:02}", application=made[-1], kind=StepKind.REVIEW,
                    number=step.number, seat=step.seat, person=step.person, organisation=step.organisation,
                    state=StepState.OPEN, opened_at=step.opened_at, due_at=step.due_at, code_hash="",
                )
            )  # fmt: skip
    session.flush()
    return made
