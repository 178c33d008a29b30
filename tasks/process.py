"""The tasks that every process shares: how an application is taken up, shown and closed; each may be repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.context import FlowRunContext
from prefect.runtime import flow_run
from sqlalchemy.orm import Session

from adapters.mail.post import send_due
from adapters.papers.issuing import issue
from adapters.prefect.client import prefect_client
from adapters.prefect.markdown.briefs import whole
from adapters.prefect.markdown.decision import decision as decision_in_markdown
from adapters.prefect.markdown.links import links
from adapters.prefect.retrying import RETRIED
from adapters.prefect.runs import run_name, run_tags
from adapters.workspace import Workspace, workspace
from labels.applications import ending
from labels.papers.due import due_receipt
from labels.record.schema import Application, Document, Outcome, Stage, Step
from labels.steps.step import locked
from labels.turn import Turn
from labels.views.briefs.by_label import brief_of
from labels.views.decision import decision_of
from usecases.resuming import take_unseen

S = TypeVar("S")
R = TypeVar("R")


@task(name="register", **RETRIED)
def register(application_id: str) -> str:
    """The application, known to the record and driven by this run from now on.

    Raises:
        NotFound: the record has no such application.
    """
    here = workspace()
    with here.record.writing() as session:
        application = locked(session, application_id)
        application.run = str(flow_run.id)
    tell_prefect(application)
    return application_id


@task(name="acknowledge", **RETRIED)
def acknowledge(application_id: str) -> list[str]:
    """The receipt of the application: what arrived and when, rendered, stored and in the record.

    Every one of its documents is in the store and whole by then, and is looked at again whenever the run goes on.

    Raises:
        NotFound: one is missing.
        DamagedDocument: one is not what was put there.
    """
    here = workspace()
    with here.record.reading() as session:
        keys = session.scalars(sa.select(Document.key).where(Document.application == application_id)).all()
        due = due_receipt(session, application_id)
    for key in keys:
        here.documents.get(key)
    return issue(here, due)


def in_a_turn(do: Callable[[Turn, S], R], subject: S) -> R:
    """Does what a function of the domain does to a subject, in a transaction of its own."""
    here = workspace()
    with here.record.writing() as session:
        return do(here.turn(session), subject)


def brief_in_markdown(
    session: Session, here: Workspace, application: Application, awaited: list[Step]
) -> str:
    """What is asked of whom, with all that they go by; empty where nobody is asked."""
    return whole(brief_of(session, application, awaited), links(here, awaited)) if awaited else ""


def asked(
    application_id: str,
    ask: Callable[[Turn, str], list[Step]],
    *,
    artifact: str,
    description: str,
    shown: Callable[[Session, Workspace, Application, list[Step]], str] = brief_in_markdown,
) -> list[str]:
    """Asks whom the domain's `ask` names, notes what the run has seen, shows it and mails it.

    Returns the steps that the application waits for, none if none. What `shown` makes of them is an
    artifact of the run, unless it is empty.
    """
    here = workspace()
    with here.record.writing() as session:
        awaited = ask(here.turn(session), application_id)
        application = session.get_one(Application, application_id)
        session.flush()
        application.parked_revision = application.revision
        text = shown(session, here, application, awaited)
        steps = [step.id for step in awaited]
    tell_prefect(application)
    if text:
        show(f"{artifact}-{application_id}", text, description)
    if steps:
        deliver(application_id)
    return steps


@task(name="notify", **RETRIED)
def notify(application_id: str) -> str:
    """Sends what waits in the outbox for this application; what can't go out now stays there."""
    return deliver(application_id)


@task(name="close", **RETRIED)
def close(application_id: str) -> str:
    """Closes the application and shows its decision to the coordinator."""
    here = workspace()
    with here.record.reading() as session:
        application = session.get_one(Application, application_id)
        decision = decision_of(session, application)
    # Prefect first: nobody comes back to an application that is closed, to tell what was left out.
    if decision:
        text = decision_in_markdown(decision, links(here))
        show(f"decision-{application_id}", text, f"{application_id}: {decision.outcome.value}")
    tell_prefect(application, Stage.CLOSED)
    with prefect_client() as client:  # a form that was sent while it ended through another door
        take_unseen(here, client, application_id, str(flow_run.id))
    with here.record.writing() as session:
        outcome: Outcome = ending.close(here.turn(session), application_id)
        application = session.get_one(Application, application_id)
        session.flush()
        application.parked_revision = application.revision
    return outcome.value


def deliver(application_id: str) -> str:
    """Sends what waits in the outbox for this application, and says in the log what could not go."""
    delivered = send_due(workspace(), application_id)
    if delivered.failed or delivered.postponed:
        get_run_logger().warning("Some mail could not be sent and will be tried again: %s", delivered)
    return str(delivered)


def show(key: str, markdown: str, description: str) -> None:
    """Puts a text where coordinators look: an artifact of the present run, replaced when it is shown again."""
    create_markdown_artifact(key=key.lower(), markdown=markdown, description=description)


def tell_prefect(application: Application, stage: Stage | None = None) -> None:
    """Names and tags the present run after where the application stands, or is about to stand."""
    here = FlowRunContext.get()
    run = here.flow_run if here else None
    name, tags = run_name(application), run_tags(application, stage)
    if run is not None and run.name == name and set(run.tags) == set(tags):
        return
    with prefect_client() as client:
        client.update_flow_run(UUID(flow_run.id), name=name, tags=tags)
    if run is not None:
        run.name, run.tags = name, tags
