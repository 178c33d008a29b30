"""The tasks of the National Quality Label: each moves one application on, and may be repeated."""

from __future__ import annotations

from prefect import get_run_logger, task

from adapters.papers.issuing import issue
from adapters.prefect.retrying import RETRIED
from adapters.workspace import workspace
from labels.applications import conditions
from labels.errors import OutOfReach
from labels.papers.due import due_papers
from labels.reviews import asking, deciding
from tasks.process import asked, in_a_turn
from usecases.likeness import look_for_likeness


@task(name="check the conditions", **RETRIED)
def conditions_met(application_id: str) -> bool:
    """Whether the application may be judged; if not, it has ended with every failed condition.

    Either way it is looked, once, for what it reads like: a notice to the coordinator, without which the application
    goes on where its texts can't be compared.
    """
    met = in_a_turn(conditions.check_conditions, application_id)
    try:
        look_for_likeness(workspace(), application_id)
    except OutOfReach:  # the record itself is away: the task is tried again
        raise
    except Exception:
        get_run_logger().exception("It can't be looked for what %s reads like; it goes on.", application_id)
    return met


@task(name="ask", **RETRIED)
def ask(application_id: str) -> list[str]:
    """Asks whom the rules call next; the steps that the application waits for, none if none."""
    return asked(application_id, asking.ask, artifact="brief", description="What is asked of whom")


@task(name="decide", **RETRIED)
def decide(application_id: str) -> str:
    """The outcome, by the rules that the application was submitted under."""
    return in_a_turn(deciding.decide, application_id).value


@task(name="issue the papers", **RETRIED)
def issue_papers(application_id: str) -> list[str]:
    """The certificate and the letters that the outcome calls for, rendered, stored and in the record."""
    here = workspace()
    with here.record.reading() as session:
        due = due_papers(session, application_id, here.stamp, here.settings.desk_url)
    return issue(here, due)
