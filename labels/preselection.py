"""Stage one of the School Label: three conditions, looked at for every registered school, with reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.orm import Session, aliased

from labels.errors import NotFound
from labels.record.schema import Activity, Award, Member, Organisation, Project, School, Teacher
from labels.rules.model import PreselectionRules, RuleEdition
from labels.text import one_line

_LISTED = 5
_BATCH = 1_000
_BETWEEN_IDS = "\x1f"


@dataclass(frozen=True, slots=True)
class Round:
    """The dates by which one round's conditions are counted; the first and last day belong to a window."""

    on: date
    """The day of the check, or of the application."""
    registered_before: date
    """A school registered on this day or later is too young."""
    active_since: date
    labelled_since: date
    active_teachers: int

    @classmethod
    def by_rules(cls, on: date, rules: PreselectionRules) -> Round:
        """The dates that the rules publish, and where they publish none those that follow from `on`.

        Two years before 29 February there is no such day; the school has the benefit: its windows begin
        on the 28th, and it may have been registered until then.

        Raises:
            ValueError: so many years before `on` there is no date.
        """
        return cls(
            on=on,
            registered_before=rules.registered_before.value
            if rules.registered_before
            else _years_before(on, rules.registered_years.value, missing_day=timedelta(days=1)),
            active_since=rules.active_since.value
            if rules.active_since
            else _years_before(on, rules.active_years.value),
            labelled_since=rules.labelled_since.value
            if rules.labelled_since
            else _years_before(on, rules.label_years.value),
            active_teachers=rules.active_teachers.value,
        )


def _years_before(on: date, years: int, *, missing_day: timedelta = timedelta()) -> date:
    """The same day so many years earlier; where it is missing, 28 February and `missing_day` more."""
    try:
        return on.replace(year=on.year - years)
    except ValueError:
        return on.replace(year=on.year - years, day=28) + missing_day


def round_on(session: Session, on: date, rules_for: Callable[[str], RuleEdition]) -> Round:
    """The round of a day, by the rules of the Central Support Service; by everybody's where there is none.

    Raises:
        InvalidInput: a rule file has mistakes.
        ValueError: so many years before `on` there is no date.
    """
    central = sa.select(Organisation.id).where(Organisation.kind == "CSS").order_by(Organisation.id).limit(1)
    return Round.by_rules(on, rules_for(session.scalar(central) or "CSS").school.preselection)


class Condition(BaseModel):
    """One of the three conditions, for one school."""

    met: bool
    why: str
    """In plain words, for the school that asks."""


class SchoolCheck(BaseModel):
    """What the check found about one school."""

    school: str
    eligible: bool
    conditions: dict[str, Condition]
    """`registered`, `active_teachers` and `national_label`."""


def check_schools(session: Session, dates: Round, school: str | None = None) -> Iterator[SchoolCheck]:
    """The check of every school, ordered by its id, or of one; in memory are a thousand at most.

    Source: the brief's three sentences. *Active* is who was a member of a project that ran at some time
    within the window, or has a confirmed activity in it. The school is involved in a project through
    the teachers who belong to it now.

    Raises:
        NotFound: there is no such school.
    """
    query = _query(dates)
    if school is not None:
        if session.get(School, school) is None:
            raise NotFound(f"The registry has no school {school}.")
        query = query.where(School.id == school)
    for row in session.execute(query.execution_options(yield_per=_BATCH)):
        active = row.active.split(_BETWEEN_IDS) if row.active else []
        conditions = {
            "registered": _registered(row.registered_on, dates),
            "active_teachers": _active(active, dates),
            "national_label": _labelled(row.project, row.title, row.awarded_on, dates),
        }
        eligible = all(condition.met for condition in conditions.values())
        yield SchoolCheck(school=row.id, eligible=eligible, conditions=conditions)


def _query(
    dates: Round,
) -> sa.Select[tuple[str, date, str | None, str | None, str | None, date | None]]:
    """One row a school: every sub-query goes from the school along an index, so one school costs as
    little as its share of all of them."""
    in_project = (
        sa.exists()
        .where(Member.teacher == Teacher.id, Member.joined_on <= dates.on)
        .where(Project.id == Member.project, Project.started_on <= dates.on)
        .where(sa.or_(Project.ended_on.is_(None), Project.ended_on >= dates.active_since))
    )
    in_activity = sa.exists().where(
        Activity.teacher == Teacher.id,
        Activity.confirmed,
        Activity.on.between(dates.active_since, dates.on),
    )
    active = (
        sa.select(sa.func.aggregate_strings(Teacher.id, _BETWEEN_IDS))
        .where(Teacher.school == School.id, sa.or_(in_project, in_activity))
        .scalar_subquery()
    )
    founder, home = aliased(Teacher), aliased(School)
    countries = (
        sa.select(sa.func.count(home.country.distinct()))
        .select_from(Member)
        .join(founder, founder.id == Member.teacher)
        .join(home, home.id == founder.school)
        .where(Member.project == Award.project, Member.role == "founder")
        .correlate(Award)
        .scalar_subquery()
    )
    label = (
        sa.select(Award.id)
        .select_from(Teacher)
        .join(Member, Member.teacher == Teacher.id)
        .join(Award, Award.project == Member.project)
        .where(
            Teacher.school == School.id,
            Member.joined_on <= dates.on,
            Award.label == "national",
            Award.awarded_on.between(dates.labelled_since, dates.on),
            Award.revoked_at.is_(None),
            countries > 1,
        )
        .order_by(Award.awarded_on.desc(), Award.id)
        .limit(1)
        .correlate(School)
        .scalar_subquery()
    )
    return (
        sa.select(
            School.id,
            School.registered_on,
            active.label("active"),
            Award.project,
            Project.title,
            Award.awarded_on,
        )
        .select_from(School)
        .outerjoin(Award, Award.id == label)
        .outerjoin(Project, Project.id == Award.project)
        .order_by(School.id)
    )


def _registered(registered_on: date, dates: Round) -> Condition:
    if registered_on < dates.registered_before:
        return Condition(met=True, why=f"Registered on {registered_on}, before {dates.registered_before}.")
    return Condition(
        met=False,
        why=f"Registered on {registered_on}; the round needs a school registered before "
        f"{dates.registered_before}.",
    )


def _active(teachers: list[str], dates: Round) -> Condition:
    count, needed = len(teachers), dates.active_teachers
    window = f"between {dates.active_since} and {dates.on}"
    if not teachers:
        return Condition(met=False, why=f"No teacher was active {window}; {needed} are needed.")
    listed = ", ".join(sorted(teachers)[:_LISTED]) + (", …" if count > _LISTED else "")
    who = "One teacher was" if count == 1 else f"{count} teachers were"
    return Condition(met=count >= needed, why=f"{who} active {window} ({listed}); {needed} are needed.")


def _labelled(project: str | None, title: str | None, awarded_on: date | None, dates: Round) -> Condition:
    if project is None:
        return Condition(
            met=False,
            why="No European project of the school’s teachers received a National Quality Label between "
            f"{dates.labelled_since} and {dates.on}.",
        )
    return Condition(
        met=True,
        why=f"The European project “{one_line(title or '')}” ({project}) received a National Quality Label "
        f"on {awarded_on}.",
    )
