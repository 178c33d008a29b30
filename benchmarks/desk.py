"""The desk with a full record: what its pages take for twenty people at once, and the last day's rush.

Run it with `.venv/bin/python -m benchmarks.desk`. It fills a record with `--applications` applications that wait for
`--reviewers` reviewers, starts the desk as `labels up` does, and lets `--people` people, each with a session of
their own, open and send pages for `--seconds`, a request a second each. In turn with them, so that both have the same machine, as
many people open a Starlette page that only reads one row of the same record, dressed as the desk's pages are. Then a coordinator of
all these applications opens each of their pages, in turn with that page, too. At last one person opens and sends each page alone,
`ALONE` times, for what the processor has to do: that says the same on a busy machine.

The page of one row is there twice. *Dressed*, it reads the session that its cookie names, and the row, and makes of it a page with the
desk's frame, by Jinja2, with the desk's headers. *Bare*, it reads no cookie, and its HTML is one line. Both are served by uvicorn with
uvloop and httptools, as the desk is. *x* is always to the dressed one.

`--rush N` is another run: so many teachers hand in an application with five megabytes each, as fast as the desk takes
them, and after them as many again, whom a desk that keeps nothing has room for without more memory.

Prefect is away meanwhile: the desk records, and runs would be woken later.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pikepdf
import sqlalchemy as sa
from sqlalchemy.orm import Session

from adapters.workspace import Workspace, open_workspace
from benchmarks.processor import PAGE, descendants, processor
from cli.services import free_port
from labels.people.persons import batches
from labels.record.schema import Application, Base, Member, Person, Project, Staff, Stage, Step, Teacher
from labels.reviews import asking
from labels.sessions import session as sessions
from labels.sessions.signing_in import MAIL_CODE
from labels.settings import PROJECT, Settings
from tests.support.people import CRITERIA, TODAY, application_file, populate
from usecases.applying import submit_file

WORDS = "Uczniowie badali rzeki swoich regionów i porównywali wyniki z partnerami w mieszanych zespołach. "
BATCH = 2_000
VISITS = 20
"""Teachers who come one after the other in the place of each."""
MIB = 2**20
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

ALONE = 60
"""How often one person opens each page, for the processor's time."""

ONE_ROW = """
import gc
import sys
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route
from adapters.languages.desk import languages, own_name
from adapters.workspace import open_workspace
from desk.frame import assets_version
from desk.headers import WithHeaders
from desk.templating import environment
from labels.record.schema import Application, SignIn
from labels.sessions.codes import token_hash
from labels.settings import load_settings
here = open_workspace(load_settings())
english = environment("en")
others = [(own_name(one), one, f"/language/{one}?back=/") for one in languages() if one != "en"]
template = english.from_string('''{% extends "layout.html.j2" %}{% set title = row.id %}
{% block main %}<p>{{ row.stage }}</p>{% endblock %}''')
def bare(request):
    with here.record.reading() as session:
        row = session.get(Application, request.query_params["id"])
        return HTMLResponse(f"<!doctype html><title>{row.id}</title><p>{row.stage}</p>")
def dressed(request):
    with here.record.reading() as session:
        known = session.get(SignIn, token_hash(request.cookies["session"]))
        row = session.get(Application, request.query_params["id"])
        places = [("My reviews", "/reviews", True), ("My statistics", "/reviews/statistics", False)]
        values = {"languages": others, "root": f"/assets/{assets_version()}/", "path": "/", "places": places,
                  "account": {"name": known.address, "school": ""}, "mail_shown": False, "form_token": ""}
        return HTMLResponse(template.render(values | {"row": row}))
routes = [Route("/", bare), Route("/dressed", dressed, middleware=[Middleware(WithHeaders, secure=False)])]
gc.collect()
gc.freeze()
gc.set_threshold(10_000)
uvicorn.run(Starlette(routes=routes), port=int(sys.argv[1]), log_level="warning", access_log=False)
"""
"""A page that only reads one row, bare and as the desk's own pages are."""


# The record -----------------------------------------------------------------------------------------


class Copies:
    """Rows of one teacher's case, copied under other names as often as it takes."""

    def __init__(self, session: Session, template: Mapping[str, str]) -> None:
        self.session, self.template = session, template
        own = {value for name, value in template.items() if name not in ("one", "other")}
        self.rows = [
            (table, dict(row))
            for table in (one.__table__ for one in (Person, Teacher, Project, Member, Application, Step))
            for row in session.execute(sa.select(table)).mappings()
            if isinstance(table, sa.Table)
            and set(map(str, row.values())) & own
            and (table.name != "step" or row["id"] in own)  # the right to withdraw is not looked at
        ]
        documents = Base.metadata.tables["document"]
        self.rows += [
            (documents, {name: value for name, value in row.items() if name != "id"})
            for row in session.execute(sa.select(documents)).mappings()
        ]

    def make(self, others: Iterator[Mapping[str, str]], *, only: Sequence[str] = ()) -> None:
        """Copies the rows (of some tables `only`) once for each set of names."""
        while part := list(itertools.islice(others, BATCH)):
            for table, row in self.rows:
                if only and table.name not in only:
                    continue
                self.session.execute(sa.insert(table), [self._renamed(row, names) for names in part])

    def _renamed(self, row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
        new = {self.template[key]: value for key, value in names.items()}
        return {
            name: new.get(value, value) if isinstance(value, str) else value for name, value in row.items()
        }


def _number(prefix: str, n: int) -> str:
    letters = ""
    for _ in range(10):
        n, digit = divmod(n, 32)
        letters = _DIGITS[digit] + letters
    return f"{prefix}-{letters}"


def fill(here: Workspace, applications: int, reviewers: int, applicants: int) -> None:
    """Applications that wait for two reviewers each, and `applicants` teachers who have not applied yet."""
    with here.record.writing() as session:
        populate(session, reviewers=reviewers)
        for row in (
            Teacher(
                id="TX", name="Nauczycielka X", email="tx@school.example", school="S-1",
                registered_on=TODAY, language="pl",
            ),
            Project(id="PX", title="Mosty X", started_on=TODAY - timedelta(days=200), ended_on=TODAY),
        ):  # fmt: skip
            session.add(row)
        session.flush()
        for teacher in ("TX", "T-2"):
            session.add(Member(project="PX", teacher=teacher, role="founder", joined_on=TODAY))
    known = submit_file(here, application_file(teacher="TX", project="PX"), "file", []).application
    with here.record.writing() as session:
        steps = sorted(step.id for step in asking.ask(here.turn(session), known))
    with here.record.writing() as session:
        reviewing = session.scalars(sa.select(Staff).where(Staff.role == "reviewer"))
        people = sorted(one.person for one in reviewing)
        assigned = [session.get_one(Step, step).person for step in steps]
        applicant = session.get_one(Teacher, "TX")
        template = {
            "person": applicant.person, "address": "tx@school.example", "teacher": "TX", "project": "PX",
            "application": known, "first": steps[0], "second": steps[1],
            "one": assigned[0], "other": assigned[1],
        }  # fmt: skip
        copies = Copies(session, template)

        def named(n: int) -> dict[str, str]:
            pair = [people[(2 * n + seat) % len(people)] for seat in (0, 1)]
            return {
                "person": f"PX-{n}", "address": f"tx-{n}@school.example", "teacher": f"TX-{n}",
                "project": f"PX-{n}", "application": _number("NQL", n), "first": _number("STEP", 2 * n),
                "second": _number("STEP", 2 * n + 1), "one": pair[0], "other": pair[1],
            }  # fmt: skip

        copies.make(map(named, range(applications)))
        free = ("person", "teacher", "project", "member")
        copies.make(map(named, range(applications, applications + applicants)), only=free)


def with_folders(store: Path) -> None:
    """Makes the folders that a store of so many documents has: one of one document has one, and makes one for nearly each more."""
    [made] = store.glob("*/??")
    for n in range(256):
        (made.parent / f"{n:02x}").mkdir(mode=0o700, exist_ok=True)


def as_in_spring(here: Workspace) -> None:
    """Applications have arrived over half a year: some are late, lack a reviewer, wait for an answer, or for a third."""
    with here.record.writing() as session:
        numbers = session.scalars(sa.select(Application.id).order_by(Application.id)).all()
        now, tables = here.now(), (Application.__table__, Step.__table__)
        application, step = (table for table in tables if isinstance(table, sa.Table))
        arrived = sa.update(application).where(application.c.id == sa.bindparam("key"))
        dated = [
            {
                "key": one,
                "submitted_at": now - timedelta(days=n % 160),
                "decide_by": now + timedelta(days=40 - n % 45),
                "stage": _stage(n),
            }
            for n, one in enumerate(numbers)
        ]
        session.execute(arrived, dated)
        every: dict[int, dict[str, Any]] = {
            20: {"due_at": now - timedelta(days=6)},
            30: {"seat": sa.case((step.c.number == 2, 3), else_=step.c.seat)},
        }
        for part, values in every.items():
            chosen = [one for n, one in enumerate(numbers) if n % part == 1]
            for some in batches(chosen, BATCH):
                session.execute(sa.update(step).where(step.c.application.in_(some)).values(values))


def _stage(n: int) -> Stage:
    if n % 100 == 3:
        return Stage.ASSIGNMENT
    return Stage.INFORMATION if n % 60 == 7 else Stage.REVIEW


def sessions_of(here: Workspace, addresses: Sequence[str]) -> list[str]:
    """A session's token for each person."""
    with here.record.writing() as session:
        tokens = [sessions.begin(here.turn(session), address, MAIL_CODE) for address in addresses]
    return [token for token in tokens if token]


# People ---------------------------------------------------------------------------------------------


class Browser:
    """One person's browser, which says how long each answer took."""

    def __init__(self, address: str, token: str, times: dict[str, list[float]]) -> None:
        self.client = httpx.Client(
            base_url=address,
            timeout=120,
            cookies={"session": token},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        self.times = times

    def get(self, what: str, path: str) -> httpx.Response:
        """Opens a page."""
        return self._timed(what, lambda: self.client.get(path))

    def post(self, what: str, path: str, fields: Mapping[str, Any], **more: Any) -> httpx.Response:
        """Sends a form."""
        return self._timed(what, lambda: self.client.post(path, data=dict(fields), **more))

    def _timed(self, what: str, ask: Callable[[], httpx.Response]) -> httpx.Response:
        for _ in range(100):
            began = time.perf_counter()
            answer = ask()
            if answer.status_code != 503:
                break
            time.sleep(0.5)  # busy: a browser's person tries again
        assert answer.status_code in (200, 303), (what, answer.status_code, answer.text[:500])
        self.times[what].append((time.perf_counter() - began) * 1000)
        return answer


def form_of(page: httpx.Response) -> dict[str, str]:
    """What every form of a page carries, and the version of its draft."""
    found = dict(re.findall(r'name="(form_token|version)" value="([^"]*)"', page.text))
    assert "form_token" in found, page.text[:300]
    return found


def filled(carried: Mapping[str, str]) -> dict[str, str]:
    """A form with everything in it."""
    text = WORDS * 8
    ticked = ("shared_plan", "finished", "contributed", "collaborative", "safe")
    return {
        **carried,
        **{f"precondition.{name}": "on" for name in ticked},
        "description": WORDS,
        "links": "https://twinspace.example/42",
        "pupils": "24",
        "average_age": "13",
        **{f"sections.{name}": text for name in CRITERIA},
    }


def teacher_at_work(
    visits: Iterator[tuple[Browser, str]], pause: Callable[[], Iterator[None]]
) -> Iterator[None]:
    """One teacher after the other opens the list and the form, saves it a few times, checks it and hands it in."""
    yield from pause()  # nobody begins at the same instant
    for browser, project in visits:
        path = f"/projects/{project}/apply"
        browser.get("list of projects", "/projects")
        yield from pause()
        carried = form_of(browser.get("form", path))
        for _ in range(3):
            yield from pause()
            saved = browser.post("save a draft", path, filled(carried) | {"draft": "1"}).json()
            carried["version"] = str(saved["version"])
        yield from pause()
        checked = browser.get("check the answers", path.replace("/apply", "/check"))
        yield from pause()
        done = browser.post("hand in", path.replace("/apply", "/check"), form_of(checked) | {"true": "on"})
        assert done.headers["location"].startswith("/applications/"), done.headers
        yield from pause()
        browser.get("page of the application", done.headers["location"])
        yield from pause()


def without_conflict(browser: Browser) -> Browser:
    """A reviewer who has said of the first cases of their list that there is no conflict of interest."""
    page = browser.get("list of reviews", "/reviews")
    for case in _cases(page)[:10]:
        asked = form_of(browser.get("question of a conflict", case))
        browser.post("no conflict", f"{case}/conflict", asked | {"conflict": "no"})
    return browser


def _cases(page: httpx.Response) -> list[str]:
    found = re.findall(r'href="(/reviews/STEP-[^"/?#]+)"', page.text)
    assert found, "the list is empty"
    return list(dict.fromkeys(found))


def reviewer_at_work(browser: Browser, pause: Callable[[], Iterator[None]]) -> Iterator[None]:
    """A reviewer opens the list, and one case after the other."""
    yield from pause()
    while True:
        for case in _cases(browser.get("list of reviews", "/reviews"))[:10]:
            yield from pause()
            browser.get("case and review", case)


# Servers --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def served(command: Sequence[str], settings: Settings, address: str) -> Iterator[int]:
    """A server of its own, until the end of the block; its process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LABELS_")}
    process = subprocess.Popen(
        [sys.executable, *command], env=environment | settings.exported() | {"PYTHONPATH": str(PROJECT)}
    )
    try:
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                httpx.get(address, timeout=5)
                break
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def together(works: Sequence[Iterator[None]], seconds: float) -> None:
    """Lets all of them work for so long, each in a thread."""
    until = time.monotonic() + seconds
    faults: list[BaseException] = []

    def work(one: Iterator[None]) -> None:
        try:
            for _ in one:
                if time.monotonic() > until or faults:
                    break
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for fault in faults:
        raise fault


def memory(pid: int) -> float:
    """Megabytes that a process and all below it have."""
    pages = 0
    for one in descendants(pid):
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
    return pages * PAGE / MIB


# The two runs ---------------------------------------------------------------------------------------


ROUNDS = 4
"""Turns of those who use the desk and those who read one row."""
TIMES = 40
"""How often a coordinator opens each page."""
COORDINATOR = "coordinator@nss.example"
MOST_MS = 100.0
MOST_TIMES = 3.0
"""Of the dressed page of one row, for those that are opened most."""
MEASURED = ("list of reviews", "case and review", "save a draft", "hand in")
DRESSED, BARE = "one row, dressed", "one row, bare"


@dataclass(frozen=True)
class OneRow:
    """The page that only reads one row, in a process of its own, and how long its answers took."""

    address: str
    pid: int
    token: str
    luck: random.Random
    rows: int
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def browser(self) -> Browser:
        """Somebody who opens it."""
        return Browser(self.address, self.token, self.times)

    def opened_by(self, browser: Browser, what: str = DRESSED) -> None:
        """Reads any row."""
        row = _number("NQL", self.luck.randrange(self.rows))
        browser.get(what, f"{'/dressed' if what == DRESSED else '/'}?id={row}")

    def readers(self, count: int, pause: Callable[[], Iterator[None]]) -> list[Iterator[None]]:
        """So many people who do nothing else."""

        def read() -> Iterator[None]:
            browser = self.browser()
            while True:
                yield from pause()
                self.opened_by(browser)

        return [read() for _ in range(count)]


@contextlib.contextmanager
def one_row(here: Workspace, token: str, luck: random.Random, rows: int) -> Iterator[OneRow]:
    """Serves that page."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with served(["-c", ONE_ROW, str(port)], here.settings, f"{address}/?id={_number('NQL', 0)}") as pid:
        yield OneRow(address, pid, token, luck, rows)


def twenty_at_once(here: Workspace, address: str, pid: int, arguments: argparse.Namespace) -> None:
    """Half of the people are teachers, half reviewers; then a coordinator."""
    count, teachers = arguments.people, arguments.people // 2
    times: dict[str, list[float]] = defaultdict(list)
    luck = random.Random(arguments.seed)
    first = arguments.applications
    visits = teachers * VISITS + 1
    own = [f"tx-{first + n}@school.example" for n in range(visits + ALONE)]
    as_in_spring(here)
    with here.record.reading() as session:
        staff = session.scalars(
            sa.select(Staff.email)
            .where(Staff.role == "reviewer")
            .order_by(Staff.email)
            .limit(count - teachers)
        ).all()
    tokens = sessions_of(here, own)
    *of_staff, coordinator = sessions_of(here, [*staff, COORDINATOR])

    def pause() -> Iterator[None]:
        time.sleep(luck.uniform(0.5, 1.5))
        yield

    def of_teacher(n: int, kept: dict[str, list[float]]) -> tuple[Browser, str]:
        return Browser(address, tokens[n], kept), f"PX-{first + n}"

    cold: dict[str, list[float]] = defaultdict(list)  # every page once, so that all is loaded
    reviewers = [without_conflict(Browser(address, token, cold)) for token in of_staff]
    together([teacher_at_work(iter([of_teacher(visits - 1, cold)]), pause)], 60)
    together([reviewer_at_work(reviewers[0], pause)], 5)
    works = [
        teacher_at_work((of_teacher(n, times) for n in range(mine, visits - 1, teachers)), pause)
        for mine in range(teachers)
    ]
    works += [reviewer_at_work(Browser(address, token, times), pause) for token in of_staff]
    with one_row(here, of_staff[0], luck, first) as plain:
        readers = plain.readers(count, pause)
        together(readers, 3)
        plain.times.clear()
        for _ in range(ROUNDS):
            for some in (works, readers):
                together(some, arguments.seconds / ROUNDS)
        print(f"\n{count} people at once, {sum(map(len, times.values()))} requests\n")
        table(times, plain.times)
        of_coordinator = each_page(Browser(address, coordinator, defaultdict(list)), plain)
        print(f"\na coordinator of {first:,} applications, each page {TIMES} times\n")
        table(of_coordinator, plain.times)
        last = [of_teacher(n, cold) for n in range(visits, visits + ALONE)]
        print(f"\nthe processor's time, each page {ALONE} times\n")
        by_processor(alone(pid, plain, reviewers[0], last))
    print(f"\n{memory(pid):.0f} MB")


def alone(
    pid: int, plain: OneRow, reviewer: Browser, teachers: Sequence[tuple[Browser, str]]
) -> dict[str, float]:
    """Milliseconds of the processor for each page, what follows an answer included."""
    cases = itertools.cycle(_cases(reviewer.get("", "/reviews"))[:10])
    reader = plain.browser()
    drafts = {
        project: form_of(browser.get("", f"/projects/{project}/apply")) for browser, project in teachers
    }
    checked: dict[str, dict[str, str]] = {}

    def save(browser: Browser, project: str) -> None:
        browser.post("", f"/projects/{project}/apply", filled(drafts[project]) | {"draft": "1"})

    def check(browser: Browser, project: str) -> None:
        checked[project] = form_of(browser.get("", f"/projects/{project}/check"))

    def hand_in(browser: Browser, project: str) -> None:
        browser.post("", f"/projects/{project}/check", checked[project] | {"true": "on"})

    def each(what: Callable[[Browser, str], None]) -> Callable[[], None]:
        waiting = iter(teachers)
        return lambda: what(*next(waiting))

    pages: dict[str, tuple[int, Callable[[], object]]] = {
        BARE: (plain.pid, lambda: plain.opened_by(reader, BARE)),
        DRESSED: (plain.pid, lambda: plain.opened_by(reader)),
        "list of reviews": (pid, lambda: reviewer.get("", "/reviews")),
        "case and review": (pid, lambda: reviewer.get("", next(cases))),
        "list of projects": (pid, each(lambda browser, _: _open(browser, "/projects"))),
        "form": (pid, each(lambda browser, project: _open(browser, f"/projects/{project}/apply"))),
        "save a draft": (pid, each(save)),
        "check the answers": (pid, each(check)),
        "hand in": (pid, each(hand_in)),
    }
    found = {}
    for what, (process, do) in pages.items():
        before = processor(process)
        for _ in range(ALONE):
            do()
        if what == "hand in":
            time.sleep(2)  # its run starts after the answer
        found[what] = (processor(process) - before) / ALONE * 1000
    return found


def _open(browser: Browser, path: str) -> None:
    browser.get("", path)


def by_processor(spent: Mapping[str, float]) -> None:
    """What each page takes of the processor, and how many times the page of one row."""
    print(f"{'':24}{'ms':>12}{'x bare':>10}{'x':>8}")
    for what, value in spent.items():
        times = value / spent[DRESSED]
        missed = "  MISSED" if what in MEASURED and times > MOST_TIMES else ""
        print(f"{what:24}{value:>12.1f}{value / spent[BARE]:>10.1f}{times:>8.1f}{missed}")


def each_page(browser: Browser, plain: OneRow) -> dict[str, list[float]]:
    """A coordinator opens each of their pages, in turn with the page of one row."""
    case = re.findall(r'href="(/cases/NQL-[^"?/]+)"', browser.get("", "/cases?part=open").text)[0]
    filled_in = form_of(browser.get("", "/cases/many?act=remind&urgent=late"))
    filled_in |= {"act": "remind", "urgent": "late", "reason": "It is the last week.", "kind": "review"}
    plan = browser.post("", "/cases/many", filled_in).headers["location"]
    pages = {
        "overview": "/overview",
        "list": "/cases",
        "list: late": "/cases?urgent=late&order=due",
        "list: disagreement": "/cases?urgent=disagreement",
        "list: open, by day": "/cases?part=open&order=due",
        "find": "/find?q=nauczyciel",
        "case": case,
        "statistics": "/statistics",
        "many: what": "/cases/many?act=reassign",
        "many: plan": plan,
        "rules": "/rules",
        "staff": "/staff",
        "rehearsals": "/rehearsals",
    }
    browser.times.clear()
    plain.times.clear()
    reader = plain.browser()
    for address in pages.values():
        browser.get("", address)
    browser.times.clear()
    for _ in range(TIMES):
        for what, address in pages.items():
            browser.get(what, address)
            plain.opened_by(reader)
    return browser.times


def table(times: Mapping[str, Sequence[float]], plain: Mapping[str, Sequence[float]]) -> None:
    """What each page took, and how many times the page of one row."""
    yardstick = statistics.median(plain[DRESSED])
    print(f"{'':24}{'count':>8}{'median ms':>12}{'p95 ms':>10}{'x':>8}")
    for what, values in sorted({**times, **plain}.items()):
        median, p95 = statistics.median(values), _p95(values)
        slow = p95 > MOST_MS or (what in MEASURED and median > MOST_TIMES * yardstick)
        missed = "  MISSED" if slow else ""
        print(f"{what:24}{len(values):>8}{median:>12.1f}{p95:>10.1f}{median / yardstick:>8.1f}{missed}")


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


def rush(here: Workspace, address: str, pid: int, arguments: argparse.Namespace) -> None:
    """All teachers hand in with five megabytes each, `--people` at a time; then as many others."""
    count = arguments.rush
    reached = [_rush(here, address, pid, arguments, range(n * count, (n + 1) * count)) for n in (0, 1)]
    print(f"\nthe second {count} added {reached[1] - reached[0]:.0f} MB")


def _rush(here: Workspace, address: str, pid: int, arguments: argparse.Namespace, who: range) -> float:
    """One rush; how much memory the desk had at its most."""
    first = arguments.applications
    times: dict[str, list[float]] = defaultdict(list)
    tokens = sessions_of(here, [f"tx-{first + n}@school.example" for n in who])
    waiting = iter(zip(who, tokens, strict=True))
    lock = threading.Lock()
    seen: list[float] = []

    def one_after_the_other() -> Iterator[None]:
        while True:
            with lock:
                n, token = next(waiting, (-1, ""))
            if n < 0:
                return
            browser, path = Browser(address, token, times), f"/projects/PX-{first + n}/apply"
            # Made first: it takes longer than the desk keeps an idle connection.
            evidence = {"upload": (f"evidence-{n}.pdf", five_megabytes(n), "application/pdf")}
            carried = form_of(browser.get("form", path))
            browser.post("save with 5 MB", path, filled(carried), files=evidence)
            checked = browser.get("check the answers", path.replace("/apply", "/check"))
            browser.post("hand in", path.replace("/apply", "/check"), form_of(checked) | {"true": "on"})
            browser.client.close()
            if n % 25 == 0:
                seen.append(memory(pid))
            yield

    began = time.monotonic()
    together([one_after_the_other() for _ in range(arguments.people)], 3600)
    seconds = time.monotonic() - began
    with here.record.reading() as session:
        mine = [f"TX-{first + n}" for n in who]
        handed_in = session.scalar(
            sa.select(sa.func.count(Application.id)).where(Application.teacher.in_(mine))
        )
    seen.append(memory(pid))
    print(
        f"\n{len(who)} teachers, {arguments.people} at once: {seconds:.0f} s; {handed_in} applications in the record"
    )
    print(f"memory: {', '.join(f'{one:.0f}' for one in seen)} MB, one for every 25 and at the end")
    for what, values in times.items():
        print(f"{what:28}{len(values):>8}{statistics.median(values):>12.0f} ms{_p95(values):>10.0f} ms p95")
    if handed_in != len(who):
        raise SystemExit(f"{len(who) - (handed_in or 0)} applications were lost")
    return max(seen)


def five_megabytes(n: int) -> bytes:
    """A PDF of one page with five megabytes that can't be compressed, another one for each."""
    with tempfile.TemporaryDirectory() as folder, pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(595, 842))
        picture = pikepdf.Stream(pdf, random.Random(n).randbytes(5 * MIB))
        picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        picture.Width, picture.Height, picture.BitsPerComponent = 2560, 2048, 8
        picture.ColorSpace = pikepdf.Name.DeviceGray
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im=picture))
        path = Path(folder) / "evidence.pdf"
        pdf.save(path)
        return path.read_bytes()


def main() -> None:
    """Fills a record, starts the desk and prints what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--applications", type=int, default=50_000)
    parser.add_argument("--reviewers", type=int, default=1_000)
    parser.add_argument("--people", type=int, default=20, help="at once")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rush", type=int, default=0, help="teachers who hand in with 5 MB each, instead")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        settings = Settings(
            _env_file=None, home=Path(home), today=TODAY, secret="benchmark", listen=f"127.0.0.1:{port}"
        )
        here = open_workspace(settings)
        began = time.monotonic()
        fill(
            here,
            arguments.applications,
            arguments.reviewers,
            2 * arguments.rush or arguments.people * VISITS + ALONE + 1,
        )
        with_folders(settings.home / "documents")
        print(f"{arguments.applications:,} applications in {time.monotonic() - began:.0f} s")
        address = f"http://127.0.0.1:{port}"
        with served(["-m", "desk.serving", "desk"], settings, f"{address}/help") as pid:
            run = rush if arguments.rush else twenty_at_once
            run(here, address, pid, arguments)


if __name__ == "__main__":
    main()
