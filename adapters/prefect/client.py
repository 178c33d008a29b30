"""The client of Prefect's server, and what is asked of it about one run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import httpx
import orjson
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL

from adapters.prefect.answers import OURS, RESPONSE, ours
from labels.errors import OutOfReach
from labels.mending import StartServices

PrefectClient = SyncPrefectClient
"""The type of a client, for whoever only passes one on."""

NOTHING_LOST = "What was said is in the record and nothing is lost."
BLANK = {"code": ""}
"""What is sent back for a form that nobody filled in: its run is only to look at the record again."""


@contextlib.contextmanager
def prefect_client() -> Iterator[SyncPrefectClient]:
    """A client of Prefect's server.

    Raises:
        OutOfReach: there is no server or it does not answer; the record has everything, and
            `labels recover` takes up from there.
    """
    if not PREFECT_API_URL.value():
        # Prefect would start a server of its own for the length of this command.
        raise OutOfReach("Prefect's server", "it is not running.", NOTHING_LOST, StartServices())
    try:
        with get_client(sync_client=True) as client:
            yield client
    except (httpx.TransportError, httpx.HTTPStatusError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "reach" not in str(error).casefold():
            raise
        raise OutOfReach(
            "Prefect's server",
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}.",
            NOTHING_LOST,
            StartServices(),
        ) from error


@dataclass(frozen=True, slots=True)
class FilledIn:
    """What came back with the form of one waiting of a run."""

    wait: int
    """Which waiting of the run, from 0."""
    fields: dict[str, str | int] = field(repr=False)
    more: bool = False
    """Whether something came that the form does not ask for, which was left out."""


def filled_in(client: SyncPrefectClient, key: bytes, run_id: UUID, wait: int) -> FilledIn | None:
    """What came back with the form of a run's waiting, or None while nothing has; `key` is our secret.

    Only what the form of that very waiting asked for, and only text and numbers: nothing else can get
    in, and nothing gets lost where the steps have changed since the form was shown.
    """
    filled = _of_answer(client, "GET", key, run_id, wait)
    if not isinstance(filled, dict):
        return None
    if filled == BLANK:  # as after most answers, which came elsewhere: the form need not be asked for
        return FilledIn(wait, {})
    form = read_input(client, run_id, f"suspended-{wait}-schema") or {}
    asked = form.get("properties", {})
    fields = {name: value for name, value in filled.items() if name in asked and isinstance(value, str | int)}
    return FilledIn(wait, fields, more=fields != filled)


def forget_filled_in(client: SyncPrefectClient, key: bytes, run_id: UUID, wait: int) -> None:
    """Deletes what came back with the form of a run's waiting; nothing is wrong where it is gone already."""
    _of_answer(client, "DELETE", key, run_id, wait)


def _of_answer(
    client: SyncPrefectClient, method: Literal["GET", "DELETE"], key: bytes, run_id: UUID, wait: int
) -> Any | None:
    """Reads or deletes what came back with a form; None where there is nothing."""
    place = {"id": run_id, "key": f"suspended-{wait}{RESPONSE}"}
    try:
        response = client.request(
            method, "/flow_runs/{id}/input/{key}", path_params=place, headers={OURS: ours(key)}
        )
    except httpx.HTTPStatusError as error:  # Prefect's own client raises without being asked to
        if error.response.status_code != httpx.codes.NOT_FOUND:
            raise
        return None
    return orjson.loads(response.content) if response.content else None


def read_input(client: SyncPrefectClient, run_id: UUID, key: str) -> Any | None:
    """What Prefect keeps for a run under a key, such as a form's schema, or None."""
    try:
        content = client.read_flow_run_input(run_id, key)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != httpx.codes.NOT_FOUND:
            raise
        return None
    return orjson.loads(content)
