"""The edge at which people and programs meet the project: commands in, words and exit codes out."""

from __future__ import annotations

import gc
import io
import json
import os
import sys

from adapters.home import keep_from_others


def main() -> None:
    """The `labels` command."""
    keep_from_others()
    os.environ.setdefault("DO_NOT_TRACK", "1")  # Prefect reports its use unless told not to
    _speak_every_script()
    _find_running_services()
    # What is imported stays: looking for garbage among it again and again takes a quarter of a short command.
    gc.disable()
    from cli.app import app

    app(prog_name="labels")


def _find_running_services() -> None:
    """Commands in a second terminal find the server of `labels up` or `labels demo` by their home.

    Prefect reads its settings when it is imported, so this comes first.
    """
    from cli.environment import environment, home

    try:
        known = json.loads((home() / "services.json").read_text())
    except (OSError, ValueError):
        return
    from adapters.prefect.address import FOR_CLIENTS  # a moment that `labels --help` need not take

    set_already = environment()

    def default(name: str, value: str) -> None:
        if name not in set_already:
            os.environ[name] = value

    default("PREFECT_API_URL", known["api_url"])
    if set_already.get("PREFECT_API_URL", known["api_url"]) == known["api_url"]:
        client = known.get("client", {})  # not there where services of an earlier version run
        for name in FOR_CLIENTS:
            if name in client:
                default(name, str(client[name]))
    if (day := set_already.get("LABELS_TODAY")) and day == known.get("today"):
        default("LABELS_TODAY_SINCE", known["today_since"])
    default("LABELS_SITE_URL", known["site_url"])
    for name in ("public_url", "documents_url"):  # services of an earlier version knew the second alone
        if name in known:
            default(f"LABELS_{name.upper()}", known[name])


def _speak_every_script() -> None:
    """Files and programs get UTF-8 whatever the locale; a terminal shows `?` for what it has no letter for."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
