"""The Prefect runs that drive applications: started once, woken when there is news, replaced when lost.

The record is the memory: everything here can be repeated at any moment and leads to the same.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import httpx
import orjson
import sqlalchemy as sa
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL
from prefect.states import Cancelled, Crashed

from labels.errors import NotFound, OutOfReach
from labels.kinds import KINDS
from labels.record.schema import OPEN_STAGES, Application, Document, Mail, Resumption, Stage
from tasks.bulk import in_bulk
from tasks.forms import BLANK
from tasks.workspace import Workspace

DEPLOYMENTS = {
    "national": "national-quality-label/national",
    "nomination": "nomination/nomination",
    "european": "european-quality-label/european",
    "school": "school-label/school",
}
"""The deployment that drives the applications of each label (prefect.yaml)."""

PATIENCE = timedelta(minutes=2)
"""An execution takes seconds: a run that is under way for longer than this has lost its process."""

UPKEEP_PATIENCE = timedelta(minutes=10)
"""The same for upkeep, which may have much mail to send: as long as until the next."""

AWARD_PATIENCE = timedelta(hours=1)
"""The same for the award of a year, which makes thousands of certificates: where nobody looks for signs of life."""

_LOST = "its process was lost"
_OURS = DeploymentFilter(
    name=DeploymentFilterName(
        any_=[name.partition("/")[2] for name in DEPLOYMENTS.values()]
        + ["european-year", "preselection", "upkeep"]
    )
)
_UNDER_WAY = FlowRunFilter(
    state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING]))
)

FORM_WITHIN = timedelta(seconds=15)
"""After that a suspension without a form is never given one."""

PAGE = 200
"""Runs that Prefect's server tells of in one answer, at most."""

WAKE_WITHIN = 20.0
"""Seconds for which a waking is tried while the run is just about to suspend."""


_LATER = (
    "What was said is in the record and nothing is lost: `labels up`, or `labels recover` once the server "
    "is back, goes on from there."
)


@contextlib.contextmanager
def prefect_client() -> Iterator[SyncPrefectClient]:
    """A client of Prefect's server.

    Raises:
        OutOfReach: there is no server or it does not answer; the record has everything, and
            `labels recover` takes up from there.
    """
    if not PREFECT_API_URL.value():
        # Prefect would start a server of its own for the length of this command.
        raise OutOfReach("Prefect's server", "it is not running.", _LATER)
    try:
        with get_client(sync_client=True) as client:
            yield client
    except (httpx.TransportError, httpx.HTTPStatusError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "reach" not in str(error).casefold():
            raise
        raise OutOfReach(
            "Prefect's server",
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}.",
            _LATER,
        ) from error


def prefect_answers(within: float = 3.0) -> bool:
    """Whether Prefect's server answers at all, within so many seconds."""
    url = PREFECT_API_URL.value()
    if not url:
        return False
    try:
        httpx.get(f"{url}/health", timeout=within)
    except (httpx.TransportError, httpx.InvalidURL):
        return False
    return True


def start(here: Workspace, client: SyncPrefectClient, application_id: str) -> UUID:
    """The run that drives the application, created unless it is there.

    Raises:
        NotFound: no such application.
        OutOfReach: its flow is not deployed.
    """
    [run] = start_all(here, client, [application_id])
    return run


def start_all(
    here: Workspace,
    client: SyncPrefectClient,
    application_ids: Sequence[str],
    shown: Callable[[int], None] | None = None,
) -> list[UUID]:
    """The run of each application, created unless it is there, a few at a time; `shown` is told how many are done.

    Each has a key of its own: however often it is asked for, there is one run.

    Raises:
        NotFound: no such application.
        OutOfReach: a flow is not deployed.
    """
    deployments: dict[str, UUID] = {}
    found: dict[str, Application] = {}
    with here.record.reading() as session:
        for application_id in application_ids:
            application = session.get(Application, application_id)
            if application is None:
                raise NotFound(f"There is no application {application_id}.")
            found[application_id] = application
    for label in {application.label for application in found.values()}:
        deployments[label] = deployment_of(client, DEPLOYMENTS[label])

    def start_one(application: Application) -> UUID:
        run = client.create_flow_run_from_deployment(
            deployments[application.label],
            parameters={"application_id": application.id},
            name=run_name(application),
            tags=run_tags(application),
            idempotency_key=f"{application.id}/{application.runs}",
        )
        with here.record.writing() as session:
            session.execute(
                sa.update(Application)
                .where(Application.id == application.id, Application.runs == application.runs)
                .values(run=str(run.id))
            )
        return run.id

    return in_bulk(list(found.values()), start_one, shown=shown)


def deployment_of(client: SyncPrefectClient, name: str) -> UUID:
    """The deployment of that name.

    Raises:
        OutOfReach: Prefect has none.
    """
    try:
        return client.read_deployment_by_name(name).id
    except ObjectNotFound:
        raise OutOfReach("Prefect", f"it has no deployment {name}.", _LATER) from None


def ask_for(client: SyncPrefectClient, deployment: str, parameters: dict[str, Any]) -> UUID:
    """A new run of a deployment that drives no application.

    Raises:
        OutOfReach: it is not deployed.
    """
    return client.create_flow_run_from_deployment(deployment_of(client, deployment), parameters=parameters).id


def run_tags(application: Application, stage: Stage | None = None) -> list[str]:
    """By what a coordinator finds a run: label, country, organisation and stage (its own unless told)."""
    return [
        f"label:{application.label}",
        f"country:{application.country}",
        f"organisation:{application.organisation}",
        f"stage:{(stage or application.stage).value}",
    ]


def run_name(application: Application) -> str:
    """What a coordinator reads in the list of runs."""
    stage = application.outcome.value if application.outcome else application.stage.value
    return f"{KINDS[application.label].short} · {application.country} · {stage} · {application.id}"


@dataclass(frozen=True, slots=True)
class Woken:
    """Whether the run has seen the news, or what is in its way."""

    done: bool
    remark: str


def wake(
    here: Workspace,
    client: SyncPrefectClient,
    application_id: str,
    *,
    within: float = WAKE_WITHIN,
    pause: Callable[[float], None] = time.sleep,
) -> Woken:
    """Makes the application's run look at the record again.

    A run that is only about to suspend is waited for; one that is lost is replaced.
    """
    tries = max(1, int(within / 0.25))
    for _ in range(tries):
        with here.record.reading() as session:
            application = session.get_one(Application, application_id)
            if application.stage is Stage.CLOSED or application.parked_revision >= application.revision:
                return Woken(True, "its run has seen it")
            run_id = application.run
        run = read_run(client, run_id)
        if run is None or run.state is None or run.state.is_final():
            replace(here, client, application_id, run_id)
            return Woken(True, "a new run goes on with it")
        if run.state.is_scheduled():
            return Woken(True, "its run is about to start")
        if run.state.is_paused():
            result = client.resume_flow_run(run.id, run_input=BLANK)
            if result.status == SetStateStatus.ACCEPT:
                return Woken(True, "its run goes on")
        pause(0.25)
    return Woken(False, "its run is busy; it looks at the record when it is done, or at the next recovery")


def read_run(client: SyncPrefectClient, run_id: str | None) -> FlowRun | None:
    """The run, or None where Prefect has none of that id (any more)."""
    if run_id is None:
        return None
    try:
        return client.read_flow_run(UUID(run_id))
    except ObjectNotFound:
        return None


def replace(here: Workspace, client: SyncPrefectClient, application_id: str, former: str | None) -> UUID:
    """A new run in place of `former`, which was found lost; an answer that it did not get to see is kept.

    Of several that found the same run lost, the first asks for a new one and the others get that one.
    """
    if former is not None:
        _keep_unseen_answer(here, client, application_id, former)
    with here.record.writing() as session:
        application = session.get_one(Application, application_id, with_for_update=True)
        if former is not None and application.run == former:
            application.runs += 1
            application.run = None
    return start(here, client, application_id)


def _keep_unseen_answer(here: Workspace, client: SyncPrefectClient, application_id: str, former: str) -> None:
    """Takes the answer that Prefect accepted for a run that died before it could read it."""
    from tasks.waiting import take_answer

    with here.record.reading() as session:
        seen = session.scalar(sa.select(sa.func.count()).where(Resumption.run == former)) or 0
    filled = filled_in(client, UUID(former), seen)
    if filled is not None:
        take_answer(here, application_id, former, seen, filled)


def filled_in(client: SyncPrefectClient, run_id: UUID, wait: int) -> dict[str, str | int] | None:
    """What came back with the form of a run's waiting, or None while nothing has.

    Only what the form of that very waiting asked for, and only text and numbers: nothing else can get
    in, and nothing gets lost where the steps have changed since the form was shown.
    """
    filled = _run_input(client, run_id, f"suspended-{wait}-response")
    if not isinstance(filled, dict):
        return None
    form = _run_input(client, run_id, f"suspended-{wait}-schema") or {}
    asked = form.get("properties", {})
    return {name: value for name, value in filled.items() if name in asked and isinstance(value, str | int)}


def _run_input(client: SyncPrefectClient, run_id: UUID, key: str) -> Any | None:
    try:
        response = client._client.get(f"/flow_runs/{run_id}/input/{key}")
    except httpx.HTTPStatusError as error:  # Prefect's own client raises without being asked to
        if error.response.status_code != httpx.codes.NOT_FOUND:
            raise
        return None
    return orjson.loads(response.content)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What recovery found and did for one application."""

    application: str
    did: str


def recover(
    here: Workspace,
    client: SyncPrefectClient,
    *,
    patience: timedelta = PATIENCE,
    application_id: str | None = None,
) -> list[Recovered]:
    """Sees to it that every application that is not closed has a run at the right step.

    Safe to run at any time, twice at once and after the loss of Prefect's whole database. One
    application that can't be helped keeps none of the others waiting. Prefect is asked for the runs of
    many applications at once; only one that is not as it should be is looked at by itself.
    """
    done = []
    for driven, ails in _looked_at(here, client, patience, application_id):
        if ails is None:
            continue
        try:
            did = _recover_one(here, client, driven.id, patience)
        except (OutOfReach, httpx.HTTPError):
            raise
        except Exception as error:
            did = f"could not be brought back: {error}"
        if did is not None:
            done.append(Recovered(driven.id, did))
    if application_id is None:
        done += end_lost_runs(client, patience)
    return done


class Ailment(StrEnum):
    """What can be wrong with the run of an application that is not closed."""

    NO_RUN = "no run drives it"
    LOST = "Prefect does not know its run"
    ENDED = "its run ended before it did"
    NEWS = "its run has not seen what is new"
    NO_FORM = "it is not known whether its run waits with a form"
    """Whoever looks finds out: most do."""
    STALLED = "its run is under way for longer than an execution takes"


@dataclass(frozen=True, slots=True)
class Driven:
    """An application that is not closed, as far as its run is concerned."""

    id: str
    run: str | None
    news: bool
    form_seen: str | None


def _looked_at(
    here: Workspace, client: SyncPrefectClient, patience: timedelta, application_id: str | None = None
) -> Iterator[tuple[Driven, Ailment | None]]:
    """The applications that are not closed, each with what is wrong with its run, asked for by the page."""
    query = sa.select(
        Application.id,
        Application.run,
        (Application.parked_revision < Application.revision).label("news"),
        Application.form_seen,
    ).where(Application.stage.in_(OPEN_STAGES))
    if application_id is not None:
        query = query.where(Application.id == application_id)
    with here.record.reading() as session:
        rows = session.execute(query.order_by(Application.submitted_at, Application.id)).all()
    for first in range(0, len(rows), PAGE):
        some = [Driven(*row) for row in rows[first : first + PAGE]]
        runs = _read_runs(client, [one.run for one in some if one.run])
        for one in some:
            yield one, _ailment(one, runs.get(one.run or ""), patience)


def ailing(
    here: Workspace, client: SyncPrefectClient, patience: timedelta = PATIENCE
) -> list[tuple[str, str]]:
    """The applications whose run is not well and what is wrong with it; changes nothing.

    That there is no run, or that it has not seen what is new, the record itself knows.
    """
    found = []
    for driven, ails in _looked_at(here, client, patience):
        if ails in (Ailment.LOST, Ailment.ENDED) or (
            ails is Ailment.STALLED and not _shows_life(here, driven.id, patience)
        ):
            found.append((driven.id, ails.value))
        elif ails is Ailment.NO_FORM:
            run = read_run(client, driven.run)
            state = run.state if run else None
            waits = run is not None and state is not None and state.is_paused()
            if run and state and waits and _age(state) >= FORM_WITHIN and form_of(client, run) is None:
                found.append((driven.id, "its run waits without a form, which nobody can answer"))
    return found


def _read_runs(client: SyncPrefectClient, wanted: Sequence[str]) -> dict[str, FlowRun]:
    """Those of the runs that Prefect has, by their ids."""
    ids = []
    for run in wanted:
        with contextlib.suppress(ValueError):  # no id: Prefect has none like that
            ids.append(UUID(run))
    if not ids:
        return {}
    found = client.read_flow_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=ids)), limit=PAGE)
    return {str(run.id): run for run in found}


def _ailment(driven: Driven, run: FlowRun | None, patience: timedelta) -> Ailment | None:
    if driven.run is None:
        return Ailment.NO_RUN
    if run is None or run.state is None:
        return Ailment.LOST
    if run.state.is_final():
        return Ailment.ENDED
    if run.state.is_scheduled():
        return None
    if run.state.is_paused():
        if driven.news:
            return Ailment.NEWS
        return None if driven.form_seen == str(run.state.id) else Ailment.NO_FORM
    return None if _age(run.state) < patience else Ailment.STALLED


def end_lost_runs(client: SyncPrefectClient, patience: timedelta = PATIENCE) -> list[Recovered]:
    """Ends in Prefect the runs whose process is gone, whatever they were for.

    Prefect counts them as running for ever, and each takes a place of the work pool: a few of them, and
    no run would start any more, not even upkeep's.
    """
    done = []
    under_way: list[FlowRun] = []
    while len(under_way) % PAGE == 0:
        found = client.read_flow_runs(
            flow_run_filter=_UNDER_WAY, deployment_filter=_OURS, limit=PAGE, offset=len(under_way)
        )
        under_way += found
        if not found:
            break
    for run in under_way:
        allowed = patience if "application_id" in run.parameters else max(patience, UPKEEP_PATIENCE)
        if "label:european" in run.tags:
            allowed = max(allowed, AWARD_PATIENCE)
        if run.state is None or str(run.id) == flow_run.id or _age(run.state) < allowed:
            continue
        client.set_flow_run_state(run.id, Crashed(message=_LOST), force=True)
        done.append(Recovered(run.parameters.get("application_id", run.name), "ended a run that was lost"))
    return done


def _age(state: State[Any]) -> timedelta:
    # Prefect's own clock and ours are the machine's: the record's may be set for a demonstration.
    return datetime.now(UTC) - state.timestamp


def _recover_one(
    here: Workspace, client: SyncPrefectClient, application_id: str, patience: timedelta
) -> str | None:
    with here.record.reading() as session:
        application = session.get_one(Application, application_id)
        if application.stage is Stage.CLOSED:  # since somebody looked
            return None
        run_id, news = application.run, application.parked_revision < application.revision
        makes_many = application.label == "european"
    run = read_run(client, run_id)
    state = run.state if run else None
    if run is None or state is None or state.is_final():
        replace(here, client, application_id, run_id)
        return "started a run" if run_id is None else "replaced a run that was lost"
    age = _age(state)
    if state.is_scheduled():
        return None
    if state.is_paused():
        if form_of(client, run) is not None:
            with here.record.writing() as session:
                session.execute(_FORM_SEEN, {"of": application_id, "state": str(state.id)})
            return wake(here, client, application_id).remark if news else None
        if age < min(patience, FORM_WITHIN):
            return None
        # It died between suspending and saving its form: nobody could ever resume it.
        client.set_flow_run_state(run.id, Cancelled(message="suspended without a form"), force=True)
    elif age < patience or (makes_many and _shows_life(here, application_id, patience)):
        return None
    else:
        client.set_flow_run_state(run.id, Crashed(message=_LOST), force=True)
    replace(here, client, application_id, run_id)
    return "replaced a run that was lost"


_FORM_SEEN = (
    sa.update(Application)
    .where(Application.id == sa.bindparam("of"))
    .values(form_seen=sa.bindparam("state"))
    .execution_options(synchronize_session=False)
)


def _shows_life(here: Workspace, application_id: str, patience: timedelta) -> bool:
    """Whether the application got a document or sent a mail just now: a year's award has thousands to make."""
    with here.record.reading() as session:
        newest = session.scalar(
            sa.select(sa.func.max(Document.stored_at)).where(Document.application == application_id)
        )
        sent = session.scalar(sa.select(sa.func.max(Mail.sent_at)).where(Mail.application == application_id))
    return any(sign is not None and sign > here.now() - patience for sign in (newest, sent))


def form_of(client: SyncPrefectClient, run: FlowRun) -> Any | None:
    """The schema of the form that the run waits with, or None before it is saved."""
    details = run.state.state_details if run.state else None
    keyset = details.run_input_keyset if details else None
    return _run_input(client, run.id, keyset["schema"]) if keyset else None
