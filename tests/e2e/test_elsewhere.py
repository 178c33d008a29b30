"""The same process with everything outside: PostgreSQL, an S3 server and a mail server."""

from __future__ import annotations

import email
import email.policy
import re
import secrets
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from cli.services import free_port, services
from labels.answering import accepting
from labels.record.schema import Document, Outcome
from labels.settings import Settings
from labels.steps.answers import ReviewAnswer
from labels.steps.outcome import Accepted
from labels.steps.proof import Code
from labels.turn import Door
from tests.e2e.conftest import Stage_, more_projects
from tests.support.databases import Cluster
from tests.support.ministack import MiniStackMissing, Server, running
from tests.support.patience import PATIENCE
from tests.support.people import TODAY, code_of, points, populate

pytestmark = [pytest.mark.slow]


class Postbox:
    """A mail server that keeps what it takes."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        return "250 OK"


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    """A postbox, and the port on which it takes mail."""
    box = Postbox()
    controller = Controller(box, "127.0.0.1", free_port(), ready_timeout=PATIENCE)
    controller.start()
    yield box, controller.port
    controller.stop()


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[Server]:
    """An S3 server of this test's own."""
    folder = tmp_path / "s3"
    folder.mkdir()
    try:
        with running(folder, tls=False) as server:
            yield server
    except MiniStackMissing as missing:
        pytest.skip(str(missing))


def test_an_application_lives_in_postgresql_s3_and_a_mail_server(
    postgresql_cluster: Cluster,
    postgresql_template: str,
    s3: Server,
    postbox: tuple[Postbox, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    box, port = postbox
    bucket = f"labels-{secrets.token_hex(4)}"
    s3.administrator().create_bucket(Bucket=bucket)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)
    settings = Settings(
        _env_file=None,
        home=tmp_path / "home",
        today=TODAY,
        database_url=postgresql_cluster.url(postgresql_cluster.create(postgresql_template)),
        documents=f"s3://{bucket}/labels",
        s3_endpoint_url=s3.url,
        s3_path_style=True,
        smtp_url=f"smtp://127.0.0.1:{port}",
    )
    with services(settings, free_port(), free_port()) as (server, here):
        with here.record.writing() as session:
            populate(session)
            more_projects(session)
        stage = Stage_(server, here)
        application = stage.submit(teacher="T-100", project="P-100")
        stage.until_parked(application)
        brief = stage.artifact(f"brief-{application}")
        [link] = re.findall(rf"\[[^\]]*\]\(({re.escape(here.settings.links_url)}[^)]+)\)", brief)
        with urlopen(link, timeout=PATIENCE) as answer:
            assert b'"label":"national"' in answer.read()
        for step in stage.reviews(application):
            given = ReviewAnswer(scores=points(4), comment="Well done.")
            with here.record.writing() as session:
                result = accepting.answer(
                    here.turn(session, Door.COMMAND_LINE),
                    step.id,
                    Code(code_of(step, here.key), step.assignee),
                    given,
                )
            assert isinstance(result, Accepted)
        stage.wake(application)
        stage.until_closed(application)
        assert stage.application(application).outcome is Outcome.AWARDED
        with here.record.reading() as session:
            certificate = session.scalars(
                sa.select(Document).where(Document.application == application, Document.kind == "certificate")
            ).one()
        kept = s3.administrator().get_object(Bucket=bucket, Key=f"labels/{certificate.key}")["Body"].read()
        assert kept.startswith(b"%PDF-")

        subjects = [str(message["Subject"]) for message in box.taken]
        assert len(subjects) == len({message["Message-ID"] for message in box.taken}) == 4
        receipt, award = [message for message in box.taken if list(message.iter_attachments())]
        assert len(list(receipt.iter_attachments())) == 1
        paper, letter = award.iter_attachments()
        assert paper.get_payload(decode=True) == kept
        assert letter.get_content_type() == "application/pdf"

        with pytest.raises(HTTPError, match="404"):  # nobody is asked for anything any more
            urlopen(link, timeout=PATIENCE)
    assert not (tmp_path / "home" / "documents").exists()
    assert not (tmp_path / "home" / "mail").exists()
    assert not (tmp_path / "home" / "record.db").exists()
