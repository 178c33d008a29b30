"""What coordinators and reviewers may call of Prefect's API: what its V1 pages really do. All else is refused.

The routes were recorded in a browser on Prefect 3.8.8's V1 pages (31 of 187); a test compares them with the
routes that the installed Prefect describes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
"""A run's identifier as Prefect writes it."""


class Bound(Enum):
    """How a route is held to what the person may see."""

    NOTHING = "it tells nothing of anybody"
    FIXED = "the gate answers itself; Prefect is not asked"
    NARROWED = "the person's runs are forced into the filter of runs"
    CHOSEN = "identifiers of other runs are dropped from the request"
    LOGS = "every run and task run that is named must be the person's"
    RUN = "the run in the path must be the person's"
    OWN = "the answer must belong to a run of the person's"
    NAMES = "of the answer only names and identifiers are left"
    FORM = "the form of the step that the run waits with"
    RESUME = "the answer in the form, with a proof of who is signed in"
    CHECK = "the remarks at the form's fields"


@dataclass(frozen=True, slots=True)
class Route:
    """A route of Prefect's API that passes, and who needs it."""

    bound: Bound
    why: str
    answer: Any = None
    """What the gate answers itself, for `FIXED`."""
    run: str = ""
    """The field of the answer that names the run, for `OWN`."""
    content: bool = False
    """It tells what the run wrote, which only those may read who coordinate it."""


_EMPTY_PAGE = {"results": [], "count": 0, "limit": 100, "pages": 0, "page": 1}

ALLOWED: Mapping[str, Route] = {
    "GET /health": Route(Bound.NOTHING, "every page, whether the server answers"),
    "GET /admin/settings": Route(Bound.FIXED, "every page; it would tell paths, addresses and settings", {}),
    "POST /flow_runs/filter": Route(Bound.NARROWED, "dashboard, runs, run (subflows, parents)"),
    "POST /flow_runs/count": Route(Bound.NARROWED, "dashboard, runs"),
    "POST /flow_runs/paginate": Route(Bound.NARROWED, "runs, tab Subflow Runs"),
    "POST /ui/flow_runs/history": Route(Bound.NARROWED, "runs: the dots"),
    "POST /ui/flow_runs/count-task-runs": Route(Bound.CHOSEN, "runs: task runs of each"),
    "GET /flow_runs/{id}": Route(Bound.OWN, "run, artifact, task run", run="id"),
    "GET /flow_runs/{id}/graph-v2": Route(Bound.RUN, "run: the graph"),
    "GET /flow_runs/{id}/logs/download": Route(
        Bound.RUN, "run: the button that saves its logs", content=True
    ),
    "GET /flow_runs/{id}/input/{key}": Route(Bound.FORM, "Resume: the form of the present step alone"),
    "POST /flow_runs/{id}/resume": Route(Bound.RESUME, "Resume: submit"),
    "POST /ui/schemas/validate": Route(Bound.CHECK, "Resume: the remarks at the fields"),
    "POST /task_runs/count": Route(Bound.NARROWED, "dashboard, run"),
    "POST /task_runs/filter": Route(Bound.NARROWED, "run: tab Task Runs"),
    "POST /task_runs/history": Route(Bound.NARROWED, "dashboard"),
    "POST /task_runs/paginate": Route(Bound.NARROWED, "runs: tab Task runs"),
    "POST /ui/task_runs/count": Route(Bound.NARROWED, "run: tab Task Runs"),
    "GET /task_runs/{id}": Route(Bound.OWN, "task run, artifact", run="flow_run_id"),
    "POST /artifacts/filter": Route(Bound.NARROWED, "run: tab Artifacts; task run", content=True),
    "GET /artifacts/{id}": Route(Bound.OWN, "artifact", run="flow_run_id", content=True),
    "POST /logs/filter": Route(Bound.LOGS, "run, task run", content=True),
    "POST /events/filter": Route(
        Bound.FIXED, "run; events take no tags of runs", {"events": [], "total": 0, "next_page": None}
    ),
    "POST /flows/paginate": Route(Bound.NARROWED, "runs: choice of flows; dashboard"),
    "GET /flows/{id}": Route(Bound.NAMES, "runs, run: its flow's name"),
    "GET /deployments/{id}": Route(Bound.NAMES, "runs, run: its name; else pull steps and variables"),
    "POST /deployments/paginate": Route(Bound.FIXED, "runs: choice of deployments", _EMPTY_PAGE),
    "POST /work_pools/filter": Route(Bound.FIXED, "dashboard, runs: choice of pools", []),
    "GET /work_pools/{name}": Route(Bound.NAMES, "runs, run: its name; else templates of jobs"),
    "GET /work_pools/{name}/queues/{name}": Route(Bound.NAMES, "runs, run: its name"),
    "POST /saved_searches/filter": Route(Bound.FIXED, "runs: they belong to everybody", []),
}
"""By method and path as Prefect describes them; the pages of a run, the dashboard and the Resume dialog need no others."""

SOCKETS = frozenset({"/api/events/out", "/api/logs/out"})
"""What an operator's websockets may listen to; the V1 pages open none."""
HIDDEN = re.compile(rf"/api/flow_runs/{UUID}/input(/.*)?|/v2(/.*)?|/api/csrf-token|/api/v2/?")
"""Nobody's, not an operator's either: what people answered, and the V2 pages, whose form fails."""
STATIC = re.compile(r"/(assets|ico)/[\w.-]+|/[\w-]+\.(svg|txt|ico)")
PAGES = re.compile(rf"/dashboard|/runs|/runs/(flow|task)-run/{UUID}|/artifacts/artifact/{UUID}")
"""The V1 pages for coordinators and reviewers; from any other one is led to the list of runs."""

_PLACEHOLDERS = {"{id}": f"(?P<id>{UUID})", "{key}": "(?P<key>[a-z0-9-]+)", "{name}": "[A-Za-z0-9_-]+"}
_PATTERNS = [
    (method, re.compile("/api" + re.sub(r"\{\w+\}", lambda part: _PLACEHOLDERS[part[0]], path)), route)
    for (method, path), route in ((name.split(" "), route) for name, route in ALLOWED.items())
]


def allowed(method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
    """The row of the table for a request, with the parts of its path; None where it is refused."""
    for of_route, pattern, route in _PATTERNS:
        if method == of_route and (found := pattern.fullmatch(path)):
            return route, found.groupdict()
    return None
