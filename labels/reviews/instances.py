"""Instances of an application: which reviews count in each, whether one was an appeal, and which certificate is its own."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.record.schema import Application, Cause, Reopening


def counted_from(session: Session, application_id: str, instance: int) -> int:
    """The first instance whose reviews count in this one: itself, unless a decision was reopened for a cause that
    leaves the other reviews as they are."""
    began = reopened(session, application_id, instance)
    return began.counted_from if began else instance


def reopened(session: Session, application_id: str, instance: int) -> Reopening | None:
    """How an instance began, where the decision of the one before was reopened."""
    return session.get(Reopening, (application_id, instance)) if instance > 1 else None


def was_heard_on_appeal(session: Session, application: Application) -> bool:
    """Whether an appeal was heard already, which can be done once."""
    if application.instance == 1:
        return False
    for_other_causes = session.scalar(_NO_APPEALS, {"application": application.id}) or 0
    return application.instance - 1 > for_other_causes


_NO_APPEALS = sa.select(sa.func.count()).where(
    Reopening.application == sa.bindparam("application"), Reopening.cause != Cause.APPEAL
)


def certificate_edition(session: Session, application: Application) -> int:
    """The edition of the certificate that an award in the present instance gets.

    An appeal changes nothing of it: what was issued before the last reopening stays void.
    """
    if application.instance == 1:
        return 1
    last = {"application": application.id, "instance": application.instance}
    return session.scalar(_CERTIFICATE, last) or 1


_CERTIFICATE = (
    sa.select(Reopening.certificate)
    .where(
        Reopening.application == sa.bindparam("application"), Reopening.instance <= sa.bindparam("instance")
    )
    .order_by(Reopening.instance.desc())
    .limit(1)
)
