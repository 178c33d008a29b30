"""Mail on its way: to a real server and into a folder, through outages, crashes and rivals."""

from __future__ import annotations

import email
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import AuthResult, LoginPassword, Session
from aiosmtpd.smtp import Envelope as Taken

from adapters.mail.delivery import Delivered, deliver_due
from adapters.mail.transports import FolderTransport, NotDelivered, SmtpTransport, Transport, open_transport
from labels.clock import frozen_clock
from labels.errors import InvalidInput, NotFound, OutOfReach
from labels.kinds import LabelKind
from labels.mail import outbox
from labels.mail.message import Template
from labels.mail.outbox import Envelope
from labels.people.named import Recipient
from labels.record.engine import Record, open_record
from labels.record.schema import (
    Application,
    Award,
    Document,
    Mail,
    Organisation,
    PupilCode,
    RuleText,
    School,
    Stage,
    Step,
    StepKind,
    StepState,
    Teacher,
)
from labels.settings import Settings
from labels.steps.codes import review_code
from labels.turn import Turn
from tests.support.mails import APPLICATION, EXAMPLES, FORMER, NOW, STEP, mail
from tests.support.patience import PATIENCE

KEY = b"a secret for tests"


class Mailbox:
    """A mail server's end: keeps what it takes, refuses what it is told to."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.at_recipient: dict[str, str] = {}
        self.at_content: list[str] = []
        """Replies to the next contents, before any is taken."""
        self.connections = 0

    async def handle_EHLO(
        self, server: Server, session: Session, envelope: Taken, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: Server, session: Session, envelope: Taken, address: str, options: list[str]
    ) -> str:
        if refusal := self.at_recipient.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Server, session: Session, envelope: Taken) -> str:
        if self.at_content:
            return self.at_content.pop(0)
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def serve(mailbox: Mailbox) -> Iterator[Callable[..., int]]:
    """Starts the server, on the port asked for or a free one, and returns its port."""
    running: list[Controller] = []

    def start(port: int | None = None, **how: Any) -> int:
        controller = Controller(mailbox, "127.0.0.1", port or free_port(), ready_timeout=PATIENCE, **how)
        controller.start()
        running.append(controller)
        return int(controller.port)

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def application(record: Record) -> str:
    """An open application with one open review step."""
    with record.writing() as session:
        session.add_all(
            [
                Organisation(id="NSS-GR", country="GR", kind="NSS", name="NSS", email="n@x.example",
                    language="el"),
                RuleText(digest="r", version="1", body={}),
            ]
        )  # fmt: skip
        session.flush()
        session.add(
            School(
                id="S1", name="S", country="GR", organisation="NSS-GR", city="", registered_on=NOW.date(),
                principal_name="", principal_email="",
            )
        )  # fmt: skip
        session.flush()
        session.add(
            Teacher(
                id="T1", name="Eleni", email="e@x.example", school="S1", registered_on=NOW.date(),
                language="el",
            )
        )  # fmt: skip
        session.flush()
        session.add(
            Application(
                id=APPLICATION, label="national", teacher="T1", project=None, school="S1",
                organisation="NSS-GR", country="GR", language="el", attempt=1, content={},
                content_digest="c", rules="r", submitted_at=NOW, school_year=2025, round=None,
                decide_by=None, stage=next(iter(Stage)), stage_since=NOW, outcome=None, run=None,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            Step(
                id=STEP, application=APPLICATION, kind=StepKind.REVIEW, number=1, assignee="r@x.example",
                organisation="NSS-GR", state=StepState.OPEN, opened_at=NOW, due_at=None, stopped_at=None,
                asked_by=None, question=None, answer=None, code_hash="", refused=None, draft=None,
                closed_at=None, closed_because=None, code_number=3,
            )
        )  # fmt: skip
    return APPLICATION


def queued(
    record: Record,
    name: str,
    template: Template = Template.WITHDRAWN,
    *,
    to: str = "",
    application: str | None = None,
    step: str | None = None,
    attachments: tuple[str, ...] = (),
) -> None:
    """Queues the example of a template, for a reason that ends in `name`."""
    envelope = Envelope(
        Recipient("Ελένη", to or f"{name}@school.example", "en"), (name,), application, step, attachments
    )
    with record.writing() as session:
        assert outbox.queue(Turn(session, NOW), EXAMPLES[template], envelope)


class Documents(dict[str, bytes]):
    """A document store, as far as mail asks one."""

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            raise NotFound(f"{key} is not stored.") from None


def delivered(
    record: Record, transport: Transport, now: datetime = NOW, documents: Any = None, **how: Any
) -> Delivered:
    return deliver_due(
        record,
        documents or Documents(),
        transport,
        keys=lambda: (KEY,),
        sender="eTwinning labels <labels@etwinning.example>",
        site="http://127.0.0.1:4200",
        clock=frozen_clock(now),
        **how,
    )


def row(record: Record, name: str) -> Mail:
    with record.reading() as session:
        return session.scalars(sa.select(Mail).where(Mail.reason.endswith(f"/{name}"))).one()


def smtp(port: int, **how: Any) -> SmtpTransport:
    return SmtpTransport(f"smtp://127.0.0.1:{port}", **how)


@pytest.mark.slow
def test_everything_due_goes_out_once_over_one_connection(
    record: Record, mailbox: Mailbox, serve: Callable[..., int]
) -> None:
    port = serve()
    for name in "abc":
        queued(record, name)
    assert delivered(record, smtp(port)) == Delivered(sent=3)
    assert delivered(record, smtp(port), NOW + timedelta(days=9)) == Delivered()
    assert sorted(message["Message-ID"] for message in mailbox.taken) == sorted(
        row(record, name).message_id for name in "abc"
    )
    assert mailbox.connections == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_password_is_given_where_the_server_asks(
    record: Record, mailbox: Mailbox, serve: Callable[..., int]
) -> None:
    def check(server: Server, session: Session, envelope: Taken, mechanism: str, given: Any) -> AuthResult:
        right = isinstance(given, LoginPassword) and given.password == b"p@ss/word"
        return AuthResult(success=right, handled=False)

    port = serve(authenticator=check, auth_required=True, auth_require_tls=False)
    queued(record, "a")
    wrong = delivered(record, SmtpTransport(f"smtp://labels:wrong@127.0.0.1:{port}"))
    assert wrong == Delivered(postponed=1)
    later = NOW + timedelta(minutes=1)
    right = delivered(record, SmtpTransport(f"smtp://labels:p%40ss%2Fword@127.0.0.1:{port}"), later)
    assert right == Delivered(sent=1)
    assert len(mailbox.taken) == 1


@pytest.mark.slow
def test_a_server_without_encryption_gets_nothing_where_encryption_is_asked_for(
    record: Record, mailbox: Mailbox, serve: Callable[..., int]
) -> None:
    port = serve()
    queued(record, "a")
    assert delivered(record, SmtpTransport(f"smtp+starttls://127.0.0.1:{port}")) == Delivered(postponed=1)
    assert mailbox.taken == []


@pytest.mark.slow
def test_an_outage_puts_mail_off_and_all_of_it_arrives_afterwards(
    record: Record, mailbox: Mailbox, serve: Callable[..., int]
) -> None:
    port = free_port()
    for name in "abc":
        queued(record, name)
    assert delivered(record, smtp(port)) == Delivered(postponed=3)
    first = row(record, "a")
    assert first.sent_at is None
    assert "out of reach" in (first.last_error or "")
    assert first.next_attempt_at == NOW + timedelta(minutes=1)
    serve(port)
    assert delivered(record, smtp(port)) == Delivered(sent=2)  # those that were not tried are due at once
    assert delivered(record, smtp(port), NOW + timedelta(minutes=1)) == Delivered(sent=1)
    assert len(mailbox.taken) == 3
    assert row(record, "a").last_error is None


@pytest.mark.slow
def test_one_refused_recipient_does_not_hold_up_the_others(
    record: Record, mailbox: Mailbox, serve: Callable[..., int]
) -> None:
    mailbox.at_recipient = {"a@school.example": "550 no such user", "b@school.example": "450 mailbox busy"}
    port = serve()
    for name in "abc":
        queued(record, name)
    queued(record, "d", to="no address")
    assert delivered(record, smtp(port)) == Delivered(sent=1, postponed=1, failed=2)
    assert row(record, "a").next_attempt_at == NOW + outbox.LONGEST_DELAY
    assert "550 no such user" in (row(record, "a").last_error or "")
    assert row(record, "b").next_attempt_at == NOW + timedelta(minutes=1)
    assert "no mail address" in (row(record, "d").last_error or "")


@pytest.mark.slow
def test_a_content_refused_for_now_is_sent_later_under_the_same_message_id(
    record: Record, mailbox: Mailbox, serve: Callable[..., int]
) -> None:
    mailbox.at_content = ["451 try again"]
    port = serve()
    queued(record, "a")
    assert delivered(record, smtp(port)) == Delivered(postponed=1)
    assert delivered(record, smtp(port), NOW + timedelta(minutes=1)) == Delivered(sent=1)
    assert [message["Message-ID"] for message in mailbox.taken] == [row(record, "a").message_id]


def test_a_server_that_never_answers_is_out_of_reach() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(OutOfReach, match="sent later"):
            smtp(silent.getsockname()[1], timeout=0.2)._connected()


@pytest.mark.slow
def test_a_connection_that_the_server_closed_meanwhile_is_opened_again(
    record: Record, mailbox: Mailbox, serve: Callable[..., int]
) -> None:
    port = serve()
    transport = smtp(port)
    for reason in "ab":
        queued(record, reason)
    assert delivered(record, transport, limit=1) == Delivered(sent=1)
    connection = transport._connected()
    assert connection.sock
    connection.sock.shutdown(socket.SHUT_RDWR)
    assert delivered(record, transport) == Delivered(sent=1)


@pytest.mark.slow
def test_two_deliverers_at_once_send_each_message_once(
    settings: Settings, mailbox: Mailbox, serve: Callable[..., int]
) -> None:
    port = serve()
    record = open_record(settings)
    for number in range(20):
        queued(record, f"m{number}")
    together = threading.Barrier(2)

    def one() -> Delivered:
        together.wait(PATIENCE)
        return delivered(record, smtp(port))

    with ThreadPoolExecutor(2) as pool:
        runs = [future.result() for future in [pool.submit(one), pool.submit(one)]]
    assert runs[0] + runs[1] == Delivered(sent=20)
    assert len({message["Message-ID"] for message in mailbox.taken}) == len(mailbox.taken) == 20


class Dying(FolderTransport):
    """Takes the message, and the process ends before it is marked."""

    def send(self, message: EmailMessage) -> None:
        super().send(message)
        raise KeyboardInterrupt


def test_a_crash_between_sending_and_marking_leaves_one_file(record: Record, tmp_path: Path) -> None:
    queued(record, "a")
    folder = tmp_path / "mail"
    with pytest.raises(KeyboardInterrupt):
        delivered(record, Dying(folder))
    [before] = folder.iterdir()
    assert delivered(record, FolderTransport(folder)) == Delivered()  # the claim still stands
    assert delivered(record, FolderTransport(folder), NOW + outbox.LEASE) == Delivered(sent=1)
    assert list(folder.iterdir()) == [before]


def test_the_folder_names_its_files_for_people_and_keeps_them_to_their_owner(
    record: Record, application: str, tmp_path: Path
) -> None:
    queued(record, "a", Template.RECEIPT, application=application)
    transport = FolderTransport(tmp_path / "mail")
    assert delivered(record, transport) == Delivered(sent=1)
    [file] = (tmp_path / "mail").iterdir()
    assert file.name.startswith(f"20260316-093000 receipt {application} ")
    assert file.suffix == ".eml"
    assert file.stat().st_mode & 0o077 == 0


def test_who_answers_a_mail_writes_to_the_organisation(
    record: Record, application: str, tmp_path: Path
) -> None:
    queued(record, "a", application=application)
    queued(record, "b", Template.PASSKEY_CHANGED)
    with record.writing() as session:
        signed = session.scalars(sa.select(Mail).where(Mail.template == Template.PASSKEY_CHANGED)).one()
        session.get_one(Organisation, "NSS-GR").name = signed.context["message"]["organisation_name"]
    folder = tmp_path / "mail"
    assert delivered(record, FolderTransport(folder)) == Delivered(sent=2)
    for file in folder.iterdir():
        message = email.message_from_bytes(file.read_bytes(), policy=default)
        assert message["Reply-To"] == "n@x.example", file.name
        assert message["From"] == "eTwinning labels <labels@etwinning.example>"


@pytest.mark.parametrize(
    ("settings", "sender"),
    [
        ({}, "eTwinning labels <labels@localhost>"),
        ({"public_url": "https://labels.example.eu:8443"}, "eTwinning labels <labels@labels.example.eu>"),
        ({"public_url": "http://192.0.2.7:4280"}, "eTwinning labels <labels@localhost>"),
        (
            {"public_url": "https://labels.example.eu", "mail_sender": "NSS <n@x.example>"},
            "NSS <n@x.example>",
        ),
    ],
)
def test_mail_comes_from_the_host_of_the_public_address(settings: dict[str, Any], sender: str) -> None:
    assert Settings(_env_file=None, **settings).sender == sender


def test_a_folder_that_cant_be_written_keeps_the_mail_in_the_outbox(record: Record, tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    queued(record, "a")
    assert delivered(record, FolderTransport(tmp_path / "mail")) == Delivered(postponed=1)
    assert row(record, "a").sent_at is None


def test_the_code_is_made_when_the_mail_goes_out_and_is_in_no_table(
    record: Record, application: str, tmp_path: Path
) -> None:
    queued(record, "a", Template.REVIEW_ASKED, application=application, step=STEP)
    assert delivered(record, FolderTransport(tmp_path / "mail")) == Delivered(sent=1)
    [file] = (tmp_path / "mail").iterdir()
    code = review_code(KEY, STEP, 3)
    assert code in file.read_text()
    with record.reading() as session:
        kept = session.scalars(sa.select(Mail)).one()
        assert code not in repr({c.name: getattr(kept, c.name) for c in Mail.__table__.columns})


def test_the_mail_leads_to_the_run_where_its_step_is_answered(
    record: Record, application: str, tmp_path: Path
) -> None:
    with record.writing() as session:
        session.get_one(Application, application).run = "a-run"
    queued(record, "a", Template.REVIEW_ASKED, application=application, step=STEP)
    assert delivered(record, FolderTransport(tmp_path / "mail")) == Delivered(sent=1)
    [file] = (tmp_path / "mail").iterdir()
    assert "http://127.0.0.1:4200/runs/flow-run/a-run" in file.read_text()


def test_a_request_whose_step_is_closed_is_dropped_but_news_still_goes_out(
    record: Record, application: str, tmp_path: Path
) -> None:
    queued(record, "asked", Template.REVIEW_ASKED, application=application, step=STEP)
    queued(record, "receipt", Template.RECEIPT, application=application, step=STEP)
    with record.writing() as session:
        session.get_one(Step, STEP).state = StepState.VOID
    assert delivered(record, FolderTransport(tmp_path / "mail")) == Delivered(sent=1, obsolete=1)
    [file] = (tmp_path / "mail").iterdir()
    assert " receipt " in file.name
    assert "--code" not in file.read_text()
    assert "no longer open" in (row(record, "asked").last_error or "")


@pytest.mark.slow
def test_what_an_earlier_release_left_in_the_outbox_goes_out_after_an_upgrade(
    record: Record, application: str, tmp_path: Path
) -> None:
    with record.writing() as session:
        session.add(
            Award(
                id=application,
                label=LabelKind.NATIONAL,
                teacher="T1",
                school="S1",
                organisation="NSS-GR",
                awarded_on=NOW.date(),
            )
        )
        session.flush()
        session.add(PupilCode(award=application, number=1, code_hash="", failures=0, asked_at=NOW))
        for template, context in FORMER.items():
            session.add(mail(Template(template), context=context, application=None))
    assert delivered(record, FolderTransport(tmp_path / "mail")) == Delivered(sent=len(FORMER))


def test_a_message_that_cannot_be_read_holds_up_no_other(record: Record, tmp_path: Path) -> None:
    with record.writing() as session:
        session.add(mail(Template.PUPIL_CODE, context={}, application=None))
        session.add(mail(Template.WITHDRAWN, context={"message": {}}, application=None))
    queued(record, "a")
    assert delivered(record, FolderTransport(tmp_path / "mail")) == Delivered(sent=1, failed=2)
    assert "about: Field required" in (row(record, "withdrawn").last_error or "")


@pytest.mark.slow
def test_a_mail_waits_for_its_certificate_and_takes_it_along(
    record: Record, application: str, mailbox: Mailbox, serve: Callable[..., int]
) -> None:
    port = serve()
    for name in ("first", "second"):
        queued(record, name, Template.AWARDED, application=application, attachments=(f"certificate/{name}",))
    assert delivered(record, smtp(port)) == Delivered()
    with record.writing() as session:
        session.add(_document("first.pdf", "certificate/first"))
    documents = Documents({"first.pdf": b"%PDF-1"})
    assert delivered(record, smtp(port), documents=documents) == Delivered(sent=1)
    with record.writing() as session:
        session.add(_document("second.pdf", "certificate/second"))
    assert delivered(record, smtp(port), documents=documents) == Delivered(postponed=1)  # not in the store
    documents["second.pdf"] = b"%PDF-2"
    later = NOW + timedelta(minutes=1)
    assert delivered(record, smtp(port), later, documents) == Delivered(sent=1)
    attached = [next(iter(message.iter_attachments())) for message in mailbox.taken]
    assert [part.get_filename() for part in attached] == ["first.pdf", "second.pdf"]


def test_an_award_waits_for_certificate_and_letter_and_takes_both_along(
    record: Record, application: str, mailbox: Mailbox, serve: Callable[..., int]
) -> None:
    port = serve()
    queued(
        record,
        "award",
        Template.AWARDED,
        application=application,
        attachments=("certificate/1", "letter/1"),
    )
    documents = Documents({"certificate.pdf": b"%PDF-1", "letter.pdf": b"%PDF-2"})
    for name, paper in (("letter.pdf", "letter/1"), ("certificate.pdf", "certificate/1")):
        assert delivered(record, smtp(port), documents=documents) == Delivered()
        with record.writing() as session:
            session.add(_document(name, paper))
    assert delivered(record, smtp(port), documents=documents) == Delivered(sent=1)
    [message] = mailbox.taken
    assert [part.get_filename() for part in message.iter_attachments()] == ["certificate.pdf", "letter.pdf"]


def _document(name: str, paper: str) -> Document:
    return Document(
        application=APPLICATION, kind=paper.partition("/")[0], name=name, key=name, paper=paper,
        media_type="application/pdf", size=6, stored_at=NOW,
    )  # fmt: skip


def test_one_applications_mail_can_be_sent_by_itself(
    record: Record, application: str, tmp_path: Path
) -> None:
    queued(record, "other")
    queued(record, "own", application=application)
    assert delivered(record, FolderTransport(tmp_path / "mail"), application=application) == Delivered(sent=1)
    assert row(record, "other").sent_at is None


def test_a_sender_that_is_no_address_is_refused_before_anything_is_claimed(
    record: Record, tmp_path: Path
) -> None:
    queued(record, "a")
    with pytest.raises(InvalidInput, match="LABELS_MAIL_SENDER"):
        deliver_due(
            record, Documents(), FolderTransport(tmp_path), keys=lambda: (KEY,), sender="nobody", site="",
            clock=frozen_clock(NOW),
        )  # fmt: skip
    assert row(record, "a").attempts == 0


def test_a_connection_that_breaks_twice_in_a_row_is_out_of_reach() -> None:
    """A server that greets, takes EHLO and NOOP, and hangs up at MAIL."""

    def hang_up(listener: socket.socket) -> None:
        for _ in range(2):
            peer, _ = listener.accept()
            with peer, peer.makefile("rwb", buffering=0) as lines:
                lines.write(b"220 hello\r\n")
                while (line := lines.readline()) and not line.upper().startswith(b"MAIL"):
                    lines.write(b"250 OK\r\n")

    message = EmailMessage()
    message["From"] = "a@b.example"
    message["To"] = "c@d.example"
    message["Date"] = datetime(2026, 1, 1, tzinfo=UTC)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=hang_up, args=[listener], daemon=True)
        thread.start()
        with smtp(listener.getsockname()[1], timeout=PATIENCE) as transport:
            with pytest.raises(NotDelivered, match="broke while sending"):
                transport.send(message)
            with pytest.raises(OutOfReach, match="broke twice"):
                transport.send(message)
        thread.join(PATIENCE)


def test_mail_goes_into_the_folder_unless_a_server_is_named(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    assert isinstance(open_transport(settings), FolderTransport)
    named = Settings(_env_file=None, home=tmp_path, smtp_url="smtps://mail.example")
    assert isinstance(open_transport(named), SmtpTransport)
