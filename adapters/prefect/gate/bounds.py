"""Whose runs a person may see, and how a request is held to them."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from adapters.prefect.gate.allowed import UUID, Bound, Route
from adapters.prefect.gate.upstream import Upstream
from labels.views.prefect_access import PrefectAccess

NO_RUN = "00000000-0000-4000-8000-000000000000"
"""A run that there is none of: a filter of no runs at all would be taken for all of them."""
REMEMBERED = 30.0
"""Seconds for which a run's tags are taken as they were."""
MOST_IDENTIFIERS = 200
"""In one filter, as many as Prefect returns in one answer."""
_MOST_REMEMBERED = 10_000


class Refused(Exception):
    """A request that does not pass, with the status of HTTP that says so."""

    def __init__(self, status: int, why: str = "Not found") -> None:
        super().__init__(why)
        self.status, self.why = status, why


Vouch = Callable[[str, str, int, Mapping[str, Any]], str]
"""The proof in the place of a one-time code, of a person, a run, its waiting and what they filled in."""


@dataclass
class Bounds:
    """Holds requests to what a person may see. One for the life of the gate: it remembers the tags of runs."""

    upstream: Upstream
    vouch: Vouch
    _tags: OrderedDict[str, tuple[float, list[str]]] = field(default_factory=OrderedDict)

    async def hold(
        self, who: PrefectAccess, route: Route, path: Mapping[str, str], body: dict[str, Any]
    ) -> None:
        """Checks an allowed request, and changes its body to what is the person's.

        Raises:
            Refused: it asks for more than that.
        """
        run = path.get("id", "")
        match route.bound:
            case Bound.RUN | Bound.FORM | Bound.RESUME:
                await self.must_cover(who, run, content=route.content)
            case Bound.NARROWED:
                narrow(who, body, content=route.content)
            case Bound.CHOSEN:
                asked = _identifiers({"any_": body.get("flow_run_ids")}) or []
                body["flow_run_ids"] = [one for one in asked if await self.covers(who, one)]
            case Bound.LOGS:
                await self._hold_logs(who, body)
            case Bound.CHECK:
                flat(body.get("values"))
                _without_patterns(body.get("schema"))
            case Bound.NOTHING | Bound.FIXED | Bound.OWN | Bound.NAMES:
                pass
        if route.bound is Bound.FORM:
            keys = await self._form(run)
            if path["key"] not in (keys.get("schema"), keys.get("description")):
                raise Refused(404)
        elif route.bound is Bound.RESUME:
            filled = flat(body.get("run_input"))
            body.clear()
            body["run_input"] = filled | {"code": await self._proof(who, run, filled)}

    async def covers(
        self, who: PrefectAccess, run: object, tags: list[str] | None = None, *, content: bool = False
    ) -> bool:
        """Whether a run, of which one may know the tags, is the person's; `content`: with what it wrote."""
        if who.operator:
            return True
        if not isinstance(run, str) or not re.fullmatch(UUID, run):
            return False
        if run in who.runs and not content:
            return True
        if not who.organisations:
            return False
        if tags is None:
            tags = await self._tags_of(run)
        else:
            self._remember(run, tags)
        return any(f"organisation:{one}" in tags for one in who.organisations)

    async def must_cover(
        self, who: PrefectAccess, run: object, tags: list[str] | None = None, *, content: bool = False
    ) -> None:
        """Raises Refused, as if there were no such run, where it is not the person's."""
        if not await self.covers(who, run, tags, content=content):
            raise Refused(404)

    async def _tags_of(self, run: str) -> list[str]:
        when, known = self._tags.get(run, (0.0, []))
        if time.monotonic() - when <= REMEMBERED:
            return known
        found = await self.upstream.json(f"/api/flow_runs/{run}")
        tags: list[str] = found["tags"] if found else []
        self._remember(run, tags)
        return tags

    def _remember(self, run: str, tags: list[str]) -> None:
        self._tags[run] = (time.monotonic(), tags)
        self._tags.move_to_end(run)
        if len(self._tags) > _MOST_REMEMBERED:
            self._tags.popitem(last=False)

    async def _hold_logs(self, who: PrefectAccess, body: dict[str, Any]) -> None:
        logs = body["logs"] = _all_of(body.get("logs"))
        runs: list[Any] = list(_identifiers(logs.get("flow_run_id")) or [])
        for task in _identifiers(logs.get("task_run_id")) or []:
            found = await self.upstream.json(f"/api/task_runs/{task}") if re.fullmatch(UUID, task) else None
            runs.append(found.get("flow_run_id") if found else NO_RUN)
        if not who.operator and not who.organisations:
            runs = []  # a reviewer's form is all that they are asked to go by
        for run in runs:
            await self.must_cover(who, run, content=True)
        logs["flow_run_id"] = {"any_": runs or [NO_RUN]}

    async def _form(self, run: str) -> dict[str, str]:
        """The keys under which Prefect has the form that a run waits with now."""
        found = await self.upstream.json(f"/api/flow_runs/{run}") or {}
        details = (found.get("state") or {}).get("state_details") or {}
        return details.get("run_input_keyset") or {}

    async def _proof(self, who: PrefectAccess, run: str, filled: dict[str, Any]) -> str:
        filled.pop("code", None)
        said = {name: value for name, value in filled.items() if isinstance(value, str | int)}
        if not any(
            value.strip() if isinstance(value, str) else value is not False for value in said.values()
        ):
            return ""  # nothing was filled in: the run only looks at the record again
        waiting = re.fullmatch(r"suspended-(\d+)-schema", (await self._form(run)).get("schema", ""))
        if waiting is None:
            raise Refused(409, "This run waits for nobody now.")
        return self.vouch(who.person, run, int(waiting[1]), said)


def narrow(who: PrefectAccess, body: dict[str, Any], *, content: bool = False) -> None:
    """Adds whose runs they are to the filter of runs that a request brings, or not.

    Whoever coordinates sees the runs of their organisations; anybody else those of their open steps, and
    (`content`) nothing of what these wrote.

    Raises:
        Refused: the filter would do without ours.
    """
    if who.operator:
        return
    runs = body["flow_runs"] = _all_of(body.get("flow_runs"))
    if who.organisations:
        tags = runs["tags"] = _all_of(runs.get("tags"))
        own = sorted(f"organisation:{one}" for one in who.organisations)
        key = "all_" if len(own) == 1 else "any_"
        asked = tags.get(key) or []
        if not isinstance(asked, list):
            raise Refused(400, "A list of tags is needed.")
        if key == "any_" and asked:
            raise Refused(403, "Filter by tags that all hold: you coordinate several organisations.")
        tags[key] = [*asked, *own]
        return
    asked_for = _identifiers(runs.get("id"))
    mine = set() if content else set(who.runs)
    wanted = sorted(mine if asked_for is None else mine & set(asked_for)) or [NO_RUN]
    runs["id"] = {**(runs.get("id") or {}), "any_": wanted}


def flat(filled: object) -> dict[str, Any]:
    """What was filled in. Prefect would replace an object by the value of a variable, the form as a whole too.

    Raises:
        Refused: it holds anything but texts, numbers and ticks.
    """
    filled = {} if filled is None else filled
    if not isinstance(filled, dict) or any(
        isinstance(value, dict | list) or not re.fullmatch("[a-z][a-z0-9_]*", name)
        for name, value in filled.items()
    ):
        raise Refused(400, "Fields are texts and numbers.")
    return dict(filled)


def without_code(form: dict[str, Any], who: PrefectAccess) -> None:
    """The form as a signed-in person sees it: the field that asks for a code may stay empty."""
    form["required"] = [name for name in form.get("required", []) if name != "code"]
    if code := form.get("properties", {}).get("code"):
        brief = str(code.get("description", "")).partition("### Your one-time code")[0]
        code["description"] = (
            f"{brief}### You are signed in\n\nAs {who.address}: leave this empty, and fill in the rest."
        )


def _all_of(given: object) -> dict[str, Any]:
    """A filter all of whose parts must hold: with `or_`, a person's own part would do without ours."""
    if given is None:
        return {}
    if not isinstance(given, dict) or given.get("operator", "and_") != "and_":
        raise Refused(403, "Filters are combined with and_.")
    return given


def _identifiers(asked: object) -> list[str] | None:
    """The identifiers that a filter asks for; None where it asks for all."""
    if asked is None or (isinstance(asked, dict) and asked.get("any_") is None):
        return None
    if not isinstance(asked, dict) or not isinstance(asked["any_"], list):
        raise Refused(400, "A list of identifiers is needed.")
    if len(asked["any_"]) > MOST_IDENTIFIERS:
        raise Refused(400, f"At most {MOST_IDENTIFIERS} identifiers are taken.")
    return [str(one) for one in asked["any_"]]


def _without_patterns(schema: object) -> None:
    """Raises Refused for a schema whose patterns could keep Prefect's process busy for hours."""
    if re.search(rb'[{,]"pattern(Properties)?":', orjson.dumps(schema)):
        raise Refused(400, "No patterns are taken.")
