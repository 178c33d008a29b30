"""Recovery: every open application has a run at the right step, whatever was lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import httpx
import sqlalchemy as sa

from adapters.prefect.client import PrefectClient
from adapters.prefect.states import (
    PAGE,
    Phase,
    Run,
    end_as_cancelled,
    end_as_crashed,
    form_of,
    read_run,
    read_runs,
    runs_under_way,
)
from adapters.workspace import Workspace
from labels.errors import OutOfReach
from labels.kinds import LabelKind
from labels.record.schema import OPEN_STAGES, Application, Document, Mail, Stage
from usecases.resuming import forget_answers, take_unseen
from usecases.running import replace, wake

PATIENCE = timedelta(minutes=2)
"""An execution takes seconds: a run that is under way for longer than this has lost its process."""


UPKEEP_PATIENCE = timedelta(minutes=10)
"""The same for upkeep, which may have much mail to send: as long as until the next."""


AWARD_PATIENCE = timedelta(hours=1)
"""The same for the award of a year, which makes thousands of certificates: where nobody looks for signs of life."""


_LOST = "its process was lost"


FORM_WITHIN = timedelta(seconds=15)
"""After that a suspension without a form is never given one."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What recovery found and did for one application."""

    application: str
    did: str
    failed: bool = False
    """Whether it could not be helped, which is tried again."""


def recover(
    here: Workspace,
    client: PrefectClient,
    *,
    patience: timedelta = PATIENCE,
    application_id: str | None = None,
) -> list[Recovered]:
    """Sees to it that every application that is not closed has a run at the right step.

    Safe to run at any time, twice at once and after the loss of Prefect's whole database. One
    application that can't be helped keeps none of the others waiting. Prefect is asked for the runs of
    many applications at once; only one that is not as it should be is looked at by itself.
    """
    those = () if application_id is None else (Application.id == application_id,)
    done = _recover_those(here, client, patience, *those)
    if application_id is None:
        forget_answers(here, client)
        done += end_lost_runs(here, client, patience)
    return done


def catch_up(here: Workspace, client: PrefectClient, *, patience: timedelta = PATIENCE) -> list[Recovered]:
    """The same for the applications of which the record itself knows that no run has seen what is new.

    That is what is left where somebody handed in or answered while Prefect was away. Costs one look into the record, and
    nothing of Prefect's where none is behind. A round's invitations are left to it: it has thousands of runs to begin, a
    few at a time, and each host would begin them, too, every minute.
    """
    of_a_round = sa.and_(Application.label == LabelKind.SCHOOL, Application.parked_revision < 0)
    behind = sa.or_(Application.run.is_(None), Application.parked_revision < Application.revision)
    return _recover_those(here, client, patience, behind, ~of_a_round)


def _recover_those(
    here: Workspace, client: PrefectClient, patience: timedelta, *those: sa.ColumnElement[bool]
) -> list[Recovered]:
    done = []
    for driven, ails in _looked_at(here, client, patience, *those):
        if ails is None:
            continue
        try:
            did = _recover_one(here, client, driven.id, patience)
        except (OutOfReach, httpx.HTTPError):
            raise
        except Exception as error:
            done.append(Recovered(driven.id, f"could not be brought back: {error}", failed=True))
            continue
        if did is not None:
            done.append(Recovered(driven.id, did))
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
    here: Workspace, client: PrefectClient, patience: timedelta, *those: sa.ColumnElement[bool]
) -> Iterator[tuple[Driven, Ailment | None]]:
    """The applications that are not closed, each with what is wrong with its run, asked for by the page."""
    query = sa.select(
        Application.id,
        Application.run,
        (Application.parked_revision < Application.revision).label("news"),
        Application.form_seen,
    ).where(Application.stage.in_(OPEN_STAGES), *those)
    with here.record.reading() as session:
        rows = session.execute(query.order_by(Application.submitted_at, Application.id)).all()
    for first in range(0, len(rows), PAGE):
        some = [Driven(*row) for row in rows[first : first + PAGE]]
        runs = read_runs(client, [one.run for one in some if one.run])
        for one in some:
            yield one, _ailment(one, runs.get(one.run or ""), patience)


def ailing(here: Workspace, client: PrefectClient, patience: timedelta = PATIENCE) -> list[tuple[str, str]]:
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
            waits = run is not None and run.phase is Phase.SUSPENDED
            if run and waits and _age(run) >= FORM_WITHIN and form_of(client, run) is None:
                found.append((driven.id, "its run waits without a form, which nobody can answer"))
    return found


def _ailment(driven: Driven, run: Run | None, patience: timedelta) -> Ailment | None:
    if driven.run is None:
        return Ailment.NO_RUN
    if run is None:
        return Ailment.LOST
    if run.phase is Phase.ENDED:
        return Ailment.ENDED
    if run.phase is Phase.SCHEDULED:
        return None
    if run.phase is Phase.SUSPENDED:
        if driven.news:
            return Ailment.NEWS
        return None if driven.form_seen == run.state else Ailment.NO_FORM
    return None if _age(run) < patience else Ailment.STALLED


def end_lost_runs(here: Workspace, client: PrefectClient, patience: timedelta = PATIENCE) -> list[Recovered]:
    """Ends in Prefect the runs whose process is gone, whatever they were for.

    What somebody answered and such a run did not come to read is taken before. Prefect counts them as running for ever, and each takes a place of the work pool: a few of them, and
    no run would start any more, not even upkeep's.
    """
    done = []
    for run in runs_under_way(client):
        allowed = patience if run.application else max(patience, UPKEEP_PATIENCE)
        if "label:european" in run.tags:
            allowed = max(allowed, AWARD_PATIENCE)
        if _age(run) < allowed:
            continue
        if run.application and _exists(here, run.application):
            take_unseen(here, client, run.application, str(run.id))
        end_as_crashed(client, run, _LOST)
        done.append(Recovered(run.application or run.name, "ended a run that was lost"))
    return done


def _exists(here: Workspace, application_id: str) -> bool:
    with here.record.reading() as session:
        return session.get(Application, application_id) is not None


def _age(run: Run) -> timedelta:
    # Prefect's own clock and ours are the machine's: the record's may be set for a demonstration.
    return datetime.now(UTC) - run.since


def _recover_one(
    here: Workspace, client: PrefectClient, application_id: str, patience: timedelta
) -> str | None:
    with here.record.reading() as session:
        application = session.get_one(Application, application_id)
        if application.stage is Stage.CLOSED:  # since somebody looked
            return None
        run_id, news = application.run, application.parked_revision < application.revision
        makes_many = application.label == LabelKind.EUROPEAN
    run = read_run(client, run_id)
    if run is None or run.phase is Phase.ENDED:
        replace(here, client, application_id, run_id)
        return "started a run" if run_id is None else "replaced a run that was lost"
    if run.phase is Phase.SCHEDULED:
        return None
    if run.phase is Phase.SUSPENDED:
        if form_of(client, run) is not None:
            with here.record.writing() as session:
                session.execute(_FORM_SEEN, {"of": application_id, "state": run.state})
            return wake(here, client, application_id).remark if news else None
        if _age(run) < min(patience, FORM_WITHIN):
            return None
        # It died between suspending and saving its form: nobody could ever resume it.
        end_as_cancelled(client, run, "suspended without a form")
    elif _age(run) < patience or (makes_many and _shows_life(here, application_id, patience)):
        return None
    else:
        end_as_crashed(client, run, _LOST)
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
