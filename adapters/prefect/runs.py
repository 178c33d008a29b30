"""The Prefect runs that drive applications: one each, created once, named after where the application stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound

from adapters.prefect.bulk import in_bulk
from adapters.prefect.client import NOTHING_LOST
from adapters.workspace import Workspace
from labels.errors import NotFound, OutOfReach
from labels.kinds import KINDS, LabelKind
from labels.mending import StartServices
from labels.record.schema import Application, Stage

DEPLOYMENTS = {
    LabelKind.NATIONAL: "national-quality-label/national",
    LabelKind.NOMINATION: "nomination/nomination",
    LabelKind.EUROPEAN: "european-quality-label/european",
    LabelKind.SCHOOL: "school-label/school",
}
"""The deployment that drives the applications of each label (prefect.yaml)."""


def start(here: Workspace, client: SyncPrefectClient, application_id: str) -> UUID:
    """The run that drives the application, created unless it is there.

    Raises:
        NotFound: no such application.
        OutOfReach: its flow is not deployed.
    """
    [run] = start_all(here, client, [application_id])
    return run


def start_all(
    here: Workspace,
    client: SyncPrefectClient,
    application_ids: Sequence[str],
    shown: Callable[[int], None] | None = None,
) -> list[UUID]:
    """The run of each application, created unless it is there, a few at a time; `shown` is called with how many are done.

    Each has a key of its own: however often it is asked for, there is one run.

    Raises:
        NotFound: no such application.
        OutOfReach: a flow is not deployed.
    """
    deployments: dict[str, UUID] = {}
    found: dict[str, Application] = {}
    with here.record.reading() as session:
        for application_id in application_ids:
            application = session.get(Application, application_id)
            if application is None:
                raise NotFound(f"There is no application {application_id}.")
            found[application_id] = application
    for label in {application.label for application in found.values()}:
        deployments[label] = deployment_of(client, DEPLOYMENTS[label])

    def start_one(application: Application) -> UUID:
        run = client.create_flow_run_from_deployment(
            deployments[application.label],
            parameters={"application_id": application.id},
            name=run_name(application),
            tags=run_tags(application),
            idempotency_key=f"{application.id}/{application.runs}",
        )
        with here.record.writing() as session:
            session.execute(
                sa.update(Application)
                .where(Application.id == application.id, Application.runs == application.runs)
                .values(run=str(run.id))
            )
        return run.id

    return in_bulk(list(found.values()), start_one, shown=shown)


def deployment_of(client: SyncPrefectClient, name: str) -> UUID:
    """The deployment of that name.

    Raises:
        OutOfReach: Prefect has none.
    """
    try:
        return client.read_deployment_by_name(name).id
    except ObjectNotFound:
        raise OutOfReach("Prefect", f"it has no deployment {name}.", NOTHING_LOST, StartServices()) from None


def ask_for(client: SyncPrefectClient, deployment: str, parameters: dict[str, Any]) -> UUID:
    """A new run of a deployment that drives no application.

    Raises:
        OutOfReach: it is not deployed.
    """
    return client.create_flow_run_from_deployment(deployment_of(client, deployment), parameters=parameters).id


def run_tags(application: Application, stage: Stage | None = None) -> list[str]:
    """By what a coordinator finds a run: label, country, organisation and stage (its own unless given)."""
    return [
        f"label:{application.label}",
        f"country:{application.country}",
        f"organisation:{application.organisation}",
        f"stage:{(stage or application.stage).value}",
    ]


def run_name(application: Application) -> str:
    """What a coordinator reads in the list of runs."""
    stage = application.outcome.value if application.outcome else application.stage.value
    return f"{KINDS[application.label].short} · {application.country} · {stage} · {application.id}"
