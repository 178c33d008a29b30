"""The National Quality Label through a real server and worker, from a file to a certificate."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from labels.record.schema import Decision, Document, Mail, Outcome, Resumption
from tasks.runs import prefect_client
from tests.e2e.conftest import Stage_
from tests.support.people import code_of, points

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stage"), pytest.mark.timeout(300)]


def filled(stage: Stage_, step: object, each: int = 4) -> dict[str, str]:
    """The Resume form as a reviewer fills it in."""
    words = {0: "nothing", 1: "poor", 2: "acceptable", 3: "good", 4: "very good", 5: "excellent"}
    form = {f"points_{name}": f"{value} – {words[value]}" for name, value in points(each).items()}
    return form | {"comment": "Well done.", "code": code_of(step, stage.here.key)}  # type: ignore[arg-type]  # a step


def resume(stage: Stage_, application: str, form: dict[str, object]) -> str:
    """Resumes as the UI does, with raw JSON; returns the server's status."""
    with prefect_client() as client:
        result = client.resume_flow_run(stage.application(application).run, run_input=form)  # type: ignore[arg-type]
        return result.status.value


def test_a_review_through_the_form_leads_to_the_certificate(stage: Stage_) -> None:
    application = stage.submit(teacher="T-100", project="P-100")
    stage.until_parked(application)
    for step in stage.reviews(application):
        wrong = filled(stage, step) | {"code": "2222-2222-22"}
        assert resume(stage, application, wrong) == "ACCEPT"
        stage.until_parked(application)
        assert any("not valid" in (s.refused or "") for s in stage.reviews(application))
        assert resume(stage, application, filled(stage, step)) == "ACCEPT"
        if stage.reviews(application) != [step]:
            stage.until(lambda s=step: s.id not in {x.id for x in stage.reviews(application)}, "it counts")
            if stage.application(application).outcome is None and stage.reviews(application):
                stage.until_parked(application)
    stage.until_closed(application)
    with stage.here.record.reading() as session:
        decision = session.get_one(Decision, (application, 1))
        assert decision.outcome is Outcome.AWARDED
        documents = session.scalars(sa.select(Document).where(Document.application == application)).all()
        assert sorted(d.kind for d in documents) == ["application", "certificate", "letter"]
        certificate = next(d for d in documents if d.kind == "certificate")
        assert stage.here.documents.get(certificate.key).startswith(b"%PDF-")
        mails = session.scalars(sa.select(Mail).where(Mail.application == application)).all()
        assert sorted(m.template for m in mails) == ["awarded", "receipt", "review_asked", "review_asked"]
        assert all(m.sent_at for m in mails)
        accepted = session.scalars(sa.select(Resumption.accepted).where(Resumption.application == application))
        assert sorted(accepted) == [False, False, True, True]
    with prefect_client() as client:
        run = client.read_flow_run(stage.application(application).run)  # type: ignore[arg-type]
        assert run.state is not None
        assert run.state.is_completed()
        assert {"label:national", "country:PL", "stage:closed"} <= set(run.tags)
        assert run.name == f"NQL · PL · awarded · {application}"
