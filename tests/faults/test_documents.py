"""The document store fails while an application lives: S3, a real server behind a wire that is cut, slow or spoils what it carries."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from adapters.documents import s3
from adapters.documents.s3 import S3Store
from labels.record import Record
from tests.adapters.documents.conftest import copies_in, ministack, s3_store
from tests.flows.test_kill_points import AWARDED
from tests.support.faulty_world import FaultyWorld
from tests.support.ministack import Server
from tests.support.people import populate
from tests.support.wire import Wire, wire_to

__all__ = ["ministack"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("record_url", ["sqlite"], indirect=True),
]


class InABucket(FaultyWorld):
    """A world whose documents lie in a bucket."""

    def stored(self) -> list[Path]:
        store = cast("S3Store", self.here.documents)
        return [Path(one.key) for one in store.stored()]


@dataclasses.dataclass
class Bucket:
    """A bucket behind a wire, and what is wrong with that."""

    wire: Wire
    fault: str

    def begin(self) -> None:
        match self.fault:
            case "down":
                self.wire.cut_after(0)
            case "slow":
                self.wire.delay = 3.0
            case "403":
                self.wire.refuse_with = FORBIDDEN
            case "half answers":
                self.wire.halve_answers = True
            case "wrong checksums":
                self.wire.spoil_answers = True
            case "answers lost":
                self.wire.lose_answers_to_puts(10_000)
            case _:
                raise AssertionError(self.fault)

    def mend(self) -> None:
        self.wire.mend()


FORBIDDEN = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n"
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
)


@pytest.fixture
def server(ministack: Callable[..., Server]) -> Server:
    return ministack(tls=False)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that gives up after a second, and tries twice: its own times are tested elsewhere."""
    monkeypatch.setattr(s3, "READ_SECONDS", 1)
    monkeypatch.setattr(s3, "ATTEMPTS", 2)


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    with wire_to(server.url) as made:
        yield made


FAULTS = ("down", "slow", "403", "half answers", "wrong checksums", "answers lost")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("strikes", [1, 8])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_document_is_there_once_whatever_the_store_did_meanwhile(
    record: Record, tmp_path: Path, server: Server, wire: Wire, monkeypatch: pytest.MonkeyPatch,
    fault: str, strikes: int,
) -> None:  # fmt: skip
    administrator, bucket = server.administrator(), f"labels-{secrets.token_hex(6)}"
    administrator.create_bucket(Bucket=bucket)
    administrator.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    store = s3_store(Server(wire.url, None, server.key_id, server.secret), bucket, monkeypatch)
    with record.writing() as session:
        populate(session)
    home = tmp_path / "home"
    home.mkdir()
    world = InABucket(AWARDED, home, record, Bucket(wire, fault), strikes)
    world.placed(lambda here: dataclasses.replace(here, documents=store))
    world.live()
    facts = world.facts()
    assert facts["end"][1] == AWARDED.ends
    assert sorted({key.rpartition("/")[2] for _, _, key in facts["documents"]}) == facts["stored"]
    assert all(copies_in(administrator, bucket, key) == 1 for _, _, key in facts["documents"])
    assert len(facts["letters"]) == len(facts["mail"]) == 7
    assert [kind for kind, _, _ in facts["documents"]].count("certificate") == 1
    assert world.checked() == []
    if fault in ("down", "slow", "403") and strikes == 1:
        assert any("is out of reach" in one for one in world.told), world.told
