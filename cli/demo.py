"""The main job on the sample data: real services, a dozen applications, and people who decide."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.mail.folder import MailFolder
from adapters.prefect.client import prefect_client
from adapters.prefect.runs import ask_for, start
from adapters.workspace import Workspace
from cli.environment import home
from cli.keeping import kept_alive
from cli.output import err, out, say, table
from cli.processes import Interrupted, ended_by_signal
from cli.services import free_port, running_services, services
from labels.applications.documents import StoredDocument
from labels.errors import NotAllowed, OutOfReach
from labels.kinds import LabelKind
from labels.record.schema import Application, Document, Mail, Stage, Step, StepKind, StepState
from labels.registry.importing import import_registry
from labels.rules.kept import rules_of
from labels.rules.model import SchoolDocument
from labels.school_label import inviting, rounds
from labels.settings import PROJECT, Settings
from labels.steps.answers import read_answer
from labels.steps.proof import Code
from labels.steps.step import open_steps
from labels.turn import Door
from usecases import answering
from usecases.applying import store_evidence, submit_file
from usecases.beginning import begin_cycle
from usecases.inviting import DEPLOYMENT, begin
from usecases.performing import perform

EXAMPLES = PROJECT / "examples"
A_TEACHER = "begona.munozcanas@ieszambrano.es.example"
A_COORDINATOR = "concepcion.alvarezpelaez@etwinning.es.example"
TODAY = date(2026, 3, 16)
"""The day on which the sample data is about to be judged."""
EUROPEAN_YEAR = 2025
"""The latest year of the European Quality Label whose labels have all been awarded on that day."""
SCHOOLS = ("S-PL-01", "S-CZ-02", "S-IS-02", "S-FI-01")
"""Schools to ask why: the first hands its self-assessment in, each of the others fails for another reason."""
SETTLES_WITHIN = 600.0
"""Seconds in which something must move: it takes two, and minutes on a machine that has ten times as much to do as it has
processors for."""


@dataclass
class Script:
    """What the people of the demo do with one application, read from `examples/demo.yaml`."""

    file: str
    tells: str
    evidence: list[str] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    """One a seat: `points` (one number for each criterion, in order) and `comment`."""
    question: str = ""
    answer: str = ""
    waits: bool = False
    """Nobody plays it even in `--auto`: it stays as a person would find it."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the demo has to show."""

    ui_url: str
    auto: bool
    seconds: float
    """How long it took to come to this."""
    gallery: Path | None = None
    school: str | None = None
    """The application of the school that got its label."""


def demo_home() -> Path:
    """A folder of the demo's own, below the usual home."""
    return home() / "demo"


def run_demo(*, auto: bool) -> None:
    """`labels demo`: starts what is needed and leaves the applications at their paused steps, or,
    with `auto`, plays the people to the last certificate.

    Raises:
        NotAllowed: a demo runs already in this folder.
        OutOfReach: Prefect's server does not start, or a run does not reach its step.
    """
    home = demo_home()
    forget_settings()
    if known := running_services(home):
        raise NotAllowed(f"A demo is running already (process {known['pid']}): {known['site_url']}")
    if former := fresh(home):
        say(f"The former demo is in {former} until the next one.")
    scripts = [Script(**one) for one in yaml.safe_load((EXAMPLES / "demo.yaml").read_text("utf-8"))]
    desk_port, gate_port = free_port(), None if auto else free_port()
    # Browsers make passkeys at a name, which `localhost` is, and not at a number.
    settings = Settings(home=home, today=TODAY, public_url=f"http://localhost:{desk_port}", _env_file=None)
    if gate_port:
        settings = settings.model_copy(update={"site_url": f"http://localhost:{gate_port}"})
    began = time.monotonic()
    with ended_by_signal() as stop, contextlib.suppress(Interrupted):
        say("Starting Prefect's server and a worker (half a minute) …")
        with (
            services(
                settings,
                free_port(),
                desk_port,
                stop=stop,
                gate_port=gate_port,
                mail_shown=True,
            ) as (running, here),
            kept_alive(running, here, stop),
        ):
            say(f"The desk: {here.settings.desk_url}", "bold green")
            say(f"Prefect's UI, behind it: {running.ui_url}/runs")
            report = import_registry(here.record, EXAMPLES / "registry", TODAY)
            say(
                "Imported the sample registry: "
                + ", ".join(f"{n} {f.removesuffix('.csv')}" for f, n in report.files.items())
                + "."
            )
            played = _submit_all(here, scripts)
            _settle(here, played, stop)
            gallery = None
            if auto and not stop.is_set():
                _play(here, played, stop)
                gallery = _play_year(here, stop)
            school = _play_round(here, stop) if auto and not stop.is_set() else None
            if not stop.is_set():
                seconds = time.monotonic() - began
                _show(here, played, Result(running.ui_url, auto, seconds, gallery, school), stop)
            if not auto:
                say("Ctrl-C ends the demo.")
                stop.wait()
    say("Ended; run it again at any time.")


def forget_settings() -> None:
    """Leaves the settings of real use behind: the sample data must never land in a real record, mail
    its people through a real server or drive a real Prefect."""
    for name in [name for name in os.environ if name.startswith(("LABELS_", "PREFECT_"))]:
        del os.environ[name]


def fresh(home: Path) -> Path | None:
    """An empty folder in the place of the former demo's, which is moved aside; returns where to.

    One former demo stays: whoever looked at its papers yesterday finds them today.
    """
    former = None
    if home.exists() and any(home.iterdir()):
        former = home.with_name(f"{home.name}-former")
        if former.exists():
            shutil.rmtree(former)
        home.rename(former)
    home.mkdir(parents=True, exist_ok=True)
    return former


def _submit_all(here: Workspace, scripts: list[Script]) -> dict[str, Script]:
    played = {}
    with prefect_client() as client:
        for script in scripts:
            path = EXAMPLES / "applications" / script.file
            evidence = [EXAMPLES / "evidence" / name for name in script.evidence]
            raw = yaml.safe_load(path.read_text("utf-8"))
            done = submit_file(here, raw, path.name, evidence)
            start(here, client, done.application)
            played[done.application] = script
    say(f"Submitted {len(played)} applications; a run carries each to its next step.")
    return played


class _Patience:
    """The bound of a wait, which begins anew whenever something has moved."""

    def __init__(self, here: Workspace) -> None:
        self._logs = here.settings.home / "logs"
        self._at: object = None
        self._since = time.monotonic()

    def moved_to(self, at: object, what_is_wrong: str) -> None:
        """Tells where things stand now.

        Raises:
            OutOfReach: they have stood there for too long.
        """
        if at != self._at:
            self._at, self._since = at, time.monotonic()
        if time.monotonic() - self._since > SETTLES_WITHIN:
            raise OutOfReach("The worker", f"{what_is_wrong}; see {self._logs}.")


def _unsettled(here: Workspace, played: Collection[str]) -> list[str]:
    """The applications whose run has not seen everything yet, or has mail to send."""
    unsent = sa.exists().where(Mail.application == Application.id, Mail.sent_at.is_(None))
    with here.record.reading() as session:
        rows = session.scalars(
            sa.select(Application.id).where(
                Application.id.in_(played),
                Application.stage != Stage.CLOSED,
                sa.or_(
                    Application.parked_revision < Application.revision,
                    Application.stage.in_([Stage.SUBMITTED, Stage.DECIDED]),
                    unsent,
                ),
            )
        )
        return list(rows)


def _settle(here: Workspace, played: Collection[str], stop: threading.Event) -> None:
    """Waits until every run is suspended at its step, or closed."""
    patience = _Patience(here)
    columns = (TextColumn("Runs on their way"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        job = bar.add_task("", total=len(played))
        while (left := _unsettled(here, played)) and not stop.wait(0.3):
            bar.update(job, completed=len(played) - len(left))
            patience.moved_to(len(left), f"{len(left)} runs did not reach their step")


# People -----------------------------------------------------------------------------------------


def _play(here: Workspace, played: Mapping[str, Script], stop: threading.Event) -> None:
    """The people of the National Quality Label, until nobody is awaited but those who leave it waiting."""
    asked: set[str] = set()
    playing = [application for application, script in played.items() if not script.waits]

    def say_of(step: Step) -> dict[str, Any]:
        return _answer_of(here, step, played[step.application], asked)

    while steps := _awaited(here, Application.id.in_(playing)):
        if stop.is_set():
            return
        _answer_all(here, steps, say_of, stop)
        _settle(here, list(played), stop)


def _play_year(here: Workspace, stop: threading.Event) -> Path | None:
    """A year of the European Quality Label: its organisations screen, the CSS awards; where its gallery lies."""
    say(f"The European Quality Label of {EUROPEAN_YEAR}: every organisation's labels are ranked …")
    identifier = begin_cycle(here, EUROPEAN_YEAR)
    of_the_year = Application.label.in_([LabelKind.NOMINATION, LabelKind.EUROPEAN])
    patience = _Patience(here)
    while not stop.is_set():
        with here.record.reading() as session:
            rows = session.execute(sa.select(Application.id, Application.revision).where(of_the_year)).all()
            if session.get_one(Application, identifier).stage is Stage.CLOSED:
                break
        patience.moved_to(rows, "the year does not go on")
        _settle(here, [row.id for row in rows], stop)
        if steps := _awaited(here, of_the_year):
            _answer_all(here, steps, lambda _: {"approve": ["all"]}, stop)
        else:
            stop.wait(0.3)  # the last screening has woken the year's run, which asks the CSS next
    gallery = here.settings.home / "galleries" / str(EUROPEAN_YEAR) / "index.html"
    return gallery if gallery.exists() else None


def _play_round(here: Workspace, stop: threading.Event) -> str | None:
    """A round of the School Label: every school is checked, one of those invited goes on to its certificate."""
    year = begin(here).year
    say(f"The School Label of {year}: every school is checked, and the eligible ones are invited …")
    with prefect_client() as client:
        ask_for(client, DEPLOYMENT, {"on": TODAY.isoformat()})
    patience = _Patience(here)
    while not stop.wait(0.3):
        with here.record.reading() as session:
            over = rounds.round_of(session, year).invited_at is not None
            invited = session.scalars(
                sa.select(Application.id).where(Application.label == LabelKind.SCHOOL)
            ).all()
            if over and not inviting.unstarted(session, year, limit=1):
                break
        patience.moved_to(len(invited), "the round does not go on")
    if stop.is_set():
        return None
    with here.record.reading() as session:
        [chosen] = rounds.results(session, year, SCHOOLS[0])
        if chosen.application is None:
            return None
        edition = rules_of(session, session.get_one(Application, chosen.application))
    _settle(here, invited, stop)
    self_assessment = yaml.safe_load((EXAMPLES / "answers" / "self-assessment.json").read_text("utf-8"))
    files = [EXAMPLES / "evidence" / f"{kind.value}.pdf" for kind in SchoolDocument]

    def say_of(step: Step) -> dict[str, Any]:
        if step.kind is StepKind.SELF_ASSESSMENT:
            return dict(self_assessment)
        if step.kind is StepKind.DECLARATION:
            return {"declare": True}
        points = {pillar.id: pillar.maximum - 1 for pillar in edition.criteria_set.criteria}
        return {"scores": points, "comment": "The whole school stands behind it, and it shows.", "note": ""}

    while steps := _awaited(here, Application.id == chosen.application):
        if stop.is_set():
            return None
        wanted = steps[0].kind is StepKind.SELF_ASSESSMENT
        _answer_all(here, steps, say_of, stop, store_evidence(here, files, edition) if wanted else ())
        _settle(here, [chosen.application], stop)
    say(f"{len(invited)} schools were invited; {SCHOOLS[0]} is the first to hold the label.")
    return chosen.application


def _awaited(here: Workspace, whose: sa.ColumnElement[bool]) -> list[Step]:
    with here.record.reading() as session:
        return [
            step
            for application in session.scalars(sa.select(Application).where(whose))
            for step in open_steps(session, application)
            if step.kind is not StepKind.ASSIGNMENT
        ]


def _answer_all(
    here: Workspace,
    steps: Sequence[Step],
    say_of: Callable[[Step], dict[str, Any]],
    stop: threading.Event,
    documents: Sequence[StoredDocument] = (),
) -> None:
    """Everybody answers with the code from their mail; of several asked for one thing, the first does."""
    mail = MailFolder(here.settings.mail_folder)
    say("One person answers …" if len(steps) == 1 else f"{len(steps)} people answer …")
    for step in steps:
        code = mail.wait_for_code(here.record, step.id, stop)
        if stop.is_set():
            return
        if code is None:
            continue
        given = read_answer(say_of(step))
        with here.record.reading() as session:
            if session.get_one(Step, step.id).state is not StepState.OPEN:
                continue
        act = answering.answer(step.id, given, documents)
        perform(here, act, by=Code(code, step.assignee), door=Door.DEMO)


def _answer_of(here: Workspace, step: Step, script: Script, asked: set[str]) -> dict[str, Any]:
    if step.kind is StepKind.INFORMATION:
        return {"text": script.answer, "links": []}
    if script.question and step.seat == 1 and step.application not in asked:
        asked.add(step.application)
        return {"question": script.question}
    review = script.reviews[min(step.seat, len(script.reviews)) - 1]
    with here.record.reading() as session:
        criteria = rules_of(session, session.get_one(Application, step.application)).criteria_set.criteria
    points = {c.id: min(p, c.maximum) for c, p in zip(criteria, review["points"], strict=False)}
    return {"scores": points, "comment": review["comment"], "note": ""}


# Showing ----------------------------------------------------------------------------------------


def _show(here: Workspace, played: Mapping[str, Script], result: Result, stop: threading.Event) -> None:
    """Where the applications stand, who is awaited, and where to look further."""
    rows: list[tuple[object, ...]] = []
    steps: list[Step] = []
    with here.record.reading() as session:
        for application in session.scalars(
            sa.select(Application)
            .where(Application.id.in_(played))
            .order_by(Application.country, Application.id)
        ):
            state = application.outcome.value if application.outcome else application.stage.value
            rows.append((application.id, application.country, state, played[application.id].tells))
            steps += session.scalars(
                sa.select(Step).where(
                    Step.application == application.id,
                    Step.state == StepState.OPEN,
                    Step.kind.in_([StepKind.REVIEW, StepKind.INFORMATION, StepKind.ASSIGNMENT]),
                )
            )
        papers = _collect_papers(here, session)
    mail = MailFolder(here.settings.mail_folder)
    codes = {step.id: mail.wait_for_code(here.record, step.id, stop) for step in steps}
    awaited = [(step.id, step.application, step.assignee, codes[step.id]) for step in steps if codes[step.id]]
    table("\nApplications", ["application", "country", "stands at", "what it shows"], rows)
    if awaited:
        table(
            "\nWho is awaited, and the code from their mail", ["step", "application", "who", "code"], awaited
        )
    out.print()
    if not result.auto:  # which ends now, and its server too
        _invite(here, steps)
        say(
            f"Prefect's UI      {result.ui_url}/runs   "
            "(a suspended run has a Resume button: its form takes the code)",
            "bold",
        )
    say(f"Mail              {here.settings.mail_folder}")
    say(f"Papers            {here.settings.home / 'papers'}   ({papers} PDFs: certificates and letters)")
    if result.gallery:
        say(f"Gallery           {result.gallery}")
    say("\nTo look further:" if result.auto else "\nIn another terminal, first:")
    say(f"  export LABELS_HOME={here.settings.home} LABELS_TODAY={TODAY}")
    say("then for example:")
    for command in _worth_a_look(result, str(rows[0][0])) if result.auto else _worth_a_try(awaited):
        say(f"  ./run {command}")
    say(f"\n{len(rows)} applications in {result.seconds:.0f} s.")


def _invite(here: Workspace, steps: Sequence[Step]) -> None:
    """The desk's address, who one can be there, and how."""
    desk = here.settings.desk_url
    say(f"The desk          {desk}   (open it in a browser)", "bold green")
    say("Be one of these: type the address in, and find the code on the page of mail.")
    people = {
        "a teacher with a question to answer": next(
            (s.assignee for s in steps if s.kind is StepKind.INFORMATION), ""
        ),
        "a teacher who may apply": A_TEACHER,
        "a reviewer": next((s.assignee for s in steps if s.kind is StepKind.REVIEW), ""),
        "a coordinator": A_COORDINATOR,
    }
    for who, address in people.items():
        if address:
            say(f"  {address:44} {who}")
    say(f"Their mail        {desk}/mail   (in the demo alone)")
    say(f"What they see of Prefect: {here.settings.site_url}/runs   (signed in as at the desk)")


def _worth_a_look(result: Result, application: str) -> list[str]:
    """The commands that show what was played."""
    schools = [f"school-check --round {TODAY.year} --school {name}" for name in SCHOOLS]
    of_the_school = [f"show {result.school}"] if result.school else []
    return [f"show {application}", f"cycle {EUROPEAN_YEAR}", *of_the_school, *schools]


def _worth_a_try(awaited: Sequence[tuple[str, str, str, str | None]]) -> list[str]:
    """The commands by which one of those who are awaited goes on."""
    if not awaited:
        return []
    step, application, who, code = awaited[0]
    return [
        f"show {application}",
        f"inbox --as {who}",
        f"answer {step} --as {who} --code {code} examples/answers/review.json",
    ]


_PAPERS = ("certificate", "letter", "receipt", "invitation")
"""The kinds of document that are made here."""


def _collect_papers(here: Workspace, session: Any) -> int:
    """Copies of the certificates and letters under names that one can read, beside the store."""
    folder = here.settings.home / "papers"
    folder.mkdir(exist_ok=True)
    count = 0
    for document in session.scalars(sa.select(Document).where(Document.kind.in_(_PAPERS))):
        (folder / document.name).write_bytes(here.documents.get(document.key))
        count += 1
    return count
