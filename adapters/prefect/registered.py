"""What Prefect's server knows of our deployments, for whoever has just deployed."""

from __future__ import annotations

from dataclasses import dataclass

from prefect.client.schemas.schedules import CronSchedule

from adapters.prefect.client import prefect_client


@dataclass(frozen=True, slots=True)
class Registered:
    """A deployment, and when Prefect runs it by itself."""

    name: str
    """`FLOW/DEPLOYMENT`."""
    pool: str
    schedule: str
    """As cron has it, with its time zone; empty where it runs when it is asked for."""


def registered(pool: str) -> list[Registered]:
    """The deployments of a work pool, by name.

    Raises:
        OutOfReach: Prefect's server does not answer.
    """
    with prefect_client() as client:
        found = [one for one in client.read_deployments(limit=200) if one.work_pool_name == pool]
        flows = {one.flow_id: client.read_flow(one.flow_id).name for one in found}
    return sorted(
        (
            Registered(
                f"{flows[one.flow_id]}/{one.name}",
                pool,
                ", ".join(
                    f"{each.schedule.cron} {each.schedule.timezone}"
                    for each in one.schedules
                    if isinstance(each.schedule, CronSchedule) and each.active
                ),
            )
            for one in found
        ),
        key=lambda one: one.name,
    )
