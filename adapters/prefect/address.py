"""Where Prefect's server is and whether it answers, without importing Prefect, which takes seconds."""

from __future__ import annotations

import http.client
import os
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

POOL = "labels"
"""The work pool of our runs (prefect.yaml)."""
FOR_CLIENTS = (
    "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED",
    "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED",
    "PREFECT_CLIENT_RETRY_EXTRA_CODES",
    "PREFECT_API_SSL_CERT_FILE",
)
"""What every client of our server has from its environment, commands in other terminals too."""


def api_url() -> str | None:
    """The address of Prefect's API as Prefect's settings have it, None where there is none."""
    # Where Prefect is imported, its settings may be replaced for a part of the process.
    if "prefect.settings" not in sys.modules:
        if url := os.environ.get("PREFECT_API_URL"):  # comes before all files in Prefect, too
            return url
        if not any(map(_has_settings, _settings_files())):
            return None
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    return str(url) if url else None


def _settings_files() -> list[Path]:
    """The files in which Prefect looks for settings."""
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    profiles = os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml"
    return [Path(".env"), Path("prefect.toml"), Path("pyproject.toml"), Path(profiles)]


def _has_settings(file: Path) -> bool:
    """Whether there may be settings of Prefect's in a file; `.env` and `pyproject.toml` are seldom for them."""
    mark = {".env": "PREFECT_", "pyproject.toml": "[tool.prefect"}.get(file.name, "")
    try:
        return mark in file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def prefect_answers(within: float = 3.0) -> bool:
    """Whether Prefect's server answers at all, within so many seconds."""
    url = api_url()
    if not url:
        return False
    authorities = os.environ.get("PREFECT_API_SSL_CERT_FILE") or None
    try:
        trusted = ssl.create_default_context(cafile=authorities) if url.startswith("https:") else None
        urllib.request.urlopen(f"{url}/health", timeout=within, context=trusted).close()
    except urllib.error.HTTPError:
        return True
    except (OSError, http.client.HTTPException, ValueError):  # ValueError: it is no address
        return False
    return True
