"""The journal's chain: what an entry's link is made of, and a verifier of exports, in one file of the standard library.

    python chain.py EXPORT [HEAD ...]

reads what `labels journal --export EXPORT` wrote and names everything that is not as it was written; it needs
neither the product nor a package, and may be copied on its own. `HEAD` is a head that was given out: it stands on
letters, in coordinators' mail and in the file of heads. It ends with 0, with 6 where something is not as it was
written, and with 2 where the file is no export.

Every value of an entry that could be about a person has a salt of its own, and its link is made from the
commitment to it: SHA-256 over salt and value. A value is erased by removing it together with its salt; the
commitment stays, so every link after it does. Without the salt nobody can try values against it.

    commitment = SHA-256(salt, canonical(name), canonical(value))
    digest     = SHA-256(canonical([plain, {name: commitment, ...}]))
    link       = SHA-256(link before, digest of the entry)

A canonical value is JSON in UTF-8 with sorted keys and without blanks. An entry's plain part is
`[id, at, what, application, step]`; its values are `who` and each of its details, `details.NAME`. What an entry
tells of (a review, a decision, a paper) has a digest of the same kind, which stands in the entry's `digests`.
"""

from __future__ import annotations

import base64
import binascii
import errno
import functools
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

FORMAT = "eTwinning labels: journal, version 1"

SALT = 16
"""Bytes of the salt of one value."""
START = bytes(32)
"""What the first link is made from."""
ERASED = "erased"
"""What stands where a value was erased."""
DIGESTS = "digests"
"""The detail of an entry in which the digests of the facts stand that it tells of."""
ERASURE = "erasure/"
"""What the name of an erasure begins with, among the digests of the entry that tells of it."""
SHORTEST = 16
"""Hexadecimal digits of a head that are enough to compare it by."""
NOT_AS_WRITTEN = 6
"""Exit code where something is not as it was written."""

_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


class NotAnExport(Exception):
    """The file is no export of a journal, or it is damaged; says where."""


def canonical(value: object) -> bytes:
    """One spelling of a JSON value, so that equal values have equal digests."""
    return _canonical.encode(value).encode()


def commitment(salt: bytes, name: str, value: object) -> str:
    """By which a value can be recognised as long as its salt is there."""
    return hashlib.sha256(salt + _spelled_name(name) + canonical(value)).hexdigest()


@functools.lru_cache(maxsize=1024)
def _spelled_name(name: str) -> bytes:
    return canonical(name)


def commitments(
    values: Mapping[str, object], salts: bytes, erased: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, str] | None:
    """A commitment to each value; `salts` has one for each, in the order of their names.

    `erased` has the commitments to values that were erased. None where there are not as many salts as values, or a value that was erased is there all the same.
    """
    if len(salts) != SALT * len(values):
        return None
    found = {}
    for place, name in enumerate(sorted(values)):
        if erased and name in erased:
            if not is_erased(values[name]):
                return None
            found[name] = erased[name]["commitment"]
        else:
            found[name] = commitment(salts[place * SALT : (place + 1) * SALT], name, values[name])
    return found


def is_erased(value: object) -> bool:
    """Whether it is what stands where a value was erased: a list keeps its length."""
    return value == ERASED or (isinstance(value, list) and all(map(is_erased, value)))


def digest(plain: Sequence[object], committed: Mapping[str, str]) -> bytes:
    """Over what is plain and the commitments to the rest."""
    return hashlib.sha256(canonical([plain, committed])).digest()


def link(before: bytes, of_entry: bytes) -> bytes:
    """Where the chain stands after an entry."""
    return hashlib.sha256(before + of_entry).digest()


def head_in_words(position: int, head: bytes, digits: int = 64) -> str:
    """A head as it is given out: how many entries are sealed, and where the chain stands after them."""
    return f"{position}-{head.hex()[:digits]}"


@dataclass(frozen=True, slots=True)
class Head:
    """A head that was given out, whole or its beginning."""

    position: int
    digits: str

    @classmethod
    def read(cls, text: str) -> Head:
        """As somebody types it from paper, with blanks and capitals.

        Raises:
            ValueError: it is none.
        """
        found = re.fullmatch(r"(\d{1,15})-([0-9a-f]{16,64})", re.sub(r"\s", "", text).lower())
        if found is None:
            raise ValueError(f"{text!r} is no head; expected a number, a hyphen and {SHORTEST} to 64 digits.")
        return cls(int(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.position}-{self.digits}"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that is not as it was written."""

    position: int
    """Where in the chain it was found; what is found beside the chain comes last."""
    what: str
    problem: str

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}"


# Verifying ----------------------------------------------------------------------------------------

_BESIDE = sys.maxsize
"""The position of what is in no link."""
PUT_BACK = timedelta(hours=1)
"""Entries of transactions that were under way together need not be in the order of their instants."""
_COMPARED = 200
"""Entries that were changed and are compared with each other, to tell which two were exchanged."""


@dataclass(slots=True)
class Verifier:
    """Looks at the lines of an export, one after the other, and then at all of it."""

    heads: Sequence[Head] = ()
    """Those that were given out."""
    entries: int = 0
    sealed: int = 0
    head: bytes = START
    sealed_at: str = ""
    """When the last batch was sealed."""
    found: list[Finding] = field(default_factory=list)
    put_back: list[str] = field(default_factory=list)
    """Where the clock had been put back by an hour or more when an entry was written: no finding, but good to know."""
    _latest: str = ""
    _at_position: dict[int, bytes] = field(default_factory=dict)
    _changed: list[Mapping[str, Any]] = field(default_factory=list)
    _told: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    """By what an entry tells of: the entry's position, what it is called, and the digest in it."""
    _erased: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """By the erasure, as an entry tells of it: the values that stand as erased by it."""

    def take(self, line: Mapping[str, Any]) -> None:
        """One line of an export."""
        if "seal" in line:
            self._take_seal(line)
        elif "subject" in line:
            self._take_row(line)
        elif "position" in line:
            self._take_sealed(line)
        else:
            self._take_unsealed(line)

    def findings(self) -> list[Finding]:
        """Everything that is not as it was written, the first first."""
        found = [*self._exchanged(), *self.found, *self._untold(), *self._unannounced()]
        found += filter(None, map(self._compared, self.heads))
        return sorted(found)

    # Entries ---------------------------------------------------------------------------------------

    def _take_sealed(self, line: Mapping[str, Any]) -> None:
        position, before, head = line["position"], self.head, bytes.fromhex(line["head"])
        gap = position != self.sealed + 1
        if gap:
            self._find(self.sealed + 1, f"position {self.sealed + 1}", "its seal was removed.")
        self.sealed, self.head = position, head
        self._at_position[position] = head
        if "id" not in line:
            self._find(position, f"entry {line['entry']}", "it was removed.")
            return
        self.entries += 1
        self._look_at_the_clock(line)
        self._hear(position, line)
        erased = line.get("erased")
        committed = commitments(line["values"], bytes.fromhex(line["salts"]), erased)
        if committed is None or (not gap and link(before, digest(_plain(line), committed)) != head):
            self._changed.append(dict(line) | {"before": before})
            self._find(position, _called(line), "it is not as it was sealed.")
            return
        for name, one in (erased or {}).items():
            self._erased.setdefault(one["by"], []).append((position, name))

    def _take_unsealed(self, line: Mapping[str, Any]) -> None:
        self.entries += 1
        if line.get("late"):
            self._find(_BESIDE - 1, _called(line), "it was inserted: the entries around it are sealed.")
        else:
            self._look_at_the_clock(line)
            self._hear(_BESIDE - 1, line)

    def _look_at_the_clock(self, line: Mapping[str, Any]) -> None:
        before, self._latest = self._latest, line["at"]
        if line["at"] < before:  # they are spelled alike
            by = datetime.fromisoformat(before) - datetime.fromisoformat(line["at"])
            if by >= PUT_BACK:
                self.put_back.append(f"{_called(line)}: the clock was put back by {by} before it.")

    def _hear(self, position: int, line: Mapping[str, Any]) -> None:
        """Takes in what an entry tells of."""
        told = line["values"].get(f"details.{DIGESTS}")
        if isinstance(told, Mapping):
            for subject, of_row in told.items():
                self._told[subject] = position, _called(line), of_row

    def _exchanged(self) -> Iterator[Finding]:
        """Pairs of entries of which each is what the other was."""
        some = self._changed[:_COMPARED]
        for place, one in enumerate(some):
            for other in some[place + 1 :]:
                if _in_place_of(one, other) and _in_place_of(other, one):
                    yield Finding(
                        one["position"],
                        f"entry {one['id']}",
                        f"it was exchanged with entry {other['id']}: each is what the other was.",
                    )

    # What entries tell of --------------------------------------------------------------------------

    def _take_row(self, line: Mapping[str, Any]) -> None:
        subject = line["subject"]
        position, called, expected = self._told.pop(subject, (_BESIDE, "", ""))
        if not expected:
            self._find(_BESIDE, subject, "it was inserted: no entry tells of it.")
            return
        erased = line.get("erased")
        committed = commitments(line["values"], bytes.fromhex(line["salts"]), erased)
        if committed is None or digest(line["plain"], committed).hex() != expected:
            self._find(position, subject, f"it is not as {called} tells of it.")
            return
        for name, one in (erased or {}).items():
            self._erased.setdefault(one["by"], []).append((0, f"{subject} {name}"))

    def _untold(self) -> Iterator[Finding]:
        """What entries tell of and is not there."""
        for subject, (position, called, _) in self._told.items():
            if not subject.startswith(ERASURE):
                yield Finding(position, subject, f"it was removed; {called} tells of it.")

    def _unannounced(self) -> Iterator[Finding]:
        """Values that stand as erased, and no entry tells of it."""
        for erasure, values in self._erased.items():
            position, name = values[0]
            where = f"“{name}” at position {position}" if position else name
            announced = self._told.get(erasure)
            if announced is None:
                problem = "it stands as erased, and no entry tells of that."
            elif announced[2] != erasure_digest(values):
                problem = f"it, or another value, is not what {announced[1]} tells of as erased."
            else:
                continue
            yield Finding(position or _BESIDE, where, problem)

    # Seals and heads -------------------------------------------------------------------------------

    def _take_seal(self, line: Mapping[str, Any]) -> None:
        last, head = line["last"], bytes.fromhex(line["head"])
        self.sealed_at = line["at"]
        if self._at_position.get(last) != head:
            missing = last > self.sealed
            problem = "entries and their seals were cut off." if missing else "it is not as it was written."
            self._find(last, f"batch {line['seal']} (up to position {last})", problem)
        if line.get("token") and head not in base64.b64decode(line["token"]):
            self._find(last, f"time stamp of batch {line['seal']}", "it is of another head.")

    def _compared(self, given: Head) -> Finding | None:
        if given.position > self.sealed:
            return Finding(
                self.sealed + 1,
                f"the head {given}",
                f"was given out, and the journal ends at {head_in_words(self.sealed, self.head, SHORTEST)}: "
                "it was cut off, or this is an older copy of the record.",
            )
        if not self._at_position.get(given.position, START).hex().startswith(given.digits):
            there = self._at_position.get(given.position, START)
            return Finding(
                given.position,
                f"the head {given}",
                f"was given out, and the chain has {head_in_words(given.position, there, SHORTEST)} there: "
                "entries up to it were written anew, or the head is another record's.",
            )
        return None

    def _find(self, position: int, what: str, problem: str) -> None:
        self.found.append(Finding(position, what, problem))


def erasure_digest(values: Iterable[tuple[int, str]]) -> str:
    """Over the values that an erasure erased: their positions in the chain (0 for rows) and names."""
    return hashlib.sha256(canonical(sorted([position, name] for position, name in values))).hexdigest()


def _plain(line: Mapping[str, Any]) -> list[object]:
    return [line["id"], line["at"], line["what"], line["application"], line["step"]]


def _called(line: Mapping[str, Any]) -> str:
    about = f", {line['application']}" if line["application"] else ""
    return f"entry {line['id']} ({line['what']}{about}, {line['at'][:16].replace('T', ' ')} UTC)"


def _in_place_of(place: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """Whether one entry's content is what was sealed in the place of another."""
    there = dict(content) | {"id": place["id"]}
    committed = commitments(content["values"], bytes.fromhex(place["salts"]), place.get("erased"))
    return (
        committed is not None
        and link(place["before"], digest(_plain(there), committed)).hex() == place["head"]
    )


# An export as a file ------------------------------------------------------------------------------


LONGEST_LINE = 1 << 24
"""Bytes; a longer one is no line of an export."""


def read_export(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The lines of an export between its first and its last.

    Raises:
        NotAnExport: it is none, or it is cut off.
    """
    number = 0
    ended = False
    for number, line in enumerate(lines, 1):
        try:
            one = json.loads(line)
        except ValueError:
            raise NotAnExport(f"line {number} is no JSON") from None
        if not isinstance(one, dict) or (number == 1 and one.get("format") != FORMAT):
            raise NotAnExport(f"line {number} is not what an export has there")
        if ended:
            raise NotAnExport(f"line {number} comes after the end")
        if one.get("end") is not None:
            ended = True
            if one["end"] != number:
                raise NotAnExport(f"it ends with line {one['end']}, and has {number}")
        elif number > 1:
            yield one
    if not ended:
        raise NotAnExport(f"it is cut off after line {number}")


def main(words: Sequence[str]) -> int:
    """Verifies an export and says what was found; returns the exit code."""
    if not words:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        verifier = Verifier([Head.read(word) for word in words[1:]])
        if not os.path.isfile(words[0]):  # noqa: PTH113 -- a name as it was typed
            raise OSError(errno.EINVAL, "there is no such file, or it is a device, a pipe or a folder")
        with open(words[0], "rb") as file:  # noqa: PTH123
            for line in read_export(iter(functools.partial(file.readline, LONGEST_LINE), b"")):
                verifier.take(line)
        found = verifier.findings()
    except (OSError, ValueError, NotAnExport) as error:
        print(f"{words[0]}: {error}", file=sys.stderr)
        return 2
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        print(f"{words[0]}: a line lacks what it needs ({type(error).__name__}: {error}).", file=sys.stderr)
        return 2
    for one in found:
        print(one)
    for put_back in verifier.put_back:
        print(put_back, file=sys.stderr)
    state = f"{verifier.entries} entries, {verifier.sealed} sealed"
    print(f"{state}; head {head_in_words(verifier.sealed, verifier.head)}", file=sys.stderr)
    if not found:
        print("Everything is as it was written.", file=sys.stderr)
    return NOT_AS_WRITTEN if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
