"""What every kind of asking shares: who is asked for an organisation, the mail that asks, what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels import outbox
from labels.clock import in_words
from labels.errors import LabelsError
from labels.people import Role
from labels.record.schema import Application, Organisation, Staff, Step
from labels.steps import common_context, person_named


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an answer was not accepted; the step stays open and what was typed is kept."""

    why: str
    error: LabelsError | None = None
    noted: bool = False
    """Whether the journal tells of it already."""
    mailed: bool = False
    """Whether a new code waits to be mailed, in place of one that was tried too often."""
    replace: bool = False
    """Whether this person can't answer any more at all, so that the run is to look again and ask somebody else."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an accepted answer did, in a sentence for the person who gave it."""

    application: str
    remark: str


def mail_step(
    session: Session,
    application: Application,
    step: Step,
    template: outbox.Template,
    now: datetime,
    *,
    to: tuple[str, str] | None = None,
    **context: Any,
) -> None:
    """Mails the step to its assignee; `to` has their name and language where the caller knows them."""
    name, language = to or person_named(session, step.assignee)
    outbox.queue(
        session,
        reason=f"{application.id}/{template.value}/{step.id}/{step.code_number}",
        template=template,
        language=language,
        to_name=name,
        to_address=step.assignee,
        context=common_context(session, application)
        | {"step": step.id, "due": in_words(step.due_at) if step.due_at else ""}
        | context,
        now=now,
        application=application.id,
        step=step.id,
    )


def coordinator(session: Session, organisation: str, *, other_than: str | None = None) -> str:
    """A coordinator's address, not that of `other_than`; the organisation's own where it has named none."""
    people = coordinators(session, organisation)
    return next((email for email in people if email != other_than), None) or _itself(session, organisation)


def coordinators(session: Session, organisation: str) -> list[str]:
    """Every coordinator's address; the organisation's own where it has named none."""
    named = session.scalars(
        sa.select(Staff.email)
        .where(Staff.organisation == organisation, Staff.role == Role.COORDINATOR)
        .order_by(Staff.email)
    ).all()
    return list(named) or [_itself(session, organisation)]


def those_who_coordinate(session: Session, organisation: str) -> list[str]:
    """Everybody with a coordinator's power: the coordinators, and whoever reads the organisation's own mail."""
    return list(dict.fromkeys([*coordinators(session, organisation), _itself(session, organisation)]))


def _itself(session: Session, organisation: str) -> str:
    return session.get_one(Organisation, organisation).email.lower()


def has_role(session: Session, email: str, organisation: str, *roles: Role) -> bool:
    """Whether somebody has one of the roles, or any, in an organisation."""
    whom = {"email": email, "organisation": organisation, "roles": roles or tuple(Role)}
    return bool(session.scalar(_HAS_ROLE, whom))


def coordinates(session: Session, email: str, organisation: str) -> bool:
    """Whether somebody is a coordinator of an organisation, or reads the mail at its own address."""
    return email == _itself(session, organisation) or has_role(session, email, organisation, Role.COORDINATOR)


_HAS_ROLE = sa.select(sa.func.count()).where(
    Staff.email == sa.bindparam("email"),
    Staff.organisation == sa.bindparam("organisation"),
    Staff.role.in_(sa.bindparam("roles", expanding=True)),
)
