"""The nomination of one organisation: its proposal is screened, and what it approves is put forward."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from labels.clock import in_words
from labels.errors import Fault, InvalidInput
from labels.european_label.freezing import cycle_of
from labels.european_label.merging import is_national
from labels.european_label.ranking import Barred, Candidate, Place, moving_up
from labels.kinds import LabelKind
from labels.mail import messages
from labels.people.staff import coordinators
from labels.record.journal import RULES, Event, note
from labels.record.schema import (
    Application,
    Award,
    CycleLabel,
    CycleOrganisation,
    CyclePlace,
    Journal,
    Outcome,
    Person,
    Project,
    Screened,
    Stage,
    Step,
    StepKind,
    StepState,
)
from labels.reviews.conflicts import counted_since
from labels.reviews.near_labels import Labelled, near_to
from labels.reviews.scoring import points_of
from labels.rules.kept import rules_of
from labels.rules.model import EuropeanRules, Unanswered, holds
from labels.steps.answers import Screening
from labels.steps.delivered import has_more_time
from labels.steps.mailing import about, about_step, mail_step, tell
from labels.steps.outcome import Accepted, Refusal
from labels.steps.step import close_step, locked, open_step, steps_of, void_open
from labels.turn import Turn
from labels.words.sentences import Sentence, listed, one_after_another, say
from labels.words.text import has_words

MAILED = 100
"""Entries of a list in a mail, which tells of it and is not its archive."""

Explained = Callable[[str], str]
"""Says in words why something can't be chosen."""

ALL = "all"
"""In an answer's `approve`: everything that is not struck."""


# Asking -----------------------------------------------------------------------------------------


def ask(turn: Turn, application_id: str) -> list[Step]:
    """Asks an organisation's coordinators to screen what is proposed; the steps that are awaited.

    Any of them may answer, and the first who does answers for all. An empty list means that everything
    is screened, or that the deadline has passed and the rules have said what counts.
    """
    application = locked(turn.session, application_id)
    if application.outcome is not None:
        return []
    asked = steps_of(turn.session, application, StepKind.SCREENING)
    late = [
        one
        for one in asked
        if one.state in (StepState.OPEN, StepState.EXPIRED) and one.due_at and turn.now > one.due_at
    ]
    # Any of them may answer for all: where one was asked in time, a colleague's mailbox keeps nobody waiting.
    if not all(has_more_time(turn.session, one) for one in late):
        for one in late:
            if one.state is StepState.OPEN:
                close_step(one, StepState.EXPIRED, turn.now, "the deadline has passed")
    undecided = undecided_places(turn.session, application)
    awaited = [step for step in asked if step.state is StepState.OPEN]
    if not undecided or awaited:
        return awaited
    due = application.decide_by or max((step.due_at for step in asked if step.due_at), default=None)
    if due and turn.now > due:
        _lapse(turn, application, undecided)
        return []
    return _ask_coordinators(turn, application, undecided, len(asked), due)


def _ask_coordinators(
    turn: Turn, application: Application, undecided: Sequence[CyclePlace], asked: int, due: datetime | None
) -> list[Step]:
    labels = _labelled(turn.session, application, undecided)
    people = without_conflict(
        turn.session, application, coordinators(turn.session, application.organisation), labels
    )
    steps = [
        open_step(turn, application, StepKind.SCREENING, one.id, due=due, organisation=application.organisation, number=asked + n)
        for n, one in enumerate(people, 1)
    ]  # fmt: skip
    turn.session.flush()
    proposed = tuple(
        messages.ScreeningAsked.Proposed(
            candidate=place.candidate,
            points=None if place.score is None else points_of(place.score),
            title=title,
        )
        for place, title in with_titles(turn.session, undecided[:MAILED])
    )
    again = any(place.moved_up for place in undecided)
    for step in steps:
        message = messages.ScreeningAsked(
            about=about_step(turn.session, application, step),
            year=application.content["year"],
            number=len(undecided),
            proposed=proposed,
            again=again,
        )
        mail_step(turn, step, message)
    application.stage, application.stage_since = Stage.SCREENING, turn.now
    note(
        turn,
        application,
        RULES,
        Event.ASKED_FOR_A_SCREENING,
        coordinators=[one.address for one in people],
        places=len(undecided),
    )
    return steps


def with_titles(session: Session, places: Sequence[CyclePlace]) -> list[tuple[CyclePlace, str]]:
    """Places with the titles of their projects."""
    projects = {place.project for place in places}
    titles = dict(
        session.execute(sa.select(Project.id, Project.title).where(Project.id.in_(projects))).tuples().all()
    )
    return [(place, titles.get(place.project, place.project)) for place in places]


def ranking_of(session: Session, year: int, organisation: str) -> list[CyclePlace]:
    """An organisation's ranking as it is in the record, best first."""
    return list(
        session.scalars(
            sa.select(CyclePlace)
            .where(CyclePlace.year == year, CyclePlace.organisation == organisation)
            .order_by(CyclePlace.place, CyclePlace.candidate)
        )
    )


def undecided_places(session: Session, application: Application) -> list[CyclePlace]:
    """What an organisation still has to screen; where the rules let the next move up, they do so here."""
    ranking = ranking_of(session, application.content["year"], application.organisation)
    _move_up(session, ranking, rules_of(session, application).european)
    return [place for place in ranking if (place.proposed or place.moved_up) and place.screened is None]


def _move_up(session: Session, ranking: Sequence[CyclePlace], rules: EuropeanRules) -> None:
    struck = {place.candidate for place in ranking if place.screened is Screened.STRUCK}
    if not struck or not rules.move_up.value:
        return
    national = _national(session, ranking[0].year) if holds(rules.european_only) else frozenset()
    places = [Place(row.place, _candidate(row, national), row.proposed, row.why) for row in ranking]
    up = {place.candidate.id for place in moving_up(places, struck, rules)}
    for row in ranking:
        row.moved_up = row.moved_up or row.candidate in up


def _candidate(row: CyclePlace, national: Collection[str]) -> Candidate:
    barred = Barred.NATIONAL if row.project in national else None
    return Candidate(row.candidate, row.project, row.teacher, row.score, barred=barred)


def _national(session: Session, year: int) -> frozenset[str]:
    """The projects of a year's frozen list that are national ones."""
    founded = sa.select(CycleLabel.project, CycleLabel.founded_in).where(CycleLabel.year == year).distinct()
    return frozenset(row.project for row in session.execute(founded) if is_national(row.founded_in))


def _lapse(turn: Turn, application: Application, undecided: Sequence[CyclePlace]) -> None:
    """What the rules say of a proposal that nobody screened by the deadline."""
    kept = rules_of(turn.session, application).european.at_deadline.value is Unanswered.PROPOSAL
    for place in undecided:
        place.screened = Screened.APPROVED if kept else Screened.LAPSED
        place.screened_by, place.screened_at = RULES, turn.now
        place.reason = None if kept else "It was not screened by the deadline."
    note(turn, application, RULES, Event.SCREENING_LAPSED, put_forward=kept)
    message = messages.ScreeningLapsed(
        about=about(turn.session, application),
        year=application.content["year"],
        number=len(undecided),
        kept=kept,
    )
    for one in coordinators(turn.session, application.organisation):
        tell(turn, application, one.id, message, one.id)


def move_deadline(session: Session, application: Application, until: datetime) -> None:
    """Gives the other coordinators of a nomination the same time as the one whose deadline was moved."""
    application.decide_by = until
    for step in steps_of(session, application, StepKind.SCREENING):
        if step.state is StepState.OPEN:
            step.due_at = until


def pass_deadline(turn: Turn, application: Application, step: Step) -> str:
    """Ends a screening whose time is over; the nomination's run then does what the rules say of it."""
    close_step(step, StepState.EXPIRED, turn.now, "the deadline has passed")
    note(turn, application, RULES, Event.SCREENING_NOT_ANSWERED, step=step.id)
    return "nobody screened in time"


# Answering --------------------------------------------------------------------------------------


def take(turn: Turn, application: Application, step: Step, given: Screening) -> Accepted | Refusal:
    """A coordinator's screening: all of it is right, or none of it counts and every fault is named."""
    undecided = {place.candidate: place for place in undecided_places(turn.session, application)}
    ranking = {
        place.candidate: place
        for place in ranking_of(turn.session, application.content["year"], application.organisation)
    }
    approved, faults = chosen(
        given, undecided, lambda name: _not_proposed(name, ranking, application.organisation)
    )
    faults += [
        Fault(f"approve · {name}", f"was revoked on {in_words(at)}.", "Strike it.")
        for name, at in _revoked(turn.session, approved).items()
    ]
    if faults:
        return Refusal("; ".join(map(str, faults)), InvalidInput(step.id, faults))
    labels = _labelled(turn.session, application, list(undecided.values()))
    near = near_to_labels(turn.session, application, step.person, labels)
    if refusal := somebody_elses(turn.session, application, step, near, labels):
        return refusal
    for name, place in undecided.items():
        place.screened = Screened.APPROVED if name in approved else Screened.STRUCK
        place.reason = given.strike.get(name)
        place.screened_by, place.screened_at = step.assignee, turn.now
    remark = answered(
        turn,
        application,
        step,
        approved,
        given.strike,
        Event.SCREENED,
        void=f"{step.assignee} screened the proposal",
        own=sorted(near),
    )
    if up := undecided_places(turn.session, application):
        remark += f" {len(up)} moved up in their place and are to be screened too: a new code is on its way."
    return Accepted(application.id, remark)


def answered(
    turn: Turn,
    application: Application,
    step: Step,
    approved: Collection[str],
    struck: Mapping[str, str],
    event: Event,
    *,
    void: str,
    **details: Any,
) -> str:
    """Records what one coordinator approves and strikes, and asks the others no more; what is said to them."""
    step.answer = {"approve": sorted(approved), "strike": dict(struck)}
    close_step(step, StepState.ANSWERED, turn.now)
    void_open(turn, application, step.kind, void)
    details |= {"approved": len(approved), "struck": struck, "rules": application.rules}
    note(turn, application, step.assignee, event, step=step.id, **details)
    return f"Thank you: {len(approved)} approved, {len(struck)} struck."


# Whoever is near to what they decide on -------------------------------------------------------------


def _labelled(session: Session, application: Application, places: Sequence[CyclePlace]) -> list[Labelled]:
    """What a nomination's places are about: a label each, or all labels of a project that the organisation awarded."""
    return frozen_labels(
        session,
        application.content["year"],
        {place.candidate: place.project for place in places},
        application.organisation,
    )


def frozen_labels(
    session: Session, year: int, candidates: Mapping[str, str], organisation: str | None = None
) -> list[Labelled]:
    """Labels or projects of a year, by what they are called, with their project: who holds them, and where they were won."""
    of_year = [CycleLabel.year == year]
    if organisation is not None:
        of_year.append(CycleLabel.organisation == organisation)
    held: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    for row in session.execute(
        sa.select(CycleLabel.award, CycleLabel.project, CycleLabel.teacher, CycleLabel.school).where(*of_year)
    ):
        for name in (row.award, row.project):
            if name in candidates:
                held[name].append((row.teacher, row.school))
    return [
        Labelled(
            name,
            project,
            frozenset(teacher for teacher, _ in held[name]),
            frozenset(school for _, school in held[name] if school),
        )
        for name, project in candidates.items()
    ]


def near_to_labels(
    session: Session, application: Application, person_id: str, labels: Sequence[Labelled]
) -> dict[str, list[Sentence]]:
    """Those of some labels with which a person has a conflict of interest, by the rules of a nomination or cycle."""
    return near_to(session, person_id, labels, counted_since(session, application))


def without_conflict(
    session: Session, application: Application, people: Sequence[Person], labels: Sequence[Labelled]
) -> list[Person]:
    """Those of some people who are near to none of the labels; all of them where everybody is: somebody must decide."""
    free = [one for one in people if not near_to_labels(session, application, one.id, labels)]
    return free or list(people)


def somebody_elses(
    session: Session,
    application: Application,
    step: Step,
    near: Mapping[str, Sequence[Sentence]],
    labels: Sequence[Labelled],
) -> Refusal | None:
    """Why an answer is left to somebody else who is asked for it too; None where its person is near to nothing, or
    nobody else is asked who is near to nothing: then it counts, and is told to whoever awards."""
    if not near:
        return None
    others = [
        one
        for one in steps_of(session, application, step.kind)
        if one.state is StepState.OPEN
        and one.person != step.person
        and not near_to_labels(session, application, one.person, labels)
    ]
    if not others:
        return None
    named = listed(
        one_after_another(Sentence(name), listed(why), between=": ")
        for name, why in sorted(near.items())[:NAMED]
    )
    return Refusal(
        say(
            "You have a conflict of interest with {number} of these ({named}). Somebody else is asked, too: {others}.",
            number=len(near),
            named=named,
            others=", ".join(one.assignee for one in others),
        )
    )


NAMED = 5
"""How many of the labels are named with which somebody has a conflict of interest."""


def decided_on_their_own(session: Session, year: int) -> list[tuple[str, str]]:
    """Who decided on which label or project with which they have a conflict of interest, in a year."""
    entries = session.execute(
        sa.select(Journal.who, Journal.details)
        .join(Application, Application.id == Journal.application)
        .where(
            Application.label.in_((LabelKind.NOMINATION, LabelKind.EUROPEAN)),
            Application.round == str(year),
            Journal.what.in_((Event.SCREENED, Event.DECIDED_ON_THE_AWARD)),
        )
        .order_by(Journal.id)
    )
    return [(row.who, name) for row in entries for name in row.details.get("own", [])]


def chosen(given: Screening, expected: Collection[str], otherwise: Explained) -> tuple[set[str], list[Fault]]:
    """What an answer approves of what is expected, and everything that is wrong with it.

    `otherwise` says why something else can't be chosen.
    """
    struck = set(given.strike)
    approved = set(given.approve) - {ALL}
    faults = []
    for name in sorted((approved | struck) - set(expected)):
        faults.append(Fault("approve" if name in approved else "strike", otherwise(name)))
    for name in sorted(approved & struck):
        faults.append(Fault(f"strike · {name}", "is approved too.", "Choose one."))
    for name, reason in given.strike.items():
        if not has_words(reason):
            faults.append(Fault(f"strike · {name}", "has no reason.", "Say why, in a sentence."))
    if ALL in given.approve:
        approved |= set(expected) - struck
    if missing := sorted(set(expected) - approved - struck):
        shown = ", ".join(missing[:10]) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
        faults.append(
            Fault("(whole answer)", f"{shown}: neither approved nor struck.", 'Add them, or approve "all".')
        )
    return approved, faults


def _not_proposed(name: str, ranking: Mapping[str, CyclePlace], organisation: str) -> str:
    place = ranking.get(name)
    if place is None:
        return f"“{name}” is not in the ranking of {organisation}: nothing can be added from outside."
    if place.screened is not None:
        return f"“{name}” is {place.screened.value} already."
    return f"“{name}” is not proposed. {place.why}"


def _revoked(session: Session, awards: Collection[str]) -> dict[str, datetime]:
    found = session.execute(
        sa.select(Award.id, Award.revoked_at).where(Award.id.in_(awards), Award.revoked_at.is_not(None))
    )
    return {row.id: row.revoked_at for row in found if row.revoked_at}


# Putting forward --------------------------------------------------------------------------------


def put_forward(turn: Turn, application_id: str) -> Outcome:
    """Ends a nomination whose proposal is screened, and journals it in the year's cycle; done once."""
    application = locked(turn.session, application_id)
    if application.outcome is not None:
        return application.outcome
    cycle = cycle_of(turn.session, application)
    counts: dict[Screened | None, int] = {
        row.screened: row.number
        for row in turn.session.execute(
            sa.select(CyclePlace.screened, sa.func.count().label("number"))
            .where(CyclePlace.year == cycle.year, CyclePlace.organisation == application.organisation)
            .group_by(CyclePlace.screened)
        )
    }
    approved, struck = counts.get(Screened.APPROVED, 0), counts.get(Screened.STRUCK, 0)
    if approved:
        outcome = Outcome.NOMINATED
    else:
        outcome = Outcome.EXPIRED if counts.get(Screened.LAPSED) else Outcome.REFUSED
    application.outcome = outcome
    application.stage, application.stage_since = Stage.DECIDED, turn.now
    note(turn, application, RULES, Event.ending(outcome), approved=approved, struck=struck)
    note(
        turn,
        locked(turn.session, cycle.application),
        RULES,
        Event.ORGANISATION_SCREENED,
        organisation=application.organisation,
        outcome=outcome.value,
        approved=approved,
        struck=struck,
    )
    return outcome


def still_screening(session: Session, year: int) -> list[str]:
    """The organisations that a year's cycle still waits for."""
    return list(
        session.scalars(
            sa.select(CycleOrganisation.organisation)
            .join(Application, Application.id == CycleOrganisation.nomination)
            .where(CycleOrganisation.year == year, Application.outcome.is_(None))
            .order_by(CycleOrganisation.organisation)
        )
    )
