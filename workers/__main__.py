"""Prefect's own command line, with the warm worker known to it: `python -m workers worker start --type warm`."""

from prefect.cli import app

import workers.warm  # noqa: F401  # registers itself

app()
