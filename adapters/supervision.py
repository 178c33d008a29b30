"""Ends processes when the one that supervises them is gone, whatever its end was: an exception, a signal, SIGKILL.

The supervisor holds one end of a socket and hands the other to every process that it starts; they hand it to their
own. Nothing is ever sent: a process that reads the end of the stream knows that its supervisor is gone, and the
supervisor that reads it knows that all the processes are. Linux could send a signal instead (`PR_SET_PDEATHSIG`), but
only when the thread that started a process ends, and only to that process.

`python -m adapters.supervision MODULE ARGUMENT…` is `python -m MODULE ARGUMENT…`, supervised before anything is loaded.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import runpy
import signal
import socket
import sys
import threading
from dataclasses import dataclass, field
from typing import NoReturn

VARIABLE = "LABELS_SUPERVISOR"
"""Tells a process which of its descriptors is the socket."""


def supervised(module: str, *arguments: str) -> list[str]:
    """The command by which a module of Python is run under supervision."""
    return [sys.executable, "-m", "adapters.supervision", module, *arguments]


class Supervision:
    """The supervisor's side: what the processes that it starts are given, and how it ends with all of them."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()

    @property
    def descriptors(self) -> list[int]:
        """What a new process inherits (`pass_fds`)."""
        return [self._theirs.fileno()]

    @property
    def variables(self) -> dict[str, str]:
        """What a new process finds in its environment."""
        return {VARIABLE: str(self._theirs.fileno())}

    def end(self, within: float) -> bool:
        """Ends every process that is left, and waits until none is; False where one is there after so many seconds.

        Nothing can be started after that; a second call does nothing.
        """
        if self._ours.fileno() < 0:
            return True
        with self._ours:
            self._theirs.close()
            self._ours.shutdown(socket.SHUT_WR)
            self._ours.settimeout(within)
            with contextlib.suppress(TimeoutError):
                return self._ours.recv(1) == b""
        return False


@dataclass
class _Supervised:
    """What this process was given by its supervisor, if it has one."""

    descriptors: list[int] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)


_OURS = _Supervised()


def end_with_supervisor() -> None:
    """Has this process and its group killed as soon as its supervisor is gone; does nothing where it has none.

    To be called once, at the start of a process, which must bear to be killed at any moment.
    """
    given = os.environ.pop(VARIABLE, None)
    if given is None:
        return
    descriptor = int(given)
    os.set_inheritable(descriptor, False)
    _OURS.descriptors, _OURS.variables = [descriptor], {VARIABLE: given}
    threading.Thread(target=_watch, args=(descriptor,), name="supervision", daemon=True).start()


def _watch(descriptor: int) -> NoReturn:
    with socket.socket(fileno=descriptor) as supervisor:
        while supervisor.recv(1):
            pass
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def run(module: str, *arguments: str) -> None:
    """Runs a module as `python -m` does, and ends this process with its supervisor."""
    end_with_supervisor()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def handed_on() -> tuple[list[int], dict[str, str]]:
    """The descriptors and variables by which a process that this one starts has the same supervisor."""
    return list(_OURS.descriptors), dict(_OURS.variables)


def end_with_parent() -> None:
    """Ends a process of a pool when the process that made it is gone; it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="supervision", daemon=True).start()


if __name__ == "__main__":
    from adapters import supervision  # as whoever imports it has it, not a second one

    supervision.run(*sys.argv[1:])
