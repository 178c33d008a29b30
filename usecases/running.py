"""Waking the run that waits for an answer, and replacing one that was lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from adapters.prefect.client import PrefectClient
from adapters.prefect.runs import start
from adapters.prefect.states import Phase, read_run, resume
from adapters.workspace import Workspace
from labels.record.schema import Application, Stage

WAKE_WITHIN = 20.0
"""Seconds for which a waking is tried while the run is just about to suspend."""


@dataclass(frozen=True, slots=True)
class Woken:
    """Whether the run has seen the news, or what is in its way."""

    done: bool
    remark: str


def wake(
    here: Workspace,
    client: PrefectClient,
    application_id: str,
    *,
    within: float = WAKE_WITHIN,
    pause: Callable[[float], None] = time.sleep,
) -> Woken:
    """Makes the application's run look at the record again.

    A run that is only about to suspend is waited for; one that is lost is replaced.
    """
    tries = max(1, int(within / 0.25))
    for _ in range(tries):
        with here.record.reading() as session:
            application = session.get_one(Application, application_id)
            if application.stage is Stage.CLOSED or application.parked_revision >= application.revision:
                return Woken(True, "its run has seen it")
            run_id = application.run
        # Nearly always it is suspended, so nobody looks before.
        if run_id is not None and resume(client, run_id):
            return Woken(True, "its run goes on")
        run = read_run(client, run_id)
        if run is None or run.phase is Phase.ENDED:
            replace(here, client, application_id, run_id)
            return Woken(True, "a new run goes on with it")
        if run.phase is Phase.SCHEDULED:
            return Woken(True, "its run is about to start")
        pause(0.25)
    return Woken(False, "its run is busy; it looks at the record when it is done, or at the next recovery")


def replace(here: Workspace, client: PrefectClient, application_id: str, former: str | None) -> UUID:
    """A new run in place of `former`, which was found lost; an answer that it did not get to see stays.

    Of several that found the same run lost, the first asks for a new one and the others get that one.
    """
    if former is not None:
        from usecases.resuming import take_unseen

        take_unseen(here, client, application_id, former)
    with here.record.writing() as session:
        application = session.get_one(Application, application_id, with_for_update=True)
        if former is not None and application.run == former:
            application.runs += 1
            application.run = None
    return start(here, client, application_id)
