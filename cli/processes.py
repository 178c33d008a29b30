"""The processes that the project runs on: started together, and ended together whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapters.prefect.address import POOL
from adapters.supervision import Supervision, supervised
from adapters.systemd import LISTENER
from cli.output import say
from labels.settings import PROJECT, Settings

STOP_WITHIN = 60.0
"""Seconds for a process to end by itself when it is asked to; the worker lets its runs come to their end."""

PLACES = max(2, os.cpu_count() or 2) + 1
"""Runs that a worker of another kind than ours may have at once."""


class Interrupted(Exception):
    """The services were asked to end before they had come up."""


@dataclass
class Services:
    """The processes of one machine, started together and ended together.

    What is being stopped is never started again, and nothing is left of a process that ended: its group is killed
    before its number is free for another process.
    """

    settings: Settings
    api_url: str
    environment: Mapping[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    listeners: dict[str, socket.socket] = field(default_factory=dict)
    """Sockets on which those of that name listen, where somebody else has opened them (systemd)."""
    _supervision: Supervision = field(default_factory=Supervision)
    _starting: threading.RLock = field(default_factory=threading.RLock)
    _stopped: bool = False

    @property
    def ui_url(self) -> str:
        """The address of the Prefect UI."""
        return self.api_url.removesuffix("/api")

    def log(self, name: str) -> Path:
        """The file with the output of a process."""
        return self.settings.home / "logs" / f"{name}.log"

    def start(self, name: str, command: Sequence[str]) -> None:
        """Starts a process of its own group, so that Ctrl-C reaches it through us, in order.

        Raises:
            RuntimeError: everything is being stopped.
        """
        with self._starting:
            if self._stopped:
                raise RuntimeError(f"{name} is not started: everything is being stopped.")
            if name in self.processes:
                _end_group(self.processes[name])
            self.log(name).parent.mkdir(parents=True, exist_ok=True)
            listeners = [self.listeners[name].fileno()] if name in self.listeners else []
            listens_on = {LISTENER: str(listeners[0])} if listeners else {}
            with self.log(name).open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    command,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    env={**self.environment, **self._supervision.variables, **listens_on},
                    cwd=PROJECT,
                    pass_fds=[*self._supervision.descriptors, *listeners],
                    start_new_session=True,
                )

    def run(self, name: str, command: Sequence[str], stop: threading.Event) -> int:
        """Runs a process to its end, and returns its exit code.

        Raises:
            Interrupted: `stop` was set before.
        """
        self.start(name, command)
        while not self.died(name):
            if stop.wait(0.05):
                raise Interrupted
        process = self.processes.pop(name)
        _end_group(process)
        return process.returncode

    def start_again(self, name: str) -> bool:
        """Starts a process again that ended by itself; False where it runs, or where everything is being stopped."""
        with self._starting:
            if self._stopped or not self.died(name):
                return False
            command = self.processes[name].args
            assert isinstance(command, list)
            self.start(name, command)
            return True

    def start_worker(self, kind: str = "warm") -> None:
        """Our worker, or Prefect's stock one (`process`), which runs every flow too.

        Each has a limit of its own, since others may take runs from the same work pool: ours knows it.
        """
        name = f"{socket.gethostname()}-{os.getpid()}"
        options = ["--pool", POOL, "--type", kind, "--name", name, "--install-policy", "never"]
        if kind != "warm":
            options += ["--limit", str(PLACES)]
        self.start("worker", supervised("workers", "worker", "start", *options))

    def died(self, name: str) -> bool:
        """Whether a process has ended, by itself or not."""
        return _has_ended(self.processes[name])

    def exit_code(self, name: str) -> int | None:
        """With what a process ended, the number of a signal below zero; None where it runs or nobody knows."""
        process = self.processes[name]
        if process.returncode is not None:
            return process.returncode
        with contextlib.suppress(ChildProcessError):
            if found := os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
        return None

    def stop(self) -> None:
        """Ends everything, the worker before the server, and whatever they left behind.

        An exception on the way (a second Ctrl-C) ends it at once, and passes.
        """
        with self._starting:
            self._stopped = True
        try:
            for name, process in reversed(self.processes.items()):
                _signal(process, signal.SIGTERM)
                if not _ends(process, STOP_WITHIN):
                    say(f"{name} did not end when asked to, and was killed.")
        finally:
            for process in self.processes.values():
                _end_group(process)
            self._supervision.end(STOP_WITHIN)  # what has a group of its own: the executions of the worker
            self.processes.clear()


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether a child has ended. It is not waited for, so that its number stays its own."""
    if process.returncode is not None:
        return True
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _ends(process: subprocess.Popen[bytes], within: float) -> bool:
    """Waits for a child to end, for so many seconds."""
    deadline = time.monotonic() + within
    while not _has_ended(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kills a child and all of its group, and waits for it."""
    if process.returncode is None:
        _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


@contextlib.contextmanager
def ended_by_signal() -> Iterator[threading.Event]:
    """An event that is set by Ctrl-C, SIGTERM or the end of the terminal, so that an end is always an orderly one."""
    stop = threading.Event()

    def on_signal(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` wants it to outlive its terminal
        numbers.append(signal.SIGHUP)
    former = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
