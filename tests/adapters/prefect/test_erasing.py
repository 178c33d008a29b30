"""What Prefect knows of an application is deleted with its runs, and another's runs stay."""

from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path

import prefect
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL
from prefect.states import Completed
from prefect.testing.utilities import prefect_test_harness

from adapters.prefect.erasing import delete_runs

CANARY = "Kanarienvogel"


@prefect.flow
def process() -> None:
    """Stands for an application's."""


def run_of(client: SyncPrefectClient, application: str) -> uuid.UUID:
    """A run that ended, with a brief, a form that was filled in, and a message in its state."""
    run = client.create_flow_run(process, name=f"NQL · PL · awarded · {application}")
    shown = ArtifactCreate(
        key=f"brief-{application.lower()}", type="markdown", data=f"# {CANARY}", description=None,
        flow_run_id=run.id,
    )  # fmt: skip
    client.create_artifact(shown)
    client.create_flow_run_input(run.id, "suspended-1-response", f'"{CANARY}"')
    client.set_flow_run_state(run.id, Completed(message=f"{CANARY} is decided"))
    return run.id


def found(database: Path) -> list[str]:
    """The tables in which the canary is."""
    with sqlite3.connect(database) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return [
            table
            for table in tables
            if any(CANARY in str(row) for row in connection.execute(f'SELECT * FROM "{table}"'))
        ]


@pytest.mark.slow
def test_an_applications_runs_are_deleted_with_all_that_they_showed() -> None:
    with prefect_test_harness(server_startup_timeout=120), get_client(sync_client=True) as client:
        url = PREFECT_API_DATABASE_CONNECTION_URL.value() or ""
        database = Path(str(url).partition("///")[2])
        other = run_of(client, "NQL-AAAAAAAAAA")
        for _ in range(2):
            run_of(client, "NQL-BBBBBBBBBB")
        assert found(database)
        assert delete_runs(client, "NQL-BBBBBBBBBB") == 2
        assert delete_runs(client, "NQL-BBBBBBBBBB") == 0, "twice is as once"
        assert client.read_flow_run(other).name.endswith("NQL-AAAAAAAAAA")
        assert delete_runs(client, "NQL-AAAAAAAAAA") == 1
        assert set(found(database)) <= {"events"}, "what happened, without texts of ours"
