"""Servers that tests start end with the test run, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cli.services import free_port
from labels.settings import PROJECT
from tests.support.nginx import NGINX
from tests.support.patience import until
from tests.support.redis import REDIS

_HOLDER = """
import pathlib, sys, time
from tests.support.nginx import nginx
from tests.support.redis import Redis
folder, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])

def with_nginx():
    with nginx(folder, f"server {{ listen 127.0.0.1:{port}; }}", {}):
        held()

def with_redis():
    Redis(port, "secret").start()
    held()

def held():
    print("up", flush=True)
    time.sleep(600)

"""


@pytest.mark.parametrize(
    "server",
    [
        pytest.param("nginx", marks=pytest.mark.skipif(NGINX is None, reason="nginx is not installed")),
        pytest.param("redis", marks=pytest.mark.skipif(REDIS is None, reason="Redis is not installed")),
    ],
)
@pytest.mark.slow
def test_a_server_ends_with_a_test_run_that_is_killed(tmp_path: Path, server: str) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", f"{_HOLDER}with_{server}()", str(tmp_path), str(port)],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "up\n"
        assert _listens(port)
        holder.send_signal(signal.SIGKILL)
    until(lambda: not _listens(port), f"{server} has ended", every=0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
