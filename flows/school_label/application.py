"""Stage two of the School Label: from a school's self-assessment to a certificate for two years."""

from __future__ import annotations

from prefect import flow

from tasks.national import ask, issue_papers
from tasks.process import acknowledge, close, notify, register
from tasks.school import ask_the_school, decide, invite, prefill
from tasks.waiting import record_answer, suspended


@flow(name="school-label")
async def school_label(application_id: str) -> str:
    """One school's application, from the invitation to the decision.

    It may run again from the first line at any time, and does whenever somebody answered: every
    task finds what is done already and does the rest.
    """
    register(application_id)
    prefill(application_id)
    invite(application_id)

    while ask_the_school(application_id):
        record_answer(application_id, await suspended(application_id))
    acknowledge(application_id)

    while ask(application_id):
        record_answer(application_id, await suspended(application_id))
    decide(application_id)

    issue_papers(application_id)
    notify(application_id)
    return close(application_id)
