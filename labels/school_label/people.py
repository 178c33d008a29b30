"""The people of a school whom its application concerns."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.mail import outbox
from labels.mail.message import OfApplication
from labels.mail.outbox import Envelope
from labels.people.named import Recipient, recipient
from labels.record.schema import Application, Person, School, Step, StepKind
from labels.turn import Turn


def invited(session: Session, application: Application) -> list[Recipient]:
    """The teachers who were invited, in the order in which they were, each once."""
    people = session.scalars(
        sa.select(Person)
        .join(Step, Step.person == Person.id)
        .where(Step.application == application.id, Step.kind == StepKind.SELF_ASSESSMENT)
        .order_by(Step.number)
    )
    return [Recipient.of(one) for one in dict.fromkeys(people)]


def principal(session: Session, application: Application) -> Recipient:
    """The school's principal, who speaks the language of the school's organisation."""
    return recipient(session, session.get_one(School, application.school).principal)


def everyone(session: Session, application: Application) -> list[Recipient]:
    """Every invited teacher and the principal, each once."""
    return list(dict.fromkeys([*invited(session, application), principal(session, application)]))


def tell_everyone(turn: Turn, application: Application, message: OfApplication, *papers: str) -> None:
    """Mails the same to every invited teacher and to the principal, each once in each instance, with these papers."""
    for to in everyone(turn.session, application):
        parts = (application.instance, to.person)
        outbox.queue(turn, message, Envelope(to, parts, application.id, attachments=papers))
