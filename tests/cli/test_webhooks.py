"""`labels webhook`: added with a secret that is shown once, listed with how it is, ended; and what `labels status` says of it."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from adapters.roles import EVERYTHING
from adapters.workspace import workspace
from labels.record.schema import Journal, PlatformDelivery
from tests.cli.conftest import Terminal
from usecases import watching, webhooks

ADDRESS = "http://127.0.0.1:9/hooks?token=secret"
"""Where nobody answers."""
ADD = ("webhook", "add", "NSS-PL", ADDRESS)


@pytest.fixture(autouse=True)
def beside_us(monkeypatch: pytest.MonkeyPatch, terminal: Terminal) -> None:
    monkeypatch.setenv("LABELS_WEBHOOKS", "private")
    workspace.cache_clear()
    terminal.here = workspace()


def test_the_secret_is_printed_alone_and_once(terminal: Terminal) -> None:
    added = terminal.run(*ADD)
    [secret] = added.stdout.split()
    assert secret.startswith("whsec_")
    [row] = terminal.json("webhook", "list")
    assert secret not in json.dumps(row)
    other = terminal.json("webhook", "rotate", row["webhook"])["secret"]
    assert other.startswith("whsec_")
    assert other != secret
    assert terminal.json("webhook", "end", row["webhook"])["ended_at"]
    assert "has ended" in terminal.fails(3, "webhook", "rotate", row["webhook"])
    assert "has ended" in terminal.fails(3, "webhook", "replay", row["webhook"])


def test_what_may_be_secret_in_its_address_is_not_in_the_journal(terminal: Terminal) -> None:
    terminal.run(*ADD)
    with terminal.here.record.reading() as session:
        told = [
            one.details
            for one in session.scalars(sa.select(Journal).where(Journal.what == "added a webhook"))
        ]
    assert "token=secret" not in json.dumps(told)
    assert told[0]["host"] == "127.0.0.1"


def test_what_can_not_be_told_is_in_the_list_the_state_and_among_what_is_stuck(terminal: Terminal) -> None:
    assert "webhooks" not in {
        one.part
        for one in watching.status(terminal.here, terminal.here.settings, EVERYTHING, supervised=False)
    }
    identifier = terminal.json(*ADD)["webhook"]
    terminal.submitted()
    assert webhooks.tell(terminal.here).failed == 1
    [state] = [
        one
        for one in watching.status(terminal.here, terminal.here.settings, EVERYTHING, supervised=False)
        if one.part == "webhooks"
    ]
    assert state.health is watching.Health.LOOK
    assert "127.0.0.1" in state.detail
    assert "token=secret" not in state.detail
    [row] = terminal.json("webhook", "list", "NSS-PL")
    assert (row["waiting"], row["failing"]) == (1, 1)
    with terminal.here.record.writing() as session:
        session.scalars(sa.select(PlatformDelivery)).one().given_up_at = terminal.here.now()
    stuck = terminal.run("stuck").stdout
    assert f"labels webhook replay {identifier}" in " ".join(stuck.split())
    assert terminal.json("webhook", "rotate", identifier)["given_up"] == 1
    assert f"{identifier} is told 1 change again." in terminal.run("webhook", "replay", identifier).stderr
    assert f"{identifier} is told 0 changes again." in terminal.run("webhook", "replay", identifier).stderr
    again = terminal.json("webhook", "replay", identifier)
    assert (again["waiting"], again["failing"], again["given_up"], again["told_again"]) == (1, 1, 0, 0)
    assert terminal.json("webhook", "replay", identifier, "--since", "2026-01-01")["told_again"] == 1
    assert webhooks.tell(terminal.here).failed == 1
    assert terminal.json("webhook", "list")[0]["waiting"] == 1
    assert terminal.run("webhook", "list").exit_code == 0


def test_upkeep_says_what_platforms_were_told_and_nothing_where_there_was_nothing(terminal: Terminal) -> None:
    terminal.run(*ADD)
    terminal.submitted()
    assert "Webhooks: 0 told, 1 failed." in terminal.run("upkeep").stderr
    assert "Webhooks" not in terminal.run("upkeep").stderr, "it is tried again only in a while"
    assert terminal.json("upkeep")["platforms"] == {"told": 0, "failed": 0}


def test_what_is_wrong_with_a_webhook_is_told(terminal: Terminal) -> None:
    assert "WHAT: is needed" in terminal.fails(2, "webhook", "add")
    assert "expected https://" in terminal.fails(2, "webhook", "add", "NSS-PL", "nothing")
    assert "no organisation NSS-XX" in terminal.fails(4, "webhook", "add", "NSS-XX", ADDRESS)
    assert "no webhook WH-0" in terminal.fails(4, "webhook", "end", "WH-0")
    assert "is not a date" in terminal.fails(2, "webhook", "replay", "WH-0", "--since", "soon")
    assert "is not a date" in terminal.fails(2, "webhook", "replay", "WH-0", "--since", "0001-01-01")
    assert "--since: does not go with end" in terminal.fails(
        2, "webhook", "end", "WH-0", "--since", "2026-01-01"
    )
    assert "ADDRESS: does not go with rotate" in terminal.fails(2, "webhook", "rotate", "WH-0", ADDRESS)
    identifier = terminal.json(*ADD)["webhook"]
    said = terminal.fails(2, "webhook", "replay", identifier, "--since", "2026-03-17")
    assert "since: 2026-03-17 00:00 (Brussels) is still to come" in said
