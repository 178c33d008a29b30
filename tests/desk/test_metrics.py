"""The figures for Prometheus: what they say, that they are of nobody, and that nobody reads them who may not."""

from __future__ import annotations

import json
import os
import re
import socket
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from adapters.parts import Part, write_parts
from cli.services import free_port, services
from desk.app import public_app
from desk.metrics import Installation, Measured, serve_metrics
from desk.serving import told_of
from labels.errors import InvalidInput
from labels.record.schema import Mail, Person, PlatformDelivery, Project, School
from labels.settings import PROJECT, Settings
from tests.cli.conftest import Terminal
from tests.support.receivers import receiving
from tests.support.serving import served
from usecases import webhooks

MONITORING = PROJECT / "deploy" / "monitoring"


def told(here: Terminal) -> str:
    """The figures of an installation with some processes, as Prometheus reads them."""
    now = here.here.now()
    parts = {"desk": Part(os.getpid(), now, running=True, restarts=2), "server": Part(1, now, running=False)}
    write_parts(here.here.settings.home, parts)
    registry = CollectorRegistry()
    registry.register(Installation(here.here))
    client = TestClient(Measured(public_app(here.here), registry))
    client.get("/health")
    client.request("BREW", "/health")
    client.get("/no such page")
    return generate_latest(registry).decode()


def value(text: str, name: str, **labels: str) -> float:
    [found] = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    ]
    return float(found)


def test_the_figures_count_cases_steps_mail_and_requests(terminal: Terminal) -> None:
    terminal.asked(terminal.submitted())
    with terminal.here.record.writing() as session:
        session.execute(sa.update(Mail).values(sent_at=None, attempts=4))
        waiting = session.scalar(sa.select(sa.func.count()).select_from(Mail).where(Mail.daily.is_(False)))
    text = told(terminal)
    assert value(text, "labels_cases", label="national", stage="review") == 1
    assert value(text, "labels_cases_late") == 0
    assert value(text, "labels_steps_open", kind="review") == len(terminal.open_reviews())
    assert value(text, "labels_mail_waiting") == value(text, "labels_mail_failed") == waiting
    assert value(text, "labels_record_up") == value(text, "labels_documents_up") == 1
    assert value(text, "labels_prefect_up") == 0
    assert value(text, "labels_part_up", part="desk") == 1
    assert value(text, "labels_part_up", part="server") == 0
    assert value(text, "labels_part_restarts", part="desk") == 2
    assert value(text, "labels_part_process_resident_memory_bytes", part="desk") > 1e6
    assert value(text, "labels_record_bytes") > 10_000
    assert value(text, "labels_desk_requests_total", method="GET", status="200") == 1
    assert value(text, "labels_desk_requests_total", method="GET", status="404") == 1
    assert value(text, "labels_desk_requests_total", method="other", status="405") == 1


@pytest.mark.slow
def test_the_figures_count_what_platforms_are_still_to_be_told_of(terminal: Terminal) -> None:
    with receiving() as platform:
        platform.answers = 500
        here = replace(
            terminal.here, settings=terminal.here.settings.model_copy(update={"webhooks": "private"})
        )
        webhooks.add(here, "NSS-PL", platform.address)
        terminal.asked(terminal.submitted())
        assert webhooks.tell(here) == webhooks.Called(0, 1)
        with here.record.reading() as session:
            waiting = session.scalar(sa.select(sa.func.count()).select_from(PlatformDelivery))
        text = told(terminal)
        assert value(text, "labels_webhooks_waiting") == waiting
        assert value(text, "labels_webhooks_failing") == 1
        assert value(text, "labels_webhooks_failed") == 0
        with here.record.writing() as session:
            session.execute(sa.update(PlatformDelivery).values(given_up_at=here.now()))
        text = told(terminal)
        assert value(text, "labels_webhooks_waiting") == value(text, "labels_webhooks_failing") == 0
        assert value(text, "labels_webhooks_failed") == waiting


def test_the_figures_name_nobody(terminal: Terminal) -> None:
    application = terminal.submitted()
    terminal.asked(application)
    text = told(terminal)
    with terminal.here.record.reading() as session:
        personal = {
            application,
            *session.scalars(sa.select(Person.name)),
            *session.scalars(sa.select(Person.address)),
        }
        personal |= {*session.scalars(sa.select(School.name)), *session.scalars(sa.select(Project.title))}
        personal |= {*session.scalars(sa.select(Mail.to_address)), *session.scalars(sa.select(Mail.reason))}
    assert len(personal) > 10
    assert [one for one in personal if one and one in text] == []
    assert str(terminal.here.settings.home) not in text


def test_a_record_that_is_away_is_a_figure_and_no_error(terminal: Terminal) -> None:
    terminal.here.record.engine.dispose()
    record = Path(str(terminal.here.record.engine.url.database))
    for one in record.parent.glob(f"{record.name}*"):
        one.unlink()
    record.mkdir()
    registry = CollectorRegistry()
    registry.register(Installation(terminal.here))
    text = generate_latest(registry).decode()
    assert value(text, "labels_record_up") == 0
    assert "labels_cases{" not in text


def test_the_dashboard_and_the_alarms_ask_for_figures_that_there_are(terminal: Terminal) -> None:
    terminal.asked(terminal.submitted())
    # Those that come with Prefect's server stand in the code alone here.
    there = set(re.findall(r"^# TYPE (\w+)", told(terminal), re.MULTILINE))
    there |= set(re.findall(r'"(labels_\w+)"', (PROJECT / "desk" / "metrics.py").read_text("utf-8")))
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))
    alarms = [one for group in rules["groups"] for one in group["rules"]]
    panels = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))["panels"]
    asked = [one["expr"] for one in alarms] + [two["expr"] for one in panels for two in one["targets"]]
    assert len(asked) > 30
    for expression in asked:
        for name in re.findall(r"labels_\w+", expression):
            assert {name, re.sub("_(total|bucket)$", "", name)} & there, name
    assert len({one["alert"] for one in alarms}) == len(alarms)


@pytest.mark.slow
def test_the_figures_are_told_at_an_address_of_their_own_and_not_at_the_desk(tmp_path: Path) -> None:
    port = free_port()
    with served(tmp_path, metrics=f"127.0.0.1:{port}") as desk:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            assert b"labels_record_up 1.0" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{desk.address}/metrics", timeout=60)


@pytest.mark.slow
def test_who_has_no_token_is_told_nothing(tmp_path: Path) -> None:
    port = free_port()
    settings = Settings(_env_file=None, home=tmp_path, metrics=f"127.0.0.1:{port}", metrics_token="geheim")
    end = serve_metrics(settings, CollectorRegistry())
    try:
        for given in ("", "Bearer", "Bearer wrong", "Basic geheim", "geheim"):
            asked = urllib.request.Request(
                f"http://127.0.0.1:{port}/metrics", headers={"Authorization": given}
            )
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(asked, timeout=60)
        right = urllib.request.Request(
            f"http://127.0.0.1:{port}/metrics", headers={"Authorization": "Bearer geheim"}
        )
        with urllib.request.urlopen(right, timeout=60) as answer:
            assert answer.status == 200
    finally:
        end()


@pytest.mark.slow
def test_figures_are_told_at_an_address_of_ipv6_without_asking_the_dns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as probe:
            port = probe.getsockname()[1]
    except OSError:
        pytest.skip("this machine has no IPv6")
    monkeypatch.setattr(socket, "getfqdn", lambda name="": pytest.fail("the DNS is asked"))
    settings = Settings(_env_file=None, home=tmp_path, metrics=f"[::1]:{port}")
    end = serve_metrics(settings, CollectorRegistry())
    try:
        with urllib.request.urlopen(f"http://[::1]:{port}/metrics", timeout=60) as answer:
            assert answer.status == 200
    finally:
        end()


def test_people_have_their_desk_where_the_figures_can_not_be_told(
    terminal: Terminal, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        here = replace(terminal.here, settings=terminal.here.settings.model_copy(update={"metrics": address}))
        desk = TestClient(told_of(public_app(here), here))
        assert desk.get("/health").status_code == 200
    [logged] = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert f"LABELS_METRICS={address} can't be listened at" in logged


def test_figures_that_others_could_read_are_refused_without_a_token(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, metrics=f"0.0.0.0:{free_port()}")
    with (
        pytest.raises(InvalidInput, match=r"LABELS_METRICS.*set LABELS_METRICS_TOKEN"),
        services(settings, free_port(), free_port()),
    ):
        pass
