"""A session of the desk at another host name, to which browsers do not send the desk's cookie: that of the gate.

The gate gives a browser a secret and sends it to the desk with the mark of that secret; the desk sends it back with a
ticket for whoever has signed in there. A ticket works for a minute, and only in the browser that has the secret, so
that whoever sees one in an address can do nothing with it. The gate's own token is made of the session's key: it ends
with the session.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

LASTS = timedelta(minutes=1)
"""How long a ticket works."""


def mark_of(secret: str) -> str:
    """What an address may say of a browser's secret."""
    return hashlib.sha256(f"labels-elsewhere\x1f{secret}".encode("utf-8", "replace")).hexdigest()


def ticket(key: bytes, session: str, mark: str, now: datetime) -> str:
    """The ticket of a session, for the browser whose secret has this mark."""
    until = int((now + LASTS).timestamp())
    return f"{session}.{until}.{_sealed(key, 'ticket', session, until, mark)}"


def session_of_ticket(keys: Sequence[bytes], given: str, secret: str, now: datetime) -> str | None:
    """The session whose ticket a browser with this secret brought; None where it is none, or does not work any more."""
    session, _, rest = given.partition(".")
    until, _, seal = rest.partition(".")
    if not secret or not until.isascii() or not until.isdigit() or len(until) > 12:
        return None
    made = (_sealed(key, "ticket", session, int(until), mark_of(secret)) for key in keys)
    return session if any(_same(seal, one) for one in made) and now.timestamp() < int(until) else None


def token(key: bytes, session: str) -> str:
    """What a browser has at the other host name, for as long as the session lasts."""
    return f"{session}.{_sealed(key, 'token', session)}"


def session_of_token(keys: Sequence[bytes], given: str) -> str | None:
    """The session whose token it is; None where it is none."""
    session, _, seal = given.partition(".")
    return session if any(_same(seal, _sealed(key, "token", session)) for key in keys) else None


def _sealed(key: bytes, *said: object) -> str:
    if not key:
        raise ValueError("a ticket needs a secret key")
    text = "\x1f".join(map(str, ("elsewhere", *said)))
    return hmac.digest(key, text.encode("utf-8", "replace"), "sha256").hex()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
