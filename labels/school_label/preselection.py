"""Stage one of the School Label: three conditions, looked at for every registered school, with reasons."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, PlainSerializer
from sqlalchemy.orm import Session, aliased

from labels.errors import NotFound
from labels.kinds import LabelKind
from labels.record.schema import (
    Activity,
    Award,
    Kind,
    Member,
    Organisation,
    Project,
    School,
    Teacher,
)
from labels.registry.history import ever_at, involvements, school_of_member, successions
from labels.rules.model import RuleEdition, SchoolRules
from labels.school_label.validity import held_from, over_if_awarded_by
from labels.words.sentences import Sentence, say, say_counted
from labels.words.text import one_line

_LISTED = 5
_BATCH = 1_000
BETWEEN_IDS = "\x1f"
"""Stands between the identifiers in one text."""


@dataclass(frozen=True, slots=True)
class CutOffs:
    """The dates by which the conditions are counted; the first and last day belong to a window."""

    on: date
    """The day of the check."""
    registered_before: date
    """A school registered on this day or later is too young."""
    active_since: date
    labelled_since: date
    active_teachers: int
    held_from: date
    """A School Label that is still valid on this day shuts its school out."""
    certified_after: date
    """A School Label that names no end, awarded on this day or earlier, is over by then."""

    @property
    def parameters(self) -> dict[str, date]:
        """What `outcomes` takes."""
        return {
            "day": self.on,
            "active_since": self.active_since,
            "labelled_since": self.labelled_since,
            "held_from": self.held_from,
            "certified_after": self.certified_after,
        }

    @classmethod
    def by_rules(cls, on: date, school: SchoolRules) -> CutOffs:
        """The dates that the rules publish, and where they publish none those that follow from `on`.

        Two years before 29 February there is no such day; the school has the benefit: its windows begin
        on the 28th, and it may have been registered until then.

        Raises:
            ValueError: so many years before `on` there is no date.
        """
        rules = school.preselection
        labels_begin = held_from(school, on)
        return cls(
            on=on,
            registered_before=rules.registered_before.value
            if rules.registered_before
            else years_before(on, rules.registered_years.value, missing_day=timedelta(days=1)),
            active_since=rules.active_since.value
            if rules.active_since
            else years_before(on, rules.active_years.value),
            labelled_since=rules.labelled_since.value
            if rules.labelled_since
            else years_before(on, rules.label_years.value),
            active_teachers=rules.active_teachers.value,
            held_from=labels_begin,
            certified_after=over_if_awarded_by(school, labels_begin),
        )


def years_before(on: date, years: int, *, missing_day: timedelta = timedelta()) -> date:
    """The same day so many years earlier; where it is missing, 28 February and `missing_day` more.

    Raises:
        ValueError: there is no such year.
    """
    try:
        return on.replace(year=on.year - years)
    except ValueError:
        return on.replace(year=on.year - years, day=28) + missing_day


def cut_offs_on(session: Session, on: date, rules_for: Callable[[str], RuleEdition]) -> CutOffs:
    """The cut-off dates of a day, by the rules of the Central Support Service; by everybody's where there is none.

    Raises:
        InvalidInput: a rule file has mistakes.
        ValueError: so many years before `on` there is no date.
    """
    central = sa.select(Organisation.id).where(Organisation.kind == "CSS").order_by(Organisation.id).limit(1)
    return CutOffs.by_rules(on, rules_for(session.scalar(central) or "CSS").school)


class Condition(BaseModel):
    """One of the three conditions, for one school."""

    met: bool
    why: Annotated[Sentence, PlainSerializer(str)]
    """In plain words, for the school that asks."""


class SchoolCheck(BaseModel):
    """What the check found about one school."""

    school: str
    eligible: bool
    """Whether all three conditions are met; whoever holds a label is not invited for all that."""
    conditions: dict[str, Condition]
    """`registered`, `active_teachers` and `national_label`."""
    holds: str | None = None
    """The School Label that the school holds, and that does not end before those of the round begin."""


def check_schools(session: Session, dates: CutOffs, school: str | None = None) -> Iterator[SchoolCheck]:
    """The check of every school, ordered by its id, or of one; in memory are a thousand at most.

    Source: the brief's three sentences. *Active* is who was a member of a project that ran at some time
    within the window, or has a confirmed activity in it, and teaches at the school now. The school is or was
    involved in a project through the teachers who were there at the time. What a school earned counts for the one
    that goes on from it under another number.

    Raises:
        NotFound: there is no such school.
    """
    if school is not None and session.get(School, school) is None:
        raise NotFound(f"The registry has no school {school}.")
    as_sets = school is None and counts_in_sets(session)
    query = _with_titles(school is not None, as_sets)
    for row in session.execute(query, dates.parameters | {"school": school}):
        yield explained(row, dates)


def counts_in_sets(session: Session) -> bool:
    """Whether the database is faster with all active teachers at once: PostgreSQL joins them by hashing,
    while SQLite is at its best where each school looks for its own along an index."""
    return session.get_bind().dialect.name == "postgresql"


@functools.cache
def _with_titles(one: bool, as_sets: bool) -> sa.Select[Any]:
    found = outcomes(one=one, as_sets=as_sets).subquery()
    query = sa.select(found, Project.title).outerjoin(Project, Project.id == found.c.project)
    return query.order_by(found.c.school).execution_options(yield_per=_BATCH)


def explained(row: sa.Row[Any], dates: CutOffs) -> SchoolCheck:
    """One school's outcome in plain words; `row` has the columns of `outcomes`, and the project's title."""
    active = row.active.split(BETWEEN_IDS) if row.active else []
    conditions = {
        "registered": _registered(row.registered_on, dates),
        "active_teachers": _active(active, dates),
        "national_label": _labelled(row.project, row.title, row.awarded_on, dates),
    }
    eligible = all(condition.met for condition in conditions.values())
    return SchoolCheck(school=row.school, eligible=eligible, conditions=conditions, holds=row.held)


def outcomes(*, one: bool = False, as_sets: bool = False) -> sa.Select[Any]:
    """One row a school with all that the conditions rest on: `school`, `country`, `registered_on`, `active`
    (teachers), `award`, `project`, `awarded_on` (of the latest label that counts) and `held` (School Label).
    Its parameters are those of the cut-off dates, and `school` for `one` school alone. `as_sets`, the active
    teachers of all schools are found together instead.

    Labels are few, so they look for their schools; teachers are looked for by each school, along indexes
    that hold all that is asked of them. One school costs as little as its share of all of them.
    """
    lines = successions()
    labels, held, older = _labels(one, lines), _held(one, lines), _older(lines)
    registered_on = sa.case(
        (older.c.registered_on < School.registered_on, older.c.registered_on), else_=School.registered_on
    )
    sets = _active_of_all() if as_sets else None
    query = (
        sa.select(
            School.id.label("school"),
            School.country,
            registered_on.label("registered_on"),
            (sets.c.active if sets is not None else _active_teachers().label("active")),
            labels.c.award,
            labels.c.project,
            labels.c.awarded_on,
            held.c.award.label("held"),
        )
        .select_from(School)
        .outerjoin(labels, labels.c.school == School.id)
        .outerjoin(held, held.c.school == School.id)
        .outerjoin(older, older.c.school == School.id)
    )
    if sets is not None:
        query = query.outerjoin(sets, sets.c.school == School.id)
    return query.where(School.id == _SCHOOL) if one else query


_SCHOOL = sa.bindparam("school", type_=sa.Text)
# Written into the statement: an index of SQLite's is for one label alone, and with a parameter for it the statement would
# be prepared anew each time.
_NATIONAL, _SCHOOL_LABEL = (
    sa.bindparam(None, kind, type_=Kind(), literal_execute=True)
    for kind in (LabelKind.NATIONAL, LabelKind.SCHOOL)
)
_ON, _ACTIVE_SINCE, _LABELLED_SINCE, _HELD_FROM, _CERTIFIED_AFTER = (
    sa.bindparam(name, type_=sa.Date)
    for name in ("day", "active_since", "labelled_since", "held_from", "certified_after")
)


def _active_teachers() -> sa.ScalarSelect[str]:
    """The active teachers of a school, in one text."""
    in_project = (
        sa.exists()
        .where(Member.teacher == Teacher.id, Member.joined_on <= _ON)
        .where(Project.id == Member.project, Project.started_on <= _ON)
        .where(sa.or_(Project.ended_on.is_(None), Project.ended_on >= _ACTIVE_SINCE))
        .where(sa.or_(Member.left_on.is_(None), Member.left_on >= _ACTIVE_SINCE))
    )
    in_activity = sa.exists().where(
        Activity.teacher == Teacher.id,
        Activity.confirmed,
        Activity.on.between(_ACTIVE_SINCE, _ON),
    )
    return (
        sa.select(sa.func.aggregate_strings(Teacher.id, BETWEEN_IDS))
        .where(Teacher.school == School.id, sa.or_(in_project, in_activity))
        .scalar_subquery()
    )


def _active_of_all() -> sa.CTE:
    """The same of every school that has one: all active teachers first, then their schools."""
    in_projects = (
        sa.select(Member.teacher)
        .join(Project, Project.id == Member.project)
        .where(Member.joined_on <= _ON, Project.started_on <= _ON)
        .where(sa.or_(Project.ended_on.is_(None), Project.ended_on >= _ACTIVE_SINCE))
        .where(sa.or_(Member.left_on.is_(None), Member.left_on >= _ACTIVE_SINCE))
    )
    in_activities = sa.select(Activity.teacher).where(
        Activity.confirmed, Activity.on.between(_ACTIVE_SINCE, _ON)
    )
    active = sa.union(in_projects, in_activities).subquery()
    return (
        sa.select(Teacher.school, sa.func.aggregate_strings(Teacher.id, BETWEEN_IDS).label("active"))
        .join(active, active.c.teacher == Teacher.id)
        .group_by(Teacher.school)
        .cte("active")
    )


def _labels(one: bool, lines: sa.CTE) -> sa.CTE:
    """The latest National Quality Label of a European project that each school is or was involved in.

    A label counts for the schools that were in its project by the day of the award, and for those that go on from them.
    """
    counted = _counted(one, lines)

    def by_the_award(query: sa.Select[Any], since: Any) -> sa.Select[Any]:
        return query.join(counted, counted.c.project == Member.project).where(since <= counted.c.awarded_on)

    involved = involvements(by_the_award, *counted.c).cte("involved")
    credited = sa.union_all(
        sa.select(*involved.c),
        sa.select(lines.c.school, *(c for c in involved.c if c.name != "school")).join(
            involved, involved.c.school == lines.c.former
        ),
    ).subquery()
    latest = (
        sa.func.row_number()
        .over(partition_by=credited.c.school, order_by=(credited.c.awarded_on.desc(), credited.c.award))
        .label("place")
    )
    of_schools = sa.select(*credited.c, latest)
    if one:
        of_schools = of_schools.where(credited.c.school == _SCHOOL)
    ranked = of_schools.subquery()
    return sa.select(ranked).where(ranked.c.place == 1).cte("label")


def _counted(one: bool, lines: sa.CTE) -> sa.CTE:
    """The National Quality Labels of the window that projects founded from two countries were granted."""
    founder, home = aliased(Teacher), aliased(School)
    countries = (
        sa.select(sa.func.count(home.country.distinct()))
        .select_from(Member)
        .join(founder, founder.id == Member.teacher)
        .join(home, home.id == school_of_member(Member, founder))
        .where(Member.project == Award.project, Member.role == "founder")
        .correlate(Award)
        .scalar_subquery()
    )
    counts = (
        Award.label == _NATIONAL,
        Award.awarded_on.between(_LABELLED_SINCE, _ON),
        Award.revoked_at.is_(None),
        countries > 1,
    )
    counted = sa.select(Award.id.label("award"), Award.project, Award.awarded_on).where(*counts)
    if one:
        counted = counted.where(Award.project.in_(_projects_of_one(lines)))
    return counted.cte("counted")


def _projects_of_one(lines: sa.CTE) -> sa.Select[Any]:
    """The projects that one school, or one that it goes on from, can be involved in."""
    schools = sa.union_all(
        sa.select(_SCHOOL.label("id")), sa.select(lines.c.former).where(lines.c.school == _SCHOOL)
    ).cte("own")
    return sa.select(Member.project).where(Member.teacher.in_(ever_at(sa.select(schools.c.id))))


def _held(one: bool, lines: sa.CTE) -> sa.CTE:
    """The School Labels that shut a school out, its own or that of the one it goes on from."""
    valid = (
        sa.select(Award.school, Award.id.label("award"))
        .where(Award.label == _SCHOOL_LABEL, Award.awarded_on <= _ON, Award.revoked_at.is_(None))
        .where(
            sa.or_(
                Award.valid_until >= _HELD_FROM,
                sa.and_(Award.valid_until.is_(None), Award.awarded_on > _CERTIFIED_AFTER),
            )
        )
    )
    inherited = valid.join(lines, lines.c.former == Award.school).with_only_columns(
        lines.c.school, Award.id.label("award")
    )
    if one:
        valid, inherited = valid.where(Award.school == _SCHOOL), inherited.where(lines.c.school == _SCHOOL)
    every = sa.union_all(valid, inherited).subquery()
    return (
        sa.select(every.c.school, sa.func.max(every.c.award).label("award"))
        .group_by(every.c.school)
        .cte("held")
    )


def _older(lines: sa.CTE) -> sa.CTE:
    """When the schools that others go on from were registered: the first of each."""
    return (
        sa.select(lines.c.school, sa.func.min(School.registered_on).label("registered_on"))
        .join(School, School.id == lines.c.former)
        .group_by(lines.c.school)
        .cte("older")
    )


def _registered(registered_on: date, dates: CutOffs) -> Condition:
    before = dates.registered_before
    if registered_on < before:
        why = say(
            "Registered on {registered_on}, before {before}.", registered_on=registered_on, before=before
        )
        return Condition(met=True, why=why)
    why = say(
        "Registered on {registered_on}; the round needs a school registered before {before}.",
        registered_on=registered_on,
        before=before,
    )
    return Condition(met=False, why=why)


def _active(teachers: list[str], dates: CutOffs) -> Condition:
    count, needed = len(teachers), dates.active_teachers
    since, until = dates.active_since, dates.on
    if not teachers:
        why = say(
            "No teacher was active between {since} and {until}; {needed} are needed.",
            since=since,
            until=until,
            needed=needed,
        )
        return Condition(met=False, why=why)
    listed = ", ".join(sorted(teachers)[:_LISTED]) + (", …" if count > _LISTED else "")
    why = say_counted(
        "One teacher was active between {since} and {until} ({teachers}); {needed} are needed.",
        "{count} teachers were active between {since} and {until} ({teachers}); {needed} are needed.",
        count,
        since=since,
        until=until,
        teachers=listed,
        needed=needed,
    )
    return Condition(met=count >= needed, why=why)


def _labelled(project: str | None, title: str | None, awarded_on: date | None, dates: CutOffs) -> Condition:
    if project is None or awarded_on is None:
        why = say(
            "No European project of the school’s teachers received a National Quality Label between {since} and {until}.",
            since=dates.labelled_since,
            until=dates.on,
        )
        return Condition(met=False, why=why)
    why = say(
        "The European project “{title}” ({project}) received a National Quality Label on {awarded_on}.",
        title=one_line(title or ""),
        project=project,
        awarded_on=awarded_on,
    )
    return Condition(met=True, why=why)
