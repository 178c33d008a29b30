"""What can go wrong on the way to a bucket, and what is said and kept then."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError

from adapters.documents import key_of
from adapters.documents.s3 import S3Store, connect
from cli.services import free_port
from labels.errors import InvalidInput, OutOfReach
from labels.settings import Settings
from tests.adapters.documents.conftest import copies_in, s3_store
from tests.support.ministack import Server
from tests.support.wire import wire_to

pytestmark = pytest.mark.slow

PDF = "application/pdf"
CONTENT = b"%PDF-1.7 " + bytes(300_000)


@pytest.fixture
def server(ministack: Callable[..., Server]) -> Server:
    return ministack(tls=False)


@pytest.fixture
def bucket(server: Server) -> str:
    """A new one that keeps every version, so that a second writing shows."""
    name = f"labels-{secrets.token_hex(6)}"
    administrator = server.administrator()
    administrator.create_bucket(Bucket=name)
    administrator.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def store(server: Server, bucket: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    return s3_store(server, bucket, monkeypatch)


@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_acknowledgement_is_no_conflict(
    server: Server, bucket: str, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with wire_to(server.url) as wire:
        store = s3_store(Server(wire.url, None, server.key_id, server.secret), bucket, monkeypatch)
        wire.lose_answers_to_puts(lost)
        key = store.put(CONTENT, PDF)
        assert wire.lost == lost
        assert store.get(key) == CONTENT
    assert copies_in(server.administrator(), bucket, key) == 1


def test_a_store_that_fails_half_way_has_the_whole_document_or_none(
    server: Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with wire_to(server.url) as wire:
        store = s3_store(Server(wire.url, None, server.key_id, server.secret), bucket, monkeypatch)
        wire.cut_after(100_000)
        with pytest.raises(
            OutOfReach, match=rf"the document store s3://{bucket} at {wire.url} is out of reach"
        ):
            store.put(CONTENT, PDF)
        wire.mend()
        assert not store.exists(key_of(CONTENT))
        assert store.get(store.put(CONTENT, PDF)) == CONTENT


def test_a_store_that_does_not_answer_is_named(
    server: Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    store = s3_store(Server(url, None, server.key_id, server.secret), bucket, monkeypatch)
    key = key_of(CONTENT)
    for attempt in (lambda: store.put(CONTENT, PDF), lambda: store.get(key), lambda: store.exists(key)):
        with pytest.raises(OutOfReach, match=f"{bucket} at {url} is out of reach: .*Nothing was lost"):
            attempt()


@pytest.mark.parametrize("whose", ["key_id", "secret"])
def test_wrong_credentials_are_told_from_an_outage(
    server: Server, bucket: str, whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {"key_id": server.key_id, "secret": server.secret, whose: "AKIAWRONGWRONGWRONG0"}
    store = s3_store(Server(server.url, None, **wrong), bucket, monkeypatch)
    for attempt in (lambda: store.put(CONTENT, PDF), lambda: store.get(key_of(CONTENT))):
        with pytest.raises(OutOfReach, match="it refuses our credentials"):
            attempt()
    with pytest.raises(OutOfReach):
        store.exists(key_of(CONTENT))
    assert copies_in(server.administrator(), bucket, key_of(CONTENT)) == 0


def test_a_bucket_that_is_not_there_is_told_from_a_document_that_is_not(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = s3_store(server, "no-such-bucket", monkeypatch)
    for attempt in (lambda: store.put(CONTENT, PDF), lambda: store.get(key_of(CONTENT))):
        with pytest.raises(OutOfReach, match="no such bucket"):
            attempt()


def test_missing_credentials_are_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    settings = Settings.model_validate({"s3_endpoint_url": server.url, "documents": "s3://any"})
    with pytest.raises(OutOfReach, match="there are no credentials"):
        S3Store.from_settings(settings).put(CONTENT, PDF)


def test_a_contested_write_is_tried_again_and_not_for_ever(store: S3Store) -> None:
    answers = _Answers(store, conflicts=2)
    assert store.get(store.put(CONTENT, PDF)) == CONTENT
    assert answers.puts == 3
    answers.conflicts, answers.puts = 100, 0
    with pytest.raises(OutOfReach, match="ConditionalRequestConflict"):
        store.put(b"another", PDF)
    assert answers.puts == 4


def test_an_acknowledged_document_that_is_not_there_is_noticed(store: S3Store) -> None:
    _Answers(store, swallowed=True)
    with pytest.raises(OutOfReach, match="does not have it"):
        store.put(CONTENT, PDF)


def test_an_answer_that_breaks_off_is_asked_for_again(
    store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = store.put(CONTENT, PDF)
    whole = store._client.get_object
    breaks = iter([True, True, False])

    def get_object(**asked: Any) -> Any:
        answer = whole(**asked)
        if next(breaks):
            monkeypatch.setattr(answer["Body"], "read", _break_off)
        return answer

    monkeypatch.setattr(store._client, "get_object", get_object)
    assert store.get(key) == CONTENT


def _break_off() -> bytes:
    raise ConnectionClosedError(endpoint_url="http://somewhere")


def test_encryption_and_media_type_reach_the_bucket(
    server: Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = s3_store(server, bucket, monkeypatch, s3_encryption="AES256").put(CONTENT, PDF)
    kept = server.administrator().head_object(Bucket=bucket, Key=f"kept/here/{key}")
    assert kept["ServerSideEncryption"] == "AES256"
    assert kept["ContentType"] == PDF


def test_the_client_gives_up_in_seconds_and_has_a_connection_for_each_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    config: Any = connect(Settings(s3_path_style=True, s3_checksums="when_required")).meta.config
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (3, 15, 64)
    assert config.retries == {"mode": "standard", "total_max_attempts": 4}
    assert config.s3 == {"addressing_style": "path"}
    assert config.request_checksum_calculation == "when_required"


@pytest.mark.parametrize(
    "uri", ["s3://", "s3:///prefix", "s3://key:secret@bucket/prefix", "s3://bucket?versionId=1"]
)
def test_a_uri_without_a_bucket_is_refused(uri: str) -> None:
    settings = Settings.model_validate({"documents": uri, "s3_checksums": "sometimes"})
    with pytest.raises(InvalidInput) as refused:
        S3Store.from_settings(settings)
    assert [fault.where for fault in refused.value.faults] == ["LABELS_DOCUMENTS", "LABELS_S3_CHECKSUMS"]


class _Answers:
    """Answers puts in the server's place."""

    def __init__(self, store: S3Store, conflicts: int = 0, swallowed: bool = False) -> None:
        self.puts = 0
        self.conflicts = conflicts
        self._swallowed = swallowed
        events: Any = store._client.meta.events
        events.register("before-send.s3.PutObject", self)

    def __call__(self, request: Any, **_: object) -> AWSResponse | None:
        self.puts += 1
        if self._swallowed:
            return _response(request.url, 200, b"")
        if self.puts <= self.conflicts:
            code = "ConditionalRequestConflict"
            return _response(request.url, 409, f"<Error><Code>{code}</Code></Error>".encode())
        return None


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> list[bytes]:
        return [self._body]


def _response(url: str, status: int, body: bytes) -> AWSResponse:
    headers: Any = {"content-type": "application/xml"}
    return AWSResponse(url, status, headers, _Raw(body))
