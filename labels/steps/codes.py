"""One-time codes: derived from the step and a secret key, stored only as a hash."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that is misread on paper or on the phone


_LENGTH = 10  # 49 bits; with a handful of attempts per code, guessing is hopeless
_SLIPS = 2


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


def made_with(keys: Iterable[bytes], subject: str, number: int, kept_hash: str) -> str | None:
    """The code of that number, by whichever of the secrets it was made with; None where by none of them."""
    made = (review_code(key, subject, number) for key in keys)
    return next((code for code in made if code_matches(code, kept_hash)), None)


def code_hash(code: str) -> str:
    """The hash of a code as it is stored; spaces, dashes and small letters make no difference."""
    return hashlib.sha256(f"labels-code\x1f{_plain(code)}".encode()).hexdigest()


def nearly(typed: str, code: str) -> bool:
    """Whether `typed` is `code` but for one or two slips: another letter, one too many or too few, two swapped.

    Nobody comes that close by guessing: fewer than one code in a billion is.
    """
    given, right = _plain(typed), _plain(code)
    return given != right and _slips(given[: 2 * _LENGTH], right) <= _SLIPS


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").upper()


def _slips(one: str, other: str) -> int:
    """How many letters were replaced, added, left out or swapped with the next (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]


def code_matches(code: str, kept_hash: str) -> bool:
    """Whether `code` is the one that was mailed; takes the same time either way."""
    return hmac.compare_digest(code_hash(code), kept_hash)
