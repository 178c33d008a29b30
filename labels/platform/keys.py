"""Keys of places in the journal, as a platform is given them: they tell nothing, and count for one organisation.

The number of an entry would tell how many there are that somebody does not see.
"""

from __future__ import annotations

import base64
import binascii
import hmac

_BYTES = 8


def sealed(key: bytes, organisation: str, number: int) -> str:
    """The key of an entry: the same for the same one, of 22 letters and digits."""
    plain = number.to_bytes(_BYTES, "big")
    mark = _mark(key, organisation, plain)
    return base64.urlsafe_b64encode(mark + _mixed(key, mark, plain)).rstrip(b"=").decode()


def opened(key: bytes, organisation: str, text: str) -> int | None:
    """The number of the entry that a key stands for; None where it is none of ours for that organisation."""
    try:
        raw = base64.b64decode(text.encode() + b"==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    mark, rest = raw[:_BYTES], raw[_BYTES:]
    if len(rest) != _BYTES:
        return None
    plain = _mixed(key, mark, rest)
    return (
        int.from_bytes(plain, "big") if hmac.compare_digest(mark, _mark(key, organisation, plain)) else None
    )


def _mark(key: bytes, organisation: str, plain: bytes) -> bytes:
    return hmac.digest(key, b"platform key\x1f" + organisation.encode() + b"\x1f" + plain, "sha256")[:_BYTES]


def _mixed(key: bytes, mark: bytes, other: bytes) -> bytes:
    """What hides the number, and shows it again."""
    over = hmac.digest(key, b"platform place\x1f" + mark, "sha256")[:_BYTES]
    return bytes(one ^ two for one, two in zip(other, over, strict=True))
