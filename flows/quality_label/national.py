"""The National Quality Label: from a teacher's application to a certificate, or a letter that helps."""

from __future__ import annotations

from prefect import flow

from tasks.national import ask, conditions_met, decide, issue_papers
from tasks.process import acknowledge, close, notify, register
from tasks.waiting import record_answer, suspended


@flow(name="national-quality-label")
async def national_quality_label(application_id: str) -> str:
    """One teacher's application for one project, from submission to decision.

    It may run again from the first line at any time, and does whenever somebody answered: every
    task finds what is done already and does the rest.
    """
    register(application_id)
    acknowledge(application_id)

    if conditions_met(application_id):
        while ask(application_id):
            record_answer(application_id, await suspended(application_id))
        decide(application_id)

    issue_papers(application_id)
    notify(application_id)
    return close(application_id)
