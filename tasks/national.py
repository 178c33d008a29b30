"""The tasks of the National Quality Label: each moves one application on, and may be repeated."""

from __future__ import annotations

import sqlalchemy as sa
from prefect import task
from sqlalchemy.orm import Session

from labels import deciding, reviewing
from labels.issuing import due_papers
from labels.papers import CertificateFacts
from labels.record.schema import Application, Document, Step
from labels.steps import held
from tasks import briefs
from tasks.process import asked
from tasks.retrying import RETRIED
from tasks.school_briefs import school_brief
from tasks.workspace import Workspace, workspace


@task(name="check the conditions", **RETRIED)
def conditions_met(application_id: str) -> bool:
    """Whether the application may be judged; if not, it has ended with every failed condition."""
    here = workspace()
    with here.record.writing() as session:
        return deciding.check_conditions(session, application_id, now=here.now())


@task(name="ask", **RETRIED)
def ask(application_id: str) -> list[str]:
    """Asks whom the rules call next; the steps that the application waits for, none if none."""
    return asked(application_id, reviewing.ask, _brief, artifact="brief", description="What is asked of whom")


def _brief(session: Session, here: Workspace, application: Application, awaited: list[Step]) -> str:
    told = school_brief if application.label == "school" else briefs.brief
    return told(session, here, application, awaited).whole() if awaited else ""


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
