"""What Prefect forgets by itself, with the settings that `labels up` gives its server."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.server.services.db_vacuum import vacuum_old_flow_runs
from prefect.settings import get_current_settings
from prefect.states import Completed, Crashed, Running, Suspended

from adapters.prefect.client import prefect_client
from adapters.prefect.environment import FRUGAL, KEPT_FOR
from adapters.prefect.runs import DEPLOYMENTS, deployment_of
from labels.kinds import LabelKind
from tests.e2e.conftest import Stage_
from tests.support.patience import PATIENCE
from tests.support.prefect_database import prefect_database

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stage")]


def database(stage: Stage_) -> Path:
    return stage.here.settings.home / "prefect" / "prefect.db"


def test_runs_that_ended_a_month_ago_are_forgotten_and_those_that_wait_never(stage: Stage_) -> None:
    before = datetime.now(UTC) - KEPT_FOR
    states: dict[str, State[Any]] = {
        "ended long ago": Completed(),
        "crashed long ago": Crashed(),
        "ended of late": Completed(),
        "waits since long ago": Suspended(),
        "runs since long ago": Running(),
    }
    runs: dict[str, UUID] = {}
    with prefect_client() as client:
        deployment = deployment_of(client, DEPLOYMENTS[LabelKind.NATIONAL])
        for name, state in states.items():
            runs[name] = client.create_flow_run_from_deployment(
                deployment, parameters={"application_id": "NQL-NONE"}, name=name, state=state
            ).id
            body = {"key": "kept", "value": "1"}
            client.create_flow_run_input(runs[name], **body)
        with contextlib.closing(sqlite3.connect(database(stage), timeout=PATIENCE)) as connection, connection:
            for name, run in runs.items():
                when = before + timedelta(days=1 if name == "ended of late" else -1)
                at = when.strftime("%Y-%m-%d %H:%M:%S.%f")
                connection.execute(
                    "UPDATE flow_run SET start_time = :at, end_time = iif(end_time IS NULL, NULL, :at),"
                    " created = :at WHERE id = :run",
                    {"at": at, "run": str(run)},
                )
        with prefect_database(database(stage), FRUGAL) as interface:
            asyncio.run(vacuum_old_flow_runs(db=interface))

        def is_known(run: UUID) -> bool:
            with contextlib.suppress(ObjectNotFound):
                return client.read_flow_run(run).id == run
            return False

        assert [name for name, run in runs.items() if is_known(run)] == [
            "ended of late", "waits since long ago", "runs since long ago",
        ]  # fmt: skip
        with contextlib.closing(sqlite3.connect(database(stage), timeout=PATIENCE)) as connection:
            left = {row[0] for row in connection.execute("SELECT flow_run_id FROM flow_run_input")}
            left |= {row[0] for row in connection.execute("SELECT flow_run_id FROM flow_run_state")}
        assert left & {str(run) for run in runs.values()} == {
            str(run) for name, run in runs.items() if "ended long" not in name and "crashed" not in name
        }
        client.set_flow_run_state(runs["runs since long ago"], Completed(), force=True)
        for run in runs.values():
            with contextlib.suppress(ObjectNotFound):
                client.delete_flow_run(run)


def test_the_servers_settings_are_ones_that_prefect_knows(stage: Stage_) -> None:
    with prefect_database(database(stage), FRUGAL):
        server = get_current_settings().server
        assert server.services.db_vacuum.enabled_vacuum_types == {"events", "flow_runs", "orphans"}
        assert server.services.db_vacuum.retention_period == KEPT_FOR
        assert not server.services.event_persister.enabled
        assert not server.services.pause_expirations.enabled
        assert server.services.task_run_recorder.batch_size == 100
