"""Two API hosts behind nginx, one of services, two workers, two desks, PostgreSQL, Redis, S3 and a mail server.

Each has processes, an address and a home of its own. Applications go from the desk to their certificates, while hosts vanish
and what all of them share fails.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from prefect.client.schemas.objects import StateType

from adapters.prefect.client import prefect_client
from adapters.prefect.environment import client_environment, spoken_to
from adapters.prefect.runs import DEPLOYMENTS, start_all
from adapters.workspace import Workspace, open_workspace
from cli.services import free_port
from desk.languages import COOKIE
from labels.answering import accepting
from labels.errors import OutOfReach
from labels.record.schema import Application, Document, Mail, Outcome, Stage, Step, StepKind, StepState
from labels.sessions.codes import sign_in_code
from labels.settings import PROJECT, Settings
from labels.steps.answers import ReviewAnswer
from labels.steps.outcome import Accepted
from labels.steps.proof import Code
from labels.steps.step import open_steps
from labels.turn import Door
from tests.desk.conftest import Browser
from tests.desk.test_applicant import filled
from tests.e2e.conftest import more_projects
from tests.e2e.test_elsewhere import Postbox
from tests.support import ministack, redis
from tests.support.databases import Cluster
from tests.support.hosts import Host, ended
from tests.support.nginx import NGINX, nginx
from tests.support.patience import PATIENCE, until
from tests.support.people import TODAY, application_file, code_of, points, populate
from usecases.applying import submit_file
from usecases.checking import check
from usecases.recovering import catch_up, end_lost_runs
from usecases.running import wake

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    pytest.mark.skipif(redis.REDIS is None, reason="redis-server is not installed"),
]
SOON = timedelta(seconds=5)
"""After so long a run under way counts as lost, in the place of two minutes."""
MANY = 40
"""Runs that are resumed at once."""


class Visitor(Browser):
    """Somebody with a browser before a desk that is a process of its own."""

    def __init__(self, here: Workspace, desk: str) -> None:
        self.here = here
        self.client = httpx.Client(base_url=desk, follow_redirects=False, timeout=PATIENCE)  # type: ignore[assignment]  # what a test client is made from
        self.client.headers["Sec-Fetch-Site"] = "same-origin"
        self.client.cookies.set(COOKIE, "en", domain="127.0.0.1")
        self._read: set[str] = set()

    def signs_in(self, address: str) -> Visitor:
        self._read = set(self._codes(address))
        super().signs_in(address)
        return self

    def _codes(self, address: str) -> Sequence[str]:
        asked = sa.select(Mail.reason).where(Mail.to_address == address, Mail.template == "sign_in")
        with self.here.record.reading() as session:
            return session.scalars(asked).all()

    def code(self, address: str) -> str:
        """The code in the mail that has come since they asked: it is queued after the desk's answer."""
        new: list[str] = []

        def mailed() -> bool:
            new[:] = [one for one in self._codes(address) if one not in self._read]
            return bool(new)

        until(mailed, f"a code is mailed to {address}")
        return sign_in_code(self.here.key, new[0].split("/")[1])

    def does(self, path: str, fields: Callable[[], dict[str, str]], done: Callable[[], object]) -> None:
        """Sends a form until it is done: whoever is told that something is away looks whether it counted, and does it again."""
        seen: list[object] = []

        def counts() -> bool:
            with contextlib.suppress(httpx.TransportError):
                if done():
                    return True
                answer = self.sends(path, fields())
                seen[:] = [answer.status_code, answer.text]
                return bool(done())
            return False

        until(counts, f"{path} is taken", lambda: seen)

    def shown(self, path: str, field: str) -> str:
        """What a field of a page has; empty where the page has none of that name."""
        found = re.search(rf'name="{re.escape(field)}" value="([^"]*)"', self.opens(path).text)
        return found[1] if found else ""

    def hands_in(self, project: str) -> str:
        """Writes a whole application at the desk, and hands it in; its number."""
        form, last = f"/projects/{project}/apply", f"/projects/{project}/check"
        self.does(
            form,
            lambda: filled(version=self.shown(form, "version") or "0"),
            lambda: filled()["description"] in unescape(self.opens(last).text),
        )

        def handed_in() -> str | None:
            with self.here.record.reading() as session:
                return session.scalar(sa.select(Application.id).where(Application.project == project))

        self.does(last, lambda: {"true": "1"}, handed_in)
        return handed_in() or ""

    def reviews(self, step: Step) -> None:
        """Gives the points of a review, and sends it."""
        page, last = f"/reviews/{step.id}", f"/reviews/{step.id}/check"
        given = {f"points.{name}": str(value) for name, value in points(4).items()}
        given |= {"comment": "Well done.", "go": "check"}

        def answered() -> bool:
            with self.here.record.reading() as session:
                return session.get_one(Step, step.id).state is StepState.ANSWERED

        self.does(
            f"{page}/conflict", lambda: {"conflict": "no"}, lambda: 'name="points.' in self.opens(page).text
        )
        self.does(
            page,
            lambda: given | {"version": self.shown(page, "version") or "0"},
            lambda: self.shown(last, "number"),
        )
        self.does(last, lambda: {"number": self.shown(last, "number")}, answered)


@dataclass
class Installation:
    """Everything that is on its own machine elsewhere."""

    hosts: dict[str, Host]
    here: Workspace
    desks: tuple[str, str]
    postgresql: Cluster
    redis: redis.Redis
    post: Postbox
    registered: list[dict[str, str]]
    """What `labels deploy` said."""
    _visitors: dict[tuple[str, str], Visitor] = field(default_factory=dict)

    def at(self, desk: str, address: str) -> Visitor:
        """Somebody who has signed in there."""
        if (desk, address) not in self._visitors:
            self._visitors[desk, address] = Visitor(self.here, desk).signs_in(address)
        return self._visitors[desk, address]

    def application(self, identifier: str) -> Application:
        with self.here.record.reading() as session:
            return session.get_one(Application, identifier)

    def asked(self, identifier: str) -> list[Step]:
        """The reviewers' steps that are open."""
        with self.here.record.reading() as session:
            steps = open_steps(session, session.get_one(Application, identifier))
        return [one for one in steps if one.kind is StepKind.REVIEW]

    def until_asked(self, *identifiers: str) -> None:
        """Waits for their reviewers, while runs are looked after as the host of services does, but sooner than after two minutes."""

        def asked() -> bool:
            self.look_after()
            return all(len(self.asked(one)) == 2 for one in identifiers)

        until(asked, f"reviewers of {', '.join(identifiers)} are asked", self.logs, every=1)

    def reviews_of(self, identifier: str) -> list[Step]:
        """The reviewers' steps that are open, once both were asked."""
        until(lambda: len(self.asked(identifier)) == 2, f"reviewers of {identifier} are asked", self.logs)
        return self.asked(identifier)

    def reviewed(self, identifier: str) -> None:
        """Each reviewer answers, at another desk than the one before."""
        for step, desk in zip(self.reviews_of(identifier), reversed(self.desks), strict=True):
            self.at(desk, step.assignee).reviews(step)

    def awarded(self, *identifiers: str, looked_after: bool = False) -> None:
        """Waits for the end with its mail; `looked_after` as in `until_asked`."""

        def done() -> bool:
            if looked_after:
                self.look_after()
            unsent = sa.select(Mail.reason).where(Mail.application.in_(identifiers), Mail.sent_at.is_(None))
            still = sa.select(Application.id).where(
                Application.id.in_(identifiers), Application.stage != Stage.CLOSED
            )
            with self.here.record.reading() as session:
                return not session.scalars(still).all() and not session.scalars(unsent).all()

        until(done, f"{', '.join(identifiers)} end, with their mail out", self.logs, every=1)
        assert {self.application(one).outcome for one in identifiers} == {Outcome.AWARDED}

    def look_after(self) -> None:
        with contextlib.suppress(OutOfReach, httpx.HTTPError), prefect_client() as client:
            end_lost_runs(self.here, client, SOON)
            catch_up(self.here, client, patience=SOON)

    def whole(self, *, each_once: bool = True) -> None:
        """Nothing is lost, doubled or stalled; a message may come again where whoever sent it was killed before it knew."""
        assert check(self.here, read_documents=True).breaches == []
        told = Counter(str(message["Message-ID"]).strip() for message in self.post.taken)
        with self.here.record.reading() as session:
            went_out = sa.select(Mail).where(Mail.sent_at.is_not(None), Mail.last_error.is_(None))
            sent = session.scalars(went_out).all()
            certified = session.scalars(
                sa.select(Document.application).where(Document.kind == "certificate")
            ).all()
            awarded = session.scalars(
                sa.select(Application.id).where(Application.outcome == Outcome.AWARDED)
            ).all()
        lost = [one.reason for one in sent if one.message_id not in told]
        assert lost == [], "what counts as sent has come"
        assert not each_once or set(told.values()) == {1}, "every message once"
        assert sorted(certified) == sorted(awarded), "one certificate each"

    def logs(self) -> str:
        """What everybody said last."""
        files = [file for one in self.hosts.values() for file in (one.home / "logs").glob("*.log")]
        return "\n".join(f"{one}\n{one.read_text('utf-8', 'replace')[-1500:]}" for one in files)


@pytest.fixture(scope="module")
def installation(
    postgresql_cluster: Cluster, postgresql_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("hosts")
    (folder / "s3").mkdir()
    (folder / "nginx").mkdir()
    api = [f"127.0.0.{21 + n}:{free_port()}" for n in range(2)]
    desks = [f"127.0.0.{41 + n}:{free_port()}" for n in range(2)]
    proxy = f"127.0.0.10:{free_port()}"
    record = postgresql_cluster.url(postgresql_cluster.create(postgresql_template))
    prefect = postgresql_cluster.url(postgresql_cluster.create(), driver="postgresql")
    servers = (PROJECT / "deploy" / "nginx" / "prefect-api.conf").read_text("utf-8")
    replaced = {
        "10.0.0.10:4200;": f"{proxy};",
        "allow 10.0.0.0/24": "allow 127.0.0.0/8",
        "server 10.0.0.21:4200": f"server {api[0]}",
        "server 10.0.0.22:4200": f"server {api[1]}",
    }
    post = Postbox()
    with contextlib.ExitStack() as stack:
        try:
            s3 = stack.enter_context(ministack.running(folder / "s3", tls=False))
        except ministack.MiniStackMissing as missing:
            pytest.skip(str(missing))
        bucket = f"labels-{secrets.token_hex(4)}"
        s3.administrator().create_bucket(Bucket=bucket)
        mail = Controller(post, "127.0.0.1", free_port(), ready_timeout=PATIENCE)
        mail.start()
        stack.callback(mail.stop)
        shared = stack.enter_context(redis.running())
        stack.enter_context(nginx(folder / "nginx", servers, replaced))
        everybody = {
            "LABELS_SECRET": secrets.token_urlsafe(32),
            "LABELS_TODAY": str(TODAY),
            "PREFECT_API_URL": f"http://{proxy}/api",
        }
        server = {"LABELS_PREFECT_DATABASE_URL": prefect, "LABELS_REDIS_URL": shared.url}
        data = {
            "LABELS_DATABASE_URL": record,
            "LABELS_DOCUMENTS": f"s3://{bucket}/labels",
            "LABELS_S3_ENDPOINT_URL": s3.url,
            "LABELS_S3_PATH_STYLE": "true",
            "LABELS_SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
            # As a proxy on this machine would have it: browsers send cookies of other addresses over TLS alone.
            "LABELS_PUBLIC_URL": f"http://127.0.0.1:{free_port()}",
            "LABELS_SITE_URL": f"http://{proxy}",
            "LABELS_GATE": "off",
            "AWS_ACCESS_KEY_ID": s3.key_id,
            "AWS_SECRET_ACCESS_KEY": s3.secret,
        }
        hosts = [
            *(
                Host(f"api{n}", "api", folder, everybody | server | {"LABELS_API_LISTEN": address})
                for n, address in enumerate(api, 1)
            ),
            Host("services", "services", folder, everybody | server | data),
            *(Host(f"worker{n}", "worker", folder, everybody | data) for n in (1, 2)),
            *(
                Host(f"desk{n}", "desk", folder, everybody | data | {"LABELS_LISTEN": address})
                for n, address in enumerate(desks, 1)
            ),
        ]
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in (everybody | data).items():
            environment.setenv(name, value)
        here = open_workspace(Settings(_env_file=None, home=folder / "test"))
        with here.record.writing() as session:
            populate(session)
            more_projects(session)
        stack.enter_context(ended(hosts))
        for one in hosts:
            one.starts()
        registered = hosts[3].gives("deploy", "--json")  # which waits for the API
        assert registered.returncode == 0, registered.stderr
        for one in hosts:
            one.until_ready()
        url = everybody["PREFECT_API_URL"]
        stack.enter_context(spoken_to(url, client_environment(here.settings.home, url)))
        yield Installation(
            {one.name: one for one in hosts},
            here,
            (f"http://{desks[0]}", f"http://{desks[1]}"),
            postgresql_cluster,
            shared,
            post,
            json.loads(registered.stdout),
        )


def test_an_application_goes_from_one_desk_to_its_certificate_by_another(installation: Installation) -> None:
    assert {one["name"] for one in installation.registered} >= set(DEPLOYMENTS.values())
    one = installation.at(installation.desks[0], "t-100@school.example").hands_in("P-100")
    installation.reviewed(one)
    installation.awarded(one)
    installation.whole()


def test_each_host_says_how_its_own_parts_are_and_what_it_needs_of_the_others(
    installation: Installation,
) -> None:
    wanted = {
        "services": {"record", "redis", "schedules", "outbox"},
        "desk2": {"record", "documents", "desk", "prefect"},
    }

    def status(name: str) -> subprocess.CompletedProcess[str]:
        return installation.hosts[name].gives("status", "--json")

    with ThreadPoolExecutor(2) as threads:
        told = dict(zip(wanted, threads.map(status, wanted), strict=True))
    for name, parts in wanted.items():
        found = {each["part"]: each for each in json.loads(told[name].stdout)}
        assert parts <= found.keys(), name
        assert {each["health"] for part, each in found.items() if part in parts} == {"well"}, found


def test_an_api_host_and_a_worker_that_vanish_at_once_lose_nothing(installation: Installation) -> None:
    """Both with what they had under way."""
    hosts = [installation.hosts[name] for name in ("worker1", "api1")]
    two = [
        installation.at(desk, f"t-{n}@school.example").hands_in(f"P-{n}")
        for n, desk in zip((101, 102), installation.desks, strict=True)
    ]
    for one in hosts:
        one.vanishes()

    installation.until_asked(*two)
    for one in hosts:
        one.starts()
    for identifier in two:
        installation.reviewed(identifier)
    installation.awarded(*two, looked_after=True)
    installation.whole(each_once=False)
    for one in hosts:
        one.until_ready()


def restarted_empty(one: redis.Redis) -> None:
    one.stop()
    one.start()


@pytest.mark.parametrize(
    ("number", "begin", "mend"),
    [
        pytest.param(103, redis.Redis.stop, redis.Redis.start, id="gone"),
        pytest.param(104, restarted_empty, None, id="restarted-empty"),
        pytest.param(105, redis.Redis.fill, redis.Redis.has_room, id="full"),
    ],
)
def test_redis_that_fails_costs_no_application_anything(
    installation: Installation,
    number: int,
    begin: Callable[[redis.Redis], None],
    mend: Callable[[redis.Redis], None] | None,
) -> None:
    """It fails while an application is handed in, and once more while it is answered."""
    teacher = installation.at(installation.desks[0], f"t-{number}@school.example")
    begin(installation.redis)
    one = teacher.hands_in(f"P-{number}")
    if mend:
        mend(installation.redis)
    installation.until_asked(one)
    begin(installation.redis)
    installation.reviewed(one)
    if mend:
        mend(installation.redis)
    installation.awarded(one, looked_after=True)
    installation.whole()


def test_postgresql_that_is_restarted_under_everybody_costs_no_application_anything(
    installation: Installation,
) -> None:
    """The record and Prefect's database at once: while an application is handed in, and while it is answered."""
    teacher = installation.at(installation.desks[1], "t-106@school.example")
    installation.postgresql.restart()
    one = teacher.hands_in("P-106")
    installation.postgresql.restart()
    installation.reviewed(one)
    installation.postgresql.restart()
    installation.awarded(one, looked_after=True)
    installation.whole(each_once=False)


def test_an_api_host_gone_in_the_middle_of_many_resumes_loses_none(installation: Installation) -> None:
    many = [
        submit_file(
            installation.here,
            application_file(teacher=f"T-{n}", project=f"P-{n}"),
            "application.json",
            [],
        ).application
        for n in range(110, 110 + MANY)
    ]
    with prefect_client() as client:
        start_all(installation.here, client, many)
    for one in many:
        for step in installation.reviews_of(one):
            answers(installation.here, step)
    gone = installation.hosts["api2"]

    def resumed(identifier: str) -> None:
        with prefect_client() as client:
            wake(installation.here, client, identifier)

    with ThreadPoolExecutor(8) as threads:
        under_way = [threads.submit(copy_context().run, resumed, one) for one in many]
        until(lambda: sum(one.done() for one in under_way) >= MANY // 4, "a quarter is resumed", every=0.01)
        gone.vanishes()
        for each in under_way:
            each.result(PATIENCE)
    gone.starts()
    installation.awarded(*many, looked_after=True)
    installation.whole()
    gone.until_ready()
    for one in many:
        scheduled, begun = executions(installation.application(one).run)
        assert begun <= scheduled, f"{one} was executed by two workers at once"


def answers(here: Workspace, step: Step) -> None:
    """A review by a command, without its waking."""
    given = ReviewAnswer(scores=points(4), comment="Well done.")
    with here.record.writing() as session:
        proof = Code(code_of(step, here.key), step.assignee)
        done = accepting.answer(here.turn(session, Door.COMMAND_LINE), step.id, proof, given)
    assert isinstance(done, Accepted)


def executions(run: str | None) -> tuple[int, int]:
    """How often a run was scheduled, and how often a worker began to execute it."""
    assert run
    with prefect_client() as client:
        states = Counter(one.type for one in client.read_flow_run_states(UUID(run)))
    return states[StateType.SCHEDULED], states[StateType.RUNNING]
