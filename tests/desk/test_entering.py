"""From the desk to the gate at a host name of its own: who has signed in there has a session here, and nobody else."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from adapters.workspace import Workspace
from desk.gate import signed_in_gate
from labels.sessions import elsewhere
from tests.cli.conftest import COORDINATOR, TEACHER, Terminal
from tests.desk.conftest import Browser
from tests.desk.test_passkeys import ORIGIN, before
from tests.support.people import KEY, NOW

GATE = "https://runs.example.eu"
PREFECT = "http://127.0.0.1:9"


@pytest.fixture
def here(terminal: Terminal) -> Workspace:
    """The desk at one name, the gate at another."""
    settings = terminal.here.settings.model_copy(
        update={"public_url": ORIGIN, "site_url": GATE, "operators": COORDINATOR}
    )
    return dataclasses.replace(terminal.here, settings=settings)


@pytest.fixture
def gates(here: Workspace) -> Iterator[Callable[..., TestClient]]:
    """Opens a browser before the gate."""
    opened: list[TestClient] = []

    def open_one(at: Workspace = here) -> TestClient:
        app = signed_in_gate(at, PREFECT)
        client = TestClient(app, base_url=GATE, follow_redirects=False)
        opened.append(client.__enter__())
        return client

    yield open_one
    for one in opened:
        one.__exit__()


Gates = Callable[..., TestClient]


def ticket(desk: Browser, gate: TestClient) -> str:
    led = gate.get("/runs").headers["location"]
    assert led.startswith(f"{ORIGIN}/to-prefect?mark=")
    return str(desk.opens(led.removeprefix(ORIGIN)).headers["location"])


def test_who_has_signed_in_at_the_desk_comes_in(here: Workspace, gates: Gates) -> None:
    desk, gate = before(here).signs_in(COORDINATOR), gates()
    back = ticket(desk, gate)
    assert back.startswith(f"{GATE}/enter?ticket=")
    entered = gate.get(back)
    assert (entered.status_code, entered.headers["location"]) == (303, "/runs")
    assert set(gate.cookies) == {"__Host-session"}
    assert gate.get("/ui-settings").status_code == 200
    desk.sends("/account", {"everywhere": "1"})
    assert gate.get("/api/health").status_code == 401


def test_who_has_not_signs_in_on_the_way(here: Workspace, gates: Gates) -> None:
    desk, gate = before(here), gates()
    led = gate.get("/runs").headers["location"].removeprefix(ORIGIN)
    asked = desk.opens(led)
    assert asked.headers["location"].startswith("/sign-in?then=%2Fto-prefect%3Fmark%3D")
    form_action = desk.opens(asked.headers["location"]).headers["content-security-policy"]
    assert f"form-action 'self' {GATE};" in form_action, (
        "browsers hold what a form leads to at last to it, too"
    )
    desk.client.post("/sign-in", data={"address": COORDINATOR})
    then = parse_qs(urlsplit(asked.headers["location"]).query)["then"][0]
    answer = desk.client.post("/sign-in/code", data={"code": desk.code(COORDINATOR), "then": then})
    assert answer.headers["location"] == led
    assert gate.get(desk.opens(led).headers["location"]).status_code == 303


def test_a_teacher_comes_in_and_finds_nothing(here: Workspace, gates: Gates) -> None:
    desk, gate = before(here).signs_in(TEACHER), gates()
    gate.get(ticket(desk, gate))
    assert gate.get("/api/health").status_code == 401


def test_a_ticket_is_its_browsers_and_works_once_for_a_minute(here: Workspace, gates: Gates) -> None:
    desk, gate, thief = before(here).signs_in(COORDINATOR), gates(), gates()
    thief.get("/runs")
    back = ticket(desk, gate)
    assert thief.get(back).status_code == 403
    assert gates().get(back).status_code == 403
    late = dataclasses.replace(here, clock=lambda: here.now() + elsewhere.LASTS)
    at_last = gates(late)
    at_last.cookies.update(gate.cookies)
    assert at_last.get(back).status_code == 403
    assert gate.get(back).status_code == 303
    assert gate.get(back).status_code == 403


def test_the_way_back_leads_nowhere_else(here: Workspace, gates: Gates) -> None:
    desk, gate = before(here).signs_in(COORDINATOR), gates()
    led = gate.get("/runs").headers["location"].removeprefix(ORIGIN)
    away = desk.opens(led.replace("%2Fruns", "%2F%2Fevil.example")).headers["location"]
    assert gate.get(away).headers["location"] == "/"


def test_where_one_cookie_reaches_both_there_is_no_such_way(browser: Callable[[], Browser]) -> None:
    desk = browser().signs_in(COORDINATOR)
    assert desk.opens("/to-prefect?mark=0").status_code == 404
    assert "form-action 'self';" in desk.opens("/account").headers["content-security-policy"]


def test_nobody_makes_a_ticket_or_a_token_without_the_key() -> None:
    mark = elsewhere.mark_of("secret")
    good = elsewhere.ticket(KEY, "session", mark, NOW)
    assert elsewhere.session_of_ticket([KEY], good, "secret", NOW) == "session"
    session, until, seal = good.split(".")
    for wrong in (
        "",
        "..",
        good[:-1],
        f"other.{until}.{seal}",
        f"{session}.{int(until) + 1}.{seal}",
        f"{session}.x.{seal}",
        f"{session}.٣.{seal}",
        f"{session}.{'9' * 40}.{seal}",
        elsewhere.ticket(b"other", "session", mark, NOW),
    ):
        assert elsewhere.session_of_ticket([KEY], wrong, "secret", NOW) is None, wrong
    assert elsewhere.session_of_ticket([KEY], good, "other", NOW) is None
    assert elsewhere.session_of_ticket([KEY], good, "", NOW) is None
    assert elsewhere.session_of_ticket([KEY], good, "secret", NOW + timedelta(minutes=1)) is None
    token = elsewhere.token(KEY, "session")
    assert elsewhere.session_of_token([KEY], token) == "session"
    for wrong in ("", "session", "session.", token.replace("session", "other"), good, f"session.{seal}"):
        assert elsewhere.session_of_token([KEY], wrong) is None, wrong
