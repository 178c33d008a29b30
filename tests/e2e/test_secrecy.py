"""What reviewers fill in leaves a real Prefect server with the answer, and nobody else reads it there meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from adapters.prefect.client import prefect_client
from labels.record.schema import Resumption, Review, Step
from tests.e2e.conftest import Stage_
from tests.support.people import code_of, points

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stage")]

COMMENT = "Kanarek w klatce ukrytej recenzji"
NOTE = "Notatka kanarka tylko dla kolegów"


def resume(stage: Stage_, application: str, filled: dict[str, Any]) -> None:
    run = stage.application(application).run
    with prefect_client() as client:
        said = client._client.post(f"/flow_runs/{run}/resume", json={"run_input": filled}).json()
    assert said["status"] == "ACCEPT", said


def files_of_prefect(stage: Stage_) -> list[Path]:
    """Its database, what SQLite writes beside it, results, and the logs of everything that runs."""
    home = stage.here.settings.home
    found = [*(home / "prefect").rglob("*"), *home.rglob("*.log")]
    assert any(path.name == "prefect.db" for path in found)
    return [path for path in found if path.is_file()]


def places_of(stage: Stage_, wanted: Iterable[str]) -> list[str]:
    """Where in the files of Prefect any of it stands, also in what was deleted and not written over."""
    needles = [form for text in wanted for form in (text.encode(), text.encode("unicode_escape"))]
    found = []
    for path in files_of_prefect(stage):
        content = path.read_bytes()
        found += [f"{path.name}: {needle!r}" for needle in needles if needle in content]
    return found


def said_by_prefect(stage: Stage_, application: str) -> str:
    """All that its interface tells of the application's run."""
    run = stage.application(application).run
    with prefect_client() as client:
        ask = client._client
        return "\n".join(
            [
                ask.get(f"/flow_runs/{run}").text,
                ask.get(f"/flow_run_states/?flow_run_id={run}").text,
                ask.post("/artifacts/filter", json={"limit": 200}).text,
                ask.post("/logs/filter", json={"limit": 200}).text,
                ask.post("/task_runs/filter", json={"limit": 200}).text,
                *(schema(stage, application, wait) for wait in range(waits(stage, application) + 1)),
            ]
        )


def schema(stage: Stage_, application: str, wait: int) -> str:
    run = stage.application(application).run
    with prefect_client() as client:
        return str(client._client.get(f"/flow_runs/{run}/input/suspended-{wait}-schema").text)


def waits(stage: Stage_, application: str) -> int:
    with stage.here.record.reading() as session:
        query = sa.select(sa.func.count()).where(Resumption.application == application)
        return session.scalar(query) or 0


def is_gone(stage: Stage_, application: str, wanted: list[str]) -> None:
    """In no file and no answer of Prefect's, once its log was emptied."""
    stage.until(lambda: not places_of(stage, wanted), "Prefect's files have nothing of it")
    said = said_by_prefect(stage, application)
    assert [text for text in wanted if text in said] == []


@pytest.fixture(scope="module")
def application(stage: Stage_) -> str:
    submitted = stage.submit(teacher="T-145", project="P-145")
    stage.until_parked(submitted)
    return submitted


def again(stage: Stage_, step: Step) -> Step:
    with stage.here.record.reading() as session:
        return session.get_one(Step, step.id)


def test_nothing_stays_of_an_answer_that_was_refused_and_of_one_that_was_taken(
    stage: Stage_, application: str
) -> None:
    first, _ = stage.reviews(application)
    given = {f"points_{name}": value for name, value in points(4).items() if name != "results"}
    code = code_of(first, stage.here.key)
    resume(stage, application, {"code": code, "comment": COMMENT, "note": NOTE, **given})
    stage.until(lambda: waits(stage, application) == 1 and stage.parked(application), "it was refused")
    is_gone(stage, application, [code, COMMENT, NOTE])

    slipped = code_of(again(stage, first), stage.here.key)
    slipped = slipped[:-1] + ("2" if slipped[-1] != "2" else "3")
    resume(stage, application, {"code": slipped, "points_results": 4})
    stage.until(lambda: waits(stage, application) == 2 and stage.parked(application), "the code had a slip")
    is_gone(stage, application, [code, slipped, COMMENT, NOTE])

    code = code_of(again(stage, first), stage.here.key)
    resume(stage, application, {"code": code})
    stage.until(lambda: waits(stage, application) == 3 and stage.parked(application), "it was taken")
    is_gone(stage, application, [code, COMMENT, NOTE])
    with stage.here.record.reading() as session:
        review = session.get_one(Review, first.id)
    assert (review.scores, review.comment, review.note) == (points(4), COMMENT, NOTE)


def test_what_was_filled_in_is_given_to_no_other_process_while_it_is_there(
    stage: Stage_, application: str
) -> None:
    inputs = f"{stage.running.api_url}/flow_runs/{stage.application(application).run}/input"
    for method, path, body in (
        ("GET", "suspended-0-response", None),
        ("POST", "filter", {"prefix": "suspended"}),
        ("DELETE", "suspended-0-response", None),
    ):
        assert httpx.request(method, f"{inputs}/{path}", json=body).status_code == 403, path
    assert httpx.get(f"{inputs}/suspended-0-schema").status_code == 200, "the form is everybody's"
