"""The document store in an S3 bucket, of Amazon's or of another server that speaks the same."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    NoCredentialsError,
    SSLError,
)

from adapters.documents.store import (
    DamagedDocument,
    Stored,
    checked_content,
    checked_key,
    is_key,
    key_of,
)
from labels.clock import wall_clock
from labels.errors import Fault, InvalidInput, NotFound, OutOfReach
from labels.settings import Settings
from labels.words.text import one_line

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECT_SECONDS, READ_SECONDS = 3, 15
"""boto3 itself waits a minute for each."""
ATTEMPTS = 4
_RECENT = timedelta(hours=1)
"""A document that was put so lately is not copied when it is put again."""
POOL = 64
"""Connections kept: as many as there may be threads."""

_ABSENT = {"NoSuchKey", "404", "NotFound"}
_TAKEN = {"PreconditionFailed", "412"}
_CONTESTED = {"ConditionalRequestConflict", "OperationAborted", "409"}
_REFUSED = {
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "401",
    "403",
}


class S3Store:
    """Documents as objects below a prefix, with or without versioning: nothing is overwritten.

    It needs leave to get and put objects, and to list the bucket (without which S3 answers "forbidden"
    where it means "absent"); where people's data is erased, also to list and delete versions of objects.
    """

    def __init__(self, client: S3Client, bucket: str, prefix: str = "", encryption: str = "") -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self._client = client
        self._encryption = encryption

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The store that `LABELS_DOCUMENTS` names; credentials come from where every AWS tool has them.

        Raises:
            InvalidInput: the URI names no bucket, or a setting is not understood.
        """
        parts = urlsplit(settings.documents_uri)
        faults = []
        if not parts.netloc or parts.query or parts.fragment or "@" in parts.netloc:
            problem = f"{settings.documents_uri} names no bucket; expected s3://bucket/prefix."
            faults.append(Fault("LABELS_DOCUMENTS", problem, "Credentials go into AWS's own variables."))
        if settings.s3_checksums not in ("when_supported", "when_required"):
            problem = "Expected when_supported or when_required."
            faults.append(Fault("LABELS_S3_CHECKSUMS", problem, "The second is for older servers."))
        if faults:
            raise InvalidInput("settings", faults)
        return cls(connect(settings), parts.netloc, parts.path, settings.s3_encryption)

    def __str__(self) -> str:
        return f"the document store s3://{self.bucket} at {self._client.meta.endpoint_url}"

    def put(self, content: bytes, media_type: str) -> str:
        """As promised by `DocumentStore.put`; read back because some servers keep what arrived damaged."""
        key = key_of(content)
        with self._reached(key):
            self._put_once(key, content, media_type)
        try:
            self.get(key)
        except NotFound:
            raise OutOfReach(str(self), f"it took the document {key} and does not have it.") from None
        return key

    def get(self, key: str) -> bytes:
        """As promised by `DocumentStore.get`; asked for again where the answer breaks off (boto3 does not)."""
        path = self._path(key)
        with self._reached(key):
            for attempt in range(ATTEMPTS):
                answer = self._client.get_object(Bucket=self.bucket, Key=path)
                try:
                    with closing(answer["Body"]) as body:  # as its own context it reads past its checks
                        return checked_content(key, body.read(), str(self))
                except (BotoCoreError, OSError) as error:
                    if attempt == ATTEMPTS - 1 or isinstance(error, FlexibleChecksumError):
                        raise
                _pause(attempt)
        raise AssertionError("each attempt returns or raises")

    def exists(self, key: str) -> bool:
        """As promised by `DocumentStore.exists`."""
        if not is_key(key):
            return False
        with self._reached(key):
            try:
                self._client.head_object(Bucket=self.bucket, Key=self._path(key))
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return False
                raise
        return True

    def erase(self, key: str) -> bool:
        """As promised by `DocumentStore.erase`; in a bucket with versions, each is deleted, and so is every marker."""
        path = self._path(key)
        with self._reached(key):
            return self._delete_versions(path)

    def erase_older(self, key: str, before: datetime) -> bool:
        """As promised by `DocumentStore.erase_older`, but for the moment between the last look and the deletion."""
        with self._reached(key):
            try:
                found = self._client.head_object(Bucket=self.bucket, Key=self._path(key))
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return False
                raise
        return found["LastModified"] < before and self.erase(key)

    def stored(self) -> Iterator[Stored]:
        """As promised by `DocumentStore.stored`."""
        begins = self._named("")
        with self._reached("sha256"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self._named("sha256/")
            )
            for page in pages:
                for one in page.get("Contents", []):
                    if is_key(key := one["Key"].removeprefix(begins)):
                        yield Stored(key, one["Size"], one["LastModified"])

    def _delete_versions(self, path: str) -> bool:
        deleted = False
        pages = self._client.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self.bucket, Prefix=path):
            for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                if one["Key"] == path:
                    self._client.delete_object(Bucket=self.bucket, Key=path, VersionId=one["VersionId"])
                    deleted = True
        return deleted

    def keep(self, name: str, path: Path) -> None:
        """As promised by `NamedFiles.keep`; a large file goes in parts, which boto3 joins at the end."""
        wanted = {"ServerSideEncryption": self._encryption} if self._encryption else {}
        with self._reached(name):
            try:
                self._client.upload_file(str(path), self.bucket, self._named(name), ExtraArgs=wanted)
            except S3UploadFailedError as error:
                raise OutOfReach(str(self), f"{one_line(str(error)).rstrip('.')}.") from error

    def fetch(self, name: str, path: Path) -> None:
        """As promised by `NamedFiles.fetch`."""
        with self._reached(name):
            self._client.download_file(self.bucket, self._named(name), str(path))

    def names(self, folder: str) -> list[str]:
        """As promised by `NamedFiles.names`."""
        begins = self._named("")
        with self._reached(folder):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self._named(f"{folder}/")
            )
            return sorted(
                one["Key"].removeprefix(begins) for page in pages for one in page.get("Contents", [])
            )

    def drop(self, name: str) -> None:
        """As promised by `NamedFiles.drop`."""
        with self._reached(name):
            self._delete_versions(self._named(name))

    def _named(self, name: str) -> str:
        return f"{self.prefix}/{name}".lstrip("/")

    def _put_once(self, key: str, content: bytes, media_type: str) -> None:
        """Write unless there is something; what there is, `put` compares.

        That is also the answer where our own first try arrived and its acknowledgement did not.
        """
        wanted: dict[str, Any] = {"ServerSideEncryption": self._encryption} if self._encryption else {}
        for attempt in range(ATTEMPTS):
            try:
                self._client.put_object(
                    Bucket=self.bucket,
                    Key=self._path(key),
                    Body=content,
                    ContentType=media_type,
                    IfNoneMatch="*",
                    **wanted,
                )
            except ClientError as error:
                if _code(error) in _TAKEN:
                    self._put_again(key)
                    return
                if _code(error) not in _CONTESTED or attempt == ATTEMPTS - 1:
                    raise
            else:
                return
            _pause(attempt)

    def _put_again(self, key: str) -> None:
        """What is there counts as put now, by a copy onto itself; where it was put just before, it does already."""
        path = self._path(key)
        found = self._client.head_object(Bucket=self.bucket, Key=path)
        if wall_clock() - found["LastModified"] < _RECENT:
            return
        wanted: dict[str, Any] = {"ServerSideEncryption": self._encryption} if self._encryption else {}
        self._client.copy_object(
            Bucket=self.bucket,
            Key=path,
            CopySource={"Bucket": self.bucket, "Key": path},
            ContentType=found["ContentType"],
            MetadataDirective="REPLACE",
            **wanted,
        )

    def _path(self, key: str) -> str:
        return f"{self.prefix}/{checked_key(key)}".lstrip("/")

    @contextmanager
    def _reached(self, key: str) -> Iterator[None]:
        """Word what boto3 raises."""
        try:
            yield
        except FlexibleChecksumError:
            raise DamagedDocument(key, str(self)) from None
        except ClientError as error:
            code = _code(error)
            if code in _ABSENT:
                raise NotFound(f"There is no {'document ' if is_key(key) else ''}{key} in {self}.") from None
            if code == "NoSuchBucket":
                reason = "there is no such bucket. Create it, or correct LABELS_DOCUMENTS."
            elif code in _REFUSED:
                reason = (
                    f"it refuses our credentials ({code}). Check AWS_ACCESS_KEY_ID and the bucket's policy."
                )
            else:
                reason = f"{one_line(str(error))}."
            raise OutOfReach(str(self), reason) from error
        except NoCredentialsError as error:
            reason = "there are no credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            raise OutOfReach(str(self), reason) from error
        except SSLError as error:
            # Its own words begin with the whole address, which leaves no room for the cause.
            why = one_line(str(error.kwargs["error"])).rstrip(".")
            raise OutOfReach(str(self), f"no connection by TLS: {why}.") from error
        except (BotoCoreError, OSError) as error:
            raise OutOfReach(str(self), f"{one_line(str(error)).rstrip('.')}.") from error


def connect(settings: Settings) -> S3Client:
    """A client that gives up in seconds, tries four times, and signs as `settings` say."""
    session = boto3.session.Session()
    options = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=POOL,
        tcp_keepalive=True,
        signature_version="s3v4",
        s3={"addressing_style": "path" if settings.s3_path_style else "auto"},
        request_checksum_calculation=cast("Any", settings.s3_checksums),
        response_checksum_validation=cast("Any", settings.s3_checksums),
    )
    return session.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url or None,
        region_name=session.region_name or "us-east-1",  # other servers do not care, and signing needs one
        config=options,
    )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _pause(attempt: int) -> None:
    """Longer with each attempt and never the same, so that two who met do not meet again."""
    time.sleep(random.uniform(0.05, 0.1) * 2**attempt)  # nothing secret depends on it
