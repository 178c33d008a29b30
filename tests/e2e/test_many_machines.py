"""Two API hosts behind nginx, one of services, two workers, two desks, PostgreSQL, Redis, S3 and a mail server.

Each has processes, an address and a home of its own. One application goes from the desk to its certificate, and while the
next one is on its way an API host and a worker vanish.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from adapters.prefect.client import prefect_client
from adapters.prefect.environment import client_environment, spoken_to
from adapters.prefect.runs import DEPLOYMENTS
from adapters.workspace import Workspace, open_workspace
from cli.services import free_port
from desk.languages import COOKIE
from labels.record.schema import Application, Document, Mail, Outcome, Stage, Step, StepKind
from labels.sessions.codes import sign_in_code
from labels.settings import PROJECT, Settings
from labels.steps.step import open_steps
from tests.desk.conftest import Browser
from tests.desk.test_applicant import filled
from tests.e2e.conftest import more_projects
from tests.e2e.test_elsewhere import Postbox, postbox, s3
from tests.support.databases import Cluster
from tests.support.hosts import Host, ended
from tests.support.ministack import Server
from tests.support.nginx import NGINX, nginx
from tests.support.patience import PATIENCE, until
from tests.support.people import TODAY, points, populate
from tests.support.redis import REDIS, running
from usecases.checking import check
from usecases.recovering import end_lost_runs, recover

__all__ = ["postbox", "s3"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    pytest.mark.skipif(REDIS is None, reason="redis-server is not installed"),
]


_READ: set[str] = set()
"""The mails with codes that were read."""


class Visitor(Browser):
    """Somebody with a browser before a desk that is a process of its own."""

    def __init__(self, here: Workspace, desk: str) -> None:
        self.here = here
        self.client = httpx.Client(base_url=desk, follow_redirects=False, timeout=PATIENCE)  # type: ignore[assignment]  # what a test client is made from
        self.client.headers["Sec-Fetch-Site"] = "same-origin"
        self.client.cookies.set(COOKIE, "en", domain="127.0.0.1")

    def code(self, address: str) -> str:
        """The code in the mail that has come since the last was read: it is queued after the desk's answer."""
        asked = sa.select(Mail.reason).where(Mail.to_address == address, Mail.template == "sign_in")
        new: list[str] = []

        def mailed() -> bool:
            with self.here.record.reading() as session:
                new[:] = [one for one in session.scalars(asked) if one not in _READ]
            return bool(new)

        until(mailed, f"a code is mailed to {address}")
        _READ.update(new)
        return sign_in_code(self.here.key, new[0].split("/")[1])

    def hands_in(self, project: str) -> str:
        """Writes a whole application at the desk, and hands it in; its number."""
        form, last = f"/projects/{project}/apply", f"/projects/{project}/check"
        self.sends(form, filled())
        done = self.sends(last, {"true": "1"})
        found = re.fullmatch(r"/applications/([^?]+)\?received=1", done.headers["location"])
        assert found, done.text
        return found[1]

    def reviews(self, step: Step) -> None:
        """Gives the points of a review, and sends it."""
        page = f"/reviews/{step.id}"
        assert self.sends(f"{page}/conflict", {"conflict": "no"}).status_code == 303
        given = {f"points.{name}": str(value) for name, value in points(4).items()}
        asked = self.sends(page, given | {"version": "0", "comment": "Well done.", "go": "check"})
        version = re.findall(r'name="number" value="(\d+)"', self.opens(f"{page}/check").text)
        assert version, asked.text
        assert self.sends(f"{page}/check", {"number": version[0]}).status_code == 303


@dataclass
class Cluster_:
    """Everything that is on its own machine elsewhere."""

    hosts: dict[str, Host]
    here: Workspace
    desks: list[str]
    another_record: str
    """The address of a record that is another installation's."""

    def application(self, identifier: str) -> Application:
        with self.here.record.reading() as session:
            return session.get_one(Application, identifier)

    def reviews_of(self, identifier: str) -> list[Step]:
        """The reviewers' steps that are open, once somebody was asked."""
        found: list[Step] = []

        def asked() -> bool:
            with self.here.record.reading() as session:
                steps = open_steps(session, session.get_one(Application, identifier))
            found[:] = [one for one in steps if one.kind is StepKind.REVIEW]
            return len(found) == 2

        until(asked, f"reviewers of {identifier} are asked", self.logs)
        return found

    def until_closed(self, identifier: str) -> None:
        unsent = sa.select(Mail.reason).where(Mail.application == identifier, Mail.sent_at.is_(None))

        def done() -> bool:
            with self.here.record.reading() as session:
                waits = session.scalar(unsent.limit(1))
            return self.application(identifier).stage is Stage.CLOSED and waits is None

        until(done, f"{identifier} is closed, with its mail out", self.logs)

    def logs(self) -> str:
        """What the workers said last."""
        files = [one.home / "logs" / "worker.log" for one in self.hosts.values()]
        return "\n".join(one.read_text("utf-8", "replace")[-2000:] for one in files if one.exists())


@pytest.fixture
def cluster(
    postgresql_cluster: Cluster,
    postgresql_template: str,
    s3: Server,
    postbox: tuple[Postbox, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Cluster_]:
    bucket = f"labels-{secrets.token_hex(4)}"
    s3.administrator().create_bucket(Bucket=bucket)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)
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
    (tmp_path / "nginx").mkdir()
    with running() as redis, nginx(tmp_path / "nginx", servers, replaced):
        secret = {"LABELS_SECRET": secrets.token_urlsafe(32), "LABELS_TODAY": str(TODAY)}
        everybody = secret | {"PREFECT_API_URL": f"http://{proxy}/api"}
        server = {"LABELS_PREFECT_DATABASE_URL": prefect, "LABELS_REDIS_URL": redis.url}
        data = {
            "LABELS_DATABASE_URL": record,
            "LABELS_DOCUMENTS": f"s3://{bucket}/labels",
            "LABELS_S3_ENDPOINT_URL": s3.url,
            "LABELS_S3_PATH_STYLE": "true",
            "LABELS_SMTP_URL": f"smtp://127.0.0.1:{postbox[1]}",
            # As a proxy on this machine would have it: browsers send cookies of other addresses over TLS alone.
            "LABELS_PUBLIC_URL": f"http://127.0.0.1:{free_port()}",
            "LABELS_SITE_URL": f"http://{proxy}",
            "LABELS_GATE": "off",
        }
        hosts = [
            *(
                Host(f"api{n}", "api", tmp_path, everybody | server | {"LABELS_API_LISTEN": address})
                for n, address in enumerate(api, 1)
            ),
            Host("services", "services", tmp_path, everybody | server | data),
            *(Host(f"worker{n}", "worker", tmp_path, everybody | data) for n in (1, 2)),
            *(
                Host(f"desk{n}", "desk", tmp_path, everybody | data | {"LABELS_LISTEN": address})
                for n, address in enumerate(desks, 1)
            ),
        ]
        for name, value in (everybody | data).items():
            monkeypatch.setenv(name, value)
        here = open_workspace(Settings(_env_file=None, home=tmp_path / "test"))
        with here.record.writing() as session:
            populate(session)
            more_projects(session)
        url = everybody["PREFECT_API_URL"]
        with ended(hosts):
            for one in hosts:
                one.starts()
            for one in hosts:
                one.until_ready()
            with spoken_to(url, client_environment(here.settings.home, url)):
                another = postgresql_cluster.url(postgresql_cluster.create(postgresql_template))
                yield Cluster_(
                    {one.name: one for one in hosts}, here, [f"http://{one}" for one in desks], another
                )


def test_an_application_goes_through_many_machines_and_two_that_vanish_lose_nothing(
    cluster: Cluster_, postbox: tuple[Postbox, int]
) -> None:
    here, hosts = cluster.here, cluster.hosts
    first, second = cluster.desks
    registered = [json.loads(hosts["worker1"].gives("deploy", "--json").stdout) for _ in range(2)]
    assert registered[0] == registered[1], "to deploy again changes nothing"
    assert {one["name"] for one in registered[0]} >= set(DEPLOYMENTS.values())

    one = Visitor(here, first).signs_in("t-100@school.example").hands_in("P-100")
    for step, desk in zip(cluster.reviews_of(one), (second, first), strict=True):
        Visitor(here, desk).signs_in(step.assignee).reviews(step)
    cluster.until_closed(one)
    assert cluster.application(one).outcome is Outcome.AWARDED

    for name, parts in {
        "api1": {"redis", "prefect", "processes"},
        "services": {"record", "redis", "schedules", "outbox"},
        "worker2": {"record", "documents", "worker"},
        "desk2": {"record", "documents", "desk", "prefect"},
    }.items():
        told = {each["part"]: each for each in json.loads(hosts[name].gives("status", "--json").stdout)}
        assert parts <= told.keys(), name
        assert {each["health"] for part, each in told.items() if part in parts} == {"well"}, told

    other = Visitor(here, second).signs_in("t-101@school.example").hands_in("P-101")
    hosts["worker1"].vanishes()
    hosts["api1"].vanishes()

    def asked() -> bool:
        with prefect_client() as client:  # as the host of services does, which waits for two minutes
            end_lost_runs(here, client, timedelta(seconds=5))
            recover(here, client, patience=timedelta(seconds=5))
        with here.record.reading() as session:
            steps = open_steps(session, session.get_one(Application, other))
        return len([each for each in steps if each.kind is StepKind.REVIEW]) == 2

    until(asked, "reviewers are asked by the worker that is left", cluster.logs, every=2)
    for step, desk in zip(cluster.reviews_of(other), (first, second), strict=True):
        Visitor(here, desk).signs_in(step.assignee).reviews(step)
    cluster.until_closed(other)
    assert cluster.application(other).outcome is Outcome.AWARDED

    assert check(here, read_documents=True).breaches == []
    told = Counter(message["Message-ID"] for message in postbox[0].taken)
    assert set(told.values()) == {1}, "every message once"
    with here.record.reading() as session:
        papers = session.scalars(sa.select(Document.application).where(Document.kind == "certificate")).all()
    assert sorted(papers) == sorted([one, other])

    for name, changed, said in (
        ("stranger", {"LABELS_SECRET": "another secret"}, "another than that of the record"),
        ("elsewhere", {"LABELS_DATABASE_URL": cluster.another_record}, "installation with another record"),
    ):
        refused = Host(name, "worker", hosts["worker2"].folder, {**hosts["worker2"].environment, **changed})
        done = refused.gives("up", "--role", "worker")
        assert done.returncode == 3, done.stderr
        assert said in " ".join(done.stderr.split())
