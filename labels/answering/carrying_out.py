"""Carries out what a coordinator planned for many applications: all of it or nothing, and one message a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import Session

from labels.answering.deadlines import put_off
from labels.answering.many import GOOD_FOR, Plan, PlanChanged, Planned, What, kept
from labels.applications.applicant import applicant
from labels.applications.titles import titles_of
from labels.errors import NotAllowed
from labels.kinds import KINDS, Applicant
from labels.mail import messages
from labels.mail.outbox import Envelope, queue_many
from labels.people.named import recipient
from labels.people.persons import batches, person
from labels.people.staff import coordinates
from labels.record.journal import SYSTEM, Event, by_plan, note
from labels.record.schema import Application, Organisation, Step, StepKind, StepState
from labels.reviews import conflicts
from labels.reviews.choosing import Candidate, conflicts_of_interest, names_alike
from labels.reviews.coordinating import hand_over
from labels.reviews.judged_together import judged_by_application
from labels.reviews.reasons import keep_why
from labels.reviews.seats import AT_ONCE, UNDER_WAY, Seat, decided, not_on_staff, own_conflict, seats_of
from labels.school_label.people import everyone
from labels.steps.kinds import STEPS
from labels.steps.step import locked_by_step
from labels.turn import Turn
from labels.words.sentences import Sentence, Value, say


@dataclass(frozen=True, slots=True)
class Done:
    """What was carried out."""

    number: int
    """Of rows."""
    applications: tuple[str, ...]
    """Whose runs are to look at the record."""
    already: bool = False
    """It had been carried out before, and nothing was done now."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a plan with its step as it is now, locked."""

    planned: Planned
    application: Application
    step: Step


@dataclass(slots=True)
class _Told:
    """What one person is to be told."""

    asked: list[Sentence] = field(default_factory=list)
    ended: list[Sentence] = field(default_factory=list)
    moved: list[Sentence] = field(default_factory=list)
    awaited: list[Sentence] = field(default_factory=list)
    step: str = ""
    organisation: str = ""
    applications: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Work:
    """What is being done: the rows as they are now, and what their people are to be told of it."""

    turn: Turn
    reason: str
    plan: str
    """Its id; nothing where one step alone is meant, without a plan."""
    rows: Sequence[_Row]
    titles: Mapping[str, str]
    """Of their applications."""
    told: dict[str, _Told] = field(default_factory=lambda: defaultdict(_Told))

    def about(self, whom: str, row: _Row, step: str) -> _Told:
        """What a person is to be told, of a row among others."""
        one = self.told[whom]
        one.step = one.step or step
        one.organisation = one.organisation or row.application.organisation
        one.applications.add(row.application.id)
        return one

    def line(self, row: _Row, step: Step, *, due: bool = True) -> Sentence:
        """A step of a row in one line."""
        values: dict[str, Value] = {
            "application": row.application.id,
            "what": STEPS[step.kind].worded or step.kind.value,
            "title": self.titles[row.application.id],
        }
        if due and step.due_at is not None:
            return say("{application} · {what} · {title} · by {due}", due=step.due_at, **values)
        return say("{application} · {what} · {title}", **values)


def carry_out(turn: Turn, identifier: str) -> Done:
    """Does all that a plan says, in the turn's transaction; done before, it does nothing.

    Raises:
        NotFound: the plan is not there, or somebody else's.
        NotAllowed: it is too old, or says of nothing that it can be done.
        PlanChanged: something is not as it was when it was made.
    """
    row, plan = kept(turn.session, identifier, turn.person, locked=True)
    if row.done_at is not None:
        return Done(len(plan.done), (), already=True)
    if turn.now - row.made_at > GOOD_FOR:
        raise NotAllowed(say("The plan is more than a day old: please make it anew."))
    if not plan.done:
        raise NotAllowed(say("There is nothing in this plan that could be done."))
    if plan.wish.what is What.DECISION:
        applications = _decide_at_another_time(turn, identifier, plan)
        row.done_at = turn.now
        return Done(len(plan.done), applications)
    rows = _as_planned(turn, plan)
    titles = titles_of(turn.session, [one.application.id for one in rows])
    work = _Work(turn, plan.wish.reason, identifier, rows, titles)
    match plan.wish.what:
        case What.ASSIGN | What.REASSIGN:
            _hand_over(work)
        case What.DEADLINE:
            _put_off(work)
        case What.REMIND:
            _remind(work)
        case What.DECISION:
            raise AssertionError("it is about applications, and no step of theirs")
    _tell(work, identifier)
    row.done_at = turn.now
    wakes = plan.wish.what is not What.REMIND
    return Done(len(rows), tuple(dict.fromkeys(one.application.id for one in rows)) if wakes else ())


# As it was planned --------------------------------------------------------------------------------


def _as_planned(turn: Turn, plan: Plan) -> list[_Row]:
    session, rows = turn.session, plan.done
    found: dict[str, tuple[Application, Step]] = {}
    in_order = sorted(rows, key=lambda one: (one.application, one.step))  # as everybody locks applications
    for some in batches([one.step for one in in_order], AT_ONCE):
        query = (
            sa.select(Application, Step)
            .join(Step, Step.application == Application.id)
            .where(Step.id.in_(some))
            .order_by(Application.id, Step.id)
            .with_for_update(of=(Application, Step))
            .options(orm.defer(Application.content))
            .execution_options(populate_existing=True)
        )
        found |= {step.id: (application, step) for application, step in session.execute(query)}
    not_theirs = _not_theirs(turn, {one.id: one for one, _ in found.values()})
    present, changed = [], []
    for row in rows:
        application, step = found[row.step]
        why = not_theirs.get(application.id) or _otherwise(session, row, application, step)
        if why is not None:
            changed.append((row.application, why))
        present.append(_Row(row, application, step))
    if changed:
        raise PlanChanged(changed)
    return present


def _not_theirs(turn: Turn, applications: Mapping[str, Application]) -> dict[str, Sentence]:
    """Why whoever carries the plan out may do nothing about some of these applications, by their ids."""
    session, found = turn.session, {}
    theirs = {
        one: coordinates(session, turn.person, one)
        for one in {application.organisation for application in applications.values()}
    }
    judged = judged_by_application(session, list(applications.values()))
    own = conflicts.anybody(session, {turn.person})[turn.person]
    for identifier, application in applications.items():
        if not theirs[application.organisation]:
            found[identifier] = say("You do not coordinate it any more.")
        elif identifier in judged and (near := conflicts_of_interest(own, judged[identifier])):
            found[identifier] = own_conflict(near)
    return found


def _otherwise(session: Session, row: Planned, application: Application, step: Step) -> Sentence | None:
    """What is otherwise than when a row was planned; None where nothing is that matters."""
    if application.outcome is not None:
        return decided(application)
    if step.state not in UNDER_WAY or step.instance != application.instance:
        return say("{step} is {state} now.", step=step.id, state=step.state.value)
    if step.person != row.whose:
        return say(
            "{step} is with {now} now, and was with {former}.",
            step=step.id,
            now=person(session, step.person).name,
            former=person(session, row.whose).name,
        )
    if step.due_at is not None and step.due_at != row.due:
        return say("{step} is due {when} now.", step=step.id, when=step.due_at)
    return None


# Each kind of act ---------------------------------------------------------------------------------


def _hand_over(work: _Work) -> None:
    seats = seats_of(work.turn.session, [one.step.id for one in work.rows], locked=True)
    people = conflicts.near(work.turn.session, {one.planned.to for one in work.rows})
    changed = [
        (one.application.id, why)
        for one in work.rows
        if (why := _unfit(seats[one.step.id], people.get(one.planned.to), work.turn.session, one.planned.to))
    ]
    if changed:
        raise PlanChanged(changed)
    begun: set[str] = set()
    for one in work.rows:
        seat, to = seats[one.step.id], people[one.planned.to]
        if one.application.id in begun:
            seat = seats_of(work.turn.session, [one.step.id], locked=True)[one.step.id]
            if why := seat.unfit(to):
                raise PlanChanged([(one.application.id, why)])
        begun.add(one.application.id)
        former = one.step
        new = hand_over(work.turn, seat, to, work.reason, plan=work.plan)
        if one.planned.why is not None:
            keep_why(work.turn, (new, one.planned.why, work.plan))
        if names_alike(to, seat.judged):
            note(work.turn, one.application, SYSTEM, Event.NAMES_ALIKE, step=new.id, reviewer=to.email)
        if former.kind is StepKind.REVIEW:
            work.about(former.person, one, former.id).ended.append(work.line(one, former, due=False))
        if new.state is StepState.OPEN:  # who waits for the applicant's answer is written to once it is in
            work.about(new.person, one, new.id).asked.append(work.line(one, new))


def _unfit(seat: Seat, who: Candidate | None, session: Session, named: str) -> Sentence | None:
    if who is None:
        return not_on_staff(person(session, named).name, seat.application.organisation)
    return seat.open or seat.unfit(who)


def _put_off(work: _Work) -> None:
    for one in work.rows:
        assert one.planned.until is not None
        put_off(work.turn, one.application, one.step, one.planned.until, work.reason, plan=work.plan)
        work.about(one.step.person, one, one.step.id).moved.append(work.line(one, one.step))


def _decide_at_another_time(turn: Turn, identifier: str, plan: Plan) -> tuple[str, ...]:
    """Moves the dates by which decisions are due, and tells those who apply, each once; the applications."""
    session, rows = turn.session, {one.application: one for one in plan.done}
    found: dict[str, Application] = {}
    for some in batches(sorted(rows), AT_ONCE):
        query = sa.select(Application).where(Application.id.in_(some)).order_by(Application.id)
        query = query.with_for_update().options(orm.defer(Application.content))
        found |= {
            one.id: one for one in session.scalars(query, execution_options={"populate_existing": True})
        }
    changed = _not_theirs(turn, found)
    for one, application in found.items():
        if application.outcome is not None:
            changed[one] = decided(application)
        elif application.decide_by is not None and application.decide_by != rows[one].due:
            changed[one] = say("Its decision is due {when} now.", when=application.decide_by)
    if changed:
        raise PlanChanged(sorted(changed.items()))
    titles = titles_of(session, found)
    told: dict[str, list[tuple[Application, Sentence]]] = defaultdict(list)
    for one, application in found.items():
        former, application.decide_by = application.decide_by, rows[one].until
        note(
            turn,
            application,
            turn.by,
            Event.MOVED_A_DECISION_DATE,
            former=former.isoformat() if former else None,
            until=application.decide_by.isoformat() if application.decide_by else None,
            because=plan.wish.reason,
            **by_plan(identifier),
        )
        line = say(
            "{application} · {what} · {title} · by {due}",
            application=one,
            what=STEPS[StepKind.DECISION].worded or "",
            title=titles[one],
            due=application.decide_by or "",
        )
        for whom in _who_apply(session, application):
            told[whom].append((application, line))
    names = {
        one: session.get_one(Organisation, one).name
        for one in {application.organisation for application in found.values()}
    }
    queue_many(
        turn,
        (
            (
                messages.DecisionsMoved(
                    plan=identifier,
                    person=whom,
                    organisation_name=names[lines[0][0].organisation],
                    application=lines[0][0].id,
                    reason=plan.wish.reason,
                    moved=tuple(line for _, line in lines),
                ),
                Envelope(recipient(session, whom), (whom,)),
            )
            for whom, lines in sorted(told.items())
        ),
    )
    return tuple(found)


def _who_apply(session: Session, application: Application) -> list[str]:
    """Whoever waits for the decision: the teacher, or the teachers and the principal of a school."""
    if KINDS[application.label].applicant is Applicant.SCHOOL:
        return [one.person for one in everyone(session, application) if one.person]
    whom = applicant(session, application)
    return [whom.id] if whom else []


def _remind(work: _Work) -> None:
    for one in work.rows:
        note(
            work.turn,
            one.application,
            work.turn.by,
            Event.REMINDED,
            step=one.step.id,
            news=False,
            to=one.step.assignee,
            because=work.reason,
            **by_plan(work.plan),
        )
        work.about(one.step.person, one, one.step.id).awaited.append(work.line(one, one.step))


def remind_one(turn: Turn, step_id: str, reason: str) -> str:
    """Reminds whoever has an open step of it, with a reason that they are told; who that is.

    Raises:
        NotFound: there is no such step.
        NotAllowed: nothing is awaited there.
    """
    application, step = locked_by_step(turn.session, step_id)
    if step.state is not StepState.OPEN or STEPS[step.kind].worded is None:
        raise NotAllowed(say("{step} awaits no answer.", step=step.id))
    row = _Row(Planned(application.id, step.id, step.kind, step.person), application, step)
    work = _Work(turn, reason, "", [row], titles_of(turn.session, [application.id]))
    _remind(work)
    _tell(work, f"{step.id}/{turn.now.isoformat()}")
    return step.assignee


# Telling ------------------------------------------------------------------------------------------


def _tell(work: _Work, once: str) -> None:
    """Writes to each person, once for what `once` names."""
    most, session = messages.ChangedTogether.MOST, work.turn.session
    names = {
        one: session.get_one(Organisation, one).name
        for one in {each.organisation for each in work.told.values()}
    }
    queue_many(
        work.turn,
        (
            (
                messages.ChangedTogether(
                    plan=once,
                    person=whom,
                    step=each.step,
                    organisation_name=names[each.organisation],
                    reason=work.reason,
                    number=len(each.applications),
                    asked=tuple(each.asked[:most]),
                    ended=tuple(each.ended[:most]),
                    moved=tuple(each.moved[:most]),
                    awaited=tuple(each.awaited[:most]),
                    more=sum(
                        max(len(some) - most, 0)
                        for some in (each.asked, each.ended, each.moved, each.awaited)
                    ),
                ),
                Envelope(recipient(session, whom), (whom,)),
            )
            for whom, each in sorted(work.told.items())
        ),
    )
