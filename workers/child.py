"""One warm process: it executes the flow runs that its worker sends it, one after the other.

It has Prefect and the flows loaded before the first run arrives, and ends when its worker does. Started by
`workers.warm` as `python -m workers.child FD MODULE…`, where FD is a connected socket and the modules are what
its runs will need. Each line on the socket is a JSON value:
`{"run": {…}, "folder": path, "environment": {…}}` comes, `{"status": code, "refused": bool, "memory": bytes}` goes back when the run is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import importlib
import inspect
import json
import os
import resource
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect.client.schemas.objects import FlowRun
from prefect.context import SyncClientContext
from prefect.events.worker import EventsWorker
from prefect.exceptions import Abort, Pause, TerminationSignal
from prefect.flow_engine import load_flow, run_flow
from prefect.logging.handlers import APILogWorker
from prefect.logging.loggers import flow_run_logger, get_logger

from adapters.patches import in_force
from adapters.prefect.patches.remembering import remember_answers
from adapters.prefect.patches.reporting import report_sparingly

FAILED = 1
OF_A_RUN = "PREFECT__"
"""Begins the names of the variables that differ from run to run."""

logger = get_logger("workers.child")


def main(descriptor: int, modules: Sequence[str]) -> None:
    """Executes runs until the worker closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's: it lets runs come to their end
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception:
            logger.exception("%s could not be loaded; runs that need it will say so.", module)
    gc.freeze()  # what is loaded stays, and need not be looked through again and again
    remember_answers()
    report_sparingly()
    with (
        socket.socket(fileno=descriptor) as connection,
        connection.makefile("rw") as lines,
        SyncClientContext(),  # all tasks of all runs use one client, with a connection that stays
    ):
        lines.write(json.dumps({"ready": os.getpid()}) + "\n")
        lines.flush()
        for line in lines:
            status, refused = _in_a_place_of_its_own(json.loads(line))
            over = {"status": status, "refused": refused, "memory": _memory()}
            lines.write(json.dumps(over) + "\n")
            lines.flush()


def _in_a_place_of_its_own(order: dict[str, Any]) -> tuple[int, bool]:
    """Executes one run in its folder and a context of its own, and leaves no trace of either."""
    environment: dict[str, str] = order["environment"]
    former = {name: value for name, value in os.environ.items() if name.startswith(OF_A_RUN)}
    path = list(sys.path)
    os.environ.update(environment)
    try:
        with contextlib.chdir(order["folder"]):
            return contextvars.copy_context().run(_execute, FlowRun.model_validate(order["run"]))
    finally:
        shutil.rmtree(order["folder"], ignore_errors=True)  # where the worker is gone, nobody else does
        sys.path[:] = path
        for name in [name for name in os.environ if name.startswith(OF_A_RUN)]:
            del os.environ[name]
        os.environ.update(former)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _tell_everything()


def _tell_everything() -> None:
    """Waits until everything was sent to Prefect: logs, and what the tasks did."""
    if in_force("draining"):
        from adapters.prefect.patches.draining import tell_what_was_used

        tell_what_was_used()
    else:
        APILogWorker.instance().drain()
        EventsWorker.instance().wait_until_empty()


def _execute(run: FlowRun) -> tuple[int, bool]:
    """What `python -m prefect.engine` does; the exit code it would have had, and whether the server refused the run."""
    try:
        log = flow_run_logger(flow_run=run)
        try:
            flow = load_flow(run)
        except Exception:
            log.exception("Unexpected exception encountered when trying to load flow")
            raise
        # With its deployment, the engine would begin with a thread, a connection and two requests to find out whether
        # somebody suspends the run from outside; what the run itself sees is read anew, with its deployment.
        run = run.model_copy(update={"deployment_id": None})
        outcome = run_flow(flow, flow_run=run, error_logger=log)  # type: ignore[arg-type]  # as prefect.engine does
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)
    except Pause:
        return 0, False
    except Abort:
        return 0, True
    except TerminationSignal:
        return 128 + signal.SIGTERM, False
    except SystemExit as asked:
        return (asked.code if isinstance(asked.code, int) else FAILED * (asked.code is not None)), False
    except BaseException:
        logger.exception("The run %s ended with an exception that nobody expected.", run.id)
        return FAILED, False
    return 0, False


def _memory() -> int:
    """Bytes of memory that this process uses; the most that it has used, where the system says no more."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
