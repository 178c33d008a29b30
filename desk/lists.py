"""What lists have in common: the part that is shown, and where its page begins, stand in the address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

E = TypeVar("E", bound=StrEnum)

AFTER = "after"
"""The field of an address that says after which row a page begins."""


def one_of(kind: type[E], value: str | None) -> E | None:
    """The member of a choice that an address names; None where it names none."""
    return kind(value) if value in {member.value for member in kind} else None


def address_of(fields: Mapping[str, str]) -> str:
    """The end of an address with these fields but the empty ones; empty where all are."""
    query = urlencode({name: value for name, value in fields.items() if value})
    return f"?{query}" if query else ""


def place(at: datetime, number: str) -> str:
    """A row as an address names it: its moment and its number."""
    return f"{at.isoformat()}~{number}"


def place_in(query: Mapping[str, str]) -> tuple[datetime, str] | None:
    """After which row the page begins; None at the beginning, and where an address says nothing of ours."""
    at, _, number = query.get(AFTER, "").partition("~")
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo:
            moment.astimezone(UTC)  # as the record has it
    except (ValueError, OverflowError):
        return None
    return (moment, number[:30]) if moment.tzinfo else None
