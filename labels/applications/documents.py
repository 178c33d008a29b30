"""A document of an application that lies in the store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A file that is in the document store already; only then may an application claim it."""

    kind: str
    name: str
    key: str
    media_type: str
    size: int
