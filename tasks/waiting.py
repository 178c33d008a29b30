"""Where a run suspends until a person has answered, and what is made of the answer."""

from __future__ import annotations

import logging
from uuid import UUID

import sqlalchemy as sa
from prefect import task
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run

from adapters.prefect.client import FilledIn, filled_in, prefect_client
from adapters.prefect.form import form_for
from adapters.prefect.markdown.links import links
from adapters.prefect.retrying import RETRIED
from adapters.workspace import workspace
from labels.record.engine import as_one
from labels.record.schema import Application, Resumption
from labels.steps.step import open_steps
from labels.views.briefs.by_label import brief_of
from usecases.resuming import forget_answer, take_answer


async def suspended(application_id: str) -> FilledIn:
    """Suspends the run until somebody answers; costs nothing meanwhile.

    Returns what was filled in, and in which waiting of this run. The process ends here: when
    the run is resumed, the flow starts again from its first line and comes by here for the next
    waiting, or for this one if its answer is not in the record yet. What was filled in is taken as
    it came: Prefect would hold it to the form of the steps that are open by now, and fail the run
    where they have changed since.
    """
    here = workspace()
    run = str(flow_run.id)
    with here.record.reading() as session:
        wait = session.scalar(sa.select(sa.func.count()).where(Resumption.run == run)) or 0
    with prefect_client() as client:
        filled = filled_in(client, here.key, UUID(run), wait)
    if filled is not None:
        return filled
    with here.record.reading() as session:
        application = session.get_one(Application, application_id)
        awaited = open_steps(session, application)
        brief = brief_of(session, application, awaited)
        form: type[RunInput] = form_for(brief, links(here, awaited), here.settings.desk_url)
    logging.getLogger("prefect.flow_runs").addFilter(_soften)
    await suspend_flow_run(wait_for_input=form, key=str(wait))  # type: ignore[misc]  # async_dispatch is typed as sync
    raise RuntimeError("Prefect did not suspend the run.")


def _soften(record: logging.LogRecord) -> bool:
    """Prefect logs a suspension as an ERROR, which makes coordinators look for a fault that is none."""
    if record.levelno == logging.ERROR and str(record.msg).startswith("Finished in state Suspended"):
        record.levelno, record.levelname = logging.INFO, "INFO"
        return logging.getLogger(record.name).isEnabledFor(logging.INFO)
    return True


@task(name="record the answer", **RETRIED)
def record_answer(application_id: str, filled: FilledIn) -> str:
    """Puts what came through Prefect's form into the record, once, and deletes it in Prefect; returns a remark on it."""
    here, run = workspace(), str(flow_run.id)
    with as_one():
        remark = take_answer(here, application_id, run, filled)
        with prefect_client() as client:
            forget_answer(here, client, run, filled.wait)
    return remark
