"""The mails about an application and its steps."""

from __future__ import annotations

from sqlalchemy.orm import Session

from labels.mail import outbox
from labels.mail.message import About, AboutStep, OfApplication, OfStep
from labels.mail.outbox import Envelope
from labels.people.named import Recipient, recipient
from labels.record.schema import Application, Organisation, Project, School, Step, Teacher
from labels.turn import Turn


def about(session: Session, application: Application) -> About:
    """What every mail about an application can tell."""
    project = session.get(Project, application.project) if application.project else None
    organisation = session.get_one(Organisation, application.organisation)
    return About(
        application=application.id,
        label=application.label,
        project_title=project.title if project else "",
        holder=_applicant(session, application, organisation),
        organisation_name=organisation.name,
    )


def about_step(session: Session, application: Application, step: Step) -> AboutStep:
    """What every mail about one of its steps can tell."""
    return AboutStep.of(about(session, application), step.id, step.due_at)


def _applicant(session: Session, application: Application, organisation: Organisation) -> str:
    if application.teacher:
        return session.get_one(Teacher, application.teacher).name
    if application.school:
        return session.get_one(School, application.school).name
    return organisation.name


def mail_step(
    turn: Turn, step: Step, message: OfStep, to: Recipient | None = None, *, once_more: bool = False
) -> None:
    """Mails a step and its code to its assignee; `to` is who that is, where the caller knows them.

    A message of a kind goes out once for each code, and `once_more` where somebody asks for it.
    """
    whom = to or recipient(turn.session, step.person)
    outbox.queue(turn, *for_step(step, message, whom, turn.now.isoformat() if once_more else None))


def for_step(
    step: Step, message: OfStep, to: Recipient, once_more: str | None = None
) -> tuple[OfStep, Envelope]:
    """A message about a step in its envelope; `once_more` tells it from the one that went out with the same code."""
    parts = (step.id, step.code_number) if once_more is None else (step.id, step.code_number, once_more)
    return message, Envelope(to, parts, step.application, step.id)


def tell(turn: Turn, application: Application, person: str, message: OfApplication, *parts: object) -> None:
    """Mails a message without a code to a person, once for an application and what `parts` say."""
    outbox.queue(turn, message, Envelope(recipient(turn.session, person), parts, application.id))
