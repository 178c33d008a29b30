"""The desk's process is killed before each statement of *hand in*: there is one application or none, never half of one."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
import sqlalchemy as sa

from adapters.workspace import Workspace, open_workspace
from cli.services import free_port
from labels.record.chain_export import verify
from labels.record.engine import close_records
from labels.record.schema import (
    Application,
    ApplicationDraft,
    Document,
    DraftEvidence,
    Journal,
    Mail,
)
from labels.settings import PROJECT, Settings
from tests.cli.conftest import TEACHER
from tests.desk.conftest import Browser
from tests.desk.test_applicant import APPLY, CHECK, filled, some_pdf
from tests.support.databases import Cluster
from tests.support.patience import PATIENCE
from tests.support.people import TODAY, application_file, populate

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hand in kills")]

ASKED_TO_END = -signal.SIGTERM


class Lives:
    """Desks that are killed, one after the other, each with a copy of the same record with a draft in it."""

    def __init__(
        self, folder: Path, process: subprocess.Popen[bytes], cluster: Cluster | None, empty: str
    ) -> None:
        self.folder = folder
        self.cluster = cluster
        self.begun = folder / "begun"
        self._process = process
        self._number = 0
        self._database = cluster.create(empty) if cluster else ""
        here = open_workspace(self.settings(self.begun, self._database))
        with here.record.writing() as session:
            populate(session)
        teacher = Browser(here).signs_in(TEACHER)
        file = {"upload": ("a.pdf", some_pdf(), "application/pdf")}
        assert teacher.sends(APPLY, filled(keep="1"), files=file).status_code == 303
        self.cookies = "; ".join(f"{name}={value}" for name, value in teacher.client.cookies.items())
        self.token = teacher.token(CHECK)
        close_records()  # whose copies would lack what is in the write-ahead log

    def settings(self, home: Path, database: str) -> Settings:
        url = self.cluster.url(database) if self.cluster else ""
        return Settings(_env_file=None, home=home, secret="for tests", today=TODAY, database_url=url)

    @contextlib.contextmanager
    def another(self) -> Iterator[tuple[Settings, Path]]:
        """A copy of the record as it is before *hand in*."""
        self._number += 1
        home = self.folder / str(self._number)
        shutil.copytree(self.begun, home)
        database = self.cluster.create(self._database) if self.cluster else ""
        try:
            yield self.settings(home, database), home
        finally:
            close_records()
            shutil.rmtree(home)
            if self.cluster:
                self.cluster.drop(database)

    def hands_in(self, settings: Settings, last: int, told: Path) -> tuple[int, str]:
        """Presses the button before a desk that dies; its exit code, and where the answer leads (empty for none)."""
        settings = settings.model_copy(update={"listen": f"127.0.0.1:{free_port()}"})
        fields = {name: getattr(settings, name) for name in ("home", "database_url", "listen", "today")} | {
            "secret": "for tests"
        }
        line = {"settings": fields, "last": last, "told": told}
        self._to.write((json.dumps(line, default=str) + "\n").encode())
        self._to.flush()
        pid = json.loads(self._from.readline())["pid"]
        try:
            leads = self._sent(settings)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        return json.loads(self._from.readline())["ended"], leads

    def hands_in_again(self, here: Workspace) -> str:
        """Presses the button before a desk that lives on; where the answer leads."""
        teacher = Browser(here)
        teacher.client.headers["Cookie"] = self.cookies
        return str(teacher.sends(CHECK, {"true": "1"}, token=self.token).headers["location"])

    @property
    def _to(self) -> IO[bytes]:
        assert self._process.stdin
        return self._process.stdin

    @property
    def _from(self) -> IO[bytes]:
        assert self._process.stdout
        return self._process.stdout

    def _sent(self, settings: Settings) -> str:
        give_up = time.monotonic() + PATIENCE
        while True:
            line = http.client.HTTPConnection(settings.listen, timeout=PATIENCE)
            try:
                line.connect()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < give_up, "the desk did not come up"
                time.sleep(0.02)
        body = f"form_token={self.token}&true=1"
        headers = {
            "Cookie": self.cookies,
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            line.request("POST", CHECK, body, headers)
            answer = line.getresponse()
            assert answer.status == 303, answer.read().decode()
            return answer.headers["location"]
        except (http.client.RemoteDisconnected, ConnectionResetError):
            return ""
        finally:
            line.close()


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    """The process that begins lives."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("LABELS_")}
    command = [sys.executable, "-m", "tests.support.mortal_desk"]
    with subprocess.Popen(
        command, cwd=PROJECT, env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as one:
        yield one
        assert one.stdin
        one.stdin.close()
        one.wait(PATIENCE)


@pytest.fixture(params=["sqlite", "postgresql"])
def lives(request: pytest.FixtureRequest, tmp_path: Path, fork: subprocess.Popen[bytes]) -> Lives:
    """On each database in turn."""
    if request.param == "sqlite":
        return Lives(tmp_path, fork, None, "")
    return Lives(
        tmp_path,
        fork,
        request.getfixturevalue("postgresql_cluster"),
        request.getfixturevalue("postgresql_template"),
    )


def facts(here: Workspace) -> dict[str, Any]:
    """What is in the record about the application, its draft, and their files, which are all there."""
    with here.record.reading() as session:

        def all_of(kind: Any) -> list[Any]:
            return list(session.scalars(sa.select(kind)))

        applications, documents = all_of(Application), all_of(Document)
        evidence = all_of(DraftEvidence)
        for one in (*documents, *evidence):
            assert here.documents.get(one.key)
        _, findings = verify(session, [])
        assert findings == []
        return {
            "applications": [(one.id, one.stage, one.content) for one in applications],
            "documents": sorted((one.application, one.kind, one.name, one.key) for one in documents),
            "drafts": [(one.project, one.body) for one in all_of(ApplicationDraft)],
            "evidence": sorted((one.name, one.key) for one in evidence),
            "mail": sorted((one.application, one.template) for one in all_of(Mail) if one.application),
            "journal": [(one.who, one.what, one.application) for one in all_of(Journal) if one.application],
        }


def test_killed_before_any_statement_of_hand_in_there_is_one_application_or_none(lives: Lives) -> None:
    with lives.another() as (settings, home):
        none = facts(open_workspace(settings))
        close_records()
        ended, leads = lives.hands_in(settings, 0, home / "told")
        assert (ended, leads[:14]) == (ASKED_TO_END, "/applications/")
        whole = facts(open_workspace(settings))
        moments = (home / "told").read_text().splitlines()
    number = whole["applications"][0][0]
    assert len(none["drafts"]) == len(none["evidence"]) == 1
    assert none["applications"] == none["documents"] == none["mail"] == none["journal"] == []
    assert [one[1] for one in whole["documents"]] == ["application", "evidence"]
    assert whole["applications"][0][2]["description"] == application_file()["description"]
    assert whole["drafts"] == whole["evidence"] == []
    before: list[tuple[str, bool]] = []
    # On PostgreSQL each third, so that one of them is when it is in and not answered yet.
    each_third = range(moments.index("it is answered") + 1, 0, -3)[::-1]
    for last in itertools.count(1) if lives.cluster is None else each_third:
        with lives.another() as (settings, home):
            ended, leads = lives.hands_in(settings, last, home / "told")
            if ended == ASKED_TO_END:  # it has no such statement: it was answered before
                break
            assert ended == -signal.SIGKILL
            moment = (home / "told").read_text().splitlines()[last - 1]
            here = open_workspace(settings)
            remained = facts(here)
            assert remained in (none, whole), moment
            if leads:  # what is noted of the session comes after the answer
                assert remained == whole, moment
            before.append((moment, remained == whole))
            # Whoever presses the button again has the application that there is, or now is.
            assert lives.hands_in_again(here).partition("?")[0] == f"/applications/{number}"
            assert facts(here) == whole
    one, draft = (sum(there is here for _, there in before) for here in (True, False))
    print(f"{len(before)} kills: {draft} left the draft, {one} the application")
    assert [there for _, there in before] == [False] * draft + [True] * one, "once it is in, it is in"
    assert draft > 5
    assert one
    if lives.cluster is None:
        assert {"COMMIT", "a document is stored", "it is answered"} <= {moment for moment, _ in before}
