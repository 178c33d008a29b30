"""The desk and the gate behind a real nginx, with TLS and a host name each, set up by the file in `deploy/nginx`."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import re
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from aiohttp import ClientSession, WSServerHandshakeError

from adapters.workspace import Workspace
from cli.services import free_port
from labels.record.schema import Mail
from labels.sessions import session as sessions
from labels.sessions.codes import sign_in_code
from labels.sessions.signing_in import MAIL_CODE
from labels.settings import PROJECT
from tests.e2e.conftest import Stage_
from tests.support.browser import CHROMIUM, launched
from tests.support.nginx import DEPLOYED, NGINX, certificate, nginx, on_loopback, which_asks
from tests.support.patience import PATIENCE, until
from tests.support.processes import ends_with_us

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]

DESK, GATE = "labels.example.eu", "runs.example.eu"
OPERATOR = "coordinator@nss.example"
REVIEWER = "r1@nss.example"


class Fronted:
    """The desk and the gate as processes of their own, and what people reach them by."""

    def __init__(self, stage: Stage_, folder: Path) -> None:
        self.stage, self.folder = stage, folder
        self.port, self.desk_port, self.gate_port = free_port(), free_port(), free_port()
        self.desk, self.gate = (f"https://{name}:{self.port}" for name in (DESK, GATE))
        self.prefect = stage.running.api_url.removesuffix("/api")
        settings = stage.here.settings.model_copy(
            update={
                "public_url": self.desk,
                "site_url": self.gate,
                "listen": f"127.0.0.1:{self.desk_port}",
                "gate": f"127.0.0.1:{self.gate_port}",
                "operators": OPERATOR,
            }
        )
        self.here: Workspace = dataclasses.replace(stage.here, settings=settings)
        self.read: set[str] = set()
        """The mails with codes that were read."""
        self.certificate, self.key = certificate(folder, DESK, GATE)

    @contextlib.contextmanager
    def doors(self) -> Iterator[None]:
        """The desk and the gate, as `labels up` starts them."""
        own = {
            name: value for name, value in os.environ.items() if not name.startswith(("LABELS_", "PREFECT_"))
        }
        own |= self.here.settings.exported() | {"PREFECT_API_URL": self.stage.running.api_url}
        command = [sys.executable, "-m", "desk.serving"]
        doors = [
            subprocess.Popen([*ends_with_us(), *command, part], cwd=PROJECT, env=own)
            for part in ("desk", "gate")
        ]
        try:
            for port in (self.desk_port, self.gate_port):
                until(partial(_answers, port), f"port {port} answers", lambda: "")
            yield
        finally:
            for one in doors:
                one.terminate()
            for one in doors:
                one.wait(PATIENCE)

    def nginx(self, *, asks: bool = False) -> contextlib.AbstractContextManager[None]:
        """nginx, which asks the gate where `asks` says so."""
        servers = DEPLOYED.read_text("utf-8")
        replaced = on_loopback(self.port, free_port(), (self.certificate, self.key)) | {
            "127.0.0.1:4280": f"127.0.0.1:{self.desk_port}",
            "127.0.0.1:4201": f"127.0.0.1:{self.gate_port}",
        }
        if asks:
            first, second = servers.split("    server_name runs.example.eu;")
            head, _, tail = second.partition("    location / {")
            servers = f"{first}    server_name runs.example.eu;{head}{which_asks()}{tail.partition('    }')[2].lstrip()}"
            replaced["127.0.0.1:4200"] = self.prefect.removeprefix("http://")
        return nginx(self.folder, servers, replaced)

    def browser(self, name: str) -> Browser:
        """A browser before one of the two names."""
        return Browser(self, name)

    def code(self, address: str) -> str:
        """The code in the mail that has come since the last was read."""
        asked = sa.select(Mail.reason).where(Mail.to_address == address, Mail.template == "sign_in")
        new: list[str] = []

        def mailed() -> bool:
            with self.here.record.reading() as session:
                new[:] = set(session.scalars(asked)) - self.read
            return bool(new)

        until(mailed, "the code is mailed", lambda: "")
        self.read.update(new)
        return sign_in_code(self.here.key, new[0].split("/")[1])


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/help", timeout=5)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


class Browser:
    """One name's pages, with cookies of their own."""

    def __init__(self, front: Fronted, name: str) -> None:
        self.name, self.origin = name, f"https://{name}:{front.port}"
        self.front = front
        context = ssl.create_default_context(cafile=str(front.certificate))
        self.client = httpx.Client(base_url=f"https://127.0.0.1:{front.port}", verify=context, timeout=60)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Host": f"{self.name}:{self.front.port}", "Origin": self.origin} | more.pop("headers", {})
        if method == "GET":
            headers.pop("Origin")
        url = path.removeprefix(self.origin)
        return self.client.request(
            method, url, headers=headers, extensions={"sni_hostname": self.name}, **more
        )

    def signs_in(self, address: str) -> Browser:
        """As if with a code: no more than five are mailed to an address in an hour."""
        here = self.front.here
        with here.record.writing() as session:
            token = sessions.begin(here.turn(session), address, MAIL_CODE)
        assert token
        self.client.cookies.set("__Host-session", token, domain="127.0.0.1", path="/")
        return self


@pytest.fixture(scope="module")
def front(stage: Stage_, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    """Both doors behind nginx."""
    made = Fronted(stage, tmp_path_factory.mktemp("nginx"))
    with made.doors():
        yield made


@pytest.fixture
def proxied(front: Fronted) -> Iterator[Fronted]:
    """nginx, which passes everything on."""
    with front.nginx():
        yield front


def comes_in(front: Fronted, desk: Browser) -> Browser:
    """Somebody who has signed in at the desk opens the gate, in the same browser."""
    gate = front.browser(GATE)
    led = gate.ask("GET", "/runs")
    assert led.headers["location"].startswith(f"{front.desk}/to-prefect?mark=")
    on = desk.ask("GET", led.headers["location"])
    assert on.headers["location"].startswith(f"{front.gate}/enter?ticket=")
    back = gate.ask("GET", on.headers["location"])
    assert (back.status_code, back.headers["location"]) == (303, "/runs")
    return gate


def test_cookies_are_the_hosts_own_and_go_over_tls_alone(proxied: Fronted) -> None:
    desk = proxied.browser(DESK)
    assert desk.ask("POST", "/sign-in", data={"address": OPERATOR}).status_code == 303
    signed_in = desk.ask("POST", "/sign-in/code", data={"code": proxied.code(OPERATOR)})
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/")
    _, session = signed_in.headers.get_list("set-cookie")
    assert re.fullmatch(
        r"__Host-session=[\w-]{40,}; HttpOnly; Max-Age=604800; Path=/; SameSite=lax; Secure", session
    )
    gate = comes_in(proxied, desk)
    led = proxied.browser(GATE).ask("GET", "/runs")
    [given] = led.headers.get_list("set-cookie")
    assert re.fullmatch(
        r"__Host-entering=[\w-]{40,}; HttpOnly; Max-Age=3600; Path=/; SameSite=lax; Secure", given
    )
    for answer in (led, desk.ask("GET", "/account"), gate.ask("GET", "/api/health")):
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_the_session_of_one_name_is_none_at_the_other(proxied: Fronted) -> None:
    desk = proxied.browser(DESK).signs_in(OPERATOR)
    gate = comes_in(proxied, desk)
    swapped = proxied.browser(GATE)
    swapped.client.cookies.set("__Host-session", desk.client.cookies["__Host-session"])
    assert swapped.ask("GET", "/api/health").status_code == 401
    other = proxied.browser(DESK)
    other.client.cookies.set("__Host-session", gate.client.cookies["__Host-session"])
    assert other.ask("GET", "/account").headers["location"].startswith("/sign-in")
    session = gate.client.cookies["__Host-session"].partition(".")[0]
    swapped.client.cookies.set("__Host-session", f"{session}.{'0' * 64}")
    assert swapped.ask("GET", "/api/health").status_code == 401


def test_a_ticket_is_its_browsers_and_works_for_a_minute(proxied: Fronted) -> None:
    desk = proxied.browser(DESK).signs_in(OPERATOR)
    gate, thief = proxied.browser(GATE), proxied.browser(GATE)
    thief.ask("GET", "/runs")
    led = gate.ask("GET", "/runs").headers["location"]
    ticket = desk.ask("GET", led).headers["location"]
    assert thief.ask("GET", ticket).status_code == 403
    broken = ticket.replace("ticket=", "ticket=0")
    assert gate.ask("GET", broken).status_code == 403
    session, until_, seal = parse_qs(urlsplit(ticket).query)["ticket"][0].split(".")
    longer = f"/enter?ticket={session}.{int(until_) + 60}.{seal}&then=/"
    assert gate.ask("GET", longer).status_code == 403
    assert gate.ask("GET", ticket).status_code == 303
    assert gate.ask("GET", ticket).status_code == 403, "its secret is gone with it"
    away = desk.ask("GET", led.replace("then=%2Fruns", "then=https%3A%2F%2Fevil.example%2F"))
    assert parse_qs(urlsplit(away.headers["location"]).query)["then"] == ["/"]


def test_who_signs_out_at_the_desk_is_out_at_the_gate(proxied: Fronted) -> None:
    desk = proxied.browser(DESK).signs_in(OPERATOR)
    gate = comes_in(proxied, desk)
    assert gate.ask("GET", "/api/admin/version").status_code == 200
    token = re.search(r'name="form_token" value="([^"]+)"', desk.ask("GET", "/account").text)
    assert token
    assert desk.ask("POST", "/account", data={"form_token": token[1]}).status_code == 303
    assert gate.ask("GET", "/api/admin/version").status_code == 401
    assert gate.ask("GET", "/runs").headers["location"].startswith(f"{proxied.desk}/to-prefect")


def test_what_a_stranger_writes_into_headers_changes_nothing(proxied: Fronted) -> None:
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "host=evil.example;proto=http",
        "X-Forwarded-Prefix": "/evil",
        "X-Original-URI": "/api/admin/version",
        "X-Rewrite-URL": "/api/admin/version",
    }
    desk, gate = proxied.browser(DESK), proxied.browser(GATE)
    for one, path in (
        (desk, "/account"),
        (desk, "/account/"),
        (desk, "/projects/"),
        (gate, "/runs"),
        (gate, "/"),
    ):
        plain, told = one.ask("GET", path), one.ask("GET", path, headers=forged)
        assert plain.status_code == told.status_code, path
        for answer in (plain, told):
            assert "evil" not in str(answer.headers) + answer.text
            assert "http://" not in answer.headers.get("location", ""), path
            assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))
    refused = desk.ask(
        "POST", "/sign-in", data={"address": OPERATOR}, headers={"Origin": "https://evil.example"}
    )
    assert refused.status_code == 403


def test_each_door_answers_to_its_own_name(proxied: Fronted) -> None:
    strange = httpx.get(f"http://127.0.0.1:{proxied.gate_port}/runs", headers={"Host": "evil.example"})
    assert strange.status_code == 421
    desk = proxied.browser(DESK).signs_in(OPERATOR)
    gate = comes_in(proxied, desk)
    from_desk = gate.ask("POST", "/api/flow_runs/count", json={}, headers={"Origin": desk.origin})
    assert from_desk.status_code == 403
    assert gate.ask("POST", "/api/flow_runs/count", json={}).status_code == 200


def opens_a_websocket(gate: Browser, path: str, origin: str) -> bool:
    async def opened() -> bool:
        context = ssl.create_default_context(cafile=str(gate.front.certificate))
        cookies = "; ".join(f"{name}={value}" for name, value in gate.client.cookies.items())
        headers = {"Host": f"{gate.name}:{gate.front.port}", "Origin": origin, "Cookie": cookies}
        async with ClientSession() as session:
            try:
                async with session.ws_connect(
                    f"https://127.0.0.1:{gate.front.port}{path}",
                    headers=headers,
                    ssl=context,
                    server_hostname=gate.name,
                    protocols=("prefect",),
                ):
                    return True
            except WSServerHandshakeError:
                return False

    return asyncio.run(opened())


def test_an_operators_websocket_passes(proxied: Fronted) -> None:
    gate = comes_in(proxied, proxied.browser(DESK).signs_in(OPERATOR))
    assert opens_a_websocket(gate, "/api/events/out", gate.origin)
    assert not opens_a_websocket(gate, "/api/events/out", "https://evil.example")
    assert not opens_a_websocket(gate, "/api/events/out", proxied.desk)
    assert not opens_a_websocket(proxied.browser(GATE), "/api/events/out", gate.origin)


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_prefects_pages_load_in_a_browser_that_signs_in_on_the_way(proxied: Fronted) -> None:
    with launched("--host-resolver-rules=MAP *.example.eu 127.0.0.1") as browser:
        context = browser.new_context(ignore_https_errors=True, locale="en-GB")
        page = context.new_page()
        page.set_default_timeout(90_000)
        strange: list[str] = []
        page.on(
            "request",
            lambda one: (
                None
                if one.url.startswith((proxied.desk, proxied.gate, "data:", "blob:"))
                else strange.append(one.url)
            ),
        )
        page.on(
            "console", lambda one: strange.append(one.text) if "Content Security Policy" in one.text else None
        )
        page.goto(f"{proxied.gate}/runs")
        assert page.url.startswith(f"{proxied.desk}/sign-in")
        page.fill("#address", OPERATOR)
        page.click("main button.btn-primary")
        page.wait_for_selector("#code")
        page.fill("#code", proxied.code(OPERATOR))
        page.click("main button.btn-primary")
        page.wait_for_url(f"{proxied.gate}/runs")
        page.wait_for_selector("text=Task runs")
        names = {one["name"]: one for one in context.cookies(proxied.gate)}
        assert set(names) == {"__Host-session"}
        assert names["__Host-session"]["secure"]
        assert page.evaluate("document.cookie") == "", "no script reads it"
    assert strange == []


def test_nginx_takes_an_operators_calls_to_prefect_and_all_others_to_the_gate(front: Fronted) -> None:
    with front.nginx(asks=True):
        operator = comes_in(front, front.browser(DESK).signs_in(OPERATOR))
        reviewer = comes_in(front, front.browser(DESK).signs_in(REVIEWER))
        stranger = front.browser(GATE)

        def by_the_gate(answer: httpx.Response) -> bool:
            return "content-security-policy" in answer.headers

        direct = operator.ask("GET", "/api/admin/version")
        assert (direct.status_code, by_the_gate(direct)) == (200, False)
        counted = operator.ask("POST", "/api/flow_runs/count", json={})
        assert (counted.status_code, by_the_gate(counted)) == (200, False)
        assert opens_a_websocket(operator, "/api/events/out", operator.origin)
        assert not opens_a_websocket(operator, "/api/events/out", "https://evil.example")
        forged = operator.ask(
            "POST", "/api/flow_runs/count", json={}, headers={"Origin": "https://evil.example"}
        )
        assert (forged.status_code, by_the_gate(forged)) == (403, True)

        mine = reviewer.ask("POST", "/api/flow_runs/filter", json={})
        assert (mine.status_code, by_the_gate(mine)) == (200, True)
        assert reviewer.ask("GET", "/api/admin/version").status_code == 403
        assert stranger.ask("GET", "/api/admin/version").status_code == 401
        assert stranger.ask("GET", "/runs").headers["location"].startswith(f"{front.desk}/to-prefect")
        for who in (operator, reviewer):
            for path in (f"/api/flow_runs/{'0' * 8}-0000-4000-8000-{'0' * 12}/input/a-response", "/v2/runs"):
                assert who.ask("GET", path).status_code == 404
            assert by_the_gate(who.ask("GET", "/runs"))
            assert who.ask("GET", "/gate/operator").status_code == 404, "it is nginx's own question"
