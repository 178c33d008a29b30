"""A year played on a copy: what it tells, that nobody real is in it, and that the real record stays as it was."""

from __future__ import annotations

import email
import email.policy
import hashlib
import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import aiosmtpd.controller
import pypdf
import pytest
import sqlalchemy as sa

from adapters.workspace import workspace
from cli.services import free_port
from labels.record import open_record
from labels.record.schema import Organisation, Person, School, Staff, Teacher
from labels.rules.loading import RULES
from labels.settings import Settings
from labels.views.rehearsal import Rehearsal
from tests.cli.conftest import Terminal
from usecases.rehearsing.copying import NOWHERE, copy_registry
from usecases.rehearsing.rehearsal import INCOMPLETE, MOST_PLAYED, REPORT, settings_of

pytestmark = pytest.mark.slow

YEAR = ("--organisation", "NSS-PL", "--applications", "6")


def rehearsed(folder: Path) -> Rehearsal:
    return Rehearsal.model_validate_json((folder / REPORT).read_text("utf-8"))


def digest(terminal: Terminal) -> str:
    """Of everything in the real record."""
    terminal.here.record.engine.dispose()  # what is in the log gets into the file
    return hashlib.sha256((terminal.here.settings.home / "record.db").read_bytes()).hexdigest()


class _Sink:
    """A mail server that notes whom it is asked to write to."""

    def __init__(self) -> None:
        self.met: list[str] = []

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:  # aiosmtpd's name
        self.met.append(address)
        return "250 OK"

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str) -> str:  # as above
        self.met.append(hostname)
        session.host_name = hostname
        return "250 HELP"


@pytest.fixture
def sink(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Sink]:
    """The mail server of the real installation, which has everything configured that reaches somebody."""
    found = _Sink()
    server = aiosmtpd.controller.Controller(found, hostname="127.0.0.1", port=free_port())
    server.start()
    monkeypatch.setenv("LABELS_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
    monkeypatch.setenv("LABELS_TIMESTAMP_URL", f"http://127.0.0.1:{server.port}")
    workspace.cache_clear()
    assert workspace().settings.smtp_url
    yield found
    server.stop()


def everything_written(folder: Path) -> str:
    """What anybody could read in a folder: mails without their encoding, papers' words, all else as it is."""
    said = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        content = path.read_bytes()
        if path.suffix == ".eml":
            message = email.message_from_bytes(content, policy=email.policy.default)
            said += [str(value) for value in message.values()]
            said += [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
        elif content.startswith(b"%PDF") and path.suffix == ".pdf":
            said += [page.extract_text() for page in pypdf.PdfReader(path).pages]
        elif path.suffix == ".csv":
            said.append(content.decode("utf-16"))
        else:
            said.append(content.decode("utf-8", "replace"))
    return "\n".join(said)


def test_a_year_reaches_nobody_and_nobody_real_is_in_it(
    terminal: Terminal, sink: _Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.submitted()
    before = digest(terminal)

    def refuse(*_: Any) -> NoReturn:
        raise AssertionError("a rehearsal opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    result = terminal.run("rehearse", "played", *YEAR, "--keep")
    assert result.exit_code == 0, result.stderr
    assert sink.met == []
    folder = terminal.folder / "played"
    written = everything_written(folder)
    with terminal.here.record.reading() as session:
        public = set(session.scalars(sa.select(Organisation.name)))
        people = session.execute(sa.select(Person.name, Person.address)).tuples().all()
    canaries = {word for person in people for word in person} - public
    assert len(canaries) > 10
    assert [one for one in sorted(canaries) if one in written] == []
    assert "Uczniowie badali rzeki" not in written, "what somebody applied with was copied"
    assert digest(terminal) == before
    mails = list(folder.glob("*/mail/*.eml"))
    assert mails
    for path in mails:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert [one.domain for one in message["To"].addresses] == [NOWHERE]
    assert folder.stat().st_mode & 0o077 == 0


def test_settings_of_a_rehearsal_have_nothing_that_reaches_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever the environment says: a setting that is new is looked at here, too."""
    for name in Settings.model_fields:
        if Settings.model_fields[name].annotation is str:
            monkeypatch.setenv(
                f"LABELS_{name.upper()}", f"s3://{name}" if name == "documents" else f"smtp://{name}:25"
            )
    found = settings_of(tmp_path / "home", None, None)
    own = {"home", "secret", "public_url", "site_url", "mail_sender", "webhooks"}
    for name, field in Settings.model_fields.items():
        if name not in own:
            assert getattr(found, name) == field.get_default(call_default_factory=True), name
    assert found.webhooks == "off"
    assert found.record_url == f"sqlite:///{tmp_path / 'home' / 'record.db'}"
    assert found.documents_uri == (tmp_path / "home" / "documents").as_uri()


def test_the_report_tells_of_each_number_of_reviewers(terminal: Terminal) -> None:
    """So few applications that a reviewer manages one in ten weeks: that of two makes people wait longer than of nine."""
    words = ("rehearse", "played", *YEAR, "--reviewers", "2,9", "--a-week", "0.1")
    found = Rehearsal.model_validate(terminal.json(*words))
    few, many = found.played
    assert (few.reviewers, many.reviewers) == (2, 9)
    assert few.applications == many.applications == 6
    assert sum(few.stages["national"].values()) == 6
    waited = [
        next(step for step in one.steps if step.step == "review").days.median or 0 for one in (few, many)
    ]
    assert waited[0] > waited[1]
    assert many.mails["review_asked"] >= 12
    assert many.papers["receipt"] == 6
    folder = terminal.folder / "played"
    assert rehearsed(folder) == found
    assert not (folder / INCOMPLETE).exists()
    assert "<svg" in (folder / "report.html").read_text("utf-8")
    for one in found.played:
        within = folder / one.name
        assert {path.name for path in within.iterdir()} == {"cases.csv", "mail", "papers"}
        assert len((within / "cases.csv").read_bytes().decode("utf-16").splitlines()) == 2 + 6
        assert all(path.read_bytes().startswith(b"%PDF") for path in (within / "papers").iterdir())
        assert list((within / "papers").glob("receipt *"))


def test_the_same_seed_is_the_same_year(terminal: Terminal) -> None:
    def played(name: str, seed: str) -> Any:
        found = terminal.json("rehearse", name, *YEAR, "--seed", seed)["played"][0]
        return {key: value for key, value in found.items() if key not in ("took_s", "late_cases", "refused")}

    first = played("one", "3")
    assert played("two", "3") == first
    assert played("three", "4") != first


def test_another_last_day_moves_the_rush(terminal: Terminal) -> None:
    found = Rehearsal.model_validate(
        terminal.json("rehearse", "played", *YEAR, "--deadline", "2026-05-15,2026-11-30")
    )
    assert [str(one.last_day) for one in found.played] == ["2026-05-15", "2026-11-30"]
    assert (
        found.played[0].ended_at < found.played[1].ended_at
        or found.played[0].decision != found.played[1].decision
    )


def test_another_last_day_moves_a_round_and_its_decisions(terminal: Terminal) -> None:
    with terminal.here.record.writing() as session:
        session.add(
            Organisation(
                id="NSS-CZ", country="CZ", kind="NSS", name="Dům", email="nss@cz.example", language="cs"
            )
        )
        session.flush()
        for table in (School, Staff):
            session.execute(
                sa.update(table).where(table.organisation == "NSS-PL").values(organisation="NSS-CZ")
            )
        session.execute(sa.update(School).where(School.organisation == "NSS-CZ").values(country="CZ"))
    words = (
        "rehearse",
        "played",
        "--organisation",
        "NSS-CZ",
        "--applications",
        "4",
        "--deadline",
        "2026-10-15",
    )
    [one] = Rehearsal.model_validate(terminal.json(*words)).played
    assert str(one.last_day) == "2026-10-15"


def test_reviewers_are_assigned_together_where_the_rules_say_so(terminal: Terminal) -> None:
    rules = terminal.folder / "rules"
    shutil.copytree(RULES, rules, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    own = "national: {review: {assignment: {together: {value: true, source: assumption}}}}\n"
    (rules / "editions" / "2026" / "NSS-PL.yaml").write_text(own, "utf-8")
    [one] = Rehearsal.model_validate(terminal.json("rehearse", "played", *YEAR, "--rules", "rules")).played
    assert one.mails["plan_awaited"] >= 1
    assert "assignment" in [step.step for step in one.steps]
    assert one.decision.number > 0
    assert one.refused == []


def test_who_is_on_a_staff_at_two_addresses_is_so_in_the_copy(terminal: Terminal) -> None:
    with terminal.here.record.writing() as session:
        one = session.scalars(
            sa.select(Staff).where(Staff.organisation == "NSS-PL", Staff.role == "reviewer")
        ).first()
        assert one
        again = {name: getattr(one, name) for name in Staff.__mapper__.columns.keys()}  # noqa: SIM118 - a collection of columns
        session.add(Staff(**again | {"email": "again@nss.example"}))
        person = one.person
    target = open_record(Settings(_env_file=None, home=terminal.folder / "copy"))
    with terminal.here.record.reading() as source, target.writing() as session:
        copy_registry(source, session, ["NSS-PL"])
    with terminal.here.record.reading() as source, target.reading() as session:
        rows = sa.select(sa.func.count()).select_from(Staff)
        theirs = rows.where(Staff.organisation == "NSS-PL", Staff.left_on.is_(None))
        assert session.scalar(rows.where(Staff.organisation == "NSS-PL")) == source.scalar(theirs)
        assert person not in session.scalars(sa.select(Staff.person)).all()


def test_of_another_organisation_nothing_is_copied(terminal: Terminal) -> None:
    terminal.run("rehearse", "played", *YEAR, "--keep")
    [record] = (terminal.folder / "played").rglob("record.db")
    engine = sa.create_engine(f"sqlite:///{record}")
    with sa.orm.Session(engine) as session:
        schools = set(session.scalars(sa.select(School.id)))
        teachers = session.scalar(sa.select(sa.func.count()).select_from(Teacher))
    engine.dispose()
    assert schools == {"S-1", "S-9", "S-V-NSS-PL"}, "its own, and a virtual partner's"
    assert teachers == 2 + 1


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (("--organisation", "NSS-XX"), 4, "There is no organisation NSS-XX."),
        (("--reviewers", "10"), 2, "--reviewers: goes with one organisation."),
        ((*YEAR, "--reviewers", "ten"), 2, "“ten” is no number"),
        ((*YEAR, "--reviewers", "0"), 2, "expected 1 to"),
        ((*YEAR, "--reviewers", ",".join(map(str, range(1, MOST_PLAYED + 2)))), 2, f"at most {MOST_PLAYED}"),
        ((*YEAR, "--deadline", "in May"), 2, "“in May” is not a date"),
        ((*YEAR, "--deadline", "9999-05-31"), 2, "expected a day from 2026-03-17 to 2027-03-16"),
        ((*YEAR, "--a-week", "nan"), 2, "--a-week: is nan"),
        ((*YEAR, "--factor", "0"), 2, "expected more than 0"),
        (("--organisation", "NSS-PL", "--applications", "700"), 2, "3 each are the most"),
        (("--organisation", "NSS-PL"), 2, "nobody applied in the last twelve months"),
    ],
)
def test_what_can_not_be_played_is_refused_and_leaves_no_folder(
    terminal: Terminal, words: tuple[str, ...], exit_code: int, said: str
) -> None:
    told = terminal.fails(exit_code, "rehearse", "played", *words)
    assert said in told
    assert not (terminal.folder / "played").exists()


def test_a_folder_with_something_in_it_stays_as_it_is(terminal: Terminal) -> None:
    terminal.file("a file", b"mine")
    assert "has something in it" in terminal.fails(2, "rehearse", ".", *YEAR)
    assert [one.name for one in terminal.folder.iterdir()] == ["a file"]


def test_a_full_disk_leaves_the_record_alone_and_no_folder(terminal: Terminal) -> None:
    """A process may write no file beyond what the copied registry needs, as if there were no room for more."""
    before = digest(terminal)
    size = (terminal.here.settings.home / "record.db").stat().st_size

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

    done = subprocess.run(
        [sys.executable, "-c", "from cli import main; main()", "rehearse", "played", *YEAR],
        cwd=terminal.folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        preexec_fn=little_room,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5, done.stderr
    assert "there is no room left" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (terminal.folder / "played").exists()
    assert digest(terminal) == before


def test_no_room_while_a_year_is_played_removes_what_was_made(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest(terminal)
    usage = shutil.disk_usage(terminal.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    told = terminal.fails(5, "rehearse", "played", *YEAR)
    assert "there is no room left" in told
    assert not (terminal.folder / "played").exists()
    assert digest(terminal) == before
