"""The tasks of the European Quality Label: the year's cycle and each organisation's nomination; all may be repeated."""

from __future__ import annotations

import contextlib
import functools
from collections import deque
from collections.abc import Generator, Iterator

import sqlalchemy as sa
from prefect import get_run_logger, task
from prefect.artifacts import create_progress_artifact
from sqlalchemy.orm import Session

from adapters.papers.issuing import store
from adapters.prefect.client import prefect_client
from adapters.prefect.markdown import european
from adapters.prefect.pages import run_page
from adapters.prefect.progress import Progress
from adapters.prefect.retrying import RETRIED
from adapters.prefect.runs import start
from adapters.workspace import Workspace, workspace
from labels.errors import InvalidInput
from labels.european_label import awarding, freezing, screening
from labels.european_label.certificates import certificates_left, due_certificates
from labels.papers.facts import CertificateFacts
from labels.papers.issued import DuePaper, MadePaper, enter
from labels.record.journal import SYSTEM, Event, note
from labels.record.schema import Application, Cycle, CycleOrganisation, Journal, Stage, Step
from labels.steps.step import locked
from labels.views.screening import progress_of, ranking_of
from tasks.process import asked, in_a_turn, show, tell_prefect
from usecases.beginning import begin_cycle
from usecases.cycles import publish, rules_of_year
from usecases.running import wake

TOGETHER = 50
"""Certificates that are entered into the record in one transaction."""


@task(name="begin the year", **RETRIED)
def begin_the_year(year: int | None) -> str:
    """The application in which a year's label is awarded; it has its run."""
    return begin_cycle(workspace(), year)


@task(name="freeze the labels", **RETRIED)
def freeze(application_id: str) -> str:
    """Freezes and ranks the year's labels; the digest of the list."""
    here = workspace()
    with here.record.writing() as session:
        year = freezing.cycle_of(session, locked(session, application_id)).year
        return freezing.freeze(here.turn(session), application_id, rules_of_year(here, year))


@task(name="ask the organisations", **RETRIED)
def ask_the_organisations(application_id: str) -> list[str]:
    """Every organisation's nomination has its run; how many there are."""
    here = workspace()
    with here.record.reading() as session:
        waiting = session.scalars(
            sa.select(CycleOrganisation.nomination)
            .join(Cycle, Cycle.year == CycleOrganisation.year)
            .join(Application, Application.id == CycleOrganisation.nomination)
            .where(
                Cycle.application == application_id,
                Application.stage != Stage.CLOSED,
                Application.run.is_(None),
            )
            .order_by(CycleOrganisation.organisation)
        ).all()
    started = [one for one in waiting if one]
    with prefect_client() as client:
        for nomination in started:
            start(here, client, nomination)
    return started


@task(name="see who still screens", **RETRIED)
def still_screening(application_id: str) -> list[str]:
    """The organisations that the cycle waits for; what is shown of it is brought up to date."""
    here = workspace()
    with here.record.writing() as session:
        application = locked(session, application_id)
        cycle = freezing.cycle_of(session, application)
        waiting = screening.still_screening(session, cycle.year)
        application.parked_revision = application.revision
    _show_cycle(here, cycle.year)
    tell_prefect(application)
    return waiting


@task(name="merge the nominations", **RETRIED)
def merge_nominations(application_id: str) -> int:
    """How many projects were put forward and have the labelled partners that the rules ask for."""
    return in_a_turn(awarding.merge_nominations, application_id)


@task(name="ask for the award", **RETRIED)
def ask_for_the_award(application_id: str) -> list[str]:
    """Asks the Central Support Service; the steps that are awaited, none once it is settled."""
    return asked(
        application_id, awarding.ask,
        artifact="award", description="Every project that qualifies, and why the others don't",
    )  # fmt: skip


@task(name="award", **RETRIED)
def award(application_id: str) -> str:
    """The label to every teacher of the awarded projects who holds its National Quality Label."""
    return in_a_turn(awarding.award, application_id).value


@task(name="issue the certificates", **RETRIED)
def issue_certificates(application_id: str) -> int:
    """Every certificate rendered, stored and in the record, with progress shown; returns how many were made.

    A name that can't be printed keeps nobody waiting. Whatever is stored when the run is interrupted stays, and the
    next run goes on there.
    """
    here = workspace()
    with here.record.reading() as session:
        application = session.get_one(Application, application_id)
        year, left = application.content["year"], certificates_left(session, application)
    if not left:
        return 0
    progress = Progress(f"cycle-{year}-certificates", f"Certificates of {year}", left)
    made = 0
    stored: list[tuple[DuePaper, MadePaper]] = []
    try:
        with contextlib.closing(_rendered(here, application_id, left)) as rendered:
            for number, (certificate, content) in enumerate(rendered, 1):
                if isinstance(content, InvalidInput):
                    get_run_logger().error("A certificate can't be printed: %s", content)
                    _tell_unprintable(here, application_id, certificate)
                    continue
                stored.append((certificate, store(here, content, must_be_signed=certificate.must_be_signed)))
                if len(stored) == TOGETHER:
                    made += _entered(here, stored)
                    progress.show(number)
    except Exception:
        _entered(here, stored)  # the disk may be full, but what was stored need not be made again
        raise
    progress.end()
    return made + _entered(here, stored)


def _rendered(
    here: Workspace, application_id: str, left: int
) -> Generator[tuple[DuePaper, bytes | InvalidInput], None, None]:
    """The certificates that are not stored yet, made on all cores where they are many."""
    # WeasyPrint takes half a second to import, and most executions end in a suspension before it.
    from adapters.papers.campaigns import BATCH, render_each
    from adapters.papers.credentials import render_credential

    under_way: deque[DuePaper] = deque()

    def wanted() -> Iterator[tuple[CertificateFacts, bytes | None]]:
        after = ""
        while True:
            with here.record.reading() as session:
                application = session.get_one(Application, application_id)
                due = due_certificates(session, application, BATCH, here.stamp, after)
            if not due:
                return
            for one in due:
                assert isinstance(one.facts, CertificateFacts)
                under_way.append(one)
                yield one.facts, render_credential(one.facts, here.settings.branding)
            after = due[-1].facts.application

    # A few are made sooner than another process has loaded what it needs.
    processes = 1 if left <= BATCH else None
    for content in render_each(wanted(), processes=processes, branding=here.settings.branding):
        yield under_way.popleft(), content


def _entered(here: Workspace, stored: list[tuple[DuePaper, MadePaper]]) -> int:
    """Enters stored certificates, all or none, and clears the list; how many were new."""
    if not stored:
        return 0
    with here.record.writing() as session:
        entered = sum(enter(here.turn(session), *one) for one in stored)
    stored.clear()
    return entered


def _tell_unprintable(here: Workspace, application_id: str, certificate: DuePaper) -> None:
    """Puts it into the journal, once, that a certificate has a letter that can't be printed."""
    event, award = Event.CERTIFICATE_UNPRINTABLE, certificate.facts.application
    with here.record.writing() as session:
        application = locked(session, application_id)
        known = session.scalars(
            sa.select(Journal.details).where(Journal.application == application_id, Journal.what == event)
        )
        if all(details.get("award") != award for details in known):
            note(here.turn(session), application, SYSTEM, event, award=award)


@task(name="publish the gallery", **RETRIED)
def publish_gallery(application_id: str) -> str:
    """The gallery as the awards are now; its digest."""
    here = workspace()
    with here.record.reading() as session:
        year = freezing.cycle_of(session, session.get_one(Application, application_id)).year
    shown = publish(here, year)
    _show_cycle(here, year)
    return shown


def _show_cycle(here: Workspace, year: int) -> None:
    """The year as coordinators see it in Prefect: how far the organisations are, and a table by country."""
    with here.record.reading() as session:
        progress = progress_of(session, year)
    text = european.progress(progress, functools.partial(run_page, here.settings))
    show(f"cycle-{year}", text, f"The European Quality Label {year} by country")
    create_progress_artifact(
        progress=progress.per_cent,
        key=f"cycle-{year}-screened",
        description="Organisations that have screened",
    )


# A nomination -----------------------------------------------------------------------------------


@task(name="ask for the screening", **RETRIED)
def ask_for_the_screening(application_id: str) -> list[str]:
    """Asks the organisation's coordinators; the steps that are awaited, none once all is screened."""
    return asked(
        application_id, screening.ask,
        artifact="ranking", description="The ranking, with the reason for every place", shown=_ranking,
    )  # fmt: skip


def _ranking(session: Session, here: Workspace, application: Application, awaited: list[Step]) -> str:
    return european.ranking(ranking_of(session, application))


@task(name="put forward", **RETRIED)
def put_forward(application_id: str) -> str:
    """What was approved counts from now on, and the year's cycle goes on if it waited for this."""
    here = workspace()
    with here.record.writing() as session:
        outcome = screening.put_forward(here.turn(session), application_id)
        cycle = freezing.cycle_of(session, session.get_one(Application, application_id)).application
    with prefect_client() as client:
        woken = wake(here, client, cycle)
    if not woken.done:
        get_run_logger().info("The year's cycle: %s", woken.remark)
    return outcome.value
