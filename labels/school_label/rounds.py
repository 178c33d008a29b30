"""A year's round of the School Label: its check of every school, stored with the reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import brussels_day, end_of_day
from labels.errors import Fault, InvalidInput, NotAllowed, NotFound
from labels.kinds import LabelKind
from labels.mending import CheckSchools, GoOnWithRound
from labels.people.staff import central_organisation
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Application, Project, School, SchoolOutcome, SchoolRound, StepKind
from labels.rules.kept import keep_rules, kept_rules
from labels.rules.model import RuleEdition, SchoolRules
from labels.rules.moved import moved_date
from labels.school_label.preselection import (
    BETWEEN_IDS,
    CutOffs,
    SchoolCheck,
    counts_in_sets,
    explained,
    outcomes,
)
from labels.school_label.validity import deadline
from labels.turn import Turn

_BATCH = 1_000


def begin(turn: Turn, on: date, rules_for: Callable[[str], RuleEdition]) -> SchoolRound:
    """The round of the year of `on`; begun now where it has not been, by the rules of that day.

    A year has one round: what began stays as it began, its day too, so that whoever asks for it again
    goes on with it.

    Raises:
        InvalidInput: the day is none that a round could be of, or there is no Central Support Service.
        NotAllowed: the day is still to come, or the round would end before it begins.
    """
    central = central_organisation(turn.session)
    turn.session.execute(  # of two at once, one waits here
        sa.select(type(central).id).where(type(central).id == central.id).with_for_update()
    )
    kept = turn.session.get(SchoolRound, on.year)
    if kept is not None:
        return kept
    if on > brussels_day(turn.now):
        raise NotAllowed(f"{on} is still to come: a round looks at what schools have done until its day.")
    edition = rules_for(central.id)
    try:
        CutOffs.by_rules(on, edition.school)
    except ValueError:
        fault = Fault("on", f"{on} is no day that a round could count its years back from.")
        raise InvalidInput("preselect", [fault]) from None
    due_at = deadline(edition.school, brussels_day(turn.now))
    if due_at <= turn.now:
        raise NotAllowed(
            f"The rules ask for self-assessments by {brussels_day(due_at)}, which is over. "
            "Put a later day under school.answer_by."
        )
    row = SchoolRound(
        year=on.year, rules=keep_rules(turn.session, edition), on=on, due_at=due_at,
        begun_at=turn.now, checked_at=None, invited_at=None,
    )  # fmt: skip
    turn.session.add(row)
    note(
        turn,
        None,
        SYSTEM,
        Event.ROUND_BEGAN,
        year=on.year,
        on=on.isoformat(),
        due_at=due_at.isoformat(),
        rules=edition.version,
    )
    turn.session.flush()
    return row


def due_at(session: Session, one: SchoolRound, organisation: str, rules: SchoolRules) -> datetime:
    """Until when a round awaits the self-assessments of an organisation's schools: as somebody moved it for all of them,
    or else by the organisation's rules."""
    if moved := moved_date(session, StepKind.SELF_ASSESSMENT, one.year, organisation):
        return moved
    own = rules.national_answer_by
    if own is not None and (ends := end_of_day(own.value)) > one.begun_at:
        return ends
    return one.due_at


def round_of(session: Session, year: int) -> SchoolRound:
    """The round of a year.

    Raises:
        NotFound: it has not begun.
    """
    found = session.get(SchoolRound, year)
    if found is None:
        raise NotFound(f"The School Label has no round of {year}.", CheckSchools())
    return found


def locked_round(session: Session, year: int) -> SchoolRound:
    """The round of a year, locked until the end of the transaction: other writers wait.

    Raises:
        NotFound: it has not begun.
    """
    session.execute(_LOCKED, {"year": year})
    return round_of(session, year)


_LOCKED = (
    sa.select(SchoolRound)
    .where(SchoolRound.year == sa.bindparam("year"))
    .with_for_update()
    .execution_options(populate_existing=True)
)


def cut_offs(session: Session, one: SchoolRound) -> CutOffs:
    """The dates by which a round's conditions were counted."""
    return CutOffs.by_rules(one.on, kept_rules(one.rules, session).school)


def check(turn: Turn, year: int) -> bool:
    """Checks every school and stores the outcome with its reasons, once; returns whether it did so now.

    The database reads, judges and writes in one statement: no school passes through this process.
    """
    one = locked_round(turn.session, year)
    if one.checked_at is not None:
        return False
    dates = cut_offs(turn.session, one)
    found = (
        outcomes(as_sets=counts_in_sets(turn.session)).offset(0).subquery()
    )  # an offset, so that no part of it is computed twice
    eligible = sa.and_(
        found.c.registered_on < dates.registered_before,
        _count_of(found.c.active) >= dates.active_teachers,
        found.c.award.is_not(None),
    )
    kept = [column.name for column in found.c]
    turn.session.execute(
        sa.insert(SchoolOutcome).from_select(
            ["year", *kept, "eligible"],
            sa.select(sa.literal(year), *found.c, eligible).params(dates.parameters),
        )
    )
    one.checked_at = turn.now
    note(turn, None, SYSTEM, Event.SCHOOLS_CHECKED, year=year)
    return True


def _count_of(identifiers: sa.SQLColumnExpression[str | None]) -> sa.ColumnElement[int]:
    """How many identifiers are in one text."""
    without = sa.func.replace(identifiers, sa.literal(BETWEEN_IDS), "")
    return sa.func.coalesce(sa.func.length(identifiers) - sa.func.length(without) + 1, 0)


@dataclass(frozen=True, slots=True)
class RoundResult:
    """What a round found about one school, and what came of it."""

    check: SchoolCheck
    application: str | None
    """Its application in the round, if it was invited."""
    instead: str | None
    """Another application of it for the School Label, that is still open."""


def results(session: Session, year: int, school: str | None = None) -> Iterator[RoundResult]:
    """What a round found about every school, ordered by their ids, or about one; a thousand are in memory.

    Raises:
        NotFound: there is no such round, it has not checked the schools yet, or it knows no such school.
    """
    one = round_of(session, year)
    if one.checked_at is None:
        raise NotFound(f"The round of {year} has not checked the schools yet.", GoOnWithRound(one.on))
    invited, other = sa.orm.aliased(Application), sa.orm.aliased(Application)
    query = (
        sa.select(
            *SchoolOutcome.__table__.c,
            Project.title,
            invited.id.label("application"),
            other.id.label("other"),
        )
        .outerjoin(Project, Project.id == SchoolOutcome.project)
        .outerjoin(
            invited,
            sa.and_(
                SchoolOutcome.eligible,
                invited.school == SchoolOutcome.school,
                invited.label == LabelKind.SCHOOL,
                invited.round == str(year),
                invited.attempt == 1,
            ),
        )
        .outerjoin(
            other,
            sa.and_(
                SchoolOutcome.eligible,
                other.school == SchoolOutcome.school,
                other.label == LabelKind.SCHOOL,
                other.outcome.is_(None),
                other.round != str(year),
            ),
        )
        .where(SchoolOutcome.year == year)
        .order_by(SchoolOutcome.school)
    )
    if school is not None:
        query = query.where(SchoolOutcome.school == school)
    dates, found = cut_offs(session, one), False
    for row in session.execute(query.execution_options(yield_per=_BATCH)):
        found = True
        yield RoundResult(explained(row, dates), row.application, row.other)
    if school is not None and not found:
        known = session.get(School, school) is not None
        raise NotFound(
            f"The round of {year} did not look at {school}: it was registered later."
            if known
            else f"The registry has no school {school}."
        )


@dataclass(frozen=True, slots=True)
class CountryCount:
    """How one country's schools fared in a round; a school that fails for two reasons counts under both."""

    country: str
    checked: int
    eligible: int
    holding: int
    """Eligible, and not invited since they hold a School Label."""
    invited: int
    too_young: int
    too_few_active: int
    no_label: int


def by_country(session: Session, year: int) -> list[CountryCount]:
    """A round's schools by country, in the order of the countries' codes."""
    dates = cut_offs(session, round_of(session, year))
    one = SchoolOutcome

    def count(*conditions: sa.SQLColumnExpression[bool]) -> sa.ColumnElement[int]:
        return sa.func.count().filter(sa.and_(*conditions))

    rows = session.execute(
        sa.select(
            one.country,
            sa.func.count(),
            count(one.eligible),
            count(one.eligible, one.held.is_not(None)),
            count(one.registered_on >= dates.registered_before),
            count(_count_of(one.active) < dates.active_teachers),
            count(one.award.is_(None)),
        )
        .where(one.year == year)
        .group_by(one.country)
        .order_by(one.country)
    ).all()
    invited: dict[str, int] = dict(
        session.execute(
            sa.select(School.country, sa.func.count())
            .join(Application, Application.school == School.id)
            .where(
                Application.label == LabelKind.SCHOOL,
                Application.round == str(year),
                Application.attempt == 1,
            )
            .group_by(School.country)
        )
        .tuples()
        .all()
    )
    return [
        CountryCount(country, checked, eligible, holding, invited.get(country, 0), *reasons)
        for country, checked, eligible, holding, *reasons in rows
    ]
