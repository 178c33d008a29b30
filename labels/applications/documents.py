"""A document of an application that lies in the store."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A file that is in the document store already; only then may an application claim it."""

    kind: str
    name: str
    key: str
    media_type: str
    size: int

    def of(self, application: str, at: datetime) -> dict[str, Any]:
        """The columns of an application's document, stored at that instant."""
        return asdict(self) | {"application": application, "stored_at": at}
