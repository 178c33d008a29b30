"""A Redis of a test's own, on loopback, with a password; it keeps nothing."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import redis

from cli.services import free_port
from tests.support.patience import PATIENCE

REDIS = shutil.which("redis-server")
"""None where it is not installed."""


@dataclass
class Redis:
    """Where it is, and its process."""

    url: str
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def running() -> Iterator[Redis]:
    """A server until the end of the block, and never longer than this process."""
    assert REDIS
    port, password = free_port(), secrets.token_urlsafe(16)
    ends_with_us = ["setpriv", "--pdeathsig=KILL"] if shutil.which("setpriv") else []
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "requirepass": password,
        "save": "",
        "appendonly": "no",
        "maxmemory": "64mb",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    process = subprocess.Popen(
        [*ends_with_us, REDIS, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    try:
        deadline = time.monotonic() + PATIENCE
        with redis.Redis.from_url(url) as client:
            while True:
                with contextlib.suppress(redis.RedisError):
                    client.ping()
                    break
                assert process.poll() is None, "Redis did not start"
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield Redis(url, process)
    finally:
        process.kill()
        process.wait(PATIENCE)
