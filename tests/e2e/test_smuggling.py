"""Prefect's own markers in an answer, sent straight to Prefect's interface: they change and reveal nothing."""

from __future__ import annotations

import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.mail.folder import MailFolder
from adapters.prefect.client import prefect_client
from labels.record.schema import Base, Resumption, Review, Step
from tests.e2e.conftest import Stage_
from tests.support.people import code_of, points

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stage")]

SECRETS = {"smuggled_password": "hunter2-plain-secret", "smuggled_text": '"hunter2-quoted-secret"'}
"""Variables of the Prefect server, the second as JSON writes a text."""

PASSWORD = {"__prefect_kind": "workspace_variable", "variable_name": "smuggled_password"}
QUOTED = {"__prefect_kind": "json", "value": {**PASSWORD, "variable_name": "smuggled_text"}}


def call(method: str, path: str, **body: Any) -> Any:
    """Prefect's interface as anybody may call it, past its client and its pages."""
    with prefect_client() as client:
        response = client.request(method, path, json=body)  # type: ignore[arg-type]  # any route
        return response.json() if response.content else None


@pytest.fixture(scope="module")
def application(stage: Stage_) -> str:
    for name, value in SECRETS.items():
        call("POST", "/variables/", name=name, value=value)
    submitted = stage.submit(teacher="T-140", project="P-140")
    stage.until_parked(submitted)
    return submitted


def form(stage: Stage_, step: Step, **changes: Any) -> dict[str, Any]:
    """The Resume form of a step, with the right code, and with changes."""
    filled: dict[str, Any] = {f"points_{name}": value for name, value in points(4).items()}
    return filled | {"comment": "Well done.", "code": code_of(step, stage.here.key)} | changes


def resume(stage: Stage_, application: str, filled: Any) -> str:
    run = stage.application(application).run
    status: str = call("POST", f"/flow_runs/{run}/resume", run_input=filled)["status"]
    return status


def everything(stage: Stage_, application: str) -> str:
    """All that the record, the mail and Prefect's pages hold."""
    parts: list[str] = []
    with stage.here.record.reading() as session:
        for table in Base.metadata.sorted_tables:
            parts += [str(row) for row in session.execute(sa.select(table))]
    for message in MailFolder(stage.here.settings.mail_folder).messages():
        parts += [str(message["Subject"])]
        parts += [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    run = stage.application(application).run
    parts.append(str(call("POST", "/artifacts/filter", limit=200)))
    parts.append(str(call("POST", "/logs/filter", limit=200)))
    parts.append(str(call("GET", f"/flow_runs/{run}")))
    parts.append(str(call("GET", f"/flow_run_states/?flow_run_id={run}")))
    with stage.here.record.reading() as session:
        waits = session.scalar(sa.select(sa.func.count()).where(Resumption.run == run))
    parts.append(str(call("GET", f"/flow_runs/{run}/input/suspended-{waits}-schema")))
    return "\n".join(parts)


def test_what_is_no_text_or_number_of_the_form_does_not_wake_the_run(stage: Stage_, application: str) -> None:
    step = stage.reviews(application)[0]
    for filled in (
        PASSWORD,
        {"__prefect_kind": "jinja", "template": "{{ prefect.variables.smuggled_password }}"},
        form(stage, step, points_results=PASSWORD),
        form(stage, step, comment=[PASSWORD]),
        form(stage, step, comment={"words": PASSWORD}),
        form(stage, step, password=PASSWORD),
        form(stage, step, comment={"__prefect_kind": "json", "value": '{"a": 1}'}),
    ):
        assert resume(stage, application, filled) == "REJECT", filled
    assert stage.parked(application)


@pytest.mark.parametrize(
    "smuggled",
    [PASSWORD, {"__prefect_kind": "jinja", "template": PASSWORD}, QUOTED],
    ids=["a variable", "a variable as a template", "a variable read as JSON"],
)
def test_a_variables_value_leads_back_to_the_step_and_is_kept_nowhere(
    stage: Stage_, application: str, smuggled: Any
) -> None:
    step = stage.reviews(application)[0]
    assert resume(stage, application, form(stage, step, comment=smuggled)) == "ACCEPT"
    stage.until_parked(application)
    again = next(one for one in stage.reviews(application) if one.id == step.id)
    assert again.code_number == step.code_number + 1, "whoever owns the code is told in a mail"
    assert again.draft is again.typed is None
    with stage.here.record.reading() as session:
        remarks = session.scalars(
            sa.select(Resumption.remark).where(Resumption.application == application)
        ).all()
    assert "value of a variable of the Prefect server" in remarks[-1]
    with stage.here.record.reading() as session:
        assert session.get(Review, step.id) is None
    assert "hunter2" not in everything(stage, application)


def test_a_template_of_variables_is_filled_with_nothing(stage: Stage_, application: str) -> None:
    step = stage.reviews(application)[0]
    template = "{{ prefect.variables.smuggled_password }}{{ smuggled_password }}{{ 6 * 7 }}"
    answer = form(stage, step, comment={"__prefect_kind": "jinja", "template": template})
    status = resume(stage, application, answer)
    assert status in {"ACCEPT", "REJECT"}
    stage.until_parked(application)
    assert "hunter2" not in everything(stage, application)


def test_of_two_forms_at_the_same_moment_one_counts_and_the_other_is_told(
    stage: Stage_, application: str
) -> None:
    step = stage.reviews(application)[-1]
    answers = [form(stage, step, comment=f"Answer {n}.") for n in (1, 2)]
    with ThreadPoolExecutor(2) as both:
        waiting = [
            both.submit(contextvars.copy_context().run, resume, stage, application, one) for one in answers
        ]
        said = [one.result() for one in waiting]
    assert sorted(said) == ["ABORT", "ACCEPT"]
    stage.until(lambda: step.id not in {one.id for one in stage.reviews(application)}, "the review counts")
    with stage.here.record.reading() as session:
        assert session.get_one(Review, step.id).comment == f"Answer {1 + said.index('ACCEPT')}."
