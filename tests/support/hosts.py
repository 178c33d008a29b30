"""The hosts of one installation, each a `labels up --role …` of its own with a home of its own, on loopback."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from labels.settings import PROJECT
from tests.support.patience import PATIENCE, until
from tests.support.processes import ends_with_us

LABELS = [str(Path(sys.executable).with_name("labels"))]


@dataclass
class Host:
    """One of them."""

    name: str
    role: str
    folder: Path
    environment: Mapping[str, str]
    """Of every command on it."""
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def home(self) -> Path:
        return self.folder / self.name

    def starts(self) -> None:
        """Begins to come up; `until_ready` waits for it."""
        self.home.mkdir(exist_ok=True)
        with (self.folder / f"{self.name}.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*ends_with_us(), *LABELS, "up", "--role", self.role],
                env=self._whole(),
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return (self.folder / f"{self.name}.log").read_text("utf-8", "replace")

    def until_ready(self) -> None:
        def ready() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, f"{self.name} has ended: {self.said()}"
            return "Ready:" in self.said()

        until(ready, f"{self.name} is ready", self.said)

    def gives(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command on this host."""
        return subprocess.run(
            [*LABELS, *words],
            env=self._whole(),
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def vanishes(self) -> None:
        """Every process of it is killed at once."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def is_asked_to_end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def ends(self) -> None:
        """It has ended, once it was asked to."""
        if self.process is not None:
            self.process.wait(PATIENCE)

    def _whole(self) -> dict[str, str]:
        own = {
            name: value for name, value in os.environ.items() if not name.startswith(("LABELS_", "PREFECT_"))
        }
        return own | dict(self.environment) | {"LABELS_HOME": str(self.home), "LABELS_ENV_FILE": ""}


@contextlib.contextmanager
def ended(hosts: list[Host]) -> Iterator[None]:
    """All of them end with the block: Prefect's API last, which the others use to the end."""
    try:
        yield
    finally:
        for some in (
            [one for one in hosts if one.role != "api"],
            [one for one in hosts if one.role == "api"],
        ):
            for one in some:
                one.is_asked_to_end()
            for one in some:
                one.ends()
