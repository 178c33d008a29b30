"""The mail server fails while an application lives: nothing is lost, doubled or stalled. With a real server over SMTP."""

from __future__ import annotations

import asyncio
import email
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

import adapters.mail.post
from adapters.mail.transports import FolderTransport, SmtpTransport
from cli.services import free_port
from labels.record import Record
from labels.settings import Settings
from tests.flows.test_kill_points import AWARDED
from tests.support.faulty_world import FaultyWorld
from tests.support.patience import PATIENCE
from tests.support.people import populate

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("record_url", ["sqlite"], indirect=True),
]
SLOW, TIMEOUT = 3.0, 0.5


@dataclass
class MailServer:
    """A mail server whose mailboxes are a folder; each of its faults is a value."""

    folder: Path
    fault: str
    port: int = field(default_factory=free_port)
    failing: bool = False
    taken: list[str] = field(default_factory=list)
    """The Message-IDs, as often as each came."""
    _running: Controller | None = None

    def start(self) -> None:
        self._running = Controller(self, "127.0.0.1", self.port, ready_timeout=PATIENCE)
        self._running.start()

    def stop(self) -> None:
        if self._running:
            self._running.stop()
            self._running = None

    def begin(self) -> None:
        self.failing = True
        if self.fault == "down":
            self.stop()

    def mend(self) -> None:
        self.failing = False
        if self.fault == "down":
            self.start()

    def fails(self, *faults: str) -> bool:
        return self.failing and self.fault in faults

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.fails("recipients refused for now") or (self.fails("some refused") and "r" in address[:1]):
            return "450 4.2.1 try later"
        if self.fails("recipients refused for good"):
            return "550 5.1.1 user unknown"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.fails("slow"):
            await asyncio.sleep(SLOW)
        if self.fails("4xx"):
            return "451 4.3.0 try later"
        if self.fails("5xx"):
            return "554 5.7.1 refused"
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.taken.append(str(message["Message-ID"]).strip())
        FolderTransport(self.folder).send(message)
        if self.fails("answer lost"):
            assert server.transport is not None
            cast("asyncio.Transport", server.transport).abort()
        return "250 OK"


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MailServer]:
    made = MailServer(tmp_path / "home" / "mail", request.param)
    made.start()
    yield made
    made.stop()


def lived(
    record: Record, home: Path, server: MailServer, monkeypatch: pytest.MonkeyPatch, strikes: int
) -> FaultyWorld:
    def over_smtp(_: Settings) -> SmtpTransport:
        return SmtpTransport(
            f"smtp://127.0.0.1:{server.port}", timeout=TIMEOUT if server.failing else PATIENCE
        )

    monkeypatch.setattr(adapters.mail.post, "open_transport", over_smtp)
    with record.writing() as session:
        populate(session)
    home.mkdir(exist_ok=True)
    world = FaultyWorld(AWARDED, home, record, server, strikes)
    world.live()
    return world


FAULTS = (
    "down",
    "slow",
    "4xx",
    "5xx",
    "some refused",
    "recipients refused for now",
    "recipients refused for good",
    "answer lost",
)


@pytest.mark.parametrize("server", FAULTS, indirect=True)
def test_every_message_arrives_whatever_the_mail_server_did_meanwhile(
    record: Record, tmp_path: Path, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = lived(record, tmp_path / "home", server, monkeypatch, strikes=1)
    facts: dict[str, Any] = world.facts()
    assert all(sent for _, _, sent in facts["mail"])
    assert len(facts["letters"]) == len(facts["mail"]) == 7
    assert set(server.taken) == set(facts["letters"])
    assert facts["end"][1] == AWARDED.ends
    if server.fault not in ("answer lost", "slow"):  # of these the server took what nobody knows that it took
        assert len(server.taken) == len(set(server.taken)), "each once"
    assert world.checked() == []
