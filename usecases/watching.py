"""How an installation is: what the desk needs, whether Prefect works, what waits in the outbox, what is late."""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import sqlalchemy as sa

from adapters.documents.store import key_of
from adapters.parts import Part, read_parts
from adapters.prefect.client import prefect_client
from adapters.prefect.redis import see_that_redis_answers
from adapters.prefect.watching import Engine, look_at_engine
from adapters.roles import Role, Roles
from adapters.workspace import Workspace
from labels.clock import in_words
from labels.errors import LabelsError, OutOfReach
from labels.platform import webhooks
from labels.settings import Settings, reached_at
from labels.views.operation import late, outbox
from usecases.upkeep import clock_ran_backwards

ANSWERS_WITHIN = 10.0
"""Seconds for a page on this machine."""


class Health(StrEnum):
    """How a part is."""

    WELL = "well"
    LOOK = "look"
    """It works, and somebody should look at it."""
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class State:
    """How one part is, and what to do where it is not well."""

    part: str
    health: Health
    detail: str
    remedy: str = ""


def record_answers(here: Workspace) -> bool:
    """Whether the record can be read."""
    try:
        with here.record.reading() as session:
            session.execute(sa.select(1))
    except OutOfReach:
        return False
    return True


def documents_answer(here: Workspace) -> bool:
    """Whether the document store answers."""
    try:
        here.documents.exists(key_of(b""))
    except LabelsError:
        return False
    return True


def status(here: Workspace | None, settings: Settings, roles: Roles, *, supervised: bool) -> list[State]:
    """How each part of the installation is that a host of these roles has or needs, by asking each.

    Args:
        here: the record, the documents and the settings; None where the host reaches no record.
        settings: of this host.
        roles: what this host is of the installation.
        supervised: whether `labels up` runs here.
    """
    has_all = Role.ALL in roles
    parts = read_parts(settings.home) if supervised else {}
    found = [_of_the_record(here), _of_the_documents(here)] if here else []
    if settings.redis_url and (has_all or roles & {Role.API, Role.SERVICES}):
        found.append(_of_redis(settings))
    found += [
        one for one in _of_prefect() if has_all or one.part == "prefect" or _LOOKED_AT[one.part] in roles
    ]
    found.append(_of_the_supervisor(parts, supervised=supervised))
    if here and (has_all or Role.DESK in roles):
        found.append(_of_the_desk(here))
        if settings.gate != "off":
            found.append(_of_the_gate(here))
    if here and found[0].health is Health.WELL:
        if has_all or Role.SERVICES in roles:
            found += [_of_the_outbox(here), _of_late_cases(here), *_of_webhooks(here)]
        found.append(_of_the_clock(here))
    return found


_LOOKED_AT = {"schedules": Role.SERVICES, "worker": Role.WORKER}
"""What Prefect's server tells of others, and the hosts that are asked for it."""


def _of_redis(settings: Settings) -> State:
    try:
        see_that_redis_answers(settings)
    except OutOfReach as error:
        return State("redis", Health.DOWN, error.detail, "Start it; Prefect's servers go on by themselves.")
    return State("redis", Health.WELL, "it answers")


def _of_the_record(here: Workspace) -> State:
    if record_answers(here):
        return State("record", Health.WELL, here.record.engine.dialect.name)
    return State(
        "record", Health.DOWN, "it does not answer.", "See that the database runs (LABELS_DATABASE_URL)."
    )


def _of_the_documents(here: Workspace) -> State:
    if documents_answer(here):
        return State("documents", Health.WELL, str(here.documents))
    return State(
        "documents",
        Health.DOWN,
        f"{here.documents} does not answer.",
        "See that the store runs (LABELS_DOCUMENTS).",
    )


def _of_prefect() -> list[State]:
    try:
        with prefect_client() as client:
            engine = look_at_engine(client)
    except OutOfReach as error:
        away = "nobody knows while Prefect's server is away."
        return [
            State("prefect", Health.DOWN, error.detail, "Start it with `labels up`; see logs/server.log."),
            State("schedules", Health.DOWN, away),
            State("worker", Health.DOWN, away),
        ]
    return [State("prefect", Health.WELL, "its server answers"), _of_schedules(engine), _of_workers(engine)]


def _of_schedules(engine: Engine) -> State:
    until = engine.scheduled_until
    if engine.schedules():
        assert until is not None
        return State("schedules", Health.WELL, f"upkeep is scheduled until {in_words(until)}")
    detail = f"upkeep is scheduled until {in_words(until)} only." if until else "upkeep is not scheduled."
    return State(
        "schedules",
        Health.DOWN,
        f"{detail} Prefect's background services do not work.",
        "See logs/server.log; `labels upkeep` does by hand what is due.",
    )


def _of_workers(engine: Engine) -> State:
    heard = max((at for at in engine.workers.values() if at), default=None)
    if not engine.works():
        detail = f"none was heard of since {in_words(heard)}." if heard else "none was ever heard of."
        return State("worker", Health.DOWN, detail, "See logs/worker.log.")
    if engine.late:
        detail = f"{engine.late} runs should have begun ten minutes ago."
        return State("worker", Health.LOOK, detail, "A round takes hours; else see logs/worker.log.")
    return State("worker", Health.WELL, f"heard of at {in_words(heard)}" if heard else "")


def _of_the_supervisor(parts: dict[str, Part], *, supervised: bool) -> State:
    if not supervised:
        return State("processes", Health.DOWN, "`labels up` does not run in this home.", "Start it.")
    down = [name for name, one in parts.items() if not one.running]
    if down:
        how = "; ".join(
            f"{name} ended ({parts[name].ended}) {parts[name].in_a_row} times in a row" for name in down
        )
        return State(
            "processes", Health.DOWN, f"{how}.", f"See logs/{down[0]}.log; it is started again by itself."
        )
    shaky = [name for name, one in parts.items() if one.in_a_row > 1]
    if shaky:
        how = "; ".join(
            f"{name} ended {parts[name].in_a_row} times in a row, {parts[name].ended}" for name in shaky
        )
        return State("processes", Health.LOOK, f"{how}.", f"See logs/{shaky[0]}.log.")
    again = sum(one.restarts for one in parts.values())
    return State(
        "processes", Health.WELL, f"started again {again} times" if again else "all run since the start"
    )


def _of_the_desk(here: Workspace) -> State:
    status_, said = _asked(f"http://{reached_at(here.settings.listen)}/ready")
    if status_ == 200:
        return State("desk", Health.WELL, here.settings.desk_url)
    if status_ is None:
        return State(
            "desk", Health.DOWN, f"it does not answer at {here.settings.listen}.", "See logs/desk.log."
        )
    with contextlib.suppress(ValueError, AttributeError):
        missing = [name for name, well in json.loads(said)["parts"].items() if not well]
        return State("desk", Health.DOWN, f"it is not ready: it does not reach {', '.join(missing)}.")
    return State(
        "desk", Health.DOWN, f"another program answers at {here.settings.listen}.", "Set LABELS_LISTEN."
    )


def _of_the_gate(here: Workspace) -> State:
    status_, _ = _asked(f"http://{reached_at(here.settings.gate)}/")
    if status_ is None:
        return State(
            "gate", Health.DOWN, f"it does not answer at {here.settings.gate}.", "See logs/gate.log."
        )
    return State("gate", Health.WELL, here.settings.site_url)


def _asked(url: str) -> tuple[int | None, bytes]:
    """The answer to a request on this machine; None where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWERS_WITHIN) as answer:
            return answer.status, answer.read(10_000)
    except urllib.error.HTTPError as error:
        return error.code, error.read(10_000)
    except (OSError, http.client.HTTPException):
        return None, b""


def _of_the_outbox(here: Workspace) -> State:
    with here.record.reading() as session:
        mail = outbox(session, here.now())
    waiting = f"{mail.waiting} waiting, {mail.failed} of them failed; {mail.daily} for messages of the day"
    if mail.failed or mail.stands_still(here.now()):
        since = f", the oldest since {in_words(mail.oldest)}" if mail.oldest else ""
        return State(
            "outbox", Health.LOOK, f"{waiting}{since}.", "`labels stuck` says why, message by message."
        )
    return State("outbox", Health.WELL, waiting)


def _of_webhooks(here: Workspace) -> list[State]:
    """How platforms are told; nothing where none wants to be."""
    with here.record.reading() as session:
        all_of_them = webhooks.waiting(session)
    if not all_of_them:
        return []
    failing = [one for one in all_of_them if one.failing or not one.well]
    waiting = f"{sum(one.waiting for one in all_of_them)} changes wait to be told"
    if failing:
        hosts = ", ".join(sorted({one.host for one in failing}))
        return [
            State(
                "webhooks",
                Health.LOOK,
                f"{waiting}; {hosts} does not take them.",
                "See `labels webhook list`.",
            )
        ]
    return [State("webhooks", Health.WELL, waiting)]


def _of_late_cases(here: Workspace) -> State:
    with here.record.reading() as session:
        number = late(session, here.now())
    if number:
        return State(
            "late cases",
            Health.LOOK,
            f"{number} await somebody whose deadline has passed.",
            "See `labels stuck`.",
        )
    return State("late cases", Health.WELL, "none")


def _of_the_clock(here: Workspace) -> State:
    if wrong := clock_ran_backwards(here):
        return State("clock", Health.DOWN, wrong)
    return State("clock", Health.WELL, in_words(datetime.now(UTC)))
