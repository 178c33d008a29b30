"""A rehearsal: a year of an organisation played on a copy, once for each number of reviewers and for each date.

All of it is in one folder. What plays it has settings of its own, in which there is no mail server, no bucket, no
time-stamp service and no database but the copy's; nobody in the copy is real.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import random
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from adapters.files import place
from adapters.mail.transports import FolderTransport
from adapters.papers.rehearsals import render_rehearsal
from adapters.record_copies import copy_record
from adapters.workspace import Workspace, open_workspace
from labels.clock import BRUSSELS, brussels_day, in_words
from labels.errors import Fault, InvalidInput, LabelsError, OutOfReach
from labels.papers.issued import DuePaper
from labels.people.staff import known_organisation
from labels.record.schema import Application, Decision, Document, Organisation
from labels.settings import Settings
from labels.views.rehearsal import DAY, Course, Played, Rehearsal, played
from labels.views.sheet import Sheet, as_csv
from usecases.rehearsing import copying, planning
from usecases.rehearsing.engine import Box, InProcess, Uncounted
from usecases.rehearsing.people import People, Workload
from usecases.rehearsing.playing import SettableClock, Year

SUBJECT = "rehearse"
INCOMPLETE = "INCOMPLETE.txt"
"""Lies in the folder until the rehearsal is over."""
REPORT, PAGE = "report.json", "report.html"
SAMPLE = 20
"""Mails of each kind that are kept to be looked at."""
RENDERED = 3
"""Papers of each kind that are really made; the others are counted."""
MOST_PLAYED = 12
"""Years of one rehearsal."""
MOST_REVIEWERS = 5_000
LEAST_A_WEEK, MOST_A_WEEK = 0.1, 100.0
"""Reviews of one reviewer in a week."""
_LEAST_FREE = 64 * 1024 * 1024
"""Bytes of the disk that stay free for the real record."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be played."""

    organisation: str = ""
    """Whose; empty for all."""
    reviewers: tuple[int, ...] = ()
    """Numbers to be compared; none: as many as there are."""
    last_days: tuple[date, ...] = ()
    """Last days of applications to be compared; none: as the rules say."""
    rules: Path | None = None
    """A folder of rules instead of those in force."""
    factor: float = 1.0
    """Share of a year's applications; reviewers then have that share of their time."""
    applications: int | None = None
    """In a whole year; None: as many as in the year until now."""
    a_week: float = 4.0
    """Reviews that a reviewer manages in a week."""
    seed: int = 1
    keeps: bool = False
    """Whether each year's record and documents stay, to be looked at with other commands."""


Told = Callable[[str], None]


class _Mailbox(Box):
    """Takes every message and sends none: the first of each kind become files."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = FolderTransport(folder)
        self._kinds: Counter[str] = Counter()

    def send(self, message: EmailMessage) -> None:
        super().send(message)
        kind = str(message["Keywords"]).partition(",")[0]
        self._kinds[kind] += 1
        if self._kinds[kind] <= SAMPLE:
            self._folder.send(message)


def rehearse(here: Workspace, folder: Path, wishes: Wishes, told: Told = lambda line: None) -> Rehearsal:
    """Plays what is wished for in a new folder, and leaves a report, mails and papers in it.

    Where it does not come to its end, the folder is removed again. The real record is only read, and only to begin with.

    Raises:
        InvalidInput: the folder has something in it, or what is wished for can't be played.
        NotFound: there is no such organisation.
        OutOfReach: the record does not answer, or the disk is full.
    """
    folder = folder.expanduser().absolute()
    _check(wishes)
    made = _begin(folder)
    try:
        with _disk(folder):
            done = _rehearse(here, folder, wishes, told)
            place(folder / PAGE, render_rehearsal(done))
            place(folder / REPORT, (done.model_dump_json(indent=1) + "\n").encode())
            (folder / INCOMPLETE).unlink()
    except BaseException:
        _remove(folder, itself=made)
        raise
    return done


def _check(wishes: Wishes) -> None:
    faults = []
    if not wishes.organisation:
        given = {
            "--reviewers": wishes.reviewers,
            "--deadline": wishes.last_days,
            "--applications": wishes.applications,
        }
        faults += [
            Fault(name, "goes with one organisation.", "Name it with --organisation.")
            for name, value in given.items()
            if value
        ]
    faults += [
        Fault("--reviewers", f"has {number}; expected 1 to {MOST_REVIEWERS}.")
        for number in wishes.reviewers
        if not 1 <= number <= MOST_REVIEWERS
    ]
    years = max(len(wishes.reviewers), 1) * max(len(wishes.last_days), 1)
    if years > MOST_PLAYED:
        faults.append(
            Fault(
                "--reviewers",
                f"and --deadline make {years} years side by side; expected at most {MOST_PLAYED}.",
            )
        )
    if not 0 < wishes.factor <= 1:
        faults.append(Fault("--factor", f"is {wishes.factor:g}; expected more than 0, and 1 at most."))
    if not LEAST_A_WEEK <= wishes.a_week <= MOST_A_WEEK:
        faults.append(
            Fault("--a-week", f"is {wishes.a_week:g}; expected {LEAST_A_WEEK:g} to {MOST_A_WEEK:g} reviews.")
        )
    if faults:
        raise InvalidInput(SUBJECT, faults)


def _check_days(days: tuple[date, ...], first: date) -> None:
    last = first + timedelta(days=365)
    if faults := [
        Fault("--deadline", f"has {day}; expected a day from {first + timedelta(days=1)} to {last}.")
        for day in days
        if not first < day <= last
    ]:
        raise InvalidInput(SUBJECT, faults)


def _begin(folder: Path) -> bool:
    """Makes the folder, and a sign in it that says it is not whole; whether there was none before."""
    try:
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            problem = "has something in it, which a rehearsal leaves alone."
            raise InvalidInput(SUBJECT, [Fault(str(folder), problem, "Name a new folder.")])
        folder.chmod(0o700)
        place(folder / INCOMPLETE, b"This rehearsal is under way, or was broken off. It can be removed.\n")
    except OSError as error:
        raise InvalidInput(SUBJECT, [Fault(str(folder), f"can't be written: {error.strerror}.")]) from None
    return made


def _remove(folder: Path, *, itself: bool) -> None:
    if itself:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for one in folder.iterdir():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one, ignore_errors=True)
        else:
            one.unlink(missing_ok=True)


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """Words what a disk says that is full."""
    full = OutOfReach(
        "The rehearsal's folder",
        f"there is no room left for {folder}.",
        "It was removed; the record is as it was.",
    )
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise full from error
        raise OutOfReach("The rehearsal's folder", f"{folder}: {error.strerror}.") from error
    except (LabelsError, sa.exc.DBAPIError) as error:
        if _says_full(error) or _is_full(folder):
            raise full from error
        raise


def _says_full(error: BaseException) -> bool:
    said = str(error) + str(error.__cause__ or "")
    return any(
        one in said
        for one in ("disk is full", "disk I/O error", os.strerror(errno.ENOSPC), os.strerror(errno.EFBIG))
    )


def _is_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < 4096


def _rehearse(here: Workspace, folder: Path, wishes: Wishes, told: Told) -> Rehearsal:
    now = here.now()
    begins = datetime.combine(brussels_day(now), datetime.min.time(), BRUSSELS)
    _check_days(wishes.last_days, brussels_day(now))
    rules = wishes.rules.absolute() if wishes.rules else here.settings.rules
    branding, heard = here.settings.branding, here.record
    base = open_workspace(settings_of(folder / "registry", rules, branding))
    with heard.reading() as source, base.record.writing() as target:
        if wishes.organisation:
            own = known_organisation(source, wishes.organisation)
            if own.kind == "CSS":
                raise InvalidInput(
                    SUBJECT, [Fault("--organisation", "is the CSS's: leave it out to play all.")]
                )
            whose, name = [own.id], own.name
        else:
            whose, name = planning.national_organisations(source), ""
        numbers = _numbers(copying.applied_since(source, now - timedelta(days=365), whose), whose, wishes)
        told(
            f"The registry of {', '.join(whose) if len(whose) < 4 else f'{len(whose)} organisations'} is copied."
        )
        copied = copying.copy_registry(source, target, whose)
        central = target.get(Organisation, copying.CENTRAL) is not None
    told(
        f"{copied.teachers:,} teachers in {copied.schools:,} schools, none of them real, and {sum(numbers.values()):,} applications."
    )
    years: list[Played] = []
    with _apart(base.settings):
        for number in wishes.reviewers or (None,):
            for day in wishes.last_days or (None,):
                one = _Variant(len(years) + 1, number, day)
                years.append(_play(base, folder, one, wishes, numbers, begins, central=central, told=told))
    base.record.engine.dispose()
    shutil.rmtree(folder / "registry")
    return Rehearsal(
        organisation=wishes.organisation, name=name, made_at=now, begins=brussels_day(begins),
        ends=brussels_day(begins) + timedelta(days=365), factor=wishes.factor, a_week=wishes.a_week, seed=wishes.seed,
        schools=copied.schools, teachers=copied.teachers, played=years,
    )  # fmt: skip


def _numbers(applied: dict[str, int], whose: list[str], wishes: Wishes) -> dict[str, int]:
    """How many applications are played, by organisation."""
    whole = {whose[0]: wishes.applications} if wishes.applications else applied
    numbers = {one: max(1, round(number * wishes.factor)) for one, number in whole.items() if number}
    if not numbers:
        problem = "nobody applied in the last twelve months, so that there is no year to go by."
        remedy = "Say with --organisation and --applications how many are to be played."
        raise InvalidInput(SUBJECT, [Fault("--applications", problem, remedy)])
    return numbers


def settings_of(home: Path, rules: Path | None, branding: Path | None) -> Settings:
    """The settings of a rehearsal: a folder and nothing else, whatever the environment says."""
    nothing = {
        name: one.get_default(call_default_factory=True) for name, one in Settings.model_fields.items()
    }
    own = {
        "home": home,
        "secret": secrets.token_urlsafe(32),
        "public_url": f"https://{copying.NOWHERE}",
        "site_url": f"https://{copying.NOWHERE}",
        "mail_sender": f"Rehearsal <rehearsal@{copying.NOWHERE}>",
        "webhooks": "off",
        "rules": rules,
        "branding": branding,
    }
    return Settings(_env_file=None, **nothing | own)


@contextlib.contextmanager
def _apart(settings: Settings) -> Iterator[None]:
    """What asks the environment meanwhile finds the rehearsal's settings, not those of the installation."""
    own = {name: value for name, value in os.environ.items() if name.upper().startswith("LABELS_")}
    for name in own:
        del os.environ[name]
    os.environ.update(settings.exported())
    try:
        yield
    finally:
        for name in settings.exported():
            os.environ.pop(name, None)
        os.environ.update(own)


# One year ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Variant:
    """One of the years side by side."""

    number: int
    reviewers: int | None
    last_day: date | None

    @property
    def folder(self) -> str:
        """`2-10-reviewers-2027-05-31`."""
        parts = [str(self.number)]
        parts += [f"{self.reviewers}-reviewers"] if self.reviewers else []
        parts += [str(self.last_day)] if self.last_day else []
        return "-".join(parts) if len(parts) > 1 else f"{self.number}-as-it-is"


def _play(
    base: Workspace,
    folder: Path,
    variant: _Variant,
    wishes: Wishes,
    numbers: dict[str, int],
    begins: datetime,
    *,
    central: bool,
    told: Told,
) -> Played:
    began = time.monotonic()
    within = folder / variant.folder
    home = within / "home"
    home.mkdir(parents=True, mode=0o700)
    rules = base.settings.rules
    if variant.last_day:
        moved = planning.with_last_day(within / "rules", rules, wishes.organisation, variant.last_day, begins)
        rules = moved or rules
    copy_record(base.record.engine, home / "record.db")
    opened = open_workspace(settings_of(home, rules, base.settings.branding))
    _without_waiting_for_the_disk(opened.record.engine)
    season = planning.season_from(begins, variant.last_day, rules, central=central)
    clock = SettableClock(season.begins)
    here = Workspace(opened.settings, opened.record, opened.documents, opened.key, clock)
    with here.record.writing() as session:
        if variant.reviewers:
            copying.set_reviewers(session, wishes.organisation, variant.reviewers)
        planned = planning.plan(session, numbers, season, rules, random.Random(f"{wishes.seed} year"))
    papers: list[DuePaper] = []
    year = _year(here, clock, within, wishes, papers, _progress(folder, variant, wishes, told))
    year.play(planned, season)
    course = Course(len(year.nobody_left), year.late_refusals, year.refused, time.monotonic() - began)
    with here.record.reading() as session:
        last_day = planning.last_day_of(season, wishes.organisation, rules)
        done = played(session, variant.folder, last_day, here.now(), wishes.factor, course)
        _write_cases(within / "cases.csv", session, done)
        _write_papers(within / "papers", here, session, papers)
    here.record.engine.dispose()
    if not wishes.keeps:
        shutil.rmtree(home)
    return done


def _without_waiting_for_the_disk(engine: sa.Engine) -> None:
    """What is lost when the machine stops is only played."""
    engine.dispose()

    @sa.event.listens_for(engine, "connect")
    def hurry(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")


def _year(
    here: Workspace, clock: SettableClock, within: Path, wishes: Wishes, papers: list[DuePaper], told: Told
) -> Year:
    kinds: Counter[str] = Counter()

    def is_rendered(paper: DuePaper) -> bool:
        kinds[paper.kind] += 1
        if kinds[paper.kind] <= RENDERED:
            papers.append(paper)
        return kinds[paper.kind] <= RENDERED

    # Of a share of the applications, reviewers have that share of their time.
    people = People(wishes.seed, Workload(wishes.a_week * wishes.factor))
    engine = InProcess(here, is_rendered, Uncounted(), _Mailbox(within / "mail"))
    return Year(here, clock, engine, people, Uncounted().part, told)


def _progress(folder: Path, variant: _Variant, wishes: Wishes, told: Told) -> Told:
    of = max(len(wishes.reviewers), 1) * max(len(wishes.last_days), 1)

    def tell(line: str) -> None:
        if shutil.disk_usage(folder).free < _LEAST_FREE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        told(f"Year {variant.number} of {of}, {line}" if of > 1 else line)

    return tell


# What there is to look at -----------------------------------------------------------------------


def _write_cases(path: Path, session: sa.orm.Session, done: Played) -> None:
    """Every case of the year as a list that a spreadsheet program opens."""
    rows = session.execute(
        sa.select(
            Application.id, Application.label, Application.organisation, Application.round, Application.submitted_at,
            Application.decide_by, Decision.decided_at, Application.stage, Application.outcome, Decision.score,
        )
        .outerjoin(
            Decision, sa.and_(Decision.application == Application.id, Decision.instance == Application.instance)
        )
        .order_by(Application.submitted_at, Application.id)
    ).all()  # fmt: skip
    sheet = Sheet(
        f"eTwinning labels · rehearsal {done.name} · {in_words(done.ended_at)}",
        (
            "application", "label", "organisation", "round", "submitted_at", "decide_by", "decided_at", "stage", "outcome",
            "score", "days_late",
        ),
        (
            [
                row.id, row.label.value, row.organisation, row.round, row.submitted_at, row.decide_by, row.decided_at,
                row.stage.value, row.outcome.value if row.outcome else None, row.score, _days_late(row.decide_by, row.decided_at or done.ended_at),
            ]
            for row in rows
        ),
    )  # fmt: skip
    place(path, as_csv(sheet))


def _days_late(decide_by: datetime | None, end: datetime) -> int | None:
    return math.ceil((end - decide_by) / DAY) if decide_by and end > decide_by else None


def _write_papers(folder: Path, here: Workspace, session: sa.orm.Session, papers: list[DuePaper]) -> None:
    """The papers that were made."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for paper in papers:
        key = session.scalar(sa.select(Document.key).where(Document.paper == paper.paper).limit(1))
        if key is not None:
            place(folder / f"{paper.kind.value} {Path(paper.name).name}", here.documents.get(key))
