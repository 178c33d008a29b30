"""What moves the applications of a year on: the flows' steps, called in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from email.message import EmailMessage
from typing import Any, Protocol, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.mail.delivery import deliver_due
from adapters.papers.issuing import make, store
from adapters.workspace import Workspace
from labels.applications import conditions, ending, likeness
from labels.european_label import awarding, freezing, screening
from labels.european_label.certificates import due_certificates
from labels.papers.due import due_invitation, due_papers, due_receipt
from labels.papers.issued import DuePaper, enter
from labels.record.schema import Application, CycleOrganisation, Stage, Step
from labels.reviews import asking, deciding
from labels.school_label import deciding as school_deciding
from labels.school_label import inviting, prefilling, receiving, rounds
from labels.steps.step import locked
from labels.turn import Turn
from usecases.cycles import publish, rules_of_year
from usecases.inviting import begin, school_rules_on

BLANK = b"%PDF-1.7\n% A sheet that stands for one that the sample left out.\n%%EOF\n"
SHEETS = 20
"""Certificates of the European Quality Label that are made together."""


class Engine(Protocol):
    """Moves applications on; every call returns once they rest, with those that may have moved."""

    def begun(self, application: str) -> set[str]:
        """A new application."""

    def moved(self, application: str) -> set[str]:
        """The record has news of it."""

    def round(self) -> set[str]:
        """The School Label's round of today: every school checked, the eligible invited."""

    def cycle(self, year: int) -> set[str]:
        """The European Quality Label's cycle of a year: its labels frozen, the organisations asked."""

    def deliver(self) -> None:
        """Sends whatever is due in the outbox."""


class Parts(Protocol):
    """Counts what parts of a year cost."""

    def part(self, name: str, times: Callable[[], int] = ...) -> AbstractContextManager[None]:
        """Counts what is done within for this part; `times` says afterwards how many things were done."""


class Uncounted:
    """Counts nothing."""

    def part(self, name: str, times: Callable[[], int] = lambda: 1) -> AbstractContextManager[None]:
        """Does nothing."""
        return nullcontext()


class Box:
    """A transport that counts what it is handed, each message by its id."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    def send(self, message: EmailMessage) -> None:
        self.taken[str(message["Message-ID"]).strip()] += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


TOLD = {
    "quality_label/national.py": (
        "register acknowledge conditions_met ask record_answer suspended decide issue_papers notify close"
    ),
    "quality_label/nomination.py": (
        "register ask_for_the_screening record_answer suspended put_forward notify close"
    ),
    "quality_label/european.py": (
        "register freeze ask_the_organisations still_screening record_answer suspended merge_nominations"
        " ask_for_the_award record_answer suspended award issue_certificates publish_gallery notify close"
    ),
    "school_label/application.py": (
        "register prefill invite ask_the_school record_answer suspended acknowledge ask"
        " record_answer suspended decide issue_papers notify close"
    ),
    "school_label/preselection.py": (
        "begin_the_round check_every_school invite_the_schools send_the_invitations start_the_applications"
        " show_the_round"
    ),
}
"""What the flows call, in their order, as `InProcess` was last told; a test compares."""


class InProcess:
    """The steps of the flows, called one after the other as `flows/` has them."""

    def __init__(
        self, here: Workspace, is_rendered: Callable[[DuePaper], bool], parts: Parts, box: Box | None = None
    ) -> None:
        self._here, self._is_rendered, self._parts = here, is_rendered, parts
        self.box = box or Box()
        self._flows: dict[str, Callable[[str], set[str]]] = {
            "national": self._national, "school": self._school,
            "nomination": self._nomination, "european": self._european,
        }  # fmt: skip

    def begun(self, application: str) -> set[str]:
        with self._here.record.writing() as session:
            locked(session, application).run = "in this process"
        return self.moved(application)

    def moved(self, application: str) -> set[str]:
        with self._here.record.reading() as session:
            row = session.get_one(Application, application)
        if row.stage is Stage.CLOSED:
            return {application}
        return {application} | self._flows[row.label](application)

    def _do(self, part: str, act: Callable[..., Any], *arguments: Any) -> Any:
        with self._parts.part(part), self._here.record.writing() as session:
            return act(self._here.turn(session), *arguments)

    def _asked(self, ask: Callable[[Turn, str], list[Step]], application: str) -> bool:
        """Whether the application waits; what the run has seen is noted, and mail goes out."""

        def noted(turn: Turn, application: str) -> bool:
            awaited = ask(turn, application)
            row = turn.session.get_one(Application, application)
            turn.session.flush()
            row.parked_revision = row.revision
            return bool(awaited)

        waits = bool(self._do("ask", noted, application))
        if waits:
            self._deliver(application)
        return waits

    # The flows --------------------------------------------------------------------------------------------

    def _national(self, application: str) -> set[str]:
        self._acknowledge(application)
        met = self._do("conditions", conditions.check_conditions, application)
        self._do("likeness", likeness.look, application)
        if met:
            if self._asked(asking.ask, application):
                return set()
            self._do("decide", deciding.decide, application)
        self._issue(application)
        self._close(application)
        return set()

    def _school(self, application: str) -> set[str]:
        self._do("prefill", prefilling.prefill, application)
        self._invite(application)
        if self._asked(receiving.ask, application):
            return set()
        self._acknowledge(application)
        if self._asked(asking.ask, application):
            return set()
        self._do("decide", school_deciding.decide, application)
        self._issue(application)
        self._close(application)
        return set()

    def _nomination(self, application: str) -> set[str]:
        if self._asked(screening.ask, application):
            return set()
        self._do("screening", screening.put_forward, application)
        with self._here.record.reading() as session:
            cycle = freezing.cycle_of(session, session.get_one(Application, application)).application
        self._close(application)
        return self.moved(cycle)

    def _european(self, application: str) -> set[str]:
        with self._here.record.reading() as session:
            year = freezing.cycle_of(session, session.get_one(Application, application)).year
        self._do("freeze and rank", freezing.freeze, application, rules_of_year(self._here, year))
        moved = set()
        with self._here.record.reading() as session:
            nominations = session.scalars(
                sa.select(CycleOrganisation.nomination)
                .join(Application, Application.id == CycleOrganisation.nomination)
                .where(CycleOrganisation.year == year, Application.run.is_(None))
                .order_by(CycleOrganisation.organisation)
            ).all()
        for nomination in nominations:
            moved |= self.begun(str(nomination))
        with self._here.record.writing() as session:
            row = locked(session, application)
            if row.stage is Stage.CLOSED:  # by the last of these nominations
                return moved
            row.parked_revision = row.revision
            if screening.still_screening(session, year):
                return moved
        self._do("merge", awarding.merge_nominations, application)
        if self._asked(awarding.ask, application):
            return moved
        self._do("award", awarding.award, application)
        self._issue_european(application)
        with self._parts.part("gallery"):
            publish(self._here, year)
        self._close(application)
        return moved

    # Papers, mail and the end -----------------------------------------------------------------------------

    def _acknowledge(self, application: str) -> None:
        self._make_all(lambda session: due_receipt(session, application))

    def _invite(self, application: str) -> None:
        with self._here.record.reading() as session:
            due = due_invitation(session, application)
        if due:
            self._do("invite", inviting.tell_the_principal, application)
        self._make_all(lambda session: due)

    def _issue(self, application: str) -> None:
        self._make_all(
            lambda session: due_papers(session, application, self._here.stamp, self._here.settings.desk_url)
        )

    def _make_all(self, due: Callable[[Session], list[DuePaper]]) -> None:
        with self._parts.part("papers' facts"), self._here.record.reading() as session:
            papers = due(session)
        for paper in papers:
            self._make(paper)

    def _issue_european(self, application: str) -> None:
        after = ""
        while True:
            with self._parts.part("papers' facts"), self._here.record.reading() as session:
                year = session.get_one(Application, application)
                due = due_certificates(session, year, SHEETS, self._here.stamp, after)
            if not due:
                return
            after = due[-1].facts.application
            for paper in due:
                self._make(paper)

    def _make(self, paper: DuePaper) -> None:
        """The paper in the record; those that the sample leaves out keep a blank sheet."""
        if self._is_rendered(paper):
            with self._parts.part(f"rendering: {paper.kind.value}"):
                made = make(self._here, replace(paper, must_be_signed=False))  # no real key is in reach here
        else:
            with self._parts.part(f"left blank: {paper.kind.value}"):
                made = store(self._here, BLANK, must_be_signed=False)
        with self._parts.part("papers entered"), self._here.record.writing() as session:
            enter(self._here.turn(session), paper, made)

    def _close(self, application: str) -> None:
        self._deliver(application)

        def closed(turn: Turn, application: str) -> None:
            ending.close(turn, application)
            row = turn.session.get_one(Application, application)
            turn.session.flush()
            row.parked_revision = row.revision

        self._do("close", closed, application)

    def deliver(self) -> None:
        self._deliver(None)

    def _deliver(self, application: str | None) -> None:
        here, worded = self._here, 0
        with self._parts.part("mail", lambda: worded):
            while True:
                done = deliver_due(
                    here.record, here.documents, self.box, keys=here.good_keys, sender=here.settings.sender,
                    site=here.settings.site_url, clock=here.clock, application=application,
                )  # fmt: skip
                assert not done.failed + done.postponed, f"mail could not be worded: {done}"
                worded += done.sent + done.obsolete
                if done.sent + done.obsolete < 500:
                    return

    # What the calendar starts -----------------------------------------------------------------------------

    def round(self) -> set[str]:
        one = begin(self._here)
        self._do("check every school", rounds.check, one.year)
        rules = school_rules_on(self._here, one.on)
        while self._do("invite", inviting.invite, one.year, rules) != inviting.NOBODY:
            pass
        self._deliver(None)
        moved: set[str] = set()
        while True:
            with self._here.record.reading() as session:
                waiting = inviting.unstarted(session, one.year)
            if not waiting:
                return moved
            for application in waiting:
                moved |= self.begun(application)

    def cycle(self, year: int) -> set[str]:
        identifier = self._do("freeze and rank", freezing.begin, year, rules_of_year(self._here, year))
        return self.begun(str(identifier))
