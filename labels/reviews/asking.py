"""Who is asked to judge an application."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.applications.applicant import applicant
from labels.clock import brussels_day
from labels.mail import messages, outbox
from labels.mail.message import AboutStep
from labels.mail.outbox import Envelope
from labels.people.doubles import told_apart
from labels.people.named import Recipient
from labels.people.staff import coordinator, itself, those_who_coordinate
from labels.record.digests import TAKEN_BACK, digest_of_words, happened
from labels.record.journal import RULES, SYSTEM, Event, note, note_all
from labels.record.rows import read
from labels.record.schema import (
    AdditionalReview,
    Application,
    Person,
    Review,
    Stage,
    Step,
    StepKind,
    StepState,
)
from labels.reviews import conflicts
from labels.reviews.choosing import (
    Candidate,
    Judged,
    conflicts_of_interest,
    in_order,
    may_be_one,
    names_alike,
    without_conflict,
)
from labels.reviews.instances import counted_from
from labels.reviews.lateness import given_up, goes_without
from labels.reviews.reasons import Reason, keep_why
from labels.reviews.ruling import ruled
from labels.reviews.scoring import Assessment, another_needed
from labels.reviews.seeking import sought
from labels.reviews.suiting import Drawback, costs_beside, costs_of
from labels.rules.calendars import add_working_days
from labels.rules.kept import rules_of
from labels.rules.model import Chooser, ReviewRules, RuleEdition
from labels.steps.kinds import STEPS
from labels.steps.mailing import about, about_step, for_step, mail_step, tell
from labels.steps.step import awaited_of, close_step, every_step, locked, open_step
from labels.turn import Turn
from labels.words.sentences import say

# Asking -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Vacancies:
    """The seats of an application that the rules call for and nobody has, with what is needed to fill them."""

    application: Application
    edition: RuleEdition
    judged: Judged
    steps: list[Step]
    """Every step of it, of all instances."""
    seated: list[Step]
    """The reviews that were asked for or given, and count."""
    seats: list[int]
    """Those that the rules fill, and then those that a coordinator fills."""
    reason: str
    """Why the rules call for them."""
    by_hand: frozenset[int] = frozenset()
    """Seats that a coordinator fills: by the rules, or since as many as these ask did not answer."""
    called: int = 0
    """How many reviewers were called by a coordinator's choice."""

    @property
    def decides(self) -> bool:
        """Whether a person has still to decide: nobody is to be asked, and no decision was made on these reviews, or
        what it was is erased.
        """
        reviews = [step for step in self.seated if step.state is StepState.ANSWERED]
        given = [step.closed_at for step in reviews if step.closed_at is not None]
        if not self.edition.national.review.by_a_person or len(reviews) < len(self.seated):
            return False
        by_person = ruled(self.steps, self.application.instance, given)
        return by_person is None or by_person.erased

    @property
    def reviews(self) -> list[Step]:
        """Everybody who was ever asked to review it."""
        return [step for step in self.steps if step.kind is StepKind.REVIEW]

    @property
    def waits(self) -> bool:
        """Whether the rules assign all applications that came in together, and this one is not assigned yet.

        Whatever comes after that (somebody declines, leaves, is called besides; an appeal) is assigned at once.
        """
        rules = self.edition.national.review.assignment
        together = rules is not None and rules.together.value
        return together and self.application.instance == 1 and not self.reviews


def vacancies(session: Session, application: Application, judged: Judged | None = None) -> Vacancies:
    """The seats of an application, open for review, that nobody has; `judged` where it was read already."""
    edition = rules_of(session, application)
    rules = edition.national.review
    steps = every_step(session, application)
    since = counted_from(session, application.id, application.instance)
    seated = seated_since(since, application, steps)
    besides = called_besides(session, application, since, rules)
    called, reason = rules.reviewers.value, "the rules ask for it"
    if len(seated) >= called and all(step.state is StepState.ANSWERED for step in seated):
        more = another_needed(assessments(session, application), edition)
        if more is not None:
            called, reason = len(seated) + 1, more
    free = ({*range(1, called + 1)} | besides) - {step.seat for step in seated}
    by_hand = given_up(free, (step for step in steps if step.instance >= since), rules)
    if goes_without(rules, len(seated) + len(free - by_hand), len(besides)):
        free, by_hand = free - by_hand, set()
    if rules.additional is not None and rules.additional.chosen_by.value is Chooser.COORDINATOR:
        by_hand |= besides & free
    seats = [*sorted(free - by_hand), *sorted(by_hand)]
    judged = judged or conflicts.judged(session, application)
    return Vacancies(
        application, edition, judged, steps, seated, seats, reason, frozenset(by_hand), len(besides)
    )


def called_besides(session: Session, application: Application, since: int, rules: ReviewRules) -> set[int]:
    """The seats of those whom a coordinator called beyond the rules, of the instances that count."""
    if rules.additional is None:
        return set()
    counted = {"application": application.id, "since": since, "instance": application.instance}
    return set(session.scalars(_BESIDES, counted))


_BESIDES = sa.select(AdditionalReview.seat).where(
    AdditionalReview.application == sa.bindparam("application"),
    AdditionalReview.instance.between(sa.bindparam("since"), sa.bindparam("instance")),
)


def ask(turn: Turn, application_id: str) -> list[Step]:
    """Asks whom the rules call next, and returns the steps that the application now waits for.

    An empty list means that nobody is awaited: the reviews are in, or there is an outcome. It may
    be called at any time and as often as one likes: whoever was asked is not asked again.
    """
    application = locked(turn.session, application_id)
    if application.outcome is not None:
        return []
    found = vacancies(turn.session, application)
    if _took_back(turn, application, found.seated, found.judged):
        found = vacancies(turn.session, application)
    _take_back_questions(turn, found)
    steps = list(found.steps)
    if found.seats and found.waits:
        steps += _wait_for_a_plan(turn, found)
    elif found.seats:
        steps += _fill(turn, found)
    else:
        _take_back_assignments(turn, application, steps, ())
    steps += _ask_to_decide(turn, found, steps)
    return settled(turn, application, steps)


def settled(turn: Turn, application: Application, steps: Sequence[Step]) -> list[Step]:
    """The steps that an application now waits for; its stage follows from them."""
    awaited = awaited_of(application, steps)
    _settle_stage(application, awaited, turn.now)
    return awaited


def seated_reviews(session: Session, application: Application, steps: Sequence[Step]) -> list[Step]:
    """The reviews that were asked for or given, and not taken back, of those that count in the present instance."""
    return seated_since(counted_from(session, application.id, application.instance), application, steps)


def seated_since(since: int, application: Application, steps: Iterable[Step]) -> list[Step]:
    """The same where it is known from which instance on reviews count."""
    return [
        step
        for step in steps
        if step.kind is StepKind.REVIEW
        and since <= step.instance <= application.instance
        and step.state in (StepState.OPEN, StepState.ASKED, StepState.ANSWERED)
    ]


def assessments(session: Session, application: Application) -> list[Assessment]:
    """The reviews that count in the present instance."""
    since = counted_from(session, application.id, application.instance)
    counted = {"application": application.id, "since": since, "instance": application.instance}
    return [assessment(row) for row in read(session, _REVIEWS, counted).mappings()]


def assessment(review: Mapping[Any, Any]) -> Assessment:
    """A review as it is judged by, of `REVIEWED`."""
    return Assessment(
        reviewer=review["reviewer"],
        scores=review["scores"],
        comment=review["comment"],
        seat=review["seat"],
        digest=digest_of_words(review),
    )


REVIEWED = (
    Review.reviewer,
    Review.scores,
    Review.comment,
    Review.note,
    Review.salts,
    Review.erased,
    Step.seat,
)
"""What is read of a review, and of its step."""
_REVIEWS = (
    sa.select(*REVIEWED)
    .join(Step, Step.id == Review.step)
    .where(
        Review.application == sa.bindparam("application"),
        Review.instance.between(sa.bindparam("since"), sa.bindparam("instance")),
        Review.void_at.is_(None),
    )
    .order_by(Review.given_at, Review.step)
)


def _settle_stage(application: Application, awaited: Sequence[Step], now: datetime) -> None:
    kinds = {step.kind for step in awaited}
    stage = next((row.stage for kind, row in STEPS.items() if row.stage and kind in kinds), None)
    if stage is None:
        return
    if application.stage is not stage:
        application.stage, application.stage_since = stage, now


def _ask_to_decide(turn: Turn, found: Vacancies, steps: Sequence[Step]) -> list[Step]:
    """Asks a coordinator to decide where the rules leave it to a person and nobody else is awaited; takes that back where
    somebody is awaited again."""
    application, awaited = found.application, awaited_of(found.application, steps)
    asked = [step for step in awaited if step.kind is StepKind.DECISION]
    if len(awaited) > len(asked):
        for step in asked:
            take_back(turn, application, step, "a reviewer is awaited first", SYSTEM)
        return []
    if asked or not found.decides:
        return []
    days = found.edition.national.review.due_days.value
    step = open_step(
        turn,
        application,
        StepKind.DECISION,
        _coordinator_for(turn.session, application).id,
        due=add_working_days(turn.now, days, application.country),
        organisation=application.organisation,
    )
    common = about_step(turn.session, application, step)
    reviews = sum(one.state is StepState.ANSWERED for one in found.seated)
    mail_step(turn, step, messages.DecisionAsked(about=common, reviews=reviews))
    note(turn, application, SYSTEM, Event.ASKED_TO_DECIDE, step=step.id)
    return [step]


def _wait_for_a_plan(turn: Turn, found: Vacancies) -> list[Step]:
    """Has a coordinator assign reviewers together with other applications; they are written to of the first that waits in a year."""
    application = found.application
    if any(step.kind is StepKind.ASSIGNMENT for step in awaited_of(application, found.steps)):
        return []
    others = turn.session.scalar(
        _WAITING, {"organisation": application.organisation, "year": application.school_year}
    )
    whom = _coordinator_for(turn.session, application)
    seat = found.seats[0]
    step = open_step(
        turn, application, StepKind.ASSIGNMENT, whom.id, seat=seat, organisation=application.organisation
    )
    if not others:
        common = about_step(turn.session, application, step)
        mail_step(turn, step, messages.PlanAwaited(about=common, organisation=application.organisation))
    note(turn, application, SYSTEM, Event.WAITS_FOR_A_PLAN, step=step.id)
    return [step]


_WAITING = sa.select(
    sa.exists().where(
        Application.organisation == sa.bindparam("organisation"),
        Application.school_year == sa.bindparam("year"),
        Application.stage == Stage.ASSIGNMENT,
        Application.outcome.is_(None),
        ~sa.exists().where(Step.application == Application.id, Step.kind == StepKind.REVIEW),
    )
)
"""Whether another application of the school year waits for a plan; one that is being asked about is not in that stage
yet. Of another year some may wait for ever that nobody can review."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who is to have a seat, and why: what the record keeps of it."""

    candidate: Candidate
    load: int
    costs: Mapping[Drawback, int]
    following: Candidate | None
    following_load: int | None
    extra: int | None
    plan: str | None = None

    @property
    def recipient(self) -> Recipient:
        """How they are written to."""
        one = self.candidate
        return Recipient(one.name, one.email, one.language, one.person)

    @property
    def why(self) -> Reason:
        """What is kept of it with the review."""
        return Reason(
            self.load,
            {what.value: cost for what, cost in self.costs.items()},
            self.following.person if self.following else None,
            self.following_load,
            self.extra,
        )


def _fill(turn: Turn, found: Vacancies) -> list[Step]:
    """Asks a reviewer for each of the seats, and the coordinator for the first that nobody can take."""
    application, session = found.application, turn.session
    candidates = conflicts.candidates(session, application, brussels_day(turn.now))
    wanted = sought(session, application, found.edition)
    asked = _asked_before(found.reviews)
    beside = [one for one in candidates if one.person in {step.person for step in found.seated}]
    there = [one for one in candidates if not one.away]
    alone = {one.person: costs_of(one, wanted) for one in there}
    chosen = []
    for _ in found.seats[: len(found.seats) - len(found.by_hand)]:
        excluded = with_doubles(session, asked, candidates)
        one = _choose(there, found, excluded, alone, beside)
        if one is None:
            break
        asked.add(one.candidate.email)
        beside.append(one.candidate)
        chosen.append(one)
    return seat(turn, found, chosen, candidates, asked)


def _choose(
    candidates: Sequence[Candidate],
    found: Vacancies,
    excluded: Collection[str],
    alone: Mapping[str, Mapping[Drawback, int]],
    beside: Sequence[Candidate],
) -> Chosen | None:
    """Who is to have one more seat; `alone` is what speaks against each person whoever sits beside them."""
    together = costs_beside(beside, found.edition.national.review.assignment)

    def costs(candidate: Candidate) -> dict[Drawback, int]:
        return {**alone[candidate.person], **together(candidate)}

    in_turn = in_order(
        without_conflict(found.judged, excluded),
        candidates,
        found.judged,
        found.application.id,
        lambda candidate: sum(costs(candidate).values()),
    )
    return first_of(in_turn, costs, lambda candidate: candidate.load)


def first_of(
    in_turn: Iterator[Candidate],
    costs: Callable[[Candidate], Mapping[Drawback, int]],
    load: Callable[[Candidate], int],
) -> Chosen | None:
    """The first of those who may be asked, with why: what speaks against them, their load of the year, who is next."""
    candidate, following = next(in_turn, None), next(in_turn, None)
    if candidate is None:
        return None
    own = costs(candidate)
    return Chosen(
        candidate=candidate,
        load=load(candidate) + 1,
        costs=own,
        following=following,
        following_load=load(following) + 1 if following else None,
        extra=sum(costs(following).values()) - sum(own.values()) if following else None,
    )


def seat(
    turn: Turn,
    found: Vacancies,
    chosen: Sequence[Chosen],
    candidates: Sequence[Candidate],
    asked: Collection[str],
) -> list[Step]:
    """Asks those who were chosen to review, for the first seats, and the coordinator for the next that nobody can take."""
    application, seats = found.application, found.seats
    due = add_working_days(turn.now, found.edition.national.review.due_days.value, application.country)
    opened: list[tuple[Chosen, Step]] = []
    filled = zip(seats[: len(chosen)], chosen, strict=True)
    for place, (number, one) in enumerate(filled, len(found.reviews) + 1):
        who = one.candidate
        step = new_review(turn, application, who.person, number, due, place, who.email)
        opened.append((one, step))
    _note_assigned(turn, found, opened)
    keep_why(turn, *((step, one.why, one.plan) for one, step in opened))
    about_all = about(turn.session, application)
    outbox.queue_many(
        turn,
        [
            for_step(
                step,
                messages.ReviewAsked(about=AboutStep.of(about_all, step.id, step.due_at)),
                to=one.recipient,
            )
            for one, step in opened
            if not take_question_over(turn, step, found.steps)
        ],
    )
    for one, step in opened:
        warn_of_names(turn, application, step, one.candidate, found.judged)
    _take_back_assignments(turn, application, found.steps, seats[len(chosen) :])
    steps = [step for _, step in opened if step.state is StepState.OPEN]
    if len(chosen) < len(seats) and not any(
        step.kind is StepKind.ASSIGNMENT for step in awaited_of(application, found.steps)
    ):
        empty = seats[len(chosen)]
        steps.append(_ask_coordinator(turn, found, candidates, asked, empty))
    return steps


def _note_assigned(turn: Turn, found: Vacancies, opened: Sequence[tuple[Chosen, Step]]) -> None:
    note_all(
        turn,
        found.application,
        RULES,
        Event.ASSIGNED_A_REVIEWER,
        [
            {
                "reviewer": one.candidate.email,
                "seat": step.seat,
                "because": found.reason if one.plan is None else f"{found.reason}; plan {one.plan}",
                "load": one.candidate.load,
            }
            for one, step in opened
        ],
    )


def warn_of_names(
    turn: Turn, application: Application, step: Step, candidate: Candidate, judged: Judged
) -> None:
    """Tells the coordinators where whoever is asked may be the applicant or a member by name: a warning, no verdict."""
    if not (names := names_alike(candidate, judged)):
        return
    message = messages.NamesAlike(
        about=about_step(turn.session, application, step),
        reviewer=candidate.name,
        reviewer_email=candidate.email,
        names=names,
    )
    to = Recipient.of(itself(turn.session, application.organisation))
    outbox.queue(turn, message, Envelope(to, (step.id,), application.id))
    note(turn, application, SYSTEM, Event.NAMES_ALIKE, step=step.id, reviewer=candidate.email)


def _take_back_questions(turn: Turn, found: Vacancies) -> None:
    """Lets the applicant off the questions of a seat that nobody has and the rules call for no longer: nobody would hear
    the answer, and the decision would wait for it."""
    application = found.application
    kept = {step.seat for step in found.seated} | set(found.seats)
    for step in awaited_of(application, found.steps):
        if step.kind is not StepKind.INFORMATION or step.seat in kept:
            continue
        close_step(step, StepState.VOID, turn.now, "whoever asked judges no longer, and nobody follows them")
        note(turn, application, SYSTEM, Event.TOOK_BACK_A_QUESTION, step=step.id)
        message = messages.InformationNotNeeded(
            about=about(turn.session, application), question=step.question or ""
        )
        tell(turn, application, step.person, message, step.id)


def _take_back_assignments(
    turn: Turn, application: Application, steps: Sequence[Step], free: Collection[int]
) -> None:
    """No coordinator is asked any more to fill a seat that is free no longer."""
    for step in awaited_of(application, steps):
        if step.kind is StepKind.ASSIGNMENT and step.seat not in free:
            void_review(turn, application, step, "the seat is filled or no longer needed", SYSTEM)


def with_doubles(session: Session, asked: Collection[str], candidates: Sequence[Candidate]) -> set[str]:
    """Those who were asked, and who may be one of them under another address: two seats are two people's.

    Not who was said to be somebody else.
    """
    known = [one for one in candidates if one.email in asked]
    doubles = {
        other.email
        for other in candidates
        for one in known
        if other is not one and may_be_one(one, other) and not told_apart(session, one.person, other.person)
    }
    return {*asked, *doubles}


def _asked_before(reviews: Sequence[Step]) -> set[str]:
    """Nobody is asked twice, and an appeal is heard by other people than those before."""
    return {step.assignee for step in reviews}


def new_review(
    turn: Turn,
    application: Application,
    person: str,
    seat: int,
    due: datetime | None,
    number: int | None = None,
    address: str | None = None,
) -> Step:
    return open_step(
        turn,
        application,
        StepKind.REVIEW,
        person,
        due=due,
        seat=seat,
        organisation=application.organisation,
        number=number,
        address=address,
    )


def take_question_over(turn: Turn, review: Step, steps: Sequence[Step]) -> bool:
    """Has a new reviewer wait for the answer to what the former one of the seat asked; whether there is such a question.

    The applicant notices nothing: the question stays open. The new reviewer is written to once it is answered.
    """
    for asked in steps:
        if (
            asked.kind is StepKind.INFORMATION
            and asked.state is StepState.OPEN
            and (asked.instance, asked.seat) == (review.instance, review.seat)
        ):
            asked.asked_by = review.id
            review.state, review.stopped_at = StepState.ASKED, turn.now
            return True
    return False


def _coordinator_for(session: Session, application: Application) -> Person:
    """Who is asked about an application: a coordinator who is not near to it, where there is one."""
    applies = applicant(session, application)
    able = (
        one
        for one in those_who_coordinate(session, application.organisation)
        if not (applies and one.address == applies.address)
        and not conflicts.own_conflicts(session, application, one.id)
    )
    return next(able, None) or coordinator(session, application.organisation, other_than=applies)


def _ask_coordinator(
    turn: Turn, found: Vacancies, candidates: Sequence[Candidate], asked: Collection[str], seat: int
) -> Step:
    application = found.application
    whom = _coordinator_for(turn.session, application)
    reasons = tuple(
        say("{name}: {why}", name=candidate.name, why=tuple(near) or say("was asked before"))
        for candidate in candidates
        if (near := conflicts_of_interest(candidate, found.judged)) or candidate.email in asked
    )
    step = open_step(
        turn, application, StepKind.ASSIGNMENT, whom.id, seat=seat, organisation=application.organisation
    )
    common = about_step(turn.session, application, step)
    message = messages.AssignmentAsked(about=common, reasons=reasons, chosen=seat in found.by_hand)
    mail_step(turn, step, message)
    note(turn, application, SYSTEM, Event.ASKED_FOR_A_REVIEWER, step=step.id)
    return step


def _took_back(turn: Turn, application: Application, steps: Sequence[Step], judged: Judged) -> bool:
    """Takes back what people gave who turn out to have a conflict of interest, and what people are asked for
    who left the staff meanwhile; what these gave before counts."""
    people = conflicts.anybody(turn.session, {step.person for step in steps})
    because = {}
    for step in steps:
        person = people.get(step.person)
        if person and (why := conflicts_of_interest(person, judged)):
            because[step.id] = f"conflict of interest: {'; '.join(why)}"
        elif step.state is not StepState.ANSWERED and not (
            person and application.organisation in person.organisations
        ):
            because[step.id] = f"no longer on the staff of {application.organisation}"
    for step in steps:
        if step.id in because:
            void_review(turn, application, step, because[step.id], SYSTEM)
    return bool(because)


def void_review(turn: Turn, application: Application, step: Step, because: str, who: str) -> None:
    """Takes a review back, or the request for one, and tells whom it was asked of."""
    if step.state in (StepState.OPEN, StepState.ASKED):
        common = about_step(turn.session, application, step)
        mail_step(turn, step, messages.ReviewVoid(about=common, reason=because))
    take_back(turn, application, step, because, who)


def take_back(turn: Turn, application: Application, step: Step, because: str, who: str) -> None:
    """Takes a review back, or what was asked of somebody, and tells nobody."""
    review = turn.session.get(Review, step.id)
    told: dict[str, Any] = {"because": because}
    if review is not None and review.void_at is None:
        review.void_at, review.void_because = turn.now, because
        told["digests"] = happened(TAKEN_BACK, {"step": step.id, "void_at": turn.now})
    close_step(step, StepState.VOID, turn.now, because)
    told["reviewer" if step.kind is StepKind.REVIEW else "coordinator"] = step.assignee
    note(
        turn,
        application,
        who,
        Event.TOOK_BACK_A_REVIEW if review else Event.TOOK_BACK_A_REQUEST,
        step=step.id,
        **told,
    )
