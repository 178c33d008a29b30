"""The invitations of a round: for each school that is to be invited one application, for each of its teachers one mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from labels.applications.file import digest
from labels.clock import brussels_day
from labels.identifiers import paper_id, school_application_id, step_id
from labels.kinds import LabelKind
from labels.mail import messages, outbox
from labels.mail.message import About, AboutStep, Message
from labels.mail.outbox import Envelope
from labels.people.named import Recipient
from labels.record.journal import SYSTEM, Event, entry, note
from labels.record.rows import write
from labels.record.schema import (
    Application,
    Document,
    Journal,
    Organisation,
    PaperKind,
    Person,
    Project,
    School,
    SchoolOutcome,
    SchoolRound,
    Stage,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.registry.history import successions
from labels.rules.calendars import end_of_working_day, school_year
from labels.rules.kept import keep_rules
from labels.rules.model import RuleEdition
from labels.school_label import rounds
from labels.school_label.people import invited, principal
from labels.school_label.preselection import BETWEEN_IDS, CutOffs
from labels.steps.codes import code_hash, review_code
from labels.steps.mailing import about, about_step
from labels.steps.step import locked
from labels.turn import Turn

BATCH = 200
"""Schools that are invited in one transaction: a second's work, which is lost if the process dies in it."""


@dataclass(frozen=True, slots=True)
class Invited:
    """What one batch did."""

    schools: int
    mails: int


NOBODY = Invited(0, 0)


def to_invite(session: Session, year: int) -> int:
    """How many schools of a round are still to be invited."""
    return session.scalar(sa.select(sa.func.count()).select_from(_uninvited(year).subquery())) or 0


def invite(turn: Turn, year: int, rules_for: Callable[[str], RuleEdition], *, batch: int = BATCH) -> Invited:
    """Invites the next schools of a round: all of it or nothing, and each school once; nobody where none is left.

    Of two that invite at once, one waits here and then goes on where the other has come to. A school
    whose application of an earlier round is still open is left out until that is closed, also where that was made
    under a number which it had before.

    Raises:
        NotFound: the round has not begun.
    """
    one = rounds.locked_round(turn.session, year)
    if one.invited_at is not None:
        return NOBODY
    schools = turn.session.execute(_uninvited(year).limit(batch)).all()
    if not schools:
        one.invited_at = turn.now
        note(turn, None, SYSTEM, Event.SCHOOLS_INVITED, year=year)
        return NOBODY
    teachers: dict[str, dict[str, Recipient]] = {row.school: {} for row in schools}
    for school, person in turn.session.execute(
        sa.select(Teacher.school, Person)
        .join(Person, Person.id == Teacher.person)
        .where(Teacher.school.in_(teachers))
        .order_by(Teacher.school, Teacher.id)
    ):
        teachers[school].setdefault(person.id, Recipient.of(person))
    dates = rounds.cut_offs(turn.session, one)
    editions: dict[str, str] = {}
    due_at: dict[str, datetime] = {}
    for row in schools:
        if row.organisation not in editions:
            edition = rules_for(row.organisation)
            editions[row.organisation] = keep_rules(turn.session, edition)
            due_at[row.organisation] = rounds.due_at(turn.session, one, row.organisation, edition.school)
    applications = [_application(row, one, editions[row.organisation], turn.now) for row in schools]
    write(turn.session, Application, *applications)
    steps, entries = [], []
    mails: list[tuple[Message, Envelope]] = []
    for row, application in zip(schools, applications, strict=True):
        asked = list(teachers[row.school].items())
        common, why = _about(row, application["id"]), _why(row, dates)
        due = end_of_working_day(due_at[row.organisation], row.country)
        for number, (person, to) in enumerate(asked, 1):
            step = _step(application["id"], number, person, due, turn.now, turn.key)
            steps.append(step)
            mails.append(_invitation(common, step, to, why))
        details = {"round": year, "school": row.school, "teachers": len(asked)}
        entries.append(entry(turn, application["id"], SYSTEM, Event.INVITED, **details))
    write(turn.session, Step, *steps)
    write(turn.session, Journal, *entries)
    outbox.queue_many(turn, mails)
    return Invited(len(schools), len(mails))


def _uninvited(year: int) -> sa.Select[Any]:
    """The schools of a round that are still to be invited, with the reasons and who is responsible."""
    former, lines = aliased(Application), successions()
    counts = (former.label == LabelKind.SCHOOL, sa.or_(former.round == str(year), former.outcome.is_(None)))
    in_the_way = sa.exists().where(former.school == SchoolOutcome.school, *counts)
    under_a_former_number = (
        sa.exists()
        .select_from(lines)
        .where(lines.c.school == SchoolOutcome.school, former.school == lines.c.former, *counts)
    )
    return (
        sa.select(
            *SchoolOutcome.__table__.c,
            School.name,
            School.organisation,
            Organisation.name.label("organisation_name"),
            Organisation.language,
            Project.title,
        )
        .join(School, School.id == SchoolOutcome.school)
        .join(Organisation, Organisation.id == School.organisation)
        .outerjoin(Project, Project.id == SchoolOutcome.project)
        .where(
            SchoolOutcome.year == year,
            SchoolOutcome.eligible,
            SchoolOutcome.held.is_(None),
            sa.exists().where(Teacher.school == SchoolOutcome.school),
            ~in_the_way,
            ~under_a_former_number,
        )
        .order_by(SchoolOutcome.school)
    )


def _application(row: sa.Row[Any], one: SchoolRound, rules: str, now: datetime) -> dict[str, Any]:
    content = {"label": "school", "school": row.school, "round": one.year}
    return {
        "id": school_application_id(row.school, one.year, 1), "label": LabelKind.SCHOOL, "teacher": None,
        "project": None, "school": row.school, "organisation": row.organisation, "country": row.country,
        "language": row.language, "attempt": 1, "instance": 1, "content": content,
        "content_digest": digest(content), "rules": rules, "submitted_at": now,
        "school_year": school_year(brussels_day(now)), "round": str(one.year), "decide_by": None,
        "stage": Stage.SELF_ASSESSMENT, "stage_since": now, "outcome": None, "revision": 1,
        "parked_revision": -1, "run": None, "runs": 0, "form_seen": None,
    }  # fmt: skip


def _step(
    application: str, number: int, person: str, due: datetime, now: datetime, key: bytes
) -> dict[str, Any]:
    identifier = step_id(application, StepKind.SELF_ASSESSMENT, number)
    return {
        "id": identifier, "application": application, "kind": StepKind.SELF_ASSESSMENT, "number": number,
        "instance": 1, "seat": 1, "person": person, "state": StepState.OPEN, "opened_at": now,
        "due_at": due, "code_hash": code_hash(review_code(key, identifier, 1)), "code_number": 1,
        "code_failures": 0,
    }  # fmt: skip


def _about(row: sa.Row[Any], application: str) -> About:
    return About(
        application=application,
        label=LabelKind.SCHOOL,
        holder=row.name,
        organisation_name=row.organisation_name,
    )


def _why(row: sa.Row[Any], dates: CutOffs) -> messages.SchoolInvited.Conditions:
    return messages.SchoolInvited.Conditions(
        registered_on=row.registered_on,
        active=len(row.active.split(BETWEEN_IDS)),
        active_since=dates.active_since,
        project_title=row.title or "",
        awarded_on=row.awarded_on,
    )


def _invitation(
    common: About,
    step: dict[str, Any],
    to: Recipient,
    why: messages.SchoolInvited.Conditions | None = None,
) -> tuple[Message, Envelope]:
    """The invitation of one teacher by a step that was just opened."""
    asked = AboutStep.of(common, step["id"], step["due_at"])
    envelope = Envelope(to, (step["id"], step["code_number"]), step["application"], step["id"])
    return messages.SchoolInvited(about=asked, why=why), envelope


def invitation_of(session: Session, application: Application, step: Step) -> messages.SchoolInvited:
    """The invitation of one teacher as it was mailed, to be sent once more."""
    found = session.execute(
        sa.select(*SchoolOutcome.__table__.c, Project.title)
        .outerjoin(Project, Project.id == SchoolOutcome.project)
        .where(
            SchoolOutcome.year == int(application.round or 0),
            SchoolOutcome.school == application.school,
            SchoolOutcome.eligible,
        )
    ).first()
    why = None
    if found is not None and application.attempt == 1:
        why = _why(found, rounds.cut_offs(session, rounds.round_of(session, found.year)))
    return messages.SchoolInvited(about=about_step(session, application, step), why=why)


def invite_again(turn: Turn, former: Application, due: datetime) -> str:
    """A new application of a school in the same round, with what it said before to go on from; its id.

    The same teachers are invited again, each with a new code.
    """
    attempt = former.attempt + 1
    identifier = school_application_id(former.school or "", int(former.round or 0), attempt)
    answered = turn.session.scalars(
        sa.select(Step)
        .where(
            Step.application == former.id,
            Step.kind == StepKind.SELF_ASSESSMENT,
            Step.state == StepState.ANSWERED,
        )
        .order_by(Step.closed_at.desc())
    ).first()
    said = {name: value for name, value in ((answered and answered.answer) or {}).items() if name != "share"}
    content = {"label": "school", "school": former.school, "round": int(former.round or 0)}
    application = {
        "id": identifier, "label": LabelKind.SCHOOL, "teacher": None, "project": None, "school": former.school,
        "organisation": former.organisation, "country": former.country, "language": former.language,
        "attempt": attempt, "instance": 1, "content": content, "content_digest": digest(content),
        "rules": former.rules, "submitted_at": turn.now, "school_year": former.school_year, "round": former.round,
        "decide_by": None, "stage": Stage.SELF_ASSESSMENT, "stage_since": turn.now, "outcome": None,
        "revision": 1, "parked_revision": -1, "run": None, "runs": 0, "form_seen": None,
    }  # fmt: skip
    write(turn.session, Application, application)
    for one in turn.session.scalars(
        sa.select(Document).where(Document.application == former.id, Document.kind == "evidence")
    ).all():
        kept = {c.name: getattr(one, c.name) for c in Document.__table__.c if c.name != "id"}
        write(turn.session, Document, kept | {"application": identifier})
    people = invited(turn.session, former)
    steps = [
        _step(identifier, number, one.person or "", due, turn.now, turn.key) | {"draft": said or None}
        for number, one in enumerate(people, 1)
    ]
    write(turn.session, Step, *steps)
    common = about(turn.session, former).model_copy(update={"application": identifier})
    outbox.queue_many(turn, [_invitation(common, step, one) for step, one in zip(steps, people, strict=True)])
    details: dict[str, Any] = {"round": int(former.round or 0), "after": former.id, "teachers": len(people)}
    write(turn.session, Journal, entry(turn, identifier, SYSTEM, Event.INVITED_AGAIN, **details))
    return identifier


def tell_the_principal(turn: Turn, application_id: str) -> None:
    """Mails the letter of invitation to the school's principal; the message waits until the letter is stored."""
    application = locked(turn.session, application_id)
    head = principal(turn.session, application)
    due = turn.session.scalar(
        sa.select(sa.func.max(Step.due_at)).where(
            Step.application == application_id, Step.kind == StepKind.SELF_ASSESSMENT
        )
    )
    message = messages.SchoolInvitation(about=about(turn.session, application), due=due)
    outbox.queue(
        turn,
        message,
        Envelope(
            head, application=application_id, attachments=(paper_id(PaperKind.INVITATION, application_id),)
        ),
    )


def unstarted(session: Session, year: int, limit: int = 1_000) -> Sequence[str]:
    """Applications of a round that have no run yet, in the order of their ids."""
    return session.scalars(
        sa.select(Application.id)
        .where(
            Application.label == LabelKind.SCHOOL,
            Application.round == str(year),
            Application.run.is_(None),
            Application.stage != Stage.CLOSED,
        )
        .order_by(Application.id)
        .limit(limit)
    ).all()
