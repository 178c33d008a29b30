"""The people of a school whom its application concerns."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.identifiers import paper_id
from labels.mail import outbox
from labels.mail.message import OfApplication
from labels.mail.outbox import Envelope
from labels.people.named import Recipient
from labels.record.schema import Application, PaperKind, School, Step, StepKind, Teacher
from labels.turn import Turn


def invited(session: Session, application: Application) -> list[Recipient]:
    """The teachers who were invited, in the order in which they were, each address once."""
    addresses = dict.fromkeys(
        session.scalars(
            sa.select(Step.assignee)
            .where(Step.application == application.id, Step.kind == StepKind.SELF_ASSESSMENT)
            .order_by(Step.number)
        )
    )
    known = {
        one.email.lower(): one
        for one in session.scalars(sa.select(Teacher).where(Teacher.school == application.school))
    }
    return [
        Recipient(known[one].name, one, known[one].language)
        if one in known
        else Recipient(one, one, application.language)
        for one in addresses
    ]


def principal(session: Session, application: Application) -> Recipient:
    """The school's principal, who speaks the language of the school's organisation."""
    school = session.get_one(School, application.school)
    return Recipient(school.principal_name, school.principal_email.lower(), application.language)


def everyone(session: Session, application: Application) -> list[Recipient]:
    """Every invited teacher and the principal, each address once."""
    each = {one.address: one for one in [*invited(session, application), principal(session, application)]}
    return list(each.values())


def tell_everyone(turn: Turn, application: Application, message: OfApplication, *papers: PaperKind) -> None:
    """Mails the same to every invited teacher and to the principal, each address once."""
    attachments = tuple(
        paper_id(kind, application.id) for kind in papers
    )  # a school can't appeal: one of each
    for to in everyone(turn.session, application):
        parts = (application.instance, to.address)
        outbox.queue(turn, message, Envelope(to, parts, application.id, attachments=attachments))
