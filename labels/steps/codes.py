"""One-time codes: derived from the step and a secret key, kept only as a hash."""

from __future__ import annotations

import hashlib
import hmac

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that is misread on paper or on the phone


_LENGTH = 10  # 49 bits; with a handful of attempts per code, guessing is hopeless


def review_code(key: bytes, step: str, number: int) -> str:
    """The one-time code of a step, `7KQ4-M9XT-2C`; `number` counts the codes mailed for it.

    Raises:
        ValueError: the key is empty, so that anybody could derive the code.
    """
    if not key:
        raise ValueError("a code needs a secret key")
    raw = hmac.digest(key, f"code\x1f{step}\x1f{number}".encode(), "sha256")
    value = int.from_bytes(raw, "big")
    letters = []
    for _ in range(_LENGTH):
        value, place = divmod(value, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    text = "".join(letters)
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"


def code_hash(code: str) -> str:
    """The hash of a code as it is kept; spaces, dashes and small letters make no difference."""
    plain = "".join(code.split()).replace("-", "").upper()
    return hashlib.sha256(f"labels-code\x1f{plain}".encode()).hexdigest()


def code_matches(code: str, kept_hash: str) -> bool:
    """Whether `code` is the one that was mailed; takes the same time either way."""
    return hmac.compare_digest(code_hash(code), kept_hash)
