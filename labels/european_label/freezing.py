"""How a year's cycle begins: its labels are frozen, and ranked from the frozen list alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.file import digest
from labels.clock import brussels_day
from labels.errors import Fault, InvalidInput, NotAllowed, NotFound
from labels.european_label.frozen import (
    FrozenLabel,
    LookedAt,
    beyond_bound,
    frozen_list,
    in_window,
    insertion,
    labels_of_the_window,
    list_digest,
    rank_all,
    read_criteria,
)
from labels.european_label.ranking import Place, remarks
from labels.identifiers import european_cycle_id, nomination_id
from labels.mail import messages
from labels.mending import PreviewCycle
from labels.people.staff import central_organisation, coordinators, those_who_coordinate
from labels.record.journal import RULES, SYSTEM, Event, note
from labels.record.rows import write_many
from labels.record.schema import (
    Application,
    Award,
    Cycle,
    CycleLabel,
    CycleOrganisation,
    CyclePlace,
    Organisation,
    Stage,
)
from labels.rules.calendars import add_working_days
from labels.rules.kept import keep_rules, kept_rules, rules_of
from labels.rules.model import EuropeanRules, RuleEdition, holds
from labels.steps.mailing import about, tell
from labels.steps.step import locked
from labels.turn import Turn

RulesFor = Callable[[str], RuleEdition]
"""The rules of an organisation, by its identifier, for the year in question."""


FIRST_YEAR, LAST_YEAR = 2005, 2999
"""eTwinning began in 2005; the other end keeps slips of the finger out."""


# Beginning --------------------------------------------------------------------------------------


def rules_day(year: int) -> date:
    """The day whose rules a cycle goes by: 1 January of its year, which lies in every usual window.

    Raises:
        InvalidInput: it is no year that could have a cycle.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        fault = Fault("YEAR", f"{year} is no year of eTwinning; expected {FIRST_YEAR} to {LAST_YEAR}.")
        raise InvalidInput("cycle", [fault])
    return date(year, 1, 1)


def window(rules: EuropeanRules, year: int) -> tuple[date, date]:
    """The first and the last day on which the labels of a year's cycle were awarded."""
    dates = rules.window.value
    ends = date.fromisoformat(f"{year}-{dates.ends}")
    begins = date.fromisoformat(f"{year}-{dates.begins}")
    return (begins if begins <= ends else begins.replace(year=year - 1)), ends


def latest_year(rules_of_year: Callable[[int], EuropeanRules], now: datetime) -> int:
    """The year of the latest cycle whose window is over."""
    today = brussels_day(now)
    return next(
        year for year in range(today.year, FIRST_YEAR - 1, -1) if window(rules_of_year(year), year)[1] < today
    )


def begin(turn: Turn, year: int, rules_for: RulesFor) -> str:
    """Begins the cycle of a year, once; returns the application in which the label is awarded.

    Raises:
        InvalidInput: there is no such year, no Central Support Service, or too few people to award.
        NotAllowed: labels of that year can still be awarded.
    """
    identifier = european_cycle_id(year)
    rules_day(year)
    central = central_organisation(turn.session)
    turn.session.execute(_LOCK_ORGANISATION, {"organisation": central.id})  # of two at once, one waits here
    if turn.session.get(Cycle, year) is not None:
        return identifier
    edition = rules_for(central.id)
    begins, ends = window(edition.european, year)
    if brussels_day(turn.now) <= ends:
        raise NotAllowed(
            f"The labels of {year} are those awarded from {begins} to {ends}: the cycle begins when that "
            "day is over.",
            PreviewCycle(year),
        )
    if edition.european.four_eyes.value and len(those_who_coordinate(turn.session, central.id)) < 2:
        problem = f"the award needs two different people, and {central.id} has one."
        raise InvalidInput("cycle", [Fault("staff.csv", problem, "Name another coordinator.")])
    application = _application(turn, identifier, "european", central, year, edition)
    turn.session.add(Cycle(year=year, application=identifier, begins=begins, ends=ends))
    note(
        turn,
        application,
        SYSTEM,
        Event.CYCLE_BEGAN,
        year=year,
        begins=begins.isoformat(),
        ends=ends.isoformat(),
        rules=edition.version,
    )
    return identifier


_LOCK_ORGANISATION = (
    sa.select(Organisation.id).where(Organisation.id == sa.bindparam("organisation")).with_for_update()
)


def _application(
    turn: Turn,
    identifier: str,
    label: str,
    organisation: Organisation,
    year: int,
    edition: RuleEdition,
    decide_by: datetime | None = None,
) -> Application:
    content = {"label": label, "organisation": organisation.id, "year": year}
    row = Application(
        id=identifier, label=label, teacher=None, project=None, school=None,
        organisation=organisation.id, country=organisation.country, language=organisation.language,
        attempt=1, instance=1, content=content, content_digest=digest(content),
        rules=keep_rules(turn.session, edition), submitted_at=turn.now, school_year=year, round=str(year),
        decide_by=decide_by, stage=Stage.SUBMITTED, stage_since=turn.now, revision=0, parked_revision=-1, runs=0,
    )  # fmt: skip
    turn.session.add(row)
    turn.session.flush()
    return row


def cycle_of(session: Session, application: Application) -> Cycle:
    """The cycle that an award or a nomination belongs to."""
    return session.get_one(Cycle, application.content["year"])


def cycle_in(session: Session, year: int) -> Cycle:
    """The cycle of a year.

    Raises:
        NotFound: it has not begun.
    """
    cycle = session.get(Cycle, year)
    if cycle is None:
        raise NotFound(f"The cycle of {year} has not begun.")
    return cycle


# Freezing ---------------------------------------------------------------------------------------


def freeze(turn: Turn, application_id: str, rules_for: RulesFor) -> str:
    """Freezes the year's labels and ranks them, once; returns the digest of the list.

    The list, its digest, every place with its reason, and the nominations that are asked for: all of it
    or nothing. What happens to a label afterwards changes none of it.
    """
    application = locked(turn.session, application_id)
    cycle = cycle_of(turn.session, application)
    if cycle.list_digest is not None:
        return cycle.list_digest
    turn.session.flush()
    editions = _editions(turn.session, rules_for, cycle.begins, cycle.ends)
    of_year = {"of_year": cycle.year, "begins": cycle.begins, "ends": cycle.ends}
    looked_at = _looked_at(editions, cycle.ends, rules_of(turn.session, application))
    connection = turn.session.connection()
    connection.execute(insertion(turn.session, looked_at), of_year)
    frozen = frozen_list(turn.session, cycle.year)
    if beyond := beyond_bound((row for row in frozen if row.ranked), editions):
        # Criteria take longer to read than all the rest, and few organisations need them.
        connection.execute(sa.delete(CycleLabel).where(CycleLabel.year == cycle.year))
        looked_at = replace(looked_at, chained=[*looked_at.chained, *beyond])
        connection.execute(insertion(turn.session, looked_at), of_year)
        frozen = frozen_list(turn.session, cycle.year)
    cycle.frozen_at, cycle.list_digest = turn.now, list_digest(frozen)
    ranked = [row for row in frozen if row.ranked]
    rankings = rank_all(ranked, editions)
    places: list[tuple[Any, ...]] = []
    for organisation, edition in editions.items():
        ranking = rankings[organisation]
        proposed = sum(place.proposed for place in ranking)
        nomination = None
        if proposed:
            days = edition.european.screening_days.value
            row = turn.session.get_one(Organisation, organisation)
            nomination = _application(
                turn,
                nomination_id(organisation, cycle.year),
                "nomination",
                row,
                cycle.year,
                edition,
                decide_by=add_working_days(turn.now, days, row.country),
            )
            note(turn, nomination, RULES, Event.PROPOSED, proposed=proposed, labels=len(ranking))
        turn.session.add(
            CycleOrganisation(
                year=cycle.year, organisation=organisation, rules=keep_rules(turn.session, edition),
                labels=len(ranking), proposed=proposed, nomination=nomination.id if nomination else None,
                **remarks(ranking, edition.european)._asdict(),
            )
        )  # fmt: skip
        places += [
            (
                cycle.year, organisation, one.id, place, one.project, one.teacher, one.score, inside, why, False,
            )
            for place, one, inside, why in ranking
        ]  # fmt: skip
    write_many(turn.session, CyclePlace, _PLACE, places)
    _tell_of_missing_points(turn, application, cycle)
    note(
        turn,
        application,
        SYSTEM,
        Event.LABELS_FROZEN,
        labels=len(ranked),
        organisations=len(editions),
        digest=cycle.list_digest,
    )
    application.stage, application.stage_since = Stage.SCREENING, turn.now
    return cycle.list_digest


def _tell_of_missing_points(turn: Turn, application: Application, cycle: Cycle) -> None:
    """Tells the coordinators of each organisation how many of its labels can't be ranked, as no points are on record."""
    turn.session.flush()
    parts = turn.session.execute(
        sa.select(CycleOrganisation, Organisation.name)
        .join(Organisation, Organisation.id == CycleOrganisation.organisation)
        .where(CycleOrganisation.year == cycle.year, CycleOrganisation.unscored > 0)
        .order_by(CycleOrganisation.organisation)
    ).tuples()
    for part, name in parts:
        message = messages.PointsMissing(
            about=about(turn.session, application),
            year=cycle.year,
            of_organisation=name,
            number=part.unscored or 0,
            labels=part.labels,
            proposed=part.proposed,
        )
        for one in coordinators(turn.session, part.organisation):
            tell(turn, application, one.id, message, part.organisation, one.id)


def _editions(session: Session, rules_for: RulesFor, begins: date, ends: date) -> dict[str, RuleEdition]:
    """The rules of every organisation that has labels in the window."""
    found = session.scalars(
        sa.select(Award.organisation).distinct().where(*in_window()), {"begins": begins, "ends": ends}
    )
    return {organisation: rules_for(organisation) for organisation in sorted(found)}


def _looked_at(editions: Mapping[str, RuleEdition], ends: date, central: RuleEdition) -> LookedAt:
    """What is frozen beside the labels: what the organisations rank by, and what the award asks of a project."""
    looked_at = LookedAt.by_rules(editions, ends)
    return replace(looked_at, founders=looked_at.founders or holds(central.european.european_only))


_PLACE = (
    "year", "organisation", "candidate", "place", "project", "teacher", "score", "proposed", "why", "moved_up",
)  # fmt: skip


# Looking ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Repeated:
    """Whether a year's ranking, made again from the record alone, is what it was."""

    same_list: bool
    differing: tuple[str, ...]
    """Organisations whose ranking came out otherwise."""

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return self.same_list and not self.differing


def repeat(session: Session, year: int) -> Repeated:
    """Makes a year's ranking again from the frozen list and the stored rules, and compares.

    Raises:
        NotFound: the cycle of that year has not begun.
    """
    cycle = cycle_in(session, year)
    frozen = frozen_list(session, year)
    kept = _kept_editions(session, year)
    rankings = rank_all((row for row in frozen if row.ranked), kept)
    recorded: dict[str, set[tuple[Any, ...]]] = {}
    for organisation, *place in session.connection().execute(_PLACES, {"year": year}).all():
        recorded.setdefault(organisation, set()).add(tuple(place))
    differing = [
        organisation
        for organisation in sorted(kept.keys() | recorded.keys())
        if {(p.candidate.id, p.place, p.proposed) for p in rankings.get(organisation, [])}
        != recorded.get(organisation, set())
    ]
    return Repeated(list_digest(frozen) == cycle.list_digest, tuple(differing))


_PLACES = sa.select(
    CyclePlace.organisation, CyclePlace.candidate, CyclePlace.place, CyclePlace.proposed
).where(CyclePlace.year == sa.bindparam("year"))


def _kept_editions(session: Session, year: int) -> dict[str, RuleEdition]:
    """The rules by which each organisation's labels were ranked, as they were stored."""
    of_year = sa.select(CycleOrganisation).where(CycleOrganisation.year == year)
    return {one.organisation: kept_rules(one.rules, session) for one in session.scalars(of_year)}


def central_rules(session: Session, cycle: Cycle) -> EuropeanRules:
    """The rules by which a year's projects are merged and awarded."""
    return rules_of(session, session.get_one(Application, cycle.application)).european


@dataclass(frozen=True, slots=True)
class Preview:
    """What a year's ranking would be today; nothing of it is stored."""

    begins: date
    ends: date
    labels: list[FrozenLabel]
    rankings: dict[str, list[Place]]


def preview(session: Session, year: int, rules_for: RulesFor) -> Preview:
    """The ranking as it would come out if the cycle of that year began now.

    Raises:
        InvalidInput: there is no such year, or no Central Support Service.
    """
    rules_day(year)
    central = rules_for(central_organisation(session).id)
    begins, ends = window(central.european, year)
    editions = _editions(session, rules_for, begins, ends)
    looked_at = _looked_at(editions, ends, central)
    labels = _previewed(session, looked_at, begins, ends)
    if beyond := beyond_bound((row for row in labels if row.ranked), editions):
        looked_at = replace(looked_at, chained=[*looked_at.chained, *beyond])
        labels = _previewed(session, looked_at, begins, ends)
    return Preview(begins, ends, labels, rank_all((row for row in labels if row.ranked), editions))


def _previewed(session: Session, looked_at: LookedAt, begins: date, ends: date) -> list[FrozenLabel]:
    rows = session.execute(
        labels_of_the_window(session, looked_at, kept=False), {"begins": begins, "ends": ends}
    )
    return [
        FrozenLabel(*row)._replace(criteria=read_criteria(row[8]), ranked=bool(row[10]))
        for row in rows.tuples()
    ]
