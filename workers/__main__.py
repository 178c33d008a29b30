"""Prefect's own command line, with the warm worker known to it: `python -m workers worker start --type warm`."""

import signal

from prefect.cli import app

import workers.warm  # noqa: F401  # registers itself

# Prefect's worker passes SIGTERM on to itself as SIGINT, to which a shell makes deaf what it puts in the background.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

app()
