"""The gate before a real server of Prefect with suspended runs: used, and attacked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uvicorn
from aiohttp import ClientSession, WSServerHandshakeError
from prefect.server.api.server import create_app
from starlette.testclient import TestClient

from adapters.prefect.gate.allowed import ALLOWED
from cli.services import free_port
from desk.gate import Gate, gate_app, gate_of, signed_in_gate
from labels.record.journal import Event
from labels.record.schema import Journal, Resumption, Review, StepState
from labels.sessions import session as sessions
from labels.sessions.accounts import Account, account_of
from labels.sessions.signing_in import MAIL_CODE
from labels.settings import PROJECT
from labels.views.prefect_access import PrefectAccess, access_of
from tests.e2e.conftest import Stage_
from tests.support.gate_routes import ALLOWED_PLAIN, Objects, all_asked, described, page, plain
from tests.support.patience import until
from tests.support.people import points
from tests.support.persons import person_at

pytestmark = pytest.mark.slow

NONE = "00000000-0000-4000-8000-000000000000"
COOKIE = "who"
ROUTES = PROJECT / "docs" / "gate-routes.md"
OPERATOR = "operator@css.example"
COORDINATOR = "coordinator@nss.example"


class Behind:
    """The gate on a port of its own, and people who are signed in: their cookie is their address."""

    def __init__(self, stage: Stage_) -> None:
        self.stage = stage
        self.polish, self.second = (
            stage.submit(teacher="T-155", project="P-155"),
            stage.submit(teacher="T-156", project="P-156"),
        )
        self.foreign = stage.submit(teacher="T-2", project="P-157")
        for one in (self.polish, self.second, self.foreign):
            stage.until_parked(one)
        self.run, self.stranger = (str(stage.application(one).run) for one in (self.polish, self.foreign))
        self.reviewer = stage.reviews(self.polish)[0].assignee
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.revoked: set[str] = set()
        self.gate: Gate = gate_of(
            stage.here, stage.running.api_url.removesuffix("/api"), self.origin, "/sign-in", self.who
        )
        self.client = httpx.Client(base_url=self.origin, timeout=60)
        self.prefect = httpx.Client(base_url=self.gate.upstream.address, timeout=60)

    def who(self, cookies: Mapping[str, str]) -> PrefectAccess | None:
        address = cookies.get(COOKIE, "")
        if not address or address in self.revoked:
            return None
        with self.stage.here.record.reading() as session:
            account = account_of(session, address) or Account(address, address, "en")
            return access_of(session, account, {OPERATOR})

    def ask(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One request of somebody's, as a browser on the gate's own pages sends it."""
        sent = {"origin": self.origin, "cookie": f"{COOKIE}={who}"} | headers
        if isinstance(body, bytes | str):
            sent = {"content-type": "application/json"} | sent
            return self.client.request(method, path, content=body, headers=sent)
        return self.client.request(method, path, json=body, headers=sent)

    def wire(self, text: str) -> bytes:
        """Bytes as no client would send them, and what came back."""
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            line.sendall(text.encode())
            line.settimeout(1.5)
            back = b""
            with contextlib.suppress(TimeoutError, ConnectionError):
                while part := line.recv(65536):
                    back += part
            return back

    def remark(self, application: str) -> str:
        """What was made of the first answer that came through an application's form."""
        asked = sa.select(Resumption.remark).where(Resumption.application == application)

        def remark() -> str | None:
            with self.stage.here.record.reading() as session:
                return session.scalar(asked)

        self.stage.until(remark, f"the answer to {application} is looked at")
        return remark() or ""

    def own(self, who: str) -> set[str]:
        """The runs that are somebody's, as Prefect has them when asked directly."""
        if who == COORDINATOR:
            tags = {"flow_runs": {"tags": {"all_": ["organisation:NSS-PL"]}}}
            return {one["id"] for one in self.prefect.post("/api/flow_runs/filter", json=tags).json()}
        visitor = self.who({COOKIE: who})
        return set(visitor.runs) if visitor else set()


@pytest.fixture(scope="module")
def behind(stage: Stage_) -> Iterator[Behind]:
    """The gate, served as `labels up` serves it."""
    made = Behind(stage)
    config = uvicorn.Config(
        gate_app(made.gate), port=made.port, log_level="error", server_header=False, proxy_headers=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started, "the gate listens", lambda: "")
    yield made
    server.should_exit = True
    thread.join(30)


@pytest.fixture(params=["coordinator", "reviewer"])
def person(request: pytest.FixtureRequest, behind: Behind) -> str:
    """Somebody to whom some runs belong, and not all."""
    return COORDINATOR if request.param == "coordinator" else behind.reviewer


def ids(answer: httpx.Response) -> set[str]:
    """The runs that a list is about."""
    assert answer.status_code == 200, answer.text
    found = answer.json()
    found = found["results"] if isinstance(found, dict) else found
    return {one.get("flow_run_id") or one["id"] for one in found}


def test_nobody_is_let_in_without_signing_in(behind: Behind) -> None:
    for stranger in ("", "nobody@elsewhere.example"):
        for path in ("/api/health", "/api/admin/settings", f"/api/flow_runs/{behind.run}", "/api/none"):
            assert behind.ask(stranger, "GET", path).status_code == 401
        assert behind.ask(stranger, "POST", "/api/flow_runs/filter", {}).status_code == 401
        for path in ("/", "/runs", "/ui-settings", "/assets/index.js", "/gate.css"):
            answer = behind.ask(stranger, "GET", path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_lists_hold_what_is_ones_own(behind: Behind, person: str) -> None:
    own = behind.own(person)
    assert behind.run in own
    assert behind.stranger not in own
    for body in ({}, {"flow_runs": None}, {"flow_runs": {"tags": None, "id": None}}):
        assert ids(behind.ask(person, "POST", "/api/flow_runs/filter", body)) == own
        assert ids(behind.ask(person, "POST", "/api/flow_runs/paginate", body)) == own
        assert behind.ask(person, "POST", "/api/flow_runs/count", body).json() == len(own)
        assert ids(behind.ask(person, "POST", "/api/task_runs/filter", body)) <= own
        artifacts = ids(behind.ask(person, "POST", "/api/artifacts/filter", body))
        assert artifacts <= own
        assert bool(artifacts) is (person == COORDINATOR)


def test_a_filter_of_ones_own_narrows_further(behind: Behind, person: str) -> None:
    narrower: list[dict[str, Any]] = [
        {"tags": {"all_": ["stage:none"]}},
        {"id": {"any_": [behind.stranger]}},
        {"id": {"any_": []}},
        {"id": {"any_": [NONE]}},
    ]
    for runs in narrower:
        for path in ("flow_runs/filter", "task_runs/filter", "artifacts/filter"):
            assert behind.ask(person, "POST", f"/api/{path}", {"flow_runs": runs}).json() == []
    both = {"flow_runs": {"id": {"any_": [behind.stranger, behind.run]}}}
    assert ids(behind.ask(person, "POST", "/api/flow_runs/filter", both)) == {behind.run}


def test_single_objects_of_others_look_like_none(behind: Behind, person: str) -> None:
    def of(run: str, kind: str) -> str:
        wanted = {"flow_runs": {"id": {"any_": [run]}}}
        return str(behind.prefect.post(f"/api/{kind}/filter", json=wanted).json()[0]["id"])

    coordinates = person == COORDINATOR
    for run, there in ((behind.run, True), (behind.stranger, False), (NONE, False)):
        seen, content = (200 if there else 404), (200 if there and coordinates else 404)
        assert behind.ask(person, "GET", f"/api/flow_runs/{run}").status_code == seen
        assert behind.ask(person, "GET", f"/api/flow_runs/{run}/graph-v2").status_code == seen
        assert behind.ask(person, "GET", f"/api/flow_runs/{run}/logs/download").status_code == content
        if run != NONE:
            assert behind.ask(person, "GET", f"/api/artifacts/{of(run, 'artifacts')}").status_code == content
            assert behind.ask(person, "GET", f"/api/task_runs/{of(run, 'task_runs')}").status_code == seen
    a, b = (behind.ask(person, "GET", f"/api/flow_runs/{run}") for run in (behind.stranger, NONE))
    assert a.content == b.content
    of_all: list[dict[str, Any]] = [{}, {"logs": {}}, {"logs": {"level": {"ge_": 0}}}, {"logs": None}]
    for logs in of_all:
        assert behind.ask(person, "POST", "/api/logs/filter", logs).json() == []
    strange = {"logs": {"flow_run_id": {"any_": [behind.stranger]}}}
    answer = behind.ask(person, "POST", "/api/logs/filter", strange)
    assert answer.status_code == 404 if coordinates else answer.json() == []
    counted = {"flow_run_ids": [behind.run, behind.stranger]}
    counts = behind.ask(person, "POST", "/api/ui/flow_runs/count-task-runs", counted)
    assert set(counts.json()) == {behind.run}


def test_deployments_and_pools_are_names(behind: Behind, person: str) -> None:
    run = behind.ask(person, "GET", f"/api/flow_runs/{behind.run}").json()
    shown = behind.ask(person, "GET", f"/api/deployments/{run['deployment_id']}").json()
    assert shown["name"] == "national"
    for name in ("parameters", "job_variables", "pull_steps", "path", "entrypoint", "schedules"):
        assert not shown.get(name)
    pool = behind.ask(person, "GET", "/api/work_pools/labels").json()
    assert pool["base_job_template"] == {}
    assert behind.ask(person, "GET", "/api/admin/settings").json() == {}


def test_every_other_route_that_prefect_describes_is_refused(behind: Behind, person: str) -> None:
    known = {re.sub(r"\{\w+\}", "{}", route) for route in ALLOWED}
    described = {
        f"{method.upper()} {path.removeprefix('/api')}"
        for path, methods in create_app().openapi()["paths"].items()
        for method in methods
    }
    names = {re.sub(r"\{\w+\}", "{}", route) for route in described}
    assert known <= names, "a route of the table is Prefect's no more"
    refused = 0
    for route in sorted(described):
        if re.sub(r"\{\w+\}", "{}", route) in known:
            continue
        method, path = route.split(" ", 1)
        filled = "/api" + re.sub(r"\{\w+(:path)?\}", behind.run, path)
        answer = behind.ask(person, method, filled, None if method == "GET" else {})
        assert answer.status_code == 403, (route, answer.status_code)
        refused += 1
    assert refused == len(names - known) > 140


def test_every_route_of_prefect_gives_each_what_the_page_of_routes_says(behind: Behind) -> None:
    def objects(application: str) -> Objects:
        run = str(behind.stage.application(application).run)
        wanted = {"flow_runs": {"id": {"any_": [run]}}, "limit": 1}
        found = behind.prefect.get(f"/api/flow_runs/{run}").json()
        key = found["state"]["state_details"]["run_input_keyset"]["schema"]

        def newest(kind: str) -> str:
            # Prefect records tasks from events, which come later than the state of the run.
            rows: list[Any] = []

            def there() -> bool:
                rows[:] = behind.prefect.post(f"/api/{kind}/filter", json=wanted).json()
                return bool(rows)

            behind.stage.until(there, f"Prefect has {kind} of {application}")
            return str(rows[0]["id"])

        task, artifact = newest("task_runs"), newest("artifacts")
        return Objects(run, task, artifact, found["flow_id"], found["deployment_id"], key)

    def asks(who: str, method: str, path: str, body: Any) -> int:
        return behind.ask(who, method, path, body).status_code

    mine = behind.stage.submit(teacher="T-159", project="P-159")
    behind.stage.until_parked(mine)
    people = ("", behind.stage.reviews(mine)[0].assignee, COORDINATOR, OPERATOR)
    own, other = objects(mine), objects(behind.foreign)

    def between() -> None:
        behind.stage.until_parked(mine)

    asked = all_asked(described(), people, OPERATOR, own, other, asks, between)
    told = page(asked)
    if os.environ.get("GATE_ROUTES") == "write":
        ROUTES.write_text(told, encoding="utf-8")
    assert ROUTES.read_text("utf-8") == told, "write it anew: the page says how"
    for one in asked:
        nobody, reviewer, coordinator, operator = one.got
        assert nobody == "401", one
        passes = plain(one.route) in ALLOWED_PLAIN
        assert passes or {reviewer, coordinator} <= {"403", "404"}, one
        assert not operator.startswith(("401", "5")), one


def test_what_people_answered_is_shown_to_nobody(behind: Behind) -> None:
    for who in (OPERATOR, COORDINATOR, behind.reviewer):
        for key in ("suspended-0-response", "suspended-0-respons%65", "suspended-9-schema"):
            path = f"/api/flow_runs/{behind.run}/input/{key}"
            assert behind.ask(who, "GET", path).status_code == 404
        for method, path in (("POST", "/input/filter"), ("POST", "/input"), ("GET", "/input")):
            answer = behind.ask(who, method, f"/api/flow_runs/{behind.run}{path}", {})
            assert answer.status_code in (403, 404)


def test_an_operator_has_the_rest(behind: Behind) -> None:
    for path in ("/api/admin/settings", "/api/work_pools/labels", "/api/version"):
        assert behind.ask(OPERATOR, "GET", path).status_code == 200
    variable = {"name": "of_the_test", "value": "x"}
    assert behind.ask(OPERATOR, "POST", "/api/variables/", variable).status_code == 201
    assert behind.ask(OPERATOR, "DELETE", "/api/variables/name/of_the_test").status_code == 204


def test_the_pages_are_those_of_the_first_version(behind: Behind) -> None:
    for who in (OPERATOR, COORDINATOR, behind.reviewer):
        page = behind.ask(who, "GET", "/runs")
        assert "<title>Prefect Server</title>" in page.text
        script = re.search(r'src="(/assets/[^"]+)"', page.text)
        assert script
        assert behind.ask(who, "GET", script[1]).status_code == 200
        settings = behind.ask(who, "GET", "/ui-settings").json()
        assert (settings["api_url"], settings["v2_base_url"]) == ("/api", None)
        for path in ("/v2", "/v2/", "/v2/runs", "/v2/assets/index.js"):
            assert behind.ask(who, "GET", path).status_code == 404
        assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in ("/blocks", "/variables", "/deployments", "/settings", "/openapi.json"):
        assert behind.ask(COORDINATOR, "GET", path).status_code in (303, 404)


def test_a_session_that_is_revoked_ends_at_once(behind: Behind) -> None:
    assert behind.ask(COORDINATOR, "GET", "/api/health").status_code == 200
    behind.revoked.add(COORDINATOR)
    assert behind.ask(COORDINATOR, "GET", "/api/health").status_code == 401
    behind.revoked.clear()


@pytest.mark.parametrize(
    "path",
    [
        "//api/admin/storage",
        "/api//admin/storage",
        "/api/./admin/storage",
        "/runs/../api/admin/storage",
        "/%61pi/admin/storage",
        "/api%2fadmin%2fstorage",
        "/api/admin/storage;x=1",
        "/api/admin/storage%00",
        "/api\\admin\\storage",
        "/assets/..%2f..%2fapi/admin/storage",
        "/API/variables/filter",
        "/api/health/../variables/filter",
        "/%762/runs",
        "/v2//",
    ],
)
def test_a_path_that_is_no_plain_path_leads_nowhere(behind: Behind, person: str, path: str) -> None:
    for method in ("GET", "POST"):
        back = behind.wire(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{behind.port}\r\nCookie: {COOKIE}={person}\r\n"
            f"Origin: {behind.origin}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
            "Connection: close\r\n\r\n{}"
        )
        assert int(back.split(b" ", 2)[1]) in (303, 307, 400, 403, 404, 405)
        assert behind.gate.upstream.address.encode() not in back


def test_other_hosts_and_other_origins_are_refused(behind: Behind) -> None:
    run = f"/api/flow_runs/{behind.run}"
    for host in ("evil.example", f"127.0.0.1.evil.example:{behind.port}", f"localhost:{behind.port}"):
        assert behind.ask(OPERATOR, "GET", run, host=host).status_code == 421
    for who in (OPERATOR, COORDINATOR, behind.reviewer):
        for origin in ("https://evil.example", "null", "", behind.origin.upper()):
            answer = behind.ask(who, "POST", f"{run}/resume", {"run_input": {}}, origin=origin)
            assert answer.status_code == 403
        site = {"sec-fetch-site": "same-site"}
        assert behind.ask(who, "POST", f"{run}/resume", {"run_input": {}}, **site).status_code == 403
    for answer in (
        behind.ask("", "OPTIONS", f"{run}/resume", origin="https://evil.example"),
        behind.ask(COORDINATOR, "GET", run, origin="https://evil.example"),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_filters_do_not_escape(behind: Behind, person: str) -> None:
    own, other = behind.own(person), {"any_": [behind.stranger]}
    everything = {"before_": "2100-01-01T00:00:00Z"}
    tries: list[dict[str, Any]] = [
        {"flow_runs": {"operator": "or_", "start_time": everything}},
        {"flow_runs": {"operator": None, "id": other}},
        {"flow_runs": {"tags": {"operator": "or_", "any_": ["label:national"]}}},
        {"flow_runs": {"tags": {"operator": "or_", "is_null_": False}}},
        {"flow_runs": [{"tags": {}}]},
        {"flow_runs": {"tags": []}},
        {"flow_runs": {"id": [behind.stranger]}},
        {"flowRuns": {"id": other}},
        {"flow_run_filter": {"id": other}},
        {"task_runs": {"operator": "or_", "flow_run_id": other, "start_time": everything}},
        {"artifacts": {"operator": "or_", "flow_run_id": other, "key": {"exists_": True}}},
        {"deployments": {"operator": "or_", "tags": {"is_null_": True}}},
    ]
    for body in tries:
        for path in ("flow_runs/filter", "flow_runs/paginate", "task_runs/filter", "artifacts/filter"):
            answer = behind.ask(person, "POST", f"/api/{path}", body)
            assert answer.status_code in (200, 400, 403, 422), (path, body)
            if answer.status_code == 200:
                assert ids(answer) <= own, (path, body)
    for text in (
        '{"flow_runs": {"tags": {"all_": []}}, "flow_runs": {}}',
        '{"limit": NaN}',
        "[" * 50_000,
        "[]",
        "",
        "\ufeff{}",
    ):
        answer = behind.ask(person, "POST", "/api/flow_runs/filter", text.encode())
        assert answer.status_code in (400, 413), text[:60]
    assert behind.ask(person, "POST", "/api/flow_runs/filter", b"{" + b" " * 70_000 + b"}").status_code == 413


def test_the_values_of_prefects_variables_are_not_told(behind: Behind, person: str) -> None:
    named = {"__prefect_kind": "workspace_variable", "variable_name": "secret"}
    for values in ({"a": named}, named):
        asked = {"schema": {"type": "object", "properties": {}}, "values": values}
        assert behind.ask(person, "POST", "/api/ui/schemas/validate", asked).status_code == 400
        resumed = behind.ask(person, "POST", f"/api/flow_runs/{behind.run}/resume", {"run_input": values})
        assert resumed.status_code == 400
    slow = {"schema": {"properties": {"a": {"pattern": "(a+)+$"}}}, "values": {}}
    assert behind.ask(person, "POST", "/api/ui/schemas/validate", slow).status_code == 400


def test_a_websocket_is_an_operators(behind: Behind) -> None:
    async def opened(who: str, path: str, origin: str) -> bool:
        headers = {"cookie": f"{COOKIE}={who}", "origin": origin}
        async with ClientSession() as session:
            try:
                async with session.ws_connect(
                    f"{behind.origin}{path}", headers=headers, protocols=("prefect",)
                ):
                    return True
            except WSServerHandshakeError:
                return False

    def is_opened(who: str, path: str, origin: str) -> bool:
        return asyncio.run(opened(who, path, origin))

    assert is_opened(OPERATOR, "/api/events/out", behind.origin)
    assert not is_opened(OPERATOR, "/api/events/out", "https://evil.example")
    assert not is_opened(OPERATOR, "/api/events/in", behind.origin)
    for who in (COORDINATOR, behind.reviewer, ""):
        assert not is_opened(who, "/api/events/out", behind.origin)


def test_a_signed_in_reviewer_answers_prefects_form_without_a_code(behind: Behind) -> None:
    stage, run = behind.stage, str(behind.stage.application(behind.second).run)
    step, other = stage.reviews(behind.second)
    state = behind.ask(step.assignee, "GET", f"/api/flow_runs/{run}").json()["state"]
    key = state["state_details"]["run_input_keyset"]["schema"]
    form = behind.ask(step.assignee, "GET", f"/api/flow_runs/{run}/input/{key}").json()
    assert "code" not in form["required"]
    assert step.assignee in form["properties"]["code"]["description"]

    filled: dict[str, Any] = {f"points_{name}": value for name, value in points(4).items()}
    filled |= {"comment": "Clear and well made.", "note": "", "code": "AAAA-AAAA-AA"}
    path = f"/api/flow_runs/{run}/resume"
    assert behind.ask(step.assignee, "POST", path, {"run_input": filled}).json()["status"] == "ACCEPT"
    assert "recorded" in behind.remark(behind.second)
    stage.until_parked(behind.second)
    with stage.here.record.reading() as session:
        given = session.get_one(Review, step.id)
        assert given.reviewer == step.assignee
        assert session.get(Review, other.id) is None
        entries = session.query(Journal).filter_by(application=behind.second, step=step.id).all()
        assert Event.REVIEWED in {entry.what for entry in entries}
    # The run is theirs no more, and its answer is nobody's to read.
    assert behind.ask(step.assignee, "GET", f"/api/flow_runs/{run}").status_code == 404


def test_a_proof_that_was_not_made_by_the_gate_is_refused(behind: Behind) -> None:
    stage, run = behind.stage, str(behind.stage.application(behind.polish).run)
    step = stage.reviews(behind.polish)[0]
    filled: dict[str, Any] = {f"points_{name}": value for name, value in points(0).items()}
    forged = "~1c9f2a3~" + "A" * 31
    answer = behind.prefect.post(
        f"/api/flow_runs/{run}/resume", json={"run_input": filled | {"code": forged}}
    )
    assert answer.json()["status"] == "ACCEPT"
    assert "not yours" in behind.remark(behind.polish)
    stage.until_parked(behind.polish)
    with stage.here.record.reading() as session:
        assert session.get(Review, step.id) is None
        assert session.get_one(type(step), step.id).state is StepState.OPEN


def test_the_gate_knows_the_sessions_of_the_desk(behind: Behind) -> None:
    here = behind.stage.here
    with here.record.writing() as session:
        token = sessions.begin(here.turn(session), COORDINATOR, MAIL_CODE)
    assert token
    app = signed_in_gate(here, behind.gate.upstream.address)
    with TestClient(app, base_url=here.settings.site_url, follow_redirects=False) as browser:
        led = browser.get("/runs")
        assert led.headers["location"] == f"{here.settings.desk_url}/sign-in"
        browser.cookies.set("session", token)
        assert browser.get("/runs").status_code == 200
        assert browser.get(f"/api/flow_runs/{behind.run}").status_code == 200
        assert browser.get(f"/api/flow_runs/{behind.stranger}").status_code == 404
        with here.record.writing() as session:
            sessions.end_all(here.turn(session), person_at(here.record, COORDINATOR))
        assert browser.get(f"/api/flow_runs/{behind.run}").status_code == 401


def test_prefects_own_server_answers_no_other_site(behind: Behind) -> None:
    """Whatever a browser on this machine is made to send: Prefect would run what a deployment names."""
    for headers in (
        {"host": "evil.example"},
        {"host": f"evil.example:{behind.prefect.base_url.port}"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": behind.origin},
    ):
        answer = behind.prefect.post("/api/flow_runs/count", json={}, headers=headers)
        assert answer.status_code in (403, 421), headers
    preflight = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = behind.prefect.options("/api/deployments/", headers=preflight)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert behind.prefect.post("/api/flow_runs/count", json={}).status_code == 200


def test_the_documents_list_every_route_that_passes() -> None:
    text = (PROJECT / "docs" / "gate.md").read_text("utf-8")
    assert re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", text, re.MULTILINE) == list(ALLOWED)
