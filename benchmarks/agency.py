"""A year of one agency through the pages of its desk: applicants, reviewers and a coordinator who are made up.

    .venv/bin/python -m benchmarks.agency                       # a middle-sized agency: 2,000 applications
    .venv/bin/python -m benchmarks.agency --applications 40     # what the test plays

Everybody opens pages and sends their forms over HTTP, as a browser without a script does, on a clock that jumps from one thing to the next:
teachers sign in with the code from their mail, write, hand in, answer questions, withdraw and appeal; reviewers say that they have no
conflict of interest, give points, ask, or give a case back; the coordinator gives seats to others and reminds all who are late, many at
once. The flows' steps are called in this process (`benchmarks.year.engines`). Afterwards the record is compared with what was done: what
`labels check` looks for, one decision and one certificate a case, one message a reason.
"""

from __future__ import annotations

import argparse
import html
import random
import re
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from adapters.workspace import Workspace, open_workspace
from benchmarks.year import checking
from benchmarks.year.ledger import Ledger
from benchmarks.year.world import BEGINS, SEASON
from desk.app import public_app
from labels.clock import BRUSSELS
from labels.record.schema import (
    Application,
    Decision,
    Document,
    Mail,
    Member,
    Outcome,
    PaperKind,
    Project,
    SignInCode,
    Step,
    StepKind,
    Teacher,
)
from labels.rules.kept import rules_of
from labels.rules.loading import load_rules
from labels.sessions.codes import sign_in_code
from labels.settings import Settings
from labels.views.invariants import breaches
from tests.support import persons as persons  # rows of the registry get their people
from tests.support.people import populate
from usecases.rehearsing.engine import InProcess
from usecases.rehearsing.people import Act, People
from usecases.rehearsing.playing import SettableClock, Year
from usecases.rehearsing.season import Planned, file_of

OWN, COORDINATOR = "NSS-PL", "coordinator@nss.example"
ORIGIN = "http://127.0.0.1:4280"
LAST_DAY = datetime(2027, 6, 30, 20, tzinfo=BRUSSELS)
EACH_REVIEWS = 60
"""Reviews that a reviewer has in a year."""
LATE = "/cases?urgent=late"
WEEK = timedelta(weeks=1)


class Wrong(Exception):
    """A page or a record is not as it must be; says which."""


class Pages:
    """The desk, and how long each of its answers took by the processor."""

    def __init__(self, app: Starlette) -> None:
        self.client = TestClient(app, base_url=ORIGIN, follow_redirects=False)
        self.times: dict[str, list[float]] = defaultdict(list)

    def answer(self, what: str, method: str, path: str, cookies: dict[str, str], **more: Any) -> Any:
        """The answer to one request of a browser with these cookies, which its answer may change."""
        headers = {
            "Sec-Fetch-Site": "same-origin",
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        }
        began = time.process_time()
        answer = self.client.request(method, path, headers=headers, **more)
        self.times[what].append((time.process_time() - began) * 1000)
        for name, value in answer.cookies.items():
            cookies[name] = value.strip('"')
        self.client.cookies.clear()
        if answer.status_code not in (200, 303):
            shown = " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2]).split())
            raise Wrong(f"{method} {path}: {answer.status_code} {shown[:600]}")
        return answer


@dataclass
class Somebody:
    """A person before the desk, with a browser of their own."""

    pages: Pages
    here: Workspace
    address: str
    cookies: dict[str, str] = field(default_factory=lambda: {"language": "en"})
    token: str = ""
    """What the forms of the page that was opened last carry."""

    def opens(self, what: str, path: str) -> Any:
        """A page; whoever is signed in no longer signs in first."""
        answer = self.pages.answer(what, "GET", path, self.cookies)
        if answer.headers.get("location", "").startswith("/sign-in"):
            self._sign_in()
            answer = self.pages.answer(what, "GET", path, self.cookies)
        if answer.status_code == 303:
            return self.opens(what, answer.headers["location"])
        found = re.search(r'name="form_token" value="([^"]*)"', answer.text)
        self.token = html.unescape(found[1]) if found else ""
        return answer

    def sends(self, what: str, path: str, fields: Mapping[str, Any], **more: Any) -> str:
        """A form of the page that was opened last; where its answer leads."""
        answer = self.pages.answer(
            what, "POST", path, self.cookies, data={"form_token": self.token, **fields}, **more
        )
        if answer.status_code != 303:
            shown = (
                answer.text.partition('<div class="errors"')[2].partition("</div>")[0] or answer.text[:400]
            )
            raise Wrong(f"{path} was not taken: {re.sub(r'<[^>]+>', ' ', shown)}")
        return str(answer.headers["location"])

    def _sign_in(self) -> None:
        self.cookies = {"language": "en"}
        self.pages.answer("sign in", "POST", "/sign-in", self.cookies, data={"address": self.address})
        with self.here.record.reading() as session:
            asked = (
                sa.select(SignInCode.id)
                .where(SignInCode.address == self.address)
                .order_by(SignInCode.asked_at.desc())
            )
            attempt = session.scalars(asked.limit(1)).one()
        code = sign_in_code(self.here.key, attempt)
        self.pages.answer("sign in", "POST", "/sign-in/code", self.cookies, data={"code": code})


class AtTheDesk(Year):
    """A year in which whatever anybody does, they do on a page."""

    def __init__(self, here: Workspace, clock: SettableClock, engine: InProcess, people: People) -> None:
        super().__init__(here, clock, engine, people, lambda name: nullcontext())
        self.here = here
        self.pages = Pages(public_app(here))
        self._everybody: dict[str, Somebody] = {}
        self.reminded = 0
        """Plans by which all who are late were reminded together."""

    def play_through(self, planned: list[Planned], looks: timedelta) -> None:
        """From the first application until nothing is left that anybody means to do; the coordinator looks so often."""
        with self.pages.client:
            for one in planned:
                self._at(one.at, lambda one=one: self._submit(one))  # type: ignore[misc]  # mypy can't infer a default
            first = min(one.at for one in planned)
            self._at(first, self._upkeep_daily)
            for time_of_looking in range(1, int((LAST_DAY + timedelta(weeks=8) - first) / looks)):
                self._at(first + time_of_looking * looks, self._coordinator_looks)
            self._until(SEASON.horizon)

    def _who(self, address: str) -> Somebody:
        return self._everybody.setdefault(address, Somebody(self.pages, self._here, address))

    # Applicants ---------------------------------------------------------------------------------------

    def _submit(self, planned: Planned) -> None:
        with self._here.record.reading() as session:
            row = session.get_one(Teacher, planned.teacher)
        edition = load_rules(planned.organisation, self._here.now().astimezone(BRUSSELS).date())
        raw = file_of(
            planned, [one.id for one in edition.criteria_set.counted], row.language, self._people.seed
        )
        who, path = self._who(row.email), f"/projects/{planned.project}/apply"
        who.opens("my projects", "/projects")
        form = who.opens("form", path)
        [version] = re.findall(r'name="version" value="([^"]*)"', form.text)[:1] or ["0"]
        fields = {
            "version": version, "description": raw["description"], "links": "https://twinspace.example/42",
            "pupils": str(raw["pupils"]["count"]), "average_age": str(raw["pupils"]["average_age"]),
            **{f"precondition.{name}": "on" for name, said in raw["preconditions"].items() if said},
            **{f"sections.{name}": text for name, text in raw["sections"].items()},
        }  # fmt: skip
        who.sends("check the answers", path, fields)
        check = path.replace("/apply", "/check")
        who.opens("check the answers", check)
        leads = who.sends("hand in", check, {"true": "on"})
        application = leads.partition("?")[0].rsplit("/", 1)[1]
        self._quality[application] = planned.quality
        self._look_at(self._engine.begun(application))

    def _answer(self, step: Step, application: Application) -> bool:
        if step.kind is StepKind.INFORMATION:
            page = f"/applications/{application.id}"
            who = self._who(step.assignee)
            who.opens("my application", page)
            if self._is_late(step):
                return False
            said = {
                "step": step.id,
                "text": "All of it was planned together; see the second page.",
                "answer": "1",
            }
            who.sends("answer a question", page, said)
            return True
        return self._review(step, application)

    def _withdraw(self, step: Step, application: Application) -> bool:
        return self._of_right(step, application, {"withdraw": "1", "confirmed": "1"})

    def _appeal(self, step: Step, application: Application) -> bool:
        if self._is_late(step):
            return False
        return self._of_right(step, application, {"appeal": "1", "grounds": "The evidence was not opened."})

    def _of_right(self, step: Step, application: Application, fields: Mapping[str, str]) -> bool:
        page, who = f"/applications/{application.id}", self._who(step.assignee)
        who.opens("my application", f"{page}?asks=withdraw" if "withdraw" in fields else page)
        who.sends("withdraw, appeal", page, fields)
        return True

    def _is_late(self, step: Step) -> bool:
        late = step.due_at is not None and self._here.now() > step.due_at
        self.late_refusals += late
        return late

    # Reviewers ----------------------------------------------------------------------------------------

    def _opened(self, step: Step) -> tuple[Somebody, str, Any]:
        """A reviewer with the case before them, after the question for conflicts of interest."""
        who, page = self._who(step.assignee), f"/reviews/{step.id}"
        who.opens("my reviews", "/reviews")
        shown = who.opens("case and review", page)
        if 'name="conflict"' in shown.text:
            who.sends("no conflict", f"{page}/conflict", {"conflict": "no"})
            shown = who.opens("case and review", page)
        return who, page, shown

    def _review(self, step: Step, application: Application) -> bool:
        with self._here.record.reading() as session:
            edition = rules_of(session, application)
        given = self._people.review(step, edition, self._quality[application.id])
        who, page, shown = self._opened(step)
        [version] = re.findall(r'name="version" value="([^"]*)"', shown.text)[:1] or ["0"]
        points = {f"points.{name}": str(value) for name, value in given["scores"].items()}
        who.sends(
            "points and words",
            page,
            {**points, "comment": given["comment"], "version": version, "go": "check"},
        )
        checked = who.opens("check the review", f"{page}/check")
        [number] = re.findall(r'name="number" value="([^"]*)"', checked.text)
        who.sends("send the review", f"{page}/check", {"number": number})
        return True

    def _ask(self, step: Step, application: Application) -> bool:
        who, page, _ = self._opened(step)
        who.opens("ask the applicant", f"{page}/ask")
        who.sends(
            "ask the applicant", f"{page}/ask", {"question": "Which tasks did the partners plan together?"}
        )
        return True

    def _decline(self, step: Step, application: Application) -> bool:
        who, page, _ = self._opened(step)
        who.opens("give back", f"{page}/decline")
        conflict = self._people.chance("conflict", step.id).random() < 0.5
        said = (
            {"conflict": "yes", "words": "A cousin of mine."}
            if conflict
            else {"conflict": "no", "reason": "no_time"}
        )
        who.sends("give back", f"{page}/decline", said)
        return True

    # The coordinator ----------------------------------------------------------------------------------

    def _replace(self, step: Step, application: Application) -> bool:
        """Gives a seat to whoever has least to do, as the case's page offers them."""
        who, page = self._who(COORDINATOR), f"/cases/{application.id}"
        shown = who.opens("case", page)
        select = shown.text.partition(f'<select class="form-select" id="to-{step.id}"')[2].partition(
            "</select>"
        )[0]
        offered = [one for one in re.findall(r'<option value="([^"]+)"', select) if one != "me"]
        if not offered:
            self.nobody_left.append(application.id)
            return False
        fields = {
            "act": "reassign",
            "step": step.id,
            f"to-{step.id}": offered[0],
            f"reason-{step.id}": "No answer came.",
        }
        who.sends("give to another", page, fields)
        return True

    def _coordinator_looks(self) -> None:
        """What is urgent; all who are late are reminded together."""
        who = self._who(COORDINATOR)
        who.opens("overview", "/overview")
        if "/cases/NQL-" not in who.opens("list: late", LATE).text:
            return
        who.opens("many: what", "/cases/many?act=remind&urgent=late")
        fields = {
            "act": "remind",
            "urgent": "late",
            "reason": "The committee meets on Friday.",
            "kind": "review",
        }
        plan = who.sends("many: plan", "/cases/many", fields)
        if "Nothing is changed yet" in who.opens("many: plan", plan).text:
            who.sends("many: do it", plan, {})
            self.reminded += 1

    _acts: ClassVar = {
        Act.ANSWER: _answer, Act.ASK: _ask, Act.DECLINE: _decline, Act.REPLACE: _replace,
        Act.WITHDRAW: _withdraw, Act.APPEAL: _appeal,
    }  # fmt: skip


# The world ------------------------------------------------------------------------------------------


def people_of(here: Workspace, applications: int, seed: int, days: float) -> list[Planned]:
    """An agency with so many applications within so many days, two of each teacher; when each is handed in."""
    chance = random.Random(f"{seed} agency")
    with here.record.writing() as session:
        populate(session, reviewers=max(6, round(applications * 2.3 / EACH_REVIEWS)))
        began = date(2026, 2, 1)
        for n in range(applications):
            teacher, project = f"T-{1000 + n // 2}", f"P-{1000 + n}"
            if n % 2 == 0:
                row = Teacher(
                    id=teacher, name=f"Nauczycielka {n // 2}", email=f"{teacher.lower()}@school.example",
                    school="S-1", registered_on=date(2020, 1, 1), language="pl",
                )  # fmt: skip
                session.add(row)
            session.add(Project(id=project, title=f"Mosty {n}", started_on=began, ended_on=date(2026, 6, 20)))
            session.flush()
            for member in (teacher, "T-2"):
                session.add(Member(project=project, teacher=member, role="founder", joined_on=began))
    planned = []
    for n in range(applications):
        luck = chance.random()  # a tenth on the last day, half in the eight weeks before it
        before = 0.4 if luck < 0.1 else min(56.0, days) if luck < 0.6 else days
        at = (LAST_DAY - timedelta(days=before * chance.random())).replace(microsecond=0)
        quality = min(0.97, max(0.2, chance.gauss(0.74, 0.13)))
        planned.append(
            Planned(at, f"T-{1000 + n // 2}", f"P-{1000 + n}", OWN, quality, ready=True, copied=False)
        )
    return planned


@dataclass(frozen=True)
class Played:
    """A year that was played, and what the record has of it."""

    year: AtTheDesk
    counts: dict[str, int]


def play(
    home: Path,
    applications: int,
    *,
    days: float = 270,
    seed: int = 1,
    papers: float = 0.05,
    looks: timedelta = WEEK,
) -> Played:
    """Plays a year, and compares the record with it.

    Args:
        home: a folder for the record, documents and mail.
        applications: how many are handed in.
        days: over how many they come, to the last day.
        seed: the same year for the same.
        papers: the share of papers that are really rendered.
        looks: how often the coordinator looks at what is urgent.

    Raises:
        Wrong: a page or the record is not as it must be.
    """
    clock = SettableClock(BEGINS)
    opened = open_workspace(Settings(_env_file=None, home=home, secret="an agency"))
    here = Workspace(opened.settings, opened.record, opened.documents, opened.key, clock)
    planned = people_of(here, applications, seed, days)
    engine = InProcess(here, People(seed).share_of_papers(papers), Ledger(clock))
    year = AtTheDesk(here, clock, engine, People(seed))
    year.play_through(planned, looks)
    engine.deliver()
    for one in year.refused + year.nobody_left:
        raise Wrong(one)
    with here.record.reading() as session:
        return Played(year, compared_in(session, here.now(), applications))


def compared_in(session: Session, now: datetime, applications: int) -> dict[str, int]:
    """How much of what the record has; everything that was handed in is decided once, and everything said once.

    Raises:
        Wrong: it is not so.
    """
    counts = checking.check(session, now, None)
    broken = breaches(session, now)
    decided = Counter(session.scalars(sa.select(Decision.application)))
    ended = dict(session.execute(sa.select(Application.id, Application.outcome)).tuples().all())
    appealed = set(session.scalars(sa.select(Application.id).where(Application.instance > 1)))
    kept = sa.select(Document.application).where(Document.kind == PaperKind.CERTIFICATE.value)
    certificates = Counter(session.scalars(kept))
    receipts = Counter(session.scalars(sa.select(Mail.application).where(Mail.template == "receipt")))
    if broken:
        raise Wrong(f"{len(broken)} broken: {broken[0]}")
    if len(ended) != applications or None in ended.values():
        raise Wrong(f"{len(ended)} of {applications} applications, some without an end")
    if again := [one for one, times in decided.items() if times != (2 if one in appealed else 1)]:
        raise Wrong(f"{again[0]} was decided {decided[again[0]]} times")
    awarded = {one for one, outcome in ended.items() if outcome is Outcome.AWARDED}
    if set(certificates) != awarded or set(certificates.values()) - {1}:
        raise Wrong(f"{len(awarded)} awarded, {sum(certificates.values())} certificates")
    if set(receipts.values()) != {1} or set(receipts) != set(ended):
        raise Wrong(f"{sum(receipts.values())} receipts of {len(ended)} applications")
    outcomes = Counter(outcome.value for outcome in ended.values() if outcome)
    return {**counts, **outcomes, "appeals": len(appealed), "certificates": sum(certificates.values())}


def main() -> None:
    """Plays a year and prints what pages took and what the record has."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--applications", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--papers", type=float, default=0.02, help="the share of papers that are rendered")
    arguments = parser.parse_args()
    began, spent = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as home:
        played = play(Path(home), arguments.applications, seed=arguments.seed, papers=arguments.papers)
    print(f"{time.monotonic() - began:.0f} s, {time.process_time() - spent:.0f} s of the processor")
    print(", ".join(f"{number:,} {what}" for what, number in played.counts.items()))
    print(f"{played.year.events:,} events, {played.year.reminded} plans carried out, 0 broken\n")
    print(f"{'':24}{'count':>8}{'median ms':>12}{'p95 ms':>10}")
    for what, values in sorted(played.year.pages.times.items()):
        p95 = statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]
        print(f"{what:24}{len(values):>8,}{statistics.median(values):>12.1f}{p95:>10.1f}")


if __name__ == "__main__":
    main()
