"""One application's whole life in one thread: real commands, flow, record, documents and mail around a small
Prefect, with people who read their mail, a worker, and upkeep; any moment of it may be the last of a process.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import typer
from prefect import Task
from sqlalchemy.orm import Session

import adapters.papers.letters as letters
import adapters.prefect.client
import adapters.prefect.runs
import adapters.workspace
import cli.answering
import cli.applying
import flows.quality_label.national as the_flow
import tasks.national
import tasks.process
import tasks.upkeep
import tasks.waiting
import usecases.running
from adapters.documents.directory import DirectoryStore
from adapters.mail.folder import MailFolder, read_message
from adapters.mail.transports import FolderTransport
from adapters.prefect.states import Phase, form_of, read_run
from adapters.workspace import Workspace
from cli.words import worded
from labels.papers.facts import LetterFacts
from labels.record import Record, digests
from labels.record.chain import SALT
from labels.record.journal import Event
from labels.record.schema import (
    Application,
    Award,
    Decision,
    Document,
    Issued,
    Journal,
    Mail,
    Outcome,
    Stage,
    Step,
    StepKind,
    StepState,
)
from labels.settings import Settings
from labels.steps.step import open_steps
from tests.support.drawing import draw_once
from tests.support.killing import AFTER, BEFORE, Disk, Fate, Killed, Point, asker
from tests.support.patching import everywhere
from tests.support.people import NOW, application_file, points
from tests.support.small_prefect import SmallPrefect

A_WHILE = timedelta(minutes=5)
"""Longer than recovery's patience and a mail's claim."""


COMMAND, FORM = "command", "form"

Act = tuple[str, dict[str, Any]]
"""By which door somebody answers, and what."""


def review(each: int, **changes: int) -> dict[str, Any]:
    """A review with the same points for each criterion."""
    return {"scores": points(each, **changes), "comment": f"{each} points each."}


@dataclass(frozen=True)
class Story:
    """One way in which an application can go."""

    name: str
    ends: Outcome
    answers: Callable[[Step], Act]
    organisation: str = "NSS-PL"
    country: str = "PL"
    changes: dict[str, Any] = field(default_factory=dict)
    withdraws_with: int | None = None
    """The applicant withdraws as soon as that many reviews are in."""
    appeals: bool = False


class Mortal:
    """Somebody whose process may die at every lasting effect."""

    fate: Fate
    handed_over: Counter[str]
    """How often the transport took which message."""

    def mortal(self, patch: pytest.MonkeyPatch) -> None:
        """Makes every lasting effect a moment at which the process may die."""
        write, put, send = Record.writing, DirectoryStore.put, FolderTransport.send
        fate = self.fate

        @contextlib.contextmanager
        def writing(record: Record) -> Iterator[Session]:
            what = f"the record is written ({asker()})"
            with write(record) as session:
                yield session
                session.flush()
                fate.meet(Point(BEFORE, what))
            fate.meet(Point(AFTER, what))

        def putting(store: DirectoryStore, content: bytes, media_type: str) -> str:
            with fate.around(f"a document is stored ({asker()})"):
                return put(store, content, media_type)

        def sending(transport: FolderTransport, message: EmailMessage) -> None:
            with fate.around(f"a message is sent ({str(message['Keywords']).partition(',')[0]})"):
                send(transport, message)
                self.handed_over[str(message["Message-ID"]).strip()] += 1

        patch.setattr(Record, "writing", writing)
        patch.setattr(DirectoryStore, "put", putting)
        patch.setattr(FolderTransport, "send", sending)


@dataclass(frozen=True)
class Moment:
    """All that there is at a moment of a life, outside the process that may die then."""

    files: Any
    prefect: Any
    time: datetime
    unfinished: Callable[[], None] | None
    submitted: str | None
    handed_over: Counter[str]


class World(Mortal):
    """One record, one document folder, one mail folder, one Prefect, and everybody around them."""

    def __init__(self, story: Story, home: Path, record: Record, fate: Fate) -> None:
        self.story = story
        self.home = home
        self.fate = fate
        self.time = NOW
        self.deaths: list[tuple[Point, str]] = []
        self.since_death: list[str] = []
        """What brought the application on after the last death."""
        self._unfinished: Callable[[], None] | None = None
        self._submitted: str | None = None
        self.handed_over: Counter[str] = Counter()
        """How often the transport took which message."""
        settings = Settings(_env_file=None, home=home, secret="a secret for tests")
        self.here = Workspace(
            settings=settings,
            record=record,
            documents=DirectoryStore.from_settings(settings),
            fixed_key=settings.key,
            clock=lambda: self.time,
        )
        self.mail = MailFolder(settings.mail_folder, _read_once)
        self.prefect = SmallPrefect(lambda what: self.fate.around(what))
        (home / "application.json").write_text(json.dumps(application_file(**story.changes)))
        (home / "evidence.png").write_bytes(PNG)

    # Living -----------------------------------------------------------------------------------------

    def live(self, prefect_is_lost_with_it: bool = False) -> None:
        """The whole life; whenever a process dies, a while passes and everybody begins again.

        One that went back to a moment begins with a death there.
        """
        with self._in_place():
            if self.fate.passed:
                self._dies(prefect_is_lost_with_it)
            for _ in range(400):
                try:
                    if not self._go_on():
                        return
                except Killed:
                    self._dies(prefect_is_lost_with_it)
        raise AssertionError(f"it does not end: {self.remains()} after {self.deaths}")

    def _dies(self, prefect_is_lost_with_it: bool) -> None:
        self.deaths.append((self.fate.passed[-1], self.remains()))
        self.since_death = []
        self.prefect.executing = None
        self._pass_time()
        if prefect_is_lost_with_it:
            self.prefect.lose_everything()

    def moment(self, disk: Disk) -> Moment:
        """What is there now, in a life without a death so far."""
        return Moment(
            disk.read(), self.prefect.state(), self.time, self._unfinished, self._submitted,
            Counter(self.handed_over),
        )  # fmt: skip

    def go_back(self, disk: Disk, to: Moment, fate: Fate) -> None:
        """Makes it another life, which was the same up to that moment."""
        self.here.record.engine.dispose()
        disk.write(to.files)
        self.prefect.go_back(to.prefect)
        self.time, self._unfinished, self._submitted = to.time, to.unfinished, to.submitted
        self.handed_over = Counter(to.handed_over)
        self.deaths, self.since_death, self.fate = [], [], fate
        self.mail = MailFolder(self.here.settings.mail_folder, _read_once)

    def _go_on(self) -> bool:
        """One thing that somebody does; false once nothing is left to do."""
        if self._unfinished is not None:
            self._tell("the person did the same again")
            self._unfinished()
        elif self._submitted is None:
            self._do(self._submit)
        elif scheduled := self.prefect.scheduled():
            self.prefect.execute(scheduled[0], the_flow.national_quality_label.fn)
        elif act := self._somebody_acts():
            self._do(act)
        elif self._rests():
            return False
        else:
            self._pass_time()
            self._upkeep()
        return True

    def _do(self, act: Callable[[], None]) -> None:
        """A person's act, which they begin again if its process died."""

        def done() -> None:
            act()
            self._unfinished = None

        self._unfinished = done
        done()

    def _tell(self, what: str) -> None:
        if self.deaths and what not in self.since_death:
            self.since_death.append(what)

    def _pass_time(self) -> None:
        self.time += A_WHILE
        self.prefect.age(A_WHILE)

    def _upkeep(self) -> None:
        did = tasks.upkeep.recover_applications.fn()
        for one in did.values():
            self._tell(f"recovery {one}")
        if "sent=0" not in tasks.upkeep.send_mail.fn():
            self._tell("upkeep sent the mail")

    def _rests(self) -> bool:
        """Whether everything is done: closed, mailed, and no run is left over."""
        with self.here.record.reading() as session:
            application = session.scalars(sa.select(Application)).one()
            unsent = session.scalar(sa.select(sa.func.count()).where(Mail.sent_at.is_(None)))
        left = [run for run in self.prefect.runs.values() if not run.state.is_final()]
        return application.stage is Stage.CLOSED and not unsent and not left

    # People -----------------------------------------------------------------------------------------

    def _command(self, command: Callable[..., None], **arguments: Any) -> str:
        """What a command printed; refusals are printed by it and are its own affair."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            try:
                worded(command)(as_json=True, **arguments)
            except typer.Exit as ended:
                if ended.exit_code != 3:
                    raise
                self._tell("was told that it counts already")
        return printed.getvalue()

    def _submit(self) -> None:
        printed = self._command(
            cli.applying.submit, file=self.home / "application.json", evidence=[self.home / "evidence.png"]
        )
        self._submitted = json.loads(printed)["application"]

    def _somebody_acts(self) -> Callable[[], None] | None:
        with self.here.record.reading() as session:
            application = session.scalars(sa.select(Application)).one()
            if self._wants_out(session, application):
                return self._by_code(session, application, StepKind.WITHDRAWAL, cli.applying.withdraw)
            if self.story.appeals and application.stage is Stage.CLOSED and application.instance == 1:
                grounds = self.home / "grounds.txt"
                grounds.write_text("The second reviewer did not open the documents.")
                return self._by_code(
                    session,
                    application,
                    StepKind.APPEAL,
                    functools.partial(cli.applying.appeal, grounds=grounds),
                )
            for step in open_steps(session, application):
                code = self._code_for(step)
                if code is None:
                    return None  # one after the other, so that every life goes the same way
                door, given = self.story.answers(step)
                if door == COMMAND:
                    return functools.partial(self._answer, step.id, step.assignee, code, given)
                run = self._waiting_run(application)
                return functools.partial(self._fill_in, run, code, given) if run is not None else None
        return None

    def _wants_out(self, session: Session, application: Application) -> bool:
        if self.story.withdraws_with is None or application.outcome is not None:
            return False
        given = session.scalar(
            sa.select(sa.func.count()).where(Step.kind == StepKind.REVIEW, Step.state == StepState.ANSWERED)
        )
        return (given or 0) >= self.story.withdraws_with

    def _by_code(
        self, session: Session, application: Application, kind: StepKind, command: Callable[..., None]
    ) -> Callable[[], None] | None:
        right = session.scalars(sa.select(Step).where(Step.kind == kind)).one()
        code = self._code_for(right)
        if code is None:
            return None
        return functools.partial(
            self._command, command, application=application.id, email=right.assignee, code=code
        )  # type: ignore[return-value]  # what it printed is of no interest

    def _answer(self, step: str, email: str, code: str, given: dict[str, Any]) -> None:
        file = self.home / "answer.json"
        file.write_text(json.dumps(given))
        self._command(cli.answering.answer, step=step, file=file, email=email, code=code)

    def _waiting_run(self, application: Application) -> Any | None:
        """The run whose Resume form a person would find, by the address in their mail."""
        run = read_run(self.prefect, application.run)  # type: ignore[arg-type]  # stands in
        if run is None or run.phase is not Phase.SUSPENDED:
            return None
        form = form_of(self.prefect, run)  # type: ignore[arg-type]  # stands in
        return run.id if form else None

    def _fill_in(self, run: Any, code: str, given: dict[str, Any]) -> None:
        form: dict[str, Any] = {"code": code}
        form |= {f"points_{name}": number for name, number in given.get("scores", {}).items()}
        form |= {name: value for name, value in given.items() if name != "scores"}
        with contextlib.suppress(httpx.HTTPStatusError):  # lost meanwhile: they look for the new one
            self.prefect.resume_flow_run(run, run_input=form)

    def letters(self) -> list[EmailMessage]:
        """The mail in everybody's boxes."""
        return self.mail.messages()

    def _code_for(self, step: Step) -> str | None:
        """The code as its owner reads it in their mail, if it is there yet."""
        return self.mail.code(step)

    # What there is --------------------------------------------------------------------------------

    def remains(self) -> str:
        """What the record, the folders and Prefect hold, in a line."""
        with self.here.record.reading() as session:
            application = session.scalars(sa.select(Application)).one_or_none()
            documents = session.scalars(sa.select(Document.kind)).all()
            sent = session.scalars(sa.select(Mail.sent_at)).all()
            parts = []
            if application is None:
                parts.append("no application")
            else:
                outcome = f", {application.outcome.value}" if application.outcome else ""
                parts.append(f"{application.stage.value}{outcome}")
                answered = session.scalar(
                    sa.select(sa.func.count()).where(
                        Step.kind.in_([StepKind.REVIEW, StepKind.INFORMATION]),
                        Step.state == StepState.ANSWERED,
                    )
                )
                if answered:
                    parts.append(f"{answered} answered")
        papers = [kind for kind in documents if kind in ("receipt", "certificate", "letter")]
        parts += [" and ".join(papers)] if papers else []
        unclaimed = len(self.stored()) - len(documents)
        parts += [f"{unclaimed} stored file(s) not claimed yet"] if unclaimed > 0 else []
        if sent:
            out, files = sum(map(bool, sent)), len(self.letters())
            parts.append(f"mail {out} of {len(sent)}" + (f" ({files} in the folder)" if files > out else ""))
        parts.append(self._run_in_words())
        return "; ".join(parts)

    def _run_in_words(self) -> str:
        runs = list(self.prefect.runs.values())
        if not runs:
            return "no run"
        state = runs[-1].state
        keys = state.state_details.run_input_keyset or {}
        if state.is_paused() and keys.get("schema") not in runs[-1].inputs:
            return "run suspended without its form"
        return f"run {str(state.name).lower()}"

    def stored(self) -> list[Path]:
        """The files in the document store."""
        return [path for path in (self.home / "documents").rglob("*") if path.is_file()]

    def not_needed(self) -> list[tuple[str, str]]:
        """The messages that were closed since what they asked for was done, and what is noted with them."""
        with self.here.record.reading() as session:
            told = session.scalars(sa.select(Journal.details).where(Journal.what == Event.MAIL_NOT_NEEDED))
            mails = [session.get_one(Mail, details["reason"]) for details in told]
            return [(mail.reason, str(mail.last_error)) for mail in mails]

    def facts(self) -> dict[str, Any]:
        """All that must be the same however often somebody died."""
        with self.here.record.reading() as session:
            application = session.scalars(sa.select(Application)).one()
            told = list(session.scalars(sa.select(Journal).order_by(Journal.id)))

            def every(table: type[Any]) -> Sequence[Any]:
                return session.scalars(sa.select(table)).all()

            return {
                "end": (application.stage, application.outcome, application.instance),
                "decisions": sorted(
                    (d.instance, d.outcome, d.score, d.inputs_digest) for d in every(Decision)
                ),
                "awards": [(a.id, a.teacher, a.project, a.score) for a in every(Award)],
                "documents": sorted((d.kind, d.name, d.key) for d in every(Document)),
                "issued": sorted((i.paper, i.code or "", i.file_digest or "") for i in every(Issued)),
                "stored": sorted(path.name for path in self.stored()),
                "mail": sorted((m.reason, m.to_address, m.sent_at is not None) for m in every(Mail)),
                "letters": sorted(str(m["Message-ID"]).strip() for m in self.letters()),
                "journal": sorted(
                    (j.who, j.what, j.step or "") for j in told if j.what != Event.MAIL_NOT_NEEDED
                ),
                "first and last": [told[0].what, *(j.what for j in told[-2:])],
                "revision": application.revision - application.parked_revision,
                "shown": sorted(self.prefect.artifacts),
                "answers left in Prefect": self.prefect.answers(),
                "tags": {t for run in self.prefect.runs.values() for t in run.tags if "stage:closed" in t},
            }

    # Taking the places of others --------------------------------------------------------------------

    @contextlib.contextmanager
    def _in_place(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in vars(the_flow).items():
                if isinstance(value, Task):
                    patch.setattr(the_flow, name, value.fn)
            everywhere(patch, adapters.workspace.workspace, functools.cache(lambda: self.here))
            everywhere(patch, adapters.workspace.existing_workspace, lambda: self.here)
            patch.setattr(adapters.prefect.client, "get_client", self.prefect.client)
            patch.setattr(
                adapters.prefect.client, "PREFECT_API_URL", SimpleNamespace(value=lambda: "in memory")
            )
            driver = _Executing(self.prefect)
            patch.setattr(tasks.process, "flow_run", driver)
            patch.setattr(tasks.waiting, "flow_run", driver)
            patch.setattr(tasks.waiting, "suspend_flow_run", self.prefect.suspend)
            patch.setattr(tasks.process, "create_markdown_artifact", self.prefect.artifact)
            patch.setattr(tasks.process, "get_run_logger", lambda: SimpleNamespace(warning=lambda *_: None))
            # In one thread nobody else comes on while a command waits for the run.
            hurried = functools.partial(usecases.running.wake, within=0.25, pause=lambda _: None)
            everywhere(patch, usecases.running.wake, hurried)
            draw_once(patch)
            # Whoever reviews only after a death would have other salts, and the decision another digest.
            patch.setattr(digests, "random_salts", lambda number: bytes(SALT * number))
            drawn = letters.render_letter
            patch.setattr(
                letters, "render_letter", lambda facts, branding: drawn(_arrived_as_usual(facts), branding)
            )
            self.mortal(patch)
            yield


class _Executing:
    """Stands in for `prefect.runtime.flow_run`."""

    def __init__(self, prefect: SmallPrefect) -> None:
        self._prefect = prefect

    @property
    def id(self) -> str:
        return str(self._prefect.executing)


_read_once = functools.cache(read_message)
"""The same letter comes in many lives."""


def _arrived_as_usual(facts: LetterFacts) -> LetterFacts:
    """Whoever submits only after a death submits later: their receipt tells so, and nothing else is different."""
    return facts.model_copy(update={"arrived_at": NOW}) if facts.arrived_at else facts


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
