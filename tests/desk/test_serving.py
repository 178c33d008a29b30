"""The process that serves the desk: it comes up by itself, and idle or half-sent requests do not end it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.services import free_port
from labels.settings import PROJECT, Settings
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.slow


def answers(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/sign-in", timeout=10) as answer:
        return bool(answer.status == 200)
    return False


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where a desk of its own listens, in a process of its own."""
    settings = Settings(_env_file=None, home=tmp_path, listen=f"127.0.0.1:{free_port()}", secret="for tests")
    own = {name: value for name, value in os.environ.items() if not name.startswith(("LABELS_", "PREFECT_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "desk.serving", "desk"], cwd=PROJECT, env=own | settings.exported()
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(settings.desk_url):
            assert process.poll() is None, "the desk ended"
            assert time.monotonic() < deadline, "the desk did not come up"
            time.sleep(0.1)
        yield settings.desk_url
        assert process.poll() is None, "the desk ended"
    finally:
        process.terminate()
        process.wait()


def connected(address: str, sent: bytes = b"") -> socket.socket:
    host, port = address.removeprefix("http://").split(":")
    line = socket.create_connection((host, int(port)))
    line.sendall(sent)
    return line


def test_connections_that_say_nothing_are_closed_and_keep_nobody_out(address: str) -> None:
    idle = [connected(address) for _ in range(300)]
    half = [connected(address, b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Le") for _ in range(50)]
    assert answers(address)
    for line in (idle[0], half[0]):
        line.settimeout(PATIENCE)
        assert line.recv(1) == b""
    for line in (*idle, *half):
        line.close()
    assert answers(address)


def test_no_answer_says_which_program_it_is(address: str) -> None:
    with urllib.request.urlopen(f"{address}/sign-in") as answer:
        assert answer.headers["server"] is None
        assert "default-src 'none'" in answer.headers["content-security-policy"]
