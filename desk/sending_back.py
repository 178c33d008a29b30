"""The page of a case's reviews for those who coordinate it: who gave one when, and giving it back as a draft."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from desk.coordinators import coordinates
from desk.frame import Visit, later, page
from desk.parts import Mistake, why
from labels.errors import NotAllowed, NotFound
from labels.turn import Door
from labels.views.case import Case, ReviewView, case_for
from labels.views.looker import Audience, looker_at
from labels.words.text import has_words
from usecases.coordinating import send_back
from usecases.performing import perform

PATH = "/cases/{application}/reviews"
LONGEST = 2_000
"""Characters of a reason."""


def _case(visit: Visit) -> Case:
    """The case that this page's address names.

    Raises:
        NotFound: there is none, or they do not coordinate it: nobody learns which.
    """
    application = visit.named("application")
    with visit.here.record.reading() as session:
        looker = looker_at(session, application, visit.proof.person)
        if looker.audience is not Audience.COORDINATOR:
            raise NotFound("There is nothing here.")
        return case_for(session, application, looker)


def _given(case: Case) -> list[ReviewView]:
    """The reviews that count."""
    return [one for one in case.reviews if one.void_because is None]


def show(visit: Visit) -> Response:
    """The reviews that were given, and a form for each as long as nothing is decided."""
    return _shown(visit, _case(visit))


def _shown(
    visit: Visit, case: Case, step: str = "", reason: str = "", mistake: str = "", status: int = 200
) -> Response:
    field = f"reason-{step}"
    return visit.shows(
        "coordinating/reviews.html.j2",
        status,
        case=case,
        given=_given(case),
        sent=visit.request.query_params.get("sent", ""),
        at={field: mistake} if mistake else {},
        typed={field: reason},
        mistakes=[Mistake(mistake, field)] if mistake else [],
    )


def give_back(visit: Visit) -> Response:
    """Gives a review back to whoever gave it, with the reason, which they read."""
    case = _case(visit)
    step = visit.sent.line("step", 80)
    if step not in {one.step for one in _given(case)}:
        raise NotFound("There is nothing here.")
    reason = visit.sent.text(f"reason-{step}", LONGEST).strip()
    if not has_words(reason):
        texts = visit.texts("coordinating/reviews.html.j2")
        return _shown(visit, case, step, reason, texts.say("Say what is to be gone over once more"), 422)
    try:
        done = perform(visit.here, send_back(step, reason), by=visit.proof, door=Door.DESK)
    except NotAllowed as error:
        return _shown(
            visit, _case(visit), step, reason, why(visit.texts("coordinating/reviews.html.j2"), error), 409
        )
    return visit.goes_to(visit.path, sent="1", **later(done.outage))


def routes() -> list[Route]:
    """The page."""
    return [page(PATH, show, give_back, allowed=coordinates)]
