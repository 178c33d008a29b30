"""Keeps the processes of `labels up` alive: what ended is started again, with growing pauses, until the operator ends all."""

from __future__ import annotations

import contextlib
import contextvars
import http.client
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from adapters.logs import keep_in_bounds
from adapters.mail.post import send_due
from adapters.parts import Part, write_parts
from adapters.prefect.client import prefect_client
from adapters.systemd import tell_systemd
from adapters.workspace import Workspace
from cli.output import say
from cli.processes import Services
from labels.clock import ClockWatch
from labels.errors import LabelsError, OutOfReach
from usecases.recovering import PATIENCE, Recovered, catch_up, end_lost_runs, recover

ENGINE = ("server", "worker")
"""What applications move on with; once one of these is there again, each application is brought back to its step."""
SETTLED = 60.0
"""Seconds after which a process that was started again counts as well."""
LONGEST_PAUSE = 60.0
LOOK_EVERY = 1.0


def pause_before(in_a_row: int) -> float:
    """Seconds before a process is started again that ended so often in a row: at once, then 1, 2, 4 … up to a minute."""
    return 0.0 if in_a_row <= 1 else min(LONGEST_PAUSE, 2.0 ** min(in_a_row - 2, 10))


@dataclass
class Process:
    """What is known of one process, besides that it runs."""

    begun: float
    since: datetime
    restarts: int = 0
    in_a_row: int = 0
    next_at: float | None = None
    """When it is started again, where it has ended."""
    ended: str = ""


@dataclass
class Keeper:
    """Looks after the processes, a look a second. Nothing that goes wrong in a look ends it."""

    running: Services
    here: Workspace | None
    """What runs are brought back with; None where this host does not look after them."""
    known: dict[str, Process] = field(default_factory=dict)
    owed: bool = False
    """Whether applications are to be brought back to their step as soon as Prefect's server answers."""
    _noted: dict[str, Part] = field(default_factory=dict)
    _mending: Future[None] | None = None
    _swept: float = field(default_factory=time.monotonic)
    _clock: ClockWatch = field(default_factory=ClockWatch)

    def look(self, mender: ThreadPoolExecutor) -> None:
        """One look at everything; what takes long is done by `mender`, so that nobody waits before a closed door."""
        if stepped := self._clock.step_back():
            say(
                f"The clock was put back by {stepped}: deadlines and the order of what happens go by it.",
                "yellow",
            )
        begun = {name for name in list(self.running.processes) if self._started_again(name)}
        if begun.intersection(ENGINE):
            self.owed = True
        self._note()
        for name in self.known:
            keep_in_bounds(self.running.log(name))
        if self._mending is None or self._mending.done():
            if self._mending is not None and (error := self._mending.exception()) is not None:
                say(
                    f"Runs could not be looked after, which is tried again: {type(error).__name__}.", "yellow"
                )
            self._mending = None
            if self.here is None:
                self.owed = False
            elif self.owed and server_answers(self.running):
                self.owed = False
                self._mending = _submitted(mender, self._brings_back)
            elif time.monotonic() - self._swept > PATIENCE.total_seconds() / 2:
                self._swept = time.monotonic()
                self._mending = _submitted(mender, self._ends_lost_runs)

    def _brings_back(self) -> None:
        assert self.here is not None
        try:
            with prefect_client() as client:
                brought = recover(self.here, client)
        except OutOfReach:
            self.owed = True
            return
        _tell(brought)
        if failed := [one.application for one in brought if one.failed]:
            say(
                f"Not brought back, which is tried again: {', '.join(failed[:5])}. `labels stuck` has more.",
                "yellow",
            )
        send_due(self.here)

    def _ends_lost_runs(self) -> None:
        # From here too: upkeep itself needs a place of a worker, and the host of one may be lost with all of its runs,
        # whose applications then need not wait for upkeep.
        assert self.here is not None
        # Nor need those that were handed in or answered while Prefect's server was there and did not do what it was asked.
        with contextlib.suppress(OutOfReach), prefect_client() as client:
            if end_lost_runs(self.here, client):
                self.owed = True
            else:
                _tell(catch_up(self.here, client))

    def _started_again(self, name: str) -> bool:
        now = time.monotonic()
        one = self.known.setdefault(name, Process(now, datetime.now(UTC)))
        if not self.running.died(name):
            if now - one.begun > SETTLED:
                one.in_a_row = 0
            return False
        if one.next_at is None:
            one.in_a_row += 1
            one.ended = ending(self.running, name)
            pause = pause_before(one.in_a_row)
            one.next_at = now + pause
            when = f"in {pause:.0f} s" if pause else "now"
            say(f"The {name} ended unexpectedly ({one.ended}) and is started again {when}.", "yellow")
        if now < one.next_at:
            return False
        try:
            if not self.running.start_again(name):
                return False  # everything is being stopped
        except OSError as error:
            one.in_a_row += 1
            one.next_at = now + pause_before(one.in_a_row)
            say(f"The {name} ended, and can't be started again yet: {error.strerror}.", "yellow")
            return False
        one.begun, one.since, one.next_at = now, datetime.now(UTC), None
        one.restarts += 1
        return True

    def _note(self) -> None:
        parts = {
            name: Part(
                self.running.processes[name].pid,
                one.since,
                one.next_at is None,
                one.restarts,
                one.in_a_row,
                one.ended,
            )
            for name, one in self.known.items()
            if name in self.running.processes
        }
        if parts != self._noted:
            write_parts(self.running.settings.home, parts)
            self._noted = parts


def _tell(done: Sequence[Recovered]) -> None:
    if helped := sum(not one.failed for one in done):
        say(f"{helped} application(s) were brought back to their step.")


def _submitted(mender: ThreadPoolExecutor, what: Callable[[], None]) -> Future[None]:
    # The thread has the address of the server from the context of this one.
    return mender.submit(contextvars.copy_context().run, what)


def ending(running: Services, name: str) -> str:
    """How a process ended, in a few words; its number stays its own."""
    code = running.exit_code(name)
    if code is None:
        return "nobody knows how"
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def server_answers(running: Services, within: float = 2.0) -> bool:
    """Whether Prefect's server answers within so many seconds."""
    return answers(running.api_url, within)


def answers(api_url: str, within: float = 2.0) -> bool:
    """Whether Prefect's API answers at an address within so many seconds."""
    with (
        contextlib.suppress(urllib.error.URLError, OSError, http.client.HTTPException),
        urllib.request.urlopen(f"{api_url}/health", timeout=within),
    ):
        return True
    return False


def keep_alive(
    running: Services, here: Workspace | None, stop: threading.Event, *, owed: bool = False
) -> None:
    """Until `stop`: starts again what died, and brings its applications back to their step; at once where that is owed.

    Without a workspace, others look after the applications.

    It ends for nothing else: a server that never comes up again is tried for ever, a full disk or a record that is
    away is told.
    """
    keeper, said = Keeper(running, here, owed=owed), ""
    with ThreadPoolExecutor(1, thread_name_prefix="mender") as mender:
        while not stop.wait(LOOK_EVERY):
            try:
                keeper.look(mender)
            except Exception as error:
                problem = str(error) if isinstance(error, LabelsError | OSError) else type(error).__name__
                if problem != said:
                    say(f"The services could not be looked after, which is tried again: {problem}", "yellow")
                said = problem
            else:
                said = ""
            tell_systemd("WATCHDOG=1")


@contextlib.contextmanager
def kept_alive(running: Services, here: Workspace, stop: threading.Event) -> Iterator[None]:
    """Keeps the services alive for the length of a `with` block, from a thread of its own; at its end `stop` is set."""
    # The thread has the address of the server from the context of this one.
    keeper = threading.Thread(
        target=contextvars.copy_context().run,
        args=(keep_alive, running, here, stop),
        name="keeper",
        daemon=True,
    )
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()
