"""Having a decision made again: what hangs on it is shown first, and then all of it is done or nothing."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response
from starlette.routing import Route

from desk.applications import OUTCOMES
from desk.coordinators import coordinates
from desk.frame import Visit, later, page
from desk.lists import one_of
from desk.parts import Mistake, why
from labels.errors import LabelsError, NotAllowed, NotFound, OutOfReach
from labels.record.schema import Cause, Outcome
from labels.revoking import redeciding
from labels.revoking.reopening import Consequences
from labels.turn import Door
from labels.views.case import Case, case_for
from labels.views.looker import Audience, looker_at
from labels.words.sentences import Sentence, say
from labels.words.text import has_words
from usecases.correcting import reopen_decision

PATH = "/cases/{application}/reopen"
TEMPLATE = "coordinating/reopen.html.j2"
LONGEST = 2_000
"""Characters of a reason."""

CAUSES: Mapping[Cause, tuple[Sentence, Sentence]] = {
    Cause.CONFLICT: (
        say("Somebody judged who should not have"),
        say("Another person takes that seat; the other reviews count still."),
    ),
    Cause.REGISTRY: (
        say("What it rested on was wrong"),
        say("The conditions are checked anew, with what the registry says now."),
    ),
    Cause.APPEAL: (say("An appeal was granted"), say("Other people judge it.")),
}
"""Why a decision is made again, and what follows from that."""


def _case(visit: Visit) -> Case:
    """The case that this page's address names.

    Raises:
        NotFound: there is none, they do not coordinate it, or it is not decided: nobody learns which.
    """
    application = visit.named("application")
    with visit.here.record.reading() as session:
        looker = looker_at(session, application, visit.proof.person)
        if looker.audience is not Audience.COORDINATOR:
            raise NotFound("There is nothing here.")
        case = case_for(session, application, looker)
    if case.outcome is None:
        raise NotFound("There is nothing here.")
    return case


def show(visit: Visit) -> Response:
    """The causes. What hangs on the decision is only tried out once they ask, which others wait for."""
    return _shown(visit, _case(visit), None)


def _shown(
    visit: Visit, case: Case, cause: Cause | None, mistake: Mistake | None = None, status: int = 200
) -> Response:
    found: Consequences | None = None
    refused = ""
    if cause is not None:
        try:
            found = _consequences(visit, case.application, cause)
        except NotAllowed as error:
            refused = why(visit.texts(TEMPLATE), error)
    return visit.shows(
        TEMPLATE,
        status,
        case=case,
        outcome=OUTCOMES[Outcome(case.outcome)] if case.outcome else "",
        causes=CAUSES,
        cause=cause,
        found=found,
        refused=refused,
        mistakes=[mistake] if mistake else [],
        at={mistake.field: mistake.text} if mistake else {},
        reason=visit.sent.text("reason", LONGEST) if visit.form else "",
    )


def _consequences(visit: Visit, application: str, cause: Cause) -> Consequences:
    """What hangs on the decision, tried out in a part of a transaction that is thrown away."""
    with visit.here.record.writing() as session:
        turn = visit.here.turn(session, Door.DESK)
        return redeciding.consequences(turn, redeciding.Reopened(application, cause))


def reopen(visit: Visit) -> Response:
    """Shows what hangs on the decision by a cause, or does all of what was shown, or nothing."""
    case, cause = _case(visit), one_of(Cause, visit.sent.line("cause", 20))
    if cause is None:
        raise NotFound("There is nothing here.")
    if visit.sent.has("look"):
        return _shown(visit, case, cause)
    reason = visit.sent.text("reason", LONGEST).strip()
    texts = visit.texts(TEMPLATE)
    if not has_words(reason):
        return _shown(visit, case, cause, Mistake(texts.say("Say why"), "reason"), 422)
    subject = redeciding.Reopened(case.application, cause)
    try:
        _, done = reopen_decision(
            visit.here, subject, visit.sent.line("plan", 80), reason, by=visit.proof, door=Door.DESK
        )
    except OutOfReach:
        raise
    except LabelsError as error:
        return _shown(visit, _case(visit), cause, Mistake(why(texts, error), "reason"), 409)
    return visit.goes_to(f"/cases/{case.application}", sent="1", **later(done.outage))


def routes() -> list[Route]:
    """The page."""
    return [page(PATH, show, reopen, allowed=coordinates)]
