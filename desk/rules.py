"""The rules in force for coordinators: each value with its source and place, and what open cases keep instead."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from desk.coordinators import coordinates
from desk.frame import Visit, page
from labels.clock import brussels_day
from labels.errors import NotFound
from labels.views.rules_in_force import in_force

PATH = "/rules"
LONGEST = 200
"""Characters of a value; a longer one stands in its file."""


def rules(visit: Visit) -> Response:
    """The page, of one of the organisations that they coordinate.

    Raises:
        NotFound: they do not coordinate that one.
    """
    own = visit.account.coordinates
    organisation = visit.request.query_params.get("organisation", own[0])
    if organisation not in own:
        raise NotFound("There is nothing here.")
    with visit.here.record.reading() as session:
        shown = in_force(session, organisation, brussels_day(visit.here.now()), visit.here.settings.rules)
    return visit.shows("coordinating/rules.html.j2", shown=shown, organisations=own, written=written)


def written(value: Any) -> str:
    """A value as its file has it, on one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def routes() -> list[Route]:
    """The page."""
    return [page(PATH, rules, allowed=coordinates)]
