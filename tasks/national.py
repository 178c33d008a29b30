"""The tasks of the National Quality Label: each moves one application on, and may be repeated."""

from __future__ import annotations

import sqlalchemy as sa
from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from labels import deciding, reviewing
from labels.issuing import due_papers
from labels.papers import CertificateFacts
from labels.record.schema import Application, Decision, Document, Outcome, Stage
from labels.steps import held
from tasks import briefs
from tasks.post import send_due
from tasks.retrying import RETRIED
from tasks.runs import run_name, run_tags
from tasks.workspace import workspace


@task(name="register", **RETRIED)
def register(application_id: str) -> str:
    """The application, known to the record and driven by this run from now on.

    Raises:
        NotFound: the record has no such application.
    """
    here = workspace()
    with here.record.writing() as session:
        application = held(session, application_id)
        application.run = str(flow_run.id)
    _tell_prefect(application)
    return application_id


@task(name="confirm the documents", **RETRIED)
def confirm_documents(application_id: str) -> int:
    """How many documents the application has; every one is in the store, whole.

    Raises:
        NotFound: one is missing.
        DamagedDocument: one is not what was put there.
    """
    here = workspace()
    with here.record.reading() as session:
        keys = session.scalars(sa.select(Document.key).where(Document.application == application_id)).all()
    for key in keys:
        here.documents.get(key)
    return len(keys)


@task(name="check the conditions", **RETRIED)
def conditions_met(application_id: str) -> bool:
    """Whether the application may be judged; if not, it has ended with every failed condition."""
    here = workspace()
    with here.record.writing() as session:
        return deciding.check_conditions(session, application_id, now=here.now())


@task(name="ask", **RETRIED)
def ask(application_id: str) -> list[str]:
    """Asks whom the rules call next; the steps that the application waits for, none if none."""
    here = workspace()
    with here.record.writing() as session:
        awaited = reviewing.ask(session, application_id, now=here.now(), key=here.key)
        application = session.get_one(Application, application_id)
        session.flush()
        application.parked_revision = application.revision
        text = briefs.brief(session, here, application, awaited).whole() if awaited else ""
        steps = [step.id for step in awaited]
    _tell_prefect(application)
    if steps:
        _show(f"brief-{application_id}", text, "What is asked of whom")
        _deliver(application_id)
    return steps


@task(name="decide", **RETRIED)
def decide(application_id: str) -> str:
    """The outcome, by the rules that the application was submitted under."""
    here = workspace()
    with here.record.writing() as session:
        return deciding.decide(session, application_id, now=here.now(), key=here.key).value


@task(name="issue the papers", **RETRIED)
def issue_papers(application_id: str) -> list[str]:
    """The certificate and the letters that the outcome calls for, rendered, stored and in the record."""
    # WeasyPrint takes half a second to import, and most executions end in a suspension before it.
    from tasks.rendering.certificates import render_certificate
    from tasks.rendering.letters import render_letter

    here = workspace()
    with here.record.reading() as session:
        due = due_papers(session, application_id)
    for paper in due:
        facts = paper.facts
        content = render_certificate(facts) if isinstance(facts, CertificateFacts) else render_letter(facts)
        key = here.documents.put(content, "application/pdf")
        with here.record.writing() as session:
            held(session, application_id)
            if session.scalar(
                sa.select(Document.id).where(
                    Document.application == application_id,
                    Document.kind == paper.kind,
                    Document.name == paper.name,
                )
            ):
                continue
            session.add(
                Document(
                    application=application_id, kind=paper.kind, name=paper.name, key=key,
                    media_type="application/pdf", size=len(content), stored_at=here.now(),
                )
            )  # fmt: skip
    return [paper.name for paper in due]


@task(name="notify", **RETRIED)
def notify(application_id: str) -> str:
    """Sends what waits in the outbox for this application; what can't go out now stays there."""
    return _deliver(application_id)


@task(name="close", **RETRIED)
def close(application_id: str) -> str:
    """Closes the application and shows its decision to the coordinator."""
    here = workspace()
    with here.record.reading() as session:
        application = session.get_one(Application, application_id)
        decision = session.get(Decision, (application.id, application.instance))
        text = briefs.decision(session, here, application) if decision else ""
    # Prefect first: nobody comes back to an application that is closed, to tell what was left out.
    if decision:
        _show(f"decision-{application_id}", text, f"{application_id}: {decision.outcome.value}")
    _tell_prefect(application, Stage.CLOSED)
    with here.record.writing() as session:
        outcome: Outcome = deciding.close(session, application_id, now=here.now())
        application = session.get_one(Application, application_id)
        session.flush()
        application.parked_revision = application.revision
    return outcome.value


def _deliver(application_id: str) -> str:
    delivered = send_due(workspace(), application_id)
    if delivered.failed or delivered.postponed:
        get_run_logger().warning("Some mail could not be sent and will be tried again: %s", delivered)
    return str(delivered)


def _show(key: str, markdown: str, description: str) -> None:
    create_markdown_artifact(key=key.lower(), markdown=markdown, description=description)


def _tell_prefect(application: Application, stage: Stage | None = None) -> None:
    """Names and tags the present run after where the application stands, or is about to stand."""
    body = {"name": run_name(application), "tags": run_tags(application, stage)}
    with get_client(sync_client=True) as client:
        client._client.patch(f"/flow_runs/{flow_run.id}", json=body).raise_for_status()
