"""A case for those who coordinate it: where it stands, its time, and what they may do with what it waits for."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from desk.applications import OUTCOMES, STAGES
from desk.coordinators import coordinates
from desk.frame import Visit, later, page
from desk.parts import Mistake, why
from labels.clock import read_deadline
from labels.errors import LabelsError, NotFound, OutOfReach
from labels.kinds import LabelKind
from labels.record.schema import Outcome, Stage, StepKind
from labels.steps.kinds import STEPS
from labels.turn import Door
from labels.views.applications import Scope
from labels.views.case import Case, case_for
from labels.views.load import load
from labels.views.looker import Audience, looker_at
from labels.words.sentences import Sentence, named
from labels.words.text import has_words
from usecases.acts import Act
from usecases.coordinating import move_deadline, reassign
from usecases.performing import perform

PATH = "/cases/{application}"
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
    return visit.shows(
        "coordinating/case.html.j2",
        status,
        case=case,
        theirs=theirs,
        label=LabelKind(case.label),
        stage=STAGES[Stage(case.stage)],
        outcome=OUTCOMES[Outcome(case.outcome)] if case.outcome else None,
        asked={one.what: _asked(StepKind(one.what)) for one in case.awaiting},
        people=sorted(people, key=lambda one: (one.open, one.name)),
        seats=SEATS,
        sent=visit.request.query_params.get("sent", ""),
        mistakes=[mistake] if mistake else [],
        at={mistake.field: mistake.text} if mistake else {},
        typed=(lambda name: visit.sent.text(name, LONGEST)) if visit.form else (lambda _: ""),
    )


def _asked(kind: StepKind) -> Sentence:
    return STEPS[kind].worded or named("awaited", kind.value)


def act(visit: Visit) -> Response:
    """Gives a seat to somebody else, or moves a deadline."""
    case, theirs = _case(visit)
    step = visit.sent.line("step", 80)
    if not theirs or step not in {one.step for one in case.awaiting}:
        raise NotFound("There is nothing here.")
    reason = visit.sent.text(f"reason-{step}", LONGEST).strip()
    texts = visit.texts("coordinating/case.html.j2")
    if not has_words(reason):
        return _shown(visit, case, theirs, Mistake(texts.say("Say why"), f"reason-{step}"), 422)
    moves = visit.sent.line("act", 20) == "deadline"
    field = f"until-{step}" if moves else f"to-{step}"
    try:
        wanted = _deadline(visit, step, reason) if moves else _reassigned(visit, step, reason)
    except ValueError:
        mistake = Mistake(texts.say("This is no day: write it as 2026-04-20"), field)
        return _shown(visit, case, theirs, mistake, 422)
    try:
        done = perform(visit.here, wanted, by=visit.proof, door=Door.DESK)
    except OutOfReach:
        raise
    except LabelsError as error:
        return _shown(visit, _case(visit)[0], theirs, Mistake(why(texts, error), field), 409)
    return visit.goes_to(visit.path, sent="1", **later(done.outage))


def _deadline(visit: Visit, step: str, reason: str) -> Act:
    return move_deadline(step, read_deadline(visit.sent.line(f"until-{step}", 30)), reason)


def _reassigned(visit: Visit, step: str, reason: str) -> Act:
    to = visit.sent.line(f"to-{step}", 80)
    return reassign(step, visit.proof.person if to == "me" else to, reason)


def routes() -> list[Route]:
    """The page."""
    return [page(PATH, show, act, allowed=coordinates)]
