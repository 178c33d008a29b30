"""A round of the School Label through a real server and worker, from the check of every school to a certificate."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from adapters.prefect.client import prefect_client
from adapters.prefect.runs import ask_for
from labels.answering import accepting
from labels.applications.documents import StoredDocument
from labels.record.schema import (
    Award,
    Document,
    Mail,
    Member,
    Organisation,
    Outcome,
    Project,
    School,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.school_label import rounds
from labels.steps.answers import Answer, Declaration, ReviewAnswer
from labels.steps.outcome import Accepted
from labels.steps.proof import Code
from labels.turn import Door, Turn
from tests.e2e.conftest import Stage_
from tests.support.people import TODAY, code_of
from tests.support.school import QUESTIONS, whole
from usecases.inviting import DEPLOYMENT, begin

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stage")]


def a_school_that_passes(stage: Stage_) -> None:
    """One with two teachers and a labelled European project; the others hold a label already."""
    with stage.here.record.writing() as session:
        if session.get(Organisation, "CSS") is None:
            session.add(
                Organisation(
                    id="CSS", country="EU", kind="CSS", name="Central", email="css@css.example", language="en"
                )
            )
            session.flush()
        for other in ("S-1", "S-2", "S-9"):
            session.add(
                Award(
                    id=f"SCH-{other}", label="school", teacher=None, project=None, school=other,
                    organisation="CSS", awarded_on=date(2025, 5, 1), score=None,
                    valid_until=date(2030, 1, 1), revoked_at=None,
                )
            )  # fmt: skip
        session.add(
            School(
                id="S-70", name="Szkoła Mostów", country="PL", organisation="NSS-PL", city="Toruń",
                registered_on=date(2015, 1, 1), principal_name="Dyrektorka",
                principal_email="dyrektorka@s70.example",
            )
        )  # fmt: skip
        session.add(Project(id="P-170", title="Mosty", started_on=date(2025, 1, 1), ended_on=None))
        session.flush()
        for n in (170, 171):
            session.add(
                Teacher(
                    id=f"T-{n}", name=f"Nauczycielka {n}", email=f"t-{n}@s70.example", school="S-70",
                    registered_on=date(2015, 1, 1), language="pl",
                )
            )  # fmt: skip
        session.flush()
        for teacher in ("T-170", "T-171", "T-2"):
            role = "partner" if teacher == "T-171" else "founder"
            session.add(Member(project="P-170", teacher=teacher, role=role, joined_on=date(2025, 1, 1)))
        session.add(
            Award(
                id="NQL-T-170", label="national", teacher="T-170", project="P-170", school="S-70",
                organisation="NSS-PL", awarded_on=date(2025, 12, 1), score=20, valid_until=None, revoked_at=None,
            )
        )  # fmt: skip


def open_of(stage: Stage_, application: str, kind: StepKind) -> list[Step]:
    return [step for step in stage.awaited(application) if step.kind is kind]


def give(stage: Stage_, step: Step, given: Answer, documents: list[StoredDocument]) -> None:
    with stage.here.record.writing() as session:
        result = accepting.answer(
            Turn(session, stage.here.now(), stage.here.key, Door.COMMAND_LINE),
            step.id,
            Code(code_of(step, stage.here.key), step.assignee),
            given,
            documents=documents,
        )
    assert isinstance(result, Accepted)
    stage.wake(step.application)


def test_a_round_leads_from_the_check_of_every_school_to_a_certificate(stage: Stage_) -> None:
    a_school_that_passes(stage)
    year = begin(stage.here, TODAY).year
    with prefect_client() as client:
        ask_for(client, DEPLOYMENT, {"on": TODAY.isoformat()})

    def invited() -> str | None:
        with stage.here.record.reading() as session:
            if rounds.round_of(session, year).invited_at is None:
                return None
            [one] = rounds.results(session, year, "S-70")
            return one.application

    stage.until(invited, "the school is invited")
    application = invited()
    assert application is not None
    stage.until_parked(application)
    assert "Each of 2 teachers" in stage.artifact(f"brief-{application}")

    files = [
        StoredDocument("evidence", f"{name}.pdf", stage.here.documents.put(name.encode(), "application/pdf"),
                       "application/pdf", len(name))
        for name in ("safety", "policy", "declaration")
    ]  # fmt: skip
    said = whole(requirements=dict.fromkeys("BCDE", "See our page."))
    give(stage, open_of(stage, application, StepKind.SELF_ASSESSMENT)[0], said, files)
    stage.until_parked(application)
    [step] = open_of(stage, application, StepKind.DECLARATION)
    give(stage, step, Declaration(declare=True), [])
    stage.until_parked(application)
    points = {pillar.id: 4 for pillar in QUESTIONS.pillars}
    for step in stage.reviews(application):
        give(stage, step, ReviewAnswer(scores=points, comment="Dobrze."), [])
    stage.until_closed(application)
    with stage.here.record.reading() as session:
        assert stage.application(application).outcome is Outcome.AWARDED
        assert session.get_one(Award, application).valid_until == date(
            TODAY.year + 2, TODAY.month, TODAY.day - 1
        )
        [certificate] = session.scalars(
            sa.select(Document).where(Document.application == application, Document.kind == "certificate")
        )
        assert stage.here.documents.get(certificate.key).startswith(b"%PDF-")
        told = session.scalars(
            sa.select(Mail.to_address).where(
                Mail.application == application, Mail.template == "school_awarded", Mail.sent_at.is_not(None)
            )
        )
        assert sorted(told) == ["dyrektorka@s70.example", "t-170@s70.example", "t-171@s70.example"]
        states = session.scalars(sa.select(Step.state).where(Step.application == application))
        assert StepState.OPEN not in set(states)
    assert stage.breaches(application) == []
