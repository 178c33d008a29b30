"""The tokens in addresses that are good without a session: what may be downloaded until when, signed."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from labels.errors import NotAllowed, NotFound

_PURPOSE = b"documents/link/2\n"
"""Goes into each signature, so that no other thing signed with the same key passes for a link."""


def sealed(facts: object, purpose: bytes, secret: bytes) -> str:
    """A JSON value as a word for an address, signed for one purpose."""
    payload = json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()
    return f"{_encoded(payload)}.{_encoded(_signature(payload, purpose, secret))}"


def unsealed(token: str, purpose: bytes, *secrets: bytes) -> Any:
    """The value behind such a word.

    Raises:
        NotFound: it was made with none of these keys, or for something else.
    """
    try:
        payload, signature = map(_decoded, token.split("."))
    except (ValueError, binascii.Error):
        raise NotFound("There is no such link.") from None
    if not any(hmac.compare_digest(signature, _signature(payload, purpose, one)) for one in secrets):
        raise NotFound("There is no such link.")
    return json.loads(payload)


class LinkExpired(NotAllowed):
    """The link was good until a moment that has passed."""


@dataclass(frozen=True, slots=True)
class DownloadPass:
    """Leave to download one document under one name: for those of whom something is asked, or until a moment."""

    key: str
    name: str
    media_type: str
    expires: datetime | None = None
    """None where it is good for as long as one of the steps is open."""
    steps: tuple[tuple[str, str], ...] = ()
    """The steps whose assignees may read it, each with a mark of who that was."""

    def token(self, secret: bytes) -> str:
        """The pass as a word for an address."""
        expires = int(self.expires.timestamp()) if self.expires else None
        return sealed([self.key, self.name, self.media_type, expires, self.steps], _PURPOSE, secret)

    @classmethod
    def read(cls, token: str, secrets: Sequence[bytes], now: datetime) -> Self:
        """The pass behind a token; whether its steps are open, the record knows.

        Raises:
            NotFound: the token was made with none of these keys.
            LinkExpired: it was, and is no longer good.
        """
        key, name, media_type, expires, steps = unsealed(token, _PURPOSE, *secrets)
        until = datetime.fromtimestamp(expires, UTC) if expires is not None else None
        if until is not None and now >= until:
            raise LinkExpired("This link has expired. Ask whoever sent it for a new one.")
        return cls(key, name, media_type, until, tuple((step, mark) for step, mark in steps))


def _signature(payload: bytes, purpose: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, purpose + payload, "sha256")


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encoded(decoded) != text:
        raise ValueError("one token has one spelling")
    return decoded
