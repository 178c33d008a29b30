"""A case for those who coordinate it: where it stands, its time, and what they may do with what it waits for."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import Route

from adapters.languages.desk import DeskTexts
from desk.applications import OUTCOMES, STAGES
from desk.chosen import DRAWBACKS
from desk.coordinators import coordinates
from desk.frame import Visit, later, page
from desk.known import KNOWN
from desk.parts import Mistake, why
from labels.clock import read_deadline
from labels.errors import LabelsError, NotFound, OutOfReach
from labels.kinds import LabelKind
from labels.mending import ReopenDecision
from labels.record.journal import Event
from labels.record.schema import Application, Outcome, Stage, StepKind
from labels.reviews.calling import may_call, who_may_be_called
from labels.steps.kinds import STEPS
from labels.turn import Door
from labels.views.applications import Scope
from labels.views.case import Case, case_for
from labels.views.compared import compared
from labels.views.declared import declared
from labels.views.fit import fit
from labels.views.load import Load, load
from labels.views.looker import Audience, looker_at
from labels.views.process import Station, process_of
from labels.words.sentences import Sentence, named, say
from labels.words.text import has_words
from usecases.acts import Act
from usecases.coordinating import (
    another,
    decide,
    declare_conflict,
    lift_conflict,
    move_deadline,
    reassign,
    remind,
)
from usecases.performing import perform

PATH = "/cases/{application}"
TEMPLATE = "coordinating/case.html.j2"
DECIDE_TEMPLATE = "coordinating/decide.html.j2"
LONGEST = 2_000
"""Characters of a reason."""

SEATS = (StepKind.REVIEW.value, StepKind.ASSIGNMENT.value)
"""What can be given to somebody else."""


def _case(visit: Visit) -> tuple[Case, bool]:
    """The case that the address names, and whether they coordinate it; the Central Support Service sees it alone.

    Raises:
        NotFound: there is none, or it is another country's: nobody learns which.
    """
    application = visit.named("application")
    with visit.here.record.reading() as session:
        looker = looker_at(session, application, visit.proof.person)
        if looker.audience not in (Audience.COORDINATOR, Audience.CSS):
            raise NotFound("There is nothing here.")
        return case_for(session, application, looker), looker.audience is Audience.COORDINATOR


def show(visit: Visit) -> Response:
    """The page."""
    return _shown(visit, *_case(visit))


def _shown(
    visit: Visit, case: Case, theirs: bool, mistake: Mistake | None = None, status: int = 200
) -> Response:
    own = frozenset((case.organisation,))
    now = visit.here.now()
    with visit.here.record.reading() as session:
        people = load(session, Scope(own, own), now) if theirs else ()
        to_give = [one.step for one in case.awaiting if theirs and one.what in SEATS]
        fits = fit(session, to_give, {visit.proof.person, *(one.person for one in people)})
        process = process_of(session, session.get_one(Application, case.application))
        beside = compared(session, case)
        conflicts = declared(session, case.application) if theirs else ()
        application = session.get_one(Application, case.application)
        calls = theirs and may_call(session, application)
        may_be_called = (
            who_may_be_called(session, application, {one.person for one in people}) if calls else frozenset()
        )
    texts = visit.texts(TEMPLATE)
    return visit.shows(
        TEMPLATE,
        status,
        case=case,
        theirs=theirs,
        label=LabelKind(case.label),
        stage=STAGES[Stage(case.stage)],
        outcome=OUTCOMES[Outcome(case.outcome)] if case.outcome else None,
        outcomes=OUTCOMES,
        asked={one.what: _asked(StepKind(one.what)) for one in case.awaiting},
        people=people,
        to_choose=[
            (one.person, _to_choose(texts, one))
            for one in sorted(people, key=lambda one: (one.open, one.name))
            if any(one.person in fit for fit in fits.values())
        ],
        called={one.address: one.name for one in people},
        me=visit.proof.person,
        fits=fits,
        remindable={one.step for one in case.awaiting if STEPS[StepKind(one.what)].worded},
        process=process,
        stations=STATIONS,
        beside=beside,
        conflicts=conflicts,
        alike=sum(one.what == Event.READS_LIKE_ANOTHER for one in case.journal),
        known=KNOWN,
        criterion=lambda name: named("criterion", name),
        reopens=theirs and case.outcome in REOPENED and case.label in REOPENED_LABELS,
        drawbacks=DRAWBACKS,
        calls=calls,
        others=[one for one in people if one.person in may_be_called],
        sent=visit.request.query_params.get("sent", ""),
        mistakes=[mistake] if mistake else [],
        at={mistake.field: mistake.text} if mistake else {},
        typed=(lambda name: visit.sent.text(name, LONGEST)) if visit.form else (lambda _: ""),
    )


STATIONS: Mapping[Station, Sentence] = {
    Station.RECEIVED: say("Received"),
    Station.CONDITIONS: say("Conditions"),
    Station.SELF_ASSESSMENT: say("Self-assessment"),
    Station.REVIEW: say("Review"),
    Station.QUESTION: say("Question"),
    Station.ASSIGNMENT: say("Reviewer missing"),
    Station.SCREENING: say("Screening"),
    Station.AWARDING: say("Award"),
    Station.DECISION: say("Decision"),
    Station.PAPERS: say("Papers"),
    Station.END: say("Closed"),
}
"""What the stations of a process are called."""
REOPENED = (Outcome.AWARDED.value, Outcome.REFUSED.value, Outcome.INELIGIBLE.value)
REOPENED_LABELS = (LabelKind.NATIONAL.value, LabelKind.SCHOOL.value)


def _to_choose(texts: DeskTexts, one: Load) -> str:
    """Somebody as the list of those names them who could be given a review."""
    text = texts.say_counted(
        "{name}: {count} open review", "{name}: {count} open reviews", one.open, name=one.name
    )
    return Markup(text).striptags()


def _asked(kind: StepKind) -> Sentence:
    return STEPS[kind].worded or named("awaited", kind.value)


def act(visit: Visit) -> Response:
    """Gives a seat to somebody else, moves a deadline or reminds; decides, or calls one more reviewer; declares or lifts a
    conflict of interest."""
    case, theirs = _case(visit)
    pressed = visit.sent.line("act", 20)
    step = OF_NO_STEP.get(pressed) or visit.sent.line("step", 80)
    if not theirs or not (pressed in OF_NO_STEP or step in {one.step for one in case.awaiting}):
        raise NotFound("There is nothing here.")
    said = f"reason-{_own_form(case, pressed, step)}"
    reason = visit.sent.text(said, LONGEST).strip()
    texts = visit.texts(TEMPLATE)
    if not has_words(reason):
        return _shown(visit, case, theirs, Mistake(texts.say("Say why"), said), 422)
    if pressed in CONFIRMED and not visit.sent.has("confirmed"):
        return visit.shows(DECIDE_TEMPLATE, case=case, pressed=pressed, step=step, reason=reason)
    try:
        field, wanted = _wanted(visit, pressed, case.application, step, reason)
    except ValueError:
        mistake = Mistake(texts.say("This is no day: write it as 2026-04-20"), f"until-{step}")
        return _shown(visit, case, theirs, mistake, 422)
    try:
        done = perform(visit.here, wanted, by=visit.proof, door=Door.DESK)
    except OutOfReach:
        raise
    except LabelsError as error:
        return _shown(visit, _case(visit)[0], theirs, Mistake(why(texts, error), field or said), 409)
    told = "rests" if isinstance(done.accepted.mend, ReopenDecision) else "1"
    return visit.goes_to(visit.path, sent=told, **later(done.outage))


def _own_form(case: Case, pressed: str, step: str) -> str:
    """By what the fields of a form are called: beside a decision there is another form, for its deadline."""
    decides = any(one.step == step and one.what == StepKind.DECISION for one in case.awaiting)
    return f"of-{step}" if decides and pressed in ("deadline", "remind") else step


CONFIRMED = ("award", "refuse")
"""What is asked for again before it counts."""

OF_NO_STEP = {"declare": "conflict", "lift": "conflict", "call": "more"}
"""What is pressed that is about no step, and how its fields are called."""


def _wanted(visit: Visit, pressed: str, application: str, step: str, reason: str) -> tuple[str, Act]:
    """What the button that was pressed stands for, and the field that it is about, if any but the reason's."""
    match pressed:
        case "deadline":
            return f"until-{step}", _deadline(visit, step, reason)
        case "remind":
            return "", remind(step, reason)
        case "declare" | "lift":
            act = declare_conflict if pressed == "declare" else lift_conflict
            return "whose-conflict", act(application, visit.sent.line("whose-conflict", 80), reason)
        case "call":
            return "to-more", another(application, visit.sent.line("to-more", 80), reason)
        case "award" | "refuse" | "another":
            return f"to-{step}", decide(step, pressed, reason, visit.sent.line(f"to-{step}", 80))
    return f"to-{step}", _reassigned(visit, step, reason)


def _deadline(visit: Visit, step: str, reason: str) -> Act:
    return move_deadline(step, read_deadline(visit.sent.line(f"until-{step}", 30)), reason)


def _reassigned(visit: Visit, step: str, reason: str) -> Act:
    to = visit.sent.line(f"to-{step}", 80)
    return reassign(step, visit.proof.person if to == "me" else to, reason)


def routes() -> list[Route]:
    """The page."""
    return [page(PATH, show, act, allowed=coordinates)]
