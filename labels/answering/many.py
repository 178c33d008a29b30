"""What a coordinator does about many applications at once: a plan of every row, and carrying it out as one.

A plan says of each row what will happen, or why it can't. It is kept as it was shown, and carried out only while each
row is as it was then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import Session

from labels.answering.deadlines import no_deadline_to_be
from labels.clock import brussels_day
from labels.errors import Fault, InvalidInput, NotAllowed, NotFound
from labels.identifiers import short_digest
from labels.kinds import KINDS
from labels.people.persons import batches, surviving
from labels.record.schema import Application, BulkPlan, Step, StepKind
from labels.reviews import asking, conflicts, seats
from labels.reviews.choosing import Candidate, conflicts_of_interest, in_order, names_alike
from labels.reviews.coordinating import of_staff
from labels.reviews.judged_together import judged_by_application
from labels.reviews.reasons import Reason
from labels.reviews.seats import UNDER_WAY, Seat, own_conflict, seats_of
from labels.reviews.seeking import sought_by_application
from labels.reviews.suiting import Drawback, Profile, Sought, added_up, costs_beside, general_costs, own_costs
from labels.rules.calendars import end_of_working_day
from labels.steps.kinds import AWAITED
from labels.words.sentences import Sentence, say

MOST = 10_000
"""Rows of one plan."""
GOOD_FOR = timedelta(days=1)
"""After that a plan is made anew."""


class What(StrEnum):
    """What is done about each application."""

    ASSIGN = "assign"
    """Somebody reviews where a reviewer is missing."""
    REASSIGN = "reassign"
    """Somebody else reviews."""
    REMIND = "remind"
    DEADLINE = "deadline"
    """What is due is due at another time."""
    DECISION = "decision"
    """The decision is due at another time."""


SEATS = (What.ASSIGN, What.REASSIGN)
DATES = (What.DEADLINE, What.DECISION)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done, and why."""

    what: What
    reason: str
    to: str = ""
    """Who reviews: an address or `PER-…`; empty for whom the rules choose."""
    whose: str = ""
    """The id of whom it is taken from, or whose answers it is about; empty for everybody."""
    kind: StepKind | None = None
    """Of what somebody is reminded, or what is due at another time; None for everything that is awaited."""
    until: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """As the record keeps it."""
        return {
            "what": self.what.value,
            "reason": self.reason,
            "to": self.to,
            "whose": self.whose,
            "kind": self.kind.value if self.kind else None,
            "until": _written(self.until),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Wish:
        """As it was kept."""
        kind = StepKind(kept["kind"]) if kept["kind"] else None
        return cls(
            What(kept["what"]), kept["reason"], kept["to"], kept["whose"], kind, _instant(kept["until"])
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """One application that somebody chose, or one of its steps; a row of a file says more."""

    application: str
    step: str = ""
    to: str = ""
    until: datetime | None = None
    row: str = ""
    """Where a file has it; nothing where it was not in one."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One row of a plan."""

    application: str
    step: str
    """Empty where the application has none that is meant, or all of it is."""
    kind: StepKind | None = None
    whose: str = ""
    """Who has it now: a person's id."""
    to: str = ""
    """Who has it then, where somebody else does."""
    due: datetime | None = None
    until: datetime | None = None
    why_not: Sentence | None = None
    """Why nothing can be done about it; None for what will be."""
    warning: Sentence | None = None
    why: Reason | None = None
    """Why the rules chose who has it then; None where somebody named them."""

    def to_json(self) -> list[Any]:
        """As the record keeps it."""
        return [
            self.application,
            self.step,
            self.kind.value if self.kind else None,
            self.whose,
            self.to,
            _written(self.due),
            _written(self.until),
            self.why_not.to_json() if self.why_not else None,
            self.warning.to_json() if self.warning else None,
            self.why.to_json() if self.why else None,
        ]

    @classmethod
    def from_json(cls, kept: Sequence[Any]) -> Planned:
        """As it was kept."""
        application, step, kind, whose, to, due, until, why_not, warning, *why = (
            kept  # none in plans of before
        )
        return cls(
            application,
            step,
            StepKind(kind) if kind else None,
            whose,
            to,
            _instant(due),
            _instant(until),
            Sentence.from_json(why_not) if why_not else None,
            Sentence.from_json(warning) if warning else None,
            Reason.from_json(why[0]) if why and why[0] else None,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What will happen to every row, and how many open reviews everybody has before and after, at the organisations it is of."""

    wish: Wish
    rows: tuple[Planned, ...]
    loads: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By person, those alone whose number changes."""

    @property
    def done(self) -> tuple[Planned, ...]:
        """The rows about which something is done."""
        return tuple(one for one in self.rows if one.why_not is None)


class PlanChanged(NotAllowed):
    """A plan is not carried out, because something has changed since it was shown; says what."""

    def __init__(self, changed: Sequence[tuple[str, Sentence]]) -> None:
        self.changed = tuple(changed)
        """Each application that is not as it was, and what is otherwise."""
        first = "; ".join(f"{application}: {why}" for application, why in self.changed[:SAID])
        more = f"; and {len(self.changed) - SAID} more" if len(self.changed) > SAID else ""
        super().__init__(
            f"Nothing was done, since something has changed after the plan was made: {first}{more}"
        )


SAID = 10
"""Changes that one line says."""


# Planning -----------------------------------------------------------------------------------------


def plan(
    session: Session,
    who: str,
    organisations: Collection[str],
    wish: Wish,
    chosen: Sequence[Chosen],
    now: datetime,
) -> Plan:
    """What will happen to each of the applications that somebody chose, in their order; changes nothing.

    Args:
        session: the record.
        who: the coordinator, by id.
        organisations: those that they coordinate.
        wish: what is to be done.
        chosen: the applications.
        now: the instant.

    Raises:
        InvalidInput: a row of a file is of an application that there is not, or of another organisation; or it
            can't be done. Each is named.
        NotFound: an application that was chosen without a file is not there, or another organisation's.
        NotAllowed: there are too many; the deadline can't be; whoever is to review is not on the staff.
    """
    if len(chosen) > MOST:
        raise NotAllowed(
            say(
                "{count} applications are more than the {most} that can be done at once.",
                count=len(chosen),
                most=MOST,
            )
        )
    if wish.what in DATES and wish.until and (why := no_deadline_to_be(wish.until, now)):
        raise NotAllowed(why)
    planning = _Planning(session, who, frozenset(organisations), wish, now)
    planning.look_at(chosen)
    rows = tuple(row for one in chosen for row in planning.rows_of(one))
    if faults := [
        Fault(one.row, row.why_not) for one, row in planning.told if one.row and row.why_not is not None
    ]:
        raise InvalidInput("many", faults)
    return Plan(wish, rows, planning.loads)


class _Planning:
    """A plan while it is made: every row is looked at as if those before it had been carried out."""

    def __init__(
        self, session: Session, who: str, organisations: frozenset[str], wish: Wish, now: datetime
    ) -> None:
        self._session, self._wish, self._now = session, wish, now
        self._organisations = organisations
        self._who = who
        self._steps: dict[str, list[sa.Row[Any]]] = defaultdict(list)
        self._of: dict[str, str] = {}
        self._seen: set[str] = set()
        self._applications: dict[str, sa.Row[Any]] = {}
        self._seats: dict[str, Seat] = {}
        self._sought: dict[str, Sought] = {}
        self._generally: dict[tuple[str, int], Mapping[Drawback, int]] = {}
        self._barred: dict[str, Sentence] = {}
        self._taken: dict[str, list[Candidate]] = defaultdict(list)
        """Who got a seat of an application by a row before."""
        self._left: dict[str, set[str]] = defaultdict(set)
        """Whose seat of an application somebody else got by a row before."""
        self._staff: dict[tuple[str, int], dict[str, Candidate]] = {}
        self._more: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        """How many reviews of a school year each person gets by the rows before."""
        self._named: dict[tuple[str, str], Candidate] = {}
        self._open: dict[str, int] = defaultdict(int)
        self._before: dict[str, int] = {}
        self.told: list[tuple[Chosen, Planned]] = []

    # Reading --------------------------------------------------------------------------------------

    def look_at(self, chosen: Sequence[Chosen]) -> None:
        """Reads all that the rows ask for, together."""
        steps = {one.step for one in chosen if one.step}
        of = {
            row.id: row.application
            for row in self._in_batches(sa.select(Step.id, Step.application).where(Step.id.in_(_IDS)), steps)
        }
        self._of = of
        wanted = {one.application or of.get(one.step, "") for one in chosen}
        for row in self._in_batches(_APPLICATIONS, wanted):
            if row.organisation in self._organisations:
                self._applications[row.id] = row
        if unknown := [one for one in chosen if self._application_of(one, of) is None]:
            raise _unknown(unknown)
        kinds = _KINDS.get(self._wish.what, ()) if self._wish.kind is None else (self._wish.kind,)
        for step in self._in_batches(
            _STEPS.where(Step.kind.in_(kinds), Step.state.in_(UNDER_WAY)), self._applications
        ):
            self._steps[step.application].append(step)
        if self._wish.what in SEATS:
            self._seats = seats_of(self._session, self._meant(chosen))
            self._sought = sought_by_application(
                self._session, {one.application.id: one.application for one in self._seats.values()}.values()
            )
            self._read_open()
        self._read_conflicts()

    def _meant(self, chosen: Sequence[Chosen]) -> list[str]:
        """The steps that the rows are about."""
        named = {one.step for one in chosen if one.step}
        whole = {one.application for one in chosen if not one.step}
        return [
            one.id
            for some in self._steps.values()
            for one in some
            if (one.application in whole or one.id in named) and self._wish.whose in ("", one.person)
        ]

    def _read_conflicts(self) -> None:
        """The applications with which the coordinator has a conflict of interest."""
        judged = {one.application.id: one.judged for one in self._seats.values()}
        meant = self._applications if self._wish.what is What.DECISION else self._steps
        left = [one for one in meant if one not in judged]
        rows = self._in_batches(_WHOLE, left)
        judged |= judged_by_application(self._session, [row[0] for row in rows])
        own = conflicts.anybody(self._session, {self._who})[self._who]
        for application, about in judged.items():
            if why := conflicts_of_interest(own, about):
                self._barred[application] = own_conflict(why)

    def _in_batches(self, query: sa.Select[Any], ids: Collection[str]) -> Iterator[sa.Row[Any]]:
        for some in batches(sorted(ids), seats.AT_ONCE):
            yield from self._session.execute(query, {"ids": list(some)})

    def _application_of(self, one: Chosen, of: Mapping[str, str]) -> sa.Row[Any] | None:
        if one.step and (one.step not in of or one.application not in ("", of[one.step])):
            return None
        return self._applications.get(one.application or of[one.step])

    def _read_open(self) -> None:
        """The open reviews of the coordinator's organisations; of others' they learn nothing."""
        counted = self._session.execute(
            sa.select(Step.person, sa.func.count().label("number"))
            .join(Application, Application.id == Step.application)
            .where(
                Step.kind == StepKind.REVIEW,
                Step.state.in_(UNDER_WAY),
                Application.organisation.in_(self._organisations),
            )
            .group_by(Step.person)
        )
        self._open = defaultdict(int, {row.person: row.number for row in counted})
        self._before = dict(self._open)

    @property
    def loads(self) -> dict[str, tuple[int, int]]:
        """The open reviews of everybody whose number changes, before and after."""
        return {
            one: (self._before.get(one, 0), after)
            for one, after in sorted(self._open.items())
            if after != self._before.get(one, 0)
        }

    # Rows -----------------------------------------------------------------------------------------

    def rows_of(self, chosen: Chosen) -> list[Planned]:
        """What becomes of one that was chosen: a row for each step that is meant, one with the reason where none is."""
        rows = list(self._rows_of(chosen))
        self.told += [(chosen, one) for one in rows]
        return rows

    def _rows_of(self, chosen: Chosen) -> Iterator[Planned]:
        application = self._of[chosen.step] if chosen.step else chosen.application
        if self._wish.what is What.DECISION:
            yield self._decided_at_another_time(self._applications[application], chosen)
            self._seen.add(application)
            return
        found = self._steps.get(application, [])
        if chosen.step:
            found = [one for one in found if one.id == chosen.step]
        found = [one for one in found if self._wish.whose in ("", one.person)]
        if not found:
            yield Planned(application, chosen.step, why_not=_NOTHING[self._wish.what])
        for step in found:
            row = Planned(application, step.id, step.kind, step.person, due=step.due_at)
            if step.id in self._seen:
                yield replace(row, why_not=say("It stands here twice."))
            elif application in self._barred:
                yield replace(row, why_not=self._barred[application])
            elif self._wish.what in SEATS:
                yield self._seated(row, self._seats[step.id], chosen.to)
            elif self._wish.what is What.DEADLINE:
                yield self._moved(row, chosen)
            else:
                yield row
            self._seen.add(step.id)

    def _moved(self, row: Planned, chosen: Chosen) -> Planned:
        until = chosen.until or self._wish.until
        if until is None:
            return replace(row, why_not=say("A new deadline is needed."))
        if chosen.until and (why := no_deadline_to_be(chosen.until, self._now)):
            return replace(row, why_not=why)
        if row.due is None:
            return replace(row, why_not=say("{step} has no deadline that could be moved.", step=row.step))
        if row.due == until:
            return replace(row, why_not=say("It is due then already."))
        decided_by = self._applications[row.application].decide_by
        late = decided_by is not None and until > decided_by
        warning = (
            say("That is after the decision is due, {when}.", when=decided_by)
            if decided_by and late
            else None
        )
        return replace(row, until=until, warning=warning)

    def _decided_at_another_time(self, application: sa.Row[Any], chosen: Chosen) -> Planned:
        row = Planned(application.id, "", due=application.decide_by)
        until = chosen.until or self._wish.until
        if application.id in self._seen:
            return replace(row, why_not=say("It stands here twice."))
        if application.id in self._barred:
            return replace(row, why_not=self._barred[application.id])
        dated = application.decide_by is not None and KINDS[application.label].has_decision_date
        if application.outcome is not None or not dated:
            return replace(row, why_not=say("No decision is due here."))
        if until is None:
            return replace(row, why_not=say("A new deadline is needed."))
        if chosen.until and (why := no_deadline_to_be(chosen.until, self._now)):
            return replace(row, why_not=why)
        until = end_of_working_day(until, application.country)
        if until == application.decide_by:
            return replace(row, why_not=say("It is due then already."))
        return replace(row, until=until)

    def _seated(self, row: Planned, seat: Seat, to: str) -> Planned:
        if closed := seat.open:
            return replace(row, why_not=closed)
        try:
            whom = self._named_by(seat.application.organisation, to or self._wish.to)
        except NotAllowed as error:
            if not to:
                raise
            return replace(row, why_not=error.args[0])
        chosen = None
        if whom is None:
            chosen = self._choose(seat)
            whom = chosen.candidate if chosen else None
        elif why := self._unfit(seat, whom):
            return replace(row, why_not=why)
        if whom is None:
            return replace(
                row,
                why_not=say(
                    "Nobody is left who may review it: everybody was asked, or has a conflict of interest."
                ),
            )
        year = seat.application.school_year
        self._taken[seat.application.id].append(whom)
        if seat.step.kind is StepKind.REVIEW:
            self._left[seat.application.id].add(seat.step.person)
            self._open[seat.step.person] -= 1
            self._more[year][seat.step.person] -= 1
        self._open[whom.person] += 1
        self._more[year][whom.person] += 1
        alike = names_alike(whom, seat.judged)
        warning = say("May be {names} by name: please look.", names=alike) if alike else None
        return replace(row, to=whom.person, warning=warning, why=chosen.why if chosen else None)

    def _named_by(self, organisation: str, to: str) -> Candidate | None:
        if not to:
            return None
        if (organisation, to) not in self._named:
            self._named[organisation, to] = of_staff(self._session, organisation, to)
        return self._named[organisation, to]

    def _unfit(self, seat: Seat, who: Candidate) -> Sentence | None:
        for other in self._taken[seat.application.id]:
            if other.person == who.person:
                return say("{who} gets another seat of this application.", who=who.email)
        taken = tuple(self._taken[seat.application.id])
        return replace(seat, neighbours=(*seat.neighbours, *taken)).unfit(who)

    def _choose(self, seat: Seat) -> asking.Chosen | None:
        """Who gets a seat where nobody is named: by the rules, as where one application is assigned by itself."""
        application, before = seat.application, seat.asked_before
        there = self._reviewers(application)
        wanted = self._sought[application.id]
        others = {one.person for one in (*seat.neighbours, *self._taken[application.id])}
        beside = [there[one] for one in others - self._left[application.id] if one in there]

        def may(one: Candidate) -> bool:
            return not one.away and one.person not in before and self._unfit(seat, one) is None

        together, more = costs_beside(beside, wanted.profile.rules), self._more[application.school_year]

        def costs(one: Candidate) -> Mapping[Drawback, int]:
            return added_up(self._general(one, wanted.profile), own_costs(one.person, wanted), together(one))

        def load(one: Candidate) -> int:
            return one.load + more[one.person]

        in_turn = in_order(
            may, there.values(), seat.judged, application.id, lambda one: sum(costs(one).values()), load
        )
        return asking.first_of(in_turn, costs, load)

    def _general(self, one: Candidate, profile: Profile) -> Mapping[Drawback, int]:
        """What speaks against somebody at all applications that ask the same, which have one profile."""
        which = one.person, id(profile)
        if which not in self._generally:
            self._generally[which] = general_costs(one, profile)
        return self._generally[which]

    def _reviewers(self, application: Application) -> dict[str, Candidate]:
        """Who may be chosen, with all that is close to them, what they can, and their load of the school year."""
        of = application.organisation, application.school_year
        if of not in self._staff:
            there = {
                one.person: one
                for one in conflicts.reviewers(self._session, *of, today=brussels_day(self._now))
            }
            near = conflicts.near(self._session, there.keys())
            self._staff[of] = {
                who: replace(one, **{name: getattr(there[who], name) for name in _AS_REVIEWERS})
                for who, one in near.items()
            }
        return self._staff[of]


_AS_REVIEWERS = ("load", "away", "languages", "subjects", "ages", "given")
"""What is read of reviewers alone."""
_IDS: sa.BindParameter[list[str]] = sa.bindparam("ids", expanding=True)
_APPLICATIONS = sa.select(
    Application.id,
    Application.organisation,
    Application.label,
    Application.country,
    Application.outcome,
    Application.decide_by,
).where(Application.id.in_(_IDS))
_WHOLE = sa.select(Application).options(orm.defer(Application.content)).where(Application.id.in_(_IDS))
_STEPS = (
    sa.select(Step.id, Step.application, Step.kind, Step.person, Step.due_at)
    .join(Application, sa.and_(Application.id == Step.application, Application.instance == Step.instance))
    .where(Step.application.in_(_IDS))
    .order_by(Step.application, Step.kind, Step.seat, Step.id)
)
_KINDS: Mapping[What, tuple[StepKind, ...]] = {
    What.ASSIGN: (StepKind.ASSIGNMENT,),
    What.REASSIGN: (StepKind.REVIEW,),
    What.REMIND: tuple(one for one in AWAITED if one is not StepKind.ASSIGNMENT),
    What.DEADLINE: tuple(one for one in AWAITED if one is not StepKind.ASSIGNMENT),
}
_NOTHING: Mapping[What, Sentence] = {
    What.ASSIGN: say("No reviewer is missing."),
    What.REASSIGN: say("No review is open here that could be given to somebody else."),
    What.REMIND: say("No answer is awaited here."),
    What.DEADLINE: say("Nothing is due here."),
}


def _unknown(chosen: Sequence[Chosen]) -> InvalidInput | NotFound:
    """As of an application that there is not: nobody learns of another organisation's."""
    if any(one.row for one in chosen):
        return InvalidInput(
            "many",
            [
                Fault(
                    one.row,
                    say("{number} is unknown.", number=one.step or one.application),
                    say("Write the number as the list of applications has it."),
                )
                for one in chosen
            ],
        )
    return NotFound(f"There is no application {chosen[0].application or chosen[0].step}.")


# Keeping ------------------------------------------------------------------------------------------


def keep(session: Session, who: str, made: Plan, now: datetime) -> str:
    """Keeps a plan as it is shown to whoever made it; its id."""
    rows = {
        "rows": [one.to_json() for one in made.rows],
        "loads": {one: list(numbers) for one, numbers in made.loads.items()},
    }
    wish = made.wish.to_json()
    identifier = f"PLN-{short_digest('many', who, now.isoformat(), wish, rows['rows'])}"
    session.merge(BulkPlan(id=identifier, person=who, made_at=now, wish=wish, rows=rows))
    return identifier


def own_plan(session: Session, identifier: str, who: str, *, locked: bool = False) -> BulkPlan:
    """The row of a plan of somebody's own.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    found = session.get(BulkPlan, identifier, with_for_update=locked or None, populate_existing=True)
    if found is None or found.person != surviving(session, who):
        raise NotFound(f"There is no plan {identifier}.")
    return found


def kept_wish(row: BulkPlan) -> Wish:
    """What a plan is to do."""
    return Wish.from_json(row.wish)


def loads_of(row: BulkPlan) -> dict[str, tuple[int, int]]:
    """The loads before and after, by person, as a plan keeps them."""
    return {one: (numbers[0], numbers[1]) for one, numbers in row.rows["loads"].items()}


def is_refused(row: Sequence[Any]) -> bool:
    """Whether a row, as it is kept, says why nothing can be done about it."""
    return row[_WHY_NOT] is not None


_WHY_NOT = 7


def kept(session: Session, identifier: str, who: str, *, locked: bool = False) -> tuple[BulkPlan, Plan]:
    """A whole plan of somebody's own, as it was kept.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    row = own_plan(session, identifier, who, locked=locked)
    rows = tuple(Planned.from_json(one) for one in row.rows["rows"])
    return row, Plan(kept_wish(row), rows, loads_of(row))


def organisations_of(session: Session, identifier: str) -> frozenset[str]:
    """The organisations whose applications a plan is about; none where there is no such plan."""
    found = session.get(BulkPlan, identifier)
    applications = {one[0] for one in found.rows["rows"]} if found else set()
    return frozenset(
        one
        for some in batches(sorted(applications), seats.AT_ONCE)
        for one in session.scalars(
            sa.select(Application.organisation).where(Application.id.in_(some)).distinct()
        )
    )


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
