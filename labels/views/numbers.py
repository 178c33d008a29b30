"""Which case somebody means by a number of ours: an application's, a step's, an award's, a class's, a certificate's code."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.errors import NotFound
from labels.papers.codes import read_code, series_of
from labels.record.schema import Application, Award, Cycle, CycleLabel, Issued, PupilClass, Step
from labels.steps.step import no_application


def application_named(session: Session, typed: str) -> str:
    """The application that a number of ours belongs to; small letters make no difference.

    A class's is that of its teacher's label, a European label's the award of its year.

    Raises:
        NotFound: nothing has that number, or what has it is in no application of this record.
    """
    if (code := read_code(typed)) is not None and not _is_application(session, typed.upper()):
        subject = session.scalar(
            sa.select(Issued.subject).where(Issued.code.in_((code, series_of(code)))).limit(1)
        )
        if subject is None:
            raise NotFound(f"No certificate has the code {code}.")
        number = subject
    else:
        number = typed.upper()
    if _is_application(session, number):
        return number
    if (step := session.get(Step, number)) is not None:
        return step.application
    if (made := session.get(PupilClass, number)) is not None:
        number = made.award
    year = session.scalar(sa.select(CycleLabel.year).where(CycleLabel.european == number).limit(1))
    if year is not None:
        return session.get_one(Cycle, year).application
    if _is_application(session, number):
        return number
    if session.get(Award, number) is not None:
        raise no_application(session, number)
    raise NotFound(f"There is no application {typed}.")


def _is_application(session: Session, number: str) -> bool:
    return session.get(Application, number) is not None
