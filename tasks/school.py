"""The tasks of a school's application: what is filled in, what is asked of the school, and how it ends."""

from __future__ import annotations

from prefect import task

from adapters.papers.issuing import issue
from adapters.prefect.retrying import RETRIED
from adapters.workspace import workspace
from labels.papers.due import due_invitation
from labels.school_label import deciding, inviting, prefilling, receiving
from tasks.process import asked, in_a_turn


@task(name="fill in what is known", **RETRIED)
def prefill(application_id: str) -> bool:
    """Freezes what the registry knows of the school, for it to confirm; whether it was done now."""
    return in_a_turn(prefilling.prefill, application_id)


@task(name="invite the school", **RETRIED)
def invite(application_id: str) -> list[str]:
    """The letter of invitation, rendered, stored and in the record, on its way to the school's principal.

    Its teachers were invited by mail, with a code for each, before this run began.
    """
    here = workspace()
    with here.record.reading() as session:
        due = due_invitation(session, application_id)
    if due:
        with here.record.writing() as session:
            inviting.tell_the_principal(here.turn(session), application_id)
    return issue(here, due)


@task(name="ask the school", **RETRIED)
def ask_the_school(application_id: str) -> list[str]:
    """The steps by which the school is still to hand in or declare; none once its application is received or closed."""
    return asked(application_id, receiving.ask, artifact="brief", description="What is asked of the school")


@task(name="decide", **RETRIED)
def decide(application_id: str) -> str:
    """The outcome, by the rules that the school was invited under."""
    return in_a_turn(deciding.decide, application_id).value
