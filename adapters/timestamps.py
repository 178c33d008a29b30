"""Time stamps (RFC 3161): a service's signed word that a digest was there at an instant."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from labels.errors import OutOfReach
from labels.files import contents

T = TypeVar("T")

_TIMEOUT = 20
"""Seconds that the service may take."""


def stamp(url: str, digest: bytes) -> bytes:
    """The service's token for a SHA-256 digest.

    Raises:
        OutOfReach: the service does not answer, refuses, or answers with something else.
    """
    # Imported here, as below: it takes half a second, and is needed only where a service is configured.
    from pyhanko.sign.timestamps.common_utils import TimestampRequestError
    from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper

    service = RequestsHTTPTimeStamper(url, timeout=_TIMEOUT)  # type: ignore[no-untyped-call]  # theirs has no annotations
    try:
        token: bytes = _run(lambda: service.async_timestamp(digest, "sha256")).dump()
    except (TimestampRequestError, OSError, ValueError) as error:
        raise OutOfReach(
            "The time-stamp service", f"{error}.", "Nothing was lost; it is asked again."
        ) from None
    looked_at = look(token, digest)
    if looked_at.problem:
        raise OutOfReach("The time-stamp service", looked_at.problem, "It is asked again.")
    return token


LARGEST_CHAIN = 1_000_000
"""Bytes of a file of certificates."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """What a token says."""

    at: datetime | None
    problem: str = ""
    """What is wrong with it, as one sentence; empty where it holds."""


def look(token: bytes, digest: bytes, chain: Path | None = None) -> Stamped:
    """What a token says of a digest; with the certificates of the service in `chain`, whether one of its roots vouches for it."""
    try:
        return _run(lambda: _looked_at(token, digest, chain))
    except (
        Exception
    ) as error:  # bytes from anywhere: whatever is wrong with them, they are no time stamp that holds
        return Stamped(None, f"It can't be read as a time stamp ({type(error).__name__}).")


async def _looked_at(token: bytes, digest: bytes, chain: Path | None) -> Stamped:
    from asn1crypto import cms, pem, x509
    from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
    from pyhanko_certvalidator import ValidationContext

    signed = cms.ContentInfo.load(token)["content"]
    at: datetime = signed["encap_content_info"]["content"].parsed["gen_time"].native
    found = (
        [
            x509.Certificate.load(der)
            for _, _, der in pem.unarmor(contents(chain, LARGEST_CHAIN), multiple=True)
        ]
        if chain
        else []
    )
    roots = [one for one in found if one.subject == one.issuer]
    context = ValidationContext(
        trust_roots=roots, other_certs=found, moment=at, allow_fetching=False, revocation_mode="soft-fail"
    )
    said = await validate_tst_signed_data(signed, context, lambda _: digest)
    if not (said["intact"] and said["valid"]):
        return Stamped(at, "It is of another head, or its signature does not hold.")
    if roots and said["trust_problem_indic"] is not None:
        return Stamped(at, "No root certificate in LABELS_SIGNING_CHAIN vouches for it.")
    return Stamped(at)


def _run(work: Callable[[], Awaitable[T]]) -> T:
    """What asynchronous work comes to, also where an event loop is running."""

    async def run() -> T:
        return await work()

    with ThreadPoolExecutor(1, "time stamps") as thread:
        return thread.submit(lambda: asyncio.run(run())).result()
