"""Prefect with its worker as what drives the applications of a year."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from functools import partial

import sqlalchemy as sa

from adapters.mail.post import send_due
from adapters.prefect.client import prefect_client
from adapters.prefect.runs import ask_for, start
from adapters.workspace import Workspace
from benchmarks.processor import processor
from benchmarks.year.ledger import Ledger
from cli.processes import Services
from cli.services import free_port, services
from labels.european_label import freezing
from labels.record.schema import Application, Stage
from labels.school_label import inviting, rounds
from labels.settings import Settings
from tests.e2e.conftest import Stage_
from tests.support.patience import until
from usecases.beginning import begin_cycle
from usecases.inviting import DEPLOYMENT, begin
from usecases.running import wake


class OnPrefect:
    """A real server, the warm worker, and this process as everybody's command line."""

    def __init__(self, settings: Settings, ledger: Ledger, stack: ExitStack) -> None:
        self._running: Services
        self._running, self._here = stack.enter_context(services(settings, free_port(), free_port()))
        self._stage = Stage_(self._running, self._here)
        self._ledger = ledger
        self.waited: list[float] = []
        """Seconds from a change to the application at rest again."""
        with prefect_client() as client:  # the year's own clock calls upkeep
            upkeep = client.read_deployment_by_name("upkeep/upkeep")
            for schedule in upkeep.schedules:
                client.update_deployment_schedule(upkeep.id, schedule.id, active=False)
        self._before, self._began_with = self._spent(), self._bytes()

    @property
    def here(self) -> Workspace:
        """The workspace, with the addresses of the services."""
        return self._here

    def _spent(self) -> dict[str, float]:
        spent = {name: processor(process.pid) for name, process in self._running.processes.items()}
        return spent | {"client": processor(os.getpid()) - sum(spent.values())}

    def _count(self) -> None:
        now = self._spent()
        for name, seconds in now.items():
            self._ledger.add(name, seconds - self._before[name])
        self._before = now

    def _resting(self, application: str) -> bool:
        row = self._stage.application(application)
        return row.stage is Stage.CLOSED or self._stage.parked(application)

    def _rests(self, began: float, *applications: str) -> set[str]:
        for application in applications:
            until(partial(self._resting, application), f"{application} is at rest", every=0.05)
        self.waited.append(time.monotonic() - began)
        self._count()
        return set(applications)

    def begun(self, application: str) -> set[str]:
        began = time.monotonic()
        with prefect_client() as client:
            start(self._here, client, application)
        return self._rests(began, application)

    def moved(self, application: str) -> set[str]:
        began = time.monotonic()
        with prefect_client() as client:
            wake(self._here, client, application)
        done = self._rests(began, application)
        with self._here.record.reading() as session:
            row = session.get_one(Application, application)
            if row.label != "nomination":
                return done
            cycle = freezing.cycle_of(session, row).application
        return done | self._rests(began, cycle)

    def round(self) -> set[str]:
        began = time.monotonic()
        year = begin(self._here).year
        with prefect_client() as client:
            ask_for(client, DEPLOYMENT, {"on": self._here.now().date().isoformat()})
        until(partial(self._is_over, year), f"the round of {year} is over", progress=self._begun, every=0.1)
        return self._rests(began, *self._of("school"))

    def _is_over(self, year: int) -> bool:
        """Whether a round has invited everybody it invites, and their applications have runs."""
        with self._here.record.reading() as session:
            invited = rounds.round_of(session, year).invited_at is not None
            return invited and not inviting.unstarted(session, year, limit=1)

    def _begun(self) -> int:
        """How many applications have a run."""
        with self._here.record.reading() as session:
            query = sa.select(sa.func.count()).select_from(Application).where(Application.run.is_not(None))
            return session.scalar(query) or 0

    def cycle(self, year: int) -> set[str]:
        began = time.monotonic()
        identifier = begin_cycle(self._here, year)
        with self._here.record.reading() as session:
            nothing = session.get_one(Application, identifier).stage is Stage.CLOSED
        if not nothing:
            self._rests(began, identifier)
        return self._rests(began, identifier, *self._of("nomination"))

    def _of(self, label: str) -> list[str]:
        with self._here.record.reading() as session:
            return list(
                session.scalars(
                    sa.select(Application.id).where(Application.label == label).order_by(Application.id)
                )
            )

    def deliver(self) -> None:
        send_due(self._here)
        self._count()

    def grown(self) -> int:
        """Bytes by which Prefect's own database grew since it began."""
        return self._bytes() - self._began_with

    def _bytes(self) -> int:
        file = self._here.settings.home / "prefect" / "prefect.db"
        return sum(one.stat().st_size for one in file.parent.glob(f"{file.name}*"))
