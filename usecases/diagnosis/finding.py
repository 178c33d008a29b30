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


def remedy_for(why: str, otherwise: str) -> str:
    """What to do where a service is not reached: a certificate that has ended is no wrong setting."""
    refused = "certificate has expired" in why or "certificate verify failed" in why
    return (
        "Renew the certificate there, if it has ended; else let this machine trust its authority."
        if refused
        else otherwise
    )


def fault(check: str, what: str, remedy: str) -> Finding:
    """Something is wrong."""
    return Finding(check, Level.FAULT, what, remedy)
