"""Reviewers for all applications that wait for them: the best plan with its reasons, and one confirmation."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from desk.applications import PATH as LIST
from desk.applications import query_of
from desk.chosen import DRAWBACKS
from desk.coordinators import coordinates
from desk.frame import Visit, later, page
from desk.parts import Mistake, why
from labels.applications.titles import titles_of
from labels.errors import LabelsError, NotFound, OutOfReach
from labels.reviews.plan import Choice
from labels.turn import Door
from labels.views.applications import Filters, Order, Urgent
from usecases import assigning
from usecases.assigning import Planned
from usecases.performing import perform

PATH = "/cases/reviewers/{organisation}"
SHOW = "coordinating/reviewers.html.j2"
SHOWN = 500
"""Seats of a plan that its page has; the whole of it is what `labels assign --json` prints."""


def show(visit: Visit) -> Response:
    """The plan as things are now; nothing is changed by looking."""
    return _shown(visit, _planned(visit))


def _planned(visit: Visit) -> Planned:
    organisation = visit.named("organisation")
    if organisation not in visit.account.coordinates:
        raise NotFound("There is nothing here.")
    return assigning.plan(visit.here, organisation)


def _shown(visit: Visit, planned: Planned, mistake: str = "", status: int = 200) -> Response:
    choices = sorted((one for plan in planned.plans for one in plan.choices), key=_in_order)
    empty = {application: many for plan in planned.plans for application, many in plan.empty.items()}
    shown = choices[:SHOWN]
    with visit.here.record.reading() as session:
        titles = titles_of(session, {one.application for one in shown} | empty.keys())
    loads = [load for plan in planned.plans for load in plan.loads.values()]
    cost, bound = (sum(getattr(plan, name) for plan in planned.plans) for name in ("cost", "bound"))
    return visit.shows(
        SHOW,
        status,
        planned=planned,
        choices=shown,
        seats=len(choices),
        applications=len({one.application for one in choices}),
        empty=sorted(empty.items()),
        titles=titles,
        drawbacks=DRAWBACKS,
        loads=(min(loads), max(loads)) if loads else None,
        best=cost <= bound,
        waiting=LIST + query_of(Filters(urgent=Urgent.UNASSIGNED, order=Order.DUE)),
        done="done" in visit.request.query_params,
        mistakes=[Mistake(mistake, "confirm-title")] if mistake else [],
    )


def _in_order(one: Choice) -> tuple[str, str]:
    return one.application, one.person


def confirm(visit: Visit) -> Response:
    """Has everybody asked who is in the plan that was shown, or nobody."""
    planned = _planned(visit)
    try:
        act = assigning.assign(planned, visit.sent.line("plan", 20))
        done = perform(visit.here, act, by=visit.proof, door=Door.DESK)
    except (OutOfReach, NotFound):
        raise
    except LabelsError as error:
        return _shown(visit, planned, why(visit.texts(SHOW), error), 409)
    return visit.goes_to(visit.path, **later(done.outage), done="1")


def routes() -> list[Route]:
    """The page."""
    return [page(PATH, show, confirm, allowed=coordinates)]
