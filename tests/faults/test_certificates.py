"""The certificate of a service has ended: `labels doctor` says so, and once it is renewed nothing is lost, doubled or stalled."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import adapters.mail.post
from adapters.mail.transports import SmtpTransport
from adapters.network import Names
from labels.record import Record
from labels.record.engine import open_engine
from labels.settings import Settings
from tests.adapters.documents.conftest import ministack, s3_store
from tests.faults.test_database import lived
from tests.faults.test_documents import InABucket
from tests.faults.test_mail_server import MailServer
from tests.flows.test_kill_points import AWARDED
from tests.support.databases import Cluster
from tests.support.faulty_world import FaultyWorld
from tests.support.ministack import Server
from tests.support.patience import PATIENCE
from tests.support.people import populate
from tests.support.sealed import sealed
from usecases.diagnosis.finding import Finding, Level
from usecases.diagnosis.machine import check_databases
from usecases.diagnosis.outside import check_mail, check_services

__all__ = ["ministack"]

pytestmark = pytest.mark.slow

ENDED = "certificate has expired"
REFUSED = "certificate verify failed"
"""What PostgreSQL's library says of it."""


def faults(found: Iterator[Finding]) -> str:
    return "\n".join(f"{one.check}: {one.what} {one.remedy}" for one in found if one.level is Level.FAULT)


def nobody(*_: object) -> None:
    """Whose clock is not asked."""


def whole(world: FaultyWorld) -> None:
    """As if nothing had failed."""
    facts = world.facts()
    assert facts["end"][1] == AWARDED.ends
    assert len(facts["letters"]) == len(facts["mail"]) == 7
    assert [kind for kind, _, _ in facts["documents"]].count("certificate") == 1
    assert world.checked() == []


def test_of_postgresql(postgresql_cluster: Cluster, postgresql_template: str, tmp_path: Path) -> None:
    name = postgresql_cluster.create(postgresql_template)
    with sealed(tmp_path / "tls", postgresql_cluster.port, postgresql=True) as tls:
        plain = postgresql_cluster.url(name).replace(f":{postgresql_cluster.port}/", f":{tls.port}/")
        url = f"{plain}?sslmode=verify-full&sslrootcert={tls.authority}"
        engine = open_engine(url)
        world = lived(Record(engine), tmp_path / "home", tls, strikes=4)
        assert any(REFUSED in one and "out of reach" in one for one in world.told), world.told
        tls.begin()
        told = faults(check_databases(Settings(_env_file=None, home=tmp_path, database_url=url), nobody))
        assert REFUSED in told
        assert "Renew" in told
        engine.dispose()
    postgresql_cluster.drop(name)


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_of_the_document_store(
    record: Record,
    tmp_path: Path,
    ministack: Callable[..., Server],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = ministack(tls=False)
    bucket = f"labels-{secrets.token_hex(6)}"
    server.administrator().create_bucket(Bucket=bucket)
    port = urlsplit(server.url).port
    assert port
    with sealed(tmp_path / "tls", port) as tls:
        address = f"https://127.0.0.1:{tls.port}"
        store = s3_store(Server(address, tls.authority, server.key_id, server.secret), bucket, monkeypatch)
        with record.writing() as session:
            populate(session)
        home = tmp_path / "home"
        home.mkdir()
        world = InABucket(AWARDED, home, record, tls, strikes=1)
        world.placed(lambda here: dataclasses.replace(here, documents=store))
        world.live()
        whole(world)
        assert any(ENDED in one and "out of reach" in one for one in world.told), world.told
        tls.begin()
        monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))
        settings = Settings(
            _env_file=None,
            home=home,
            documents=f"s3://{bucket}",
            s3_endpoint_url=address,
            s3_path_style=True,
        )
        told = faults(check_services(settings, nobody))
        assert ENDED in told
        assert "Renew" in told


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_of_the_mail_server(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    server = MailServer(home / "mail", "none")
    server.start()
    with contextlib.ExitStack() as stack:
        stack.callback(server.stop)
        tls = stack.enter_context(sealed(tmp_path / "tls", server.port))
        address = f"smtps://127.0.0.1:{tls.port}"
        monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))
        monkeypatch.setattr(
            adapters.mail.post, "open_transport", lambda _: SmtpTransport(address, timeout=PATIENCE)
        )
        with record.writing() as session:
            populate(session)
        world = FaultyWorld(AWARDED, home, record, tls, strikes=1)
        world.live()
        whole(world)
        assert len(server.taken) == len(set(server.taken)), "each once"
        assert not any(world.told), "people see nothing of it"
        tls.begin()
        told = faults(check_mail(Settings(_env_file=None, home=home, smtp_url=address), Names()))
        assert ENDED in told
        assert "Renew" in told
