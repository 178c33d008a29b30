"""Starts and stops what the project runs on: Prefect's server, a worker and the desk."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.home import keep_from_others, repair
from adapters.papers.signing import signer_of
from adapters.parts import forget_parts
from adapters.prefect.address import FOR_CLIENTS, POOL
from adapters.prefect.environment import child_environment, see_to_work_pool, spoken_to
from adapters.prefect.installed import tell_installation
from adapters.roles import EVERYTHING, Roles
from adapters.supervision import supervised
from adapters.systemd import sockets_handed_over, tell_systemd
from adapters.workspace import Workspace, open_installation
from cli.keeping import answers, keep_alive
from cli.output import say
from cli.processes import Interrupted, Services, ended_by_signal
from desk.serving import MAIL_SHOWN
from labels.clock import brussels_day, wall_clock
from labels.errors import Fault, InvalidInput, NotAllowed, OutOfReach
from labels.sessions.passkeys import site_at
from labels.settings import Settings, is_this_machine, load_settings, reached_at
from usecases.privacy import see_that_nobody_is_back
from usecases.upkeep import clock_ran_backwards

START_WITHIN = 600.0
"""Seconds for Prefect's server to come up; on a new database it first makes its tables. It takes some ten, and minutes
on a machine that has ten times as much to do as it has processors for."""
SERVICES_FILE = "services.json"
LOCK_FILE = "services.lock"


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def running_services(home: Path) -> dict[str, Any] | None:
    """Where the services of this home listen, while the process that started them is there.

    That it is there is known by its lock, which ends with it: the number of a process that was killed may be
    another's by now, and is so each time in a container.
    """
    try:
        with (home / LOCK_FILE).open() as lock:
            pid = lock.read()
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        known = {"pid": pid, "api_url": "it is starting", "site_url": "it is starting"}
        with contextlib.suppress(OSError, ValueError):
            known |= json.loads((home / SERVICES_FILE).read_text())
        return known
    except OSError:
        pass
    return None


@contextlib.contextmanager
def locked(home: Path) -> Iterator[None]:
    """Keeps others from starting services of the same home, until the end of the block or of this process.

    Raises:
        NotAllowed: somebody else has it.
    """
    with (home / LOCK_FILE).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotAllowed(f"It is being started already, in {home}.") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextlib.contextmanager
def services(
    settings: Settings,
    port: int,
    desk_port: int | None = None,
    worker: str = "warm",
    stop: threading.Event | None = None,
    *,
    gate_port: int | None = None,
    mail_shown: bool = False,
    another_key: bool = False,
) -> Iterator[tuple[Services, Workspace]]:
    """Brings everything up for the length of a `with` block, and down again whatever happens.

    Args:
        settings: where things are.
        port: where Prefect's server listens.
        desk_port: where the desk listens on this machine, in the place of `settings.listen`.
        worker: the type of the worker, as `Services.start_worker` has it.
        stop: set by whoever wants it to end.
        gate_port: where the gate before Prefect's pages listens on this machine, in the place of `settings.gate`; none
            with a `desk_port` means that there is no gate.
        mail_shown: whether the desk has a page with outgoing mail, for the demo.
        another_key: as `open_installation` has it.

    Raises:
        NotAllowed: services of the same home are running already, another program has a port, the secret key is another
            than that of the record, or somebody who was erased is back and can't be erased again.
        InvalidInput: the setting of Prefect's database is wrong, or no session of the desk could reach the gate.
        OutOfReach: Prefect's database does not answer, or its server did not come up.
        Interrupted: `stop` was set before everything was up.
    """
    see_that_nothing_runs(settings)
    if desk_port is not None:
        gate = f"127.0.0.1:{gate_port}" if gate_port else "off"
        settings = settings.model_copy(update={"listen": f"127.0.0.1:{desk_port}", "gate": gate})
    listeners = sockets_handed_over(("desk", "gate"))
    settings = settings.model_copy(update={LISTENS[name]: address_of(one) for name, one in listeners.items()})
    api = settings.api_listen or f"127.0.0.1:{port}"
    see_that_it_is_free(api, "Prefect's server")
    see_that_people_can_be_served(settings, listeners)
    stop = stop or threading.Event()
    api_url = f"http://{reached_at(api)}/api"
    settings = settings.model_copy(
        update={
            "site_url": settings.site_url
            if "site_url" in settings.model_fields_set
            else f"http://{reached_at(settings.gate)}"
            if settings.gate != "off"
            else api_url.removesuffix("/api"),
            "public_url": settings.desk_url,
            "today_since": settings.today and brussels_day(wall_clock()),
        }
    )
    keep_from_others()
    settings.home.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(locked(settings.home))
        repair(settings.home)
        here, ours = open_installation(settings, another_key=another_key)
        if clock := clock_ran_backwards(here):
            say(clock, "yellow")
        for back in see_that_nobody_is_back(here):
            say(back, "yellow")
        environment = child_environment(settings, api_url) | ({MAIL_SHOWN: "1"} if mail_shown else {})
        running = Services(settings, api_url, environment, listeners=listeners)
        stack.callback(forget_parts, settings.home)
        stack.callback(running.stop)
        running.start("server", supervised("adapters.prefect.server", api))
        serve_people(running)
        await_server(running, stop)
        await_desk(running, stop)
        stack.enter_context(spoken_to(api_url, for_clients(running)))
        deploy(running, worker, stop)
        tell_installation(ours, takes_over=True)
        running.start_worker(worker)
        stack.callback(note_services(running, EVERYTHING).unlink, missing_ok=True)
        yield running, here


def see_that_nothing_runs(settings: Settings) -> None:
    """Two of the same home would stand in each other's way."""
    if known := running_services(settings.home):
        raise NotAllowed(
            f"It is running already (process {known['pid']}): {known['api_url'].removesuffix('/api')}"
        )


def see_that_people_can_be_served(settings: Settings, listeners: Mapping[str, socket.socket]) -> None:
    """The addresses of the desk, the gate and the figures are free, and of a kind at which people can sign in."""
    if "desk" not in listeners:
        see_that_it_is_free(settings.listen, "the desk")
    if settings.gate != "off":
        if "gate" not in listeners:
            see_that_it_is_free(settings.gate, "the gate before Prefect's pages")
        _see_that_sessions_reach_it(settings)
    _see_that_passkeys_can_be_made(settings)
    if settings.metrics != "off":
        see_that_it_is_free(settings.metrics, "the figures for Prometheus")
        _see_that_figures_are_private(settings)


def serve_people(running: Services) -> None:
    """Starts the desk, and the gate where there is one."""
    running.start("desk", supervised("desk.serving", "desk"))
    if running.settings.gate != "off":
        running.start("gate", supervised("desk.serving", "gate"))


def for_clients(running: Services) -> dict[str, str]:
    """The settings that every client of Prefect's server has, of those that the processes have."""
    return {name: running.environment[name] for name in FOR_CLIENTS if name in running.environment}


def note_services(running: Services, roles: Roles) -> Path:
    """Notes where what runs here is reached, for commands in other terminals; returns the file."""
    settings = running.settings
    file = settings.home / SERVICES_FILE
    file.write_text(
        json.dumps(
            {
                "pid": str(os.getpid()),
                "roles": sorted(roles),
                "api_url": running.api_url,
                "listen": settings.listen,
                "gate": settings.gate,
                "site_url": settings.site_url,
                "public_url": settings.public_url,
                "client": for_clients(running),
                "today": str(settings.today),
                "today_since": str(settings.today_since),
            }
        )
    )
    return file


LISTENS = {"desk": "listen", "gate": "gate"}
"""The setting that says where each of these listens."""


def address_of(listener: socket.socket) -> str:
    """Where a socket listens, as the settings write it."""
    host, port, *_ = listener.getsockname()
    return f"[{host}]:{port}" if listener.family == socket.AF_INET6 else f"{host}:{port}"


def see_that_it_is_free(address: str, what: str) -> None:
    """Another program there would be taken for ours."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise NotAllowed(
                f"Port {port}, for {what}, is taken by another program ({error.strerror}). End that one first; nothing "
                "was started."
            ) from None


def _see_that_sessions_reach_it(settings: Settings) -> None:
    """A browser sends a session that it got by TLS over nothing else."""
    ours, theirs = (urlsplit(one).scheme for one in (settings.desk_url, settings.site_url))
    if "site_url" in settings.model_fields_set and (ours, theirs) == ("https", "http"):
        problem = "it begins with http://, and LABELS_PUBLIC_URL with https://: nobody could sign in to Prefect's pages."
        raise InvalidInput(
            "settings", [Fault("LABELS_SITE_URL", problem, "Let the gate be reached by TLS, too: https://…")]
        )


def _see_that_passkeys_can_be_made(settings: Settings) -> None:
    """Whoever needs a passkey at an address where browsers make none could not sign in."""
    needed = [role for role, rule in settings.passkey_rules.items() if isinstance(rule, date)]
    if needed and site_at(settings.desk_url) is None:
        problem = (
            f"passkeys are needed for {', '.join(needed)}, and no browser makes one at {settings.desk_url}: it takes a name "
            "with TLS, or localhost."
        )
        remedy = "Set LABELS_PUBLIC_URL to the address that people have, or let passkeys be offered."
        raise InvalidInput("settings", [Fault("LABELS_PASSKEYS", problem, remedy)])


def _see_that_figures_are_private(settings: Settings) -> None:
    """At an address that others reach, a token is asked for."""
    host, _, _ = settings.metrics.rpartition(":")
    if not is_this_machine(host) and settings.metrics_token is None:
        problem = (
            f"{settings.metrics} is reached from other machines, and anybody there would read the figures."
        )
        raise InvalidInput(
            "settings",
            [Fault("LABELS_METRICS", problem, "Listen at 127.0.0.1, or set LABELS_METRICS_TOKEN.")],
        )


def await_server(running: Services, stop: threading.Event, at: str = "") -> None:
    """Waits until Prefect's server of this machine answers, at its own address where others reach it elsewhere.

    Raises:
        OutOfReach: it ended, or does not answer in time.
        Interrupted: `stop` was set before.
    """
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and not running.died("server"):
        if answers(at or running.api_url, within=10):
            return
        if stop.wait(0.2):
            raise Interrupted
    raise OutOfReach(
        "Prefect's server", f"it did not start; see {running.log('server')}.", "Nothing was lost."
    )


def await_desk(running: Services, stop: threading.Event) -> None:
    """Waits until the desk answers.

    Raises:
        OutOfReach: it ended, or does not answer in time.
        Interrupted: `stop` was set before.
    """
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and not running.died("desk"):
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(f"http://{reached_at(running.settings.listen)}/health", timeout=10),
        ):
            return
        if stop.wait(0.1):
            raise Interrupted
    raise OutOfReach("The desk", f"it did not start; see {running.log('desk')}.", "Nothing was lost.")


def deploy(running: Services, worker: str, stop: threading.Event) -> None:
    """Has Prefect's server know the work pool and what prefect.yaml deploys; changes nothing that is there already.

    Raises:
        OutOfReach: the server does not take it.
        Interrupted: `stop` was set before.
    """
    see_to_work_pool(POOL, worker)
    if failed := running.run("deployments", supervised("prefect", "--no-prompt", "deploy", "--all"), stop):
        said = running.log("deployments").read_text("utf-8", errors="replace")[-600:]
        raise OutOfReach("Prefect", f"deploying the flows failed (exit code {failed}): {said}")


def say_where_prefect_is(settings: Settings, ui_url: str) -> None:
    """Says where people reach Prefect's pages, and what it means that no gate is before them."""
    if settings.gate != "off":
        say(f"Prefect's UI, signed in as at the desk: {settings.site_url}")
        return
    say(
        f"Prefect's UI: {ui_url}. The gate is off: whoever reaches this address can read what people answer, and run "
        "programs on this machine.",
        "yellow",
    )


def run_services(*, port: int = 0, desk_port: int = 0, gate_port: int = 0, another_key: bool = False) -> None:
    """`labels up`: everything for real use on one machine, until it is asked to end.

    The ports, where they are given, are in the place of those of the settings; `another_key` as `open_installation` has it.
    """
    from adapters.branding import check_branding  # reads catalogues, which other commands do not need

    settings = with_ports(load_settings(), api=port, desk=desk_port, gate=gate_port)
    signer_of(settings)  # a key that can't be used is told before anything is started
    check_branding(settings.branding)  # and so is a drawing or a text
    with ended_by_signal() as stop:
        say("Starting Prefect's server, the worker and the desk …")
        with (
            contextlib.suppress(Interrupted),
            services(settings, settings.port, stop=stop, another_key=another_key) as (running, here),
        ):
            say(
                f"Ready: {here.settings.desk_url}  (logs in {settings.home / 'logs'}; Ctrl-C ends it)",
                "bold green",
            )
            say_where_prefect_is(here.settings, running.ui_url)
            say_who_reaches_the_api(here.settings)
            if not settings.public_url:
                say(
                    f"Mails and certificates lead to {here.settings.desk_url}, which only this machine reaches: set "
                    "LABELS_PUBLIC_URL to the address that people have, before real ones go out.",
                    "yellow",
                )
            # People are served from here on. After the loss of Prefect's database it may take long until every application
            # has a run again: longer than systemd waits for a service to start, or for a sign of life of one that has.
            tell_systemd("READY=1")
            keep_alive(running, here, stop, owed=True)
            tell_systemd("STOPPING=1")
        say("Ended; nothing is lost, and `labels up` goes on from here.")


def say_who_reaches_the_api(settings: Settings) -> None:
    """Says what it means that Prefect's API is reached from other machines."""
    host, _, _ = settings.api_address.rpartition(":")
    if not is_this_machine(host):
        say(
            f"Prefect's API listens at {settings.api_address} and asks nobody who they are: let the hosts of this "
            "installation reach it, and nobody else.",
            "yellow",
        )


def with_ports(settings: Settings, *, api: int = 0, desk: int = 0, gate: int = 0) -> Settings:
    """The settings with other ports; who listens at none (0) keeps its own."""
    moved: dict[str, object] = {"port": api} if api else {}
    for name, port in (("api_listen", api), ("listen", desk), ("gate", gate)):
        address = getattr(settings, name)
        host, _, _ = address.rpartition(":")
        if port and address:
            moved[name] = f"{host or '127.0.0.1'}:{port}"
    return settings.model_copy(update=moved)
