"""The environment of Prefect's server, worker and clients: they do no more than is needed here."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import certifi
import prefect.settings
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from adapters.prefect.client import prefect_client
from adapters.prefect.database import connection_url
from adapters.prefect.redis import shared_environment
from labels.settings import PROJECT, Settings

KEPT_FOR = timedelta(days=30)
"""Runs that have ended are forgotten after so long, by Prefect: the record remembers."""

FRUGAL = {
    # Nine tenths of Prefect's database, and a third of its server's work: the feed of events in its pages.
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    # Every five seconds this reads every suspended run; it is for suspensions with a timeout, and ours have none.
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "false",
    # What tasks did is written in batches, a second later, instead of one transaction for each of its states.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    # A run that waits its turn for a quarter of a minute is not late: a round makes thousands that do, and each would
    # be written again.
    "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "600",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(int(KEPT_FOR.total_seconds())),
    "PREFECT_SERVER_API_KEEPALIVE_TIMEOUT": "60",
}
"""What Prefect's server need not do here; docs/scaling.md says what each gives up."""


def _one_authority(home: Path) -> Path:
    """A file with one of the authorities that certificates are checked by, for an address without any.

    Prefect makes a TLS context for every client, also of a plain HTTP address, and reads all of some 140
    authorities each time: 27 ms, ten times in an execution.
    """
    file = home / "prefect" / "authority.pem"
    file.parent.mkdir(parents=True, exist_ok=True)
    end = "-----END CERTIFICATE-----\n"
    file.write_text(
        Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end, encoding="utf-8"
    )
    return file


def client_environment(home: Path, api_url: str) -> dict[str, str]:
    """What a client of our server need not do: ask for a token, compare versions, read every authority.

    And what it does: it asks again where a proxy says that the server behind it did not answer in time (504).
    """
    sparing = {
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
        "PREFECT_CLIENT_RETRY_EXTRA_CODES": "504",
    }
    if api_url.startswith("https:"):
        return sparing
    return sparing | {"PREFECT_API_SSL_CERT_FILE": str(_one_authority(home))}


def child_environment(settings: Settings, api_url: str) -> dict[str, str]:
    """What the children see: our settings, Prefect's address, and quiet defaults of Prefect's.

    Raises:
        InvalidInput, OutOfReach: as `connection_url` has them.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LABELS_")}
    own = settings.exported() | {
        "PREFECT_API_URL": api_url,
        "PREFECT_HOME": str(settings.home / "prefect"),
        # A run begins in a folder of its own, and finds this checkout all the same.
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")])),
    }
    if database := connection_url(settings):
        own["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = database
    own |= shared_environment(settings)
    defaults = {
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # Its pages show our forms as raw Markdown, and call a tracking service from the browser.
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
    }
    if settings.log_format == "json":
        defaults["PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER"] = "json"
    return defaults | FRUGAL | client_environment(settings.home, api_url) | inherited | own


@contextlib.contextmanager
def spoken_to(api_url: str, client: Mapping[str, str]) -> Iterator[None]:
    """Lets the clients of this process speak to that server, with the settings in `client`."""
    by_name = {"PREFECT_API_URL": api_url, **client}
    with prefect.settings.temporary_settings(
        {getattr(prefect.settings, name): value for name, value in by_name.items()}
    ):
        yield


def see_to_work_pool(name: str, kind: str) -> None:
    """Makes a work pool for workers of that kind; each worker takes no more than it has places for, so the pool has no limit.

    Raises:
        OutOfReach: Prefect's server does not answer.
    """
    with prefect_client() as client:
        try:
            client.read_work_pool(name)
        except ObjectNotFound:
            # A worker that comes up meanwhile makes it, too.
            with contextlib.suppress(ObjectAlreadyExists):
                client.create_work_pool(WorkPoolCreate(name=name, type=kind))
        client.update_work_pool(name, WorkPoolUpdate(concurrency_limit=None))
