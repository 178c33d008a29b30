"""The API as it is served: bodies that never end or have no end, and platforms that are told by the desk's own process."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from adapters.workspace import Workspace, open_workspace
from desk.api.app import ROOT
from desk.api.registry import LARGEST
from labels.record.engine import close_records
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Application
from labels.settings import Settings
from labels.views.changes import Change
from tests.support.case import open_case
from tests.support.patience import until
from tests.support.platform_programs import token
from tests.support.receivers import Receiver, receiving
from tests.support.serving import Served, served
from usecases import webhooks

pytestmark = pytest.mark.slow

SECRET = "a secret for tests"


@dataclass
class Scene:
    """A desk in a process of its own, and the record behind it."""

    here: Workspace
    desk: Served
    receiver: Receiver
    token: str
    case: str

    def asks(self) -> tuple[int, bytes]:
        """The answer to a list of cases."""
        line = http.client.HTTPConnection(urlsplit(self.desk.address).netloc, timeout=60)
        head = {"Authorization": f"Bearer {self.token}"}
        line.request("GET", f"{ROOT}/cases", headers=head)
        answer = line.getresponse()
        return answer.status, answer.read()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("platform")
    shutil.copy(sqlite_template, home / "record.db")
    settings = Settings(_env_file=None, home=home, secret=SECRET, webhooks="private")
    here = open_workspace(settings)
    case = open_case(here.record)
    with receiving() as receiver, served(home, secret=SECRET, webhooks="private") as desk:
        yield Scene(here, desk, receiver, token(here), case.id)
    close_records()


def head(scene: Scene, more: str) -> bytes:
    return (
        f"POST {ROOT}/registry/teachers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {scene.token}\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: k\r\n{more}\r\n\r\n"
    ).encode()


def test_a_body_that_never_ends_keeps_nobody_from_asking(scene: Scene) -> None:
    lines = [scene.desk.connected(head(scene, "Content-Length: 1000") + b"{") for _ in range(20)]
    for _ in range(3):
        status, body = scene.asks()
        assert status == 200
        assert json.loads(body)["cases"][0]["number"] == scene.case
    for line in lines:
        line.close()


def test_a_body_without_an_end_is_refused_once_it_is_too_large(scene: Scene) -> None:
    line = scene.desk.connected(head(scene, "Transfer-Encoding: chunked"))
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    try:
        for _ in range(2 * LARGEST // 0x10000):
            line.sendall(piece)
    except OSError:
        pass  # it has been refused, and the connection is closed
    assert b" 413 " in line.recv(4096).partition(b"\r\n")[0]
    line.close()


def test_the_desk_s_process_tells_platforms_by_itself(scene: Scene) -> None:
    webhooks.add(scene.here, "NSS-PL", scene.receiver.address)
    with scene.here.record.writing() as session:
        application = session.get_one(Application, scene.case)
        note(scene.here.turn(session), application, SYSTEM, Event.CLOSED, news=False)
    until(lambda: scene.receiver.came, "the platform was told")
    assert scene.receiver.told()[0]["type"] == Change.CLOSED
