"""Starts and stops what the project runs on: Prefect's server, a worker and the document links."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import certifi
import prefect.settings
import uvicorn
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL, temporary_settings

from cli import FOR_CLIENTS
from cli.output import say
from cli.prefect_database import connection_url
from labels.errors import NotAllowed, OutOfReach
from labels.settings import PROJECT, Settings, load_settings
from tasks.post import send_due
from tasks.runs import PATIENCE, end_lost_runs, prefect_client, recover
from tasks.signing import signer_of
from tasks.web import public_app
from tasks.workspace import Workspace, open_workspace

POOL = "labels"
PLACES = max(2, os.cpu_count() or 2) + 1
"""Runs that a worker may have: one more than it has processes, so that whichever is through has the next one at once."""
START_WITHIN = 120.0
"""Seconds for Prefect's server to come up; on a new database it first makes its tables."""
STOP_WITHIN = 15.0
SERVICES_FILE = "services.json"
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


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def running_services(home: Path) -> dict[str, Any] | None:
    """Where the services of this home listen, if their process is alive."""
    try:
        known: dict[str, Any] = json.loads((home / SERVICES_FILE).read_text())
        os.kill(int(known["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return None
    return known


@dataclass
class Services:
    """The processes of one machine, started together and ended together."""

    settings: Settings
    api_url: str
    environment: Mapping[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def ui_url(self) -> str:
        """The address of the Prefect UI."""
        return self.api_url.removesuffix("/api")

    def start(self, name: str, command: Sequence[str]) -> None:
        """Starts a process of its own group, so that Ctrl-C reaches it through us, in order."""
        logs = self.settings.home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=dict(self.environment),
                cwd=PROJECT,
                start_new_session=True,
            )

    def start_worker(self, kind: str = "warm") -> None:
        """Our worker, or Prefect's stock one (`process`), which runs every flow too.

        It gets no limit of its own: with one, a resume that arrives while the run's former
        execution winds down stops the stock worker. The work pool's limit does the same, safely.
        """
        self.start(
            "worker",
            [
                sys.executable,
                "-m",
                "workers",
                "worker",
                "start",
                "--pool",
                POOL,
                "--type",
                kind,
                "--name",
                f"{socket.gethostname()}-{os.getpid()}",
                "--install-policy",
                "never",
            ],
        )

    def died(self, name: str) -> bool:
        """Whether a process that should run has ended."""
        return self.processes[name].poll() is not None

    def stop(self) -> None:
        """Ends everything, the worker before the server; nothing stays behind."""
        for name in reversed(list(self.processes)):
            process = self.processes[name]
            if process.poll() is None:
                _signal(process, signal.SIGTERM)
                try:
                    process.wait(STOP_WITHIN)
                except subprocess.TimeoutExpired:
                    say(f"{name} did not end when asked to, and was killed.")
            _signal(process, signal.SIGKILL)  # what is left of its group
            process.wait()
        self.processes.clear()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


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


def client_environment(home: Path) -> dict[str, str]:
    """What a client of our server need not do: ask for a token, compare versions, read every authority."""
    return {
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
        "PREFECT_API_SSL_CERT_FILE": str(_one_authority(home)),
    }


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
    return defaults | FRUGAL | client_environment(settings.home) | inherited | own


@contextlib.contextmanager
def services(
    settings: Settings, port: int, documents_port: int, worker: str = "warm"
) -> Iterator[tuple[Services, Workspace]]:
    """Brings everything up for the length of a `with` block, and down again whatever happens.

    Raises:
        NotAllowed: services of the same home are running already, or another program has a port.
        InvalidInput: the setting of Prefect's database is wrong.
        OutOfReach: Prefect's database does not answer, or its server did not come up.
    """
    if known := running_services(settings.home):
        raise NotAllowed(
            f"It is running already (process {known['pid']}): {known['api_url'].removesuffix('/api')}"
        )
    _see_that_it_is_free(port, "Prefect's server")
    _see_that_it_is_free(documents_port, "the document links")
    api_url = f"http://127.0.0.1:{port}/api"
    settings = settings.model_copy(
        update={
            "site_url": api_url.removesuffix("/api"),
            "documents_url": f"http://127.0.0.1:{documents_port}",
        }
    )
    settings.home.mkdir(parents=True, exist_ok=True)
    here = open_workspace(settings)
    running = Services(settings, api_url, child_environment(settings, api_url))
    with contextlib.ExitStack() as stack:
        stack.callback(running.stop)
        running.start(
            "server",
            [sys.executable, "-m", "cli.prefect_server", str(port)],
        )
        stack.enter_context(_links_server(here, documents_port))
        _await_server(running)
        client = {name: running.environment[name] for name in FOR_CLIENTS}
        stack.enter_context(
            temporary_settings(
                {PREFECT_API_URL: api_url}
                | {getattr(prefect.settings, name): value for name, value in client.items()}
            )
        )
        _deploy(running, worker)
        running.start_worker(worker)
        file = settings.home / SERVICES_FILE
        file.write_text(
            json.dumps(
                {
                    "pid": str(os.getpid()),
                    "api_url": api_url,
                    "site_url": settings.site_url,
                    "documents_url": settings.documents_url,
                    "client": client,
                }
            )
        )
        stack.callback(file.unlink, missing_ok=True)
        yield running, here


def _see_that_it_is_free(port: int, what: str) -> None:
    """Another program there would be taken for ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise NotAllowed(
                f"Port {port}, for {what}, is taken by another program ({error.strerror}). End that one first; nothing "
                "was started."
            ) from None


def _await_server(running: Services) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        if running.died("server"):
            break
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(f"{running.api_url}/health", timeout=2),
        ):
            return
        time.sleep(0.2)
    log = running.settings.home / "logs" / "server.log"
    raise OutOfReach("Prefect's server", f"it did not start; see {log}.", "Nothing was lost.")


def _deploy(running: Services, worker: str) -> None:
    pool = WorkPoolCreate(name=POOL, type=worker, concurrency_limit=PLACES)
    with prefect_client() as client:
        try:
            client.read_work_pool(POOL)
            client.update_work_pool(POOL, WorkPoolUpdate(concurrency_limit=pool.concurrency_limit))
        except ObjectNotFound:
            client.create_work_pool(pool)
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=PROJECT,
        env=dict(running.environment),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise OutOfReach("Prefect", f"deploying the flows failed: {done.stdout[-600:]}{done.stderr[-600:]}")


@contextlib.contextmanager
def _links_server(here: Workspace, port: int) -> Iterator[None]:
    server = uvicorn.Server(
        uvicorn.Config(
            public_app(here),
            host="127.0.0.1",
            port=port,
            log_level="warning",
            access_log=False,
        )
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # signals are ours to handle
    thread = threading.Thread(target=server.run, name="document links", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(STOP_WITHIN)


@contextlib.contextmanager
def ended_by_signal() -> Iterator[threading.Event]:
    """An event that is set by Ctrl-C or SIGTERM, so that an end is always an orderly one."""
    stop = threading.Event()

    def on_signal(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    former = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def keep_alive(running: Services, here: Workspace, stop: threading.Event) -> None:
    """Until `stop`: starts again what died, and brings its applications back to their step.

    Runs that were lost with their process are ended from here too: upkeep itself needs a place in the
    work pool, and they may hold all of them.
    """
    pause = 1.0
    looked = time.monotonic()
    while not stop.wait(pause):
        if time.monotonic() - looked > PATIENCE.total_seconds() / 2:
            with contextlib.suppress(OutOfReach), prefect_client() as client:
                end_lost_runs(client)
            looked = time.monotonic()
        for name in ("server", "worker"):
            if not running.died(name):
                continue
            say(f"The {name} ended unexpectedly and is started again.", "yellow")
            command = running.processes[name].args
            assert isinstance(command, list)
            running.start(name, command)
            if name == "server":
                _await_server(running)
            with contextlib.suppress(OutOfReach), prefect_client() as client:
                recover(here, client)


def run_services() -> None:
    """`labels up`: everything for real use on one machine, until it is told to end."""
    from tasks.rendering.branding import check_branding  # reads catalogues, which other commands do not need

    settings = load_settings()
    signer_of(settings)  # a key that can't be used is told before anything is started
    check_branding()  # and so is a drawing or a text
    with ended_by_signal() as stop:
        say("Starting Prefect's server, the worker and the document links …")
        with services(settings, 4200, 4280) as (running, here):
            with prefect_client() as client:
                recovered = recover(here, client)
            send_due(here)
            say(f"Ready: {running.ui_url}  (logs in {settings.home / 'logs'}; Ctrl-C ends it)", "bold green")
            if recovered:
                say(f"{len(recovered)} application(s) were brought back to their step.")
            if not settings.verify_url:
                say(
                    f"Certificates send whoever checks them to {here.settings.check_url}, which only this machine "
                    "reaches: set LABELS_VERIFY_URL before real ones are issued.",
                    "yellow",
                )
            keep_alive(running, here, stop)
        say("Ended; nothing is lost, and `labels up` goes on from here.")
