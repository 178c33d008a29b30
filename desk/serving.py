"""The processes that serve people: `python -m desk.serving desk` or `gate`, with the settings of their environment.

Each is a process of its own, so that nothing that a stranger sends ends the one that supervises.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import socket
import sys
import tempfile
import threading

import uvicorn
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from adapters.fonts import printable_characters
from adapters.logs import write_logs
from adapters.systemd import LISTENER
from adapters.workspace import Workspace, open_own_workspace
from desk.app import public_app
from desk.arriving import Arriving
from desk.connections import BACKLOG, bounded_by, limits_within, raised_file_numbers
from desk.telling import tell_platforms
from labels.clock import brussels_day, wall_clock
from labels.rules.calendars import is_working_day
from labels.settings import load_settings

log = logging.getLogger("desk")  # of `python -m` the name of this module would say nothing

MAIL_SHOWN = "LABELS_DEMO_MAIL"
"""Set by the demo alone: outgoing mail is a page."""
ARRIVING = "arriving"
"""Where files are while they arrive, below the home: a folder for temporary files is in memory on many machines."""
NEW_OBJECTS = 10_000
"""After so many the collector looks for garbage among them: a page makes some thousands, and nearly all go by themselves."""


def main(part: str) -> None:
    """Serves the desk or the gate until it is told to end.

    Raises:
        LabelsError: the settings, the record or the store can't be used.
    """
    give_memory_back()
    settings = load_settings()
    write_logs(settings.log_format, part)
    limits, forms = limits_within(raised_file_numbers())
    here = open_own_workspace(settings)
    arriving = settings.home / ARRIVING
    arriving.mkdir(mode=0o700, parents=True, exist_ok=True)
    tempfile.tempdir = str(arriving)
    app: ASGIApp
    if part == "gate":
        from desk.gate import signed_in_gate

        app, listens_at = (
            signed_in_gate(here, os.environ["PREFECT_API_URL"].removesuffix("/api")),
            settings.gate,
        )
    else:
        load_what_acts_need()
        app, listens_at = (
            public_app(here, mail_shown=os.environ.get(MAIL_SHOWN) == "1", arriving=Arriving(forms=forms)),
            settings.listen,
        )
        tell_platforms(here, threading.Event())
        if settings.metrics != "off":
            app = told_of(app, here)
    settle()
    given = os.environ.pop(LISTENER, "")
    host, _, port = listens_at.rpartition(":")
    config = uvicorn.Config(
        app,
        host=host.strip("[]"),
        port=int(port),
        http=bounded_by(limits),
        backlog=BACKLOG,
        log_config=None,  # as everything else that this process logs
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=10,
    )
    uvicorn.Server(config).run([socket.socket(fileno=int(given))] if given else None)


_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
"""As `malloc.h` of glibc has them."""
_LARGE = 256 * 1024
_ARENAS = 2


def give_memory_back() -> None:
    """Has glibc return a file that was looked through to the system, whichever thread it was in.

    By itself it puts larger and larger ones among small things, in a part of memory for each thread, which then stay: a
    hundred megabytes after two hundred and forty files of five. Other C libraries have no such setting, and need none.
    """
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)
    if adjust is not None:
        adjust(_M_MMAP_THRESHOLD, _LARGE)
        adjust(_M_ARENA_MAX, _ARENAS)


def load_what_acts_need() -> None:
    """Loads what no page needs and the first act would wait for, some of it while it keeps everybody else from writing.

    That is Prefect's client, the public holidays of countries, and which letters the fonts have: commands, most of which need
    none of them, load each when they come to it.
    """
    import adapters.prefect.runs  # noqa: F401 - loading it is all that is wanted

    printable_characters()
    is_working_day(brussels_day(wall_clock()), "BE")  # of any country: all of them are loaded together


def settle() -> None:
    """Has the garbage collector leave alone whatever is loaded by now.

    A collection that goes through everything that was ever imported takes a fifth of a second, in which no page is made.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)


def told_of(app: ASGIApp, here: Workspace) -> ASGIApp:
    """The desk whose requests are counted, with figures of the installation where the settings say.

    Where they can't be told there, that is logged: people have their desk without them.
    """
    from desk.metrics import Installation, Measured, serve_metrics  # for those who want them alone

    registry = CollectorRegistry()
    registry.register(Installation(here))
    try:
        serve_metrics(here.settings, registry)
    except OSError as error:
        log.error(
            "No figures for Prometheus: LABELS_METRICS=%s can't be listened at (%s). Correct it and restart.",
            here.settings.metrics,
            error.strerror,
        )
    return Measured(app, registry)


if __name__ == "__main__":
    main(sys.argv[1])
