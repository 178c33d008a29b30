"""What the commands that change something share: a refusal is raised, a run is woken, and what was done is said."""

from __future__ import annotations

from adapters.mail.post import send_due
from adapters.prefect.client import prefect_client
from adapters.workspace import Workspace, existing_workspace
from cli.output import emit, fail, say
from labels.answering import proving
from labels.errors import OutOfReach
from labels.steps.outcome import Accepted, Refusal
from usecases.running import wake


def accepted(result: Accepted | Refusal | None, here: Workspace, application: str | None = None) -> str:
    """The remark of what was accepted; a refusal is raised, so that it ends with exit code 3.

    Where a code was tried too often, the mail with the new one goes out first.
    """
    if isinstance(result, Refusal):
        if result.mailed:
            send_due(here, application)
        raise result.as_error()
    return result.remark if result else ""


def went_on(here: Workspace, application: str, as_json: bool, remark: str) -> None:
    """Says what was done, and wakes the application's run, for which the record now has news.

    Where Prefect is away, what was done comes first: it is in the record and counts.
    """
    try:
        with prefect_client() as client:
            woken = wake(here, client, application)
    except OutOfReach as error:
        say(remark, "green")
        fail(error)
    if not woken.done:
        say(woken.remark)
    done(as_json, application, remark)


def application_of(step: str) -> str:
    with existing_workspace().record.reading() as session:
        return proving.find_step(session, step).application


def done(as_json: bool, subject: str, remark: str) -> None:
    if as_json:
        emit({"subject": subject, "remark": remark})
    else:
        say(remark, "green")
