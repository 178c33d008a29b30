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
from tests.support.processes import ends_with_us

REDIS = shutil.which("redis-server")
"""None where it is not installed."""


@dataclass
class Redis:
    """A server that can be taken away, and comes back empty."""

    port: int
    password: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        """Begins with nothing in it, and waits until it answers."""
        assert REDIS
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self.password,
            "save": "",
            "appendonly": "no",
            "maxmemory": "64mb",
            "maxmemory-policy": "noeviction",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        process = self.process = subprocess.Popen(
            [*ends_with_us("KILL"), REDIS, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE
        with self.client() as client:
            while True:
                with contextlib.suppress(redis.RedisError):
                    client.ping()
                    return
                assert process.poll() is None, "Redis did not start"
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def stop(self) -> None:
        """It is killed, with everything that it has."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE)
            self.process = None

    def fill(self) -> None:
        """From now on there is no room for anything that is to be written."""
        with self.client() as client:
            client.config_set("maxmemory", 1)

    def has_room(self) -> None:
        """There is room again."""
        with self.client() as client:
            client.config_set("maxmemory", 64 << 20)


@contextlib.contextmanager
def running() -> Iterator[Redis]:
    """A server until the end of the block, and never longer than this process."""
    made = Redis(free_port(), secrets.token_urlsafe(16))
    try:
        made.start()
        yield made
    finally:
        made.stop()
