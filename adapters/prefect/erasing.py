"""Deleting an application's runs in Prefect, with everything that they showed and logged."""

from __future__ import annotations

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterName,
)
from prefect.exceptions import ObjectNotFound

_PAGE = 100


def delete_runs(client: SyncPrefectClient, application: str) -> int:
    """Deletes every run of an application with its artifacts, inputs and logs; how many runs there were."""
    deleted = 0
    named = FlowRunFilter(name=FlowRunFilterName(like_=application))
    while runs := [
        run
        for run in client.read_flow_runs(flow_run_filter=named, limit=_PAGE)
        if run.name.endswith(application)
    ]:
        shown = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id for run in runs]))
        for artifact in client.read_artifacts(artifact_filter=shown):
            client.delete_artifact(artifact.id)
        for run in runs:
            try:
                client.delete_flow_run(run.id)
            except ObjectNotFound:
                continue
            deleted += 1
    return deleted
