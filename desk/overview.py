"""A coordinator's first page: what is urgent, and how much each reviewer has to do."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from desk.applications import PATH as LIST
from desk.applications import query_of
from desk.coordinators import coordinates
from desk.frame import Visit, page
from labels.views.applications import Filters, Order, Part, Urgent, applications, how_many, scope_of
from labels.views.load import load

PATH = "/overview"

SHOWN = 8
"""Rows of what is due next; the rest is in the list."""
BUSIEST = 50
"""Reviewers at first, which are all of most organisations."""


def overview(visit: Visit) -> Response:
    """The page."""
    scope, now = scope_of(visit.account), visit.here.now()
    urgent = {one: Filters(urgent=one, order=Order.DUE) for one in Urgent}
    open_ = Filters(part=Part.OPEN, order=Order.DUE)
    with visit.here.record.reading() as session:
        numbers = how_many(session, scope, now, *urgent.values(), open_)
        next_ = applications(session, scope, now, open_, limit=SHOWN).rows
        people = load(session, scope, now)
    shown = people if "reviewers" in visit.request.query_params else people[:BUSIEST]
    return visit.shows(
        "coordinating/overview.html.j2",
        urgent=[
            (one, number, LIST + query_of(filters))
            for (one, filters), number in zip(urgent.items(), numbers, strict=False)
        ],
        open=numbers[-1],
        whose=visit.account.coordinates,
        every_open=LIST + query_of(open_),
        next=next_,
        people=shown,
        every_reviewer=f"{PATH}?reviewers=all#load" if len(shown) < len(people) else "",
        most=max((one.open for one in people), default=0),
        their=lambda one: LIST + query_of(Filters(part=Part.OPEN, reviewer=one.person)),
    )


def routes() -> list[Route]:
    """The page."""
    return [page(PATH, overview, allowed=coordinates)]
