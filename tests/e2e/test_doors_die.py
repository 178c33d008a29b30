"""What people see is killed while applications are open: it comes back by itself, and nobody has to sign in anew."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from cli.keeping import kept_alive
from cli.services import free_port, services
from labels.record.schema import Stage
from labels.settings import Settings
from tests.desk.conftest import Browser
from tests.e2e.conftest import Stage_
from tests.support.people import TODAY, populate
from tests.support.processes import alive

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stage")]

TEACHER = "t-1@school.example"


def shown(address: str, cookies: str) -> str:
    """A page, as somebody sees it who has signed in; empty where nobody answers."""
    asked = urllib.request.Request(address, headers={"Cookie": cookies})
    with (
        contextlib.suppress(urllib.error.URLError, OSError),
        urllib.request.urlopen(asked, timeout=10) as page,
    ):
        return str(page.read().decode())
    return ""


def test_a_desk_and_a_gate_that_are_killed_are_started_again_while_applications_are_open(
    tmp_path: Path,
) -> None:
    settings = Settings(_env_file=None, home=tmp_path, today=TODAY)
    ports = free_port(), free_port()
    with services(settings, *ports, gate_port=free_port()) as (running, here):
        with here.record.writing() as session:
            populate(session)
        stage, stop = Stage_(running, here), threading.Event()
        application = stage.submit()
        stage.until_parked(application)
        teacher = Browser(here).signs_in(TEACHER)
        cookies = "; ".join(f"{name}={value}" for name, value in teacher.client.cookies.items())
        page, prefect = f"{here.settings.desk_url}/applications/{application}", here.settings.site_url
        with kept_alive(running, here, stop):
            for _ in range(2):
                for name in ("desk", "gate"):
                    former = running.processes[name].pid
                    os.kill(former, signal.SIGKILL)
                    stage.until(lambda: running.processes[name].pid != former, f"the {name} is started again")  # noqa: B023
                    assert not alive(former)
                # Each does what it did before: the desk knows the session, and the gate leads to the desk.
                stage.until(lambda: application in shown(page, cookies), "the application's page is there")
                stage.until(lambda: "Sign in" in shown(prefect, ""), "the gate asks to sign in")
            assert not stop.is_set()
            assert stage.parked(application)
        assert stage.application(application).stage is Stage.REVIEW
