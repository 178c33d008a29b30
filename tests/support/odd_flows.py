"""Flows that behave in every way a worker must bear."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import time
from pathlib import Path

from prefect import flow, get_run_logger, suspend_flow_run
from prefect.input import RunInput


def said(folder: str, what: object) -> None:
    """Leaves a line for the test: what was seen, and by which process."""
    with (Path(folder) / "said").open("a") as file:
        file.write(f"{os.getpid()} {what}\n")


@flow
def ends(folder: str) -> None:
    """Ends as it should."""
    said(folder, os.environ.get("ODD", "nothing"))


@flow
async def fails(folder: str) -> None:
    """Fails, in a coroutine."""
    said(folder, "fails")
    await asyncio.sleep(0)
    raise ValueError("it is meant to")


@flow
def leaves(folder: str, status: int) -> None:
    """Ends its process in the middle."""
    said(folder, "leaves")
    os._exit(status)


@flow
def breaks(folder: str) -> None:
    """Reads where there is no memory."""
    said(folder, "breaks")
    ctypes.string_at(0)


@flow
def forks(folder: str) -> None:
    """Leaves a process behind that outlives it and holds all that it held."""
    child = os.fork()
    if child == 0:
        time.sleep(600)
    said(folder, child)
    os._exit(1)


@flow
def hangs(folder: str, deaf: bool = False) -> None:
    """Does not end by itself, and if it is deaf not when it is asked to either."""
    if deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    said(folder, "hangs deaf" if deaf else "hangs")
    while True:
        time.sleep(0.1)


_KEPT: list[bytes] = []


@flow
def grows(folder: str) -> None:
    """Takes three hundred mebibytes and keeps them."""
    said(folder, "grows")
    _KEPT.append(b"x" * (300 * 1024 * 1024))


class Nothing(RunInput):
    """A form with one field."""

    word: str = ""


async def suspended(folder: str, name: str) -> None:
    """Suspends with a form in the first execution; what comes back with it is for the project's own tasks alone."""
    mark = Path(folder) / f"{name} was suspended"
    if not mark.exists():
        mark.touch()
        await suspend_flow_run(wait_for_input=Nothing, key="once")  # type: ignore[misc]  # typed as sync


@flow
async def winds_down(folder: str) -> None:
    """Suspends, and goes on after Prefect knows of it, until there is a file that says that it may end."""
    said(folder, "begins")
    try:
        await suspended(folder, "it")
    finally:
        while not (Path(folder) / "may end").exists():
            time.sleep(0.05)
    said(folder, "goes on")


@flow
def tells_when(folder: str, name: str, waits: bool = False) -> None:
    """Says when it began and ended, and where; where it waits, it ends once it may: there is a file that says so."""
    said(folder, f"{name} begins {time.time()} {Path.cwd()}")
    while waits and not (Path(folder) / f"{name} may end").exists():
        time.sleep(0.05)
    said(folder, f"{name} ends {time.time()}")


@flow
async def waits(folder: str, name: str) -> None:
    """Suspends, and says how it went on."""
    await suspended(folder, name)
    get_run_logger().warning("%s goes on", name)
    said(folder, f"{name} goes on")
