"""Webhooks by the API: a platform's own, with the secret once, and to no machine of our own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from labels.platform.tokens import TokenScope
from labels.record.journal import Event
from labels.record.schema import Journal
from labels.turn import Door
from tests.cli.conftest import Terminal
from tests.support.patience import PATIENCE
from tests.support.platform_programs import Program, problem

Makes = Callable[..., Program]
ADDRESS = json.dumps({"address": "https://platform.example/hooks"})


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of the example leads nowhere; it is found here as a host of the public Internet would be."""
    monkeypatch.setattr("usecases.webhooks.resolved", lambda host, port, private: "93.184.216.34")


def test_a_platform_has_itself_told_gets_another_secret_and_ends_it(
    terminal: Terminal, program: Makes
) -> None:
    one = program()
    made = one.sends("/webhooks", ADDRESS).json()
    assert made["secret"].startswith("whsec_")
    of = f"/webhooks/{made['webhook']}"
    assert one.sends(f"{of}/secret", "").json()["secret"] != made["secret"]
    assert one.gets("/webhooks").json()["webhooks"][0]["webhook"] == made["webhook"]
    assert "secret" not in one.gets("/webhooks").text
    one.sends(f"{of}/replay", "{}")
    one.sends(f"{of}/replay", '{"since": "2026-03-01T00:00:00+01:00"}')
    assert one.ends(of).json()["ended_at"]
    assert problem(one.sends(f"{of}/secret", "", 403)).type.endswith(":not-allowed")
    with terminal.here.record.reading() as session:
        [told] = session.scalars(sa.select(Journal.details).where(Journal.what == Event.ADDED_A_WEBHOOK))
    assert told["door"] == Door.PLATFORM


def test_another_organisation_s_webhook_is_not_there(program: Makes) -> None:
    of = f"/webhooks/{program().sends('/webhooks', ADDRESS).json()['webhook']}"
    other = program("NSS-PT")
    assert other.gets("/webhooks").json() == {"webhooks": []}
    absent = other.ends("/webhooks/WH-NOTHING", 404).content
    assert other.ends(of, 404).content == absent
    assert other.sends(f"{of}/secret", "", 404).content == absent
    assert other.sends(f"{of}/replay", "{}", 404).content == absent


@pytest.mark.parametrize(
    "body",
    ["{}", "[]", '{"address": 7}', '{"address": "http://platform.example/"}', '{"address": "https://x/", "more": 1}',
     json.dumps({"address": "https://" + "a" * 600}), '{"address": "https://["}', r'{"address": "https://x/\ud800"}',
     r'{"address": "https://x/", "\ud800": 1}'],
)  # fmt: skip
def test_what_is_no_webhook_is_refused(program: Makes, body: str) -> None:
    assert problem(program().sends("/webhooks", body, 422)).faults


@pytest.mark.parametrize(
    "since", ['"soon"', '"0001-01-01T00:00:00"', '"9999-12-31T23:59:59-23:59"', '"2026-03-01"']
)
def test_an_instant_that_is_none_breaks_nothing(program: Makes, since: str) -> None:
    one = program()
    of = f"/webhooks/{one.sends('/webhooks', ADDRESS).json()['webhook']}"
    answer: Any = one.client.post(
        f"/api/v1{of}/replay",
        content=f'{{"since": {since}}}',
        headers={"Authorization": f"Bearer {one.token}", "Content-Type": "application/json"},
    )
    assert answer.status_code in (200, 422), answer.text


def test_nothing_is_told_again_from_a_time_that_is_still_to_come(program: Makes) -> None:
    one = program()
    of = f"/webhooks/{one.sends('/webhooks', ADDRESS).json()['webhook']}"
    [fault] = problem(one.sends(f"{of}/replay", '{"since": "2026-12-31T00:00:00Z"}', 422)).faults
    assert (fault.where, fault.problem) == ("since", "2026-12-31 01:00 (Brussels) is still to come.")


def test_it_needs_the_scope(program: Makes) -> None:
    program(scopes=(TokenScope.CHANGES_READ,)).sends("/webhooks", ADDRESS, 403)


def test_no_batch_waits_for_a_host_that_is_looked_for(
    program: Makes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = program()
    looks, taken = threading.Event(), threading.Event()

    def slow(host: str, port: int, private: bool) -> str:
        looks.set()
        assert taken.wait(PATIENCE), "the batch waited for it"
        return "93.184.216.34"

    monkeypatch.setattr("usecases.webhooks.resolved", slow)
    with one.client:  # both in one loop, as the desk serves them
        adds = threading.Thread(target=lambda: one.sends("/webhooks", ADDRESS))
        adds.start()
        assert looks.wait(PATIENCE)
        rows = [{"project": "P-50", "title": "Rzeki", "started_on": "2025-09-01", "ended_on": None}]
        one.sends("/registry/projects", json.dumps({"rows": rows}), 200, **{"Idempotency-Key": "k-1"})
        taken.set()
        adds.join(PATIENCE)
        assert len(one.gets("/webhooks").json()["webhooks"]) == 1
