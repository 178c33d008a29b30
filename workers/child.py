"""One warm process: it executes the flow runs that its worker sends it, one after the other.

It has Prefect and the flows loaded before the first run arrives, and ends when its worker does. Started by
`workers.warm` as `python -m workers.child FD MODULE…`, where FD is a connected socket and the modules are what
its runs will need. Each line on the socket is a JSON value:
`{"run": id, "folder": path, "environment": {…}}` comes, `{"status": code, "memory": bytes}` goes back when the run is over.
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
import signal
import socket
import sys
from collections.abc import Sequence
from uuid import UUID

from prefect.exceptions import Abort, Pause, TerminationSignal
from prefect.flow_engine import load_flow, load_flow_run, run_flow
from prefect.logging.handlers import APILogHandler
from prefect.logging.loggers import flow_run_logger, get_logger

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
    with socket.socket(fileno=descriptor) as connection, connection.makefile("rw") as lines:
        lines.write(json.dumps({"ready": os.getpid()}) + "\n")
        lines.flush()
        for line in lines:
            status = _in_a_place_of_its_own(json.loads(line))
            lines.write(json.dumps({"status": status, "memory": _memory()}) + "\n")
            lines.flush()


def _in_a_place_of_its_own(order: dict[str, object]) -> int:
    """Executes one run in its folder and a context of its own, and leaves no trace of either."""
    environment = order["environment"]
    assert isinstance(environment, dict)
    former = {name: value for name, value in os.environ.items() if name.startswith(OF_A_RUN)}
    path = list(sys.path)
    os.environ.update(environment)
    try:
        with contextlib.chdir(str(order["folder"])):
            return contextvars.copy_context().run(_execute, UUID(str(order["run"])))
    finally:
        sys.path[:] = path
        for name in [name for name in os.environ if name.startswith(OF_A_RUN)]:
            del os.environ[name]
        os.environ.update(former)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        APILogHandler().flush()


def _execute(run_id: UUID) -> int:
    """What `python -m prefect.engine` does; the exit code it would have had."""
    try:
        run = load_flow_run(run_id)
        log = flow_run_logger(flow_run=run)
        try:
            flow = load_flow(run)
        except Exception:
            log.exception("Unexpected exception encountered when trying to load flow")
            raise
        outcome = run_flow(flow, flow_run=run, error_logger=log)  # type: ignore[arg-type]  # as prefect.engine does
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)
    except (Abort, Pause):
        return 0
    except TerminationSignal:
        return 128 + signal.SIGTERM
    except SystemExit as asked:
        return asked.code if isinstance(asked.code, int) else FAILED * (asked.code is not None)
    except BaseException:
        logger.exception("The run %s ended with an exception that nobody expected.", run_id)
        return FAILED
    return 0


def _memory() -> int:
    """Bytes that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
