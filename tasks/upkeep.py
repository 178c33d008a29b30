"""The tasks of upkeep, each safe to run at any time and twice at once."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from prefect import task
from prefect.cache_policies import NO_CACHE

from labels import deadlines, radar, reminders
from labels.errors import OutOfReach
from labels.radar import Stuck
from labels.record.schema import Application, Cycle
from tasks import runs
from tasks.european import publish
from tasks.mail.delivery import Delivered
from tasks.post import send_due
from tasks.runs import prefect_client, recover
from tasks.workspace import Workspace, workspace


@task(name="pass the deadlines", cache_policy=NO_CACHE)
def pass_deadlines() -> list[str]:
    """Does what passed deadlines do; recovery then wakes the runs that it concerns."""
    here = workspace()
    passed = deadlines.pass_deadlines(here.record, now=here.now(), key=here.key)
    return [f"{one.step}: {one.did}" for one in passed]


@task(name="remind", cache_policy=NO_CACHE)
def remind() -> list[str]:
    """Writes everybody's digest of the day; returns whom there is one for."""
    here = workspace()
    return reminders.remind(here.record, now=here.now())


@task(name="publish galleries", cache_policy=NO_CACHE)
def publish_galleries() -> list[int]:
    """Makes the galleries again that were left behind by something taken back; returns their years."""
    return stale_galleries(workspace())


def stale_galleries(here: Workspace) -> list[int]:
    """The same in any workspace."""
    with here.record.reading() as session:
        stale = list(
            session.scalars(
                sa.select(Cycle.year).where(Cycle.awarded_at.is_not(None), Cycle.published.is_(None))
            )
        )
    for year in stale:
        publish(here, year)
    return stale


@task(name="recover applications", cache_policy=NO_CACHE)
def recover_applications() -> dict[str, str]:
    """Every application that is not closed gets its run back; returns what was done for which."""
    with prefect_client() as client:
        return {one.application: one.did for one in recover(workspace(), client)}


@task(name="send mail", cache_policy=NO_CACHE)
def send_mail() -> str:
    """Sends every message that is due."""
    return str(send_due(workspace()))


@dataclass(frozen=True, slots=True)
class Kept:
    """What one upkeep did."""

    deadlines: list[str]
    reminded: list[str]
    recovered: dict[str, str]
    galleries: list[int]
    mail: Delivered
    left_out: str | None = None
    """What could not be done since Prefect's server is away; nothing is lost by that."""


def keep_up(here: Workspace) -> Kept:
    """All of upkeep at once, also without Prefect's server: then runs are brought back by the next one."""
    passed = [
        f"{one.step}: {one.did}"
        for one in deadlines.pass_deadlines(here.record, now=here.now(), key=here.key)
    ]
    reminded = reminders.remind(here.record, now=here.now())
    recovered: dict[str, str] = {}
    left_out = None
    try:
        with prefect_client() as client:
            recovered = {one.application: one.did for one in recover(here, client)}
    except OutOfReach as error:
        left_out = str(error)
    return Kept(passed, reminded, recovered, stale_galleries(here), send_due(here), left_out)


def look_for_stuck(here: Workspace) -> list[Stuck]:
    """Everything that does not go on by itself; changes nothing."""
    with here.record.reading() as session:
        found = radar.stuck(session, here.now())
        try:
            with prefect_client() as client:
                ailing = runs.ailing(here, client)
        except OutOfReach as error:
            found.append(Stuck(subject="Prefect", reason=f"{error}", mend="labels up"))
            ailing = []
        for identifier, reason in ailing:
            one = session.get_one(Application, identifier)
            found.append(
                Stuck(
                    subject=one.id, organisation=one.organisation, stage=one.stage.value,
                    since=one.stage_since, reason=f"{reason[0].upper()}{reason[1:]}.", mend=radar.RECOVER,
                )
            )  # fmt: skip
    return radar.in_order(found)
