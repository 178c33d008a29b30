"""What each kind of application is called, by people and in the lists of runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of application is spoken of."""

    short: str
    """Begins the names of its runs."""
    name: str
    """The label that it is about, in full."""


KINDS = {
    "national": Kind("NQL", "National Quality Label"),
    "school": Kind("SL", "School Label"),
    "nomination": Kind("EQL nomination", "European Quality Label"),
    "european": Kind("EQL", "European Quality Label"),
}
"""By `Application.label`."""
