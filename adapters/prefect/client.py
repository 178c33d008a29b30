"""The client of Prefect's server, and what is asked of it about one run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import orjson
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL

from labels.errors import OutOfReach
from labels.mending import StartServices

PrefectClient = SyncPrefectClient
"""The type of a client, for whoever only passes one on."""

NOTHING_LOST = "What was said is in the record and nothing is lost."


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


def filled_in(client: SyncPrefectClient, run_id: UUID, wait: int) -> dict[str, str | int] | None:
    """What came back with the form of a run's waiting, or None while nothing has.

    Only what the form of that very waiting asked for, and only text and numbers: nothing else can get
    in, and nothing gets lost where the steps have changed since the form was shown.
    """
    filled = read_input(client, run_id, f"suspended-{wait}-response")
    if not isinstance(filled, dict):
        return None
    form = read_input(client, run_id, f"suspended-{wait}-schema") or {}
    asked = form.get("properties", {})
    return {name: value for name, value in filled.items() if name in asked and isinstance(value, str | int)}


def read_input(client: SyncPrefectClient, run_id: UUID, key: str) -> Any | None:
    """What Prefect keeps for a run under a key (a form's schema, what was filled in), or None."""
    try:
        content = client.read_flow_run_input(run_id, key)
    except httpx.HTTPStatusError as error:  # Prefect's own client raises without being asked to
        if error.response.status_code != httpx.codes.NOT_FOUND:
            raise
        return None
    return orjson.loads(content)
