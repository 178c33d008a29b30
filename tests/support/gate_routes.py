"""Each route that the installed Prefect describes, asked through the gate as different people: the page `docs/gate-routes.md`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefect.server.api.server import create_app

from adapters.prefect.gate.allowed import ALLOWED

NONE = "00000000-0000-4000-8000-000000000000"
NOBODYS = {"id": {"any_": [NONE]}}
HARMLESS: Mapping[str, Any] = dict.fromkeys(
    ("flow_runs", "flows", "deployments", "task_runs", "work_pools", "work_queues"), NOBODYS
)
"""What an operator sends to routes that change something: Prefect would delete all where nothing is named."""
REPEATED = ("POST /flow_runs/{}/resume",)
"""What changes what the others see, so that it is asked last."""


def described() -> list[str]:
    """Method and path of each route, in an order of their own."""
    routes = [
        (path.removeprefix("/api"), method.upper())
        for path, methods in create_app().openapi()["paths"].items()
        for method in methods
    ]
    return [f"{method} {path}" for path, method in sorted(routes)]


def plain(route: str) -> str:
    """A route without the names of what stands in its path, which Prefect's releases change."""
    return re.sub(r"\{\w+(:path)?\}", "{}", route)


ALLOWED_PLAIN = frozenset(map(plain, ALLOWED))


@dataclass(frozen=True)
class Objects:
    """What there is of one run in Prefect."""

    run: str
    task_run: str
    artifact: str
    flow: str
    deployment: str
    key: str
    """Of its form."""

    def path(self, route: str) -> str:
        """The path of a route about these; about none where they have no such thing."""
        path = route.partition(" ")[2]
        own = {
            "/flow_runs/{id}": self.run,
            "/task_runs/{id}": self.task_run,
            "/ui/task_runs/{id}": self.task_run,
            "/artifacts/{id}": self.artifact,
            "/flows/{id}": self.flow,
            "/deployments/{id}": self.deployment,
        }
        start = next((one for one in own if f"{path}/".startswith(f"{one}/")), "")
        if start:
            path = path.replace("{id}", own[start], 1)
        pool = path.startswith(("/work_pools/{name}", "/work_pools/{work_pool_name}"))
        if pool:
            path = re.sub(r"\{(work_pool_)?name\}", "labels", path, count=1)
            path = path.replace("/queues/{name}", "/queues/default")
        path = path.replace("/input/{key}", f"/input/{self.key}")
        return "/api" + re.sub(r"\{\w*id\w*(:path)?\}", NONE, path) if "{" in path else "/api" + path


def filled(path: str) -> str:
    """A path whose names that are left are of nothing."""
    return re.sub(r"\{\w+(:path)?\}", "none", path)


Asks = Callable[[str, str, str, Any], int]
"""Asks as somebody: who, method, path, body; the status of the answer."""


@dataclass(frozen=True)
class Asked:
    """One route, and what each got."""

    route: str
    got: tuple[str, ...]


def all_asked(
    routes: Sequence[str],
    people: Sequence[str],
    operator: str,
    own: Objects,
    other: Objects,
    asks: Asks,
    between: Callable[[], None],
) -> list[Asked]:
    """Each route asked by each of these people about a run of theirs and about another.

    Args:
        routes: as `described` has them.
        people: who asks; nobody is an empty name.
        operator: who of them may do everything, and is asked for harmless things only.
        own: a run that all of them may see who see any.
        other: a run that only the operator may see.
        asks: sends one request.
        between: to be called after what changes a run.
    """
    last = [route for route in routes if plain(route) in REPEATED]
    found: dict[str, Asked] = {}
    for route in [*(one for one in routes if one not in last), *last]:
        got = []
        for who in people:
            got.append(_of(route, who, operator, own, other, asks))
            if route in last:
                between()
        found[route] = Asked(route, tuple(got))
    return [found[route] for route in routes]


def _of(route: str, who: str, operator: str, own: Objects, other: Objects, asks: Asks) -> str:
    method = route.partition(" ")[0]
    if who == operator and method != "GET" and plain(route) not in ALLOWED_PLAIN:
        # about things that there are none of, since Prefect would do it
        path = re.sub(r"\{\w*id\w*(:path)?\}", NONE, "/api" + route.partition(" ")[2])
        return str(asks(who, method, filled(path), dict(HARMLESS)))
    mine, theirs = (filled(one.path(route)) for one in (own, other))
    body: Any = None if method == "GET" else {}
    status = str(asks(who, method, mine, body))
    if mine == theirs or not who or who == operator:
        return status
    another = str(asks(who, method, theirs, body))
    return status if status == another else f"{status}; another’s {another}"


def page(asked: Sequence[Asked]) -> str:
    """The page."""
    passing = sum(plain(one.route) in ALLOWED_PLAIN for one in asked)
    return "\n".join(_lines(asked, passing)) + "\n"


def _lines(asked: Sequence[Asked], passing: int) -> Iterator[str]:
    yield f"""\
# Every route of Prefect, and who gets what of it through the gate

The status of HTTP that came back from the [gate](gate.md) when each of the {len(asked)} routes that the installed Prefect
describes was asked by somebody who had not signed in, by a reviewer, by a coordinator and by an operator. {passing} of them pass
for coordinators and reviewers, in bold here; they were asked about a run of theirs and about another organisation's (“another’s”).
Where the gate refuses: 401 nobody has signed in, 403 not for this role, 404 as if there were no such thing. What an operator got
is Prefect's own answer: routes that change something were asked about things that there are none of (404), or with too little
(422), since Prefect would have done it.

`GATE_ROUTES=write pytest tests/e2e/test_gate.py -k every_route` writes this page, and without that setting holds it true.

| route | not signed in | reviewer | coordinator | operator |
|---|---|---|---|---|"""
    for one in asked:
        name = f"**`{one.route}`**" if plain(one.route) in ALLOWED_PLAIN else f"`{one.route}`"
        yield f"| {name} | {' | '.join(one.got)} |"
