"""What the registry knows of a school, frozen in its application for the school to confirm or dispute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import brussels_day
from labels.kinds import LabelKind
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Activity, Application, Award, Member, Project, Teacher
from labels.registry.history import all_numbers, ever_at, involvements, school_on
from labels.rules.kept import rules_of
from labels.school_label.preselection import CutOffs
from labels.steps.step import locked
from labels.turn import Turn

FIELDS = ("members", "projects", "professional_development", "events")
"""What is filled in; each is confirmed or disputed by the school."""

LEARNING = ("learning_event", "online_seminar", "workshop")
"""Kinds of activity that feed professional development (brief: learning events and online seminars)."""
CREATED = ("event_created",)
"""Kinds that feed events: those that members created."""


@dataclass(frozen=True, slots=True)
class FilledRow:
    """A row of what was filled in: a member, a project or an activity."""

    id: str
    """By it the row can be disputed."""
    title: str
    """A member's name, or a title."""
    on: date | None
    """The day of an activity, or since when a member is registered."""
    started: date | None = None
    """When a project started."""
    ended: date | None = None
    """When it ended; None while it runs."""

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """The row as it stands in an application's content."""
        day = row.get("on") or row.get("since")
        started, ended = row.get("started"), row.get("ended")
        return cls(
            id=row["id"],
            title=row.get("title") or row["name"],
            on=date.fromisoformat(day) if day else None,
            started=date.fromisoformat(started) if started else None,
            ended=date.fromisoformat(ended) if ended else None,
        )

    def in_a_line(self) -> str:
        """The row for people: its title, its id and when."""
        when = self.on or f"{self.started} to {self.ended or 'today'}"
        return f"{self.title} ({self.id}), {when}"


def prefill(turn: Turn, application_id: str) -> bool:
    """Freezes what the registry knows of the school, once, with its source and time; whether it did so now."""
    application = locked(turn.session, application_id)
    if "prefilled" in application.content or application.outcome is not None:
        return False
    since = CutOffs.by_rules(brussels_day(turn.now), rules_of(turn.session, application).school).active_since
    application.content = application.content | {
        "prefilled": {
            "source": "registry",
            "at": turn.now.isoformat(timespec="seconds"),
            "since": since.isoformat(),
            "members": _members(turn.session, application),
            "projects": _projects(turn.session, application, since),
            "professional_development": _activities(turn.session, application, since, LEARNING),
            "events": _activities(turn.session, application, since, CREATED),
        }
    }
    note(
        turn,
        application,
        SYSTEM,
        Event.PREFILLED,
        news=False,
        rows={name: len(application.content["prefilled"][name]) for name in FIELDS},
    )
    return True


def _own(session: Session, application: Application) -> frozenset[str]:
    """The school under each of its numbers: what it did under a former one is its own."""
    [own] = all_numbers(session, [application.school] if application.school else [])
    return own


def _members(session: Session, application: Application) -> list[dict[str, Any]]:
    rows = session.scalars(
        sa.select(Teacher).where(Teacher.school.in_(_own(session, application))).order_by(Teacher.id)
    )
    return [{"id": one.id, "name": one.name, "since": one.registered_on.isoformat()} for one in rows]


def _projects(session: Session, application: Application, since: date) -> list[dict[str, Any]]:
    own = _own(session, application)

    def of_the_school(query: sa.Select[Any], since: Any) -> sa.Select[Any]:
        return query.where(Member.teacher.in_(ever_at(own)))

    involved = involvements(of_the_school, Member.project, Member.teacher).subquery()
    rows = session.execute(
        sa.select(Project, involved.c.teacher)
        .join(involved, involved.c.project == Project.id)
        .where(involved.c.school.in_(own))
        .where(sa.or_(Project.ended_on.is_(None), Project.ended_on >= since))
        .distinct()
        .order_by(Project.id, involved.c.teacher)
    ).all()
    labelled = set(
        session.scalars(
            sa.select(Award.project).where(
                Award.label == LabelKind.NATIONAL,
                Award.revoked_at.is_(None),
                Award.project.in_({row.Project.id for row in rows}),
            )
        )
    )
    found: dict[str, dict[str, Any]] = {}
    for project, teacher in rows:
        one = found.setdefault(
            project.id,
            {
                "id": project.id,
                "title": project.title,
                "started": project.started_on.isoformat(),
                "ended": project.ended_on.isoformat() if project.ended_on else None,
                "labelled": project.id in labelled,
                "teachers": [],
            },
        )
        one["teachers"].append(teacher)
    return list(found.values())


def _activities(
    session: Session, application: Application, since: date, kinds: tuple[str, ...]
) -> list[dict[str, Any]]:
    own = _own(session, application)
    rows = session.scalars(
        sa.select(Activity)
        .join(Teacher, Teacher.id == Activity.teacher)
        .where(Activity.teacher.in_(ever_at(own)), school_on(Teacher, Activity.on).in_(own))
        .where(Activity.kind.in_(kinds))
        .where(Activity.confirmed, Activity.on >= since)
        .order_by(Activity.on, Activity.id)
    )
    return [
        {"id": one.id, "title": one.title, "kind": one.kind, "teacher": one.teacher, "on": one.on.isoformat()}
        for one in rows
    ]
