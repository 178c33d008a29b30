"""A desk in a thread of the test; and in a process of its own, as `labels up` starts it, with what one sees of that from
outside."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette

from cli.services import free_port
from labels.settings import PROJECT, Settings
from tests.support.patience import PATIENCE
from tests.support.processes import ends_with_us


@contextlib.contextmanager
def in_a_thread(app: Starlette, port: int) -> Iterator[None]:
    """Serves an application on loopback."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.05)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@dataclass(frozen=True)
class Served:
    """A process that serves the desk."""

    address: str
    process: subprocess.Popen[bytes]

    def answers(self) -> bool:
        """Whether a page comes."""
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"{self.address}/sign-in", timeout=10) as one,
        ):
            return bool(one.status == 200)
        return False

    def connected(self, sent: bytes = b"") -> socket.socket:
        """A connection to it, on which something was sent."""
        to = urlsplit(self.address)
        line = socket.create_connection((str(to.hostname), int(to.port or 80)), timeout=PATIENCE)
        line.sendall(sent)
        return line

    @property
    def memory(self) -> int:
        """Its memory in MB: the resident set."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) // 1024

    def files(self) -> list[str]:
        """What it has open, one for each file number in use."""
        found = []
        for one in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                found.append(str(one.readlink()))
        return found


@contextlib.contextmanager
def served(home: Path, *, file_numbers: int | None = None, **settings: Any) -> Iterator[Served]:
    """A desk with a home, for the length of a `with` block, at whose end it must still be there.

    Args:
        home: where its record is, or will be.
        file_numbers: the most that the machine allows it, where that is less than usual.
        settings: more of them.
    """
    own = Settings(
        _env_file=None, home=home, listen=f"127.0.0.1:{free_port()}", **({"secret": "for tests"} | settings)
    )
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("LABELS_", "PREFECT_"))
    }

    def bounded() -> None:
        if file_numbers is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (file_numbers, file_numbers))

    process = subprocess.Popen(
        [*ends_with_us(), sys.executable, "-m", "desk.serving", "desk"],
        cwd=PROJECT,
        env=environment | own.exported(),
        preexec_fn=bounded,
    )
    one = Served(own.desk_url, process)
    try:
        deadline = time.monotonic() + PATIENCE
        while not one.answers():
            assert process.poll() is None, "the desk ended"
            assert time.monotonic() < deadline, "the desk did not come up"
            time.sleep(0.1)
        yield one
        assert process.poll() is None, "the desk ended"
    finally:
        process.terminate()
        process.wait()
