"""A year of the European Quality Label through a real server and worker, from its labels to the gallery."""

from __future__ import annotations

import json
from datetime import date

import pytest
import sqlalchemy as sa

from adapters.prefect.client import prefect_client
from labels.answering import accepting
from labels.identifiers import nomination_id
from labels.record.schema import Award, Document, Mail, Organisation, Outcome, Staff
from labels.steps.answers import read_answer
from labels.steps.outcome import Accepted
from labels.steps.proof import Code
from labels.turn import Door, Turn
from tests.e2e.conftest import Stage_
from tests.support.people import code_of
from usecases.beginning import begin_cycle

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stage")]

YEAR = 2025
"""Its window is over on the day of the stage."""


def labels(stage: Stage_) -> None:
    """A Central Support Service, and three labels of one organisation: two for one project, at two schools."""
    with stage.here.record.writing() as session:
        session.add(
            Organisation(
                id="CSS",
                country="EU",
                kind="CSS",
                name="Central Service",
                email="css@css.example",
                language="en",
            )
        )
        session.flush()
        session.add(
            Staff(
                email="ada@css.example",
                role="coordinator",
                name="Ada",
                organisation="CSS",
                language="en",
                school=None,
            )
        )
        for teacher, project, school, score in (
            ("T-150", "P-150", "S-1", 28),
            ("T-151", "P-150", "S-9", 20),
            ("T-152", "P-152", "S-1", 19),
        ):
            session.add(
                Award(
                    id=f"NQL-{teacher}", label="national", teacher=teacher, project=project, school=school,
                    organisation="NSS-PL", awarded_on=date(2025, 5, 1), score=score,
                )
            )  # fmt: skip


def test_a_year_goes_from_the_screening_in_the_form_to_certificates_and_a_gallery(stage: Stage_) -> None:
    labels(stage)
    award, nomination = begin_cycle(stage.here, YEAR), nomination_id("NSS-PL", YEAR)
    stage.until(lambda: stage.exists(nomination) and stage.parked(nomination), "the proposal waits")
    assert "Place 1 of 3" in stage.artifact(f"ranking-{nomination}")
    [step] = stage.awaited(nomination)
    with prefect_client() as client:
        form = {"code": code_of(step, stage.here.key), "approve": "all", "strike": ""}
        result = client.resume_flow_run(stage.application(nomination).run, run_input=form)  # type: ignore[arg-type]
        assert result.status.value == "ACCEPT"
    stage.until_closed(nomination)
    assert stage.application(nomination).outcome is Outcome.NOMINATED
    stage.until(lambda: bool(stage.awaited(award)), "the award is asked for")
    stage.until_parked(award)
    [asked] = stage.awaited(award)
    assert "2 of at least 2 labelled partners" in stage.artifact(f"award-{award}").replace("\\", "")
    with stage.here.record.writing() as session:
        given = read_answer({"approve": ["P-150"], "strike": {}})
        done = accepting.answer(
            Turn(session, stage.here.now(), stage.here.key, Door.COMMAND_LINE),
            asked.id,
            Code(code_of(asked, stage.here.key), "ada@css.example"),
            given,
        )
        assert isinstance(done, Accepted), done
    stage.wake(award)
    stage.until_closed(award)
    with stage.here.record.reading() as session:
        documents = session.scalars(sa.select(Document).where(Document.application == award)).all()
        assert sorted(d.kind for d in documents) == ["certificate", "certificate", "gallery", "gallery"]
        sent = session.scalars(sa.select(Mail).where(Mail.template == "european_awarded")).all()
        assert len(sent) == 2
        assert all(mail.sent_at for mail in sent)
    assert stage.breaches(award, f"cycle {YEAR}") == []
    folder = stage.here.settings.home / "galleries" / str(YEAR)
    assert json.loads((folder / "gallery.json").read_text())["projects"] == 1
    assert "Mosty 150" in (folder / "index.html").read_text()
    assert f"| 3 | 1 | 1 | 1 | 1 | {Outcome.NOMINATED.value} |" in stage.artifact(f"cycle-{YEAR}")
