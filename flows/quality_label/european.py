"""The European Quality Label: from a year's National Quality Labels to the gallery."""

from __future__ import annotations

from prefect import flow

from tasks.european import (
    ask_for_the_award,
    ask_the_organisations,
    award,
    begin_the_year,
    freeze,
    issue_certificates,
    merge_nominations,
    publish_gallery,
    still_screening,
)
from tasks.process import close, notify, register
from tasks.waiting import record_answer, suspended


@flow(name="european-quality-label")
async def european_quality_label(application_id: str) -> str:
    """One year, from the freezing of its labels to the certificates and the gallery.

    It may run again from the first line at any time, and does whenever an organisation has screened.
    """
    register(application_id)
    freeze(application_id)
    ask_the_organisations(application_id)

    while still_screening(application_id):
        record_answer(application_id, await suspended(application_id))
    merge_nominations(application_id)

    while ask_for_the_award(application_id):
        record_answer(application_id, await suspended(application_id))
    award(application_id)

    issue_certificates(application_id)
    publish_gallery(application_id)
    notify(application_id)
    return close(application_id)


@flow(name="european-quality-label-year")
async def european_quality_label_year(year: int | None = None) -> str:
    """What the calendar starts: the cycle of the latest year whose labels are all awarded, or of one asked for."""
    return begin_the_year(year)
