"""The hosts of an installation: `labels up --role …` on one of several, `labels deploy`, `labels environment`."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from adapters.home import keep_from_others, repair
from adapters.parts import forget_parts
from adapters.prefect.address import POOL, api_url
from adapters.prefect.database import one_at_a_time
from adapters.prefect.environment import child_environment, spoken_to
from adapters.prefect.installed import see_that_the_server_is_ours, tell_installation
from adapters.prefect.redis import see_that_redis_answers
from adapters.prefect.registered import Registered, registered
from adapters.roles import API_URL, Role, Roles, Variable, is_secret, missing, needs, value_of
from adapters.supervision import supervised
from adapters.systemd import sockets_handed_over, tell_systemd
from adapters.workspace import Workspace, existing_workspace, open_installation
from cli.keeping import answers, keep_alive
from cli.output import say
from cli.processes import Interrupted, Services, ended_by_signal
from cli.services import (
    LISTENS,
    START_WITHIN,
    address_of,
    await_desk,
    await_server,
    deploy,
    for_clients,
    locked,
    note_services,
    say_who_reaches_the_api,
    see_that_it_is_free,
    see_that_nothing_runs,
    see_that_people_can_be_served,
    serve_people,
)
from labels.clock import brussels_day, wall_clock
from labels.errors import Fault, InvalidInput, OutOfReach
from labels.keyring import FORMER, KEY
from labels.record.schema import Installation
from labels.settings import Settings, load_settings, reached_at
from usecases.privacy import see_that_nobody_is_back
from usecases.upkeep import clock_ran_backwards

WORDS = {
    Role.API: "Prefect's API",
    Role.SERVICES: "Prefect's background services",
    Role.WORKER: "the worker",
    Role.DESK: "the desk",
}
PATIENT_FOR = 5.0
"""Seconds after which it is said that somebody is waited for."""


def see_that_nothing_is_missing(roles: Roles, settings: Settings) -> None:
    """What hosts of these roles can't do without is set on this machine.

    Raises:
        InvalidInput: it is not; names everything at once.
    """
    if faults := missing(roles, settings, os.environ):
        raise InvalidInput("settings", faults)


@contextlib.contextmanager
def host(
    settings: Settings, roles: Roles, stop: threading.Event, *, another_key: bool = False
) -> Iterator[tuple[Services, Workspace | None]]:
    """Brings the parts of these roles up for the length of a `with` block, and down again whatever happens.

    A host that is Prefect's API alone has no workspace: it reaches neither record nor documents.

    Raises:
        InvalidInput: what the roles need is not set.
        NotAllowed: services of the same home are running already, another program has a port, the secret key is another than
            that of the record, Prefect's server is another installation's, or somebody who was erased is back and can't be
            erased again.
        OutOfReach: what the roles need does not answer.
        Interrupted: `stop` was set before everything was up.
    """
    see_that_nothing_is_missing(roles, settings)
    see_that_nothing_runs(settings)
    listeners = sockets_handed_over(("desk", "gate")) if Role.DESK in roles else {}
    settings = settings.model_copy(
        update={LISTENS[name]: address_of(one) for name, one in listeners.items()}
        | {"today_since": settings.today_since or (settings.today and brussels_day(wall_clock()))}
    )
    if Role.API in roles:
        see_that_it_is_free(settings.api_address, "Prefect's API")
    if Role.DESK in roles:
        see_that_people_can_be_served(settings, listeners)
    own = f"http://{reached_at(settings.api_address)}/api"
    everybodys = os.environ.get(API_URL) or own
    keep_from_others()
    settings.home.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(locked(settings.home))
        repair(settings.home)
        here, ours = _opened(settings, roles, another_key=another_key)
        if roles & {Role.API, Role.SERVICES}:
            see_that_redis_answers(settings)
        running = Services(settings, everybodys, child_environment(settings, everybodys), listeners=listeners)
        stack.callback(forget_parts, settings.home)
        stack.callback(running.stop)
        keys = settings.keyring.every
        if Role.API in roles:
            _start_api(running, own, stop)
            with spoken_to(own, for_clients(running)):
                see_that_the_server_is_ours(keys, ours, another_key=another_key)
        if Role.DESK in roles:  # people need not wait for Prefect
            serve_people(running)
            await_desk(running, stop)
        stack.enter_context(spoken_to(everybodys, for_clients(running)))
        if roles & {Role.SERVICES, Role.WORKER}:
            await_api(everybodys, stop)
            see_that_the_server_is_ours(keys, ours, another_key=another_key)
        elif Role.DESK in roles:
            with contextlib.suppress(OutOfReach):
                see_that_the_server_is_ours(keys, ours, another_key=another_key)
        if Role.SERVICES in roles:
            running.start("services", supervised("prefect", "server", "services", "start"))
        if Role.WORKER in roles:
            running.start_worker()
        stack.callback(note_services(running, roles).unlink, missing_ok=True)
        yield running, here


def _opened(
    settings: Settings, roles: Roles, *, another_key: bool
) -> tuple[Workspace | None, Installation | None]:
    if roles == {Role.API}:
        return None, None
    here, ours = open_installation(settings, another_key=another_key)
    if clock := clock_ran_backwards(here):
        say(clock, "yellow")
    for back in see_that_nobody_is_back(here):
        say(back, "yellow")
    return here, ours


def _start_api(running: Services, own: str, stop: threading.Event) -> None:
    with one_at_a_time(running.settings, stop) as is_our_turn:
        if not is_our_turn:
            raise Interrupted
        running.start("server", supervised("adapters.prefect.server", running.settings.api_address, "api"))
        await_server(running, stop, own)


def await_api(url: str, stop: threading.Event) -> None:
    """Waits until Prefect's API answers, wherever it is.

    Raises:
        OutOfReach: it does not answer in time.
        Interrupted: `stop` was set before.
    """
    waited, said = 0.0, False
    while waited < START_WITHIN:
        if answers(url, within=5):
            return
        if waited > PATIENT_FOR and not said:
            say(f"Prefect's API at {url} does not answer yet; it is waited for.", "yellow")
            said = True
        if stop.wait(0.5):
            raise Interrupted
        waited += 0.5
    raise OutOfReach("Prefect's API", f"it does not answer at {url}.", "Start it (labels up --role api).")


def run_host(settings: Settings, roles: Roles, *, another_key: bool = False) -> None:
    """`labels up --role …`: the parts of this host, until it is asked to end."""
    from adapters.branding import check_branding  # reads catalogues, which other commands do not need
    from adapters.papers.signing import signer_of

    see_that_nothing_is_missing(roles, settings)
    if roles != {Role.API}:
        signer_of(settings)  # a key that can't be used is told before anything is started
        check_branding(settings.branding)
    parts = " and ".join(WORDS[one] for one in sorted(roles))
    with ended_by_signal() as stop:
        say(f"Starting {parts} …")
        with (
            contextlib.suppress(Interrupted),
            host(settings, roles, stop, another_key=another_key) as (running, here),
        ):
            say(f"Ready: {parts}  (logs in {settings.home / 'logs'}; Ctrl-C ends it)", "bold green")
            if Role.API in roles:
                say_who_reaches_the_api(settings)
            tell_systemd("READY=1")
            looks_after = here if roles & {Role.SERVICES, Role.WORKER} else None
            keep_alive(running, looks_after, stop, owed=Role.SERVICES in roles)
            tell_systemd("STOPPING=1")
        say("Ended; nothing is lost, and the same command goes on from here.")


def run_deploy(*, another_key: bool = False) -> list[Registered]:
    """`labels deploy`: waits for Prefect's API, registers the work pool and every deployment, and says what is there now.

    Raises:
        NotFound: there is no record.
        NotAllowed: the secret key is another than that of the record, or Prefect's server is another installation's.
        OutOfReach: no server is known, or it does not answer.
    """
    settings = load_settings()
    url = api_url()
    if not url:
        raise InvalidInput(
            "settings",
            [Fault(API_URL, "it is not said where Prefect's API is.", "Such as http://10.0.0.10:4200/api.")],
        )
    if not another_key:
        existing_workspace()
    _, ours = open_installation(settings, another_key=another_key)
    with ended_by_signal() as stop:
        await_api(url, stop)
        running = Services(settings, url, child_environment(settings, url))
        try:
            with spoken_to(url, for_clients(running)):
                tell_installation(ours, takes_over=False)
                deploy(running, "warm", stop)
                return registered(POOL)
        finally:
            running.stop()


@dataclass(frozen=True, slots=True)
class Line:
    """One variable of a host's environment, as it is shown."""

    name: str
    value: str | None
    """None where it is a secret."""
    why: str
    file: str | None = None
    """The file of this machine that has it, and is better copied than its value written into an environment."""


def environment_of(roles: Roles, settings: Settings) -> list[Line]:
    """What a host of these roles needs in its environment, by what this machine has.

    Raises:
        InvalidInput: this machine lacks what such a host needs, each with an example.
    """
    see_that_nothing_is_missing(roles, settings)
    return list(_lines(needs(roles), settings))


def _lines(variables: Iterator[Variable], settings: Settings) -> Iterator[Line]:
    for one in variables:
        value = value_of(one, settings, os.environ)
        if one.field == "secret":
            yield Line(one.name, None, one.why, None if value else str(settings.home / KEY))
        elif value:
            yield Line(one.name, None if is_secret(one, value) else value, one.why)


def as_file(lines: Sequence[Line], roles: Roles) -> str:
    """The lines as a file of settings; who takes it to a host fills the secrets in."""
    words = " ".join(f"--role {one}" for one in sorted(roles))
    head = f"# A host with `labels up {words}`: /etc/labels/labels.env, owner root, mode 0600. Secrets are to be filled in."
    return "\n".join([head, *map(_told, lines)]) + "\n"


def _told(line: Line) -> str:
    if line.file:
        return (
            f"# {line.why} It is in {line.file} on this machine: copy that file, and {FORMER} beside it if there is one,\n"
            f"# to the LABELS_HOME of the host, owner labels, mode 0600, rather than set {line.name}."
        )
    if line.name == "LABELS_SECRET":
        return (
            f"# {line.why} It is in {line.name} of this machine: write it to {KEY} in the LABELS_HOME of the host,\n"
            f"# owner labels, mode 0600, rather than set {line.name}."
        )
    if line.value is None:
        return f"# {line.why} Secret.\n#{line.name}="
    return f"# {line.why}\n{line.name}={line.value}"


def as_data(lines: Sequence[Line]) -> list[dict[str, str | None]]:
    """The lines for programs."""
    return [asdict(one) for one in lines]
