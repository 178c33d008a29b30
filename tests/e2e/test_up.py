"""`labels up` as systemd runs it: two installations on one machine, and a server that dies while it is started again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from adapters.parts import read_parts
from cli.services import free_port
from labels.settings import PROJECT
from tests.support.patience import PATIENCE, until
from tests.support.processes import ends_with_us

pytestmark = pytest.mark.slow

LABELS = [str(Path(sys.executable).with_name("labels"))]


@dataclass
class Up:
    """An installation with `labels up`, which gets the socket of its desk and tells when it is ready."""

    home: Path
    more: dict[str, str] = field(default_factory=dict)
    desk: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def environment(self) -> dict[str, str]:
        """Of every command of this installation."""
        own = {
            name: value for name, value in os.environ.items() if not name.startswith(("LABELS_", "PREFECT_"))
        }
        address = f"127.0.0.1:{self.desk.getsockname()[1]}"
        return (
            own | {"LABELS_HOME": str(self.home), "LABELS_ENV_FILE": "", "LABELS_LISTEN": address} | self.more
        )

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        """Up, until the end of the block; it must end by itself when it is asked to."""
        self.home.mkdir()
        notified, log_file = self.home.parent / f"{self.home.name}.notify", self.home / "up.log"
        script = f'export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=desk; exec "$@" 3<&{self.desk.fileno()}'
        ports = ["--port", str(free_port()), "--gate-port", str(free_port())]
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
            log_file.open("wb") as log,
        ):
            systemd.bind(str(notified))
            systemd.settimeout(0.2)
            self.process = subprocess.Popen(
                [*ends_with_us(), "bash", "-c", script, "bash", *LABELS, "up", *ports],
                env=self.environment | {"NOTIFY_SOCKET": str(notified)},
                pass_fds=[self.desk.fileno()],
                cwd=PROJECT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                for told in (b"READY=1", b"WATCHDOG=1"):
                    assert self._hears(systemd) == told, log_file.read_text()
                yield
                assert self.process.poll() is None, "nothing ends it but its operator"
            finally:
                self.process.terminate()
                assert self.process.wait(PATIENCE) == 0, log_file.read_text()
                self.desk.close()

    def _hears(self, systemd: socket.socket) -> bytes:
        """What systemd is told next; nothing where the command has ended."""
        heard: list[bytes] = []

        def told() -> bool:
            with contextlib.suppress(TimeoutError):
                heard.append(systemd.recv(100))
            return bool(heard) or self.process.poll() is not None

        until(told, "systemd is told", every=0)
        return heard[0] if heard else b""

    def status(self) -> tuple[int, dict[str, Any]]:
        """The exit code of `labels status`, and what it says of each part."""
        done = subprocess.run(
            [*LABELS, "status", "--json"],
            env=self.environment,
            cwd=PROJECT,
            capture_output=True,
            timeout=PATIENCE,
        )
        return done.returncode, {one["part"]: one for one in json.loads(done.stdout)}

    def is_ready(self) -> bool:
        """What `/ready` says; whoever can't even connect fails the test."""
        address = f"http://127.0.0.1:{self.desk.getsockname()[1]}/ready"
        # A busy machine answers 503, and the process that ends may still have taken the connection.
        with (
            contextlib.suppress(urllib.error.HTTPError, ConnectionResetError),
            urllib.request.urlopen(address, timeout=PATIENCE) as answer,
        ):
            return bool(answer.status == 200)
        return False


def test_two_installations_on_one_machine_are_well_and_end_for_nothing_but_their_operator(
    tmp_path: Path,
) -> None:
    one, other = Up(tmp_path / "one"), Up(tmp_path / "other")
    with one.run(), other.run():
        for each in (one, other):
            until(lambda: each.status()[0] == 0, "all is well", each.status)  # noqa: B023
        assert one.status()[1]["desk"]["detail"] != other.status()[1]["desk"]["detail"]

        for _ in range(3):  # again while it is being started again
            former = read_parts(one.home)["server"]
            os.kill(former.pid, signal.SIGKILL)
            until(
                lambda: (now := read_parts(one.home)["server"]).running and now.pid != former.pid,  # noqa: B023
                "the server is started again",
            )
        assert read_parts(one.home)["server"].restarts >= 3
        os.kill(read_parts(one.home)["desk"].pid, signal.SIGKILL)
        # Whoever comes meanwhile waits: the socket is not the desk's own, and stays.
        until(one.is_ready, "the desk is ready again", one.status)
        until(lambda: one.status()[0] in (0, 1), "all is well again", one.status)
        assert one.status()[1]["prefect"]["health"] == "well"
        until(lambda: other.status()[0] == 0, "nobody there noticed", other.status)
