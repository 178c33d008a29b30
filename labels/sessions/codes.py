"""Codes by which people sign in: eight of 32 letters, derived from a secret key, kept only as a hash."""

from __future__ import annotations

import hashlib
import hmac

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: what is misread (I, L, O) counts as what it was taken for."""
_LENGTH = 8
_MISREAD = str.maketrans("OIL", "011")


def sign_in_code(key: bytes, attempt: str) -> str:
    """The code of an attempt to sign in, `7KQ4-M9XT`: 40 bits, of which five tries are guesses.

    Raises:
        ValueError: the key is empty, so that anybody could derive the code.
    """
    if not key:
        raise ValueError("a code needs a secret key")
    value = int.from_bytes(hmac.digest(key, f"sign in\x1f{attempt}".encode(), "sha256"), "big")
    letters = [_ALPHABET[value >> 5 * place & 31] for place in range(_LENGTH)]
    return f"{''.join(letters[:4])}-{''.join(letters[4:])}"


def sign_in_code_hash(typed: str) -> str:
    """The hash of a code as it is kept; spaces, dashes and small letters make no difference."""
    plain = _plain(typed).upper().translate(_MISREAD)
    return hashlib.sha256(f"labels-sign-in\x1f{plain}".encode("utf-8", "replace")).hexdigest()


def may_be_sign_in_code(typed: str) -> bool:
    """Whether it is as long as a code to sign in; those for one act alone, which other mails bring, are longer."""
    return len(_plain(typed)) == _LENGTH


def _plain(typed: str) -> str:
    return "".join(typed.split()).replace("-", "")


def token_hash(token: str) -> str:
    """What the record keeps of a random token that a browser has."""
    return hashlib.sha256(f"labels-token\x1f{token}".encode("utf-8", "replace")).hexdigest()
