"""A date of a round of the School Label, or of a year of the European one, moved for all: a plan first, then all of it or nothing.

Dates of applications that somebody chooses, such as those by which decisions are due, are `labels.answering.many`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering.deadlines import no_deadline_to_be
from labels.applications.titles import titles_of
from labels.clock import brussels_day
from labels.errors import NotAllowed
from labels.european_label.freezing import cycle_in
from labels.identifiers import short_digest
from labels.kinds import LabelKind
from labels.mail import messages
from labels.mail.outbox import Envelope, queue_many
from labels.people.named import Recipient
from labels.people.persons import batches
from labels.people.staff import central_organisation, coordinates, known_organisation
from labels.record.journal import Event, entry, note
from labels.record.rows import write
from labels.record.schema import (
    Application,
    Cycle,
    CycleOrganisation,
    Journal,
    Organisation,
    Person,
    SchoolRound,
    Step,
    StepKind,
    StepState,
)
from labels.reviews.seats import AT_ONCE
from labels.rules.calendars import add_working_days, end_of_working_day
from labels.rules.kept import kept_rules
from labels.rules.moved import keep_moved, moved_date
from labels.school_label import rounds
from labels.steps.kinds import STEPS
from labels.turn import Turn
from labels.words.sentences import Sentence, say


@dataclass(frozen=True, slots=True)
class Subject:
    """Which date is moved."""

    kind: StepKind
    """What is due then: one of `LABELS`."""
    year: int
    organisation: str = ""
    """Whose part of it alone; empty for that of all."""


LABELS = {
    StepKind.SELF_ASSESSMENT: LabelKind.SCHOOL,
    StepKind.SCREENING: LabelKind.NOMINATION,
    StepKind.AWARDING: LabelKind.EUROPEAN,
}
"""What can be moved, and in applications for which label it is due."""


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes of the date of one organisation."""

    organisation: str
    former: datetime | None
    """None where nobody is asked yet, and nobody has moved it."""
    until: datetime
    applications: int
    """Those in which something is due then."""
    people: int
    """Those of whom it is asked."""
    longer: int
    """Applications in which somebody was given more time than that, which they keep."""


@dataclass(frozen=True, slots=True)
class _Due:
    """A step that is due at another time."""

    step: str
    application: str
    kind: StepKind
    person: str
    asked_by: str | None
    former: datetime
    until: datetime


@dataclass(frozen=True)
class Plan:
    """What will happen to everybody whom the date concerns."""

    subject: Subject
    parts: tuple[Part, ...]
    due: tuple[_Due, ...]
    """The steps that are due at another time, in the order of their applications."""

    @cached_property
    def digest(self) -> str:
        """By which it is known whether all is as it was shown."""
        dates = [(one.organisation, str(one.former), str(one.until), one.longer) for one in self.parts]
        steps = [(one.step, str(one.former), str(one.until)) for one in self.due]
        return short_digest("dates", self.subject.kind.value, self.subject.year, dates, steps)

    @property
    def applications(self) -> tuple[str, ...]:
        """Those in which something is due at another time."""
        return tuple(dict.fromkeys(one.application for one in self.due))

    @property
    def people(self) -> int:
        """Whom it concerns."""
        return len({one.person for one in self.due})


def authorities(session: Session, subject: Subject) -> list[str]:
    """Whose coordinators may move it: the organisation whose part it is, and the Central Support Service."""
    central = central_organisation(session).id
    return sorted({central, subject.organisation or central})


def plan(session: Session, subject: Subject, until: datetime, now: datetime) -> Plan:
    """What would happen if a date were moved; changes nothing.

    Raises:
        InvalidInput: there is no such organisation.
        NotFound: that round or year has not begun.
        NotAllowed: the date is past or more than two years ahead; nothing is due then any more, or it is due then already.
    """
    if why := no_deadline_to_be(until, now):
        raise NotAllowed(why)
    if subject.organisation:
        known_organisation(session, subject.organisation)
    standing = list(_standing(session, subject))
    parts: list[Part] = []
    due: list[_Due] = []
    for one in standing:
        ends = end_of_working_day(until, one.country)
        found = list(_open(session, subject, one, ends))
        moved = [each for each in found if each.until != each.former]
        longer = len({each.application for each in found if each.until > ends}) or int(one.keeps(ends))
        if one.former == ends and not moved:
            continue
        applications = len({each.application for each in moved})
        people = len({each.person for each in moved})
        parts.append(Part(one.organisation, one.former, ends, applications, people, longer))
        due += moved
    if not standing or not (due or _awaits(session, subject, now)):
        raise NotAllowed(say("Nothing is due there any more whose date could be moved."))
    if not parts:
        raise NotAllowed(say("It is due then already."))
    return Plan(subject, tuple(parts), tuple(sorted(due, key=lambda one: (one.application, one.step))))


@dataclass(frozen=True, slots=True)
class _Standing:
    """When something is due in an organisation."""

    organisation: str
    country: str
    former: datetime | None
    """None where nobody is asked yet, and nobody has moved it."""
    for_all: datetime | None
    """The same, unless this organisation was given another date than all."""

    def keeps(self, ends: datetime) -> bool:
        """Whether it was given more time than all have, and than it would have."""
        return self.former is not None and self.former > max(self.for_all or ends, ends)


def _standing(session: Session, subject: Subject) -> Iterator[_Standing]:
    """Each organisation that has a part in it, with when it is due there."""
    if subject.kind is StepKind.SELF_ASSESSMENT:
        yield from _standing_of_round(session, subject)
        return
    cycle = cycle_in(session, subject.year)
    if subject.kind is StepKind.SCREENING:
        yield from _standing_of_screening(session, subject, cycle)
        return
    central = central_organisation(session)
    if subject.organisation not in ("", central.id):
        raise NotAllowed(say("The award is the Central Support Service’s: name no other organisation."))
    if cycle.awarded_at is None:
        moved = moved_date(session, subject.kind, subject.year, central.id)
        former = end_of_working_day(moved, central.country) if moved else None
        asked = session.scalar(_LATEST, {"application": cycle.application, "kind": subject.kind})
        yield _Standing(central.id, central.country, asked or former, asked or former)


def _standing_of_screening(session: Session, subject: Subject, cycle: Cycle) -> Iterator[_Standing]:
    query = (
        sa.select(Application, CycleOrganisation.rules)
        .join(CycleOrganisation, CycleOrganisation.nomination == Application.id)
        .where(CycleOrganisation.year == subject.year, Application.outcome.is_(None))
        .order_by(Application.organisation)
    )
    if subject.organisation:
        query = query.where(Application.organisation == subject.organisation)
    for nomination, rules in session.execute(query).tuples():
        moved = moved_date(session, subject.kind, subject.year, nomination.organisation)
        if moved:
            for_all = end_of_working_day(moved, nomination.country)
        else:
            days = kept_rules(rules, session).european.screening_days.value
            for_all = add_working_days(nomination.submitted_at, days, nomination.country)
        yield _Standing(nomination.organisation, nomination.country, nomination.decide_by or for_all, for_all)


def _standing_of_round(session: Session, subject: Subject) -> Iterator[_Standing]:
    one = rounds.round_of(session, subject.year)
    query = sa.select(Organisation).where(Organisation.id != central_organisation(session).id)
    if subject.organisation:
        query = query.where(Organisation.id == subject.organisation)
    rules = dict(
        session.execute(
            sa.select(Application.organisation, sa.func.max(Application.rules))
            .where(Application.label == LabelKind.SCHOOL, Application.round == str(subject.year))
            .group_by(Application.organisation)
        )
        .tuples()
        .all()
    )
    for organisation in session.scalars(query.order_by(Organisation.id)):
        edition = kept_rules(rules.get(organisation.id, one.rules), session)
        due = rounds.due_at(session, one, organisation.id, edition.school)
        ends = end_of_working_day(due, organisation.country)
        yield _Standing(organisation.id, organisation.country, ends, ends)


def _open(session: Session, subject: Subject, of: _Standing, ends: datetime) -> Iterator[_Due]:
    """The open steps of an organisation that are due then. Whoever was given more time than that keeps it."""
    kinds = [subject.kind]
    if subject.kind is StepKind.SELF_ASSESSMENT:
        kinds.append(StepKind.DECLARATION)
    named = {"round": str(subject.year), "organisation": of.organisation}
    rows = session.execute(_OPEN, {"label": LABELS[subject.kind], "kinds": kinds, **named})
    for row in rows:
        longer = row.due_at > max(of.for_all or ends, ends)
        yield _Due(
            row.id,
            row.application,
            row.kind,
            row.person,
            row.asked_by,
            row.due_at,
            row.due_at if longer else ends,
        )


_OPEN = (
    sa.select(Step.id, Step.application, Step.kind, Step.person, Step.asked_by, Step.due_at)
    .join(Application, Application.id == Step.application)
    .where(
        Application.label == sa.bindparam("label", type_=Application.label.type),
        Application.round == sa.bindparam("round"),
        Application.organisation == sa.bindparam("organisation"),
        Application.outcome.is_(None),
        Step.instance == Application.instance,
        Step.state == StepState.OPEN,
        Step.kind.in_(sa.bindparam("kinds", expanding=True)),
        Step.due_at.is_not(None),
    )
    .order_by(Step.application, Step.id)
)
_LATEST = sa.select(sa.func.max(Step.due_at)).where(
    Step.application == sa.bindparam("application"),
    Step.kind == sa.bindparam("kind"),
    Step.state == StepState.OPEN,
)


def _awaits(session: Session, subject: Subject, now: datetime) -> bool:
    """Whether something will be due then, though nobody is asked for it yet."""
    if subject.kind is not StepKind.SELF_ASSESSMENT:
        return True  # what is over has no date that stands
    one = rounds.round_of(session, subject.year)
    return one.invited_at is None or one.due_at > now


def move(turn: Turn, subject: Subject, until: datetime, seen: str, reason: str) -> Plan:
    """Moves a date for all whom it concerns, if that is what the plan of that digest showed; tells each in one mail.

    Raises:
        NotAllowed: something has changed since the plan was shown; and as `plan`.
    """
    session = turn.session
    _lock(session, subject)
    found = plan(session, subject, until, turn.now)
    if found.digest != seen:
        raise NotAllowed(say("Something has changed since the plan was made: look at it once more."))
    for part in found.parts:
        keep_moved(session, subject.kind, subject.year, part.organisation, until)
    if subject.kind is StepKind.SELF_ASSESSMENT and not subject.organisation:
        rounds.round_of(session, subject.year).due_at = until
    _put_off(session, subject, found)
    _note(turn, subject, found, until, reason)
    _tell(turn, subject, found, reason)
    return found


def _lock(session: Session, subject: Subject) -> None:
    """Of two who move the same date, one waits here; and so does whoever invites schools."""
    if subject.kind is StepKind.SELF_ASSESSMENT:
        rounds.locked_round(session, subject.year)
    else:
        session.scalars(sa.select(Cycle.year).where(Cycle.year == subject.year).with_for_update()).all()


def _put_off(session: Session, subject: Subject, found: Plan) -> None:
    for some in batches(list(found.applications), AT_ONCE):  # as everybody locks applications: in their order
        locked = sa.select(Application.id).where(Application.id.in_(some)).order_by(Application.id)
        session.execute(locked.with_for_update()).all()
        session.execute(
            sa.update(Application)
            .where(Application.id.in_(some))
            .values(revision=Application.revision + 1)
            .execution_options(synchronize_session=False)
        )
    ends: dict[datetime, list[str]] = defaultdict(list)
    for one in found.due:
        ends[one.until].append(one.step)
        if (
            one.kind is StepKind.DECLARATION and one.asked_by
        ):  # what the principal sends back is due then, too
            ends[one.until].append(one.asked_by)
    for until, steps in ends.items():
        for some in batches(steps, AT_ONCE):
            session.execute(
                sa.update(Step)
                .where(Step.id.in_(some))
                .values(due_at=until)
                .execution_options(synchronize_session=False)
            )
    if subject.kind is StepKind.SCREENING:
        for part in found.parts:
            if part.longer:
                continue
            session.execute(
                sa.update(Application)
                .where(
                    Application.label == LabelKind.NOMINATION,
                    Application.round == str(subject.year),
                    Application.organisation == part.organisation,
                    Application.outcome.is_(None),
                )
                .values(decide_by=part.until)
                .execution_options(synchronize_session=False)
            )
    session.flush()
    session.expire_all()


def _note(turn: Turn, subject: Subject, found: Plan, until: datetime, reason: str) -> None:
    """One entry for the date, and one for each application in which something is due at another time."""
    steps: dict[str, list[_Due]] = defaultdict(list)
    for one in found.due:
        steps[one.application].append(one)
    write(
        turn.session,
        Journal,
        *(
            entry(
                turn,
                application,
                turn.by,
                Event.MOVED_A_DEADLINE,
                kind=subject.kind.value,
                steps=len(due),
                former=due[0].former.isoformat(),
                until=due[0].until.isoformat(),
                because=reason,
                for_all=found.digest,
            )
            for application, due in steps.items()
        ),
    )
    note(
        turn,
        None,
        turn.by,
        Event.MOVED_A_DATE_FOR_ALL,
        kind=subject.kind.value,
        year=subject.year,
        organisations=[one.organisation for one in found.parts],
        until=until.isoformat(),
        applications=len(steps),
        people=found.people,
        because=reason,
        plan=found.digest,
    )


def _tell(turn: Turn, subject: Subject, found: Plan, reason: str) -> None:
    """Writes to everybody whom it concerns, once."""
    session = turn.session
    own = subject.organisation if subject.organisation and turn.person else ""
    if own and not coordinates(session, turn.person, own):
        own = ""
    name = session.get_one(Organisation, own or central_organisation(session).id).name
    titles = titles_of(session, found.applications)
    told: dict[str, list[_Due]] = defaultdict(list)
    for one in found.due:
        told[one.person].append(one)
    people = {
        one.id: Recipient.of(one)
        for some in batches(sorted(told), AT_ONCE)
        for one in session.scalars(sa.select(Person).where(Person.id.in_(some)))
    }
    once = f"{found.digest}/{turn.now.isoformat()}"
    most = messages.ChangedTogether.MOST
    queue_many(
        turn,
        (
            (
                messages.ChangedTogether(
                    plan=once,
                    person=whom,
                    step=due[0].step,
                    organisation_name=name,
                    reason=reason,
                    number=len(due),
                    moved=tuple(_line(one, titles) for one in due[:most]),
                    more=max(len(due) - most, 0),
                ),
                Envelope(people[whom], (whom,)),
            )
            for whom, due in sorted(told.items())
        ),
    )


def _line(one: _Due, titles: dict[str, str]) -> Sentence:
    return say(
        "{application} · {what} · {title} · by {due}",
        application=one.application,
        what=STEPS[one.kind].worded or one.kind.value,
        title=titles[one.application],
        due=one.until,
    )


# What can be moved --------------------------------------------------------------------------------


def movable(session: Session, organisations: Sequence[str], now: datetime) -> list[Subject]:
    """The dates that coordinators of these organisations can move, of all or of their part."""
    central = central_organisation(session).id in organisations
    found = []
    for one in session.scalars(sa.select(SchoolRound).order_by(SchoolRound.year.desc())):
        if brussels_day(now).year - one.year <= 1:
            found.append(Subject(StepKind.SELF_ASSESSMENT, one.year))
    for cycle in session.scalars(
        sa.select(Cycle).where(Cycle.awarded_at.is_(None)).order_by(Cycle.year.desc())
    ):
        if cycle.frozen_at is not None and cycle.merged_at is None:
            found.append(Subject(StepKind.SCREENING, cycle.year))
        if central:
            found.append(Subject(StepKind.AWARDING, cycle.year))
    return found
