"""The brief of a case, whatever it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from labels.kinds import LabelKind
from labels.record.schema import Application, Step
from labels.views.briefs.common import Brief
from labels.views.briefs.european import award_brief, nomination_brief
from labels.views.briefs.national import national_brief
from labels.views.briefs.school import school_brief

BRIEFS: Mapping[LabelKind, Callable[[Session, Application, Sequence[Step]], Brief]] = {
    LabelKind.NATIONAL: national_brief,
    LabelKind.SCHOOL: school_brief,
    LabelKind.NOMINATION: nomination_brief,
    LabelKind.EUROPEAN: award_brief,
}


def brief_of(session: Session, application: Application, awaited: Sequence[Step]) -> Brief:
    """What whoever answers one of these steps of the application is shown."""
    return BRIEFS[application.label](session, application, awaited)
