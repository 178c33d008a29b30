"""The National Quality Label through a real server and worker, from a file to a certificate."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import pytest
import sqlalchemy as sa
from prefect.client.schemas.objects import FlowRun

from adapters.prefect.client import prefect_client
from labels.mail.message import Template
from labels.record.schema import Decision, Document, Mail, Outcome, Resumption, Step
from tests.e2e.conftest import Stage_
from tests.support.people import code_of, points

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stage")]


def filled(stage: Stage_, step: Step, each: int = 4) -> dict[str, object]:
    """The Resume form as a reviewer fills it in."""
    form = {f"points_{name}": value for name, value in points(each).items()}
    return {**form, "comment": "Well done.", "code": code_of(step, stage.here.key)}


def resume(stage: Stage_, application: str, form: Mapping[str, object]) -> str:
    """Resumes as the UI does, with raw JSON; returns the server's status."""
    with prefect_client() as client:
        result = client.resume_flow_run(stage.application(application).run, run_input=dict(form))  # type: ignore[arg-type]
        return result.status.value


def _settled(stage: Stage_, application: str, step: Step) -> bool:
    """Whether the step is answered and the run has gone on to the next, or to an outcome."""
    left = stage.reviews(application)
    return step.id not in {one.id for one in left} and (not left or stage.parked(application))


def test_a_review_through_the_form_leads_to_the_certificate(stage: Stage_) -> None:
    application = stage.submit(teacher="T-100", project="P-100")
    stage.until_parked(application)
    for step in stage.reviews(application):
        wrong = filled(stage, step) | {"code": "2222-2222-22"}
        assert resume(stage, application, wrong) == "ACCEPT"
        stage.until_parked(application)
        assert any("not valid" in (s.refused or "") for s in stage.reviews(application))
        assert resume(stage, application, filled(stage, step)) == "ACCEPT"
        stage.until(functools.partial(_settled, stage, application, step), "the review counts")
    stage.until_closed(application)
    with stage.here.record.reading() as session:
        decision = session.get_one(Decision, (application, 1))
        assert decision.outcome is Outcome.AWARDED
        documents = session.scalars(sa.select(Document).where(Document.application == application)).all()
        assert sorted(d.kind for d in documents) == ["application", "certificate", "letter", "receipt"]
        certificate = next(d for d in documents if d.kind == "certificate")
        assert stage.here.documents.get(certificate.key).startswith(b"%PDF-")
        mails = session.scalars(sa.select(Mail).where(Mail.application == application)).all()
        # The applications of these tests read alike, and whichever comes later is warned of.
        about_it = sorted(one.template for one in mails if one.template != Template.SIMILARITY_WARNING)
        assert about_it == ["awarded", "receipt", "review_asked", "review_asked"]
        assert all(m.sent_at for m in mails)
        accepted = session.scalars(
            sa.select(Resumption.accepted).where(Resumption.application == application)
        )
        assert sorted(accepted) == [False, False, True, True]

    def ended() -> FlowRun | None:
        with prefect_client() as client:
            run = client.read_flow_run(stage.application(application).run)  # type: ignore[arg-type]
        return run if run.state is not None and run.state.is_completed() else None

    stage.until(ended, "its run is completed")  # a moment after the record is closed
    run = ended()
    assert run is not None
    assert {"label:national", "country:PL", "stage:closed"} <= set(run.tags)
    assert run.name == f"NQL · PL · awarded · {application}"
    assert stage.breaches(application) == []
