"""The tasks of upkeep, each safe to run at any time and twice at once."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.post import send_due
from tasks.runs import prefect_client, recover
from tasks.workspace import workspace


@task(name="recover applications", cache_policy=NO_CACHE)
def recover_applications() -> dict[str, str]:
    """Every application that is not closed gets its run back; returns what was done for which."""
    with prefect_client() as client:
        return {one.application: one.did for one in recover(workspace(), client)}


@task(name="send mail", cache_policy=NO_CACHE)
def send_mail() -> str:
    """Sends every message that is due."""
    return str(send_due(workspace()))
