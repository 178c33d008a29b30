"""What one check of a configuration came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How grave it is."""

    WELL = "well"
    NOTE = "note"
    """It may be meant, or could not be checked from here."""
    FAULT = "fault"
    """It must be put right before people use the installation."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One of them."""

    check: str
    """What was checked, in a word or two."""
    level: Level
    what: str
    remedy: str = ""
    """What to do, as a sentence; empty where nothing is to be done."""


def well(check: str, what: str) -> Finding:
    """Something is as it should be."""
    return Finding(check, Level.WELL, what)


def note(check: str, what: str, remedy: str = "") -> Finding:
    """Something may be meant."""
    return Finding(check, Level.NOTE, what, remedy)


_NOT_TRUSTED = (
    "certificate has expired", "certificate verify failed", "self-signed certificate", "local issuer certificate",
)  # fmt: skip
"""What OpenSSL says of a certificate that has ended, or whose authority is not known here."""
_OF_ANOTHER_NAME = "certificate is not valid for"


def remedy_for(why: str, otherwise: str) -> str:
    """What to do where a service is not reached: a certificate that has ended is no wrong setting, one of another name is."""
    refused = any(one in why for one in _NOT_TRUSTED) and _OF_ANOTHER_NAME not in why
    return (
        "Renew the certificate there, if it has ended; else let this machine trust its authority."
        if refused
        else otherwise
    )


def fault(check: str, what: str, remedy: str) -> Finding:
    """Something is wrong."""
    return Finding(check, Level.FAULT, what, remedy)
