"""The people of a school whom its application concerns."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.mail import outbox
from labels.record.schema import Application, School, Step, StepKind, Teacher
from labels.steps.step import common_context
from labels.turn import Turn


class Person(NamedTuple):
    """Whom a mail goes to."""

    name: str
    email: str
    language: str


def invited(session: Session, application: Application) -> list[Person]:
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
        Person(known[one].name, one, known[one].language)
        if one in known
        else Person(one, one, application.language)
        for one in addresses
    ]


def principal(session: Session, application: Application) -> Person:
    """The school's principal, who speaks the language of the school's organisation."""
    school = session.get_one(School, application.school)
    return Person(school.principal_name, school.principal_email.lower(), application.language)


def everyone(session: Session, application: Application) -> list[Person]:
    """Every invited teacher and the principal, each address once."""
    each = {one.email: one for one in [*invited(session, application), principal(session, application)]}
    return list(each.values())


def tell_everyone(
    turn: Turn,
    application: Application,
    template: outbox.Template,
    *,
    attachment: str | None = None,
    second_attachment: str | None = None,
    **context: Any,
) -> None:
    """Mails the same to every invited teacher and to the principal, each address once."""
    common = common_context(turn.session, application)
    for one in everyone(turn.session, application):
        outbox.queue(
            turn.session,
            reason=f"{application.id}/{template.value}/{application.instance}/{one.email}",
            template=template,
            language=one.language,
            to_name=one.name,
            to_address=one.email,
            context=common | context,
            now=turn.now,
            application=application.id,
            attachment=attachment,
            second_attachment=second_attachment,
        )
