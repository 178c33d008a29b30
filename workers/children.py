"""The warm processes of a worker, from its side: started when they are needed, given a run each, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import anyio
from prefect.client.schemas.objects import FlowRun

from adapters.supervision import handed_on, supervised

FOLDER = "labels-run-"
"""Begins the name of a run's folder, before the number of its process."""
GRACE = 30
"""Seconds that a run has to end after it was asked to, before its process is killed."""


@dataclass(frozen=True, slots=True)
class Executed:
    """How an execution ended."""

    status: int
    """0, or what its process ended with or would have."""
    refused: bool = False
    """The server did not want it to begin."""
    memory: int = 0
    """Bytes that its process holds now."""


@dataclass(eq=False)
class Child:
    """One warm process, and the run it executes."""

    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    run: UUID | None = None
    runs: int = 0
    grace: float = GRACE
    """Seconds that its present run has to end when it is asked to."""

    async def execute(self, run: FlowRun, environment: Mapping[str, str]) -> Executed:
        """Executes one run; where the process dies, the status is that of the process."""
        self.run, self.runs = run.id, self.runs + 1
        # The folder is ours, so that it goes even where the process was killed.
        folder = tempfile.mkdtemp(prefix=f"{FOLDER}{self.process.pid}-")
        order = {"run": run.model_dump(mode="json"), "folder": folder, "environment": dict(environment)}
        try:
            self.writer.write(json.dumps(order).encode() + b"\n")
            answer = asyncio.ensure_future(self.reader.readline())
            ended = asyncio.ensure_future(self.process.wait())
            # Not the connection alone: what a run has forked may hold it open when the process is gone.
            await asyncio.wait({answer, ended}, return_when=asyncio.FIRST_COMPLETED)
            said = answer.result() if answer.done() and not answer.exception() else b""
            answer.cancel()
            if not said:
                return Executed(status=await ended or 1)
            ended.cancel()
        finally:
            self.run = None
            shutil.rmtree(folder, ignore_errors=True)
        return Executed(**json.loads(said))

    async def end(self, grace: float | None = None) -> None:
        """Ends the process: at once where it is idle, asked first and killed later where it is not."""
        self.writer.close()
        if self.run is not None:
            self.signal(signal.SIGTERM)
        with anyio.move_on_after(self.grace if grace is None else grace):
            await self.process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)  # and what its runs have left behind
        await self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)


@dataclass
class Children:
    """The warm processes of one environment: as many as may run at once, made when they are needed."""

    environment: Mapping[str, str]
    preload: Sequence[str]
    turns: anyio.CapacityLimiter
    idle: list[Child] = field(default_factory=list)
    busy: set[Child] = field(default_factory=set)

    async def take(self) -> Child:
        """A process that is alive and free."""
        while self.idle:
            child = self.idle.pop()
            if child.process.returncode is None and not child.reader.at_eof():
                break
            await child.end(0)
        else:
            child = await _start(self.environment, self.preload)
        self.busy.add(child)
        return child

    async def give_back(self, child: Child, *, usable: bool) -> None:
        """Keeps the process for the next run, or ends it."""
        self.busy.discard(child)
        if usable and child.process.returncode is None:
            self.idle.append(child)
        else:
            await child.end()


async def _start(environment: Mapping[str, str], preload: Sequence[str]) -> Child:
    ours, theirs = socket.socketpair()
    descriptors, variables = handed_on()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *supervised("workers.child", str(theirs.fileno()), *preload),
            pass_fds=[theirs.fileno(), *descriptors],
            env={**environment, **variables},
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    reader, writer = await asyncio.open_connection(sock=ours)
    if not await reader.readline():
        status = await process.wait()
        raise RuntimeError(
            f"A warm process did not start (exit code {status}); its reason is in the worker's output."
        )
    return Child(process, reader, writer)


def remove_what_the_dead_left() -> None:
    """Folders of runs whose process was killed together with its worker."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        pid = folder.name.removeprefix(FOLDER).partition("-")[0]
        if pid.isdecimal() and not _is_alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    """Whether there is such a process; one that only waits to be buried is none."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's, or no /proc here
        return True
