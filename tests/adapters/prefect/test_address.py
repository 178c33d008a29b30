"""Where Prefect's server is, by Prefect's own settings, and whether it answers."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from adapters.prefect import address
from adapters.prefect.address import prefect_answers
from cli.services import free_port
from labels.settings import PROJECT

URL = "http://prefect.example/api"
ASKED = """
import sys
from adapters.prefect.address import api_url
print(api_url(), "prefect" in sys.modules)
from prefect.settings import PREFECT_API_URL
print(PREFECT_API_URL.value())
"""


def asked(folder: Path, **environment: str) -> tuple[str, bool]:
    """What a new process says of the address, and whether it imported Prefect for it; Prefect must say the same."""
    done = subprocess.run(
        [sys.executable, "-c", ASKED],
        cwd=folder,
        env={"PYTHONPATH": str(PROJECT), "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    ours, prefects = done.stdout.splitlines()
    url, imported = ours.split()
    assert url == prefects
    return url, imported == "True"


@pytest.mark.slow
def test_an_address_in_the_environment_or_none_at_all_needs_no_prefect(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LABELS_TODAY=2026-03-16\n")
    (tmp_path / "pyproject.toml").write_bytes((PROJECT / "pyproject.toml").read_bytes())
    assert asked(tmp_path) == ("None", False)
    assert asked(tmp_path, PREFECT_API_URL=URL) == (URL, False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "content"),
    [
        (".env", f"PREFECT_API_URL={URL}\n"),
        ("prefect.toml", f'[api]\nurl = "{URL}"\n'),
        ("pyproject.toml", f'[tool.prefect.api]\nurl = "{URL}"\n'),
        (".prefect/profiles.toml", f'active = "ours"\n[profiles.ours]\nPREFECT_API_URL = "{URL}"\n'),
    ],
)
def test_an_address_in_a_file_of_prefects_is_found(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / ".prefect").mkdir()
    (tmp_path / file).write_text(content)
    assert asked(tmp_path) == (URL, True)


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """A server that answers every request with the status at the end of its path's first part."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(int(self.path.split("/")[1]))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    running = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.mark.parametrize("status", [200, 401, 404, 503])
def test_a_server_that_says_anything_answers(
    server: HTTPServer, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{server.server_port}/{status}"
    monkeypatch.setattr(address, "api_url", lambda: url)
    assert prefect_answers()


@pytest.mark.parametrize(
    "url", [None, "http://127.0.0.1:{free}/api", "prefect", "in memory", "http://[::1/api"]
)
def test_where_there_is_no_server_none_answers(url: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "api_url", lambda: url and url.format(free=free_port()))
    assert not prefect_answers()
