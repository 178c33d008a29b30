"""The tasks of upkeep, each safe to run at any time and twice at once."""

from __future__ import annotations

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from adapters.mail.post import send_due
from adapters.prefect.client import prefect_client
from adapters.workspace import workspace
from labels.answering import deadlines, reminders
from usecases import upkeep
from usecases.cycles import publish_stale
from usecases.keys import take_up
from usecases.privacy import tidy
from usecases.recovering import recover
from usecases.sealing import seal_journal
from usecases.upkeep import clock_ran_backwards


@task(name="look at the clock", cache_policy=NO_CACHE)
def look_at_the_clock() -> str:
    """Warns in the log where the clock runs backwards; returns what is wrong, nothing if nothing is."""
    if wrong := clock_ran_backwards(workspace()):
        get_run_logger().warning(wrong)
    return wrong


@task(name="take up a new key", cache_policy=NO_CACHE)
def take_up_a_new_key() -> str:
    """Does what is left to do where the secret key was replaced; returns what is wrong with it, nothing if nothing is."""
    if wrong := take_up(workspace()).stranger:
        get_run_logger().warning(wrong)
    return wrong


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
    return publish_stale(workspace())


@task(name="recover applications", cache_policy=NO_CACHE)
def recover_applications() -> dict[str, str]:
    """Every application that is not closed gets its run back; returns what was done for which."""
    with prefect_client() as client:
        return {one.application: one.did for one in recover(workspace(), client)}


@task(name="let periods end", cache_policy=NO_CACHE)
def let_periods_end() -> None:
    """Erases again who came back with a restore, deletes what erasures left outside the record, and at night what is past its period or what nobody claims."""
    for wrong in upkeep.erase_who_came_back(workspace()):
        get_run_logger().warning(wrong)
    tidy(workspace())
    if wrong := upkeep.clear_store(workspace()):
        get_run_logger().warning(wrong)


@task(name="make indexes", cache_policy=NO_CACHE)
def make_indexes() -> None:
    """Makes what a record of an earlier version lacks, some of it each time."""
    upkeep.make_indexes(workspace())


@task(name="seal the journal", cache_policy=NO_CACHE)
def seal_the_journal() -> str:
    """Puts what was written since into the journal's chain; returns where the chain stands."""
    done = seal_journal(workspace())
    return f"{done.sealed}. {done.left_out}" if done.left_out else str(done.sealed)


@task(name="send mail", cache_policy=NO_CACHE)
def send_mail() -> str:
    """Sends every message that is due, and takes in what came back."""
    sent = send_due(workspace())
    if wrong := upkeep.take_in_what_came_back(workspace()):
        get_run_logger().warning(wrong)
    return str(sent)


@task(name="tell platforms", cache_policy=NO_CACHE)
def tell_platforms() -> str:
    """Tells platforms what is still to be told; what came of it."""
    return str(upkeep.tell_platforms(workspace()))
