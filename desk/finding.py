"""The page on which coordinators find teachers, schools, projects and cases, as they type."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from desk.coordinators import coordinates
from desk.frame import Visit, page
from labels.views.applications import scope_of
from labels.views.finding import LONGEST
from usecases.finding import find

PATH = "/find"


def finding(visit: Visit) -> Response:
    """What the words in the address find; without any the field alone."""
    words = visit.request.query_params.get("q", "")[:LONGEST]
    found = find(visit.here, words, scope_of(visit.account).organisations)
    return visit.shows("coordinating/find.html.j2", found=found, words=words)


def routes() -> list[Route]:
    """The page."""
    return [page(PATH, finding, allowed=coordinates)]
