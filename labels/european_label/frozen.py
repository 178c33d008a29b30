"""The frozen list of a year: its labels in one statement, its digest, and the ranking of each organisation's from it."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import end_of_day
from labels.european_label.merging import is_national
from labels.european_label.ranking import Barred, Candidate, Place, exceeds_bound, rank
from labels.kinds import LabelKind
from labels.record.schema import (
    Application,
    Award,
    CycleLabel,
    Decision,
    Member,
    Organisation,
    School,
    Teacher,
)
from labels.registry.history import school_of_award, school_of_member
from labels.rules.model import Average, EuropeanRules, RuleEdition, Ties, Unit, holds


class FrozenLabel(NamedTuple):
    """One row of the frozen list."""

    award: str
    teacher: str
    project: str
    school: str | None
    organisation: str
    country: str
    awarded_on: str
    score: float | None
    criteria: Mapping[str, float] | None
    submitted_at: datetime | None
    ranked: bool
    founded_in: int | None = None
    undecided: int | None = None


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What is frozen beside the labels themselves, since some organisation's rules ask for it."""

    chained: Collection[str] = ()
    """The organisations whose equals are told apart, for which alone criteria are of use."""
    founders: bool = False
    open_until: datetime | None = None
    """Applications for the same projects are counted that were handed in by then and are not decided."""

    @classmethod
    def by_rules(cls, editions: Mapping[str, RuleEdition], ends: date) -> LookedAt:
        """What the rules of these organisations ask for, in a year whose labels end on a day."""
        every = [one.european for one in editions.values()]
        return cls(
            chained=[name for name, one in editions.items() if one.european.ties.value is Ties.CHAIN],
            founders=any(holds(rules.european_only) for rules in every),
            open_until=end_of_day(ends) if any(holds(rules.await_others) for rules in every) else None,
        )


def frozen_list(session: Session, year: int) -> list[FrozenLabel]:
    """The frozen list of a year, by the labels' identifiers."""
    rows = session.connection().execute(_FROZEN, {"of_year": year}).all()
    return sorted(map(FrozenLabel._make, rows))  # by their first field, of which there are no two


_LIST = cast("sa.Table", CycleLabel.__table__).c


_FROZEN = sa.select(
    *(
        # A day is compared as text, and needs to be nothing else.
        sa.cast(_LIST[name], sa.Text) if name == "awarded_on" else _LIST[name]
        for name in FrozenLabel._fields
    )
).where(_LIST.year == sa.bindparam("of_year"))


def list_digest(frozen: Iterable[FrozenLabel]) -> str:
    """SHA-256 over the list, the same whatever order and database it comes from."""
    rows = [
        (
            *row[:8],
            row.criteria and sorted(row.criteria.items()),
            row.submitted_at and row.submitted_at.isoformat(),
            row.ranked,
            *row[11:]
            * (row[11:] != (None, None)),  # a list that was frozen without them has the digest that it had
        )
        for row in sorted(frozen)
    ]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def labels_of_the_window(session: Session, looked_at: LookedAt, *, kept: bool) -> sa.Select[Any]:
    """The rows of the frozen list: every label of the window, and the earlier ones of the same projects.

    In the order of `FrozenLabel`; the window is `:begins` to `:ends`.
    """
    projects = sa.select(Award.project).where(*in_window())
    chained = looked_at.chained
    founded = _founded(projects) if looked_at.founders else None
    undecided = _undecided(looked_at.open_until) if looked_at.open_until else None
    own = Award.organisation.in_(chained)
    criteria: sa.ColumnElement[Any] = sa.null()
    submitted_at: sa.ColumnElement[Any] = sa.null()
    if chained:
        points = _criteria(session.get_bind().dialect.name)
        criteria = sa.case((sa.and_(own, Decision.application.is_not(None)), points), else_=sa.null())
        submitted_at = sa.case((own, Application.submitted_at), else_=sa.null())
    rows = (
        sa.select(
            Award.id,
            Award.teacher,
            Award.project,
            school_of_award(Award, Teacher),
            Award.organisation,
            sa.func.coalesce(School.country, Organisation.country),
            Award.awarded_on if kept else sa.cast(Award.awarded_on, sa.Text),
            Award.score,
            criteria,
            submitted_at,
            Award.awarded_on >= sa.bindparam("begins"),
            sa.null() if founded is None else sa.func.coalesce(founded.c.countries, 0),
            sa.null() if undecided is None else sa.func.coalesce(undecided.c.number, 0),
        )
        .select_from(Award)
        .join(Teacher, Teacher.id == Award.teacher)
        .join(Organisation, Organisation.id == Award.organisation)
        .outerjoin(School, School.id == school_of_award(Award, Teacher))
        .where(*_valid(), Award.project.in_(projects))
    )
    for facts in (founded, undecided):
        if facts is not None:
            rows = rows.outerjoin(facts, facts.c.project == Award.project)
    if not chained:
        return rows
    return rows.outerjoin(Application, Application.id == Award.id).outerjoin(
        Decision, sa.and_(Decision.application == Award.id, Decision.instance == Application.instance)
    )


def _founded(projects: sa.Select[Any]) -> sa.Subquery:
    """In how many countries some projects are: those where their founders taught when they joined, and those of their
    labels; 0 where the countries of fewer than two founders are known, since the others may be of any.
    """
    founder, holder, home, school = (
        sa.orm.aliased(Teacher), sa.orm.aliased(Teacher), sa.orm.aliased(School), sa.orm.aliased(School),
    )  # fmt: skip
    founders = (
        sa.select(Member.project, home.country, Member.teacher.label("founder"))
        .join(founder, founder.id == Member.teacher)
        .join(home, home.id == school_of_member(Member, founder))
        .where(Member.role == "founder", Member.project.in_(projects))
    )
    label, organisation = sa.orm.aliased(Award), sa.orm.aliased(Organisation)
    labelled = (
        sa.select(label.project, sa.func.coalesce(school.country, organisation.country), sa.null())
        .join(holder, holder.id == label.teacher)
        .join(organisation, organisation.id == label.organisation)
        .outerjoin(school, school.id == school_of_award(label, holder))
        .where(*_valid(label), label.project.in_(projects))
    )
    both = sa.union_all(founders, labelled).subquery().c
    return (
        sa.select(
            both.project,
            sa.case(
                (sa.func.count(both.founder.distinct()) < FOUNDERS, 0),
                else_=sa.func.count(both.country.distinct()),
            ).label("countries"),
        )
        .group_by(both.project)
        .subquery()
    )


FOUNDERS = 2
"""By so many a project is founded."""


def _undecided(handed_in_by: datetime) -> sa.Subquery:
    """How many applications of some time for each project are not decided."""
    return (
        sa.select(Application.project, sa.func.count().label("number"))
        .where(
            Application.label == LabelKind.NATIONAL,
            Application.outcome.is_(None),
            Application.submitted_at <= handed_in_by,
        )
        .group_by(Application.project)
        .subquery()
    )


def in_window() -> list[sa.ColumnElement[bool]]:
    """Which awards are labels of the window `:begins` to `:ends`."""
    return [*_valid(), Award.awarded_on >= sa.bindparam("begins")]


def _valid(award: type[Award] = Award) -> list[sa.ColumnElement[bool]]:
    return [
        award.label == LabelKind.NATIONAL,
        award.revoked_at.is_(None),
        award.awarded_on <= sa.bindparam("ends"),
        award.teacher.is_not(None),
        award.project.is_not(None),
    ]


def _criteria(dialect: str) -> sa.ColumnElement[Any]:
    """Points by criterion out of a decision's verdict, as a JSON object made by the database itself."""
    if dialect == "sqlite":
        made = (
            "(SELECT json_group_object(line.value ->> 'criterion', line.value -> 'points')"
            " FROM json_each(decision.verdict, '$.lines') AS line)"
        )
    else:
        made = (
            "(SELECT json_object_agg(line ->> 'criterion', line -> 'points')"
            " FROM json_array_elements(decision.verdict -> 'lines') AS line)"
        )
    return sa.literal_column(made)


def insertion(session: Session, looked_at: LookedAt) -> sa.Insert:
    """Freezes the labels of the window `:begins` to `:ends` as the list of `:of_year`."""
    rows = labels_of_the_window(session, looked_at, kept=True)
    chosen = rows.add_columns(sa.bindparam("of_year", type_=sa.Integer))
    return sa.insert(cast("sa.Table", CycleLabel.__table__)).from_select(
        [*FrozenLabel._fields, "year"], chosen
    )


def read_criteria(made: Any) -> dict[str, float] | None:
    """What `_criteria` made: SQLite has no type for it and hands over text."""
    read: dict[str, float] | None = json.loads(made) if isinstance(made, str) else made
    return read


# Ranking ----------------------------------------------------------------------------------------


def rank_all(labels: Iterable[FrozenLabel], editions: Mapping[str, RuleEdition]) -> dict[str, list[Place]]:
    """The ranking of every organisation, by its own rules."""
    ordered = sorted(labels, key=attrgetter("organisation"))
    found = {}
    for organisation, several in _candidates(ordered, editions):
        edition = editions[organisation]
        names = {criterion.id: criterion.name for criterion in edition.criteria_set.criteria}
        found[organisation] = rank(several, edition.european, names)
    return found


def beyond_bound(labels: Iterable[FrozenLabel], editions: Mapping[str, RuleEdition]) -> list[str]:
    """The organisations whose equals are so many that the chain tells them apart, which needs their criteria."""
    ordered = sorted(labels, key=attrgetter("organisation"))
    return [
        organisation
        for organisation, several in _candidates(ordered, editions)
        if exceeds_bound(several, editions[organisation].european)
    ]


def _candidates(
    ordered: Sequence[FrozenLabel], editions: Mapping[str, RuleEdition]
) -> Iterator[tuple[str, list[Candidate]]]:
    """What each organisation ranks; the labels are in the order of their organisations."""
    averages = {
        kind: _averages(ordered, kind)
        for kind in {_average(one) for one in editions.values() if one.european.unit.value is Unit.PROJECTS}
    }
    for organisation, rows in itertools.groupby(ordered, key=attrgetter("organisation")):
        edition = editions[organisation]
        national = holds(edition.european.european_only)
        if edition.european.unit.value is Unit.AWARDS:
            several = [
                Candidate(
                    row.award, row.project, row.teacher, row.score, row.criteria or {},
                    row.submitted_at.isoformat() if row.submitted_at else "",
                    Barred.NATIONAL if national and is_national(row.founded_in) else None,
                )
                for row in rows
            ]  # fmt: skip
        else:
            several = _projects(list(rows), averages[_average(edition)], edition.european)
        yield organisation, several


def _average(edition: RuleEdition) -> Average:
    rule = edition.european.average
    return rule.value if rule else Average.LABELS


def _averages(labels: Sequence[FrozenLabel], kind: Average) -> dict[str, float | None]:
    """The average of each project's labels of the year, whichever organisations gave them.

    Source: found, the newest variant: "the CSS averages the scores of a project's NQLs", "the average over
    countries".
    """
    scores: dict[str, dict[str, list[float]]] = {}
    for row in labels:
        known = scores.setdefault(row.project, {})
        if row.score is not None:
            known.setdefault(row.country if kind is Average.COUNTRIES else "", []).append(row.score)
    means = {project: [_mean(own) for own in known.values()] for project, known in scores.items()}
    return {project: _mean(own) if own else None for project, own in means.items()}


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _projects(
    rows: Sequence[FrozenLabel], averages: Mapping[str, float | None], rules: EuropeanRules
) -> list[Candidate]:
    """An organisation's projects; their criteria's points are the average of its own labels."""
    own: dict[str, list[FrozenLabel]] = {}
    for row in rows:
        own.setdefault(row.project, []).append(row)
    found = []
    for project, several in own.items():
        points: dict[str, list[float]] = {}
        for row in several:
            for criterion, value in (row.criteria or {}).items():
                points.setdefault(criterion, []).append(value)
        since = min((row.submitted_at.isoformat() for row in several if row.submitted_at), default="")
        criteria = {name: _mean(values) for name, values in points.items()}
        barred, average = None, averages[project]
        if holds(rules.european_only) and is_national(several[0].founded_in):
            barred = Barred.NATIONAL
        if holds(rules.await_others) and several[0].undecided:
            barred, average, criteria = Barred.UNDECIDED, None, {}
        found.append(Candidate(project, project, None, average, criteria, since, barred))
    return found
