"""What stands in the place of a one-time code for whoever is signed in and answers in Prefect's form.

Prefect's form has one field that says who answers. Its code can't be asked of somebody who is signed in already, and a
signed-in person's name alone could be typed by anybody who reaches Prefect. So the gate, which knows the session,
puts a proof into that field: an HMAC over the person, the run, its waiting, the minute and everything else that
was filled in, which the record's own key makes and checks.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

MARK = "~"
"""What a proof begins with, and a one-time code never does."""
VALID = timedelta(days=1)
"""For how long it is taken: a run is resumed at once, but its worker may be away."""
_AHEAD = timedelta(minutes=5)
_MINUTE = 60
_SIGNATURE = 31
_PROOF = re.compile(f"{MARK}(?P<minute>[0-9a-f]{{1,8}}){MARK}(?P<signature>[A-Za-z0-9_-]{{{_SIGNATURE}}})")


def vouch(key: bytes, person: str, run: str, waiting: int, filled: Mapping[str, Any], at: datetime) -> str:
    """The proof, of 40 characters at most, as many as the form's field takes."""
    minute = int(at.timestamp()) // _MINUTE
    return f"{MARK}{minute:x}{MARK}{_signed(key, person, run, waiting, filled, minute)}"


def is_vouched(code: str) -> bool:
    """Whether what stands in the field claims to be such a proof."""
    return code.startswith(MARK)


def vouched_for(
    keys: Sequence[bytes],
    code: str,
    people: Iterable[str],
    run: str,
    waiting: int,
    filled: Mapping[str, Any],
    now: datetime,
) -> tuple[str, datetime] | None:
    """Which of the people it is who answered, and when; None where the proof is nobody's of them, or too old."""
    said = _PROOF.fullmatch(code)
    if said is None:
        return None
    minute = int(said["minute"], 16)
    try:
        at = datetime.fromtimestamp(minute * _MINUTE, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    if not -_AHEAD <= now - at <= VALID:
        return None
    for person in people:
        made = (_signed(key, person, run, waiting, filled, minute) for key in keys)
        if any(hmac.compare_digest(one.encode(), said["signature"].encode()) for one in made):
            return person, at
    return None


def _signed(key: bytes, person: str, run: str, waiting: int, filled: Mapping[str, Any], minute: int) -> str:
    if not key:
        raise ValueError("a proof needs a secret key")
    rest = {name: value for name, value in filled.items() if name != "code"}
    digest = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    said = json.dumps(["vouch", person, run, waiting, minute, digest]).encode()
    return base64.urlsafe_b64encode(hmac.digest(key, said, "sha256")).decode()[:_SIGNATURE]
