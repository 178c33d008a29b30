"""A nomination for the European Quality Label: what one organisation puts forward of its best."""

from __future__ import annotations

from prefect import flow

from tasks.european import ask_for_the_screening, put_forward
from tasks.process import close, notify, register
from tasks.waiting import record_answer, suspended


@flow(name="nomination")
async def nomination(application_id: str) -> str:
    """One organisation and year, from the proposal by its ranking to what it puts forward.

    It may run again from the first line at any time, and does whenever a coordinator answered.
    """
    register(application_id)

    while ask_for_the_screening(application_id):
        record_answer(application_id, await suspended(application_id))

    put_forward(application_id)
    notify(application_id)
    return close(application_id)
