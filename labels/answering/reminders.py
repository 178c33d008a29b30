"""Reminders before a deadline and notices after it: each goes once, in one digest a person and day."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.answering.deadlines import PASSING, STILL_OPEN
from labels.clock import BRUSSELS, brussels_day
from labels.kinds import KINDS
from labels.mail import messages, outbox
from labels.mail.outbox import Envelope
from labels.people.named import Recipient, recipient
from labels.people.roles import Role
from labels.people.staff import coordinators
from labels.record.engine import Record
from labels.record.rows import write
from labels.record.schema import (
    OPEN_STAGES,
    Application,
    Instant,
    Mail,
    Notice,
    Organisation,
    Person,
    Project,
    RuleText,
    School,
    Staff,
    Step,
    StepKind,
    Teacher,
)
from labels.record.sealing import head_on_paper
from labels.rules.kept import kept_rules
from labels.rules.model import LateReviewRules, ReminderRules, RuleEdition
from labels.steps.kinds import AWAITED, STEPS
from labels.turn import Turn
from labels.words.sentences import Sentence, Value, named, say

OVERDUE = "overdue"
MAILED = 100
"""Entries of a list in a digest; what is left out is counted."""
NEWS_FROM = 7
"""The hour (Brussels) from which the message of the day goes to whoever wants one a day."""
TOGETHER = 50
"""Digests written in one transaction: others wait no longer for the record than these take."""

HEAD = ("journal", "head")
"""The subject and kind of the notice by which a coordinator was told where the journal's chain stands."""
HEAD_BY = 25
"""The day of a month by which each coordinator is told it, in a message of its own where no digest has."""

DECIDED_BY = tuple(label for label, kind in KINDS.items() if kind.has_decision_date)
"""Kinds of application that have a day by which they are decided; in the others every step has its own."""


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that one person is to be informed of, with the kinds of notice that this makes up for."""

    person: str
    subject: str
    """The step, or the application."""
    kinds: tuple[str, ...]
    due_at: datetime
    line: Sentence
    organisation: str
    """As people read it."""

    again: bool = False
    """Whether they are informed again while it stays so."""

    @property
    def overdue(self) -> bool:
        """Whether a coordinator is informed that it is overdue, rather than somebody reminded."""
        return self.kinds[0].startswith(OVERDUE)


def remind(record: Record, *, now: datetime) -> list[str]:
    """Writes everybody's digest of the day, where there is something to tell; whom it goes to.

    Safe to run at any time and twice at once. However long upkeep stood still, what was missed meanwhile
    makes one entry in one digest. What comes up after a day's digest is in the next day's.

    Raises:
        OutOfReach: the database does not answer.
    """
    with record.reading() as session:
        found = sorted(due(session, now), key=lambda one: (one.person, one.due_at, one.subject))
        new = _news(session, now)
        coordinating = _who_coordinates(session)
        without = _without_a_head(session, now, coordinating)
    items = {person: list(some) for person, some in itertools.groupby(found, lambda one: one.person)}
    people = sorted({*items, *new, *without})
    told = []
    for first in range(0, len(people), TOGETHER):
        some = people[first : first + TOGETHER]
        with record.writing() as session:
            left = _still_untold(session, [item for person in some for item in items.get(person, [])])
            for person in some:
                still = [one for one in items.get(person, []) if one in left]
                to = recipient(session, person)
                found_new = new.get(person, [])
                turn = Turn(session, now)
                if _digest(turn, to, person, _Told(still, found_new, person in coordinating)) or (
                    person in without and _tell_the_head(turn, to, person, coordinating[person])
                ):
                    told.append(to.address)
    return sorted(told)


def _news(session: Session, now: datetime) -> dict[str, list[str]]:
    """The messages that wait for the day's one, by person; none before the hour from which those are sent."""
    if now.astimezone(BRUSSELS).hour < NEWS_FROM:
        return {}
    new: dict[str, list[str]] = {}
    for person, reason in outbox.waiting_for_the_day(session):
        new.setdefault(person, []).append(reason)
    return new


def _who_coordinates(session: Session) -> dict[str, list[str]]:
    """Everybody who coordinates, with the names of their organisations; its own mailbox where one has no coordinator."""
    found: dict[str, list[str]] = {}
    for row in session.execute(_COORDINATING):
        found.setdefault(row.person, []).append(row.name)
    return found


def _without_a_head(session: Session, now: datetime, coordinating: Collection[str]) -> set[str]:
    """The coordinators whom nothing in this month has told where the journal's chain stands, once the month is so old."""
    here = now.astimezone(BRUSSELS)
    if here.day < HEAD_BY or here.hour < NEWS_FROM or head_on_paper(session, now) is None:
        return set()
    subject, kind = HEAD
    told = sa.select(Notice.person).where(
        Notice.subject == subject, Notice.kind == kind, Notice.due_on == _month_of(now)
    )
    return set(coordinating) - set(session.scalars(told))


def _month_of(now: datetime) -> date:
    """The day by which every coordinator is told the head in the month of an instant."""
    return brussels_day(now).replace(day=HEAD_BY)


def due(session: Session, now: datetime) -> Iterator[Due]:
    """What people are to be informed of at `now` and were not informed of yet."""
    rules = _rules(session)
    if not rules:
        return
    today, hour = brussels_day(now), now.astimezone(BRUSSELS).hour
    awake = {digest: one for digest, one in rules.items() if hour >= one.reminders.from_hour.value}
    furthest = max((day for one in rules.values() for day in one.reminders.days_before.value), default=0)
    until = now + timedelta(days=furthest + 1)
    told = _told(session, until)
    coordinating: dict[str, list[Person]] = {}
    for row in session.execute(_STEPS, {"until": until, "kinds": AWAITED}):
        if row.rules not in awake:
            continue
        kind, due_on = row.kind, brussels_day(row.due_at)
        if now <= row.due_at:
            kinds = _reminders(awake[row.rules].reminders, brussels_day(row.opened_at), due_on, today)
            if new := tuple(one for one in kinds if (row.step, one, due_on, row.person) not in told):
                line = say("{application} · {what} · {title} · by {due}", **_asked_for(row))
                yield _about_step(row, row.person, new, line)
        elif kind not in PASSING:
            late = _late_rules(awake[row.rules], kind)
            kinds = _reminders_after(late, due_on, today)
            if new := tuple(one for one in kinds if (row.step, one, due_on, row.person) not in told):
                line = say("{application} · {what} · {title} · was due {due}", **_asked_for(row))
                yield _about_step(row, row.person, new, line)
            notices = _notices(awake[row.rules], kind, due_on, today)
            for person in _coordinators(session, row, coordinating) if notices else ():
                if new := tuple(one for one in notices if (row.step, one, due_on, person) not in told):
                    line = say(
                        "{application} · {what} by {who} · {title} · was due {due}",
                        who=row.assignee,
                        **_asked_for(row),
                    )
                    again = late is not None and late.tell_every.value > 0
                    yield _about_step(row, person, new, line, again=again)
    for row in session.execute(_DECISIONS, {"now": now}):
        due_on = brussels_day(row.due_at)
        if row.rules in awake and _is_overdue(awake[row.rules].reminders, due_on, today):
            for person in _coordinators(session, row, coordinating):
                if (row.step, OVERDUE, due_on, person) not in told:
                    line = say("{application} · {what} · {title} · was due {due}", **_asked_for(row))
                    yield _about_step(row, person, (OVERDUE,), line)


def _rules(session: Session) -> dict[str, RuleEdition]:
    """The rules that any open application was submitted under, by their digest."""
    known = session.scalars(
        sa.select(RuleText.digest).where(
            sa.exists().where(Application.rules == RuleText.digest, Application.stage.in_(OPEN_STAGES))
        )
    )
    return {digest: kept_rules(digest, session) for digest in known}


def _reminders(rules: ReminderRules, opened_on: date, due_on: date, today: date) -> list[str]:
    """The reminders whose day has come; none whose day had come when the person was asked."""
    return [
        f"{days} days before"
        for days in rules.days_before.value
        if opened_on < due_on - timedelta(days=days) <= today
    ]


def _is_overdue(rules: ReminderRules, due_on: date, today: date) -> bool:
    return today >= due_on + timedelta(days=rules.overdue_days.value)


def _late_rules(edition: RuleEdition, kind: StepKind) -> LateReviewRules | None:
    """What the rules say of a step that is late, besides telling a coordinator once."""
    return edition.national.review.late if kind is StepKind.REVIEW else None


def _reminders_after(late: LateReviewRules | None, due_on: date, today: date) -> list[str]:
    """The reminders after the deadline whose day has come: the last pause comes again and again."""
    pauses = late.pauses.value if late else ()
    days, found = 0, []
    for pause in itertools.chain(pauses, itertools.repeat(pauses[-1]) if pauses else ()):
        days += pause
        if due_on + timedelta(days=days) > today:
            break
        found.append(f"{days} days after")
    return found


def _notices(edition: RuleEdition, kind: StepKind, due_on: date, today: date) -> list[str]:
    """The notices to a coordinator that something is late whose day has come."""
    if not _is_overdue(edition.reminders, due_on, today):
        return []
    late = _late_rules(edition, kind)
    every = late.tell_every.value if late else 0
    since = (today - due_on).days - edition.reminders.overdue_days.value
    times = since // every if every else 0
    return [OVERDUE, *(f"{OVERDUE} for {every * one} days more" for one in range(1, times + 1))]


def _coordinators(session: Session, row: Any, known: dict[str, list[Person]]) -> list[str]:
    """Whom to tell; not who applies, unless there is nobody else."""
    if row.organisation not in known:
        known[row.organisation] = coordinators(session, row.organisation)
    people = [one.id for one in known[row.organisation] if one.address != row.applicant]
    return people or [row.mailbox]


def _asked_for(row: Any) -> dict[str, Value]:
    """What a line of a digest says of a step, or of a decision."""
    kind = row._mapping.get("kind")
    return {
        "application": row.application,
        "what": (STEPS[kind].worded or kind.value) if kind else named("awaited", "decision"),
        "title": row.title or row.school_name or row.organisation_name,
        "due": row.due_at,
    }


def _about_step(row: Any, person: str, kinds: tuple[str, ...], line: Sentence, *, again: bool = False) -> Due:
    return Due(person, row.step, kinds, row.due_at, line, row.organisation_name, again)


# Asked of the record ------------------------------------------------------------------------------

_ABOUT = (
    Application.id.label("application"),
    Application.rules,
    Application.organisation,
    Organisation.name.label("organisation_name"),
    Organisation.person.label("mailbox"),
    Project.title,
    School.name.label("school_name"),
    Person.address.label("applicant"),
)


def _with_names(query: sa.Select[Any]) -> sa.Select[Any]:
    return (
        query.join(Organisation, Organisation.id == Application.organisation)
        .outerjoin(Project, Project.id == Application.project)
        .outerjoin(School, School.id == Application.school)
        .outerjoin(Teacher, Teacher.id == Application.teacher)
        .outerjoin(Person, Person.id == Teacher.person)
    )


_STILL_AWAITED = (
    STILL_OPEN,
    Step.due_at <= sa.bindparam("until"),
    Step.kind.in_(sa.bindparam("kinds", expanding=True)),
    Step.instance == Application.instance,
    Application.outcome.is_(None),
)
_STEPS = _with_names(
    sa.select(
        Step.id.label("step"), Step.kind, Step.person, Step.assignee, Step.due_at, Step.opened_at, *_ABOUT
    ).join(Application, Application.id == Step.application)
).where(*_STILL_AWAITED)
_UNDECIDED = (
    Application.stage.in_(OPEN_STAGES),
    Application.outcome.is_(None),
    Application.label.in_(DECIDED_BY),
)
_DECISIONS = _with_names(
    sa.select(Application.id.label("step"), Application.decide_by.label("due_at"), *_ABOUT)
).where(*_UNDECIDED, Application.decide_by < sa.bindparam("now"))
_NOTICE = (Notice.subject, Notice.kind, Notice.due_on, Notice.person)
_TOLD = [
    sa.select(*_NOTICE)
    .join(Step, Step.id == Notice.subject)
    .where(STILL_OPEN, Step.due_at <= sa.bindparam("until")),
    sa.select(*_NOTICE).join(Application, Application.id == Notice.subject).where(*_UNDECIDED),
]

Told = tuple[str, str, date, str]


def _told(session: Session, until: datetime) -> set[Told]:
    """The notices about what is still open: subject, kind, day of the deadline, person."""
    return {tuple(row) for query in _TOLD for row in session.execute(query, {"until": until})}


def _still_untold(session: Session, items: Sequence[Due]) -> Collection[Due]:
    """Those that were neither answered nor mailed since they were looked for."""
    subjects = sorted({one.subject for one in items})
    open_now = set(session.scalars(sa.select(Step.id).where(Step.id.in_(subjects), STILL_OPEN)))
    open_now |= set(
        session.scalars(sa.select(Application.id).where(Application.id.in_(subjects), *_UNDECIDED))
    )
    told = {tuple(row) for row in session.execute(sa.select(*_NOTICE).where(Notice.subject.in_(subjects)))}
    return {
        one
        for one in items
        if one.subject in open_now and not any(_key(one, kind) in told for kind in one.kinds)
    }


def _key(item: Due, kind: str) -> Told:
    return (item.subject, kind, brussels_day(item.due_at), item.person)


_COORDINATING = (
    sa.select(Staff.person, Organisation.name)
    .join(Organisation, Organisation.id == Staff.organisation)
    .where(Staff.role == Role.COORDINATOR)
    .union(
        sa.select(Organisation.person, Organisation.name).where(
            ~sa.exists().where(Staff.organisation == Organisation.id, Staff.role == Role.COORDINATOR)
        )
    )
)


# Telling ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Told:
    """What a person's digest of the day may tell."""

    items: Sequence[Due]
    new: Sequence[str]
    """Messages, by reason, that wait for the day's one."""
    coordinates: bool
    """Whether they coordinate: then it says where the journal's chain stands."""


def _digest(turn: Turn, to: Recipient, person: str, found: _Told) -> bool:
    """Queues a person's digest of the day; false where there is nothing to tell, or they had today's already."""
    items, new = found.items, found.new
    day = brussels_day(turn.now).isoformat()
    if items and outbox.is_queued(turn.session, messages.Digest.reason_of(person, day)):
        items = ()
    with turn.session.begin_nested() as undone:
        news = [] if _had_news(turn.session, person, day) else outbox.told_in_short(turn, new)
        if not items and not news:
            return False
        proves = found.coordinates or any(one.overdue for one in items)
        journal = head_on_paper(turn.session, turn.now) if proves else None
        message = _message(items, news, journal or "", turn.now)
        reason = message.reason_for(person, day)
        if not outbox.queue(turn, message, Envelope(to, (person, day))):
            undone.rollback()  # somebody else told them meanwhile; what is new waits for another message
            return False
    names = ("subject", "kind", "due_on", "person")
    write(
        turn.session,
        Notice,
        *(
            dict(zip(names, _key(one, kind), strict=True)) | {"mail": reason, "at": turn.now}
            for one in items
            for kind in one.kinds
        ),
    )
    if journal:
        _note_the_head(turn, person, reason)
    return True


def _tell_the_head(turn: Turn, to: Recipient, person: str, organisations: Sequence[str]) -> bool:
    """Queues where the journal's chain stands, by itself; false where they were told it this month."""
    month = _month_of(turn.now)
    head = head_on_paper(turn.session, turn.now)
    if head is None or turn.session.get(Notice, (*HEAD, month, person)) is not None:
        return False
    message = messages.JournalHead(
        organisation_name=organisations[0] if len(organisations) == 1 else "eTwinning",
        month=f"{month:%Y-%m}",
        head=head,
    )
    if not outbox.queue(turn, message, Envelope(to, (person,))):
        return False
    _note_the_head(turn, person, message.reason_for(person))
    return True


def _note_the_head(turn: Turn, person: str, mail: str) -> None:
    """Keeps that a mail told somebody the head this month, where none is noted yet."""
    subject, kind = HEAD
    turn.session.execute(
        _NOTE_ONCE,
        {"subject": subject, "kind": kind, "due_on": _month_of(turn.now), "person": person, "mail": mail, "at": turn.now},
    )  # fmt: skip


_NOTE_ONCE = sa.text(
    "INSERT INTO notice (subject, kind, due_on, person, mail, at)"
    " VALUES (:subject, :kind, :due_on, :person, :mail, :at) ON CONFLICT DO NOTHING"
).bindparams(sa.bindparam("due_on", type_=sa.Date()), sa.bindparam("at", type_=Instant()))


def _had_news(session: Session, person: str, day: str) -> bool:
    """Whether a message of that day told somebody what was new."""
    if outbox.is_queued(session, messages.News.reason_of(person, day)):
        return True
    digest = session.get(Mail, messages.Digest.reason_of(person, day))
    return digest is not None and bool(digest.context.get("message", {}).get("news"))


def _message(items: Sequence[Due], news: Sequence[Sentence], journal: str, now: datetime) -> messages.Digest:
    own = [one for one in items if not one.overdue]
    late = [one for one in items if one.overdue]
    organisations = {one.organisation for one in items}
    told: dict[str, Any] = {
        "organisation_name": organisations.pop() if len(organisations) == 1 else "eTwinning",
        "overdue": _lines(late),
        "more_overdue": max(len(late) - MAILED, 0),
        "journal": journal,
        "news": tuple(news[:MAILED]),
        "more_news": max(len(news) - MAILED, 0),
    }
    if own:
        return messages.Reminder(
            **told,
            number=len(own),
            step=own[0].subject,
            first=own[0].due_at,
            items=_lines(own),
            more=max(len(own) - MAILED, 0),
            passed=own[0].due_at < now,
        )
    if late:
        return messages.Overdue(**told, number=len(late), again=any(one.again for one in late))
    return messages.News(**told, number=len(news))


def _lines(items: Sequence[Due]) -> tuple[Sentence, ...]:
    return tuple(one.line for one in items[:MAILED])
