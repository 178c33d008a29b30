"""The code on a certificate: how it is made, how it is printed, and how it is read from what somebody typed.

A code is made from the secret key and from what the paper is about, so that a paper that is made again has
the same, and nobody else can make one. Fifteen letters of five bits each, and a sixteenth that no single slip
and no two letters in the wrong order leave right.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U to be misread
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_PAYLOAD, _SERIES = 15, 8
LENGTH = _PAYLOAD + 1
"""Letters of a code, without the dashes between its four groups."""
_GROUP = f"[{_ALPHABET}]{{4}}"
_PRINTED = re.compile(rf"(?<![0-9A-Za-z-]){_GROUP}(?:-{_GROUP}){{3}}(?![0-9A-Za-z-])")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What certificates are marked with: the key that nobody else has, and the page that knows their codes."""

    key: bytes
    check_url: str
    former: tuple[bytes, ...] = ()
    """The keys before that one: what was made with them is known by them for ever."""

    @property
    def each(self) -> tuple[Stamp, ...]:
        """This one, and those of the former keys: by which a certificate of whatever time is known."""
        return (self, *(Stamp(key, self.check_url) for key in self.former))

    def paper(self, kind: str, subject: str, edition: int = 1) -> str:
        """The code of a paper about an application or award; a corrected edition has one of its own."""
        return _grouped(self._letters(_PAYLOAD, "paper", kind, subject, edition))

    def series(self, class_id: str) -> str:
        """What the codes of a class begin with: two groups, by which the record finds the class."""
        return _in_groups(self._letters(_SERIES, "series", class_id))

    def pupil(self, class_id: str, number: int) -> str:
        """The code of the certificate with that number among those of a class; no name goes into it."""
        own = self._letters(_PAYLOAD - _SERIES, "pupil", class_id, number)
        return _grouped(self.series(class_id).replace("-", "") + own)

    def mark(self, class_id: str, number: int, file_digest: str) -> bytes:
        """What the record keeps of a pupil's certificate, or with the number 0 of the file in which all are printed:
        without the key, nobody can try names against it."""
        return hmac.digest(self.key, _said("mark", class_id, number, file_digest), "sha256")[:MARK]

    def _letters(self, length: int, *parts: object) -> str:
        number = int.from_bytes(hmac.digest(self.key, _said(*parts), "sha256"), "big")
        return "".join(_ALPHABET[number >> (5 * place) & 31] for place in range(length))


MARK = 16
"""Bytes of the mark of one pupil's certificate."""


def _said(*parts: object) -> bytes:
    return "\x1f".join(("check", *map(str, parts))).encode()


def _grouped(payload: str) -> str:
    return _in_groups(payload + _ALPHABET[_check(payload)])


def _in_groups(letters: str) -> str:
    return "-".join(letters[place : place + 4] for place in range(0, len(letters), 4))


def _check(payload: str) -> int:
    """The letters' values weighed by the powers of a primitive element of the field of 32 and added up.

    No two of the weights are equal and none is zero or one, so any one letter that is wrong, and any two that
    changed places, make another sum.
    """
    total = 0
    for letter in reversed(payload):
        total = _doubled(total ^ _VALUES[letter])
    return total


def _doubled(value: int) -> int:
    value <<= 1
    return value ^ 0b100101 if value & 32 else value


def read_code(typed: str) -> str | None:
    """The code as it is printed, from what somebody typed, copied or scanned; None where no code reads like that.

    Small letters, spaces, dashes, quotation marks, what no eye sees, letters of double width, digits and letters of
    other scripts that look the same, and letters that are easily misread (O for 0, I and L for 1) make no difference,
    and the address of the check page before it neither.
    """
    letters = letters_of(typed).translate(_MISREAD)
    if len(letters) != LENGTH or any(letter not in _VALUES for letter in letters):
        return None
    code = _in_groups(letters)
    return code if _ALPHABET[_check(letters[:-1])] == letters[-1] else None


_LOOK_ALIKES = str.maketrans(
    "АВЕЗКМНОРСТУҮХЅІЈԚԜҺӀ" "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹͿ" "ՕՏ",
    "ABE3KMHOPCTYYXSIJQWHI" "ABEZHIKMNOPTYXCJ" "OS",
)  # fmt: skip
"""Capitals of Cyrillic, Greek and Armenian that look as Latin ones do: who has another keyboard types them unawares."""
LONGEST = 400
"""Characters of what somebody typed that are looked at."""


def letters_of(typed: str) -> str:
    """The letters and digits of what somebody typed, without the address before them; in capitals."""
    plain = unicodedata.normalize("NFKC", typed[:LONGEST]).strip(" \t\r\n/?#&")
    last = re.split(r"[/=]", plain.partition("&")[0])[-1]
    letters = "".join(map(_plain_letter, last)).upper().translate(_LOOK_ALIKES)
    return "".join(filter(str.isalnum, letters))


def _plain_letter(letter: str) -> str:
    """A digit of any script as a Latin one; anything else as it is."""
    value = unicodedata.decimal(letter, None)
    return letter if value is None else str(value)


def looks_like_a_code(typed: str) -> bool:
    """Whether somebody meant to type a code, right or wrong."""
    letters = letters_of(typed)
    return letters.isascii() and LENGTH - 4 <= len(letters) <= LENGTH + 4


def series_of(code: str) -> str:
    """What the codes of a class begin with, of one of them."""
    return code[: _SERIES + 1]


def codes_in(text: str) -> Iterator[str]:
    """The codes that stand in a text as they are printed, with the right letter at their end."""
    for found in _PRINTED.finditer(text):
        if (code := read_code(found.group())) is not None:
            yield code
