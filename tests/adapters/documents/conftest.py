"""The stores that must keep the same promises, each with a way to look behind its back."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette

from adapters.documents import DocumentStore
from adapters.documents.directory import DirectoryStore
from adapters.documents.s3 import S3Store
from adapters.documents.tokens import DownloadPass
from desk.links import documents_app
from labels.clock import frozen_clock
from labels.record.engine import Record
from labels.settings import Settings
from tests.support.ministack import MiniStackMissing, Server, running

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOON = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
SECRET = b"a secret of the tests"
ELSEWHERE = "S3_TEST_ENDPOINT_URL"


@dataclass(frozen=True)
class Answer:
    """What came of following a link."""

    status: int
    headers: Mapping[str, str]
    """Their names in lower case."""
    content: bytes


@dataclass(frozen=True)
class Place:
    """A store, and what the tests need beside it."""

    store: DocumentStore
    plant: Callable[[str, bytes], None]
    """Puts other content under a key, as a broken disk or a stranger might."""
    copies: Callable[[str], int]
    """How often something was written under a key; drafts left lying count too."""


@pytest.fixture(
    params=[
        "directory",
        pytest.param("ministack", marks=pytest.mark.slow),
        pytest.param("ministack over TLS", marks=pytest.mark.slow),
        pytest.param("ministack, versioned and encrypted", marks=pytest.mark.slow),
        *([pytest.param("elsewhere", marks=pytest.mark.slow)] if ELSEWHERE in os.environ else []),
    ]
)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Each store in turn, empty. `elsewhere` is a server that the environment names, such as a Ceph gateway."""
    kind = request.param
    if kind == "directory":
        return directory_place(tmp_path / "documents")
    if kind == "elsewhere":
        names = (ELSEWHERE, "S3_TEST_KEY_ID", "S3_TEST_SECRET")
        url, key_id, secret = (os.environ[name] for name in names)
        return s3_place(Server(url, None, key_id, secret), monkeypatch, s3_checksums="when_required")
    start = request.getfixturevalue("ministack")
    server = start(tls="TLS" in kind)
    versioned = "versioned" in kind
    return s3_place(server, monkeypatch, versioned=versioned, s3_encryption="AES256" if versioned else "")


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts the server, with TLS or without, at most once each."""
    started: dict[bool, Server] = {}
    with ExitStack() as until_the_end:

        def start(*, tls: bool) -> Server:
            if tls not in started:
                try:
                    started[tls] = until_the_end.enter_context(
                        running(tmp_path_factory.mktemp("s3"), tls=tls)
                    )
                except MiniStackMissing as missing:
                    if os.environ.get("CI") == "true":
                        pytest.fail(str(missing))
                    pytest.skip(str(missing))
            return started[tls]

        yield start


def directory_place(root: Path) -> Place:
    """A folder."""

    def plant(key: str, content: bytes) -> None:
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)

    def copies(key: str) -> int:
        return len(list((root / key).parent.iterdir()))

    return Place(DirectoryStore(root), plant, copies)


def served(store: DocumentStore, record: Record, now: datetime = NOON, key: bytes = SECRET) -> Starlette:
    """The application that honours links to a store's documents."""
    return documents_app(store, lambda: (key,), frozen_clock(now), record)


def link(leave: DownloadPass) -> str:
    """Where a document is that somebody may download."""
    return f"http://documents.test/documents/{leave.token(SECRET)}"


def ask(served: Starlette, url: str, method: str = "GET") -> Answer:
    """What an application answers at an address."""

    async def asked() -> Answer:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served)) as browser:
            answer = await browser.request(method, url)
            return Answer(answer.status_code, lowered(answer.headers), answer.content)

    return asyncio.run(asked())


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers by their names in lower case."""
    return {name.lower(): value for name, value in headers.items()}


def s3_place(
    server: Server, monkeypatch: pytest.MonkeyPatch, *, versioned: bool = False, **settings: str
) -> Place:
    """A new bucket on a server."""
    administrator = server.administrator()
    bucket = f"labels-{secrets.token_hex(6)}"
    administrator.create_bucket(Bucket=bucket)
    if versioned:
        administrator.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    store = s3_store(server, bucket, monkeypatch, **settings)

    def plant(key: str, content: bytes) -> None:
        administrator.put_object(Bucket=bucket, Key=f"kept/here/{key}", Body=content)

    def copies(key: str) -> int:
        return copies_in(administrator, bucket, key)

    return Place(store, plant, copies)


def copies_in(administrator: S3Client, bucket: str, key: str) -> int:
    """How many versions of a document the bucket has; without versioning, one or none."""
    found = administrator.list_object_versions(Bucket=bucket, Prefix=f"kept/here/{key}")
    return len(found.get("Versions", [])) + len(found.get("DeleteMarkers", []))


def s3_store(server: Server, bucket: str, monkeypatch: pytest.MonkeyPatch, **settings: str) -> S3Store:
    """The store as the settings and AWS's own variables make it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret)
    if server.certificate:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(server.certificate))
    values = {"s3_endpoint_url": server.url, "s3_path_style": True, "documents": f"s3://{bucket}/kept/here/"}
    return S3Store.from_settings(Settings.model_validate(values | settings))
