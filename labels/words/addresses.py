"""E-mail addresses: one way to write each, and how it goes over the wire where its domain has letters like ü."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import idna

LONGEST = 254

_LABEL = r"[A-Za-z0-9][A-Za-z0-9-]{0,62}(?<!-)"
_TOP = r"[A-Za-z][A-Za-z0-9-]{1,62}(?<!-)"
_ASCII = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@(?:{_LABEL}\.)+{_TOP}")


def all_plain(addresses: Sequence[str]) -> bool:
    """Whether all are addresses in ASCII, each the one way in which it is written but for capitals."""
    return (
        all(map(_ASCII.fullmatch, addresses))
        and max(map(len, addresses), default=0) <= LONGEST
        and "xn--" not in "\n".join(addresses).lower()
    )


def written(address: str) -> str | None:
    """An address as it is kept and shown: in small letters, its domain in its own (`ada@bücher.example`).

    The same for `ada@BÜCHER.example` and `ada@xn--bcher-kva.example`; None where it is no address.
    """
    local, at, domain = address.strip().rpartition("@")
    try:
        on_wire, shown = _domain(domain) if at else ("", "")
        wired = f"{local}@{on_wire}" if at else ""
        if not _ASCII.fullmatch(wired) or len(wired) > LONGEST:
            return None
        return f"{local.lower()}@{shown}"
    except (UnicodeError, ValueError):  # idna's own error is a UnicodeError
        return None


@lru_cache(maxsize=1024)
def _domain(domain: str) -> tuple[str, str]:
    """A domain on the wire, and in its own letters; it is asked for at each request of whoever has signed in."""
    on_wire = idna.encode(domain, uts46=True).decode()
    return on_wire, idna.decode(on_wire)


def meant(address: str) -> str:
    """The address that a person means by what they typed, in the one way in which it is kept."""
    return written(address) or address.strip().lower()


def on_the_wire(address: str) -> str:
    """An address as a mail server takes it: a domain with other letters as `xn--…` (RFC 5891)."""
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    return f"{local}@{idna.encode(domain, uts46=True).decode()}"


def without_tag(address: str) -> str:
    """The mailbox of an address: `anna+labels@…` is `anna@…`."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
