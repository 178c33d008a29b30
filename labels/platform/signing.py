"""How a webhook's requests are signed: HMAC-SHA256 as the Standard Webhooks specification has it.

The record has no secret: it is derived from the installation's key and the number of the secret, as one-time codes are.
Source: github.com/standard-webhooks/standard-webhooks, spec 1.0.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable

SHOWN_AS = "whsec_"
"""What a secret begins with where people see it."""


def secret_of(key: bytes, webhook: str, number: int) -> bytes:
    """A webhook's secret of that number, 256 bits.

    Raises:
        ValueError: the key is empty, so that anybody could derive the secret.
    """
    if not key:
        raise ValueError("a secret needs a secret key")
    return hmac.digest(key, f"webhook\x1f{webhook}\x1f{number}".encode(), "sha256")


def shown(secret: bytes) -> str:
    """A secret as a receiver's library takes it."""
    return SHOWN_AS + base64.b64encode(secret).decode()


def signatures(secrets: Iterable[bytes], message: str, timestamp: int, body: bytes) -> str:
    """`webhook-signature`: a signature for each secret, with spaces between."""
    signed = f"{message}.{timestamp}.".encode() + body
    digests = (base64.b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in secrets)
    return " ".join(f"v1,{one}" for one in digests)
